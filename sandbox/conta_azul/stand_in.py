"""The service: how the sandbox starts, loads, controls and serves the stand-in for Conta Azul."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.answer import Answer
from sandbox.conta_azul import answers, chart, holdings, seed
from sandbox.conta_azul.api import Api
from sandbox.conta_azul.books import Books
from sandbox.conta_azul.by_hand import ByHand
from sandbox.conta_azul.company import IDENTITY, Company
from sandbox.conta_azul.identity import Identity, identity_app
from sandbox.conta_azul.quota import Quota
from sandbox.conta_azul.tokens import Tokens
from sandbox.service import World

_SEEDED = "conta_azul.seeded"


class ContaAzulStandIn:
    """One company, reached by one app."""

    name = "conta_azul"
    title = "Conta Azul"

    def __init__(self, world: World) -> None:
        self.company = Company(world.store, world.clock, world.seed)
        self.books = Books(self.company)
        self.tokens = Tokens(world.store, world.clock, self.company.readings)
        self.quota = Quota(world.store, world.clock)
        if world.store.fact(_SEEDED) is None:
            with self.company.records.work():
                holdings.load(
                    self.books,
                    {
                        "categorias": chart.categories(),
                        "contas_financeiras": chart.accounts(),
                        "centros_de_custo": chart.centres(),
                    },
                )
                seed.write(self.books, world)
                world.store.remember(_SEEDED, "1")

    def app(self) -> ASGIApp:
        """The API, and everything about access to it."""
        api = Api(self.books, self.tokens, self.quota)
        identity = identity_app(Identity(self.company, self.tokens))

        async def conta_azul(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"][len(scope.get("root_path", "")) :] if scope["type"] == "http" else ""
            app: ASGIApp = api if path.startswith("/v1/") else identity
            await app(scope, receive, send)

        return conta_azul

    def error_answer(self, status: int) -> Answer | None:
        """How Conta Azul words a status that a test asked for."""
        found = answers.fault(status, bool(self.company.readings["retry_after"]))
        return None if found is None else Answer.of(found.status, found.content_type, found.headers, found.body)

    def state(self) -> dict[str, Any]:
        """Everything it holds."""
        return holdings.state(self.books)

    def load(self, objects: dict[str, Any]) -> dict[str, int]:
        """Replace the given kinds; kinds that are not given stay. ValueError says what is wrong."""
        return holdings.load(self.books, objects)

    def set_lock_dates(self, period: date | None, year_end: date | None) -> None:
        """One closing date: the later of both. No call of the API shows it."""
        self.company.lock(max((day for day in (period, year_end) if day), default=None))

    def set_quota(self, limits: dict[str, Any]) -> dict[str, Any]:
        """per_second, per_minute; null takes one away."""
        return dict(self.quota.set(limits))

    def readings(self) -> dict[str, Any]:
        """Which reading of each open question is in force."""
        return self.company.readings.all()

    def set_readings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some. ValueError names what is allowed."""
        return self.company.readings.set(given)

    def control(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Further control calls, each ``POST /control/{action}/conta_azul``."""
        return {"ui": ByHand(self.books).do, "company": self._company, "revoke": self._revoke}

    def _company(self, given: dict[str, Any]) -> dict[str, Any]:
        """Be another company: some fields of ``conta-conectada``."""
        if set(given) - set(IDENTITY):
            raise ValueError(f"company takes {', '.join(IDENTITY)}")
        self.company.set_identity(given)
        return self.company.identity

    def _revoke(self, given: dict[str, Any]) -> dict[str, Any]:
        """The customer takes access away; with ``{"tokens": true}`` access tokens end at once, too."""
        self.tokens.revoke_all(bool(given.get("tokens")))
        return {"tokens_revoked": bool(given.get("tokens"))}
