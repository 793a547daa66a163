"""An HTTP answer as the connectors judge it, its JSON with exact numbers, and how long it asks to wait. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """One HTTP answer: header names in lower case, the body whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def loads(body: bytes) -> Any:
    """JSON with its numbers as int and Decimal, never float. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def retry_after(said: str, now: datetime, most: timedelta) -> datetime | None:
    """Until when a `Retry-After` asks to wait (seconds, or a date), at most so long; None where it cannot be read."""
    said = said.strip()
    if said.isascii() and said.isdigit():
        return now + (min(timedelta(seconds=int(said)), most) if len(said) < 10 else most)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return min(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC), now + most)


def says_stand_in(heard: Heard, known: bool | None) -> bool | None:
    """Whether a stand-in answers: each of its answers says so. `known` before this one; None: not known yet."""
    if "x-sandbox" in heard.headers:
        return True
    return False if known is None and heard.status < 300 else known


def count(heard: Heard, name: str) -> int | None:
    """The whole number in a header, such as the calls that are left; None where there is none."""
    value = heard.headers.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
