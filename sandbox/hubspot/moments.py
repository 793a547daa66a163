"""Moments as HubSpot writes and reads them; inside, milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 86_400_000


def stamp(milliseconds: int) -> str:
    """ISO 8601 with ``Z``; the fraction is left out when it is zero."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    fraction = milliseconds % 1000
    return f"{moment:%Y-%m-%dT%H:%M:%S}{f'.{fraction:03d}' if fraction else ''}Z"


def moment_of(text: str) -> int | None:
    """Milliseconds of epoch milliseconds, a day or an ISO moment; None for anything else. Without a zone: UTC."""
    text = text.strip()
    if text.removeprefix("-").isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
