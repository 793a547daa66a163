"""How many calls to the accounting tool a first sync takes, and a run in which nothing changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.bench import made
from tests.bench.tools import EVENT_MOST, Tool
from tests.bench.world import EXTRACT, SYNC, World


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one run, those for tokens apart."""

    asked: Sequence[dict[str, Any]]
    tool: Tool

    @property
    def daily(self) -> int:
        """What is read once a day."""
        return sum(call["path"].endswith(self.tool.daily) for call in self.asked)

    @property
    def writes(self) -> int:
        return sum(self.tool.is_write(call) for call in self.asked)

    @property
    def number(self) -> int:
        """All but those that are made once a day."""
        return len(self.asked) - self.daily

    def by_kind(self) -> str:
        kinds = Counter(f"{call['method']} {_last_word(call['path'])}" for call in self.asked)
        return ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))


@dataclass(frozen=True, slots=True)
class Measured:
    """The calls of the first sync, of a run by an event and of one by the clock after it, nothing having changed."""

    tool: Tool
    payments: int
    written: int
    first: Calls
    by_event: Calls
    by_clock: Calls

    @property
    def in_bars(self) -> bool:
        quiet = self.by_clock.writes == 0 and self.by_clock.number + self.by_clock.daily <= self.tool.clock_most
        return self.first.number <= self.most and quiet and len(self.by_event.asked) <= EVENT_MOST

    @property
    def least(self) -> int:
        return self.tool.least(self.payments)

    @property
    def most(self) -> int:
        return self.tool.most(self.payments)


def _last_word(path: str) -> str:
    """The last part of an address that is no id."""
    return next(part for part in reversed(path.split("/")) if not re.fullmatch(r"[0-9a-f-]{32,36}", part))


def measure(tool: Tool, payments: int) -> Measured:
    """Three runs on the made data set. Raises RuntimeError where not everything was written."""
    with World(payments=1, tool=tool) as world:
        world.control("POST", "load/qualy", made.objects(payments, datetime.now(UTC), tool.currency))
        if tool.slowed:
            world.control("POST", f"faults/{tool.id}", list(tool.slowed))
        stages = world.run("first", ["prepare", *EXTRACT, *SYNC])
        first = Calls(world.calls(), tool)
        counts = {stage.name: stage.counts for stage in stages}
        written = sum(counts[name].get(code, 0) for name, code in _WRITTEN)
        if written != 4 * payments + made.PARTNERS or counts["reconcile"]["differences"]:
            raise RuntimeError(f"Not everything was written: {counts}")
        world.run("event", [*EXTRACT, *SYNC])
        by_event = Calls(world.calls(), tool)
        world.an_hour_later()
        world.run("clock", ["an hour later", *EXTRACT, *SYNC], by_clock=True)
        return Measured(tool, payments, written, first, by_event, Calls(world.calls(), tool))


_WRITTEN = (("contacts", "created"), ("documents", "created"), ("settlements", "paid"))
