"""A stand-in for Qualy's public API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from starlette.types import ASGIApp

from sandbox.qualy import readings
from sandbox.qualy.access import TENANTS, Limits
from sandbox.qualy.api import make_app
from sandbox.qualy.changes import Changes
from sandbox.qualy.hooks import Hooks
from sandbox.qualy.kinds import KINDS
from sandbox.qualy.shelves import Shelves
from sandbox.service import NotSupported, Service, World


class QualyService:
    """Qualy for the frame: the API, and what control may ask of it."""

    name = "qualy"
    title = "Qualy"

    def __init__(self, world: World) -> None:
        self._world = world
        self._shelves = Shelves(world.store, world.population)
        self._limits = Limits(world.store, world.clock)
        self._hooks = Hooks(world.store, world.clock)
        self._changes = Changes(self._shelves, world.store, world.clock, self._hooks)

    def app(self) -> ASGIApp:
        """The API."""
        return make_app(self._shelves, self._world.store, self._world.clock, self._limits, self._changes)

    def state(self) -> dict[str, Any]:
        """All objects of the first tenant by kind, and those of the second under its id; ``load`` takes the same."""
        first, second = (
            {kind: list(self._shelves.all(self._shelves.shelf(tenant, kind))) for kind in KINDS} for tenant in (0, 1)
        )
        return first | {TENANTS[1]: second}

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace everything; kinds that are not given are empty afterwards."""
        return self._changes.load(objects)

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """Qualy locks no periods."""
        raise NotSupported("Qualy has no lock dates; they belong to the accounting tool.")

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """Requests per second, minute, hour."""
        return self._limits.set(limits)

    def readings(self) -> dict[str, Any]:
        """The readings of Qualy's open questions that are in force."""
        return asdict(readings.read(self._world.store))

    def set_readings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some of them."""
        return asdict(readings.switch(self._world.store, given))

    def change(self, given: dict[str, Any]) -> dict[str, Any]:
        """Insert, update or delete single objects."""
        return self._changes.apply(given)

    def control(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Further control calls, each ``POST /control/{action}/qualy``."""
        return {"webhooks": self._hooks.control}


def service(world: World) -> Service:
    """The stand-in, for the frame."""
    return QualyService(world)
