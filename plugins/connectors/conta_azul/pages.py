"""Reading a numbered list whole. Pure but for the call that it is given.

Pages have no cursor, and rows that come or change meanwhile move the others. So the window is fixed, rows are told by
their id, and a list is whole when it gave as many as it counts; where it did not, it is read until two readings agree
(some counters are wrong). A short page is the last one only where it makes up the count: it may be shorter than what
was asked for. Otherwise the last one is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.conta_azul.fields import Row, identifier
from qualy_sync.contracts.errors import AnswerLost

PAGE_SIZE = 1000  # one of the allowed sizes: 10, 20, 50, 100, 200, 500, 1000
MOST_PAGES = 10_000
MOST_READINGS = 6


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, and how many the list counts in all (None where it does not say)."""

    rows: Sequence[Row]
    total: int | None


Fetch = Callable[[int], Page]


def whole(fetch: Fetch) -> list[Row]:
    """Every row once. Raises AnswerLost for a list that does not hold still."""
    before: set[str] | None = None
    for _ in range(MOST_READINGS):
        found, total = _once(fetch)
        if total == len(found) or set(found) == before:
            return list(found.values())
        before = set(found)
    raise AnswerLost("Conta Azul's list kept changing while it was read. Nothing was changed by us; try again.")


def _once(fetch: Fetch) -> tuple[dict[str, Row], int | None]:
    found: dict[str, Row] = {}
    for number in range(1, MOST_PAGES):
        page = fetch(number)
        found |= {identifier(row, "id"): row for row in page.rows}
        enough = page.total is not None and len(found) >= page.total
        if not page.rows or (len(page.rows) < PAGE_SIZE and enough):
            return found, page.total
    raise AnswerLost("Conta Azul's list has no end.")
