"""How a connection to QuickBooks is made, kept and lost: consent, tokens, hosts, pace, and what texts never show."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet

from connectors.quickbooks import connect, consent_url, exchange_code, refresh
from qualy_app.tools import TOOLS, keep_realm, quickbooks_tokens
from qualy_sync.contracts.accounting import Endpoint, NotSent, What
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, ToolError, Unreachable
from qualy_sync.ledger import Ledger
from sandbox.server import Sandbox
from tests.support.quickbooks_connection import (
    REALMS,
    REDIRECT,
    FreshTokens,
    SandboxClock,
    endpoint,
    new_contact,
    send,
)

TODAY = date(2026, 7, 15)


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with Sandbox.start(payments=1, today=TODAY, services=["quickbooks"]) as sandbox:
        sandbox.control("POST", "quota/quickbooks", {"second": None, "minute": None, "batch_minute": None})
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    yield started
    started.control("DELETE", "faults/quickbooks")


@pytest.fixture
def ledger(migrated_file: Path, tmp_path: Path) -> Iterator[Ledger]:
    path = tmp_path / "ledger.db"
    path.write_bytes(migrated_file.read_bytes())
    ledger = Ledger(f"sqlite:///{path}", [Fernet.generate_key().decode()])
    yield ledger
    ledger.close()


def agreed(at: Endpoint) -> tuple[str, str]:
    """What the browser brings back: code and company."""
    back = httpx.get(consent_url(at, REDIRECT, "state-1") + "&approve=yes", follow_redirects=False).headers["location"]
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == ["state-1"]
    return query["code"][0], query["realmId"][0]


def test_a_consent_gives_tokens_that_reach_the_company(sandbox: Sandbox) -> None:
    at = endpoint(sandbox)
    code, realm = agreed(at)
    given = exchange_code(at, code, REDIRECT, clock=SandboxClock(sandbox))
    assert realm == REALMS["au"]
    assert given.expires_at == pytest.approx(SandboxClock(sandbox).now() + timedelta(hours=1), abs=timedelta(minutes=1))
    again = refresh(at, given.refresh_token)
    assert again.refresh_token == given.refresh_token, "within a day the same one comes back"
    assert again.access_token not in repr(again)
    with pytest.raises(Reconnect, match="connect quickbooks"):
        exchange_code(at, code, REDIRECT)
    with pytest.raises(Reconnect):
        refresh(at, "RT1-unknown")


def test_a_wrong_secret_is_said_without_showing_it(sandbox: Sandbox) -> None:
    at = endpoint(sandbox)
    wrong = Endpoint(at.url, at.extra, at.login, "not-the-secret")
    with pytest.raises(Refused, match="client id, secret") as caught:
        refresh(wrong, at.extra["refresh_token"])
    assert "not-the-secret" not in str(caught.value)


def test_the_ledger_keeps_a_token_that_rotates(sandbox: Sandbox, ledger: Ledger) -> None:
    sandbox.control("POST", "readings/quickbooks", {"refresh_token": "always"})
    at = endpoint(sandbox)
    tokens = quickbooks_tokens(ledger, at)
    first = tokens.access_token()
    tokens.refused(first)
    second = quickbooks_tokens(ledger, at)
    second.refused(first)
    third = second.access_token()
    assert third != first, "the seed was spent by the first refresh; the ledger's newest token went on"
    sandbox.control("POST", "readings/quickbooks", {"refresh_token": "daily"})


def test_the_company_of_a_consent_is_remembered(sandbox: Sandbox, ledger: Ledger) -> None:
    at = endpoint(sandbox)
    without = Endpoint(
        at.url, {name: one for name, one in at.extra.items() if name != "realm_id"}, at.login, at.password
    )
    with pytest.raises(Reconnect, match="realm_id"):
        TOOLS["quickbooks"].open(ledger, without, 5, None)
    keep_realm(ledger, REALMS["au"])
    assert TOOLS["quickbooks"].open(ledger, without, 5, None).organisation().id == REALMS["au"]


def test_the_company_says_who_it_is(sandbox: Sandbox) -> None:
    at = endpoint(sandbox)
    found = connect(at, FreshTokens(at), SandboxClock(sandbox)).organisation()
    assert (found.id, found.base_currency, found.country) == (REALMS["au"], "AUD", "AU")
    assert (found.zone.key, found.stand_in) == ("Australia/Sydney", True)


def test_a_token_that_ended_is_replaced_once_and_another_company_is_refused(sandbox: Sandbox) -> None:
    at = endpoint(sandbox)
    tokens = FreshTokens(at)
    tool = connect(at, tokens, SandboxClock(sandbox))
    tool.organisation()
    sandbox.control("POST", "expire/quickbooks", {})
    tool.organisation()
    assert tokens.refusals == 1
    other = endpoint(sandbox, realm_id="123")
    with pytest.raises(Refused, match="realm_id"):
        connect(other, FreshTokens(other), SandboxClock(sandbox)).organisation()


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("https://quickbooks.api.intuit.com.evil.example", {}),
        ("http://quickbooks.api.intuit.com", {}),
        ("https://user@quickbooks.api.intuit.com", {}),
        ("https://quickbooks.api.intuit.com", {"token_url": "http://127.0.0.1:9/token"}),
        ("http://127.0.0.1:9", {}),
    ],
)
def test_only_intuits_hosts_or_a_stand_in_are_reached_never_a_mixture(url: str, extra: dict[str, str]) -> None:
    at = Endpoint(url, {"realm_id": "1"} | extra, "id", "secret")
    with pytest.raises(Refused):
        connect(at, FreshTokens(at), _Never())


class _Never:
    def now(self) -> datetime:
        raise AssertionError("nothing is asked")


def test_nothing_is_sent_where_nobody_listens_or_somebody_points_elsewhere(sandbox: Sandbox) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    good = endpoint(sandbox)
    tokens = FreshTokens(good)
    gone = Endpoint(f"http://127.0.0.1:{port}", good.extra, good.login, good.password)
    with pytest.raises(Unreachable):
        connect(gone, tokens, SandboxClock(sandbox)).organisation()
    sandbox.control("POST", "faults/quickbooks", {"method": "*", "path": "/v3", "do": "status:302", "times": 1})
    with pytest.raises(ToolError) as caught:
        connect(good, tokens, SandboxClock(sandbox)).organisation()
    assert not isinstance(caught.value, AnswerLost)


def test_our_own_pace_stops_before_the_limit_and_says_until_when(sandbox: Sandbox) -> None:
    at = endpoint(sandbox, batches_per_minute="3")
    clock = SandboxClock(sandbox)
    tool = connect(at, FreshTokens(at), clock)
    for _ in range(2):  # with the reading of the company: three batches
        send(tool, new_contact())
    reply = send(tool, new_contact())
    assert isinstance(reply, NotSent)
    assert isinstance(reply.error, OutOfQuota)
    assert reply.error.until is not None
    assert timedelta(0) < reply.error.until - clock.now() <= timedelta(seconds=60)
    assert tool.chart().accounts, "questions go one by one meanwhile"


def test_no_text_and_no_log_shows_a_token_or_a_person(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    at = endpoint(sandbox)
    tokens = FreshTokens(at)
    tool = connect(at, tokens, SandboxClock(sandbox))
    new = new_contact("Henrietta Secret")
    send(tool, new)
    shown = [repr(tool), repr(send(tool, new))]
    for do in ("status:403", "status:500", "status:429"):
        sandbox.control("POST", "faults/quickbooks", {"method": "*", "path": "/v3", "do": do, "times": 1})
        try:
            tool.find(What.CONTACT, [new.ref], None)
        except ToolError as error:
            shown.append(str(error))
    text = " ".join([*shown, caplog.text])
    assert tokens.access_token() not in text
    assert "Henrietta" not in text
    assert new.email not in text
