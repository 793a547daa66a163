"""What the data-quality suites look at, and what is kept of their results: ids, rules and counts, never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.model import Kind

from .engine import upsert
from .schema import passes, quality_failures, quality_results, source_rows
from .slices import visible

AT_ONCE = 500  # ids in one question


@dataclass(frozen=True, slots=True)
class Failed:
    """One record that breaks one rule."""

    id: str
    rule: str
    code: str
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are looked at: as pass `pin` shows them, changed after pass `since` or failing (or all of them)."""

    pin: int
    since: int
    everything: bool


def anything_new(connection: sa.Connection, scope: Scope) -> bool:
    """Whether there is anything that could fail, or no longer fail, since the last check."""
    rows = source_rows.c
    newer = sa.select(rows.id).where(visible(scope.pin), rows.valid_from > scope.since).limit(1)
    return scope.everything or connection.scalar(newer) is not None


def rows_to_check(connection: sa.Connection, kind: Kind, scope: Scope, after: str, many: int) -> Sequence[sa.Row[Any]]:
    """The next rows by id: id, content, problem."""
    rows = source_rows.c
    where = [visible(scope.pin), rows.kind == kind, rows.id > after]
    if not scope.everything:
        where.append(sa.or_(*_touched(kind, scope)))
    return connection.execute(
        sa.select(rows.id, rows.content, rows.problem).where(*where).order_by(rows.id).limit(many)
    ).all()


def _touched(kind: Kind, scope: Scope) -> Iterator[sa.ColumnElement[bool]]:
    rows = source_rows.c
    yield rows.valid_from > scope.since
    yield rows.id.in_(sa.select(quality_failures.c.id).where(quality_failures.c.kind == kind))
    if kind is Kind.SPLIT:  # a split is judged beside its payment and the other splits of it
        other = source_rows.alias().c
        moved = sa.or_(other.valid_from > scope.since, other.valid_to > scope.since)
        yield rows.payment_id.in_(sa.select(other.payment_id).where(other.kind == Kind.SPLIT, moved))
        yield rows.payment_id.in_(sa.select(other.id).where(other.kind == Kind.PAYMENT, moved))


def existing(connection: sa.Connection, kind: Kind, pin: int, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that are records."""
    return {row.id for row in _by(connection, kind, pin, source_rows.c.id, ids, source_rows.c.id)}


def contents_of(
    connection: sa.Connection, kind: Kind, pin: int, column: str, values: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(id, content) of the readable records whose `column` is one of `values`, a part at a time."""
    rows = source_rows.c
    for row in _by(connection, kind, pin, rows[column], values, rows.id, rows.content, rows.problem):
        if row.problem is None:
            yield row.id, row.content


def _by(
    connection: sa.Connection,
    kind: Kind,
    pin: int,
    column: sa.ColumnElement[Any],
    values: Sequence[str],
    *wanted: sa.ColumnElement[Any],
) -> Iterator[sa.Row[Any]]:
    for start in range(0, len(values), AT_ONCE):
        part = values[start : start + AT_ONCE]
        yield from connection.execute(
            sa.select(*wanted).where(visible(pin), source_rows.c.kind == kind, column.in_(part))
        )


def replace_failures(
    connection: sa.Connection, kind: Kind, pin: int, checked: Sequence[str], failed: Sequence[Failed]
) -> None:
    """Puts what was found now in place of what was known of the checked records."""
    for start in range(0, len(checked), AT_ONCE):
        part = checked[start : start + AT_ONCE]
        connection.execute(
            sa.delete(quality_failures).where(quality_failures.c.kind == kind, quality_failures.c.id.in_(part))
        )
    if failed:
        connection.execute(
            sa.insert(quality_failures),
            [
                {"kind": kind.value, "id": each.id, "rule": each.rule, "code": each.code, "detail": dict(each.detail)}
                | {"pass_number": pin}
                for each in failed
            ],
        )


def drop_other_rules(connection: sa.Connection, rules: Sequence[str]) -> None:
    """Forgets failures of rules that no suite has any more."""
    connection.execute(sa.delete(quality_failures).where(quality_failures.c.rule.not_in(rules)))


def failing_share(connection: sa.Connection, kinds: Sequence[Kind], pin: int) -> tuple[int, int]:
    """How many records of these kinds fail a rule, and how many there are."""
    values = [kind.value for kind in kinds]
    some = sa.select(quality_failures.c.kind, quality_failures.c.id).where(quality_failures.c.kind.in_(values))
    failing = connection.scalar(sa.select(sa.func.count()).select_from(some.distinct().subquery()))
    there = connection.scalar(
        sa.select(sa.func.count()).select_from(source_rows).where(visible(pin), source_rows.c.kind.in_(values))
    )
    return int(failing or 0), int(there or 0)


def close_check(
    connection: sa.Connection,
    pin: int,
    now: datetime,
    results: Mapping[tuple[str, str], tuple[int, int]],
    counts: Mapping[str, Any],
) -> None:
    """Marks a pass as checked. `results`: by suite and rule, how many rows were looked at and how many failed."""
    upsert(
        connection,
        quality_results,
        [
            {"pass_number": pin, "suite": suite, "rule": rule, "rows": rows, "failed": failed}
            for (suite, rule), (rows, failed) in results.items()
        ],
        keys=("pass_number", "suite", "rule"),
    )
    known = connection.scalar(sa.select(passes.c.counts).where(passes.c.number == pin)) or {}
    connection.execute(
        sa.update(passes).where(passes.c.number == pin).values(checked_at=now, counts={**known, **counts})
    )
