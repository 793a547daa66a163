"""The service: how the sandbox starts, loads, controls and serves the stand-in for QuickBooks Online."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import agency
from sandbox.answer import Answer
from sandbox.quickbooks import chart, holdings
from sandbox.quickbooks.api import BASE, AccountingApi
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.by_hand import ByHand
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.hooks import Hooks
from sandbox.quickbooks.identity import Identity, identity_app
from sandbox.quickbooks.quota import Quota
from sandbox.quickbooks.readings import Readings
from sandbox.quickbooks.realm import Realm
from sandbox.quickbooks.request_ids import RequestIds
from sandbox.quickbooks.seed import Seed
from sandbox.quickbooks.tokens import Tokens
from sandbox.quickbooks.wire import plain
from sandbox.service import NotSupported, World

_SEEDED = "quickbooks.seeded"


class QuickBooksStandIn:
    """One company, reached by one app."""

    name = "quickbooks"
    title = "QuickBooks Online accounting"

    def __init__(self, world: World) -> None:
        self._readings = Readings(world.store)
        self.company = Company(world.store, world.clock, self._readings)
        self.books = Books(self.company)
        self.tokens = Tokens(world.store, world.clock, self._readings)
        self.realm = Realm(world.store, world.profile)
        self.quota = Quota(world.store, world.clock)
        request_ids = RequestIds(world.store, world.clock, self._readings)
        self._api = AccountingApi(self.books, self.tokens, self.realm, self.quota, request_ids)
        if world.store.fact(_SEEDED) is None:
            with self.company.records.work():
                self.company.set_zone(chart.PROFILES[world.profile]["zone"])
                holdings.load(self.books, chart.everything(world.profile))
                Seed(self.books, world).write()
                self.company.set_closing_date(agency.default_period_lock(world.today))
                world.store.remember(_SEEDED, "1")
        self._hooks = Hooks(world.store, world.clock)
        self.company.records.told = self._tell

    def app(self) -> ASGIApp:
        """The accounting API, and everything about access to it."""
        identity = identity_app(Identity(self.company, self.tokens, self.realm))

        async def quickbooks(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"][len(scope.get("root_path", "")) :] if scope["type"] == "http" else ""
            app: ASGIApp = self._api if path.startswith(BASE) else identity
            await app(scope, receive, send)

        return quickbooks

    def error_answer(self, status: int) -> Answer | None:
        """How QuickBooks words a status that a test asked for."""
        found = self._api.error_answer(status)
        return None if found is None else Answer.of(found.status, found.content_type, {}, found.body)

    def state(self) -> dict[str, Any]:
        """Everything it holds, each object as the API returns it."""
        return dict(plain(holdings.state(self.books)))

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace the given kinds; kinds that are not given stay. ValueError says what is wrong."""
        return holdings.load(self.books, objects)

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """BookCloseDate. NotSupported for a second date."""
        if year_end is not None:
            raise NotSupported("QuickBooks has one closing date: give it as period.")
        self.company.set_closing_date(period)

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """second, minute, concurrent, batch_minute, core_plus_month."""
        return self.quota.set(limits)

    def readings(self) -> dict[str, Any]:
        """Which reading of each open question is in force."""
        return self._readings.all()

    def set_readings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some of them."""
        return self._readings.set(given)

    def control(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Further control calls, each ``POST /control/{action}/quickbooks``."""
        return {
            "ui": ByHand(self.books).do,
            "revoke": self._revoke,
            "expire": self._expire,
            "company": self._change_company,
            "metered": lambda _: self.quota.used(),
            "webhooks": self._hooks.control,
        }

    def _tell(self, kind: str, id_: str, operation: str) -> None:
        self._hooks.tell(self.realm.id, kind, id_, operation)

    def _revoke(self, given: dict[str, Any]) -> dict[str, Any]:
        """Disconnect the company; with ``{"tokens": true}`` end every grant as well."""
        self.realm.disconnect()
        if given.get("tokens"):
            self.tokens.revoke_all()
        return {"connected": False, "tokens_revoked": bool(given.get("tokens"))}

    def _expire(self, _: dict[str, Any]) -> dict[str, Any]:
        """Every access token is out of date."""
        self.tokens.expire_access()
        return {"expired": True}

    def _change_company(self, given: dict[str, Any]) -> dict[str, Any]:
        if set(given) - {"realm", "fields"}:
            raise ValueError("company takes realm and fields (of CompanyInfo, as the API has them)")
        if given.get("realm"):
            self.realm.rename(str(given["realm"]))
        if given.get("fields"):
            with self.company.records.work():
                self.company.records.replace("CompanyInfo", self.company.info | dict(given["fields"]))
        return {"realm": self.realm.id, "name": self.company.info["CompanyName"]}
