"""How fast one process calls QuickBooks: its own share of the limits, kept before anything is sent.

Limits per company and app (Intuit, "Limits and throttles"): 10 requests a second, 500 a minute, 40 batches a minute.
QuickBooks does not say what is left of them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls that this connection may make; zero: no limit of our own. From the connection's extra."""

    second: int = 10
    minute: int = 500
    batches: int = 40

    @classmethod
    def of(cls, extra: Mapping[str, str]) -> Rates:
        """`calls_per_second`, `calls_per_minute`, `batches_per_minute`; what is no number there does not count."""
        given = {
            name: extra.get(key, "").strip()
            for name, key in (
                ("second", "calls_per_second"),
                ("minute", "calls_per_minute"),
                ("batches", "batches_per_minute"),
            )
        }
        return cls(**{name: int(value) for name, value in given.items() if value.isdigit()})


class Pacer:
    """Counts the calls of the last minute. Waits out the second by itself; a minute is the caller's to wait for."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._calls: deque[float] = deque()
        self._batches: deque[float] = deque()

    def wait(self, batch: bool) -> float:
        """Seconds until a call may be made by the limits of a minute; zero: now."""
        now = time.monotonic()
        waits = [_wait(self._calls, self._rates.minute, MINUTE, now)]
        if batch:
            waits.append(_wait(self._batches, self._rates.batches, MINUTE, now))
        return max(waits)

    def note(self, batch: bool) -> None:
        """A call is made now; waits the part of a second that the limit of a second asks for."""
        pause = _wait(self._calls, self._rates.second, 1.0, time.monotonic())
        if pause:
            time.sleep(pause)
        now = time.monotonic()
        self._calls.append(now)
        if batch:
            self._batches.append(now)


def _wait(made: deque[float], most: int, seconds: float, now: float) -> float:
    while made and made[0] <= now - MINUTE:
        made.popleft()
    if not most or len(made) < most:
        return 0.0
    return max(0.0, made[-most] + seconds - now)
