"""The inbox: hints that a record changed outside, kept before anybody acts on them, and gone once it was read again.

A further hint about a record that waits already adds nothing, unless somebody has begun to read it: it changes the
mark, and only the mark that was read is taken out. So whatever is told while a run works is there for the next one,
and a run that dies takes nothing with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from .engine import Ledger, db_now
from .inbox_schema import inbox

LONGEST_ID = 200
AT_ONCE = 500  # keys in one statement
T = TypeVar("T")
_LOCK = 7186513  # PostgreSQL: who changes the inbox, one after the other


@dataclass(frozen=True, slots=True)
class Hint:
    """A record to read again, by its kind (in the words of the tool's reader) and id."""

    kind: str
    id: str
    mark: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of several deliveries. `turned`: the inbox was empty before and is not any more."""

    refused: frozenset[int]  # positions of deliveries that found it full; nothing of them is kept
    turned: bool


def keep(ledger: Ledger, tool: str, deliveries: Sequence[Iterable[Hint]], most: int) -> Kept:
    """Keeps the hints of several deliveries, each whole or not at all, in one transaction of its own.

    `most` is how many different records may wait for this tool.
    """
    wanted = [sorted(set(delivery), key=_key) for delivery in deliveries]
    with ledger.writing() as connection:
        _alone(connection)
        there = _there(connection, tool, {hint for delivery in wanted for hint in delivery})
        before = count = _count(connection, tool)
        refused: set[int] = set()
        new: dict[Hint, None] = {}
        for place, delivery in enumerate(wanted):
            added = [hint for hint in delivery if hint not in there and hint not in new]
            if count + len(added) > most:
                refused.add(place)
                continue
            count += len(added)
            new.update(dict.fromkeys(delivery))
        _write(connection, tool, sorted(new, key=_key), db_now(connection))
    return Kept(frozenset(refused), turned=not before and bool(count))


def waiting(ledger: Ledger, tool: str, most: int) -> list[Hint]:
    """The hints that wait longest, with the marks that `take_out` asks for."""
    with ledger.reading() as connection:
        rows = connection.execute(
            sa.select(inbox.c.kind, inbox.c.record_id, inbox.c.mark)
            .where(inbox.c.tool == tool)
            .order_by(inbox.c.received_at, inbox.c.kind, inbox.c.record_id)
            .limit(most)
        )
        return [Hint(row.kind, row.record_id, row.mark) for row in rows]


def take_out(connection: sa.Connection, tool: str, hints: Iterable[Hint]) -> None:
    """Takes hints out, in the transaction that keeps what was read; those that were told again meanwhile stay."""
    _alone(connection)
    leave = sa.delete(inbox).where(
        inbox.c.tool == tool,
        inbox.c.kind == sa.bindparam("of_kind"),
        inbox.c.record_id == sa.bindparam("of_id"),
        inbox.c.mark == sa.bindparam("of_mark"),
    )
    for some in _some(sorted(hints, key=_key)):
        connection.execute(leave, [{"of_kind": hint.kind, "of_id": hint.id, "of_mark": hint.mark} for hint in some])


def count(ledger: Ledger, tool: str) -> int:
    """How many records wait."""
    with ledger.reading() as connection:
        return _count(connection, tool)


def _alone(connection: sa.Connection) -> None:
    """Counting and adding have to be one step. On SQLite every writing transaction is alone from its beginning."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _count(connection: sa.Connection, tool: str) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(inbox).where(inbox.c.tool == tool)) or 0)


def _there(connection: sa.Connection, tool: str, hints: set[Hint]) -> set[Hint]:
    found: set[Hint] = set()
    for some in _some(sorted({hint.id for hint in hints})):
        rows = connection.execute(
            sa.select(inbox.c.kind, inbox.c.record_id).where(inbox.c.tool == tool, inbox.c.record_id.in_(some))
        )
        found |= {Hint(row.kind, row.record_id) for row in rows}
    return found


def _write(connection: sa.Connection, tool: str, hints: Sequence[Hint], now: datetime) -> None:
    insert: Any
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    statement = insert(inbox)
    statement = statement.on_conflict_do_update(
        index_elements=["tool", "kind", "record_id"], set_={"mark": statement.excluded.mark}
    )
    for some in _some(hints):
        connection.execute(
            statement,
            [
                {"tool": tool, "kind": hint.kind, "record_id": hint.id, "mark": _mark(), "received_at": now}
                for hint in some
            ],
        )


def _mark() -> int:
    """Never the one before, nor one of an earlier hint about the same record that was taken out since."""
    return secrets.randbits(62)


def _key(hint: Hint) -> tuple[str, str]:
    return hint.kind, hint.id


def _some(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
