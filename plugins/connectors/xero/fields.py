"""Reading single fields of Xero's JSON: text, ids, dates, moments and amounts. Pure; raises WrongShape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import exponent

Row = Mapping[str, Any]

ZERO_ID = "00000000-0000-0000-0000-000000000000"

_TICKS = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(row: Row, key: str) -> str:
    """A text field, empty where it is absent."""
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongShape(f"Xero answered a {key} that is not text.")
    return value


def needed(row: Row, key: str) -> str:
    """A text field that has to be there."""
    value = text(row, key)
    if not value:
        raise WrongShape(f"Xero answered a record without {key}.")
    return value


def part(row: Row, key: str) -> Row:
    """An object inside an object, empty where it is absent."""
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WrongShape(f"Xero answered a {key} that is not an object.")
    return value


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


def number(row: Row, key: str) -> Decimal | None:
    """A number, None where it is absent. Xero sometimes writes numbers as text."""
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise WrongShape(f"Xero answered a {key} that is not a number.")
    try:
        read = Decimal(value)
    except ArithmeticError:
        raise WrongShape(f"Xero answered a {key} that is not a number.") from None
    if not read.is_finite():
        raise WrongShape(f"Xero answered a {key} that is not a number.")
    return read


def minor(row: Row, key: str, currency: str) -> int | None:
    """An amount in minor units, None where it is absent.

    Xero keeps two decimals in every currency; what a currency has no digits for (half a yen, from a document
    made by hand) is rounded half up.
    """
    value = number(row, key)
    if value is None:
        return None
    return int(value.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def needed_minor(row: Row, key: str, currency: str) -> int:
    """An amount that has to be there."""
    value = minor(row, key, currency)
    if value is None:
        raise WrongShape(f"Xero answered a record without {key}.")
    return value


def same(value: str) -> str:
    """Ids and numbers as Xero compares them: without case."""
    return value.strip().casefold()


def rows(content: Any, collection: str) -> list[Row]:
    """The records of an answer. Raises WrongShape for anything that is not a list of objects under that name."""
    found = content.get(collection) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise WrongShape(f"Xero answered without a list of {collection}.")
    return found
