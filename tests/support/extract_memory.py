"""`python -m tests.support.extract_memory URL`: peak memory of extracting 1,600 and 4,800 payments, as a JSON list."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from qualy_sync.contracts.source import Page
from qualy_sync.extract import extract
from qualy_sync.ledger import Ledger
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings

DAY = timedelta(days=1)
T = TypeVar("T")
ITEM = {"_id": "1", "name": "Tuition", "category": "Tuition", "amount": 90_000}
TEMPLATE = {"contact": "c", "currency": "AUD", "items": [ITEM] * 3, "createdAt": "2026-06-01T00:00:00.000Z"}


class Endless:
    """A source of many equal payments, without a server beside it that would count in."""

    stand_in, tenant, filters = True, "tenant", False

    def __init__(self, many: int) -> None:
        self.many = many

    def whoami(self) -> dict[str, Any]:
        return {}

    def one(self, kind: Kind, record_id: str) -> None:
        return None

    def pages(self, kind: Kind, *, sort: str, skip: int = 0, only: Any = None) -> Iterator[Page]:
        many = self.many if kind is Kind.PAYMENT else 0
        places = range(skip, many, 100)
        for start in places:
            rows = tuple({**TEMPLATE, "_id": f"{i:024x}"} for i in range(start, min(start + 100, many)))
            yield Page(rows, (), start + len(rows), start + 100 >= many)
        if not places:
            yield Page((), (), skip, True)


def most_held(work: Callable[[], T]) -> tuple[int, T]:
    """The most bytes that some work held at once, and what it gave."""
    usual = gc.get_threshold()
    gc.set_threshold(100, 5, 5)  # garbage that only waits to be collected is not what grows
    tracemalloc.start()
    done = work()
    high = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    gc.set_threshold(*usual)
    return high, done


def peak(ledger: Ledger, many: int) -> int:
    """The most bytes that one extraction of so many payments held at once."""
    high, done = most_held(lambda: extract(ledger, Endless(many), SourceSettings()))
    counts = done.counts["kinds"]["payment-intents"]
    if counts["new"] + counts["unchanged"] != many:
        raise SystemExit(f"not every payment was read: {counts}")
    return high


def main(url: str) -> None:
    ledger = Ledger(url)
    peak(ledger, 200)  # what is kept for good, such as prepared statements, is there before the first measuring
    ledger.move_clock(DAY)
    few = peak(ledger, 1600)
    ledger.move_clock(DAY)
    print(json.dumps([few, peak(ledger, 4800)]))


if __name__ == "__main__":
    main(sys.argv[1])
