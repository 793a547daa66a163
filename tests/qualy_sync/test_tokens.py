"""Access tokens survive what a bad day does to them: rivals, crashes, lost answers, a full disk, an impatient admin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from connectors.xero import REFRESH_GRACE, client_credentials, exchange_code, refresh
from connectors.xero.oauth import Tokens, consent_url
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Reconnect, Refused, Unreachable
from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.leases import Lease, LeaseHeld
from qualy_sync.ledger.tokens import LedgerTokens
from sandbox.server import Sandbox

LEASE = timedelta(seconds=75)
SECRET_KEY = Fernet.generate_key().decode()  # handed to the other processes of a test
REDIRECT = "http://localhost:8765/callback"


@dataclass
class World:
    """A stand-in for Xero, a ledger, and one clock for both."""

    sandbox: Sandbox
    ledger: Ledger

    @property
    def endpoint(self) -> Endpoint:
        return endpoint(self.sandbox.url)

    def tokens(self, seed: str, **more: Any) -> LedgerTokens:
        ledger = more.pop("ledger", self.ledger)
        more = {"grace": REFRESH_GRACE} | more
        return LedgerTokens(ledger, "xero", seed, lambda old: refresh(self.endpoint, old, clock=ledger), LEASE, **more)

    def consent(self) -> Tokens:
        answer = httpx.get(consent_url(self.endpoint, REDIRECT, "s", None) + "&approve=yes", follow_redirects=False)
        return exchange_code(
            self.endpoint, httpx.URL(answer.headers["location"]).params["code"], REDIRECT, clock=self.ledger
        )

    def seed(self) -> str:
        return self.consent().refresh_token

    def pass_time(self, by: timedelta) -> None:
        self.ledger.move_clock(by)
        self.sandbox.control("POST", "clock", {"advance_seconds": by.total_seconds()})

    def fault(self, do: str, times: int = 1) -> None:
        fault = {"method": "POST", "path": "/identity/connect/token", "do": do, "times": times}
        self.sandbox.control("POST", "faults/xero", fault)

    def refreshes(self) -> int:
        return len(
            [call for call in self.sandbox.control("GET", "calls/xero")["calls"] if call["path"].endswith("token")]
        )

    def works(self, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.sandbox.url}/xero/connections", headers=headers).status_code == 200


def endpoint(url: str) -> Endpoint:
    addresses = {
        "identity_url": f"{url}/xero/identity",
        "connections_url": f"{url}/xero/connections",
        "authorize_url": f"{url}/xero/identity/connect/authorize",
    }
    return Endpoint(f"{url}/xero/api.xro/2.0", addresses, "sandbox-app", "sandbox-secret")


@pytest.fixture(scope="module")
def xero(sandbox: Callable[..., Sandbox]) -> Sandbox:
    return sandbox(payments=1, services=["xero"])


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    opened = Ledger(sqlite_url, [SECRET_KEY])
    yield opened
    opened.close()


@pytest.fixture
def world(xero: Sandbox, ledger: Ledger) -> Iterator[World]:
    """Both clocks agree at the start: the stand-in's may have been moved by an earlier test."""
    xero.control("POST", "clock", {"now": ledger.now().isoformat()})
    xero.control("DELETE", "calls/xero")
    yield World(xero, ledger)
    xero.control("DELETE", "faults/xero")


def test_one_refresh_serves_half_an_hour_and_every_later_process(world: World) -> None:
    seed = world.seed()
    before = world.refreshes()
    first = world.tokens(seed).access_token()
    assert world.works(first)
    assert world.tokens(seed).access_token() == first
    assert world.refreshes() == before + 1

    world.pass_time(timedelta(minutes=26))
    second = world.tokens(seed).access_token()
    assert second != first
    world.pass_time(timedelta(days=30))  # the seed died long ago; what the ledger holds rotated onwards
    assert world.works(world.tokens(seed).access_token())


def test_what_is_stored_is_encrypted(world: World) -> None:
    token = world.tokens(world.seed()).access_token()
    world.ledger.close()
    folder = Path(str(sa.make_url(world.ledger.url).database)).parent
    held = b"".join(path.read_bytes() for path in folder.glob("ledger.db*"))
    assert b"xero" in held
    assert token.encode() not in held


PROCESS = """
import json, os, signal, sys
from datetime import timedelta
from connectors.xero import refresh
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.tokens import LedgerTokens
extra, url, ledger_url, key, seed, killed = sys.argv[1:]
endpoint = Endpoint(url, json.loads(extra), "sandbox-app", "sandbox-secret")
ledger = Ledger(ledger_url, [key])
def ask(old):
    given = refresh(endpoint, old, clock=ledger) if killed != "before" else None
    if killed:
        os.kill(os.getpid(), signal.SIGKILL)
    return given
print(LedgerTokens(ledger, "xero", seed, ask, timedelta(seconds=75)).access_token())
"""


