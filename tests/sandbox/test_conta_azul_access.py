"""Getting in: consent, tokens that rotate, plans, companies, limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.sandbox.conta_azul_client import WEB, ContaAzulClient, conta_azul_sandbox

BACK = "http://localhost:8765/callback"
SCOPE = "openid+profile+aws.cognito.signin.user.admin"
OLD_AND_NEW = ["/oauth/token", "/oauth2/token"]


@pytest.fixture
def conta_azul() -> Iterator[ContaAzulClient]:
    with conta_azul_sandbox() as client:
        client.reset()
        yield client


def consent(
    conta_azul: ContaAzulClient, path: str = "/oauth/authorize", scope: str = SCOPE, **more: str
) -> httpx.Response:
    asked = {"response_type": "code", "client_id": "sandbox-app", "redirect_uri": BACK, "state": "s1"} | more
    query = "&".join(f"{name}={httpx.QueryParams({name: value})[name]}" for name, value in asked.items())
    return WEB.get(f"{conta_azul.url}{path}?{query}&scope={scope}")


def code(conta_azul: ContaAzulClient, **more: str) -> str:
    back = consent(conta_azul, approve="yes", **more)
    assert back.status_code == 302, back.text
    found = parse_qs(urlsplit(back.headers["location"]).query)
    assert found["state"] == ["s1"]
    return found["code"][0]


def exchange(conta_azul: ContaAzulClient, given: str, path: str = "/oauth/token", back: str = BACK) -> httpx.Response:
    return conta_azul.token(path, grant_type="authorization_code", code=given, redirect_uri=back)


def refusal(answer: httpx.Response) -> Any:
    assert answer.status_code == 400, answer.text
    return answer.json().get("error"), answer.json().get("error_subtype")


def test_a_person_consents_and_comes_back_with_a_code(conta_azul: ContaAzulClient) -> None:
    page = consent(conta_azul)
    assert page.status_code == 200
    assert "stand-in, not Conta Azul" in page.text
    issued = exchange(conta_azul, code(conta_azul)).json()
    assert (issued["expires_in"], issued["token_type"]) == (3600, "Bearer")
    assert issued["access_token"].count(".") == 2
    conta_azul.access_token = issued["access_token"]
    assert conta_azul.read("/v1/pessoas/conta-conectada")["documento"] == "11222333000181"


def test_the_login_address_has_its_query_behind_the_hash(conta_azul: ContaAzulClient) -> None:
    page = WEB.get(conta_azul.url + "/")
    assert "location.hash" in page.text
    assert "/oauth/authorize?" in page.text


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/login"])
def test_the_older_addresses_know_no_pkce(conta_azul: ContaAzulClient, path: str) -> None:
    assert consent(conta_azul, path).status_code == 200
    assert consent(conta_azul, path, code_challenge="x" * 43).status_code == 400
    assert consent(conta_azul, code_challenge="x" * 43).status_code == 200


def test_an_escaped_plus_breaks_the_scope(conta_azul: ContaAzulClient) -> None:
    assert "invalid_scope" in consent(conta_azul, scope=SCOPE.replace("+", "%2B")).text
    assert "invalid_scope" in consent(conta_azul, scope="openid").text


def test_the_redirect_is_the_registered_one_character_for_character(conta_azul: ContaAzulClient) -> None:
    assert consent(conta_azul, redirect_uri="http://elsewhere.example/").status_code == 400
    conta_azul.reading(redirect_uri="https://app.example/callback")
    assert consent(conta_azul).status_code == 400
    assert consent(conta_azul, redirect_uri="https://app.example/callback/").status_code == 400
    assert consent(conta_azul, redirect_uri="https://app.example/callback").status_code == 200


@pytest.mark.parametrize("path", OLD_AND_NEW)
def test_a_code_works_once_within_three_minutes(conta_azul: ContaAzulClient, path: str) -> None:
    first, late = code(conta_azul), code(conta_azul)
    assert exchange(conta_azul, first, path, back=BACK + "/").status_code == 400
    assert exchange(conta_azul, first, path).status_code == 200
    assert refusal(exchange(conta_azul, first, path))[0] == "invalid_grant"
    conta_azul.clock(181)
    assert refusal(exchange(conta_azul, late, path))[0] == "invalid_grant"


@pytest.mark.parametrize("path", OLD_AND_NEW)
def test_each_renewal_ends_the_refresh_token_before_it(conta_azul: ContaAzulClient, path: str) -> None:
    old = conta_azul.refresh_token
    new = conta_azul.token(path, grant_type="refresh_token", refresh_token=old).json()["refresh_token"]
    again = conta_azul.token(path, grant_type="refresh_token", refresh_token=old)
    subtype = "invalid_refresh_token" if path == "/oauth/token" else None
    assert refusal(again) == ("invalid_grant", subtype)
    assert conta_azul.token(path, grant_type="refresh_token", refresh_token=new).status_code == 200


def test_a_reused_refresh_token_can_end_the_whole_connection(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(reuse_kills=True)
    old = conta_azul.refresh_token
    conta_azul.renew()
    assert conta_azul.token(grant_type="refresh_token", refresh_token=old).status_code == 400
    answer = conta_azul.token(grant_type="refresh_token", refresh_token=conta_azul.refresh_token)
    assert refusal(answer) == ("invalid_grant", "access_revoked")


def test_the_client_proves_itself_with_basic_or_in_the_body(conta_azul: ContaAzulClient) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": conta_azul.refresh_token}
    assert refusal(conta_azul.token(secret="wrong", **form))[1] == "invalid_client"
    in_body = WEB.post(conta_azul.url + "/oauth/token", data=form | {"client_id": "sandbox-app", "client_secret": "x"})
    assert in_body.status_code == 400
    own = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
    assert WEB.post(conta_azul.url + "/oauth/token", data=form | own).status_code == 200
    assert refusal(conta_azul.token(grant_type="client_credentials"))[0] == "unsupported_grant_type"


def test_an_access_token_lives_an_hour(conta_azul: ContaAzulClient) -> None:
    conta_azul.renew()
    conta_azul.clock(3590)
    assert conta_azul.http("GET", "/v1/pessoas").status_code == 200
    conta_azul.clock(20)
    answer = conta_azul.http("GET", "/v1/pessoas")
    assert answer.status_code == 401
    assert answer.json()["code"] == 401
    assert WEB.get(conta_azul.url + "/v1/pessoas").status_code == 401


def test_a_refresh_token_lives_two_years(conta_azul: ContaAzulClient) -> None:
    conta_azul.clock(731 * 86_400)
    assert conta_azul.token(grant_type="refresh_token", refresh_token=conta_azul.refresh_token).status_code == 400


def test_revoked_access_shows_at_the_next_renewal(conta_azul: ContaAzulClient) -> None:
    headers = {"Authorization": f"Bearer {conta_azul.access_token}"}
    company = conta_azul.read("/v1/pessoas/conta-conectada")["id_empresa"]
    address = f"{conta_azul.url}/oauth/connections/"
    assert WEB.delete(address + "other", headers=headers).status_code == 404
    assert WEB.delete(address + company).status_code == 401
    assert [WEB.delete(address + company, headers=headers).status_code for _ in range(2)] == [204, 204]
    assert conta_azul.http("GET", "/v1/pessoas").status_code == 200
    answer = conta_azul.token(grant_type="refresh_token", refresh_token=conta_azul.refresh_token)
    assert refusal(answer) == ("invalid_grant", "access_revoked")


def test_a_consent_with_the_portals_login_opens_nothing(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(consent_login="portal")
    conta_azul.access_token = exchange(conta_azul, code(conta_azul)).json()["access_token"]
    assert conta_azul.http("GET", "/v1/pessoas").status_code == 401


def test_a_plan_without_access_is_refused_as_such(conta_azul: ContaAzulClient) -> None:
    conta_azul.reading(account_status="END_TRIAL")
    answer = conta_azul.http("GET", "/v1/categorias")
    assert (answer.status_code, answer.json()["status_conta"]) == (403, "END_TRIAL")


def test_the_connection_can_turn_out_to_be_another_company(conta_azul: ContaAzulClient) -> None:
    before = conta_azul.read("/v1/pessoas/conta-conectada")
    conta_azul.control("company", {"id_empresa": "ca7e0000-0000-4000-8000-0000000000ff", "razao_social": "Outra"})
    after = conta_azul.read("/v1/pessoas/conta-conectada")
    assert after["id_empresa"] != before["id_empresa"]
    assert (after["razao_social"], after["email"]) == ("Outra", before["email"])


@pytest.mark.parametrize(("limit", "seconds"), [("per_second", 1), ("per_minute", 60)])
def test_calls_over_the_limit_get_429_and_are_not_done(conta_azul: ContaAzulClient, limit: str, seconds: int) -> None:
    conta_azul.control("quota", {limit: 0})
    answer = conta_azul.http("POST", "/v1/pessoas", {"nome": "Ana", "tipo_pessoa": "Física", "perfis": []})
    assert (answer.status_code, answer.json()["code"]) == (429, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= seconds
    conta_azul.reading(retry_after=False)
    assert "retry-after" not in conta_azul.http("GET", "/v1/pessoas").headers
    conta_azul.control("quota", {limit: 1000})
    assert conta_azul.people() == []


def test_the_real_limits_are_ten_a_second_and_six_hundred_a_minute(conta_azul: ContaAzulClient) -> None:
    with conta_azul_sandbox() as fresh:
        assert fresh.control("quota", {})["limits"] == {"per_second": 10, "per_minute": 600}
        fresh.control("quota", {"per_second": None, "per_minute": 3})
        fresh.noon()
        assert [fresh.http("GET", "/v1/pessoas").status_code for _ in range(4)] == [200, 200, 200, 429]
        fresh.clock(60)
        assert fresh.http("GET", "/v1/pessoas").status_code == 200
