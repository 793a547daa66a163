"""The service: how the sandbox starts, loads, controls and serves the stand-in for Xero."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.answer import Answer
from sandbox.service import World
from sandbox.xero import answers, holdings, seed
from sandbox.xero.api import BASE, AccountingApi
from sandbox.xero.books import Books
from sandbox.xero.by_hand import ByHand
from sandbox.xero.company import Company
from sandbox.xero.idempotency import RememberedAnswers
from sandbox.xero.identity import Identity, identity_app
from sandbox.xero.quota import Quota
from sandbox.xero.scopes import KNOWN
from sandbox.xero.tenant import Tenant
from sandbox.xero.tokens import Tokens

_SEEDED = "xero.seeded"


class XeroStandIn:
    """One Xero organisation, reached by one app."""

    name = "xero"
    title = "Xero accounting"

    def __init__(self, world: World) -> None:
        self._world = world
        self.company = Company(world.store, world.clock, world.seed)
        self.books = Books(self.company)
        self.tokens = Tokens(world.store, world.clock)
        self.tenant = Tenant(world.store, world.clock, world.seed, world.profile)
        self.quota = Quota(world.store, world.clock, self.tenant.id)
        if world.store.fact(_SEEDED) is None:
            with self.company.records.work():
                holdings.first_chart(self.books, world.profile, world.today)
                seed.write(self.books, world)
                world.store.remember(_SEEDED, "1")

    def app(self) -> ASGIApp:
        """The accounting API, and everything about access to it."""
        remembered = RememberedAnswers(self._world.store, self._world.clock)
        accounting = AccountingApi(self.books, self.tokens, self.tenant, self.quota, remembered)
        identity = identity_app(Identity(self.company, self.tokens, self.tenant))

        async def xero(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"][len(scope.get("root_path", "")) :] if scope["type"] == "http" else ""
            app: ASGIApp = accounting if path.startswith(BASE + "/") else identity
            await app(scope, receive, send)

        return xero

    def error_answer(self, status: int) -> Answer | None:
        """How Xero words a status that a test asked for."""
        found = answers.fault(status)
        return None if found is None else Answer.of(found.status, found.content_type, found.headers, found.body)

    def state(self) -> dict[str, Any]:
        """Everything it holds, each object as the API returns it."""
        return holdings.state(self.books)

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace the given kinds; kinds that are not given stay. ValueError says what is wrong."""
        return holdings.load(self.books, objects)

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """PeriodLockDate and EndOfYearLockDate."""
        self.company.set_lock_dates(period, year_end)

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """minute, day, concurrent, app_minute, or tier (starter, core)."""
        return dict(self.quota.set(limits))

    def control(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Further control calls, each ``POST /control/{action}/xero``."""
        return {
            "ui": ByHand(self.books).do,
            "adviser": self._adviser,
            "scopes": self._scopes,
            "revoke": self._revoke,
            "organisation": self._organisation,
        }

    def _adviser(self, given: dict[str, Any]) -> dict[str, Any]:
        self.company.set_adviser(bool(given.get("on")))
        return {"on": self.company.adviser}

    def _scopes(self, given: dict[str, Any]) -> dict[str, Any]:
        scopes = given.get("scopes")
        if not isinstance(scopes, list) or set(scopes) - KNOWN:
            raise ValueError(f"scopes is a list of: {', '.join(sorted(KNOWN))}")
        self.tokens.set_scopes(tuple(scopes))
        return {"scopes": scopes}

    def _revoke(self, given: dict[str, Any]) -> dict[str, Any]:
        """Disconnect the organisation; with ``{"tokens": true}`` end every grant as well."""
        self.tenant.disconnect()
        if given.get("tokens"):
            self.tokens.revoke_all()
        return {"connections": 0, "tokens_revoked": bool(given.get("tokens"))}

    def _organisation(self, given: dict[str, Any]) -> dict[str, Any]:
        if set(given) - {"tenant_id", "name", "fields"}:
            raise ValueError("organisation takes tenant_id, name and fields (of the organisation, as the API has them)")
        if given.get("tenant_id"):
            self.tenant.rename(str(given["tenant_id"]))
        fields = dict(given.get("fields") or {}) | ({"Name": given["name"]} if given.get("name") else {})
        if fields:
            with self.company.records.work():
                self.company.records.put("Organisation", self.company.organisation | fields)
        return {"tenant_id": self.tenant.id, "name": self.company.organisation["Name"]}
