"""Reading single fields of Xero's JSON: text, ids, dates, moments and amounts. Pure; raises WrongShape."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.shared.fields import Fields, Row
from qualy_sync.contracts.errors import WrongShape

__all__ = [
    "ZERO_ID", "Row", "day", "minor", "moment", "needed", "needed_minor", "number", "part", "parts", "rows", "same",
    "text",
]  # fmt: skip

_FIELDS = Fields("Xero")
text, needed, part, parts = _FIELDS.text, _FIELDS.needed, _FIELDS.part, _FIELDS.parts
number, minor, needed_minor = _FIELDS.number, _FIELDS.minor, _FIELDS.needed_minor

ZERO_ID = "00000000-0000-0000-0000-000000000000"

_TICKS = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(row: Row, key: str) -> datetime:
    """An aware UTC moment, from `/Date(ms+0000)/` (the milliseconds are UTC, whatever follows) or ISO text."""
    value = needed(row, key)
    try:
        ticks = _TICKS.fullmatch(value.strip())
        if ticks:
            return _EPOCH + timedelta(milliseconds=int(ticks[1]))
        read = datetime.fromisoformat(value.strip())
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise WrongShape(f"Xero answered a {key} that is not a date.") from None


def day(row: Row, key: str) -> date | None:
    """A calendar date; its `…String` twin is preferred, as it carries no time zone. None where both are absent."""
    for name in (f"{key}String", key):
        if row.get(name):
            return moment(row, name).date()
    return None


def same(value: str) -> str:
    """Ids and numbers as Xero compares them: without case."""
    return value.strip().casefold()


def rows(content: Any, collection: str) -> list[Row]:
    """The records of an answer. Raises WrongShape for anything that is not a list of objects under that name."""
    found = content.get(collection) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise WrongShape(f"Xero answered without a list of {collection}.")
    return found
