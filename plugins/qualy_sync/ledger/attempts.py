"""Attempts and links: what was sent, what is known of its fate, and which remote record stands for which leg."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import What
from qualy_sync.model import Leg

from .engine import Ledger, db_now, upsert
from .schema import LEGS, attempt_steps, attempts, links

BODY_KEPT = timedelta(days=30)
_DONE = ("created", "changed", "voided", "removed", "unknown", "found")


def step_key(leg: str, source_id: str, variant: str = "") -> tuple[str, ...]:
    """What names a step among those of a book: leg and Qualy id, and the variant where there is one."""
    return (leg, source_id, variant) if variant else (leg, source_id)


@dataclass(frozen=True, slots=True)
class Link:
    """The remote record that stands for a leg, and what was agreed when it was linked."""

    leg: str
    source_id: str
    variant: str
    generation: int
    remote_id: str
    ref: str
    how: str
    source_hash: str
    content_hash: str
    facts: Mapping[str, Any]
    settings_version: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of an attempt as it is remembered."""

    leg: str
    source_id: str
    variant: str
    generation: int
    ref: str
    sought: str
    source_hash: str
    content_hash: str
    settings_version: str
    frozen: Mapping[str, Any]
    seen: Mapping[str, Any]
    amount: int
    currency: str
    what: str = ""
    verb: str = "create"

    @property
    def key(self) -> tuple[str, ...]:
        return step_key(self.leg, self.source_id, self.variant)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep(StepRow):
    """A step whose fate is not known yet; `ticket` where the tool took it and answers when asked by that."""

    id: int
    attempt: int
    ticket: str
    absent_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """A call whose fate is not known yet, with the steps that are still open."""

    id: int
    what: str
    key: str
    epoch: int
    body: bytes
    committed_at: datetime
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    ended_at: datetime | None
    fate: str | None
    steps: tuple[OpenStep, ...]


def kind_of_step(step: StepRow | sa.Row[Any]) -> What:
    """The kind of thing a step is about: as it was noted, else (before that was) by its leg."""
    if step.what:
        return What(step.what)
    by_leg = {Leg.CONTACT: What.CONTACT, Leg.SUPPLIER: What.CONTACT, Leg.SETTLEMENT: What.SETTLEMENT}
    return by_leg.get(Leg(step.leg)) or What(step.frozen["what"])


class StepTaken(Exception):
    """Another attempt at one of these steps is open: nothing was committed and nothing may be sent."""


def commit_attempt(
    connection: sa.Connection,
    ledger: Ledger,
    book: int,
    run: int,
    epoch: int,
    what: str,
    key: str,
    body: bytes,
    body_hash: str,
    steps: Sequence[StepRow],
) -> int:
    """Writes an attempt and its steps inside the caller's transaction. Raises StepTaken where one is open already."""
    now = db_now(connection)
    attempt = connection.execute(
        sa.insert(attempts)
        .values(
            book=book,
            run=run,
            what=what,
            key=key,
            body=ledger.seal(body),
            body_hash=body_hash,
            epoch=epoch,
            committed_at=now,
        )
        .returning(attempts.c.id)
    ).scalar_one()
    rows = [
        {name: getattr(step, name) for name in StepRow.__dataclass_fields__}
        | {"attempt": attempt, "book": book, "open": True, "at": now}
        for step in steps
    ]
    try:
        connection.execute(sa.insert(attempt_steps), rows)
    except sa.exc.IntegrityError as error:
        raise StepTaken("A step of this batch is being sent by another process.") from error
    return int(attempt)


def mark_sent(ledger: Ledger, attempt: int) -> None:
    """Notes the moment of a further send, before it. The first one followed the commit, so that it counts from there:
    otherwise a key would seem younger than it is, and a search would begin too late."""
    with ledger.writing() as connection:
        connection.execute(
            sa.update(attempts)
            .where(attempts.c.id == attempt)
            .values(
                last_sent_at=db_now(connection),
                first_sent_at=sa.func.coalesce(attempts.c.first_sent_at, attempts.c.committed_at),
            )
        )


def end_attempt(connection: sa.Connection, attempt: int, fate: str, note: str = "") -> None:
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.id == attempt)
        .values(fate=fate, note=note[:2000], ended_at=db_now(connection))
    )


def close_steps(connection: sa.Connection, attempt: int, refs: Iterable[str] | None, fate: str) -> None:
    """Closes steps of an attempt by ref (None: all that are open)."""
    where = [attempt_steps.c.attempt == attempt, attempt_steps.c.open]
    if refs is not None:
        where.append(attempt_steps.c.ref.in_(list(refs)))
    connection.execute(sa.update(attempt_steps).where(*where).values(open=False, fate=fate))


def note_ticket(connection: sa.Connection, attempt: int, ref: str, ticket: str) -> None:
    """Keeps the ticket of a step that the tool took and makes later: the step stays open."""
    where = (attempt_steps.c.attempt == attempt, attempt_steps.c.open, attempt_steps.c.ref == ref)
    connection.execute(sa.update(attempt_steps).where(*where).values(ticket=ticket))


def note_absent(connection: sa.Connection, step: int) -> None:
    connection.execute(sa.update(attempt_steps).where(attempt_steps.c.id == step).values(absent_at=db_now(connection)))


