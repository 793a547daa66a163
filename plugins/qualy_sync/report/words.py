"""Numbers, dates and amounts as people read them. English."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from qualy_sync.model import to_decimal

LOCALE = "en"
_MONEY = "¤¤ #,##0.00;¤¤ -#,##0.00"
_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b(?!T)")


def amount(minor: int, currency: str) -> str:
    """An amount with its currency, in the currency's own number of digits: AUD 34,250.00, JPY 5,000."""
    if not currency:
        return number(minor)
    return format_currency(to_decimal(minor, currency), currency, format=_MONEY, locale=LOCALE).replace("\xa0", " ")


def amounts(sums: Mapping[str, int]) -> str:
    """Amounts of several currencies side by side; never one sum."""
    return ", ".join(amount(minor, currency) for currency, minor in sorted(sums.items()) if currency)


def bare(minor: int, currency: str) -> str:
    """An amount without its currency, for a column that names it."""
    return amount(minor, currency).removeprefix(currency).strip() if currency else number(minor)


def number(value: int) -> str:
    return format_decimal(value, locale=LOCALE)


def records(count: int, noun: str = "record") -> str:
    """1 record, 12 records."""
    return f"{number(count)} {noun if count == 1 else noun + 's'}"


@lru_cache(maxsize=4096)
def day(value: date) -> str:
    """31 May 2026."""
    return format_date(value, "d MMMM y", locale=LOCALE)


def month(value: str) -> str:
    """May 2026, from 2026-05; *no month yet* where there is none."""
    if not value:
        return "no month yet"
    return format_date(date.fromisoformat(f"{value}-01"), "MMMM y", locale=LOCALE)


def moment(value: datetime, zone: tzinfo) -> str:
    """15 July 2026, 09:05."""
    return format_datetime(value.astimezone(zone), "d MMMM y, HH:mm", locale=LOCALE)


def age(since: datetime, now: datetime) -> str:
    """How long something lasts: *today*, *1 day*, *12 days*."""
    days = max(now - since, timedelta(0)).days
    return "under a day" if days == 0 else "1 day" if days == 1 else f"{number(days)} days"


def days_in_words(text: str) -> str:
    """The text with its ISO dates in words; one that is no day stays as it is."""
    if "-" not in text:
        return text

    def spoken(found: re.Match[str]) -> str:
        try:
            return day(date.fromisoformat(found[0]))
        except ValueError:
            return found[0]

    return _DAY.sub(spoken, text)


def short_month(value: str) -> str:
    """May 26, from 2026-05."""
    return format_date(date.fromisoformat(f"{value}-01"), "MMM yy", locale=LOCALE)


def listing(parts: Sequence[str]) -> str:
    """*a*, *a and b*, *a, b and c*."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
