"""The month's end: can it be closed, what stands in the way, and what was written into it since the last report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from qualy_sync.ledger.queries import rows
from qualy_sync.outcomes import Code
from qualy_sync.reconcile import Column, Completeness, Line

from . import words
from .values import Head, Month, Written

_KINDS = {
    "payment-intents": "payment",
    "payment-splits": "split",
    "transactions": "receipt",
    "split-intents": "pay-out",
}
_WRITTEN = tuple(map(str, (Code.CREATED, Code.PAID, Code.ADOPTED, Code.SETTLED_THERE, Code.CREDITED, Code.OVERPAID)))
_WAITS = {
    Column.DRAFT: "in draft",
    Column.HELD: "held",
    Column.REFUSED: "refused",
    Column.UNKNOWN: "not settled",
}


def months(lines: Sequence[Line], head: Head, differences: int, proof: Completeness) -> list[Month]:
    """Each accounting month with records, the newest first."""
    general = []
    if differences:
        general.append(f"{words.records(differences, 'difference')} between Qualy and {head.tool}")
    if not proof.proved:
        general.append("the completeness proof fails")
    homeless = sum(line.records for line in lines if not line.month and line.waiting)
    if homeless:
        general.append(f"{words.records(homeless)} without an accounting month, which may belong to it")
    found = sorted({line.month for line in lines if line.month}, reverse=True)
    return [_month(month, [line for line in lines if line.month == month], head, general) for month in found]


def written(connection: sa.Connection, book: int, since: datetime, lock: date | None) -> list[Written]:
    """What was linked since a moment, by the accounting month that it belongs to."""
    return [
        Written(
            month=row.month,
            leg=row.leg,
            currency=row.currency,
            how=row.how,
            records=row.records,
            amount=row.amount,
            behind_lock=bool(lock and row.month and last_day(row.month) <= lock),
        )
        for row in rows(connection, "report.written_since", book=book, since=since, written=_WRITTEN)
    ]


def last_day(month: str) -> date:
    """The last day of a month given as 2026-05."""
    day = date.fromisoformat(f"{month}-28") + timedelta(days=4)
    return day - timedelta(days=day.day)


def _month(month: str, lines: Sequence[Line], head: Head, general: Sequence[str]) -> Month:
    obstacles: list[str] = []
    for line in lines:
        if line.difference:
            noun = f"{_KINDS.get(line.kind, line.kind)}s"
            obstacles.append(f"{words.amount(line.difference, line.currency)} of {noun} unexplained")
    for column, word in _WAITS.items():
        for kind, noun in _KINDS.items():
            here = [line for line in lines if line.kind == kind and line.counts[column]]
            if here:
                money = words.amounts({line.currency: line.amounts[column] for line in here})
                count = words.records(sum(line.counts[column] for line in here), noun)
                obstacles.append(f"{count} {word} ({money})")
    state = _state(month, head, bool(obstacles or general))
    return Month(month, state, tuple(obstacles) if state == "locked" else (*obstacles, *general))


def _state(month: str, head: Head, obstructed: bool) -> str:
    last = last_day(month)
    if head.lock_date and last <= head.lock_date:
        return "locked"
    if last >= head.today:
        return "running"
    return "open" if obstructed else "closable"
