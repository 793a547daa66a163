"""Who may call Xero's stand-in: consent, tokens, tenant, scopes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.sandbox.xero_client import CONSENT, WEB, XeroClient, xero_sandbox

REDIRECT = "http://localhost:8765/callback"


@pytest.fixture
def fresh() -> Iterator[XeroClient]:
    """A sandbox of the test's own, whose first refresh token nobody has used."""
    with xero_sandbox() as client:
        yield client


def consented(xero: XeroClient) -> dict[str, str]:
    """Tokens of a person who gave consent to everything."""
    code = code_from(WEB.get(f"{xero.identity_url}/authorize", params=CONSENT))
    return dict(xero.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json())


def consent(xero: XeroClient, **more: str) -> httpx.Response:
    asked = {
        "response_type": "code",
        "client_id": "sandbox-app",
        "redirect_uri": REDIRECT,
        "scope": "offline_access accounting.contacts accounting.settings.read",
        "state": "s-1",
    }
    return WEB.get(f"{xero.identity_url}/authorize", params=asked | more)


def code_from(answer: httpx.Response) -> str:
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_consent_gives_a_code_that_buys_tokens_once(xero: XeroClient) -> None:
    page = consent(xero)
    assert "Allow access" in page.text
    assert "not Xero" in page.text
    back = consent(xero, approve="yes")
    assert parse_qs(urlsplit(back.headers["location"]).query)["state"] == ["s-1"]
    form = {"grant_type": "authorization_code", "code": code_from(back), "redirect_uri": REDIRECT}
    issued = xero.token(**form).json()
    assert issued["expires_in"] == 1800
    assert issued["token_type"] == "Bearer"
    assert issued["scope"].split() == ["offline_access", "accounting.contacts", "accounting.settings.read"]
    assert xero.token(**form).json() == {"error": "invalid_grant"}
    xero.use(issued)
    assert xero.api.get_organisations(xero.tenant).organisations[0].country_code.value == "AU"


def test_a_code_lives_five_minutes_and_belongs_to_its_redirect(xero: XeroClient) -> None:
    code = code_from(consent(xero, approve="yes"))
    form = {"grant_type": "authorization_code", "code": code}
    assert xero.token(**form, redirect_uri="https://elsewhere.example/").json() == {"error": "invalid_grant"}
    xero.clock(301)
    answer = xero.token(**form, redirect_uri=REDIRECT)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_pkce_takes_the_verifier_instead_of_the_secret(xero: XeroClient) -> None:
    verifier = "v" * 60
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"approve": "yes", "code_challenge": challenge, "code_challenge_method": "S256"}
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "client_secret": ""}
    wrong = xero.token(**form, code=code_from(consent(xero, **asked)), code_verifier="w" * 60)
    assert wrong.json() == {"error": "invalid_grant"}
    right = xero.token(**form, code=code_from(consent(xero, **asked)), code_verifier=verifier)
    assert right.status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"redirect_uri": "http://127.0.0.1:8765/callback"},
        {"scope": "accounting.transactions"},
        {"client_id": "somebody"},
        {"response_type": "token"},
    ],
)
def test_consent_refuses_what_xero_refuses(xero: XeroClient, asked: dict[str, str]) -> None:
    assert consent(xero, approve="yes", **asked).status_code == 400


def test_refresh_tokens_rotate_and_the_old_one_has_thirty_minutes_of_grace(fresh: XeroClient) -> None:
    first = fresh.token(grant_type="refresh_token", refresh_token="sandbox-refresh-token").json()
    assert first["refresh_token"] != "sandbox-refresh-token"
    fresh.clock(29 * 60)
    again = fresh.token(grant_type="refresh_token", refresh_token="sandbox-refresh-token")
    assert again.status_code == 200
    fresh.clock(2 * 60)
    late = fresh.token(grant_type="refresh_token", refresh_token="sandbox-refresh-token")
    assert (late.status_code, late.json()) == (400, {"error": "invalid_grant"})
    assert fresh.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).status_code == 200


def test_an_unused_refresh_token_dies_after_sixty_days(fresh: XeroClient) -> None:
    fresh.clock(61 * 86_400)
    answer = fresh.token(grant_type="refresh_token", refresh_token="sandbox-refresh-token")
    assert answer.json() == {"error": "invalid_grant"}


def test_the_sdk_refreshes_by_itself(xero: XeroClient) -> None:
    xero.use(consented(xero))
    before = dict(xero.tokens)
    xero.tokens["expires_at"] = 1
    assert xero.api.get_currencies(xero.tenant).currencies
    assert xero.tokens["access_token"] != before["access_token"]
    assert xero.tokens["refresh_token"] != before["refresh_token"]


