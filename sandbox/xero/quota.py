"""Xero's limits: calls at once, per minute and per day for each organisation, and per minute for the whole app."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store

TIERS = {"starter": 1_000, "core": 5_000}
DEFAULTS = {"minute": 60, "day": TIERS["core"], "concurrent": 5, "app_minute": 10_000}
_SECONDS = {"minute": 60, "app_minute": 60, "day": 86_400}
_NAMES = {"minute": "minute", "day": "day", "concurrent": "concurrent", "app_minute": "appminute"}
_LIMITS_FACT = "xero.quota.limits"
_COUNTS_FACT = "xero.quota.counts"


class OverLimit(Exception):
    """The call is one too many; nothing was done."""

    def __init__(self, limit: str, retry_after: int | None) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_after = retry_after


class Quota:
    """Fixed windows on the sandbox clock. Each organisation's windows turn at a moment of its own."""

    def __init__(self, store: Store, clock: Clock, tenant: str) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._shift = {"minute": zlib.crc32(tenant.encode()) % 60, "day": zlib.crc32(tenant.encode()) % 86_400}
        self._in_flight = 0
        self._limits: dict[str, int] = DEFAULTS | json.loads(store.fact(_LIMITS_FACT) or "{}")
        self._counts: dict[str, list[int]] = json.loads(store.fact(_COUNTS_FACT) or "{}")

    def set(self, limits: dict[str, Any]) -> dict[str, int]:
        """Change some limits; ``tier`` sets the day's by name. Raises ValueError and names the known ones."""
        changed = dict(limits)
        if "tier" in changed:
            tier = changed.pop("tier")
            if tier not in TIERS:
                raise ValueError(f"tier is one of {', '.join(TIERS)}, not {tier!r}")
            changed["day"] = TIERS[tier]
        for name, value in changed.items():
            if name not in DEFAULTS:
                raise ValueError(f"Unknown limit {name!r}. Xero's limits: {', '.join(DEFAULTS)}, tier.")
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} is a whole number of calls, not {value!r}")
        with self._lock:
            self._limits |= changed
        self._store.remember(_LIMITS_FACT, json.dumps(self._limits))
        return dict(self._limits)

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Count one call for as long as it lasts. Raises OverLimit, and then it does not count."""
        with self._lock:
            self._admit()
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def headers(self) -> dict[str, str]:
        """What is left, as every answer says it."""
        with self._lock:
            return {
                "X-DayLimit-Remaining": str(self._left("day")),
                "X-MinLimit-Remaining": str(self._left("minute")),
                "X-AppMinLimit-Remaining": str(self._left("app_minute")),
            }

    def save(self) -> None:
        """Keep the counts, inside the transaction of the call."""
        with self._lock:
            counts = json.dumps(self._counts)
        self._store.remember(_COUNTS_FACT, counts)

    def _admit(self) -> None:
        if self._in_flight >= self._limits["concurrent"]:
            raise OverLimit(_NAMES["concurrent"], None)
        for name in ("app_minute", "minute", "day"):
            if self._left(name) <= 0:
                wait = None if name == "app_minute" else self._seconds_left(name)
                raise OverLimit(_NAMES[name], wait)
        for name in _SECONDS:
            window, used = self._used(name)
            self._counts[name] = [window, used + 1]
        self._in_flight += 1

    def _left(self, name: str) -> int:
        return max(0, self._limits[name] - self._used(name)[1])

    def _used(self, name: str) -> tuple[int, int]:
        window = int(self._position(name) // _SECONDS[name])
        kept = self._counts.get(name)
        return (window, kept[1]) if kept and kept[0] == window else (window, 0)

    def _seconds_left(self, name: str) -> int:
        return max(1, int(_SECONDS[name] - self._position(name) % _SECONDS[name] + 0.999))

    def _position(self, name: str) -> float:
        return self._clock.now().timestamp() + self._shift.get(name, 0)
