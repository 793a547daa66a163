"""That a lock date moved, and when it was noticed: kept, so that each run and report can say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from .engine import db_now, upsert
from .schema import facts

FACT = "lock_moves"
KEPT = 50


@dataclass(frozen=True, slots=True)
class LockMove:
    """From which date to which (None: nothing was locked), and when it was noticed."""

    before: date | None
    after: date | None
    at: datetime

    @property
    def opened(self) -> bool:
        """Days that were locked are open now."""
        return self.before is not None and (self.after is None or self.after < self.before)

    def sentence(self, title: str) -> str:
        """In words, with what it means for records."""
        before, after = (f"{day.day} {day:%B %Y}" if day else "" for day in (self.before, self.after))
        if not before:
            moved = f"{title} is locked to {after} now; nothing was locked before"
        elif not after:
            moved = f"{title} is no longer locked; it was locked to {before}"
        else:
            moved = f"{title}'s lock date moved {'back ' if self.opened else ''}from {before} to {after}"
        effect = "What was held on days that are open now goes by itself" if self.opened else "Days up to it are held"
        return f"{moved}. {effect}."


def note_move(connection: sa.Connection, book: int, before: date | None, after: date | None) -> LockMove | None:
    """Keeps a move, if it is one."""
    if before == after:
        return None
    where = (facts.c.book == book, facts.c.name == FACT)
    kept = connection.scalar(sa.select(facts.c.value).where(*where)) or {}
    now = db_now(connection)
    entry = {"before": _text(before), "after": _text(after), "at": now.isoformat()}
    moves = [*kept.get("moves", []), entry][-KEPT:]
    upsert(connection, facts, {"book": book, "name": FACT, "value": {"moves": moves}, "read_at": now}, ("book", "name"))
    return LockMove(before, after, now)


def lock_moves(connection: sa.Connection, book: int, since: datetime | None = None) -> list[LockMove]:
    """Every move that is remembered, or those after a moment; oldest first."""
    kept = connection.scalar(sa.select(facts.c.value).where(facts.c.book == book, facts.c.name == FACT)) or {}
    moves = [_read(entry) for entry in kept.get("moves", [])]
    return [move for move in moves if since is None or move.at > since]


def _read(entry: Mapping[str, Any]) -> LockMove:
    days = [date.fromisoformat(entry[name]) if entry[name] else None for name in ("before", "after")]
    return LockMove(days[0], days[1], datetime.fromisoformat(entry["at"]))


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
