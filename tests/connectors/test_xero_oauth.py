"""Consent and tokens, against the stand-in: every way a token call can end has its own remedy."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.xero import client_credentials, consent_url, exchange_code, refresh
from connectors.xero.oauth import SCOPES
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable
from sandbox.server import Sandbox

REDIRECT = "http://localhost:8765/callback"
VERIFIER = "v" * 43
NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


class Stopped:
    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
def xero(sandbox: Callable[..., Sandbox]) -> Sandbox:
    return sandbox(payments=1, services=["xero"])


@pytest.fixture
def app(xero: Sandbox) -> Endpoint:
    addresses = {
        "identity_url": f"{xero.url}/xero/identity",
        "connections_url": f"{xero.url}/xero/connections",
        "authorize_url": f"{xero.url}/xero/identity/connect/authorize",
    }
    return Endpoint(f"{xero.url}/xero/api.xro/2.0", addresses, "sandbox-app", "sandbox-secret")


def code_of(url: str) -> str:
    """Agrees on the consent page and returns the code that leads back."""
    answer = httpx.get(f"{url}&approve=yes", follow_redirects=False)
    back = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(REDIRECT)
    query = parse_qs(back.query)
    assert query["state"] == ["state-1"]
    return query["code"][0]


@pytest.mark.parametrize("verifier", [None, VERIFIER])
def test_from_consent_to_tokens_and_on(app: Endpoint, verifier: str | None) -> None:
    code = code_of(consent_url(app, REDIRECT, "state-1", verifier))
    public = replace(app, password="") if verifier else app
    first = exchange_code(public, code, REDIRECT, verifier, clock=Stopped())
    assert first.expires_at == NOW + timedelta(seconds=1800)
    assert set(SCOPES) <= set(first.scopes)
    second = refresh(app, first.refresh_token, clock=Stopped())
    assert second.refresh_token != first.refresh_token
    with pytest.raises(Reconnect):
        exchange_code(public, code, REDIRECT, verifier)


def test_a_code_is_of_no_use_without_its_verifier(app: Endpoint) -> None:
    code = code_of(consent_url(app, REDIRECT, "state-1", VERIFIER))
    with pytest.raises(Reconnect):
        exchange_code(app, code, REDIRECT, "w" * 43)


def test_the_previous_refresh_token_still_works_after_a_lost_answer(xero: Sandbox, app: Endpoint) -> None:
    first = exchange_code(app, code_of(consent_url(app, REDIRECT, "state-1", None)), REDIRECT)
    xero.control("POST", "faults/xero", {"method": "POST", "path": "/identity/connect/token", "do": "drop_after"})
    with pytest.raises(AnswerLost):
        refresh(app, first.refresh_token)
    assert refresh(app, first.refresh_token).access_token


def test_a_custom_connection_asks_anew_instead_of_refreshing(app: Endpoint) -> None:
    tokens = client_credentials(app, clock=Stopped())
    assert tokens.refresh_token == ""
    assert "offline_access" not in tokens.scopes
    assert tokens.expires_at > NOW


@pytest.mark.parametrize("do", ["drop_before", "garbage", "truncate", "status:500", "status_after:502"])
def test_an_answer_that_cannot_be_read_may_have_changed_the_token(xero: Sandbox, app: Endpoint, do: str) -> None:
    xero.control("POST", "faults/xero", {"method": "POST", "path": "/identity/connect/token", "do": do})
    with pytest.raises(AnswerLost):
        client_credentials(app)


def test_dead_tokens_wrong_apps_and_dead_lines_have_different_remedies(app: Endpoint) -> None:
    with pytest.raises(Reconnect, match="bin/qualy connect xero"):
        refresh(app, "never-issued")
    with pytest.raises(Refused, match="invalid_client"):
        client_credentials(replace(app, password="wrong-secret"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable):
        client_credentials(replace(app, extra={**app.extra, "identity_url": f"{closed}/identity"}))
    with pytest.raises(Refused, match="points to"):
        client_credentials(replace(app, extra={**app.extra, "identity_url": "https://tokens.example.com"}))


def test_a_token_service_that_asks_to_wait_is_asked_again_when_it_says(xero: Sandbox, app: Endpoint) -> None:
    xero.control("POST", "faults/xero", {"method": "POST", "path": "/identity/connect/token", "do": "status:429"})
    with pytest.raises(OutOfQuota) as raised:
        client_credentials(app, clock=Stopped())
    assert raised.value.until == NOW + timedelta(seconds=1)


def test_nothing_shows_a_token_or_a_secret(app: Endpoint) -> None:
    tokens = client_credentials(app)
    assert tokens.access_token not in repr(tokens)
    assert "sandbox-secret" not in repr(app)
    with pytest.raises(Reconnect) as raised:
        refresh(app, "a-very-secret-token")
    assert "very-secret" not in str(raised.value)
    asked = consent_url(app, REDIRECT, "state-1", VERIFIER)
    assert VERIFIER not in asked
    assert "sandbox-secret" not in asked


def test_other_scopes_can_be_asked_for(app: Endpoint) -> None:
    wider = replace(app, extra={**app.extra, "scopes": "offline_access accounting.contacts"})
    asked = parse_qs(urlsplit(consent_url(wider, REDIRECT, "state-1", None)).query)
    assert asked["scope"] == ["offline_access accounting.contacts"]
    assert client_credentials(wider).scopes == ("accounting.contacts",)
