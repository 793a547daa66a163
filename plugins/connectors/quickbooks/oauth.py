"""Consent and tokens of Intuit's identity service. Each call is sent once; nothing is stored here.

`Endpoint.login` is the app's client id and `Endpoint.password` its secret. The SDK's own `AuthClient` is not used: it
has no time-outs, asks for a discovery document whenever it is made, and loses a token that was rotated while it asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from connectors.quickbooks.classify import RECONNECT
from connectors.quickbooks.hosts import Addresses, addresses
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable

SCOPE = "com.intuit.quickbooks.accounting"
_TIMEOUT = httpx.Timeout(30, connect=5)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the identity service gave. The refresh token may be the one that was sent, or a new one: about daily."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


def consent_url(endpoint: Endpoint, redirect: str, state: str) -> str:
    """The address at which a person agrees. They come back with `code`, `state` and `realmId`, the company's id."""
    asked = {
        "response_type": "code",
        "client_id": endpoint.login,
        "redirect_uri": redirect,
        "scope": SCOPE,
        "state": state,
    }
    return f"{addresses(endpoint).authorize}?{urlencode(asked)}"


def exchange_code(endpoint: Endpoint, code: str, redirect: str, *, clock: Clock | None = None) -> Tokens:
    """Tokens for the code that a consent gave, within five minutes of it."""
    return _ask(endpoint, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}, clock)


def refresh(endpoint: Endpoint, refresh_token: str, *, clock: Clock | None = None) -> Tokens:
    """A new access token. A refresh token that was replaced may be dead at once: the newest one has to be kept."""
    return _ask(endpoint, {"grant_type": "refresh_token", "refresh_token": refresh_token}, clock)


def _ask(endpoint: Endpoint, form: dict[str, str], clock: Clock | None) -> Tokens:
    """One call of the token service.

    Raises Unreachable (nothing was sent), AnswerLost (sent; the old token may have been replaced), Reconnect,
    OutOfQuota and Refused.
    """
    where = addresses(endpoint)
    asked_at = clock.now() if clock else datetime.now(UTC)
    return _tokens(_post(where, endpoint, form), asked_at)


def _post(where: Addresses, endpoint: Endpoint, form: dict[str, str]) -> httpx.Response:
    app = httpx.BasicAuth(endpoint.login, endpoint.password)
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, auth=app) as client:
            return client.post(where.token, data=form, headers={"Accept": "application/json"})
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise Unreachable("No connection to Intuit's token service. Check the network and try again.") from None
    except httpx.HTTPError:
        raise AnswerLost("The answer of Intuit's token service did not arrive.") from None


def _tokens(answer: httpx.Response, asked_at: datetime) -> Tokens:
    content = _content(answer)
    error = content.get("error")
    if answer.status_code == 429:
        raise OutOfQuota("Intuit's token service asks to wait a moment.", "token", asked_at + timedelta(minutes=1))
    if 400 <= answer.status_code < 500 and isinstance(error, str):
        if error == "invalid_grant":
            raise Reconnect(f"QuickBooks no longer accepts this connection's token (invalid_grant). {RECONNECT}")
        word = error if error.isidentifier() else "an error"
        raise Refused(f"Intuit's token service refuses the app ({word}). Check client id, secret and redirect.")
    if answer.status_code in {401, 403, 404}:
        raise Refused(f"Intuit's token service answered {answer.status_code}. Check its address, client id and secret.")
    access, renewed, lifetime = (content.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    whole = isinstance(access, str) and access and isinstance(lifetime, int) and not isinstance(lifetime, bool)
    if answer.status_code != 200 or not whole:
        raise AnswerLost(f"The answer of Intuit's token service ({answer.status_code}) cannot be read.")
    return Tokens(
        access_token=str(access),
        refresh_token=renewed if isinstance(renewed, str) else "",
        expires_at=asked_at + timedelta(seconds=int(str(lifetime))),
    )


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
