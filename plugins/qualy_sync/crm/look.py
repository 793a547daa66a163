"""Reading the tool into the mirror: what changed, and once a day the whole list, which also shows what is gone.

Changes are asked for by the tool's own time. How late it is there is estimated from the newest time stamp that it has
shown and from how long ago that was: a tool's clock need not be ours, and its index lags behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from qualy_sync.contracts.crm import Changed, Contact
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.cursors import get_cursor, put_cursor

from .work import CrmProblem, CrmWork, Pace

_OVERLAP = 2  # of the index's lag
_CLOCKS_KEPT = timedelta(days=2)
FEW = 10  # contacts that may be gone at once, however few there are


def look(work: CrmWork, pace: Pace, hints: Sequence[str] = ()) -> dict[str, int]:
    """Brings the mirror up to date: everything where that is due, else what changed, and what was hinted at."""
    cursor = get_cursor(work.ledger, cursor_name(work)) or {}
    whole_at = datetime.fromisoformat(cursor["whole_at"]) if cursor.get("whole_at") else None
    due = whole_at is None or work.ledger.now() - whole_at >= timedelta(hours=work.terms.pace.whole_list_hours)
    names_moved = cursor.get("names") != list(work.terms.names)
    if due or names_moved:
        return _whole(work, pace, int(cursor.get("sweep", 0)) + 1)
    counts: dict[str, int] = {}
    if work.terms.two_ways:
        counts = _changes(work, pace, cursor)
    if hints:
        counts["hinted"] = reread(work, pace, hints)
    return counts


def cursor_name(work: CrmWork) -> str:
    return f"crm:{work.book}"


def is_new(work: CrmWork) -> bool:
    """Whether the tool's list was never read whole: nobody can be matched before."""
    return not (get_cursor(work.ledger, cursor_name(work)) or {}).get("whole_at")


def reread(work: CrmWork, pace: Pace, ids: Sequence[str]) -> int:
    """These contacts once more, by id; what is not there is looked for in the bin. Returns how many say something new.

    Whoever has a hint that a contact changed, was merged, archived or erased calls this.
    """
    found: list[Contact] = []
    new = 0
    limit = work.tool.limits.per_read
    for start in range(0, len(ids), limit):
        chunk = list(dict.fromkeys(ids[start : start + limit]))
        page = pace.patiently(partial(work.tool.by_id, chunk, work.terms.names))
        new += _keep(work, page)
        found += page
    met = {one.id for one in found} | {old for one in found for old in one.was}
    missing = [one for one in dict.fromkeys(ids) if one not in met]
    return new + (_missing(work, pace, missing) if missing else 0)


def by_addresses(work: CrmWork, pace: Pace, emails: Sequence[str], refs: Sequence[str] = ()) -> None:
    """Whoever has these addresses or carries these refs, read now: before somebody is created."""
    limit = work.tool.limits.per_read
    for start in range(0, len(emails), limit):
        chunk = emails[start : start + limit]
        _keep(work, pace.patiently(partial(work.tool.by_email, chunk, work.terms.names)))
    for start in range(0, len(refs), limit):
        chunk = refs[start : start + limit]
        _keep(work, pace.patiently(partial(work.tool.by_key, chunk, work.terms.names)))


# -- the whole list ---------------------------------------------------------------------------------------------------


def _whole(work: CrmWork, pace: Pace, sweep: int) -> dict[str, int]:
    """Every contact, those in the bin too. What was there and is nowhere now was erased, or merged."""
    began = work.ledger.now()
    read = new = 0
    for archived in (False, True):
        for page in _pages(work, pace, archived):
            read += len(page)
            new += _keep(work, page, sweep)
    with work.ledger.reading() as connection:
        lost = kept.unseen(connection, work.book, sweep)
    if lost:
        new += reread(work, pace, lost)
    with work.ledger.writing() as connection:
        _remember(connection, work, began, sweep)
    return {"contacts_read": read, "contacts_new_or_changed": new, "whole_list": 1}


