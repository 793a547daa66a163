"""Checking what a write says of properties, each value as HubSpot keeps it: text."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.hubspot.answers import BadValue, invalid, invalid_values
from sandbox.hubspot.definitions import Definitions
from sandbox.hubspot.moments import DAY, moment_of, stamp
from sandbox.hubspot.readings import Readings

LONGEST = 65_536
EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
)

Json = dict[str, Any]


def normal_email(text: str) -> str:
    """Trimmed and in lower case, as HubSpot keeps and compares addresses."""
    return text.strip().lower()


def acceptable_email(text: str) -> bool:
    """Whether HubSpot takes it for an address."""
    return EMAIL.fullmatch(text) is not None and ".." not in text and len(text) <= 254


def checked_values(definitions: Definitions, given: Any, readings: Readings) -> dict[str, str]:
    """The values to keep; ``""`` clears. Raises Refused with every property that is unknown, read-only or wrong."""
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON: the required field 'properties' is missing")
    problems: list[BadValue] = []
    kept: dict[str, str] = {}
    for name, value in given.items():
        if value is None and readings.null_value == "ignored" and definitions.property(name) is not None:
            continue
        found = _value(definitions, name, "" if value is None else value)
        if isinstance(found, BadValue):
            problems.append(found)
        else:
            kept[name] = found
    if problems:
        raise invalid_values(problems)
    return kept


def _value(definitions: Definitions, name: str, value: Any) -> str | BadValue:
    definition = definitions.property(name)
    if definition is None:
        return BadValue(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition["modificationMetadata"]["readOnlyValue"]:
        return BadValue(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set')
    if isinstance(value, dict | list):
        raise invalid(f"Invalid input JSON: the value of {name} is not text")
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if not text:
        return ""
    found = _email(text) if name == "email" else _typed(definitions, definition, text)
    return found if isinstance(found, BadValue) else _against_rule(definitions, name, found)


def _email(text: str) -> str | BadValue:
    email = normal_email(text)
    if not acceptable_email(email):
        return BadValue("email", "INVALID_EMAIL", f"Email address {text} is invalid")
    return email


def _typed(definitions: Definitions, definition: Json, text: str) -> str | BadValue:
    name, kind = definition["name"], definition["type"]
    if kind == "number":
        return text.strip() if _number(text) is not None else BadValue(name, "INVALID_LONG", f"{text} was not a number")
    if kind in ("date", "datetime"):
        return _moment(name, kind, text)
    if kind == "bool":
        return _one_of(name, ("true", "false"), text.lower())
    if kind == "enumeration":
        if definition["externalOptions"]:
            owners = [owner["id"] for owner in definitions.all("owners") if not owner["archived"]]
            return _one_of(name, owners, text)
        options = [option["value"] for option in definition["options"]]
        several = definition["fieldType"] == "checkbox"
        for part in text.split(";") if several else [text]:
            if part not in options and not (several and not part):
                return _one_of(name, options, part)
        return text
    return text if len(text) <= LONGEST else BadValue(name, "INVALID_STRING", f"{name} is longer than {LONGEST}")


def _moment(name: str, kind: str, text: str) -> str | BadValue:
    moment = moment_of(text)
    if moment is None or not abs(moment) < 253_402_300_800_000:
        return BadValue(name, "INVALID_LONG", f"{text} was not a valid long.")
    if kind == "datetime":
        return stamp(moment)
    if moment % DAY:
        return BadValue(name, "INVALID_DATE", f"{text} is at another time of day than midnight UTC")
    return stamp(moment)[:10]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _one_of(name: str, allowed: Any, text: str) -> str | BadValue:
    if text in allowed:
        return text
    return BadValue(name, "INVALID_OPTION", f"{text} was not one of the allowed options: [{', '.join(allowed)}]")


def _against_rule(definitions: Definitions, name: str, text: str) -> str | BadValue:
    """The account's own validation rule of a property, which holds for writes by the API too."""
    rule = definitions.get("rules", name)
    if rule is None:
        return text
    fits = len(text) <= rule.get("max_length", LONGEST) and len(text) >= rule.get("min_length", 0)
    if fits and ("regex" not in rule or re.fullmatch(rule["regex"], text)):
        return text
    return BadValue(name, "FAILED_VALIDATION_RULE", f"{text} does not meet the validation rule of {name}")
