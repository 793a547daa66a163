"""Outcomes as they are kept: an append-only history, and the one current outcome of each (record, leg)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.outcomes import Group, Outcome

from .engine import db_now, upsert
from .schema import LEGS, current_outcomes, outcomes

# Planned again in every run although nothing of theirs changed: a lock date, the tool or a wait may have moved.
_ATTENTION = frozenset({Group.HELD, Group.FOUND, Group.REFUSED, Group.UNSETTLED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One record's outcome for one leg, with what the report's tables are made of."""

    kind: str
    leg: str
    source_id: str
    owner: str
    payment_id: str | None
    amount: int
    currency: str
    month: str
    source_hash: str
    outcome: Outcome
    retry_at: datetime | None = None
    look_again: bool = False  # planned again in the next run: Qualy may have changed while the fate was unknown


def record(
    connection: sa.Connection, book: int, run: int, tool: str, settings_version: str, verdicts: Iterable[Verdict]
) -> int:
    """Keeps verdicts; appends to the history only where code, detail, content or settings version changed.

    Returns how many were appended.
    """
    wanted = {(verdict.leg, verdict.source_id): verdict for verdict in verdicts}
    if not wanted:
        return 0
    now = db_now(connection)
    current = current_of(connection, book, [source_id for _, source_id in wanted])
    changed: list[Verdict] = []
    for key, verdict in wanted.items():
        before = current.get(key)
        same = before is not None and (
            before.code == verdict.outcome.code
            and before.source_hash == verdict.source_hash
            and before.settings_version == settings_version
            and before.detail == dict(verdict.outcome.detail)
        )
        if not same:
            changed.append(verdict)
    ids = _append(connection, book, run, settings_version, now, changed)
    rows = []
    for key, verdict in wanted.items():
        before = current.get(key)
        appended = ids.get(key)
        code = verdict.outcome.code
        rows.append(
            {
                "book": book,
                "leg": verdict.leg,
                "source_id": verdict.source_id,
                "kind": verdict.kind,
                "owner": verdict.owner,
                "outcome": appended if appended is not None else before.outcome,  # type: ignore[union-attr]
                "code": str(code),
                "trouble_key": verdict.outcome.trouble_key(tool),
                "payment_id": verdict.payment_id,
                "amount": verdict.amount,
                "currency": verdict.currency,
                "month": verdict.month,
                "source_hash": verdict.source_hash,
                "settings_version": settings_version,
                "since": before.since if before is not None and before.code == code else now,
                "checked_run": run,
                "retry_at": verdict.retry_at,
                "attention": verdict.look_again or verdict.outcome.meaning.group in _ATTENTION,
            }
        )
    upsert(connection, current_outcomes, rows, keys=("book", "leg", "source_id"))
    return len(changed)


def _append(
    connection: sa.Connection,
    book: int,
    run: int,
    settings_version: str,
    now: datetime,
    verdicts: Sequence[Verdict],
) -> dict[tuple[str, str], int]:
    if not verdicts:
        return {}
    rows = [
        {
            "book": book,
            "run": run,
            "kind": verdict.kind,
            "leg": verdict.leg,
            "source_id": verdict.source_id,
            "code": str(verdict.outcome.code),
            "detail": dict(verdict.outcome.detail),
            "thing": verdict.outcome.thing[:300],
            "source_hash": verdict.source_hash,
            "settings_version": settings_version,
            "at": now,
        }
        for verdict in verdicts
    ]
    result = connection.execute(
        sa.insert(outcomes).returning(outcomes.c.id, outcomes.c.leg, outcomes.c.source_id), rows
    )
    return {(row.leg, row.source_id): row.id for row in result}


def current_of(connection: sa.Connection, book: int, source_ids: Sequence[str]) -> dict[tuple[str, ...], sa.Row[Any]]:
    """The current outcome with its detail, per (leg, source id)."""
    found: dict[tuple[str, ...], sa.Row[Any]] = {}
    wanted = sorted(set(source_ids))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(current_outcomes, outcomes.c.detail, outcomes.c.thing)
            .join(outcomes, outcomes.c.id == current_outcomes.c.outcome)
            .where(
                current_outcomes.c.book == book,
                current_outcomes.c.leg.in_(LEGS),
                current_outcomes.c.source_id.in_(wanted[start : start + 500]),
            )
        )
        for row in rows:
            found[(row.leg, row.source_id)] = row
    return found


def look_again(connection: sa.Connection, book: int, keys: Iterable[tuple[str, str]]) -> None:
    """Has the next run plan these (leg, source id) again, although nothing of them changed in Qualy."""
    by_leg: dict[str, set[str]] = {}
    for leg, source_id in keys:
        by_leg.setdefault(leg, set()).add(source_id)
    for leg, source_ids in by_leg.items():
        wanted = sorted(source_ids)
        for start in range(0, len(wanted), 500):
            connection.execute(
                sa.update(current_outcomes)
                .where(
                    current_outcomes.c.book == book,
                    current_outcomes.c.leg == leg,
                    current_outcomes.c.source_id.in_(wanted[start : start + 500]),
                )
                .values(attention=True)
            )
