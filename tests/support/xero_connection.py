"""Parts of a Xero connection for tests: a clock that stands, fresh tokens, the addresses of a stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.xero import XeroTool, client_credentials
from qualy_sync.contracts.accounting import (
    Endpoint,
    NewContact,
    Reply,
    What,
)


class Stopped:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 7, 15, 12, tzinfo=UTC)


class FreshTokens:
    """Asks the stand-in for a token of a custom connection whenever the last one was refused."""

    def __init__(self, endpoint: Endpoint, first: str = "") -> None:
        self._endpoint = endpoint
        self._token = first
        self.refusals = 0

    def access_token(self) -> str:
        if not self._token:
            self._token = client_credentials(self._endpoint).access_token
        return self._token

    def refused(self, token: str) -> None:
        self.refusals += 1
        self._token = ""


def endpoint(base: str, **extra: str) -> Endpoint:
    addresses = {
        "identity_url": f"{base}/xero/identity",
        "connections_url": f"{base}/xero/connections",
        "authorize_url": f"{base}/xero/identity/connect/authorize",
    }
    return Endpoint(f"{base}/xero/api.xro/2.0", addresses | extra, "sandbox-app", "sandbox-secret")


class Refs:
    """Refs and keys that no other test uses."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, letter: str) -> str:
        self._last += 1
        return f"{letter}{self._last:018d}"


ref = Refs()


def send(tool: XeroTool, what: What, *batch: Any) -> Reply:
    return tool.send(what, tool.body(batch), ref("K"))


def new_contact(name: str = "") -> NewContact:
    mine = ref("C")
    return NewContact(mine, name or f"Ana {mine}", f"{mine}@Example.com", "Ana", "Silva")
