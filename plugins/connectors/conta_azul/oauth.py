"""Consent and tokens. Each call is sent once; nothing is stored here.

Every renewal gives a new refresh token and ends the one before at once, so that an answer that is lost may have taken
the connection with it: whoever calls this keeps the order of the write protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connectors.conta_azul.access import Access, access
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable

SCOPE = "openid+profile+aws.cognito.signin.user.admin"  # the only one; written with plus signs as they are
RECONNECT = (
    "Run `bin/qualy connect conta_azul`, and agree as a user of the ERP (Conta Azul Pro), not of the portal for"
    " developers."
)
_TIMEOUT = httpx.Timeout(30, connect=5)


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
    asked_at = clock.now() if clock else datetime.now(UTC)
    return _tokens(_post(at, endpoint, form), asked_at)


def _post(at: Access, endpoint: Endpoint, form: dict[str, str]) -> httpx.Response:
    auth = httpx.BasicAuth(endpoint.login, endpoint.password)
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
            return client.post(at.token, data=form, auth=auth, headers={"Accept": "application/json"})
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise Unreachable("No connection to Conta Azul's token service. Check the network and try again.") from None
    except httpx.HTTPError:
        raise AnswerLost("The answer of Conta Azul's token service did not arrive.") from None


def _tokens(answer: httpx.Response, asked_at: datetime) -> Tokens:
    content = _content(answer)
    error = content.get("error")
    if answer.status_code == 429:
        raise OutOfQuota("Conta Azul's token service asks to wait a moment.", "token", asked_at + timedelta(minutes=1))
    if 400 <= answer.status_code < 500 and isinstance(error, str):
        if error == "invalid_grant" and content.get("error_subtype") != "invalid_client":
            raise Reconnect(f"Conta Azul no longer accepts this connection's token (invalid_grant). {RECONNECT}")
        word = error if error.isidentifier() else "an error"
        raise Refused(f"Conta Azul's token service refuses the app ({word}). Check client id, secret and redirect.")
    if answer.status_code in {301, 302, 307, 308, 401, 403, 404, 405}:
        raise Refused(
            f"Conta Azul's token service answered {answer.status_code}. Check the connection's token_url (there are two"
            " generations of it), client id and secret."
        )
    given, lifetime, renewed = (content.get(name) for name in ("access_token", "expires_in", "refresh_token"))
    whole = _is_text(given) and _is_text(renewed) and isinstance(lifetime, int) and not isinstance(lifetime, bool)
    if answer.status_code != 200 or not whole:
        raise AnswerLost(f"The answer of Conta Azul's token service ({answer.status_code}) cannot be read.")
    return Tokens(str(given), str(renewed), asked_at + timedelta(seconds=int(str(lifetime))))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
