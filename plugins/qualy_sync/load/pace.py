"""Pace: the tool's quotas obeyed with a reserve kept, in waits that are short and visible."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from qualy_sync.contracts.errors import OutOfQuota
from qualy_sync.ledger.leases import Lease

from .work import Work

log = logging.getLogger("qualy_sync.load")

LONGEST_WAIT = timedelta(seconds=75)
WINDOW = timedelta(seconds=60)
HEARTBEAT_SECONDS = 5.0
MOST_TURNS_AWAY = 5  # how often in a row the tool is asked again after it asked to wait

T = TypeVar("T")


class OutOfTime(Exception):
    """The load has worked as long as it may; the rest waits its turn."""


class Pace:
    """Says before each call whether it may go now; waits where that is short; raises where it is not.

    The lease is renewed while it waits: a wait may be longer than the lease lasts.
    """

    def __init__(self, work: Work, lease: Lease) -> None:
        self._work = work
        self._lease = lease
        self._started = work.ledger.now()
        self._ends = self._started + timedelta(minutes=work.accounting.pace.load_minutes)
        self._window_start = self._started
        self._minute_left: int | None = None

    def before_call(self) -> None:
        """Raises OutOfTime or OutOfQuota where no call may be made now."""
        now = self._work.ledger.now()
        if now >= self._ends:
            raise OutOfTime
        quota, pace = self._work.tool.quota, self._work.accounting.pace
        if quota.day is not None and quota.day <= pace.day_reserve:
            raise OutOfQuota(
                f"{self._work.tool.title}'s daily calls are used up but for the reserve of {pace.day_reserve}.",
                "daily",
                None,
            )
        if quota.minute is None:
            return
        if self._minute_left is not None and quota.minute > self._minute_left:
            self._window_start = now  # the tool opened a new window
        self._minute_left = quota.minute
        if quota.minute <= pace.minute_reserve:
            self.wait_until(self._window_start + WINDOW, "per-minute")
            self._window_start, self._minute_left, quota.minute = self._work.ledger.now(), None, None

    def patiently(self, read: Callable[[], T]) -> T:
        """What `read` gives. Where the tool asks to wait, and that is short, waits and reads again."""
        for _ in range(MOST_TURNS_AWAY):
            self.before_call()
            try:
                return read()
            except OutOfQuota as refusal:
                if refusal.until is None:
                    raise
                self.wait_until(refusal.until, refusal.limit)
        raise OutOfQuota(f"{self._work.tool.title} keeps asking to wait.", "rate", None)

    def wait_until(self, until: datetime, limit: str) -> None:
        """Waits, if that is short and within the load's time; else raises OutOfQuota."""
        now = self._work.ledger.now()
        seconds = (until - now).total_seconds()
        if seconds <= 0:
            return
        if until - now > LONGEST_WAIT or until >= self._ends:
            raise OutOfQuota(f"{self._work.tool.title}'s {limit} calls are used up.", limit, until)
        log.info("Waiting %.0f s: %s's %s calls are used up.", seconds, self._work.tool.title, limit)
        while seconds > 0:
            self._work.sleep(min(seconds, HEARTBEAT_SECONDS))
            self._work.checkpoint("waiting")
            self._lease.renew()
            left = (until - self._work.ledger.now()).total_seconds()
            seconds = min(left, seconds - min(seconds, HEARTBEAT_SECONDS)) if left < seconds else left
