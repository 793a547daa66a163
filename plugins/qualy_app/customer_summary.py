"""What the newest runs came to for customers, tool by tool, in lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.books import CRM
from qualy_sync.ledger.schema import books, current_outcomes
from qualy_sync.outcomes import MEANINGS, Code, Group
from qualy_sync.report import trouble_labels, words
from qualy_sync.report.make import newest_copy

from .crm_tools import CRM_TOOLS
from .summary import UNFINISHED


def customer_lines(ledger: Ledger) -> Iterator[str]:
    """By tool: how many customers are in which state, and what waits for whom. Nothing for a tool never reached."""
    for book in _kept(ledger):
        title = CRM_TOOLS[book.tool].title
        by_group: Counter[Group] = Counter()
        for code, many in _codes(ledger, book.id).items():
            by_group[MEANINGS[code].group] += many
        yield ""
        yield f"Customers in {title}"
        for group in Group:
            if by_group[group]:
                yield f"  {str(group).capitalize():<24}{by_group[group]:>8,}"
        for trouble in trouble_labels(ledger, book.id, title):
            yield f"  {trouble.label}"
            yield f"      {MEANINGS[trouble.code].actor}: {trouble.remedy}"
        with ledger.reading() as connection:
            path = newest_copy(connection, book.id)
        if path:
            yield f"  Report: {path}"


def customer_surprises(ledger: Ledger) -> list[str]:
    """What did not end the way it should, in sentences."""
    return [
        f"{words.records(many)} ended as {code} in {CRM_TOOLS[book.tool].title}."
        for book in _kept(ledger)
        for code, many in sorted(_codes(ledger, book.id).items())
        if code in UNFINISHED
    ]


def _kept(ledger: Ledger) -> list[sa.Row[Any]]:
    where = (books.c.role == CRM, books.c.ended_at.is_(None))
    with ledger.reading() as connection:
        return list(connection.execute(sa.select(books.c.id, books.c.tool).where(*where).order_by(books.c.tool)))


def _codes(ledger: Ledger, book: int) -> dict[Code, int]:
    """How many records have each outcome."""
    counted = sa.select(current_outcomes.c.code, sa.func.count()).where(current_outcomes.c.book == book)
    with ledger.reading() as connection:
        return {Code(row[0]): int(row[1]) for row in connection.execute(counted.group_by(current_outcomes.c.code))}
