"""Complete readings, in slices: what proves that nothing was missed, and what is gone.

A sweep reads a list from its beginning to its end by an order that never changes. It may take many slices and many
extractions; it counts only when it has reached the end. Every record met by any reading meanwhile counts as seen.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

from qualy_sync.contracts.source import Page
from qualy_sync.ledger.cursors import put_cursor
from qualy_sync.ledger.source import count_absent
from qualy_sync.model import Kind

from .paging import Place, steady_pages
from .proof import CREATED, MADE, Proof, prove
from .session import Progress, Session, cursor_name, progress_of


def sweep_slice(session: Session, kind: Kind, seconds: float) -> bool:
    """Goes on with the sweep of a kind for at most `seconds`; True when it is complete."""
    progress = progress_of(session.ledger, kind)
    if not progress.running:
        progress = _begin(session, kind, progress)
        session.began.add(kind)
    ends = session.clock.now() + timedelta(seconds=seconds)
    start = Place(progress.skip, frozenset(progress.known))
    for page, place in steady_pages(session.source, kind, progress.sort, start, session.settings.page_size):
        progress = replace(progress, skip=place.skip, known=sorted(place.known))
        session.save(kind, page, progress.number, {cursor_name(kind): asdict(progress)})
        if page.last:
            _end(session, kind, progress)
            return True
        if session.clock.now() >= ends:
            return False
    raise AssertionError("a reading ends with its last page")


def _begin(session: Session, kind: Kind, before: Progress) -> Progress:
    """The time stamp is proved first: what changes during the sweep is newer than what was the newest then."""
    first = next(iter(session.source.pages(kind, sort=MADE)))
    changed_since = session.settings.changed_since == "auto"
    proof = Proof() if first.last else prove(session.source, kind, changed_since=changed_since)
    return Progress(
        number=before.number + 1,
        running=True,
        completed_at=before.completed_at,
        sort=_unchanging_order(first),
        field=proof.field,
        mark=min(proof.newest, session.clock.now()).isoformat() if proof.newest else "",
    )


def _unchanging_order(page: Page) -> str:
    """`_id`, which is unique, where the list sorts on it; else the time of creation."""
    ids = [each for row in page.rows if isinstance(each := row.get("_id"), str)]
    return MADE if ids == sorted(ids) else CREATED


def _end(session: Session, kind: Kind, progress: Progress) -> None:
    now = session.clock.now()
    done = replace(progress, running=False, completed_at=now.isoformat(), skip=0, known=())
    with session.ledger.writing() as connection:
        session.hold(connection)
        session.tallies[kind].gone += count_absent(connection, session.number, kind, progress.number)
        put_cursor(connection, cursor_name(kind), asdict(done))
    session.fresh |= session.began & {kind}
