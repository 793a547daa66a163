"""QuickBooks' wire formats: JSON, amounts, days, timestamps with an offset. Pure functions."""

from __future__ import annotations

import json
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")
_TOO_LARGE = Decimal(10) ** 12
_SERVERS = ZoneInfo("America/Los_Angeles")


def dump(value: Any) -> bytes:
    """JSON bytes; Decimals become JSON numbers."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode("utf-8", "replace")


def parse(body: bytes | str) -> Any:
    """JSON with fractions as Decimal; NaN and infinity are refused. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)


def plain(value: Any) -> Any:
    """The same as plain JSON would hold it: no Decimal."""
    return json.loads(dump(value))


def stamp(moment: datetime) -> str:
    """A moment as MetaData has it: to the second, in the time of Intuit's servers, with the offset."""
    return moment.astimezone(_SERVERS).isoformat(timespec="seconds")


def answer_time(moment: datetime) -> str:
    """A moment as the ``time`` of an answer has it: to the millisecond, with the offset."""
    return moment.astimezone(_SERVERS).isoformat(timespec="milliseconds")


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """An ISO day or time; one without an offset is in ``zone``. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def parse_day(value: Any) -> date:
    """A calendar day; of a longer text only the day counts. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a date")
    return date.fromisoformat(value.strip()[:10])


def amount(value: Any) -> Decimal:
    """A number, also one written as text. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not number.is_finite() or abs(number) >= _TOO_LARGE:
        raise ValueError(f"{value!r} is not a number that can be kept")
    return number


def cents(value: Decimal) -> Decimal:
    """Rounded to two decimals, half up: the documents do not say how QuickBooks rounds."""
    return value.quantize(CENT, ROUND_HALF_UP)


def money(doc: dict[str, Any], field: str) -> Decimal:
    """An amount of a kept document; absent is zero."""
    return amount(doc.get(field) or 0)


def switch(value: Any) -> bool:
    """``true`` and ``"true"`` are true."""
    return str(value).strip().lower() == "true"


def fold(value: Any) -> str:
    """Text as QuickBooks compares it: without case."""
    return str(value).strip().casefold()


def ref(doc: dict[str, Any], field: str) -> str:
    """The id that a reference of a kept document names; empty where there is none."""
    return str((doc.get(field) or {}).get("value", ""))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
