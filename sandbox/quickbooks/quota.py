"""Limits for each company: calls a second, a minute, at once, batches a minute, and metered reads a month."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store

DEFAULTS: dict[str, int | None] = {
    "second": 10,
    "minute": 500,
    "concurrent": 10,
    "batch_minute": 40,
    "core_plus_month": None,
}
_SECONDS = {"second": 1, "minute": 60, "batch_minute": 60}
_LIMITS_FACT = "quickbooks.quota.limits"
_COUNTS_FACT = "quickbooks.quota.counts"


class OverLimit(Exception):
    """The call is one too many; nothing was done."""


class Quota:
    """Fixed windows on the sandbox clock; null means no limit."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._limits: dict[str, int | None] = DEFAULTS | json.loads(store.fact(_LIMITS_FACT) or "{}")
        self._counts: dict[str, list[int]] = json.loads(store.fact(_COUNTS_FACT) or "{}")

    def set(self, limits: dict[str, Any]) -> dict[str, Any]:
        """Change some limits. Raises ValueError and names the known ones."""
        for name, value in limits.items():
            if name not in DEFAULTS:
                raise ValueError(f"Unknown limit {name!r}. QuickBooks' limits: {', '.join(DEFAULTS)}.")
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} is a whole number of calls or null, not {value!r}")
        with self._lock:
            self._limits |= limits
        self._store.remember(_LIMITS_FACT, json.dumps(self._limits))
        return dict(self._limits)

    def used(self) -> dict[str, int]:
        """Metered calls of this month: Core (data in) and CorePlus (data out)."""
        with self._lock:
            return {name: self._used(name)[1] for name in ("core_month", "core_plus_month")}

    @contextmanager
    def admitted(self, batch: bool, reads: int, writes: int) -> Iterator[None]:
        """Count one call for as long as it lasts. Raises OverLimit, and then it does not count."""
        with self._lock:
            self._admit(batch, reads, writes)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def save(self) -> None:
        """Keep the counts, inside the transaction of the call."""
        with self._lock:
            counts = json.dumps(self._counts)
        self._store.remember(_COUNTS_FACT, counts)

    def _admit(self, batch: bool, reads: int, writes: int) -> None:
        adding = {"second": 1, "minute": 1, "batch_minute": int(batch), "core_plus_month": reads}
        limit = self._limits["concurrent"]
        if limit is not None and self._in_flight >= limit:
            raise OverLimit("concurrent")
        for name, more in adding.items():
            limit = self._limits[name]
            if more and limit is not None and self._used(name)[1] + more > limit:
                raise OverLimit(name)
        for name, more in (adding | {"core_month": writes}).items():
            window, used = self._used(name)
            self._counts[name] = [window, used + more]
        self._in_flight += 1

    def _used(self, name: str) -> tuple[int, int]:
        now = self._clock.now()
        window = int(now.timestamp() // _SECONDS[name]) if name in _SECONDS else now.year * 12 + now.month
        kept = self._counts.get(name)
        return (window, kept[1]) if kept and kept[0] == window else (window, 0)