def another_process(world: World, seed: str, killed: str = "") -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            PROCESS,
            json.dumps(world.endpoint.extra),
            world.endpoint.url,
            world.ledger.url,
            SECRET_KEY,
            seed,
            killed,
        ],
        env={**os.environ, "PYTHONPATH": str(root / "plugins")},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_and_threads_at_once_make_one_refresh(world: World) -> None:
    seed = world.seed()
    before = world.refreshes()
    world.fault("delay:1")
    processes = [another_process(world, seed) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(lambda: world.tokens(seed).access_token()) for _ in range(4)]
        given = {one.result() for one in waiting}
    given |= {one.communicate(timeout=120)[0].strip() for one in processes}
    assert len(given) == 1
    assert world.works(given.pop())
    assert world.refreshes() == before + 1


def test_a_refused_token_is_replaced_once_for_everybody(world: World) -> None:
    seed = world.seed()
    ours, theirs = world.tokens(seed), world.tokens(seed)
    first = ours.access_token()
    assert theirs.access_token() == first
    before = world.refreshes()
    ours.refused(first)
    second = ours.access_token()
    assert second != first
    theirs.refused(first)
    assert theirs.access_token() == second
    assert world.refreshes() == before + 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_between_intent_and_commit(world: World, when: str) -> None:
    seed = world.seed()
    killed = another_process(world, seed, when)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(LeaseHeld):  # the dead process may still be alive, as far as anybody can tell
        world.tokens(seed, patience=timedelta()).access_token()
    world.pass_time(LEASE)
    assert world.works(world.tokens(seed).access_token())


def test_a_lost_answer_costs_nothing_while_the_token_lasts(world: World) -> None:
    tokens = world.tokens(world.seed())
    first = tokens.access_token()
    world.pass_time(timedelta(minutes=26))
    world.fault("drop_after")
    assert tokens.access_token() == first
    assert tokens.access_token() == first
    world.pass_time(timedelta(minutes=2))
    second = tokens.access_token()
    assert second != first
    assert world.works(second)


def test_a_lost_answer_gets_one_more_try_and_then_a_person(world: World) -> None:
    seed = world.seed()
    world.fault("drop_after", times=2)
    with pytest.raises(Unreachable, match="did not arrive"):
        world.tokens(seed).access_token()
    calls = world.refreshes()
    with pytest.raises(Unreachable, match="once more after"):
        world.tokens(seed).access_token()
    assert world.refreshes() == calls
    world.pass_time(timedelta(minutes=2))
    for _ in range(2):
        with pytest.raises(Reconnect, match="bin/qualy connect xero"):
            world.tokens(seed).access_token()
    assert world.refreshes() == calls + 1
    world.tokens(seed).keep(world.consent())
    assert world.works(world.tokens(seed).access_token())


def test_after_half_an_hour_an_unanswered_refresh_is_not_repeated(world: World) -> None:
    seed = world.seed()
    world.fault("drop_before")
    with pytest.raises(Unreachable):
        world.tokens(seed).access_token()
    calls = world.refreshes()
    world.pass_time(timedelta(minutes=31))
    with pytest.raises(Reconnect):
        world.tokens(seed).access_token()
    assert world.refreshes() == calls


def test_where_no_grace_is_known_an_unanswered_refresh_is_tried_once_more_at_any_time(world: World) -> None:
    """The call may never have arrived; and if it did, nothing is lost by asking."""
    seed = world.seed()
    world.fault("drop_before")
    with pytest.raises(Unreachable):
        world.tokens(seed, grace=None).access_token()
    calls = world.refreshes()
    world.pass_time(timedelta(hours=5))
    assert world.works(world.tokens(seed, grace=None).access_token())
    assert world.refreshes() == calls + 1


def test_a_definite_no_leaves_the_token_as_it_was(world: World) -> None:
    seed = world.seed()
    world.fault("status:429")
    calls = world.refreshes()
    with pytest.raises(Exception, match="asks to wait"):
        world.tokens(seed).access_token()
    assert world.works(world.tokens(seed).access_token())
    assert world.refreshes() == calls + 2


def test_a_changed_seed_wins_and_an_unchanged_one_does_not(world: World) -> None:
    first, second = world.seed(), world.seed()
    old = world.tokens(first).access_token()
    assert world.tokens(first).access_token() == old
    new = world.tokens(second).access_token()
    assert new != old
    assert world.tokens(second).access_token() == new
    assert world.tokens("").access_token() == new  # a seed that was taken away leaves the ledger's token in force
    assert world.tokens(second).access_token() == new


