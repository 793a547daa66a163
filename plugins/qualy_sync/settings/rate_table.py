"""The user's dated exchange rates: a CSV file with the columns date, currency, rate and source.

A rate is base units per one foreign unit: with AUD as base, `2026-03-02,USD,1.5432,RBA` says that one US dollar is
1.5432 Australian ones.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from .problems import Problem
from .types import currencies

COLUMNS = ("date", "currency", "rate", "source")
LONGEST_SOURCE = 60
_RATE = re.compile(r"\d{1,9}(\.\d{1,10})?")


@dataclass(frozen=True, slots=True)
class DatedRate:
    """Base units per one foreign unit, as of a day, and who says so."""

    day: date
    rate: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates by currency, in order of their days."""

    rates: Mapping[str, tuple[DatedRate, ...]] = field(default_factory=dict)

    def on(self, currency: str, day: date, carry_days: int) -> DatedRate | None:
        """The rate of a day, or the newest one that is at most `carry_days` older."""
        earliest = day - timedelta(days=carry_days)
        known = [rate for rate in self.rates.get(currency, ()) if earliest <= rate.day <= day]
        return known[-1] if known else None

    def gaps(self, currency: str, carry_days: int) -> Iterator[tuple[date, date]]:
        """Spans of days, inside the table's own, that have no rate."""
        mine = self.rates.get(currency, ())
        for before, after in pairwise(mine):
            first = before.day + timedelta(days=carry_days + 1)
            if first < after.day:
                yield first, after.day - timedelta(days=1)


def read_rates(path: Path) -> tuple[RateTable, list[Problem]]:
    """The table in a file, and every mistake in it with its line."""
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        return RateTable(), [Problem(file, None, "", "cannot be read; accounting.currencies.table names it")]
    except UnicodeDecodeError:
        return RateTable(), [Problem(file, None, "", "is not UTF-8 text; save it as CSV UTF-8")]
    lines = csv.reader(text.splitlines())
    head = tuple(name.strip().lower() for name in next(lines, []))
    if head != COLUMNS:
        return RateTable(), [Problem(file, 1, "", f"its first line must be {','.join(COLUMNS)}")]
    problems: list[Problem] = []
    seen: dict[tuple[str, date], int] = {}
    found: dict[str, list[DatedRate]] = {}
    for row in lines:
        if not any(cell.strip() for cell in row):
            continue
        try:
            currency, dated = _row([cell.strip() for cell in row])
        except ValueError as error:
            problems.append(Problem(file, lines.line_num, "", str(error)))
            continue
        first = seen.setdefault((currency, dated.day), lines.line_num)
        if first != lines.line_num:
            said = f"gives {currency} on {dated.day} a second rate; line {first} has one already"
            problems.append(Problem(file, lines.line_num, "", said))
        found.setdefault(currency, []).append(dated)
    ordered = {name: tuple(sorted(some, key=lambda rate: rate.day)) for name, some in found.items()}
    return RateTable(ordered), problems


def _row(cells: list[str]) -> tuple[str, DatedRate]:
    """Raises ValueError with a sentence for the user."""
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} columns; {','.join(COLUMNS)} are expected")
    day, currency, rate, source = cells
    if currency not in currencies():
        raise ValueError(f"{currency!r} is not a currency code of ISO 4217, in capitals, such as USD")
    if not source or len(source) > LONGEST_SOURCE or not source.isprintable():
        raise ValueError(f"names no source of at most {LONGEST_SOURCE} characters; say where the rate is from")
    if not _RATE.fullmatch(rate) or not Decimal(rate):
        raise ValueError(f"{rate!r} is not a rate; digits with a decimal point, above 0, such as 1.5432")
    return currency, DatedRate(_day(day), Decimal(rate), source)


def _day(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a day; write 2026-01-31")
