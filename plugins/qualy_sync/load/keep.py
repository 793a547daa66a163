"""Keeping what was planned or answered: outcomes and links, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger.attempts import Link, put_links
from qualy_sync.ledger.outcomes import Verdict, current_of, record
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Key, Planned, Terms

from .work import Work


def verdict_of(planned: Planned, outcome: Outcome, retry_at: datetime | None = None) -> Verdict:
    return Verdict(
        kind=str(planned.kind),
        leg=str(planned.leg),
        source_id=planned.source_id,
        owner=planned.owner,
        payment_id=planned.payment_id,
        amount=planned.amount,
        currency=planned.currency,
        month=planned.month,
        source_hash=planned.source_hash,
        outcome=outcome,
        retry_at=retry_at or planned.retry_at,
    )


def keep_planned(work: Work, terms: Terms, planned: Iterable[Planned]) -> int:
    """Keeps a plan: outcomes at once, links without a write, and `its_turn` for what is to be sent."""
    everything = list(planned)
    turn = terms.say(Code.ITS_TURN, why="not sent yet")
    with work.ledger.writing() as connection:
        put_links(connection, work.book, [one.link for one in everything if one.link is not None])
        return record(
            connection,
            work.book,
            work.run,
            work.tool.id,
            terms.settings.version,
            [verdict_of(one, one.outcome or turn) for one in everything],
        )


def keep_results(
    connection: sa.Connection,
    work: Work,
    results: Mapping[Key, Outcome],
    links: Sequence[Link] = (),
    retry_at: datetime | None = None,
) -> None:
    """Keeps what became of steps whose current outcome stands in the ledger already."""
    put_links(connection, work.book, links)
    current = current_of(connection, work.book, [source_id for _, source_id in results])
    verdicts = [_again(current[key], outcome, retry_at) for key, outcome in results.items() if key in current]
    record(connection, work.book, work.run, work.tool.id, work.settings.version, verdicts)


def _again(row: sa.Row[Any], outcome: Outcome, retry_at: datetime | None) -> Verdict:
    return Verdict(
        kind=row.kind,
        leg=row.leg,
        source_id=row.source_id,
        owner=row.owner,
        payment_id=row.payment_id,
        amount=row.amount,
        currency=row.currency,
        month=row.month,
        source_hash=row.source_hash,
        outcome=outcome,
        retry_at=retry_at,
    )
