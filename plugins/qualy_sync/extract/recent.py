"""What is new and what can still change, by the fewest calls that the server's abilities allow.

Where `updatedAt` proved itself: newest changes first, until older than the last reading. Otherwise new records, newest
first, and every record that is not final by its id: many ids in one filter where filters work, else one by one. Where
reading the whole list costs no more calls than that, the whole list is read.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from math import ceil

from qualy_sync.contracts.source import Page
from qualy_sync.ledger.cursors import put_cursor
from qualy_sync.ledger.source import count_rows, open_ids
from qualy_sync.model import Kind

from .paging import Place, ids_of, steady_pages
from .proof import CHANGED, descends
from .rows import moment_of
from .session import Progress, Session, cursor_name, progress_of

IDS_IN_A_FILTER = 100  # keeps the address below the 8 KB that servers usually take
UNANSWERED = 20  # ids that a filter may leave out before it is no longer trusted


def read_recent(session: Session, kind: Kind) -> None:
    """Brings a kind that was swept before up to date."""
    progress = progress_of(session.ledger, kind)
    tally = session.tallies[kind]
    if progress.field == CHANGED:
        tally.ways.append("changed since")
        _newest(session, kind, progress)
        return
    with session.ledger.reading() as connection:
        rows, still_open = count_rows(connection, kind)
    whole = ceil(rows / max(1, session.settings.page_size - session.settings.page_overlap)) + 1
    if not progress.field or whole <= 1 + _calls_for(session, still_open):
        tally.ways.append("whole list")
        _everything(session, kind, progress)
        return
    tally.ways.append("new")
    _newest(session, kind, progress)
    if still_open and not _not_final(session, kind, progress):
        tally.ways.append("whole list")
        _everything(session, kind, progress)


def read_new(session: Session, kind: Kind) -> None:
    """The newest records of a kind alone, or the whole list where nothing shows which ones those are."""
    progress = progress_of(session.ledger, kind)
    (_newest if progress.field else _everything)(session, kind, progress)


def _calls_for(session: Session, still_open: int) -> int:
    """The most calls that reading so many records by their ids may take."""
    if not still_open:
        return 0
    return 2 * ceil(still_open / _at_once(session)) if session.source.filters else still_open


def _at_once(session: Session) -> int:
    return min(session.settings.page_size, IDS_IN_A_FILTER)


def _newest(session: Session, kind: Kind, progress: Progress) -> None:
    """Newest first, until older than the newest record of the last reading, less the overlap."""
    mark = datetime.fromisoformat(progress.mark)
    until = mark - timedelta(minutes=session.settings.overlap_minutes)
    newest: datetime | None = None
    for page, _ in steady_pages(session.source, kind, f"-{progress.field}", Place(), session.settings.page_size):
        stamps = [stamp for row in page.rows if (stamp := moment_of(row, progress.field)) is not None]
        if newest is None:
            # Not the newest of later pages: what changed while reading them may be older, and was not read.
            newest = max([min(max(stamps, default=mark), session.clock.now()), mark])
        session.save(kind, page, progress.number)
        if page.last or _past(stamps, until):
            break
    with session.ledger.writing() as connection:
        session.hold(connection)
        put_cursor(connection, cursor_name(kind), asdict(replace(progress, mark=(newest or mark).isoformat())))


def _past(stamps: list[datetime], until: datetime) -> bool:
    """Whether what follows a page is older than `until`; a page out of order says so only as a whole."""
    return bool(stamps) and (min(stamps) if descends(stamps) else max(stamps)) < until


def _everything(session: Session, kind: Kind, progress: Progress) -> None:
    for page, _ in steady_pages(session.source, kind, progress.sort, Place(), session.settings.page_size):
        session.save(kind, page, progress.number)


def _not_final(session: Session, kind: Kind, progress: Progress) -> bool:
    """Reads every record that can still change; False where filters turn out not to be trusted."""
    after = ""
    by_filter = session.source.filters
    session.tallies[kind].ways.append("not final, by filter" if by_filter else "not final, one by one")
    while True:
        with session.ledger.reading() as connection:
            ids = open_ids(connection, kind, after, _at_once(session))
        if not ids:
            return True
        after = ids[-1]
        left = set(ids) - _by_filter(session, kind, progress, ids) if by_filter else set(ids)
        if by_filter and len(left) > UNANSWERED:
            return False
        _one_by_one(session, kind, progress, left)


def _by_filter(session: Session, kind: Kind, progress: Progress, ids: list[str]) -> set[str]:
    met: set[str] = set()
    for page in session.source.pages(kind, sort=progress.sort, only={"_id": ids}):
        session.save(kind, page, progress.number)
        met |= ids_of(page)
        if len(met) == len(ids):
            break
    return met


def _one_by_one(session: Session, kind: Kind, progress: Progress, ids: set[str]) -> None:
    for each in sorted(ids):
        found = session.source.one(kind, each)
        if found is not None:  # what is not there any more is for the sweeps to say
            session.save(kind, Page((found,), (), 0, last=True), progress.number)
