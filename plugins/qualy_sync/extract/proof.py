"""Which time stamp a list proves to sort on. Nothing is believed that the server has not shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from qualy_sync.contracts.source import Page, Source
from qualy_sync.model import Kind

from .rows import moment_of

CHANGED, CREATED, MADE = "updatedAt", "createdAt", "_id"


@dataclass(frozen=True, slots=True)
class Proof:
    """The field that newest-first reading can rely on (empty: none), and its newest value at that moment."""

    field: str = ""
    newest: datetime | None = None


def prove(source: Source, kind: Kind, *, changed_since: bool) -> Proof:
    """Tries time stamps from the most telling one on, by at most two pages each.

    A list of a single page proves nothing and needs nothing: it is read whole each time.
    """
    for field in (CHANGED, CREATED, MADE) if changed_since else (CREATED, MADE):
        newest_first = _page(source, kind, f"-{field}")
        if newest_first.last:
            return Proof()
        falling = moments(newest_first, field)
        if not falling or not descends(falling):
            continue
        oldest_first = _page(source, kind, field)
        rising = moments(oldest_first, field)
        if (
            rising
            and descends(rising[::-1])
            and rising[-1] <= falling[0]
            and _first(newest_first) != _first(oldest_first)
        ):
            return Proof(field, falling[0])
    return Proof()


def moments(page: Page, field: str) -> list[datetime]:
    """The time stamps of all rows of a page, or none where a row has none."""
    found = [moment_of(row, field) for row in page.rows]
    known = [moment for moment in found if moment is not None]
    return known if len(known) == len(found) and not page.strange else []


def descends(values: Sequence[datetime]) -> bool:
    return all(earlier >= later for earlier, later in pairwise(values))


def _page(source: Source, kind: Kind, sort: str) -> Page:
    return next(iter(source.pages(kind, sort=sort)))


def _first(page: Page) -> object:
    return page.rows[0].get("_id")
