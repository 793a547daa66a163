"""Reading single fields of QuickBooks' JSON: text, ids, dates, moments and amounts. Pure; raises WrongShape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.shared.fields import Fields, Row
from qualy_sync.contracts.errors import WrongShape

__all__ = [
    "Row", "day", "encode", "minor", "moment", "needed", "needed_minor", "number", "part", "parts", "reference",
    "text",
]  # fmt: skip

_FIELDS = Fields("QuickBooks", loose=True)
text, needed, part, parts = _FIELDS.text, _FIELDS.needed, _FIELDS.part, _FIELDS.parts
number, needed_minor = _FIELDS.number, _FIELDS.needed_minor


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


def minor(row: Row, key: str, currency: str) -> int:
    """An amount in minor units, zero where it is absent."""
    return _FIELDS.minor(row, key, currency) or 0
