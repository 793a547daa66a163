"""Where a connection to Conta Azul may point, how a person agrees, and what tokens come of it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.conta_azul import access, consent_url, exchange_code, refresh
from qualy_app.tools import conta_azul_tokens
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import AnswerLost, Reconnect, Refused, Unreachable
from qualy_sync.ledger import Ledger
from tests.support.conta_azul_connection import Connected, SandboxClock, endpoint

REDIRECT = "http://localhost:8765/callback"
REAL = Endpoint("", {}, "app", "secret")


# -- addresses ----------------------------------------------------------------------------------------------------


def test_without_a_word_it_is_the_current_addresses() -> None:
    at = access(REAL)
    assert at.api == "https://api-v2.contaazul.com"
    assert at.token == "https://api-v2.contaazul.com/oauth/token"
    assert at.authorize == "https://login.contaazul.com/#/oauth/authorize"
    assert not at.local
    assert at.calls_per_second == 5


def test_the_older_addresses_are_a_setting() -> None:
    older = {
        "token_url": "https://auth.contaazul.com/oauth2/token",
        "authorize_url": "https://auth.contaazul.com/oauth2/authorize",
    }
    at = access(replace(REAL, extra=older))
    assert (at.token, at.authorize) == (older["token_url"], older["authorize_url"])
    assert access(replace(REAL, url="https://api-v2.contaazul.com/v1")).api == "https://api-v2.contaazul.com"


@pytest.mark.parametrize(
    "url",
    ["https://evil.example", "http://api-v2.contaazul.com", "https://contaazul.com.evil.example", "ftp://127.0.0.1",
     "https://user:pw@api-v2.contaazul.com", "https://api-v2.contaazul.com:8443", "https://[::1"],
)  # fmt: skip
def test_a_token_goes_nowhere_else(url: str) -> None:
    with pytest.raises(Refused):
        access(replace(REAL, url=url))
    with pytest.raises(Refused):
        access(replace(REAL, extra={"token_url": url}))


def test_a_stand_in_and_the_real_service_never_mix() -> None:
    with pytest.raises(Refused, match="mixes a stand-in"):
        access(replace(REAL, url="http://127.0.0.1:8900/conta_azul"))


@pytest.mark.parametrize("rate", ["0", "-1", "many", "NaN", "1e9"])
def test_a_pace_is_a_number(rate: str) -> None:
    with pytest.raises(Refused, match="calls_per_second"):
        access(replace(REAL, extra={"calls_per_second": rate}))


def test_pass_through_pairs_are_pairs() -> None:
    assert access(replace(REAL, extra={"pass_through": "A+B, c+d"})).pairs == (("a", "b"), ("c", "d"))
    with pytest.raises(Refused, match="RECEITA"):
        access(replace(REAL, extra={"pass_through": "A,B"}))


# -- consent and tokens -------------------------------------------------------------------------------------------


def agreed(at: Endpoint) -> str:
    """The code that a person comes back with."""
    asked = consent_url(at, REDIRECT, "state-1").replace("/#/", "/")
    back = httpx.get(f"{asked}&approve=yes").headers["location"]
    assert parse_qs(urlsplit(back).query)["state"] == ["state-1"]
    return parse_qs(urlsplit(back).query)["code"][0]


def test_the_question_stands_behind_the_hash_with_the_scope_as_it_is() -> None:
    url = consent_url(replace(REAL, login="app-1"), REDIRECT, "s")
    page, _, question = url.partition("#")
    assert page == "https://login.contaazul.com/"
    assert question.startswith("/oauth/authorize?response_type=code&client_id=app-1&")
    assert question.endswith("&scope=openid+profile+aws.cognito.signin.user.admin")


def test_a_code_gives_tokens_once_and_each_renewal_ends_the_one_before(conta_azul: Connected) -> None:
    at = endpoint(conta_azul.client)
    clock = SandboxClock(conta_azul.client)
    code = agreed(at)
    first = exchange_code(at, code, REDIRECT, clock=clock)
    assert timedelta(minutes=59) < first.expires_at - clock.now() <= timedelta(hours=1)
    with pytest.raises(Reconnect, match="bin/qualy connect conta_azul"):
        exchange_code(at, code, REDIRECT)
    second = refresh(at, first.refresh_token)
    assert second.refresh_token != first.refresh_token
    with pytest.raises(Reconnect):
        refresh(at, first.refresh_token)
    older = replace(at, extra={**at.extra, "token_url": f"{conta_azul.client.url}/oauth2/token"})
    assert refresh(older, second.refresh_token).access_token


@pytest.mark.parametrize("do", ["drop_before", "drop_after", "garbage", "truncate", "status:500"])
def test_an_answer_that_cannot_be_read_may_have_ended_the_token(conta_azul: Connected, do: str) -> None:
    at = endpoint(conta_azul.client)
    given = exchange_code(at, agreed(at), REDIRECT)
    conta_azul.client.control("faults", {"method": "POST", "path": "/oauth/token", "do": do})
    with pytest.raises(AnswerLost):
        refresh(at, given.refresh_token)


def test_wrong_apps_and_dead_lines_have_other_remedies(conta_azul: Connected) -> None:
    at = endpoint(conta_azul.client)
    with pytest.raises(Refused, match="invalid_client"):
        refresh(replace(at, password="wrong"), "token")
    with pytest.raises(Refused, match="login and password"):
        refresh(replace(at, login=""), "token")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/oauth/token"
    with pytest.raises(Unreachable):
        refresh(replace(at, extra={**at.extra, "token_url": closed}), "token")


def test_nothing_shows_a_token_or_a_secret(conta_azul: Connected) -> None:
    at = endpoint(conta_azul.client)
    given = exchange_code(at, agreed(at), REDIRECT)
    shown = f"{given!r} {at!r}"
    with pytest.raises(Reconnect) as raised:
        refresh(at, "secret-token")
    shown += f"{raised.value!r} {raised.value}"
    assert not any(secret in shown for secret in (given.access_token, given.refresh_token, "sandbox-secret"))
    assert "secret-token" not in shown


@pytest.fixture
def seeded(conta_azul: Connected, ledger: Ledger) -> Callable[[], Endpoint]:
    """A connection with a refresh token that nobody has used, and a ledger on the stand-in's clock."""

    def make() -> Endpoint:
        at = endpoint(conta_azul.client)
        offset = conta_azul.client.sandbox.control("GET", "clock")["offset_seconds"]
        ledger.move_clock(timedelta(seconds=offset))
        return replace(at, extra={**at.extra, "refresh_token": exchange_code(at, agreed(at), REDIRECT).refresh_token})

    return make


