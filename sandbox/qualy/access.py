"""Who may ask: keys, tenants, what a key's user may read, and how often."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.population.draw import USER, fixed_id
from sandbox.store import Store

TENANTS = ("eu1-sandbox", "eu1-other")
KEPT_LIMITS = "qualy.limits"
WINDOWS = {"per_second": 1, "per_minute": 60, "per_hour": 3_600}


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: its tenant, its user, and whether that user sees all objects or only what is the user's own."""

    tenant: int
    user: str
    sees_all: bool = True


KEYS = {
    "pk_sandbox_qualy": Key(0, fixed_id(USER, 1)),
    "pk_sandbox_own_only": Key(0, fixed_id(USER, 2), sees_all=False),
    "pk_sandbox_other": Key(1, fixed_id(USER, 101)),
}


class Refused(Exception):
    """The request is refused with a status, a message, and what else the answer carries."""

    def __init__(
        self, status: int, message: str | list[str], *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"statusCode": status, "message": message, **more}


def identify(headers: Mapping[str, str]) -> Key:
    """The key of a request. Raises Refused: 400 without a tenant, 401 for a key that is not one of that tenant."""
    tenant = headers.get("x-tenant-id", "").strip()
    if not tenant:
        raise Refused(400, "Header X-TENANT-ID is missing")
    word, _, text = headers.get("authorization", "").partition(" ")
    key = KEYS.get(text)
    if word != "ApiKey" or key is None or TENANTS[key.tenant] != tenant:
        raise Refused(401, "Unauthorized")
    return key


def forbid(role: str) -> Refused:
    """The refusal of a user who lacks a role."""
    return Refused(403, "Forbidden resource", error="Forbidden", data={"roles": [role]})


class Limits:
    """Requests per second, minute and hour and tenant; none by default, as Qualy publishes none."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[tuple[int, str], tuple[int, int]] = {}
        kept = store.fact(KEPT_LIMITS)
        self.in_force: dict[str, int | None] = dict.fromkeys(WINDOWS) | (json.loads(kept) if kept else {})

    def set(self, limits: dict[str, Any]) -> dict[str, Any]:
        """Change some; null takes a limit away. ValueError names the known ones."""
        for name, value in limits.items():
            if name not in WINDOWS:
                raise ValueError(f"Qualy's stand-in has no limit {name!r}, only {', '.join(WINDOWS)}.")
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is a number from 1, or null for no limit.")
        self.in_force.update(limits)
        self._store.remember(KEPT_LIMITS, json.dumps(self.in_force))
        return dict(self.in_force)

    def count(self, tenant: int) -> None:
        """Count one request. Raises Refused (429 with Retry-After in whole seconds) where it is one too many."""
        now = self._clock.now().timestamp()
        for name, seconds in WINDOWS.items():
            limit = self.in_force[name]
            if limit is None:
                continue
            window = int(now // seconds)
            seen_window, seen = self._seen.get((tenant, name), (window, 0))
            seen = seen if seen_window == window else 0
            if seen >= limit:
                wait = max(1, math.ceil((window + 1) * seconds - now))
                raise Refused(429, "Too Many Requests", headers={"Retry-After": str(wait)})
            self._seen[(tenant, name)] = (window, seen + 1)
