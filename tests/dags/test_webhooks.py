"""Webhooks and the runs of `extract_qualy`: before, during and between them, nothing is lost and few runs start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from qualy_app import jobs
from qualy_sync.ledger.inbox import Hint, count, keep
from tests.airflow_fixtures import Api
from tests.dags.runs import Runs
from tests.dags.world import World

EXTRACT = "extract_qualy"


def tell(world: World, *customers: str) -> None:
    keep(world.ledger, "qualy", [[Hint("contacts", each) for each in customers]], 100_000)


def rename(world: World, number: int, email: str) -> str:
    """Somebody changes a customer in Qualy, and its webhook comes."""
    customer = world.sandbox.control("GET", "state/qualy")["contacts"][number]["_id"]
    world.sandbox.control("POST", "change/qualy", {"update": {"contacts": [{"_id": customer, "email": email}]}})
    tell(world, customer)
    return str(customer)


def emails(world: World) -> dict[str, Any]:
    """The customers' emails as the next sync reads them."""
    from qualy_sync.ledger.runs import latest_pass
    from qualy_sync.ledger.slices import source_rows

    with world.ledger.reading() as connection:
        pin, rows = latest_pass(connection), source_rows.c
        valid = (rows.kind == "contacts", rows.valid_from <= pin, (rows.valid_to > pin) | rows.valid_to.is_(None))
        return {row.id: row.email for row in connection.execute(source_rows.select().where(*valid))}


def reads(world: World) -> list[str]:
    calls = world.sandbox.control("GET", "calls/qualy")["calls"]
    world.sandbox.control("DELETE", "calls/qualy")
    return [each["path"].partition("/v1")[2] for each in calls]


def test_a_run_that_a_webhook_started_reads_what_it_told_of_and_says_so(runs: Runs, world: World) -> None:
    customer = rename(world, 0, "renamed@mail.example")
    reads(world)
    told = runs.events("qualy_customers")
    run = runs.run(EXTRACT, by_event=True)
    assert runs.state(EXTRACT, run) == "success"
    assert reads(world) == ["/users/user", f"/contacts/{customer}"]
    assert emails(world)[customer] == "renamed@mail.example"
    assert runs.events("qualy_customers") == told + 1
    assert runs.states(EXTRACT, run)["again"] == "skipped", "nothing came meanwhile"


def test_a_run_by_hand_reads_what_was_told_and_everything_else(runs: Runs, world: World) -> None:
    customer = rename(world, 1, "renamed@mail.example")
    reads(world)
    runs.run(EXTRACT)
    assert count(world.ledger, "qualy") == 0
    asked = reads(world)
    assert asked.index(f"/contacts/{customer}") < asked.index("/payment-intents")


def test_what_comes_while_a_run_works_starts_the_next_one(runs: Runs, world: World) -> None:
    rename(world, 2, "first@mail.example")
    events = runs.events("qualy_hints")
    first = runs.start(EXTRACT, by_event=True)
    runs.work(EXTRACT, first, until=lambda task, _: task == "quality")
    late = rename(world, 3, "late@mail.example")
    runs.work(EXTRACT, first)
    assert runs.states(EXTRACT, first)["again"] == "success"
    assert runs.events("qualy_hints") == events + 1
    assert count(world.ledger, "qualy") == 1
    runs.run(EXTRACT, by_event=True)
    assert emails(world)[late] == "late@mail.example"
    assert count(world.ledger, "qualy") == 0


def test_an_event_whose_hints_somebody_else_has_read_costs_nothing(runs: Runs, world: World) -> None:
    reads(world)
    run = runs.run(EXTRACT, by_event=True)
    assert runs.state(EXTRACT, run) == "success"
    assert reads(world) == []


def test_while_qualy_is_down_webhooks_wait_and_the_next_run_by_the_clock_finds_them(world: World) -> None:
    customer = rename(world, 4, "renamed@mail.example")
    fault = {"method": "*", "path": "/", "do": "status:401", "times": 3}
    world.sandbox.control("POST", "faults/qualy", [fault])
    with pytest.raises(jobs.RunProblem):
        jobs.extract(f"{EXTRACT}/down", 1, True)
    assert count(world.ledger, "qualy") == 1
    world.sandbox.control("DELETE", "faults/qualy")
    jobs.extract(f"{EXTRACT}/clock", 1)
    jobs.quality(f"{EXTRACT}/clock")
    assert count(world.ledger, "qualy") == 0
    assert emails(world)[customer] == "renamed@mail.example"


def test_webhooks_do_not_wait_for_a_complete_reading_to_end(world: World) -> None:
    """The reading stops at a slice's end, what was told is published, and the next run goes on with the reading."""
    world.pass_time(timedelta(hours=25))
    reads(world)
    world.hold_reading("payment-splits")
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(jobs.extract, f"{EXTRACT}/clock", 1)
        world.until_held()
        customer = rename(world, 5, "meanwhile@mail.example")
        world.pass_time(timedelta(minutes=2))  # longer than a slice may take
        world.release()
        counts = run.result()
    assert counts["left_for_the_next_run"] == 1
    assert counts["hints"] == 1
    assert count(world.ledger, "qualy") == 0
    assert reads(world)[-1] == f"/contacts/{customer}", "and nothing more of the complete reading after it"
    assert jobs.again(f"{EXTRACT}/clock"), "the reading has to go on"
    jobs.extract(f"{EXTRACT}/next", 1, True)
    assert "/tags" in reads(world), "to its end"
    assert not jobs.again(f"{EXTRACT}/next")


def test_what_comes_in_over_http_wakes_extract_qualy_once(
    api: Api, runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s" * 40
    connection = f'{{"conn_type": "http", "extra": {{"webhook_secret": "{secret}"}}}}'
    customers = world.sandbox.control("GET", "state/qualy")["contacts"][:20]
    events = runs.events("qualy_hints")
    with monkeypatch.context() as while_they_come:
        while_they_come.setenv("AIRFLOW_CONN_QUALY", connection)
        for customer in customers:
            sent = {"event": "contacts.update", "data": customer}
            assert api.anonymous.post(f"/webhooks/qualy/{secret}", json=sent).status_code == 202
    assert runs.events("qualy_hints") == events + 1
    runs.run(EXTRACT, by_event=True)
    assert count(world.ledger, "qualy") == 0
