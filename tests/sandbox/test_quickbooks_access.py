"""Discovery, consent, tokens and the company in the stand-in, with Intuit's own OAuth client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.exceptions import AuthorizationException, QuickbooksException
from quickbooks.objects import CompanyInfo

from tests.sandbox.quickbooks_client import APP, CONSENT, WEB, QuickBooksClient, quickbooks_sandbox

DAY = 24 * 3600


@pytest.fixture
def books() -> Iterator[QuickBooksClient]:
    with quickbooks_sandbox() as client:
        yield client


def auth(books: QuickBooksClient, **more: str) -> AuthClient:
    discovery = f"{books.url}/.well-known/openid_configuration"
    return AuthClient(*APP, CONSENT["redirect_uri"], discovery, **more)


def test_the_sdk_connects_by_discovery_and_refreshes_on_its_own(
    books: QuickBooksClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{books.url}/v3")
    client = auth(books)
    qb = QuickBooks(auth_client=client, refresh_token="sandbox-refresh-token", company_id=books.realm, minorversion=75)
    assert CompanyInfo.get(books.realm, qb=qb).CompanyName == "Harbour Education Services (stand-in)"
    assert (client.expires_in, client.x_refresh_token_expires_in) == (3600, 100 * DAY)


def test_consent_leads_back_with_code_state_and_realm(books: QuickBooksClient) -> None:
    client = auth(books)
    page = WEB.get(client.get_authorization_url([Scopes.ACCOUNTING], state_token="st"))
    assert "This is a stand-in, not QuickBooks" in page.text
    back = WEB.get(f"{books.url}/connect/oauth2", params=CONSENT | {"state": "st"}).headers["location"]
    assert f"state=st&realmId={books.realm}" in back
    code = back.split("code=")[1].split("&")[0]
    client.get_bearer_token(code, realm_id=books.realm)
    assert client.access_token
    with pytest.raises(AuthClientError):
        client.get_bearer_token(code)
    for wrong in (
        {"client_id": "x"},
        {"scope": "openid"},
        {"redirect_uri": "http://elsewhere.example/"},
        {"state": ""},
    ):
        assert WEB.get(f"{books.url}/connect/oauth2", params=CONSENT | wrong).status_code == 400


def test_the_refresh_token_stays_a_day_and_then_changes(books: QuickBooksClient) -> None:
    client = auth(books)
    client.refresh("sandbox-refresh-token")
    assert client.refresh_token == "sandbox-refresh-token"
    books.clock(DAY + 1)
    client.refresh("sandbox-refresh-token")
    newest = client.refresh_token
    assert newest != "sandbox-refresh-token"
    with pytest.raises(AuthClientError) as caught:
        client.refresh("sandbox-refresh-token")
    assert caught.value.status_code == 400
    refused = books.token(grant_type="refresh_token", refresh_token="sandbox-refresh-token").json()
    assert refused == {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
    books.set_readings(old_refresh_token="24h")
    assert books.token(grant_type="refresh_token", refresh_token="sandbox-refresh-token").status_code == 200
    books.set_readings(refresh_token="always")
    issued = books.token(grant_type="refresh_token", refresh_token=newest).json()
    assert issued["refresh_token"] != newest
    books.clock(100 * DAY + 1)
    assert books.token(grant_type="refresh_token", refresh_token=issued["refresh_token"]).status_code == 400


def test_no_grant_lasts_longer_than_five_years(books: QuickBooksClient) -> None:
    header = {"x-include-refresh-token-hard-expires-in": "true"}
    token = "sandbox-refresh-token"
    issued = books.token(header, grant_type="refresh_token", refresh_token=token).json()
    assert 5 * 365 * DAY - 60 < issued["x_refresh_token_hard_expires_in"] <= 5 * 365 * DAY
    for _ in range(19):
        books.clock(99 * DAY)
        answer = books.token(grant_type="refresh_token", refresh_token=token)
        if answer.status_code != 200:
            break
        token = answer.json()["refresh_token"]
    assert answer.json()["error"] == "invalid_grant"


def test_the_token_endpoint_knows_its_app_alone(books: QuickBooksClient) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
    for credentials in (("sandbox-app", "wrong"), ("x", "sandbox-secret"), None):
        answer = WEB.post(f"{books.url}/oauth2/v1/tokens/bearer", data=form, auth=credentials)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert books.token(grant_type="client_credentials").json()["error"] == "unsupported_grant_type"


def test_an_expired_token_is_401_and_another_company_403(books: QuickBooksClient) -> None:
    books.clock(3601)
    with pytest.raises(AuthorizationException) as caught:
        CompanyInfo.get(books.realm, qb=books.qb)
    assert (caught.value.error_code, "003200" in caught.value.detail) == (401, True)
    books.sign_in()
    assert CompanyInfo.get(books.realm, qb=books.qb)
    books.control("expire", {})
    assert books.http("GET", "preferences").status_code == 401
    books.sign_in()
    books.qb.company_id = "123"
    with pytest.raises(QuickbooksException) as refused:
        CompanyInfo.get("123", qb=books.qb)
    assert "003100" in refused.value.message


def test_a_revoked_grant_reaches_nothing_until_consent_is_given_anew(books: QuickBooksClient) -> None:
    client = auth(books, access_token=books.tokens["access_token"], refresh_token=books.tokens["refresh_token"])
    assert client.revoke() is True
    assert books.http("GET", "preferences").status_code == 403
    with pytest.raises(AuthClientError):
        client.refresh()
    books.sign_in()
    assert books.http("GET", "preferences").status_code == 200
    books.control("revoke", {"tokens": True})
    assert books.http("GET", "preferences").status_code == 403


def test_the_company_can_become_another_one(books: QuickBooksClient) -> None:
    told = books.control("company", {"realm": "77", "fields": {"CompanyName": "Other Pty"}})
    assert told == {"realm": "77", "name": "Other Pty"}
    assert books.http("GET", "preferences").status_code == 403
    books.realm = "77"
    assert books.http("GET", "companyinfo/77").json()["CompanyInfo"]["CompanyName"] == "Other Pty"
