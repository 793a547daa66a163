"""Consent and tokens of Intuit's identity service. Each call is sent once; nothing is stored here.

`Endpoint.login` is the app's client id and `Endpoint.password` its secret. The SDK's own `AuthClient` is not used: it
has no time-outs, asks for a discovery document whenever it is made, and loses a token that was rotated while it asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from connectors.quickbooks.classify import RECONNECT
from connectors.quickbooks.hosts import addresses
from connectors.shared.oauth import Service, ask
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock

SCOPE = "com.intuit.quickbooks.accounting"
_SERVICE = Service("Intuit", "QuickBooks", RECONNECT)


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
    app = (endpoint.login, endpoint.password)
    given = ask(_SERVICE, addresses(endpoint).token, form, clock, app)
    return Tokens(given.access_token, given.text("refresh_token"), given.expires_at)
