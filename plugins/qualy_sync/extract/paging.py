"""Reading page after page without losing a row, however the list moves meanwhile.

Two pages share a few rows. A page that shares none with the one before it may have lost some to deletions: then the
reading steps back until it meets a row that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qualy_sync.contracts.errors import WrongShape
from qualy_sync.contracts.source import Page, Source
from qualy_sync.model import Kind

MOST_STEPS_BACK = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next page begins, and the ids of the last one if the two have to share some."""

    skip: int = 0
    known: frozenset[str] = frozenset()


def steady_pages(source: Source, kind: Kind, sort: str, place: Place, step: int) -> Iterator[tuple[Page, Place]]:
    """Pages from `place` on, each with the place behind it. `step` is how many rows the first step back takes.

    Raises WrongShape for a list without a stable order, besides what `source` raises.
    """
    steps = 0
    while True:
        for page in source.pages(kind, sort=sort, skip=place.skip):
            ids = ids_of(page)
            if place.known and place.skip and place.known.isdisjoint(ids):
                break
            received = len(page.rows) + len(page.strange)
            shares = page.skip < place.skip + received
            place = Place(page.skip, ids if shares else frozenset())
            yield page, place
            if page.last:
                return
        steps += 1
        if steps > MOST_STEPS_BACK:
            raise WrongShape(f"Qualy's list of {kind} has no stable order under sort={sort}; it cannot be read safely.")
        place = Place(max(0, place.skip - step * 2 ** min(steps - 1, 10)), place.known)


def ids_of(page: Page) -> frozenset[str]:
    """The ids on a page."""
    return frozenset(row["_id"] for row in page.rows if isinstance(row.get("_id"), str))
