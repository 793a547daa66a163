"""Reading single fields of QuickBooks' JSON: text, ids, dates, moments and amounts. Pure; raises WrongShape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import exponent

Row = Mapping[str, Any]


def encode(value: Any) -> str:
    """JSON without blanks, pure ASCII, keys in the order given, amounts digit by digit."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value is None or isinstance(value, str | int):
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no place in a body")


def text(row: Row, key: str) -> str:
    """A text field, empty where it is absent. Ids may arrive as numbers."""
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise WrongShape(f"QuickBooks answered a {key} that is not text.")
    return str(value)


def needed(row: Row, key: str) -> str:
    """A text field that has to be there."""
    value = text(row, key)
    if not value:
        raise WrongShape(f"QuickBooks answered a record without {key}.")
    return value


def part(row: Row, key: str) -> Row:
    """An object inside an object, empty where it is absent."""
    value = row.get(key)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise WrongShape(f"QuickBooks answered a {key} that is not an object.")
    return value


def parts(row: Row, key: str) -> list[Row]:
    """A list of objects inside an object, empty where it is absent."""
    value = row.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise WrongShape(f"QuickBooks answered {key} that are no list of objects.")
    return value


def reference(row: Row, key: str) -> str:
    """The id that a reference names, empty where there is none."""
    return text(part(row, key), "value")


def moment(row: Row, key: str = "LastUpdatedTime") -> datetime:
    """An aware UTC moment of the record's MetaData; QuickBooks writes it with an offset."""
    value = needed(part(row, "MetaData"), key)
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        raise WrongShape(f"QuickBooks answered a {key} that is not a time.") from None
    if read.tzinfo is None:
        raise WrongShape(f"QuickBooks answered a {key} without an offset.")
    return read.astimezone(UTC)


def day(row: Row, key: str) -> date | None:
    """A calendar date in the company's time, None where it is absent."""
    value = text(row, key).strip()
    if not value:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise WrongShape(f"QuickBooks answered a {key} that is not a date.") from None


def number(row: Row, key: str) -> Decimal | None:
    """A number, None where it is absent or empty. Numbers may be written as text."""
    value = row.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise WrongShape(f"QuickBooks answered a {key} that is not a number.")
    try:
        read = Decimal(value)
    except ArithmeticError:
        raise WrongShape(f"QuickBooks answered a {key} that is not a number.") from None
    if not read.is_finite():
        raise WrongShape(f"QuickBooks answered a {key} that is not a number.")
    return read


def minor(row: Row, key: str, currency: str) -> int:
    """An amount in minor units, zero where it is absent.

    QuickBooks keeps two decimals in every currency; what a currency has no digits for is rounded half up.
    """
    value = number(row, key)
    if value is None:
        return 0
    return int(value.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def needed_minor(row: Row, key: str, currency: str) -> int:
    """An amount that has to be there."""
    if number(row, key) is None:
        raise WrongShape(f"QuickBooks answered a record without {key}.")
    return minor(row, key, currency)
