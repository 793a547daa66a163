"""How many calls to Mailchimp a first sync of many customers takes, and a run in which nothing changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.server import Sandbox
from tests.bench.people import customers as made
from tests.bench.people import fresh_ledger
from tests.support.audience_world import AudienceWorld

FIRST_MOST, QUIET_MOST = 20, 1  # the bars: for 1,000 customers besides the fields that are made; and for a quiet run


@dataclass(frozen=True, slots=True)
class Measured:
    """The calls of the first sync into an empty audience, and of the two runs after it, nothing having changed."""

    customers: int
    first: Sequence[dict[str, Any]]
    quiet: tuple[int, int]
    seconds: float

    @property
    def fields(self) -> int:
        """Calls that made a merge field, one for each."""
        return sum(_makes_a_field(call) for call in self.first)

    @property
    def number(self) -> int:
        return len(self.first) - self.fields

    @property
    def in_bars(self) -> bool:
        many = max(FIRST_MOST, FIRST_MOST * self.customers / 1000)
        return self.number <= many and max(self.quiet) <= QUIET_MOST

    def by_kind(self) -> str:
        kinds = Counter(f"{call['method']} {_kind(call['path'])}" for call in self.first if not _makes_a_field(call))
        return ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))


def measure(customers: int) -> Measured:
    """Raises RuntimeError where not everybody arrived."""
    with fresh_ledger() as url, Sandbox.start(payments=1, services=["qualy", "mailchimp"]) as sandbox:
        world = AudienceWorld(sandbox, url).begin(made(customers))
        began = time.monotonic()
        if not world.run():
            raise RuntimeError(f"The run stopped: {world.problems}")
        seconds = time.monotonic() - began
        first = world.asked()
        arrived = [one for one in world.members().values() if one["tags"] and one["merge_fields"]["QID"]]
        if len(arrived) != customers or set(world.outcomes().values()) != {"created"}:
            raise RuntimeError(f"Not everybody arrived: {len(arrived)}, {Counter(world.outcomes().values())}")
        quiet = []
        for _ in range(2):
            world.count_anew()
            world.later()
            quiet.append(len(world.asked()))
        world.ledger.close()
        return Measured(customers, first, (quiet[0], quiet[1]), seconds)


def _makes_a_field(call: dict[str, Any]) -> bool:
    return call["method"] == "POST" and str(call["path"]).endswith("/merge-fields")


def _kind(path: str) -> str:
    """The path without what is one record's."""
    for name in ("batch-results", "batches", "merge-fields", "members"):
        if f"/{name}" in path:
            return name
    return "lists"
