"""Parts of a Conta Azul connection for tests: a clock that follows the stand-in, tokens, and records to write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import requests

from connectors.conta_azul import ContaAzulTool, connect
from qualy_sync.contracts.accounting import (
    Accepted,
    Answered,
    Basis,
    Done,
    Endpoint,
    Line,
    Made,
    NewContact,
    NewDocument,
    NewSettlement,
    RemoteSettlement,
    Reply,
    Status,
    What,
)
from tests.sandbox.conta_azul_client import BANK, COURSES, ContaAzulClient

DAY = date(2026, 7, 10)
DUE = date(2026, 7, 30)
PAID_ON = date(2026, 7, 14)
RENT = "ca7e0000-0000-4000-8000-000000000222"
HELD, PASSED_ON = (f"ca7e0000-0000-4000-8000-000000000{number}" for number in (110, 210))
PAIR = f"{HELD}+{PASSED_ON}"


class SandboxClock:
    """The stand-in's own clock."""

    def __init__(self, client: ContaAzulClient) -> None:
        self._client = client

    def now(self) -> datetime:
        told = datetime.fromisoformat(self._client.sandbox.control("GET", "clock")["now"])
        return told.astimezone(UTC)


class Tokens:
    """The client's token; a refused one is renewed."""

    def __init__(self, client: ContaAzulClient) -> None:
        self._client = client
        self.refusals = 0

    def access_token(self) -> str:
        return self._client.access_token

    def refused(self, token: str) -> None:
        self.refusals += 1
        self._client.renew()


class Settlements:
    """What a mirror would know."""

    def __init__(self) -> None:
        self.there: list[RemoteSettlement] = []

    def __call__(self, document_ids: Sequence[str]) -> Iterable[RemoteSettlement]:
        return [one for one in self.there if one.document_id in document_ids]


def endpoint(client: ContaAzulClient, **extra: str) -> Endpoint:
    base = client.url
    named = {"token_url": f"{base}/oauth/token", "authorize_url": f"{base}/#/oauth/authorize"}
    fast = {"calls_per_second": "1000", "pass_through": PAIR, "account": BANK}
    return Endpoint(base, named | fast | extra, "sandbox-app", "sandbox-secret")


class Connected:
    """A tool over HTTP, and short ways to write what tests need."""

    def __init__(self, client: ContaAzulClient) -> None:
        self.client = client
        self.tokens = Tokens(client)
        self.known = Settlements()
        self.session = requests.Session()
        at = endpoint(client)
        self.tool: ContaAzulTool = connect(at, self.tokens, SandboxClock(client), self.session, 5, self.known)

    def send(self, what: What, *batch: Any) -> Reply:
        return self.tool.send(what, self.tool.body(batch), "key")

    def done(self, what: What, new: Any) -> Any:
        """The record that a write made at once."""
        reply = self.send(what, new)
        assert isinstance(reply, Answered), reply
        (result,) = reply.results
        assert isinstance(result, Done), result
        return result.remote

    def queued(self, new: NewDocument) -> str:
        """The protocol of an event."""
        reply = self.send(new.what, new)
        assert isinstance(reply, Answered), reply
        (result,) = reply.results
        assert isinstance(result, Accepted), result
        return result.ticket

    def document(self, **change: Any) -> Any:
        """A document that is there."""
        new = document(**change)
        ticket = self.queued(new)
        self.client.clock(120)
        fate = self.tool.outcome_of(new.what, new.ref, ticket)
        assert isinstance(fate, Made), fate
        assert fate.remote is not None
        return fate.remote

    def changed(self, what: What, since: datetime | None = None) -> list[Any]:
        return [one for page in self.tool.changed(what, since) for one in page]


class Refs:
    """Refs that no other test uses."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, letter: str) -> str:
        self._last += 1
        return f"{letter}{self._last:019d}"


ref = Refs()


def contact(**change: Any) -> NewContact:
    mine = ref("C")
    facts: dict[str, Any] = {"ref": mine, "name": f"Ana {mine}", "email": f"{mine.lower()}@mail.example"}
    return NewContact(**facts | change)


def document(what: What = What.INVOICE, **change: Any) -> NewDocument:
    sales = what is What.INVOICE
    mine = ref("I" if sales else "B")
    line = Line("General English", 100_10, COURSES if sales else RENT, "")
    facts: dict[str, Any] = {
        "what": what, "ref": mine, "number": f"Q-{mine[-4:]}" if sales else mine, "contact_id": "", "currency": "BRL",
        "date": DAY, "due_date": DUE, "status": Status.AUTHORISED, "basis": Basis.INCLUSIVE, "lines": (line,),
        "link": "https://app.example/p/1",
    }  # fmt: skip
    return NewDocument(**facts | change)


def settlement(of: Any, amount: int, **change: Any) -> NewSettlement:
    facts: dict[str, Any] = {
        "ref": ref("P"), "document_id": of.id, "account": BANK, "date": PAID_ON, "amount": amount, "currency": "BRL",
        "of": of.what,
    }  # fmt: skip
    return NewSettlement(**facts | change)
