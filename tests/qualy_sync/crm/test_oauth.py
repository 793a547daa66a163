"""HubSpot through an app with consent: its token ends every half hour, also in the middle of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.support.crm_world import CrmWorld, person

APP = {"login": "sandbox-hubspot-app", "password": "sandbox-hubspot-secret"}
CONSENT = "sandbox-hubspot-refresh-token"
HALF_AN_HOUR = 31 * 60


@dataclass
class OAuthWorld(CrmWorld):
    """A world whose connection to HubSpot holds a consent in place of a lasting token."""

    consent: str = CONSENT

    def environment(self) -> dict[str, str]:
        hubspot = {"conn_type": "http", "host": f"{self.sandbox.url}/hubspot"} | APP
        connection = hubspot | {"extra": {"refresh_token": self.consent}}
        return super().environment() | {"AIRFLOW_CONN_HUBSPOT": json.dumps(connection)}

    def token_calls(self) -> int:
        return sum(one["path"].endswith("/token") for one in self.calls())

    def expire(self) -> None:
        self.sandbox.control("POST", "expire/hubspot", {})


@pytest.fixture
def world(crm_stand_ins: Sandbox, migrated_file: Path, tmp_path: Path) -> Iterator[OAuthWorld]:
    file = tmp_path / "ledger.db"
    file.write_bytes(migrated_file.read_bytes())
    made = OAuthWorld(crm_stand_ins, f"sqlite:///{file}")
    made.begin([person(number, "P", str(number), f"p{number}@school.test") for number in range(1, 121)])
    yield made
    made.sandbox.control("POST", "revoke/hubspot", {})
    made.ledger.close()


def everybody_once(world: OAuthWorld) -> bool:
    return len(world.contacts()) == 120 and set(world.refs().values()) == {1}


def test_one_token_serves_half_an_hour_and_then_another(world: OAuthWorld) -> None:
    assert world.run(), world.problems
    assert everybody_once(world)
    world.later(60)
    assert world.token_calls() == 1
    world.later(HALF_AN_HOUR)
    assert world.token_calls() == 2
    with world.ledger.reading() as connection:
        (kept,) = connection.exec_driver_sql("SELECT token FROM tokens WHERE connection = 'hubspot'").fetchall()
    assert CONSENT.encode() not in bytes(kept[0])


def test_a_token_that_is_refused_between_two_batches_is_renewed_and_nobody_is_made_twice(world: OAuthWorld) -> None:
    ended = []

    def checkpoint(name: str) -> None:
        if name == "committed":  # before each of the two batches
            ended.append(name)
            world.expire()

    assert world.run(checkpoint), world.problems
    assert len(ended) == 2
    assert everybody_once(world)
    assert world.token_calls() == 3
    assert set(world.outcomes().values()) == {"created"}


def test_a_token_is_renewed_before_it_ends_in_the_middle_of_a_run(world: OAuthWorld) -> None:
    world.run()
    everybody = [{"_id": key, "profile.firstName": "Q"} for key in world.customers()]
    world.sandbox.control("POST", "change/qualy", {"update": {"contacts": everybody}})
    world.pass_time(HALF_AN_HOUR - 170)
    assert world.run(lambda name: world.pass_time(60) if name == "answered" else None), world.problems
    assert world.token_calls() == 2
    assert 401 not in {one["status"] for one in world.calls()}
    assert {one["properties"]["firstname"] for one in world.contacts().values()} == {"Q"}


def test_a_withdrawn_consent_ends_the_run_with_what_to_do_and_a_new_one_goes_on(world: OAuthWorld) -> None:
    world.run()
    world.qualy("update", _id=person(1, "", "", "")["_id"], profile={"firstName": "Q", "lastName": "1"})
    world.sandbox.control("POST", "revoke/hubspot", {"token": CONSENT})
    assert not world.later()
    assert "no longer accepts the connection's consent" in world.problems[-1]
    assert "bin/qualy connect hubspot" in world.problems[-1]
    assert CONSENT not in " ".join(world.problems)
    world.sandbox.control("POST", "revoke/hubspot", {})
    world.run_until_quiet()
    assert world.contact("p1@school.test")["properties"]["firstname"] == "Q"


def test_a_consent_that_is_withdrawn_in_the_middle_of_a_run_loses_nothing(world: OAuthWorld) -> None:
    def checkpoint(name: str) -> None:
        if name == "committed":
            world.sandbox.control("POST", "revoke/hubspot", {"token": CONSENT})

    assert not world.run(checkpoint)
    assert "bin/qualy connect hubspot" in world.problems[-1]
    assert world.contacts() == {}
    world.sandbox.control("POST", "revoke/hubspot", {})
    world.run_until_quiet()
    assert everybody_once(world)
