"""The gate: the first run's confirmation and the breaker, checked in the transaction that commits an attempt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.attempts import sent_since
from qualy_sync.ledger.engine import db_now, upsert
from qualy_sync.ledger.schema import confirmation_steps, confirmations, current_outcomes, facts
from qualy_sync.model import Money, to_minor
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Planned, Step, Terms, fingerprint

STANDING = "standing"
DAY = timedelta(hours=24)


def check_gate(connection: sa.Connection, book: int, terms: Terms, steps: Sequence[Step]) -> list[Outcome | None]:
    """Per step: None where it may be sent, else the outcome that holds it."""
    if terms.organisation.stand_in and _standing(connection, book):
        return [None] * len(steps)
    confirmed = _confirmed(connection, book, steps)
    first_run = terms.accounting.gate.confirm_first_run or not terms.organisation.stand_in
    opened = not first_run or _is_open(connection, book)
    breaker = _breaker(connection, book, terms, steps)
    verdicts: list[Outcome | None] = []
    for step in steps:
        if (str(step.leg), step.source_id, step.content_hash) in confirmed:
            verdicts.append(None)
        elif not opened:
            verdicts.append(terms.say(Code.NOT_CONFIRMED))
        else:
            verdicts.append(breaker)
    return verdicts


def plan_hash(planned: Iterable[Planned]) -> tuple[str, list[tuple[str, str, str]]]:
    """The hash that names a plan: its set of (step, content), without remote ids or lock state."""
    steps = sorted(
        (str(one.step.leg), one.step.source_id, one.step.content_hash) for one in planned if one.step is not None
    )
    return fingerprint(steps)[:12], steps


def offer(ledger: Ledger, book: int, name: str, steps: Sequence[tuple[str, str, str]]) -> None:
    """Keeps what a preview showed, so that its hash can be confirmed."""
    with ledger.writing() as connection:
        known = connection.execute(
            sa.select(confirmations.c.hash).where(confirmations.c.hash == name, confirmations.c.book == book)
        ).first()
        if known is None:
            connection.execute(
                sa.insert(confirmations).values(hash=name, book=book, standing=False, offered_at=db_now(connection))
            )
        rows = [
            {"hash": name, "book": book, "leg": leg, "source_id": source_id, "content_hash": content}
            for leg, source_id, content in steps
        ]
        upsert(connection, confirmation_steps, rows, keys=("hash", "book", "leg", "source_id", "content_hash"))


def confirm(ledger: Ledger, book: int, name: str, by: str) -> bool:
    """Confirms what a preview offered under this hash. False where there is no such offer."""
    with ledger.writing() as connection:
        done = connection.execute(
            sa.update(confirmations)
            .where(confirmations.c.hash == name, confirmations.c.book == book, ~confirmations.c.standing)
            .values(by=by, confirmed_at=db_now(connection))
        )
        return done.rowcount == 1


def confirm_standing(connection: sa.Connection, book: int) -> None:
    """Confirms everything, for a stand-in organisation only (`check_gate` looks)."""
    now = db_now(connection)
    row = {"hash": STANDING, "book": book, "standing": True, "by": "make run", "confirmed_at": now, "offered_at": now}
    upsert(connection, confirmations, row, keys=("hash", "book"))


def open_gate(ledger: Ledger, book: int) -> None:
    """The first run went through under a confirmation: later runs are the breaker's alone.

    Not while something waits for a confirmation: a later, larger plan is not covered by an earlier one.
    """
    with ledger.writing() as connection:
        where = (current_outcomes.c.book == book, current_outcomes.c.code == Code.NOT_CONFIRMED)
        if connection.execute(sa.select(current_outcomes.c.leg).where(*where).limit(1)).first() is not None:
            return
        some = connection.execute(
            sa.select(confirmations.c.hash).where(
                confirmations.c.book == book, confirmations.c.confirmed_at.is_not(None), ~confirmations.c.standing
            )
        ).first()
        if some is not None:
            row = {"book": book, "name": "opened", "value": {}, "read_at": db_now(connection)}
            upsert(connection, facts, row, keys=("book", "name"))


def close_gate(connection: sa.Connection, book: int) -> None:
    """The ledger was lost or restored: the tool holds records of ours that it knows nothing of. Look before writing."""
    connection.execute(sa.delete(facts).where(facts.c.book == book, facts.c.name == "opened"))


def _standing(connection: sa.Connection, book: int) -> bool:
    where = (confirmations.c.book == book, confirmations.c.standing)
    return connection.execute(sa.select(confirmations.c.hash).where(*where)).first() is not None


def _is_open(connection: sa.Connection, book: int) -> bool:
    where = (facts.c.book == book, facts.c.name == "opened")
    return connection.execute(sa.select(facts.c.name).where(*where)).first() is not None


def _confirmed(connection: sa.Connection, book: int, steps: Sequence[Step]) -> set[tuple[str, str, str]]:
    rows = connection.execute(
        sa.select(confirmation_steps.c.leg, confirmation_steps.c.source_id, confirmation_steps.c.content_hash)
        .join(
            confirmations,
            sa.and_(
                confirmations.c.hash == confirmation_steps.c.hash, confirmations.c.book == confirmation_steps.c.book
            ),
        )
        .where(
            confirmation_steps.c.book == book,
            confirmations.c.confirmed_at.is_not(None),
            confirmation_steps.c.leg.in_({str(step.leg) for step in steps}),
            confirmation_steps.c.source_id.in_([step.source_id for step in steps]),
        )
    )
    return {(row.leg, row.source_id, row.content_hash) for row in rows}


def _breaker(connection: sa.Connection, book: int, terms: Terms, steps: Sequence[Step]) -> Outcome | None:
    """More creates, or more money, in 24 hours than the settings allow."""
    limits = terms.accounting.gate.breaker
    count, amounts = sent_since(connection, book, db_now(connection) - DAY)
    if count + len(steps) > limits.max_creates_24h:
        problem = f"{count + len(steps)} creates in 24 hours, the limit is {limits.max_creates_24h}"
        return terms.say(Code.MASS_CHANGE, "creates", problem=problem)
    for step in steps:
        if step.currency:
            amounts[step.currency] = amounts.get(step.currency, 0) + step.amount
    for currency, limit in limits.max_amount_24h.items():
        allowed = to_minor(Decimal(limit), currency)
        if amounts.get(currency, 0) > allowed:
            problem = f"{Money(amounts[currency], currency)} in 24 hours, the limit is {Money(allowed, currency)}"
            return terms.say(Code.MASS_CHANGE, currency, problem=problem)
    return None
