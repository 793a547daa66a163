"""The service: how the sandbox starts, loads, controls and serves the stand-in for HubSpot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from starlette.types import ASGIApp

from sandbox.answer import Answer
from sandbox.hubspot import answers, holdings, readings, seed
from sandbox.hubspot.access import Access
from sandbox.hubspot.api import HubSpotApi
from sandbox.hubspot.by_hand import ByHand
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.definitions import Definitions
from sandbox.hubspot.hooks import Hooks
from sandbox.hubspot.quota import Quota
from sandbox.hubspot.records import Records
from sandbox.service import NotSupported, World

_SEEDED = "hubspot.seeded"


class HubSpotStandIn:
    """One HubSpot account."""

    name = "hubspot"
    title = "HubSpot CRM"

    def __init__(self, world: World) -> None:
        self._store = world.store
        self._hooks = Hooks(world.store, world.clock)
        self._access = Access(world.store, world.clock)
        self._quota = Quota(world.store, world.clock, world.profile)
        records = Records(world.store, world.clock)
        self._contacts = Contacts(records, Definitions(world.store, world.clock), self._hooks)
        if world.store.fact(_SEEDED) is None:
            with world.store.transaction():
                seed.write(self._contacts, world)
                world.store.remember(_SEEDED, "1")

    def app(self) -> ASGIApp:
        """The API."""
        return HubSpotApi(self._contacts, self._access, self._quota)

    def error_answer(self, status: int) -> Answer:
        """The answer of a ``status`` fault."""
        return answers.fault(status)

    def state(self) -> dict[str, Any]:
        """Everything it holds, each object as the API returns it, with all properties."""
        return holdings.state(self._contacts)

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace the given kinds; kinds that are not given stay. ValueError says what is wrong."""
        return holdings.load(self._contacts, objects)

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """HubSpot locks no periods."""
        raise NotSupported("HubSpot has no lock dates; they belong to the accounting tool.")

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """ten_seconds, daily, search_per_second."""
        return self._quota.set(limits)

    def readings(self) -> dict[str, Any]:
        """The readings of HubSpot's open questions that are in force."""
        return asdict(readings.read(self._store))

    def set_readings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some of them."""
        return asdict(readings.switch(self._store, given))

    def control(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Further control calls, each ``POST /control/{action}/hubspot``."""
        return {
            "ui": ByHand(self._contacts).do,
            "webhooks": self._hooks.control,
            "scopes": lambda given: {"scopes": self._access.set_scopes(given.get("scopes"))},
            "expire": lambda _: {"expired": self._access.expire()},
            "revoke": self._revoke,
            "consent": lambda given: {"code": self._access.consent(str(given.get("redirect_uri")))},
        }

    def _revoke(self, given: dict[str, Any]) -> dict[str, Any]:
        """Withdraw a token; without one, everything that was withdrawn is good again."""
        token = given.get("token")
        if token is None:
            self._access.restore()
            return {"revoked": False}
        if not self._access.revoke(str(token)):
            raise ValueError("There is no such token.")
        return {"revoked": True}
