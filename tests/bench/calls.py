"""How many calls to the accounting tool a first sync takes, and a run in which nothing changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from tests.bench import made
from tests.bench.world import EXTRACT, SYNC, World

FIRST_MOST, CLOCK_MOST, EVENT_MOST = 100, 8, 0  # the bars; the first one for 1,000 payments with 1,000 splits
# Accounts, tax rates, currencies and what the connection's user may do: read once a day, whatever the runs.
DAILY = ("/Accounts", "/TaxRates", "/Currencies", "/Organisation/Actions")
PER_WRITE, PER_READ = 50, 1000
TASKS_THAT_WRITE = 3


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one run, those for tokens apart."""

    asked: Sequence[dict[str, Any]]

    @property
    def daily(self) -> int:
        """What is read once a day."""
        return sum(call["path"].endswith(DAILY) for call in self.asked)

    @property
    def writes(self) -> int:
        return sum(call["method"] != "GET" for call in self.asked)

    @property
    def number(self) -> int:
        """All but those that are made once a day."""
        return len(self.asked) - self.daily

    def by_kind(self) -> str:
        kinds = Counter(f"{call['method']} {call['path'].rpartition('/')[2]}" for call in self.asked)
        return ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))


@dataclass(frozen=True, slots=True)
class Measured:
    """The calls of the first sync, of a run by an event and of one by the clock after it, nothing having changed."""

    payments: int
    written: int
    first: Calls
    by_event: Calls
    by_clock: Calls

    @property
    def in_bars(self) -> bool:
        bar = FIRST_MOST if self.payments <= 1000 else self.least + FIRST_MOST
        quiet = self.by_clock.writes == 0 and self.by_clock.number + self.by_clock.daily <= CLOCK_MOST
        return self.first.number <= bar and quiet and len(self.by_event.asked) <= EVENT_MOST

    @property
    def least(self) -> int:
        return least(self.payments)


def least(payments: int) -> int:
    """The fewest calls by which so many payments, with a split each, can be written by the write protocol.

    Full batches: contacts and suppliers, invoices, bills, settlements. One call for which organisation it is. For each
    task that writes the organisation with its lock dates, but for the first, which has those of the plan, and a look at
    what is there before it writes; full pages of what was written, as the next task and reconciliation need it.
    """
    writes = ceil((payments + made.PARTNERS) / PER_WRITE) + ceil(2 * payments / PER_WRITE) + ceil(payments / PER_WRITE)
    look_first = TASKS_THAT_WRITE + ceil(2 * payments / PER_READ)
    reconcile = ceil(payments / PER_READ) * 2
    return writes + 1 + TASKS_THAT_WRITE + look_first + reconcile


def measure(payments: int) -> Measured:
    """Three runs on the made data set. Raises RuntimeError where not everything was written."""
    with World(payments=1) as world:
        world.control("POST", "load/qualy", made.objects(payments, datetime.now(UTC)))
        stages = world.run("first", ["prepare", *EXTRACT, *SYNC])
        first = Calls(world.calls())
        counts = {stage.name: stage.counts for stage in stages}
        written = sum(counts[name].get(code, 0) for name, code in _WRITTEN)
        if written != 4 * payments + made.PARTNERS or counts["reconcile"]["differences"]:
            raise RuntimeError(f"Not everything was written: {counts}")
        world.run("event", [*EXTRACT, *SYNC])
        by_event = Calls(world.calls())
        world.an_hour_later()
        world.run("clock", ["an hour later", *EXTRACT, *SYNC], by_clock=True)
        return Measured(payments, written, first, by_event, Calls(world.calls()))


_WRITTEN = (("contacts", "created"), ("documents", "created"), ("settlements", "paid"))
