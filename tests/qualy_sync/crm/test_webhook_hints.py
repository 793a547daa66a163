"""What HubSpot tells by webhook goes through at once, and whatever is lost of it the clock's run finds."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from qualy_app import crm_jobs, jobs
from qualy_app.params import SyncParams
from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger.inbox import count
from tests.support.crm_world import SETTINGS, CrmWorld, person
from tests.support.webhook_app import serving

SECRET = "sandbox-hubspot-secret"
IN_PATH = "sandbox-qualy-webhook-secret-" + "q" * 12
ANNA = person(1, "Anna", "Old", "anna@mail.example")
BELA = person(2, "Béla", "Szabó", "bela@mail.example")
SUBSCRIBED = [
    "contact.creation", "contact.deletion", "contact.merge", "contact.restore", "contact.privacyDeletion",
    *({"subscriptionType": "contact.propertyChange", "propertyName": name} for name in ("lastname", "email")),
]  # fmt: skip


class Told:
    """A world whose HubSpot sends webhooks to us, and runs that they start."""

    def __init__(self, world: CrmWorld) -> None:
        self.world = world
        self.woken: list[str] = []
        self._runs = 0

    def run(self, *, by_event: bool = True, until: Callable[[], None] = lambda: None) -> bool:
        """What the DAG does; whether another run is to follow at once."""
        self._runs += 1
        name = f"sync_hubspot/{id(self)}_{self._runs}"
        crm_jobs.check("hubspot", name, SyncParams(), by_clock=not by_event)
        until()
        crm_jobs.plan("hubspot", name)
        crm_jobs.write("hubspot", name, 1)
        crm_jobs.into_qualy("hubspot", name, 1)
        return crm_jobs.backlog("hubspot", name)

    def extract(self) -> None:
        """What `extract_qualy` does when a webhook woke it: it reads what was told, and nothing else."""
        self._runs += 1
        name = f"extract_qualy/{id(self)}_{self._runs}"
        jobs.extract(name, 1, by_event=True)
        jobs.quality(name)
        jobs.publish(name)

    def deliver(self, service: str = "hubspot") -> list[int]:
        """The service sends what it has to tell; the answers."""
        done = self.world.sandbox.control("POST", f"webhooks/{service}", {"do": "deliver"})["deliveries"]
        self.world.sandbox.control("POST", f"webhooks/{service}", {"do": "clear"})
        return [each["status"] for each in done]

    def waiting(self, service: str = "hubspot") -> int:
        return count(self.world.ledger, service)

    def last_name(self) -> str:
        return str(self.world.customers()[ANNA["_id"]]["profile"]["lastName"])

    def contact(self) -> str:
        return self.world.links()[ANNA["_id"]]


@pytest.fixture
def told(make_crm_world: Callable[..., CrmWorld], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Two customers in step; HubSpot's search shows nothing new for hours, so that only webhooks tell."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = YAML(typ="safe").load(SETTINGS.read_text())
    given["webhooks"]["public_url"] = f"http://127.0.0.1:{port}"
    given["source"]["requests_per_second"] = 1000
    settings = tmp_path / "told.yaml"
    settings.write_text(json.dumps(given, default=str))
    world = make_crm_world([ANNA, BELA], settings=settings)
    found = Told(world)
    connection = json.loads(world.environment()["AIRFLOW_CONN_HUBSPOT"]) | {"extra": {"webhook_secret": SECRET}}
    qualy = json.loads(world.environment()["AIRFLOW_CONN_QUALY"]) | {"extra": {"webhook_secret": IN_PATH}}
    environment = world.environment() | {
        "AIRFLOW_CONN_HUBSPOT": json.dumps(connection),
        "AIRFLOW_CONN_QUALY": json.dumps(qualy),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    world.run_until_quiet()
    hooks = {"target": f"http://127.0.0.1:{port}/webhooks/hubspot", "mode": "manual", "secret": SECRET}
    with serving(environment, found.woken, port):
        world.sandbox.control("POST", "readings/hubspot", {"search_lag_seconds": 100_000})
        world.sandbox.control("POST", "webhooks/hubspot", hooks | {"subscriptions": SUBSCRIBED})
        to_us = {"target": f"http://127.0.0.1:{port}/webhooks/qualy/{IN_PATH}", "mode": "manual", "events": "all"}
        world.sandbox.control("POST", "webhooks/qualy", to_us | {"data": "id"})
        yield found
        for service in ("hubspot", "qualy"):
            world.sandbox.control("POST", f"webhooks/{service}", {"target": None})
            world.sandbox.control("POST", f"webhooks/{service}", {"do": "clear"})
        world.sandbox.control("POST", "readings/hubspot", {"search_lag_seconds": 30})


def test_a_change_that_no_search_shows_yet_is_in_qualy_after_the_run_that_its_webhook_started(told: Told) -> None:
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "New"})
    assert told.deliver() == [202]
    assert told.woken == ["hubspot"]
    assert told.waiting() == 1
    told.run()
    assert told.last_name() == "New"
    assert told.waiting() == 0


def test_a_change_in_qualy_is_in_hubspot_after_the_runs_that_its_webhook_started(told: Told) -> None:
    told.world.qualy("update", **{"_id": ANNA["_id"], "profile.lastName": "Wed"})
    told.world.sandbox.control("DELETE", "calls/qualy")
    assert told.deliver("qualy") == [202]
    assert told.waiting("qualy") == 1
    told.extract()
    assert told.waiting("qualy") == 0
    read = [one["path"].rpartition("/v1")[2] for one in told.world.calls("qualy") if "contacts" in one["path"]]
    assert read == [f"/contacts/{ANNA['_id']}"], "the record alone"
    assert told.run() is False
    assert told.world.contacts()[told.contact()]["properties"]["lastname"] == "Wed"


def test_both_sides_at_once_by_webhooks_end_equal_and_start_nothing_more(told: Told) -> None:
    told.world.qualy("update", **{"_id": ANNA["_id"], "profile.firstName": "Annie"})
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "Wed"})
    told.deliver("qualy")
    told.deliver()
    told.extract()
    told.run()
    for _ in range(3):  # what both sides tell of our own writes
        told.deliver("qualy")
        told.deliver()
        told.extract()
        before = told.world.writes()
        told.run()
        assert told.world.writes() == before
    there = told.world.contacts()[told.contact()]["properties"]
    ours = told.world.customers()[ANNA["_id"]]["profile"]
    assert (there["firstname"], there["lastname"]) == (ours["firstName"], ours["lastName"]) == ("Annie", "Wed")


def test_what_was_written_in_qualy_stands_until_it_is_read_there(told: Told) -> None:
    """A webhook about somebody else brings a reading that began after our write, and does not hold it."""
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "Wed"})
    told.deliver()
    told.run()
    assert told.last_name() == "Wed"
    told.world.sandbox.control("POST", "webhooks/qualy", {"do": "drop"})  # Qualy may tell nothing of contacts
    told.world.pass_time(60)
    told.world.qualy("update", **{"_id": BELA["_id"], "profile.lastName": "Szabo"})
    told.deliver("qualy")
    told.extract()
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "Wed", "qualy_number": "?"})
    event = {"subscriptionType": "contact.propertyChange", "objectId": int(told.contact())}
    told.world.sandbox.control("POST", "webhooks/hubspot", {"do": "send", "events": [event]})
    told.run()
    there = told.world.contacts()[told.contact()]["properties"]
    assert (there["lastname"], there["qualy_number"]) == ("Wed", str(ANNA["number"]))
    told.world.qualy("update", **{"_id": ANNA["_id"], "profile.lastName": "Wedded"})
    told.world.run_until_quiet()
    assert told.world.contacts()[told.contact()]["properties"]["lastname"] == "Wedded"


def test_our_own_write_that_comes_back_is_written_nowhere(told: Told) -> None:
    told.world.qualy("update", _id=ANNA["_id"], email="anna.new@mail.example")
    told.world.extract()
    told.run()
    assert told.world.contacts()[told.contact()]["properties"]["email"] == "anna.new@mail.example"
    assert told.deliver() == [202]
    assert told.waiting() == 1
    before = told.world.writes()
    assert told.run() is False
    assert told.world.writes() == before
    assert told.waiting() == 0


def test_what_is_told_while_a_run_works_starts_the_next(told: Told) -> None:
    def meanwhile() -> None:
        told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "Second"})
        told.deliver()

    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "First"})
    told.deliver()
    assert told.run(until=meanwhile), "something waits"
    assert told.waiting() == 1
    told.run()
    assert told.last_name() == "Second"


def test_somebody_who_was_erased_is_known_at_once_and_never_made_again(told: Told) -> None:
    told.world.hubspot("gdpr_delete", contact=told.contact())
    told.deliver()
    told.run()
    told.world.qualy("update", _id=ANNA["_id"], profile=ANNA["profile"] | {"firstName": "Annie"})
    told.world.extract()
    told.run()
    assert [one["properties"].get("email") for one in told.world.contacts().values()] == [BELA["email"]]


def test_an_outage_of_hubspot_leaves_the_hint_for_the_next_run(told: Told) -> None:
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "New"})
    told.deliver()
    told.world.faults("hubspot", {"method": "POST", "path": "/", "do": "status:502", "times": None})
    with pytest.raises((ToolError, crm_jobs.RunProblem)):
        told.run()
    assert told.waiting() == 1
    told.world.faults("hubspot")
    told.world.sandbox.control("DELETE", "faults/hubspot")
    told.world.pass_time(600)
    told.run()
    assert told.last_name() == "New"


def test_forged_stale_and_repeated_ones_do_no_harm(told: Told) -> None:
    event = {"subscriptionType": "contact.propertyChange", "objectId": int(told.contact()), "propertyValue": "Forged"}
    nobody = {"subscriptionType": "contact.deletion", "objectId": 999_999_999}
    send = {"do": "send", "events": [event]}
    control = told.world.sandbox.control
    assert control("POST", "webhooks/hubspot", send | {"secret": "another"})["status"] == 401
    assert control("POST", "webhooks/hubspot", send | {"skew_seconds": -400})["status"] == 401
    assert told.waiting() == 0
    assert control("POST", "webhooks/hubspot", send | {"events": [event, nobody, event]})["status"] == 202
    before = told.world.writes(), told.world.customers(), told.world.contacts()
    told.run()
    assert (told.world.writes(), told.world.customers(), told.world.contacts()) == before
    assert told.waiting() == 0


def test_a_lost_one_is_found_by_the_clock(told: Told) -> None:
    told.world.sandbox.control("POST", "readings/hubspot", {"search_lag_seconds": 30})
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "New"})
    told.world.sandbox.control("POST", "webhooks/hubspot", {"do": "drop"})
    assert told.deliver() == []
    told.world.pass_time(3600)
    told.world.extract()
    told.run(by_event=False)
    assert told.last_name() == "New"


def test_many_about_contacts_that_nobody_ever_saw_stop_nothing(told: Told) -> None:
    events = [{"subscriptionType": "contact.creation", "objectId": 900_000 + number} for number in range(50)]
    told.world.hubspot("edit_contact", contact=told.contact(), properties={"lastname": "New"})
    told.deliver()
    told.world.sandbox.control("POST", "webhooks/hubspot", {"do": "send", "events": events})
    assert told.waiting() == 51
    told.run()
    assert told.waiting() == 0
    assert told.last_name() == "New"
