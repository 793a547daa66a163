"""How fast records go through the core, and whether its memory grows with their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.world import EXTRACT, SYNC, Stage, World

MOST_GROWTH = 1.3  # times as much memory for ten times the payments
STAGES = tuple(stage for stage in (*EXTRACT, *SYNC) if stage not in ("publish", "backlog"))


@dataclass(frozen=True, slots=True)
class Size:
    """A first sync of so many payments of the stand-in's own data, each job in a process of its own."""

    payments: int
    records: int
    stages: Sequence[Stage]

    @property
    def peak_mib(self) -> float:
        return max(stage.peak_mib for stage in self.stages)

    def rate(self, *names: str) -> float:
        """Records per second through these stages (all where none is named), waiting for disk and stand-in included."""
        return self.records / sum(stage.seconds for stage in self.stages if not names or stage.name in names)

    def own_rate(self, *names: str) -> float:
        """Records per second that the core itself computes."""
        return self.records / sum(stage.own for stage in self.stages if not names or stage.name in names)


def measure(payments: int, tell: Callable[[Stage], None]) -> Size:
    """A first sync, stage by stage; `tell` hears of each at its end."""
    stages: list[Stage] = []
    with World(payments) as world:
        world.run("grown", ["prepare"])
        for name in STAGES:
            stages += world.run("grown", [name])
            tell(stages[-1])
    records = next(stage.counts["records"] for stage in stages if stage.name == "plan")
    return Size(payments, records, stages)
