"""Limits (``/control/quota``) and open readings (``/control/readings``), kept in the store."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.mailchimp.answers import Json
from sandbox.store import Store

LIMITS: dict[str, float] = {
    "connections": 10,
    "answer_seconds": 0,
    "merge_fields": 30,
    "open_batches": 500,
    "operations_per_batch": 500,
    "batch_pending_seconds": 2,
    "batch_preprocessing_seconds": 3,
    "batch_started_seconds": 10,
    "batch_finalizing_seconds": 5,
    "result_url_seconds": 600,
    "batch_kept_days": 7,
}
READINGS: dict[str, tuple[Any, ...]] = {
    "overload": (429, 403),
    "empty_errors": (False, True),
    "list_shows_archived": (False, True),
    "put_revives_archived": (False, True),
    "null_merge_value": ("ignored", "clears", "refused"),
    "batch_order": ("shuffled", "given"),
}


class OverLimit(Exception):
    """The connection is one too many; nothing was done."""


class Knobs:
    """What a test tightened or switched; the rest has its default."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._in_flight = 0
        self._limits: dict[str, float] = LIMITS | json.loads(store.fact("mailchimp.limits") or "{}")
        self._readings: Json = {name: values[0] for name, values in READINGS.items()}
        self._readings |= json.loads(store.fact("mailchimp.readings") or "{}")

    def limit(self, name: str) -> float:
        """One limit."""
        return self._limits[name]

    def reading(self, name: str) -> Any:
        """Which reading of an open question is in force."""
        return self._readings[name]

    def readings(self) -> Json:
        """All of them."""
        return dict(self._readings)

    def set_limits(self, limits: Json) -> dict[str, float]:
        """Change some limits. Raises ValueError and names the known ones."""
        for name, value in limits.items():
            if name not in LIMITS:
                raise ValueError(f"Unknown limit {name!r}. Mailchimp's limits: {', '.join(LIMITS)}.")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name} is a number from 0, not {value!r}.")
        self._limits |= limits
        self._store.remember("mailchimp.limits", json.dumps(self._limits))
        return dict(self._limits)

    def set_readings(self, readings: Json) -> Json:
        """Switch some readings. Raises ValueError and names the known ones."""
        for name, value in readings.items():
            if name not in READINGS:
                raise ValueError(f"Unknown reading {name!r}. Known: {', '.join(READINGS)}.")
            if value not in READINGS[name]:
                raise ValueError(f"{name} is one of {', '.join(map(repr, READINGS[name]))}, not {value!r}.")
        self._readings |= readings
        self._store.remember("mailchimp.readings", json.dumps(self._readings))
        return self.readings()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """One connection of the account, as long as its call lasts. Raises OverLimit."""
        with self._lock:
            if self._in_flight >= self._limits["connections"]:
                raise OverLimit
            self._in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1
