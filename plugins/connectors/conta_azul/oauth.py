"""Consent and tokens. Each call is sent once; nothing is stored here.

Every renewal gives a new refresh token and ends the one before at once, so that an answer that is lost may have taken
the connection with it: whoever calls this keeps the order of the write protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

from connectors.conta_azul.access import access
from connectors.shared.oauth import Service, ask, unreadable
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import Refused

SCOPE = "openid+profile+aws.cognito.signin.user.admin"  # the only one; written with plus signs as they are
RECONNECT = (
    "Run `bin/qualy connect conta_azul`, and agree as a user of the ERP (Conta Azul Pro), not of the portal for"
    " developers."
)
_SERVICE = Service(
    "Conta Azul",
    "Conta Azul",
    RECONNECT,
    elsewhere="the connection's token_url (there are two generations of it), client id and secret",
    refusing=frozenset({301, 302, 307, 308, 401, 403, 404, 405}),
    dead=lambda content: content.get("error") == "invalid_grant" and content.get("error_subtype") != "invalid_client",
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token service gave."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...] = ()


def consent_url(endpoint: Endpoint, redirect: str, state: str) -> str:
    """The address at which a person agrees. Its query stands behind the “#” of the current login page.

    The redirect has to be the registered one, character for character. No PKCE: the older host is broken by it.
    """
    asked = {"response_type": "code", "client_id": endpoint.login, "redirect_uri": redirect, "state": state}
    return f"{access(endpoint).authorize}?{urlencode(asked, quote_via=quote)}&scope={SCOPE}"


def exchange_code(endpoint: Endpoint, code: str, redirect: str, *, clock: Clock | None = None) -> Tokens:
    """Tokens for the code that a consent gave, within three minutes of it."""
    return _ask(endpoint, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}, clock)


def refresh(endpoint: Endpoint, refresh_token: str, *, clock: Clock | None = None) -> Tokens:
    """A new pair. The old refresh token is dead from the moment this is answered, heard or not."""
    return _ask(endpoint, {"grant_type": "refresh_token", "refresh_token": refresh_token}, clock)


def _ask(endpoint: Endpoint, form: dict[str, str], clock: Clock | None) -> Tokens:
    """One call of the token service.

    Raises Unreachable (nothing was sent), AnswerLost (sent; the old token may be dead), Reconnect, OutOfQuota and
    Refused.
    """
    at = access(endpoint)
    if not endpoint.login or not endpoint.password:
        raise Refused("The conta_azul connection needs login and password: the app's client id and client secret.")
    given = ask(_SERVICE, at.token, form, clock, (endpoint.login, endpoint.password))
    renewed = given.text("refresh_token")
    if not renewed:
        raise unreadable(_SERVICE)
    return Tokens(given.access_token, renewed, given.expires_at)
