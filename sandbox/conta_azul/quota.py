"""Conta Azul's limits: calls per second and per minute for each company, whichever app makes them."""

from __future__ import annotations

import json
import threading
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store

DEFAULTS: dict[str, int | None] = {"per_second": 10, "per_minute": 600}
_SECONDS = {"per_second": 1, "per_minute": 60}
_FACT = "conta_azul.quota"


class Quota:
    """Fixed windows on the sandbox clock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._limits: dict[str, int | None] = DEFAULTS | json.loads(store.fact(_FACT) or "{}")
        self._counts: dict[str, tuple[int, int]] = {}

    def set(self, limits: dict[str, Any]) -> dict[str, int | None]:
        """Change some limits; None takes one away. Raises ValueError and names the known ones."""
        for name, value in limits.items():
            if name not in DEFAULTS:
                raise ValueError(f"Unknown limit {name!r}. Conta Azul's limits: {', '.join(DEFAULTS)}.")
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} is a whole number of calls or null, not {value!r}")
        with self._lock:
            self._limits |= limits
        self._store.remember(_FACT, json.dumps(self._limits))
        return dict(self._limits)

    def admit(self) -> int | None:
        """Count one call; else the seconds until there is room, and the call does not count."""
        now = self._clock.now().timestamp()
        with self._lock:
            used = {name: self._used(name, now) for name in _SECONDS}
            waits = [
                max(1, int(_SECONDS[name] - now % _SECONDS[name] + 0.999))
                for name, (_, count) in used.items()
                if (limit := self._limits[name]) is not None and count >= limit
            ]
            if waits:
                return max(waits)
            self._counts = {name: (window, count + 1) for name, (window, count) in used.items()}
        return None

    def _used(self, name: str, now: float) -> tuple[int, int]:
        window = int(now // _SECONDS[name])
        kept = self._counts.get(name)
        return kept if kept and kept[0] == window else (window, 0)
