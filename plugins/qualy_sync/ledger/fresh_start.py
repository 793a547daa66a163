"""A fresh start: the books that are kept are ended, on purpose, so that another tool or organisation may follow.

Nothing is forgotten: links, outcomes and decisions stay with the book that they belong to, and the tool keeps what was
written. The next organisation begins with nothing linked, and with a preview that has to be confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from .engine import Ledger, LedgerError, db_now
from .schema import attempt_steps, books, confirmations, facts, links


@dataclass(frozen=True, slots=True)
class Ending:
    """What a fresh start would leave behind: linked records by leg, and what was sent and is not answered."""

    linked: dict[str, int]
    unanswered: int


def what_ends(ledger: Ledger, book: int) -> Ending:
    with ledger.reading() as connection:
        rows = connection.execute(
            sa.select(links.c.leg, sa.func.count()).where(links.c.book == book).group_by(links.c.leg)
        )
        return Ending({row[0]: int(row[1]) for row in rows}, _unanswered(connection, book))


def end_book(ledger: Ledger, book: int, by: str, why: str) -> None:
    """Ends a book. Raises LedgerError while something was sent whose fate is not known: it would be forgotten."""
    with ledger.writing() as connection:
        unanswered = _unanswered(connection, book)
        if unanswered:
            raise LedgerError(
                f"{unanswered} records were sent and not answered. Let a run settle them first (bin/qualy sync"
                " accounting): a fresh start would forget them."
            )
        connection.execute(
            sa.update(books)
            .where(books.c.id == book, books.c.ended_at.is_(None))
            .values(ended_at=db_now(connection), ended_by=by, ended_why=why)
        )


def reopen(connection: sa.Connection, book: int) -> None:
    """Goes on with a book that was ended: as after a lost ledger, its next plan has to be looked at and confirmed."""
    connection.execute(sa.update(books).where(books.c.id == book).values(ended_at=None, ended_by=None, ended_why=None))
    connection.execute(sa.delete(facts).where(facts.c.book == book, facts.c.name == "opened"))
    connection.execute(sa.delete(confirmations).where(confirmations.c.book == book, ~confirmations.c.standing))


def _unanswered(connection: sa.Connection, book: int) -> int:
    where = (attempt_steps.c.book == book, attempt_steps.c.open)
    return int(connection.scalar(sa.select(sa.func.count()).where(*where)) or 0)
