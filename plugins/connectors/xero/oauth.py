"""Consent and tokens of Xero's identity service. Each call is sent once; nothing is stored here.

`Endpoint.login` is the app's client id and `Endpoint.password` its secret (empty for an app that uses PKCE).
`Endpoint.extra["scopes"]` replaces the scopes that are asked for.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from connectors.shared.oauth import Service, ask
from connectors.xero.classify import RECONNECT
from connectors.xero.hosts import addresses
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock

SCOPES = (
    "offline_access",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.settings.read",
)
REFRESH_GRACE = timedelta(minutes=30)  # the previous refresh token works this long after it was used
_SERVICE = Service("Xero", "Xero", RECONNECT, check="client id, secret, scopes and redirect")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the identity service gave. `refresh_token` is empty for a custom connection."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]


def consent_url(endpoint: Endpoint, redirect: str, state: str, verifier: str | None) -> str:
    """The address at which a person agrees. `verifier` (43 to 128 characters) is for apps that use PKCE."""
    asked = {
        "response_type": "code",
        "client_id": endpoint.login,
        "redirect_uri": redirect,
        "scope": " ".join(_scopes(endpoint)),
        "state": state,
    }
    if verifier is not None:
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
        asked["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked["code_challenge_method"] = "S256"
    return f"{addresses(endpoint).authorize}?{urlencode(asked)}"


def exchange_code(
    endpoint: Endpoint, code: str, redirect: str, verifier: str | None = None, *, clock: Clock | None = None
) -> Tokens:
    """Tokens for the code that a consent gave, within five minutes of it."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    if verifier is not None:
        form["code_verifier"] = verifier
    return _ask(endpoint, form, clock)


def refresh(endpoint: Endpoint, refresh_token: str, *, clock: Clock | None = None) -> Tokens:
    """A new pair; the old refresh token works for another 30 minutes, in case this answer is lost."""
    return _ask(endpoint, {"grant_type": "refresh_token", "refresh_token": refresh_token}, clock)


def client_credentials(endpoint: Endpoint, *, clock: Clock | None = None) -> Tokens:
    """A token of a custom connection, which has no refresh token: a new one is asked for at any time."""
    scopes = " ".join(scope for scope in _scopes(endpoint) if scope != "offline_access")
    return _ask(endpoint, {"grant_type": "client_credentials", "scope": scopes}, clock)


def _scopes(endpoint: Endpoint) -> tuple[str, ...]:
    return tuple(endpoint.extra.get("scopes", "").replace(",", " ").split()) or SCOPES


def _ask(endpoint: Endpoint, form: dict[str, str], clock: Clock | None) -> Tokens:
    """One call of the token service.

    Raises Unreachable (nothing was sent), AnswerLost (sent; the old token may have been replaced), Reconnect,
    OutOfQuota and Refused.
    """
    where = addresses(endpoint)
    form = {**form, "client_id": endpoint.login}
    if endpoint.password:
        form["client_secret"] = endpoint.password
    given = ask(_SERVICE, where.token, form, clock)
    return Tokens(
        access_token=given.access_token,
        refresh_token=given.text("refresh_token"),
        expires_at=given.expires_at,
        scopes=tuple(given.text("scope").split()),
    )
