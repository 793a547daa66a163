"""HubSpot's limits: ten-second window per token, day and searches per second for the account."""

from __future__ import annotations

import json
import math
from collections import deque
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.hubspot import readings
from sandbox.hubspot.access import Caller
from sandbox.hubspot.answers import Refused
from sandbox.store import Store

DEFAULTS = {"ten_seconds": 190, "daily": 625_000, "search_per_second": 5}
ZONES = {"au": "Australia/Sydney", "us": "America/New_York", "br": "America/Sao_Paulo"}
WINDOW_SECONDS = 10
_LIMITS_FACT = "hubspot.limits"
_DAY_FACT = "hubspot.day"


class Quota:
    """Rolling windows on the sandbox clock. The day ends at midnight in the account's time zone."""

    def __init__(self, store: Store, clock: Clock, profile: str) -> None:
        self._store = store
        self._clock = clock
        self._zone = ZoneInfo(ZONES[profile])
        self._limits: dict[str, int] = DEFAULTS | json.loads(store.fact(_LIMITS_FACT) or "{}")
        self._calls: dict[str, deque[float]] = {}
        self._searches: deque[float] = deque()
        self._day: list[Any] = json.loads(store.fact(_DAY_FACT) or '["", 0]')

    def set(self, limits: dict[str, Any]) -> dict[str, Any]:
        """Change some limits. ValueError names the known ones."""
        for name, value in limits.items():
            if name not in DEFAULTS:
                raise ValueError(f"HubSpot's stand-in has no limit {name!r}, only {', '.join(DEFAULTS)}.")
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} is a whole number of calls, not {value!r}.")
        self._limits |= limits
        self._store.remember(_LIMITS_FACT, json.dumps(self._limits))
        return dict(self._limits)

    def count(self, caller: Caller, search: bool) -> None:
        """Count one call. Raises Refused with one of the two kinds of 429, and then it does not count."""
        now = self._clock.now().timestamp()
        if self._used_today() >= self._limits["daily"]:
            raise self._over("DAILY", "You have reached your daily limit.")
        if search:
            self._admit(self._searches, now, 1, self._limits["search_per_second"], None)
        else:
            window = self._calls.setdefault(caller.token, deque())
            self._admit(window, now, WINDOW_SECONDS, self._limits["ten_seconds"], "TEN_SECONDLY_ROLLING")
        self._day = [self._today().isoformat(), self._used_today() + 1]
        self._store.remember(_DAY_FACT, json.dumps(self._day))

    def headers(self, caller: Caller, search: bool) -> dict[str, str]:
        """What the answer says of the limits; under OAuth nothing of the day, from search nothing of the window."""
        said: dict[str, int] = {}
        if not caller.oauth:
            left = max(0, self._limits["daily"] - self._used_today())
            said |= {"Daily": self._limits["daily"], "Daily-Remaining": left}
        if not search:
            most = self._limits["ten_seconds"]
            left = max(0, most - len(self._calls.get(caller.token, ())))
            said |= {"Interval-Milliseconds": WINDOW_SECONDS * 1000, "Max": most, "Remaining": left}
            secondly = math.ceil(most / WINDOW_SECONDS)
            said |= {"Secondly": secondly, "Secondly-Remaining": max(0, min(secondly, left))}
        return {f"X-HubSpot-RateLimit-{name}": str(value) for name, value in said.items()}

    def _admit(self, window: deque[float], now: float, seconds: int, limit: int, policy: str | None) -> None:
        while window and not now - seconds < window[0] <= now:
            window.popleft()
        if len(window) >= limit:
            if policy is None:
                raise self._over(None, "You have reached your secondly limit.")
            raise self._over(policy, f"You have reached your {policy.lower()} limit.")
        window.append(now)

    def _over(self, policy: str | None, message: str) -> Refused:
        wait = readings.read(self._store).retry_after
        headers = {} if wait is None else {"Retry-After": str(math.ceil(wait))}
        if policy is None:
            return Refused(429, "RATE_LIMITS", message, headers=headers)
        more = {"errorType": "RATE_LIMIT", "policyName": policy, "groupName": "publicapi:crm:contacts"}
        return Refused(429, None, message, headers=headers, **more)

    def _used_today(self) -> int:
        return int(self._day[1]) if self._day[0] == self._today().isoformat() else 0

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()
