"""Reading the tool: organisation, chart, and what changed since the last look, into the ledger."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from qualy_sync.contracts.accounting import EachAnswer, Organisation, What, unwatched
from qualy_sync.ledger import Ledger
from qualy_sync.ledger import books as keeping
from qualy_sync.ledger.cursors import get_cursor, put_cursor
from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.outcomes import Code

from . import noticing
from .vanished import forget_vanished
from .work import RunProblem, Work

log = logging.getLogger("qualy_sync.load")

# Changes may come to light a little after their own time stamp.
OVERLAP = timedelta(seconds=60)
CHART_KEPT = timedelta(hours=24)
CHART_CODES = (Code.UNMAPPED_ACCOUNT, Code.UNMAPPED_TAX, Code.CURRENCY_NOT_ENABLED)


def refresh_organisation(work: Work) -> Organisation:
    """Reads the organisation with its lock dates, and refuses another one than the book's."""
    organisation = work.tool.organisation()
    pinned = keeping.get_organisation(work.ledger, work.book)
    if pinned is not None and pinned.id != organisation.id:
        raise RunProblem(
            f"The connection reaches {work.tool.title} organisation “{organisation.name}” ({organisation.id}); the"
            f" links belong to “{pinned.name}” ({pinned.id}). Connect that one again, or begin afresh: bin/qualy"
            " fresh-start."
        )
    return keep_organisation(work.ledger, work.book, organisation, work.closed_until(), work.tool.title)


def keep_organisation(
    ledger: Ledger, book: int, organisation: Organisation, closed_until: date | None, title: str
) -> Organisation:
    """Keeps what was read, with the user's own closing date, and says so where the lock date moved."""
    organisation = replace(organisation, closed_until=closed_until)
    moved = keeping.put_organisation(ledger, book, organisation)
    if moved is not None:
        log.warning("%s %s", moved.sentence(title), _held_by_lock(ledger, book))
    return organisation


def _held_by_lock(ledger: Ledger, book: int) -> str:
    with ledger.reading() as connection:
        held = connection.scalar(
            sa.select(sa.func.count()).where(
                current_outcomes.c.book == book, current_outcomes.c.code.in_([Code.LOCKED, Code.LOCKED_THERE])
            )
        )
    return f"Records held by a lock date when this was noticed: {held:,}."


def refresh_chart(work: Work) -> bool:
    """Reads accounts, tax codes and currencies once a day, and while a record waits for one. True where it did."""
    kept = keeping.get_chart(work.ledger, work.book)
    if kept is not None and work.ledger.now() - kept[1] < CHART_KEPT and not _waits_for_chart(work.ledger, work.book):
        return False
    keeping.put_chart(work.ledger, work.book, work.tool.chart())
    return True


def _waits_for_chart(ledger: Ledger, book: int) -> bool:
    with ledger.reading() as connection:
        return (
            connection.execute(
                sa.select(current_outcomes.c.leg)
                .where(
                    current_outcomes.c.book == book, current_outcomes.c.code.in_([str(code) for code in CHART_CODES])
                )
                .limit(1)
            ).first()
            is not None
        )


def refresh_mirror(work: Work, kinds: Sequence[What], *, full: bool = False, each_page: EachAnswer = unwatched) -> int:
    """Reads what changed in the tool since the last look (everything, the first time) into the mirror.

    The cursor moves only when a kind was read to its end. What a complete reading no longer shows is looked for by id.
    `each_page` is called after each answer, and after each page that was kept: who holds a lease renews it there,
    since a long list takes longer than a lease lasts.
    """
    count = 0
    for what in kinds:
        name = f"mirror:{work.book}:{what}"
        cursor = get_cursor(work.ledger, name)
        since = None if full or cursor is None else datetime.fromisoformat(cursor["since"])
        newest = since
        seen: set[str] = set()
        for page in work.tool.changed(what, since, each_page):
            with work.ledger.writing() as connection:
                count += noticing.put(connection, work.book, page)
            each_page()
            if since is None:
                seen |= {remote.id for remote in page}
            moments = [remote.updated_at for remote in page] + ([newest] if newest else [])
            newest = max(moments, default=None)
        if newest is not None:
            with work.ledger.writing() as connection:
                moved = max(newest - OVERLAP, since) if since else newest - OVERLAP
                put_cursor(connection, name, {"since": moved.isoformat()})
        if since is None:
            forget_vanished(work, what, seen, each_page)
    return count
