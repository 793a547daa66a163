"""Xero's wire formats: dates, numbers, switches, comma lists, text folding. Pure functions."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

ZERO_ID = "00000000-0000-0000-0000-000000000000"
CENT = Decimal("0.01")
_TOO_LARGE = Decimal(10) ** 15
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_GUID = re.compile(r"^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def ms_moment(moment: datetime) -> str:
    """A moment as Xero writes it: ``/Date(1552326816230+0000)/``."""
    return f"/Date({milliseconds(moment)}+0000)/"


def ms_day(day: date) -> str:
    """A calendar date as Xero writes it: midnight UTC of that day."""
    return ms_moment(datetime.combine(day, time(), UTC))


def day_string(day: date) -> str:
    """The companion ``DateString`` of a date."""
    return f"{day.isoformat()}T00:00:00"


def moment_string(moment: datetime) -> str:
    """The companion ``UpdatedDateUTCString`` of a moment."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_moment(value: Any) -> datetime:
    """A moment from ``/Date(ms)/``, ``/Date(ms+0000)/``, an ISO date or an ISO time (UTC where it has no zone).

    Raises ValueError for anything else.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a date")
    found = _MS_DATE.match(value.strip())
    if found:
        return _EPOCH + timedelta(milliseconds=int(found[1]))
    moment = datetime.fromisoformat(value.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_day(value: Any) -> date:
    """A calendar date. The milliseconds form counts in UTC; an ISO time keeps the date that is written.

    Raises ValueError for anything that is no date.
    """
    moment = parse_moment(value)
    return moment.astimezone(UTC).date() if _MS_DATE.match(str(value).strip()) else moment.date()


def parse_since(value: str) -> datetime:
    """If-Modified-Since in any form that clients send; Xero works to the second. Raises ValueError."""
    try:
        moment = parse_moment(value)
    except ValueError:
        moment = parsedate_to_datetime(value)
    return moment.replace(microsecond=0)


def switch(value: Any) -> bool:
    """``true``, ``True`` and ``1`` are true; everything else is false."""
    return str(value).strip().lower() in {"true", "1"}


def comma_list(value: str | None) -> list[str]:
    """The parts of ``a,b``, without the empty ones."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def amount(value: Any) -> Decimal:
    """A number from JSON as Decimal. Raises ValueError for text that is no number, NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not number.is_finite() or abs(number) >= _TOO_LARGE:
        raise ValueError(f"{value!r} is not a number that can be kept")
    return number


def cents(value: Decimal) -> Decimal:
    """Rounded to two decimals. Half goes up: Xero's own rounding mode is not documented."""
    return value.quantize(CENT, ROUND_HALF_UP)


def is_guid(value: Any) -> bool:
    """Whether it looks like one of Xero's identifiers."""
    return isinstance(value, str) and bool(_GUID.match(value.strip()))


def guid(value: str) -> str:
    """An identifier in its usual writing: lower case, with dashes."""
    digits = re.sub(r"[{}-]", "", value.strip().lower())
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def fold(value: str) -> str:
    """Text as Xero's own comparisons see it: without case."""
    return value.strip().casefold()


def fold_accents(value: str) -> str:
    """Names and emails are found without case and without accents."""
    parts = unicodedata.normalize("NFKD", value.strip().casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))


def dump(value: Any) -> bytes:
    """JSON bytes; Decimals become JSON numbers."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode("utf-8", "replace")


def parse(body: bytes) -> Any:
    """JSON with the constants refused that JSON does not have. Raises ValueError."""
    return json.loads(body, parse_constant=_no_constant)


def without_nulls(value: Any) -> Any:
    """Xero leaves out what has no value; it never answers null."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
