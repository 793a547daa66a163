"""Parts of a QuickBooks connection for tests: a clock, fresh tokens, the addresses of a stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.quickbooks import QuickBooksTool, refresh
from qualy_sync.contracts.accounting import Endpoint, NewContact, Party, Reply, What
from sandbox.server import Sandbox

REALMS = {"au": "9341450000000061", "us": "9341450000000001", "br": "9341450000000055"}
REDIRECT = "http://localhost:8765/callback"
NO_PACE = {"calls_per_second": "0", "calls_per_minute": "0", "batches_per_minute": "0"}
Json = dict[str, Any]


def connection(sandbox: Sandbox, profile: str = "au") -> Json:
    """An Airflow connection that works; consent anew: a refresh token is good for one ledger alone."""
    return {
        "host": f"{sandbox.url}/quickbooks",
        "login": "sandbox-app",
        "password": "sandbox-secret",
        "extra": {
            "token_url": f"{sandbox.url}/quickbooks/oauth2/v1/tokens/bearer",
            "authorize_url": f"{sandbox.url}/quickbooks/connect/oauth2",
            "refresh_token": consent(sandbox),
            "realm_id": REALMS[profile],
        }
        | NO_PACE,
    }


def consent(sandbox: Sandbox) -> str:
    """A refresh token that nobody has used."""
    asked = {
        "client_id": "sandbox-app",
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": REDIRECT,
        "state": "s",
        "approve": "yes",
    }
    base = f"{sandbox.url}/quickbooks"
    back = httpx.get(f"{base}/connect/oauth2", params=asked, follow_redirects=False).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    answer = httpx.post(f"{base}/oauth2/v1/tokens/bearer", data=form, auth=("sandbox-app", "sandbox-secret"))
    return str(answer.json()["refresh_token"])


class SandboxClock:
    """The stand-in's own clock, as far as it was moved."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return datetime.fromisoformat(self._sandbox.control("GET", "clock")["now"]).astimezone(UTC)


class FreshTokens:
    """Asks the stand-in for an access token whenever the last one was refused."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._token = ""
        self.refusals = 0

    def access_token(self) -> str:
        if not self._token:
            self._token = refresh(self._endpoint, self._endpoint.extra["refresh_token"]).access_token
        return self._token

    def refused(self, token: str) -> None:
        self.refusals += 1
        self._token = ""


def endpoint(sandbox: Sandbox, profile: str = "au", **extra: str) -> Endpoint:
    given = connection(sandbox, profile)
    return Endpoint(given["host"], given["extra"] | extra, given["login"], given["password"])


class Refs:
    """Refs and keys that no other test uses."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, letter: str) -> str:
        self._last += 1
        return f"{letter}{self._last:019d}"


ref = Refs()


def send(tool: QuickBooksTool, *batch: Any) -> Reply:
    tool.prepare(batch)
    return tool.send(What.CONTACT, tool.body(batch), ref("K"))


def new_contact(name: str = "", party: Party = Party.CUSTOMER, currency: str = "AUD") -> NewContact:
    mine = ref("C" if party is Party.CUSTOMER else "S")
    return NewContact(
        mine, name or f"Ana {mine}", f"{mine}@Example.com", "Ana", "Silva", party=party, currency=currency
    )