def test_the_ledger_renews_in_time_and_keeps_what_it_was_given(
    conta_azul: Connected, ledger: Ledger, seeded: Callable[[], Endpoint]
) -> None:
    tokens = conta_azul_tokens(ledger, seeded())
    seen = set()
    for _ in range(3):
        token = tokens.access_token()
        assert tokens.access_token() == token
        assert conta_azul.client.sandbox is not None
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{conta_azul.client.url}/v1/pessoas/conta-conectada", headers=headers).status_code == 200
        seen.add(token)
        conta_azul.client.clock(3600)
        ledger.move_clock(timedelta(hours=1))
    assert len(seen) == 3


def test_a_renewal_whose_answer_is_lost_is_tried_once_more_and_then_a_person_connects_again(
    conta_azul: Connected, ledger: Ledger, seeded: Callable[[], Endpoint]
) -> None:
    tokens = conta_azul_tokens(ledger, seeded())
    conta_azul.client.control("faults", {"method": "POST", "path": "/oauth/token", "do": "drop_after"})
    with pytest.raises(Unreachable):
        tokens.access_token()
    ledger.move_clock(timedelta(minutes=2))
    with pytest.raises(Reconnect, match="connect conta_azul"):
        tokens.access_token()


def test_access_that_was_taken_away_shows_at_the_next_renewal(
    conta_azul: Connected, ledger: Ledger, seeded: Callable[[], Endpoint]
) -> None:
    tokens = conta_azul_tokens(ledger, seeded())
    tokens.access_token()
    conta_azul.client.control("revoke", {})
    conta_azul.client.clock(3600)
    ledger.move_clock(timedelta(hours=1))
    with pytest.raises(Reconnect, match="connect conta_azul"):
        tokens.access_token()
    conta_azul.client.refresh_token = exchange_code(
        endpoint(conta_azul.client), agreed(endpoint(conta_azul.client)), REDIRECT
    ).refresh_token
