"""Reading an audience into the mirror: once a day whole, else what changed since the last reading, in one call.

Members are read by the tool's own time stamps. What was seen newest, less as long as a reading took, is where the next
one begins: our clock plays no part, and what changed while a reading ran is in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from qualy_sync.contracts.crm import Contact
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.cursors import get_cursor, put_cursor

from ..look import cursor_name, look
from ..work import CrmWork, Pace
from .gather import tool_of

OVERLAP = timedelta(seconds=2)  # time stamps are to the second
FRESH = timedelta(minutes=30)  # a whole reading so young has shown who is archived


def look_at_members(work: CrmWork, pace: Pace, hints: Sequence[str] = ()) -> dict[str, int]:
    """Brings the mirror up to date."""
    began = work.ledger.now()
    counts = look(work, pace, hints)
    if "whole_list" in counts:
        with work.ledger.reading() as connection:
            newest = kept.newest_change(connection, work.book)
        _remember(work, {"newest": _less(work, newest, began), "archived": _less(work, newest, began)})
        return counts
    return counts | _changes(work, pace, "newest", archived=False)


def look_at_archived(work: CrmWork, pace: Pace) -> None:
    """Who was archived since, before anything is written: a list of changes leaves them out."""
    whole_at = (get_cursor(work.ledger, cursor_name(work)) or {}).get("whole_at")
    if whole_at and work.ledger.now() - datetime.fromisoformat(whole_at) < FRESH:
        return
    _changes(work, pace, "archived", archived=True)


def keep(work: CrmWork, contacts: Sequence[Contact]) -> int:
    """Members as they were read; returns how many say something new."""
    if not contacts:
        return 0
    sweep = int((get_cursor(work.ledger, cursor_name(work)) or {}).get("sweep", 0))
    with work.ledger.writing() as connection:
        return kept.put_contacts(
            connection, work.book, contacts, work.terms.key_field, work.terms.names, work.ledger.now(), sweep
        )


def _changes(work: CrmWork, pace: Pace, name: str, *, archived: bool) -> dict[str, int]:
    since = (get_cursor(work.ledger, _cursor(work)) or {}).get(name)
    began = work.ledger.now()
    read = new = 0
    newest: datetime | None = None
    for page in _pages(work, pace, datetime.fromisoformat(since) if since else None, archived=archived):
        read += len(page)
        new += keep(work, page)
        newest = max([one.updated_at for one in page] + ([newest] if newest else []), default=None)
    if newest is not None:
        _remember(work, {name: _less(work, newest, began)})
    return {"members_read": read, "members_new_or_changed": new} if read else {}


def _pages(work: CrmWork, pace: Pace, since: datetime | None, *, archived: bool) -> Iterator[Sequence[Contact]]:
    after = ""
    while True:
        ask = partial(tool_of(work).changed_contacts, since, work.terms.names, archived=archived, after=after)
        page = pace.patiently(ask)
        yield page.contacts
        if not page.after:
            return
        after = page.after


def _less(work: CrmWork, newest: datetime | None, began: datetime) -> str | None:
    return (newest - (work.ledger.now() - began) - OVERLAP).isoformat() if newest else None


def _remember(work: CrmWork, values: dict[str, Any]) -> None:
    """Never backwards: a reading that took long would else begin before the one before it."""
    before = get_cursor(work.ledger, _cursor(work)) or {}
    for name, value in values.items():
        if value and (not before.get(name) or datetime.fromisoformat(before[name]) < datetime.fromisoformat(value)):
            before[name] = value
    with work.ledger.writing() as connection:
        put_cursor(connection, _cursor(work), before)


def _cursor(work: CrmWork) -> str:
    return f"members:{work.book}"