def take_over(connection: sa.Connection, attempt: int) -> None:
    """A successor found it: its process is gone. What it may have sent counts as sent now, so that Q starts here."""
    now = db_now(connection)
    connection.execute(
        sa.update(attempts).where(attempts.c.id == attempt).values(fate="unknown", ended_at=now, last_sent_at=now)
    )


def open_attempts(ledger: Ledger, book: int, attempt: int | None = None) -> list[OpenAttempt]:
    """Every attempt with an open step (or just the one named), oldest first, its body unsealed."""
    where = [attempt_steps.c.book == book, attempt_steps.c.open]
    if attempt is not None:
        where.append(attempt_steps.c.attempt == attempt)
    with ledger.reading() as connection:
        steps = connection.execute(
            sa.select(attempt_steps).where(*where).order_by(attempt_steps.c.attempt, attempt_steps.c.id)
        ).all()
        heads = connection.execute(sa.select(attempts).where(attempts.c.id.in_({row.attempt for row in steps}))).all()
    by_attempt: dict[int, list[OpenStep]] = {}
    for row in steps:
        value = {name: row._mapping[name] for name in OpenStep.__dataclass_fields__}
        by_attempt.setdefault(row.attempt, []).append(OpenStep(**value))
    return [
        OpenAttempt(
            id=head.id,
            what=head.what,
            key=head.key,
            epoch=head.epoch,
            body=ledger.unseal(head.body) if head.body else b"",
            committed_at=head.committed_at,
            first_sent_at=head.first_sent_at,
            last_sent_at=head.last_sent_at,
            ended_at=head.ended_at,
            fate=head.fate,
            steps=tuple(by_attempt[head.id]),
        )
        for head in sorted(heads, key=lambda head: int(head.id))
    ]


def steps_on(
    connection: sa.Connection, book: int, source_ids: Sequence[str]
) -> dict[tuple[str, ...], list[sa.Row[Any]]]:
    """Every attempt step ever made per `step_key`, oldest first."""
    found: dict[tuple[str, ...], list[sa.Row[Any]]] = {}
    wanted = sorted(set(source_ids))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(attempt_steps)
            .where(
                attempt_steps.c.book == book,
                attempt_steps.c.leg.in_(LEGS),
                attempt_steps.c.source_id.in_(wanted[start : start + 500]),
            )
            .order_by(attempt_steps.c.id)
        )
        for row in rows:
            found.setdefault(step_key(row.leg, row.source_id, row.variant), []).append(row)
    return found


def links_on(connection: sa.Connection, book: int, source_ids: Sequence[str]) -> dict[tuple[str, ...], Link]:
    """Links per `step_key`."""
    found: dict[tuple[str, ...], Link] = {}
    wanted = sorted(set(source_ids))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(links).where(
                links.c.book == book, links.c.leg.in_(LEGS), links.c.source_id.in_(wanted[start : start + 500])
            )
        )
        for row in rows:
            found[step_key(row.leg, row.source_id, row.variant)] = _link(row)
    return found


def links_to(connection: sa.Connection, book: int, remote_ids: Sequence[str]) -> dict[str, list[Link]]:
    """Links per remote id."""
    found: dict[str, list[Link]] = {}
    wanted = sorted(set(remote_ids))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(links).where(links.c.book == book, links.c.remote_id.in_(wanted[start : start + 500]))
        )
        for row in rows:
            found.setdefault(row.remote_id, []).append(_link(row))
    return found


def links_with_ref(connection: sa.Connection, book: int, refs: Sequence[str]) -> list[Link]:
    """Links by the ref that their records carry."""
    found: list[Link] = []
    wanted = sorted(set(refs))
    for start in range(0, len(wanted), 500):
        where = (links.c.book == book, links.c.ref.in_(wanted[start : start + 500]))
        found += [_link(row) for row in connection.execute(sa.select(links).where(*where))]
    return found


def _link(row: sa.Row[Any]) -> Link:
    return Link(**{name: row._mapping[name] for name in Link.__dataclass_fields__})


def put_links(connection: sa.Connection, book: int, rows: Sequence[Link]) -> None:
    values = [{name: getattr(row, name) for name in Link.__dataclass_fields__} | {"book": book} for row in rows]
    upsert(connection, links, values, keys=("book", "leg", "source_id", "variant"))


def sent_since(connection: sa.Connection, book: int, since: datetime) -> tuple[int, dict[str, int]]:
    """What the breaker counts: creates, changes and voids sent since a moment, and amounts per currency."""
    rows = connection.execute(
        sa.select(attempt_steps.c.currency, sa.func.count(), sa.func.sum(attempt_steps.c.amount))
        .where(
            attempt_steps.c.book == book,
            attempt_steps.c.at >= since,
            sa.or_(attempt_steps.c.fate.is_(None), attempt_steps.c.fate.in_(_DONE)),
        )
        .group_by(attempt_steps.c.currency)
    ).all()
    return sum(row[1] for row in rows), {row[0]: int(row[2] or 0) for row in rows if row[0]}


def forget_bodies(ledger: Ledger) -> None:
    """Sent bodies expire."""
    with ledger.writing() as connection:
        connection.execute(
            sa.update(attempts).where(attempts.c.committed_at < db_now(connection) - BODY_KEPT).values(body=None)
        )
