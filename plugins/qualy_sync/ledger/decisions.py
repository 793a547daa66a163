"""Decisions of people: append-only, and bound to the content they were made on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from .engine import Ledger, db_now
from .outcomes import look_again
from .schema import LEGS, current_outcomes, decisions


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice (`ours`, `theirs`, `link`, `separate`, `ignore`, `again`) by a named person, with the reason."""

    leg: str
    source_id: str
    code: str
    choice: str
    argument: str
    by: str
    reason: str
    source_hash: str
    at: datetime


def decide(
    ledger: Ledger, book: int, leg: str, source_id: str, choice: str, argument: str, by: str, reason: str
) -> bool:
    """Keeps a decision on the record as it is now. False where there is no such record."""
    with ledger.writing() as connection:
        current = connection.execute(
            sa.select(current_outcomes).where(
                current_outcomes.c.book == book,
                current_outcomes.c.leg == leg,
                current_outcomes.c.source_id == source_id,
            )
        ).first()
        if current is None:
            return False
        connection.execute(
            sa.insert(decisions).values(
                book=book,
                leg=leg,
                source_id=source_id,
                code=current.code,
                choice=choice,
                argument=argument,
                by=by,
                reason=reason,
                source_hash=current.source_hash,
                at=db_now(connection),
            )
        )
        look_again(connection, book, [(leg, source_id)])
        return True


def decisions_on(
    connection: sa.Connection, book: int, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, ...], Decision]:
    """The newest decision per (leg, source id)."""
    found: dict[tuple[str, ...], Decision] = {}
    ids = sorted({source_id for _, source_id in keys})
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            sa.select(decisions)
            .where(
                decisions.c.book == book, decisions.c.leg.in_(LEGS), decisions.c.source_id.in_(ids[start : start + 500])
            )
            .order_by(decisions.c.id)
        )
        for row in rows:
            value = {name: row._mapping[name] for name in Decision.__dataclass_fields__}
            found[(row.leg, row.source_id)] = Decision(**value)
    return found
