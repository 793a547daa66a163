"""Records that Qualy's webhooks spoke of, read again by their ids, in a small pass of their own.

What a webhook says is never used but for the id. A payment is read with everything that belongs to it, for a document
made from half of it would be wrong: its transactions and splits first, then itself, then its customer and partners
where the ledger does not know them. Each pass takes a few thousand hints; they leave the inbox with the pass's end.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import Refused, WrongShape
from qualy_sync.contracts.source import Page, Source
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import Hint, take_out, waiting
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.source import current_ids, named_and_unknown, open_pass, unfinished_pass
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings

from .recent import IDS_IN_A_FILTER, read_new
from .rows import reference_of
from .run import Extracted, close_pass, enter, optionally
from .session import OPTIONAL, ORDER, Progress, Session, progress_of

INBOX = "qualy"  # the inbox's name for it
AT_ONCE = 2_000  # hints of one pass; the rest has the next ones
CHILDREN = (Kind.SPLIT_INTENT, Kind.TRANSACTION, Kind.SPLIT)  # in this order, before their payments
NAMED = {Kind.PAYMENT: "paymentIntent", Kind.CUSTOMER: "contact", Kind.TAX: "tax"}

Wanted = dict[Kind, set[str]]

log = logging.getLogger(__name__)


def extract_hints(
    ledger: Ledger,
    source: Source,
    settings: SourceSettings,
    *,
    clock: Clock | None = None,
    lease: Lease | None = None,
) -> Extracted | None:
    """Reads again what waits in the inbox, as a pass. None where nothing waits, or where a whole extraction is due.

    That is so before the first one was complete, and after one that broke off: its half must not be shown. Raises what
    `extract` raises; what was not read by then stays in the inbox.
    """
    with lease or nullcontext():
        hints = waiting(ledger, INBOX, AT_ONCE)
        if not hints or whole_one_is_due(ledger):
            return None
        session = Session(ledger, source, settings, clock or ledger, lease)
        enter(session)
        with ledger.writing() as connection:
            session.hold(connection)
            session.number = open_pass(connection, session.clock.now())
        _read(session, _by_kind(hints))
        done = close_pass(session, swept=False, also=lambda connection: take_out(connection, INBOX, hints))
        return replace(done, hints=len(hints))


def whole_one_is_due(ledger: Ledger) -> bool:
    """Whether no record may be read by itself yet: see `extract_hints`."""
    with ledger.reading() as connection:
        if unfinished_pass(connection):
            return True
    return not all(progress_of(ledger, kind).swept for kind in ORDER if kind not in OPTIONAL)


def sweep_is_due(ledger: Ledger, settings: SourceSettings) -> bool:
    """Whether a complete reading has still to go on, or to begin anew. What was never read is no affair of hints."""
    now = ledger.now()
    found = (progress_of(ledger, kind) for kind in ORDER)
    return any(each.due(now, settings.full_sweep_hours) for each in found if each.swept or each.running)


def _by_kind(hints: Iterable[Hint]) -> Wanted:
    wanted: Wanted = {kind: set() for kind in ORDER}
    for hint in hints:
        if hint.kind in wanted:
            wanted[Kind(hint.kind)].add(hint.id)
    return wanted


def _read(session: Session, wanted: Wanted) -> None:
    for kind in CHILDREN:
        for row in _by_ids(session, kind, wanted[kind]):
            _note(wanted, row, Kind.PAYMENT)
    _read_children(session, sorted(wanted[Kind.PAYMENT]))
    _add_unknown(session, wanted)
    named: Wanted = {Kind.TAX: set(), Kind.CUSTOMER: set()}
    for row in _by_ids(session, Kind.PAYMENT, wanted[Kind.PAYMENT]):
        for kind in named:
            _note(named, row, kind)
    _add_unknown(session, wanted)
    with session.ledger.reading() as connection:
        for kind, ids in named.items():
            wanted[kind] |= ids - set(current_ids(connection, kind, sorted(ids)))
    for kind in ORDER:
        if kind not in (*CHILDREN, Kind.PAYMENT):
            for _ in _by_ids(session, kind, wanted[kind]):
                pass


def _note(wanted: Wanted, row: Mapping[str, Any], kind: Kind) -> None:
    if named := reference_of(row, NAMED[kind]):
        wanted[kind].add(named)


def _add_unknown(session: Session, wanted: Wanted) -> None:
    """What was read names others that the ledger has never seen: there may be no event of their own for them."""
    with session.ledger.reading() as connection:
        for kind, ids in named_and_unknown(connection, session.number).items():
            wanted[kind] |= ids


def _read_children(session: Session, payments: Sequence[str]) -> None:
    """Everything that belongs to some payments: by filter, else what is newest of each kind."""
    for kind in CHILDREN if payments else ():
        if session.source.filters and _of_payments(session, kind, payments):
            continue
        if progress_of(session.ledger, kind).swept:
            session.tallies[kind].ways.append("new")
            optionally(session, kind, read_new)


def _of_payments(session: Session, kind: Kind, payments: Sequence[str]) -> bool:
    """False where the server turns out not to filter by the payment."""
    session.tallies[kind].ways.append("hinted, by payment")
    progress = progress_of(session.ledger, kind)
    try:
        for some in _some(payments):
            skip = 0
            for page in session.source.pages(kind, sort=progress.sort, only={NAMED[Kind.PAYMENT]: some}):
                if page.skip - skip > len(page.rows) + len(page.strange):
                    return False  # it gave others, too
                skip = page.skip
                session.save(kind, page, progress.number)
    except Refused:
        return False
    return True


def _by_ids(session: Session, kind: Kind, ids: set[str]) -> Iterator[Mapping[str, Any]]:
    """Reads records and keeps them, many at a time where filters work; each is given back once it is kept."""
    progress = progress_of(session.ledger, kind)
    if ids:
        session.tallies[kind].ways.append("hinted")
    for some in _some(sorted(ids)):
        met: set[str] = set()
        if len(some) > 1 and session.source.filters:
            for row in _filtered(session, kind, progress, some):
                met.add(row["_id"])
                yield row
        for each in some:
            if each not in met and (found := _one(session, kind, each)) is not None:
                session.save(kind, Page((found,), (), 0, last=True), progress.number)
                yield found


def _filtered(session: Session, kind: Kind, progress: Progress, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    skip = 0
    try:
        for page in session.source.pages(kind, sort=progress.sort, only={"_id": list(ids)}):
            if page.skip - skip > len(page.rows) + len(page.strange):
                return  # not filtered after all: one by one, rather than the whole list
            skip = page.skip
            session.save(kind, page, progress.number)
            yield from (row for row in page.rows if row.get("_id") in ids)
    except Refused:
        return


def _one(session: Session, kind: Kind, record_id: str) -> Mapping[str, Any] | None:
    """None for what Qualy does not have or does not give: a hint may be forged, and the whole extraction tells why."""
    try:
        return session.source.one(kind, record_id)
    except (Refused, WrongShape) as error:
        log.warning("A hint is left out: %s", error.message)
        return None


def _some(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), IDS_IN_A_FILTER):
        yield list(ids[start : start + IDS_IN_A_FILTER])
