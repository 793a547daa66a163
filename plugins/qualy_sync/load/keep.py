"""Keeping what was planned or answered: outcomes and links, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger.attempts import Link, links_on, put_links, steps_on
from qualy_sync.ledger.outcomes import Verdict, current_of, record
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Group, Outcome
from qualy_sync.plan import Key, Planned, Terms
from qualy_sync.plan.values import goes_on

from .gate import close_gate
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
        look_again=goes_on(planned.link),
    )


def keep_planned(work: Work, terms: Terms, planned: Iterable[Planned]) -> int:
    """Keeps a plan: outcomes at once, links without a write, and `its_turn` for what is to be sent."""
    everything = list(planned)
    turn = terms.say(Code.ITS_TURN, why="not sent yet")
    with work.ledger.writing() as connection:
        if _restored(connection, work.book, everything):
            close_gate(connection, work.book)
        put_links(connection, work.book, [one.link for one in everything if one.link is not None])
        return record(
            connection,
            work.book,
            work.run,
            work.tool.id,
            terms.settings.version,
            [verdict_of(one, one.outcome or turn) for one in everything],
        )


def _restored(connection: sa.Connection, book: int, planned: Sequence[Planned]) -> bool:
    """Whether looking first found records with our refs that this ledger never sent: it is older than they are."""
    found = [
        one
        for one in planned
        if one.link is not None
        and one.link.how == "adopted"
        and one.leg not in (Leg.CONTACT, Leg.SUPPLIER)
        and one.outcome is not None
        and one.outcome.code in (Code.ADOPTED, Code.PAID, Code.CREDITED)
    ]
    ids = [one.source_id for one in found]
    linked, sent = links_on(connection, book, ids), steps_on(connection, book, ids)
    return any(one.key not in sent and one.key not in linked for one in found)


def keep_results(
    connection: sa.Connection,
    work: Work,
    results: Mapping[Key, Outcome],
    links: Sequence[Link] = (),
    retry_at: datetime | None = None,
) -> None:
    """Keeps what became of steps whose current outcome stands in the ledger already.

    One whose fate was not known is planned again in the next run, however it was settled: Qualy may have changed since
    it was sent, or a person may have decided.
    """
    put_links(connection, work.book, links)
    covered = _covered(results, links)
    current = current_of(connection, work.book, [source_id for _, source_id in (*results, *covered)])
    going = {(link.leg, link.source_id) for link in links if goes_on(link)}
    verdicts = [
        _again(current[key], outcome, retry_at, goes_on=key in going)
        for key, outcome in results.items()
        if key in current
    ]
    verdicts += [
        _again(current[key], outcome)
        for key, outcome in covered.items()
        if key not in results and key in current and current[key].code == Code.WAITING_FOR
    ]
    record(connection, work.book, work.run, work.tool.id, work.settings.version, verdicts)


def _covered(results: Mapping[Key, Outcome], links: Sequence[Link]) -> dict[Key, Outcome]:
    """Receipts that one settlement stands for besides its own: they are in step as soon as it is."""
    found: dict[Key, Outcome] = {}
    for link in links:
        outcome = results.get((link.leg, link.source_id))
        if outcome is not None and outcome.meaning.group is Group.IN_STEP:
            found |= {(link.leg, source_id): outcome for source_id in link.facts.get("covers", ())}
    return found


def _again(row: sa.Row[Any], outcome: Outcome, retry_at: datetime | None = None, *, goes_on: bool = False) -> Verdict:
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
        look_again=goes_on or row.code in (Code.UNKNOWN, Code.NEEDS_DECISION),
    )