def test_a_consent_wins_over_the_seed_that_is_still_in_the_connection(world: World) -> None:
    seed = world.seed()
    tokens = world.tokens(seed)
    tokens.access_token()
    given = world.consent()
    tokens.keep(given)
    assert world.tokens(seed).access_token() == given.access_token
    assert world.tokens("").access_token() == given.access_token


@pytest.mark.parametrize("seed", ["never-issued", ""])
def test_dead_or_missing_tokens_ask_for_a_new_consent(world: World, seed: str) -> None:
    for _ in range(2):
        with pytest.raises(Reconnect, match="bin/qualy connect xero"):
            world.tokens(seed).access_token()


def test_revoked_at_the_other_side(world: World) -> None:
    seed = world.seed()
    tokens = world.tokens(seed)
    token = tokens.access_token()
    identity = f"{world.sandbox.url}/xero/identity/connect/revocation"
    httpx.post(identity, data={"token": seed, "client_id": "sandbox-app", "client_secret": "sandbox-secret"})
    assert not world.works(token)
    tokens.refused(token)
    with pytest.raises(Reconnect):
        tokens.access_token()


def test_a_ledger_that_cannot_be_written_asks_nobody(world: World) -> None:
    """The proof comes before the call: a token that was given out and cannot be kept would be lost."""
    seed = world.seed()
    calls = world.refreshes()
    with world.ledger.writing() as connection:
        connection.execute(sa.text("CREATE TRIGGER full BEFORE INSERT ON tokens BEGIN SELECT RAISE(ABORT,'full'); END"))
    with pytest.raises(sa.exc.SQLAlchemyError):
        world.tokens(seed).access_token()
    assert world.refreshes() == calls


def test_a_token_that_cannot_be_committed_waits_in_a_file(world: World, tmp_path: Path) -> None:
    seed = world.seed()
    aside = tmp_path / "aside"

    def ask_and_lose_the_disk(old: str) -> Tokens:
        given = refresh(world.endpoint, old, clock=world.ledger)
        with world.ledger.writing() as connection:
            for change in ("INSERT", "UPDATE"):
                full = f"CREATE TRIGGER full_{change} BEFORE {change} ON tokens BEGIN SELECT RAISE(ABORT, 'full'); END"
                connection.execute(sa.text(full))
        return given

    unlucky = LedgerTokens(world.ledger, "xero", seed, ask_and_lose_the_disk, LEASE, spill_to=aside)
    with pytest.raises(LedgerError, match="picked up by the next start"):
        unlucky.access_token()
    (file,) = aside.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    with world.ledger.writing() as connection:
        connection.execute(sa.text("DROP TRIGGER full_INSERT"))
        connection.execute(sa.text("DROP TRIGGER full_UPDATE"))

    calls = world.refreshes()
    assert world.works(world.tokens(seed, spill_to=aside).access_token())
    assert list(aside.iterdir()) == []
    assert world.refreshes() == calls
    world.pass_time(timedelta(hours=2))
    assert world.works(world.tokens(seed, spill_to=aside).access_token())


def test_a_custom_connection_asks_anew_and_shares_what_it_got(world: World) -> None:
    def tokens() -> LedgerTokens:
        return world.tokens("", renew=lambda: client_credentials(world.endpoint, clock=world.ledger))

    first = tokens().access_token()
    assert world.works(first)
    assert tokens().access_token() == first
    world.pass_time(timedelta(hours=5))
    world.fault("drop_after")
    with pytest.raises(Unreachable):
        tokens().access_token()
    second = tokens().access_token()
    assert world.works(second)
    given = world.consent()  # the same connection, agreed to by a person after all
    tokens().keep(given)
    world.pass_time(timedelta(minutes=26))
    third = tokens().access_token()
    assert third not in {first, second, given.access_token}
    assert world.works(third)


def test_a_wrong_secret_is_said_and_harms_nothing(world: World) -> None:
    seed = world.seed()
    wrong = Endpoint(world.endpoint.url, world.endpoint.extra, "sandbox-app", "wrong")
    tokens = LedgerTokens(world.ledger, "xero", seed, lambda old: refresh(wrong, old, clock=world.ledger), LEASE)
    with pytest.raises(Refused, match="client id"):
        tokens.access_token()
    assert world.works(world.tokens(seed).access_token())


def test_tokens_are_heard_by_whoever_hides_them_in_logs(world: World) -> None:
    heard: list[str] = []
    token = world.tokens(world.seed(), mask=heard.append).access_token()
    assert heard == [token]


def test_a_waiter_gives_up_with_the_time_at_which_it_is_free(world: World) -> None:
    with (
        Lease(world.ledger, "token:xero", LEASE),
        pytest.raises(LeaseHeld) as held,
    ):
        world.tokens(world.seed(), patience=timedelta(seconds=0.2)).access_token()
    assert held.value.until > world.ledger.now()
