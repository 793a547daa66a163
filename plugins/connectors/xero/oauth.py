"""Consent and tokens of Xero's identity service. Each call is sent once; nothing is stored here.

`Endpoint.login` is the app's client id and `Endpoint.password` its secret (empty for an app that uses PKCE).
`Endpoint.extra["scopes"]` replaces the scopes that are asked for.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from connectors.xero.classify import RECONNECT
from connectors.xero.hosts import Addresses, addresses
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable

SCOPES = (
    "offline_access",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.settings.read",
)
_TIMEOUT = httpx.Timeout(30, connect=5)
_DEAD = frozenset({"invalid_grant"})


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
    asked_at = clock.now() if clock else datetime.now(UTC)
    form = {**form, "client_id": endpoint.login}
    if endpoint.password:
        form["client_secret"] = endpoint.password
    return _tokens(_post(where, form), asked_at, form)


def _post(where: Addresses, form: dict[str, str]) -> httpx.Response:
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
            return client.post(where.token, data=form, headers={"Accept": "application/json"})
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise Unreachable("No connection to Xero's token service. Check the network and try again.") from None
    except httpx.HTTPError:
        raise AnswerLost("The answer of Xero's token service did not arrive.") from None


def _tokens(answer: httpx.Response, asked_at: datetime, form: dict[str, str]) -> Tokens:
    content = _content(answer)
    error = content.get("error")
    if answer.status_code == 429:
        raise OutOfQuota("Xero's token service asks to wait a moment.", "token", asked_at + timedelta(minutes=1))
    if 400 <= answer.status_code < 500 and isinstance(error, str):
        if error in _DEAD:
            raise Reconnect(f"Xero no longer accepts this connection's token (invalid_grant). {RECONNECT}")
        word = error if error.isidentifier() else "an error"
        raise Refused(f"Xero's token service refuses the app ({word}). Check client id, secret, scopes and redirect.")
    if answer.status_code in {401, 403, 404}:
        raise Refused(f"Xero's token service answered {answer.status_code}. Check its address, client id and secret.")
    access, lifetime = content.get("access_token"), content.get("expires_in")
    whole = isinstance(access, str) and access and isinstance(lifetime, int) and not isinstance(lifetime, bool)
    if answer.status_code != 200 or not whole:
        raise AnswerLost(f"The answer of Xero's token service ({answer.status_code}) cannot be read.")
    scope, renewed = content.get("scope"), content.get("refresh_token")
    return Tokens(
        access_token=str(access),
        refresh_token=renewed if isinstance(renewed, str) else "",
        expires_at=asked_at + timedelta(seconds=int(str(lifetime))),
        scopes=tuple(scope.split()) if isinstance(scope, str) else (),
    )


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
