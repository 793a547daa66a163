"""Which troubles were told of: what makes one known, and the list of each run, whose positions never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from .engine import Ledger, db_now, upsert
from .schema import current_outcomes, trouble_list, troubles

EVERYTHING_ELSE = ""
DIED = "died:"  # the key of a task that did not come to its end: "died:" and its name


@dataclass(frozen=True, slots=True)
class Entry:
    """One position of a run's list. `fresh`: to be red."""

    position: int
    key: str
    fresh: bool
    shown_at: datetime | None


def append_entries(ledger: Ledger, run: int, wanted: Sequence[tuple[str, bool]], most: int) -> list[Entry]:
    """Adds what is not listed yet, up to `most` entries, the last one for everything else. Gives the whole list.

    `wanted` are (key, fresh) in the order in which they are to be shown. An entry once listed keeps its position;
    its freshness is what it was when it was listed.
    """
    with ledger.writing() as connection:
        entries = _entries(connection, run)
        listed = {entry.key for entry in entries}
        new = [(key, fresh) for key, fresh in wanted if key not in listed]
        place = max((entry.position for entry in entries), default=-1) + 1
        rows: list[dict[str, object]] = []
        for key, fresh in new:
            if (place >= most - 1 and len(new) > len(rows) + 1) or EVERYTHING_ELSE in listed:
                break
            rows.append({"run": run, "position": place, "key": key, "fresh": fresh, "shown_at": None})
            place += 1
        left = new[len(rows) :]
        if left and EVERYTHING_ELSE not in listed:
            fresh = any(fresh for _, fresh in left)
            rows.append({"run": run, "position": place, "key": EVERYTHING_ELSE, "fresh": fresh, "shown_at": None})
        if rows:
            connection.execute(sa.insert(trouble_list), rows)
        return _entries(connection, run)


def entry_at(ledger: Ledger, run: int, position: int) -> Entry | None:
    with ledger.reading() as connection:
        return next((entry for entry in _entries(connection, run) if entry.position == position), None)


def listed_keys(ledger: Ledger, run: int) -> frozenset[str]:
    with ledger.reading() as connection:
        return frozenset(entry.key for entry in _entries(connection, run))


def mark_shown(ledger: Ledger, book: int, run: int, entry: Entry, keys: Sequence[str]) -> None:
    """Commits that an instance is about to tell; a fresh one makes its troubles known to later runs."""
    with ledger.writing() as connection:
        now = db_now(connection)
        where = (trouble_list.c.run == run, trouble_list.c.position == entry.position)
        connection.execute(sa.update(trouble_list).where(*where).values(shown_at=now))
        for key in keys:
            first = connection.scalar(
                sa.select(sa.func.min(current_outcomes.c.since)).where(
                    current_outcomes.c.book == book, current_outcomes.c.trouble_key == key
                )
            )
            known = connection.execute(
                sa.select(troubles.c.first_at).where(troubles.c.book == book, troubles.c.key == key)
            ).first()
            row = {"book": book, "key": key, "first_at": known.first_at if known else first or now}
            if entry.fresh:
                row |= {"failed_run": run, "failed_at": now}
            upsert(connection, troubles, row, keys=("book", "key"))


def failed_before(ledger: Ledger, book: int, run: int) -> dict[str, datetime]:
    """Troubles for which an earlier run's instance did fail, and when."""
    with ledger.reading() as connection:
        rows = connection.execute(
            sa.select(troubles.c.key, troubles.c.failed_at).where(
                troubles.c.book == book, troubles.c.failed_at.is_not(None), troubles.c.failed_run != run
            )
        )
        return {row.key: row.failed_at for row in rows}


def newest_record(ledger: Ledger, book: int, key: str) -> datetime | None:
    """Since when the newest record has been under a trouble."""
    with ledger.reading() as connection:
        found: datetime | None = connection.scalar(
            sa.select(sa.func.max(current_outcomes.c.since)).where(
                current_outcomes.c.book == book, current_outcomes.c.trouble_key == key
            )
        )
        return found


def forget_gone(ledger: Ledger, book: int) -> None:
    """A trouble without records is over: should it come again, it is new again."""
    with ledger.writing() as connection:
        open_keys = sa.select(current_outcomes.c.trouble_key).where(
            current_outcomes.c.book == book, current_outcomes.c.trouble_key.is_not(None)
        )
        connection.execute(sa.delete(troubles).where(troubles.c.book == book, troubles.c.key.not_in(open_keys)))


def _entries(connection: sa.Connection, run: int) -> list[Entry]:
    rows = connection.execute(
        sa.select(trouble_list).where(trouble_list.c.run == run).order_by(trouble_list.c.position)
    )
    return [Entry(row.position, row.key, row.fresh, row.shown_at) for row in rows]
