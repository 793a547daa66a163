"""Reading a changing list page by page without missing a record. Pure but for the call that it is given.

Numbered pages alone miss records: one that changes while it is being read moves to the end, everything behind it
moves up by one, and the first record of the next page is never seen. So after each page the question is asked anew,
from the time of the last record on; what comes twice is dropped. Where more than a page of records was changed
within a second that does not help: such a stretch is read by page numbers until two readings in a row are equal,
which proves that nothing in it moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from qualy_sync.contracts.accounting import EachAnswer, Remote
from qualy_sync.contracts.errors import AnswerLost

OVERLAP = timedelta(seconds=1)  # the tools compare to the second; whether they include that second is not documented
MOST_READINGS = 20


@dataclass(frozen=True, slots=True)
class Part:
    """One page in the order of last change, and whether the tool says that it is the last one."""

    records: Sequence[Remote]
    last: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """The pages from a moment to the next moment from which can be asked anew (None: to the end of the list)."""

    pages: Sequence[Sequence[Remote]]
    then: datetime | None


Fetch = Callable[[datetime | None, int], Part]


def watched(fetch: Fetch, each_answer: EachAnswer) -> Fetch:
    """The same, telling of each page that came."""

    def asked(start: datetime | None, page: int) -> Part:
        part = fetch(start, page)
        each_answer()
        return part

    return asked


def walk(fetch: Fetch, since: datetime | None) -> Iterator[Sequence[Remote]]:
    """Pages of records changed since, each state of a record once, to the end of the list.

    Raises AnswerLost for a list that does not hold still.
    """
    start = _from(since) if since else None
    seen: set[Remote] = set()
    before: Sequence[Sequence[Remote]] = ()
    readings = 0
    while True:
        stretch = _read(fetch, start)
        for page in stretch.pages:
            fresh = [record for record in page if record not in seen]
            seen.update(fresh)
            if fresh:
                yield fresh
        readings += 1
        if len(stretch.pages) > 1 and stretch.pages != before:
            if readings == MOST_READINGS:
                raise AnswerLost("The list kept changing while it was read. Nothing was changed by us; try again.")
            before = stretch.pages
            continue
        if stretch.then is None:
            return
        start, before, readings = stretch.then, (), 0
        seen = {record for record in seen if record.updated_at >= start}


def newest(records: Iterable[Remote]) -> tuple[Remote, ...]:
    """Each record once, in its newest state: one that changes during a search comes twice."""
    found: dict[tuple[type, str], Remote] = {}
    for record in records:
        known = found.get((type(record), record.id))
        if known is None or record.updated_at >= known.updated_at:
            found[type(record), record.id] = record
    return tuple(found.values())


def _read(fetch: Fetch, start: datetime | None) -> Stretch:
    pages: list[Sequence[Remote]] = []
    while True:
        part = fetch(start, len(pages) + 1)
        if part.records:
            pages.append(part.records)
        if part.last or not part.records:
            return Stretch(pages, None)
        times = [record.updated_at for page in pages for record in page]
        then = _from(times[-1])
        if times == sorted(times) and (start is None or then > start):
            return Stretch(pages, then)


def _from(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) - OVERLAP