def _pages(work: CrmWork, pace: Pace, archived: bool) -> Iterator[Sequence[Contact]]:
    after = ""
    while True:
        ask = partial(work.tool.contacts, work.terms.names, archived=archived, after=after)
        page = pace.patiently(ask)
        yield page.contacts
        if not page.after:
            return
        after = page.after


def _changed_pages(work: CrmWork, pace: Pace, since: datetime) -> Iterator[Sequence[Changed]]:
    after = ""
    while True:
        page = pace.patiently(partial(work.tool.changed, since, after=after))
        yield page.changed
        if not page.after:
            return
        after = page.after


# -- changes ----------------------------------------------------------------------------------------------------------


def _changes(work: CrmWork, pace: Pace, cursor: dict[str, object]) -> dict[str, int]:
    since = _since(work, cursor)
    began = work.ledger.now()
    read = new = 0
    for page in _changed_pages(work, pace, since):
        with work.ledger.reading() as connection:
            known = kept.contacts_by_id(connection, work.book, [one.id for one in page])
        # What the mirror already has as of that moment says nothing new: mostly our own writes, coming back.
        ids = [
            one.id
            for one in page
            if one.id not in known
            or one.at is None
            or one.at > known[one.id].updated_at
            or known[one.id].state != kept.HERE
        ]
        read += len(ids)
        new += reread(work, pace, ids)
    with work.ledger.writing() as connection:
        _remember(connection, work, began)
    return {"contacts_read": read, "contacts_new_or_changed": new}


def _since(work: CrmWork, cursor: dict[str, object]) -> datetime:
    """No later than the tool's time when the last look began, less what its index may lag behind, twice.

    The newest time stamp may have been shown after that: by the look itself, or by a write. Then it is as much earlier.
    """
    newest = datetime.fromisoformat(str(cursor["newest"]))
    seen_at = datetime.fromisoformat(str(cursor["newest_seen_at"]))
    looked_at = datetime.fromisoformat(str(cursor["looked_at"]))
    return newest + (looked_at - seen_at) - _OVERLAP * work.tool.limits.index_lag


def note_time(work: CrmWork) -> None:
    """After writes: the newest time stamp that an answer has shown was shown by now."""
    cursor = get_cursor(work.ledger, cursor_name(work))
    if cursor is None or work.shown is None:
        return
    with work.ledger.writing() as connection:
        put_cursor(connection, cursor_name(work), cursor | _shown(cursor, work.shown, work.ledger.now()))


def _remember(connection: sa.Connection, work: CrmWork, began: datetime, sweep: int | None = None) -> None:
    """Where the next look begins. What changed while this one was reading may be on a page that was read already."""
    now = work.ledger.now()
    before = get_cursor(work.ledger, cursor_name(work)) or {}
    value = dict(before) | {"looked_at": began.isoformat(), "names": list(work.terms.names)}
    newest = kept.newest_change(connection, work.book)
    if newest is not None:
        value |= _shown(before, newest, now)
    elif "newest" not in value:
        # An empty account has shown no time: the first change is later than a day before now in any time zone.
        value |= {"newest": (now - timedelta(days=1)).isoformat(), "newest_seen_at": now.isoformat()}
    if sweep is not None:
        value |= {"whole_at": began.isoformat(), "sweep": sweep}
    put_cursor(connection, cursor_name(work), value)


def _shown(before: Mapping[str, object], newest: datetime, now: datetime) -> dict[str, str]:
    """A time stamp of the tool's and our time by which it was shown, where that says more of the tool's clock than what
    is known: the tool's time was no earlier than that. What is old is let go, since clocks are set right at times."""
    if "newest" in before:
        known, seen_at = (datetime.fromisoformat(str(before[name])) for name in ("newest", "newest_seen_at"))
        if known - seen_at >= newest - now and now - seen_at < _CLOCKS_KEPT:
            return {}
    return {"newest": newest.isoformat(), "newest_seen_at": now.isoformat()}


# -- what comes back --------------------------------------------------------------------------------------------------


