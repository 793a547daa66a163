"""What a CRM run works with: the ledger, the tool, the terms, and the ports that tests replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from qualy_sync.contracts.crm import CrmTool, CustomerWriter
from qualy_sync.contracts.errors import OutOfQuota
from qualy_sync.contracts.source import Source
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.leases import Lease

from .suppression import Suppression
from .terms import Terms

LONGEST_WAIT = timedelta(seconds=15)
MOST_TURNS_AWAY = 5  # how often in a row the tool is asked again after it asked to wait
T = TypeVar("T")


class CrmProblem(Exception):
    """The run cannot go on; the message says why and what to do. Nothing was sent that is not remembered."""


class OutOfTime(Exception):
    """The task has worked as long as it may; the rest waits its turn."""


@dataclass(slots=True)
class CrmWork:
    """One run's tools. `writer` is None where nothing is written in Qualy. `only`: Qualy ids that may be touched.

    `shown`: the newest time stamp of the tool's in the answers to writes.
    """

    ledger: Ledger
    tool: CrmTool
    terms: Terms
    suppression: Suppression
    book: int
    run: int
    pin: int
    stand_in: bool = False
    source: Source | None = None
    writer: CustomerWriter | None = None
    only: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()  # records that a person asked to be tried once more
    sleep: Callable[[float], None] = time.sleep
    checkpoint: Callable[[str], None] = lambda name: None
    counts: dict[str, int] = field(default_factory=dict)
    shown: datetime | None = None

    def saw(self, at: datetime) -> None:
        """An answer to a write showed this time stamp."""
        self.shown = max(self.shown or at, at)

    def add(self, what: str, many: int = 1) -> None:
        if many:
            self.counts[what] = self.counts.get(what, 0) + many

    def today(self) -> date:
        """The day by which amounts are overdue, UTC."""
        return self.ledger.now().date()

    def lease(self) -> Lease:
        """Keeps writes to this tool and account, and what is merged with it, in one line."""
        return Lease(self.ledger, f"write:{self.tool.id}:{self.book}", timedelta(seconds=self.terms.pace.lease_seconds))


class Pace:
    """Says before each call whether it may go now, and waits where the tool asks to, if that is short."""

    def __init__(self, work: CrmWork, lease: Lease, minutes: int | None = None) -> None:
        self._work = work
        self._lease = lease
        self._ends = work.ledger.now() + timedelta(minutes=minutes or work.terms.pace.load_minutes)

    def before_call(self) -> None:
        """Renews the lease. Raises OutOfTime, LeaseLost."""
        if self._work.ledger.now() >= self._ends:
            raise OutOfTime
        self._lease.renew()

    def patiently(self, read: Callable[[], T]) -> T:
        """What `read` gives, after waits that are short. Raises OutOfQuota where the tool asks for a long one."""
        for _ in range(MOST_TURNS_AWAY):
            self.before_call()
            try:
                return read()
            except OutOfQuota as refusal:
                self.wait(refusal)
        raise OutOfQuota(f"{self._work.tool.title} keeps asking to wait.", "rate", None)

    def wait(self, refusal: OutOfQuota) -> None:
        """Waits as long as the tool asks; raises it again where that is long."""
        until: datetime | None = refusal.until
        seconds = (until - self._work.ledger.now()).total_seconds() if until else 1.0
        if seconds > LONGEST_WAIT.total_seconds():
            raise refusal
        if seconds > 0:
            self._work.sleep(seconds)
        self._lease.renew()
