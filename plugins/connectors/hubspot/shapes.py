"""HubSpot's records as the contract's values, and ours as HubSpot's bodies. Pure; raises WrongShape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from qualy_sync.contracts.crm import Act, Change, Changed, Contact, Form, NewContact, Property, Write
from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import normal_email

EMAIL, FURTHER_EMAILS, MERGED = "email", "hs_additional_emails", "hs_merged_object_ids"
ASKED_ALWAYS = (EMAIL, FURTHER_EMAILS, MERGED)

# HubSpot: properties guide. A bool of its own needs options; a text says the same.
_TYPES: Mapping[Form, tuple[str, str]] = {
    Form.TEXT: ("string", "text"),
    Form.EMAIL: ("string", "text"),
    Form.PHONE: ("string", "text"),
    Form.NUMBER: ("number", "number"),
    Form.DATE: ("date", "date"),
    Form.MOMENT: ("datetime", "date"),
    Form.BOOL: ("string", "text"),
}
_FORMS = {"number": Form.NUMBER, "date": Form.DATE, "datetime": Form.MOMENT, "bool": Form.BOOL}


def contact(row: Any) -> Contact:
    """A contact with the values that the answer holds; null is "says nothing"."""
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not isinstance(row.get("properties"), dict):
        raise WrongShape("HubSpot answered a contact without id or properties.")
    values = {str(name): "" if value is None else str(value) for name, value in row["properties"].items()}
    emails = [values.get(EMAIL, ""), *values.get(FURTHER_EMAILS, "").split(";")]
    return Contact(
        id=row["id"],
        values=values,
        emails=tuple(dict.fromkeys(email for each in emails if (email := normal_email(each)))),
        updated_at=_moment(row),
        archived=row.get("archived") is True,
        was=frozenset(each.strip() for each in values.get(MERGED, "").split(";") if each.strip()),
    )


def contacts(rows: Iterable[Any]) -> tuple[Contact, ...]:
    return tuple(contact(row) for row in rows)


def changed(row: Any, name: str) -> Changed:
    """A result of the search: its values may be old, its id counts."""
    if not isinstance(row, dict) or not str(row.get("id", "")).isdecimal():
        raise WrongShape("HubSpot's search answered a contact without an id.")
    values = row.get("properties")
    at = values.get(name) if isinstance(values, dict) else None
    try:
        moment = datetime.fromisoformat(str(at))
    except ValueError:
        return Changed(str(row["id"]), None)
    return Changed(str(row["id"]), moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))


def results(content: Mapping[str, Any], asked: str) -> list[Any]:
    """The list of an answer: a missing one is never "none"."""
    found = content.get("results")
    if not isinstance(found, list):
        raise WrongShape(f"HubSpot's answer holds no results ({asked}).")
    return found


def next_page(content: Mapping[str, Any]) -> str:
    """Where the next page begins, "" after the last one."""
    paging = content.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return str(after) if after else ""


def property_(row: Any) -> Property:
    """A definition of a property."""
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise WrongShape("HubSpot answered a property without a name.")
    about = row.get("modificationMetadata")
    read_only = isinstance(about, dict) and about.get("readOnlyValue") is True
    options = row.get("options")
    chosen = row.get("type") == "enumeration" and row.get("externalOptions") is not True
    return Property(
        name=row["name"],
        label=str(row.get("label") or row["name"]),
        form=_FORMS.get(str(row.get("type")), Form.TEXT),
        group=str(row.get("groupName") or ""),
        unique=row.get("hasUniqueValue") is True,
        writable=not (read_only or row.get("calculated") is True),
        options=frozenset(str(one.get("value")) for one in options if isinstance(one, dict))
        if chosen and isinstance(options, list)
        else frozenset(),
    )


# -- bodies -------------------------------------------------------------------------------------------------------


def encode(document: Mapping[str, Any]) -> bytes:
    """JSON without blanks."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read_body(keys: Sequence[str], names: Iterable[str], id_property: str) -> bytes:
    """Contacts by id, email, or another unique property."""
    body: dict[str, Any] = {"inputs": [{"id": key} for key in keys], "properties": asked_names(names)}
    return encode(body | ({"idProperty": id_property} if id_property else {}))


def search_body(name: str, since: datetime, after: str, limit: int) -> bytes:
    """Changes since a moment in order of ids, behind one id: neither equal time stamps nor a cap of pages loses any."""

    def where(of: str, operator: str, value: str) -> dict[str, str]:
        return {"propertyName": of, "operator": operator, "value": value}

    filters = [
        where(name, "GTE", str(_milliseconds(since))),
        where("hs_object_id", "GT", after),
    ]
    return encode(
        {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [name],
            "limit": limit,
        }
    )


def write_body(act: Act, batch: Sequence[Write], key_field: str) -> bytes:
    """A batched write. Each input has a trace id of its own, by which one bad input does not refuse the others."""
    return encode({"inputs": [_input(act, one, key_field) for one in batch]})


def _input(act: Act, one: Write, key_field: str) -> dict[str, Any]:
    if isinstance(one, NewContact) and act is Act.CREATE:
        return {"properties": {**one.values, EMAIL: one.email, key_field: one.ref}, "objectWriteTraceId": one.ref}
    if isinstance(one, Change) and act is Act.UPDATE:
        return {"id": one.id, "properties": dict(one.values), "objectWriteTraceId": one.ref}
    raise ValueError("one batch creates or updates, and never both")


def property_body(one: Property) -> dict[str, Any]:
    """The definition of one of our own properties."""
    kind, field = _TYPES[one.form]
    return {
        "name": one.name,
        "label": one.label,
        "groupName": one.group,
        "type": kind,
        "fieldType": field,
        "hasUniqueValue": one.unique,
        "formField": False,
    }


def asked_names(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((*ASKED_ALWAYS, *names)))


def _moment(row: Mapping[str, Any]) -> datetime:
    value = row.get("updatedAt")
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise WrongShape("HubSpot answered a contact without the time of its last change.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
