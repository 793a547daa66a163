"""How many calls to HubSpot a first sync of many customers takes, into an empty account and into one that has them
already, and runs in which nothing changed. Each job opens the tool anew, as each task of a run does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from qualy_app import crm_jobs
from qualy_app.params import SyncParams
from sandbox.server import Sandbox
from tests.bench.people import customers as made
from tests.bench.people import fresh_ledger
from tests.cli.terminal import scrubbed
from tests.support.crm_world import CrmWorld

FIRST_MOST, QUIET_MOST = 25, 3  # the bars: for 1,000 customers; and for a quiet run, from the second on
PER_CALL = 100
DAY, HOUR = 25 * 3600, 3600


@dataclass(frozen=True, slots=True)
class Measured:
    """The calls of the first sync, with so many of the customers `there` before; of three runs after it, nothing having
    changed; and of one that reads the whole list, as one does each day."""

    customers: int
    there: int
    first: Sequence[dict[str, Any]]
    quiet: tuple[int, int, int]
    daily: int
    seconds: float

    @property
    def most(self) -> int:
        """The bar: so many for each 1,000 customers, and one for each 100 contacts that were there."""
        return max(FIRST_MOST, ceil(FIRST_MOST * self.customers / 1000)) + ceil(self.there / PER_CALL)

    @property
    def least(self) -> int:
        """The fewest by which it can be done. No call names the account, so that both tasks that call ask whose it is;
        properties are looked at, and made with their group; the whole list and the bin are read; full batches."""
        account, properties, bin_ = 2, 3, 1
        pages = max(1, ceil(self.there / PER_CALL))
        writes = ceil((self.customers - self.there) / PER_CALL) + ceil(self.there / PER_CALL)
        return account + properties + pages + bin_ + writes

    @property
    def in_bars(self) -> bool:
        return len(self.first) <= self.most and max(self.quiet[1:]) <= QUIET_MOST

    def by_kind(self) -> str:
        kinds = Counter(f"{call['method']} {_kind(call['path'])}" for call in self.first)
        return ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))


def measure(customers: int) -> list[Measured]:
    """Into an empty account, and into one that has everybody. Raises RuntimeError where not everybody arrived."""
    with Sandbox.start(payments=1, services=["qualy", "hubspot"]) as sandbox:
        return [_measured(sandbox, customers, there) for there in (0, customers)]


def _measured(sandbox: Sandbox, customers: int, there: int) -> Measured:
    people = made(customers)
    contacts = [{"properties": {"email": one["email"], "lifecyclestage": "lead"}} for one in people[:there]]
    with fresh_ledger() as url:
        world = CrmWorld(sandbox, url).begin(people, contacts)
        with scrubbed(world.environment()):
            began = time.monotonic()
            first = _calls(world, "first")
            seconds = time.monotonic() - began
            if len(world.contacts()) != customers or set(world.refs().values()) != {1} or world.unfinished():
                raise RuntimeError(f"Not everybody arrived: {Counter(world.outcomes().values())}")
            quiet = [len(_calls(world, f"quiet {number}")) for number in range(3)]
            world.pass_time(DAY)
            daily = len(_calls(world, "a day later"))
        world.ledger.close()
    return Measured(customers, there, first, (quiet[0], quiet[1], quiet[2]), daily, seconds)


def _calls(world: CrmWorld, name: str) -> list[dict[str, Any]]:
    """The calls of a run an hour later."""
    world.sandbox.control("DELETE", "calls/hubspot")
    world.pass_time(HOUR)
    world.extract()
    run = f"sync_hubspot/{name}"
    crm_jobs.check("hubspot", run, SyncParams(), by_clock=True)
    crm_jobs.plan("hubspot", run)
    crm_jobs.write("hubspot", run, 1)
    crm_jobs.into_qualy("hubspot", run, 1)
    return world.calls()


def _kind(path: str) -> str:
    """What was asked for, without version and ids."""
    for name in ("batch/read", "batch/create", "batch/update", "search", "groups", "details"):
        if path.endswith(f"/{name}"):
            return f"properties {name}" if "/properties/" in path else name
    return "properties" if "/properties/" in path else "list"