def test_client_credentials_give_no_refresh_token_and_need_no_tenant(xero: XeroClient) -> None:
    issued = xero.token(grant_type="client_credentials").json()
    assert "refresh_token" not in issued
    xero.use(issued)
    assert xero.api.get_organisations("").organisations[0].base_currency.value == "AUD"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "nobody"}, "invalid_client"),
        ({"grant_type": "client_credentials", "scope": "accounting.everything"}, "invalid_scope"),
        ({"grant_type": "refresh_token", "refresh_token": "never-issued"}, "invalid_grant"),
        ({}, "invalid_request"),
    ],
)
def test_the_token_endpoint_names_what_is_wrong(xero: XeroClient, form: dict[str, str], error: str) -> None:
    answer = xero.token(**form)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_the_token_endpoint_takes_basic_credentials_too(xero: XeroClient) -> None:
    form = {"grant_type": "client_credentials"}
    answer = WEB.post(f"{xero.identity_url}/token", data=form, auth=("sandbox-app", "sandbox-secret"))
    assert answer.status_code == 200


def test_an_access_token_expires_after_thirty_minutes(xero: XeroClient) -> None:
    xero.clock(1801)
    answer = xero.http("GET", "/Organisation")
    assert answer.status_code == 401
    assert answer.json()["Title"] == "Unauthorized"
    assert answer.json()["Detail"].startswith("TokenExpired")


def test_no_bearer_token_is_401_in_xeros_shape(xero: XeroClient) -> None:
    answer = WEB.get(f"{xero.sandbox.url}/xero/api.xro/2.0/Organisation")
    assert answer.status_code == 401
    assert set(answer.json()) == {"Type", "Title", "Status", "Detail", "Instance", "Extensions"}
    assert answer.json()["Detail"] == "AuthorizationUnsuccessful"


def test_another_tenant_is_403(xero: XeroClient) -> None:
    xero.use(consented(xero))
    for tenant in ("3f1f7f0e-1111-4222-8333-444455556666", ""):
        xero.tenant = tenant
        answer = xero.http("GET", "/Organisation")
        assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_connections_are_found_in_either_case_and_go_away_when_deleted(xero: XeroClient) -> None:
    headers = {"Authorization": f"Bearer {xero.tokens['access_token']}"}
    lower = WEB.get(f"{xero.sandbox.url}/xero/connections", headers=headers).json()
    assert [one["tenantName"] for one in lower] == ["Harbour Education Services (stand-in)"]
    assert len(lower[0]["createdDateUtc"].rpartition(".")[2]) == 7
    connection = xero.identity.get_connections()[0]
    assert connection.tenant_type == "ORGANISATION"
    xero.identity.delete_connection(connection.id)
    assert xero.identity.get_connections() == []
    assert xero.http("GET", "/Organisation").status_code == 403


def test_a_new_consent_connects_again(xero: XeroClient) -> None:
    xero.control("revoke", {})
    assert xero.http("GET", "/Organisation").status_code == 403
    consent(xero, approve="yes")
    assert xero.http("GET", "/Organisation").status_code == 200


def test_revocation_ends_the_grant(xero: XeroClient) -> None:
    refresh = consented(xero)["refresh_token"]
    form = {"token": refresh, "client_id": "sandbox-app", "client_secret": "sandbox-secret"}
    assert WEB.post(f"{xero.identity_url}/revocation", data=form).status_code == 200
    answer = xero.token(grant_type="refresh_token", refresh_token=refresh)
    assert answer.json() == {"error": "invalid_grant"}
    assert xero.identity.get_connections() == []


def test_each_endpoint_asks_for_its_granular_scope(xero: XeroClient) -> None:
    xero.control("scopes", {"scopes": ["accounting.contacts.read", "accounting.invoices"]})
    assert xero.http("GET", "/Contacts").status_code == 200
    assert xero.http("GET", "/Invoices").status_code == 200
    for method, path in (("PUT", "/Contacts"), ("GET", "/Payments"), ("GET", "/Organisation"), ("GET", "/Accounts")):
        answer = xero.http(method, path, {"Contacts": [{"Name": "N"}]} if method == "PUT" else None)
        assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthorizationUnsuccessful")


def test_the_organisation_behind_the_connection_can_become_another_one(xero: XeroClient) -> None:
    other = "5d5a6d5c-0000-4000-8000-000000000042"
    xero.control("organisation", {"tenant_id": other, "name": "Somebody else's books"})
    connection = xero.identity.get_connections()[0]
    assert (connection.tenant_id, connection.tenant_name) == (other, "Somebody else's books")
