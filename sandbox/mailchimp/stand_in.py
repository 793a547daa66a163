"""The service: how the sandbox starts, loads, controls and serves the stand-in for Mailchimp."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.types import ASGIApp

from sandbox.mailchimp import holdings, seed
from sandbox.mailchimp.account import Account
from sandbox.mailchimp.api import API_KEY, READ_ONLY_KEY, REVOKED, TOKEN, MarketingApi
from sandbox.mailchimp.by_hand import ByHand
from sandbox.mailchimp.knobs import Knobs
from sandbox.mailchimp.records import Records
from sandbox.service import NotSupported, World

_SEEDED = "mailchimp.seeded"


class MailchimpStandIn:
    """One Mailchimp account with its audiences."""

    name = "mailchimp"
    title = "Mailchimp Marketing API"

    def __init__(self, world: World) -> None:
        self._store = world.store
        self.account = Account(Records(world.store, world.clock, world.seed), Knobs(world.store))
        self._api = MarketingApi(self.account)
        self._by_hand = ByHand(self.account)
        if world.store.fact(_SEEDED) is None:
            with world.store.transaction():
                seed.write(self.account, world)
                world.store.remember(_SEEDED, "1")

    def app(self) -> ASGIApp:
        """The API, ``/oauth2/metadata`` and the results of batches."""
        return self._api

    def state(self) -> dict[str, Any]:
        """Everything it holds, each object as the API returns it."""
        self._api.carry_out_due()
        return holdings.state(self.account)

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace the given kinds; kinds that are not given stay. ValueError says what is wrong."""
        self._api.carry_out_due()
        return holdings.load(self.account, objects)

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """Mailchimp has none."""
        raise NotSupported("Mailchimp has no lock dates.")

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """connections, merge_fields, open_batches, and how long batches take. ValueError names them all."""
        return dict(self.account.knobs.set_limits(limits))

    def readings(self) -> dict[str, Any]:
        """Which reading of each open question is in force."""
        return self.account.knobs.readings()

    def set_readings(self, readings: dict[str, Any]) -> dict[str, Any]:
        """Switch open readings."""
        return self.account.knobs.set_readings(readings)

    def control(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Further control calls, each ``POST /control/{action}/mailchimp``."""
        return {"ui": self._ui, "revoke": self._revoke}

    def _ui(self, given: dict[str, Any]) -> dict[str, Any]:
        self._api.carry_out_due()
        return self._by_hand.do(given)

    def _revoke(self, given: dict[str, Any]) -> dict[str, Any]:
        """``{"keys": [...]}`` are refused from now on; an empty list lets all in again, none given revokes all."""
        keys = given.get("keys", [API_KEY, READ_ONLY_KEY, TOKEN])
        if not isinstance(keys, list) or not set(keys) <= {API_KEY, READ_ONLY_KEY, TOKEN}:
            raise ValueError("keys is a list of keys and tokens that the stand-in has.")
        self._store.remember(REVOKED, ",".join(keys))
        return {"revoked": keys}
