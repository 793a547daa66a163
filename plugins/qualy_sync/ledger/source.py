"""Writing source records: passes, versions of rows, and what was seen by sweeps.

A row's version is valid from one pass until another. A new version never touches what an earlier pass shows: readers
pin a completed pass, and see the versions that were valid then. At most one pass is open, and it is the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.model import Kind

from .schema import passes, source_rows, source_seen
from .slices import GONE_AFTER

LATELY = 7  # complete sweeps: a week, where one is made each night


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One record as it is stored. `problem` is {"field", "problem"} where it cannot be read."""

    id: str
    hash: str
    content: Mapping[str, Any]
    created_at: datetime | None = None
    final: bool = False
    payment_id: str | None = None
    contact_id: str | None = None
    partner_id: str | None = None
    email: str = ""
    problem: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What a page brought."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Saved) -> Saved:
        return Saved(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


def open_pass(connection: sa.Connection, now: datetime) -> int:
    """The number of the pass that a dead extraction left open, or of a new one."""
    last = connection.execute(sa.select(passes).order_by(passes.c.number.desc()).limit(1)).first()
    if last is not None and last.completed_at is None:
        return int(last.number)
    number = int(last.number) + 1 if last is not None else 1
    connection.execute(sa.insert(passes).values(number=number, started_at=now, sweep=False, counts={}))
    return number


def unfinished_pass(connection: sa.Connection) -> bool:
    """Whether an extraction died, or is at work: the last pass was never completed."""
    return connection.execute(sa.select(passes.c.number).where(passes.c.completed_at.is_(None))).first() is not None


def complete_pass(
    connection: sa.Connection, number: int, now: datetime, counts: Mapping[str, Any], *, sweep: bool
) -> None:
    """Makes the rows of a pass visible. `sweep`: it ended a complete sweep of every kind."""
    connection.execute(
        sa.update(passes)
        .where(passes.c.number == number)
        .values(completed_at=now, counts=dict(counts), sweep=sweep, checked_at=None)
    )


def save_rows(
    connection: sa.Connection, number: int, kind: Kind, rows: Sequence[SourceRow], now: datetime, sweep: int
) -> Saved:
    """Writes a page into the open pass: versions for what is new, changed or back, nothing for what is not."""
    if not rows:
        return Saved()
    latest = {row.id: row for row in rows}  # an id that is there twice: the last one is the newer
    there = _current(connection, kind, list(latest))
    back = {each for each, before in there.items() if (before.missed or 0) >= GONE_AFTER}
    made = [row for row in latest.values() if row.id not in there]
    known = [row for row in latest.values() if row.id in there]
    changed = [row for row in known if there[row.id].hash != row.hash or row.id in back]
    reread = [row for row in known if there[row.id].hash == row.hash and row.id not in back]
    again = [row for row in changed if there[row.id].valid_from == number]
    versions = [row for row in changed if there[row.id].valid_from != number]
    _end(connection, kind, [row.id for row in versions], number)
    _insert(connection, kind, [*made, *versions], number)
    # A row that changed twice within a pass, and one that other settings or another release read otherwise.
    _overwrite(connection, kind, [*again, *(row for row in reread if _read_otherwise(there[row.id], row))])
    _seen(connection, kind, [row.id for row in made], list(there), now, sweep)
    return Saved(len(made), len(changed), len(reread))


def count_absent(connection: sa.Connection, number: int, kind: Kind, sweep: int) -> int:
    """Counts a complete sweep against the records it did not meet; returns how many are gone by that.

    These get a version in the open pass although their content is the same, so that readers look at them anew; they
    get another one when they are met again.
    """
    absent = sa.and_(source_seen.c.kind == kind, source_seen.c.last_sweep < sweep)
    connection.execute(sa.update(source_seen).where(absent).values(missed=source_seen.c.missed + 1))
    gone = sa.select(source_seen.c.id).where(absent, source_seen.c.missed == GONE_AFTER)
    ids = source_rows.c.id.in_(gone)
    before = sa.update(source_rows).where(*_now(kind), ids, source_rows.c.valid_from < number).values(valid_to=number)
    connection.execute(before)
    other = source_rows.alias("other")
    newer = sa.exists().where(other.c.kind == kind, other.c.id == source_rows.c.id, other.c.valid_from == number)
    fixed = {"valid_from": sa.literal(number), "valid_to": sa.null()}
    same = sa.select(*(fixed.get(column.name, column) for column in source_rows.c))
    ended = (source_rows.c.kind == kind, source_rows.c.valid_to == number, ids, ~newer)
    connection.execute(sa.insert(source_rows).from_select(list(source_rows.c.keys()), same.where(*ended)))
    return int(connection.scalar(sa.select(sa.func.count()).select_from(gone.subquery())) or 0)


def vanished_lately(connection: sa.Connection) -> tuple[int, int]:
    """How many records were ever read, and how many of them are gone since at most `LATELY` complete sweeps.

    Not all that were ever lost: what a business deletes over the years is no sign that something is wrong.
    """
    lately = source_seen.c.missed.between(GONE_AFTER, GONE_AFTER + LATELY - 1)
    found = connection.execute(
        sa.select(sa.func.count(), sa.func.count().filter(lately)).select_from(source_seen)
    ).one()
    return int(found[0]), int(found[1])


def count_rows(connection: sa.Connection, kind: Kind) -> tuple[int, int]:
    """How many records of a kind there are, and how many of them can still change."""
    found = connection.execute(
        sa.select(sa.func.count(), sa.func.count().filter(source_rows.c.final.is_(False))).where(*_now(kind))
    ).one()
    return int(found[0]), int(found[1])


def open_ids(connection: sa.Connection, kind: Kind, after: str, many: int) -> list[str]:
    """Ids of records that can still change and that no sweep has missed, `many` at a time in their order."""
    found = connection.scalars(
        sa.select(source_rows.c.id)
        .join(source_seen, sa.and_(source_seen.c.kind == source_rows.c.kind, source_seen.c.id == source_rows.c.id))
        .where(*_now(kind), source_rows.c.final.is_(False), source_rows.c.id > after, source_seen.c.missed == 0)
        .order_by(source_rows.c.id)
        .limit(many)
    )
    return list(found)


def current_ids(connection: sa.Connection, kind: Kind, ids: Sequence[str]) -> Iterator[str]:
    """Which of these ids the ledger knows."""
    yield from _current(connection, kind, ids)


def named_and_unknown(connection: sa.Connection, number: int) -> dict[Kind, set[str]]:
    """What the rows that a pass brought name and the ledger does not have: payments, customers, partners."""
    brought, other = source_rows.alias("brought"), source_rows.alias("other")
    columns = {Kind.PAYMENT: "payment_id", Kind.CUSTOMER: "contact_id", Kind.PARTNER: "partner_id"}
    found: dict[Kind, set[str]] = {}
    for kind, name in columns.items():
        named = brought.c[name]
        known = sa.exists().where(other.c.kind == kind, other.c.id == named, other.c.valid_to.is_(None))
        new = (brought.c.valid_from == number, brought.c.valid_to.is_(None), named.is_not(None), ~known)
        found[kind] = set(connection.scalars(sa.select(named).where(*new).distinct()))
    return found


def _now(kind: Kind) -> tuple[sa.ColumnElement[bool], ...]:
    return source_rows.c.kind == kind, source_rows.c.valid_to.is_(None)


def _current(connection: sa.Connection, kind: Kind, ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
    columns = source_rows.c
    seen = sa.and_(source_seen.c.kind == columns.kind, source_seen.c.id == columns.id)
    found = connection.execute(
        sa.select(columns.id, columns.hash, columns.valid_from, columns.final, columns.problem, source_seen.c.missed)
        .outerjoin(source_seen, seen)
        .where(*_now(kind), columns.id.in_(ids))
    )
    return {row.id: row for row in found}


def _read_otherwise(before: sa.Row[Any], row: SourceRow) -> bool:
    return bool(before.final) != row.final or before.problem != row.problem


def _end(connection: sa.Connection, kind: Kind, ids: Sequence[str], number: int) -> None:
    if ids:
        connection.execute(sa.update(source_rows).where(*_now(kind), source_rows.c.id.in_(ids)).values(valid_to=number))


def _insert(connection: sa.Connection, kind: Kind, rows: Sequence[SourceRow], number: int) -> None:
    if rows:
        connection.execute(
            sa.insert(source_rows),
            [{"kind": kind.value, "valid_from": number, "valid_to": None, **_values(row)} for row in rows],
        )


def _overwrite(connection: sa.Connection, kind: Kind, rows: Sequence[SourceRow]) -> None:
    for row in rows:
        connection.execute(sa.update(source_rows).where(*_now(kind), source_rows.c.id == row.id).values(_values(row)))


def _values(row: SourceRow) -> dict[str, Any]:
    return {name: sa.null() if name == "problem" and value is None else value for name, value in asdict(row).items()}


def _seen(
    connection: sa.Connection, kind: Kind, new: Sequence[str], known: Sequence[str], now: datetime, sweep: int
) -> None:
    if known:
        connection.execute(
            sa.update(source_seen)
            .where(source_seen.c.kind == kind, source_seen.c.id.in_(known))
            .values(last_sweep=sweep, missed=0)
        )
    if new:
        connection.execute(
            sa.insert(source_seen),
            [{"kind": kind.value, "id": each, "first_seen_at": now, "last_sweep": sweep, "missed": 0} for each in new],
        )