def _keep(work: CrmWork, contacts: Sequence[Contact], sweep: int | None = None) -> int:
    if not contacts:
        return 0
    with work.ledger.writing() as connection:
        number = sweep if sweep is not None else _sweep(work)
        new = kept.put_contacts(
            connection, work.book, contacts, work.terms.key_field, work.terms.names, work.ledger.now(), number
        )
        follow_merges(connection, work, contacts)
    return new


def _sweep(work: CrmWork) -> int:
    return int((get_cursor(work.ledger, cursor_name(work)) or {}).get("sweep", 0))


def _missing(work: CrmWork, pace: Pace, ids: list[str]) -> int:
    """Not in the list: in the bin, or erased for good."""
    limit = work.tool.limits.per_read
    binned: list[Contact] = []
    for start in range(0, len(ids), limit):
        chunk = ids[start : start + limit]
        binned += pace.patiently(partial(work.tool.by_id, chunk, work.terms.names, archived=True))
    _keep(work, binned)
    there = {one.id for one in binned}
    gone = [one for one in ids if one not in there]
    if gone:
        with work.ledger.reading() as connection:
            known = kept.contacts_by_id(connection, work.book, gone)
        # A hint may name somebody whom nobody here ever saw: that says nothing about those who are known.
        vanished = [one for one in gone if one in known and known[one].state != kept.MERGED]
        _not_too_many(work, sum(known[one].state == kept.HERE for one in vanished))
        with work.ledger.writing() as connection:
            kept.set_state(connection, work.book, vanished, kept.GONE)
    return len(ids)


def _not_too_many(work: CrmWork, gone: int) -> None:
    """Raises CrmProblem where so many are gone at once that the tool, or the connection, is more likely to be wrong.

    Whoever is gone counts as erased for good, and is never made again.
    """
    with work.ledger.reading() as connection:
        there = kept.count_here(connection, work.book)
    if gone > FEW and gone > work.terms.vanish_share * there:
        raise CrmProblem(
            f"{gone:,} of {there:,} contacts are gone from {work.tool.title} at once, not even in its bin. Nothing"
            f" was concluded from it. Look there; if they were really erased, raise {work.tool.id}.vanish_share in the"
            " settings for one run."
        )


def follow_merges(connection: sa.Connection, work: CrmWork, contacts: Iterable[Contact]) -> None:
    """Points the links of merged contacts to the one they went into. It stands for the customer whose address is its
    own; another customer's link is marked as shared, and nothing is written from there any more."""
    merged = {old: one for one in contacts for old in one.was if old != one.id}
    if not merged:
        return
    known = kept.contacts_by_id(connection, work.book, list(merged))
    kept.set_state(connection, work.book, [old for old, one in known.items() if one.state != kept.MERGED], kept.MERGED)
    links = [
        link
        for found in kept.links_on(connection, work.book, [*merged, *(one.id for one in merged.values())]).values()
        for link in found
        if link.state in (kept.LINKED, kept.SHARED)
    ]
    by_target: dict[str, list[kept.CrmLink]] = {}
    targets = {one.id: one for one in merged.values()}
    for link in links:
        target = merged[link.remote_id].id if link.remote_id in merged else link.remote_id
        by_target.setdefault(target, []).append(link)
    for target, mine in by_target.items():
        if all(link.remote_id == target for link in mine):
            continue
        _share(connection, work, targets[target], mine)


def _share(connection: sa.Connection, work: CrmWork, target: Contact, mine: list[kept.CrmLink]) -> None:
    """The links that now mean one contact, the first one last: one customer holds it at a time."""
    now = work.ledger.now()
    ref = target.values.get(work.terms.key_field, "")
    order = sorted(
        mine, key=lambda link: (link.email != target.email, link.source_id != ref, link.linked_at, link.source_id)
    )
    for link in reversed(order):
        state = kept.LINKED if link is order[0] else kept.SHARED
        changed = replace(link, remote_id=target.id, state=state, synced_at=now)
        kept.put_link(connection, work.book, changed)
    kept.dirty_again(connection, work.book, [target.id])
