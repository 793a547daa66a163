"""What waits for a person, in Airflow: new ones red, known ones pink, cleared when mended, and never twice in Xero."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.dags.runs import Runs
from tests.dags.world import World

SYNC = "sync_accounting"
RED, PINK, GREEN = "failed", "skipped", "success"


def found(labels: list[str], words: str) -> int:
    """The position of the one entry whose name begins so."""
    [index] = [index for index, label in enumerate(labels) if label.startswith(words)]
    return index


def test_what_a_lock_date_holds_is_red_and_goes_through_alone_once_the_date_has_moved(runs: Runs, world: World) -> None:
    run = runs.run(SYNC, by_event=True)

    assert runs.state(SYNC, run) == "failed"
    states = runs.states(SYNC, run)
    assert {states[task] for task in ("contacts", "documents", "settlements", "reconcile", "list", "report")} == {GREEN}
    entries = runs.to_do(SYNC, run)
    assert set(entries.values()) == {RED}
    locked = found(list(entries), "Xero is locked to 31 May 2026: 3 records, EUR 5,011.95")
    held, before, outcomes = world.under("locked"), world.attempted(), world.outcomes()
    assert len(held) == 3
    assert not held & set(before)

    world.lock(date(2026, 4, 30))
    runs.clear(SYNC, run, ("to_do", locked))
    runs.work(SYNC, run)

    assert runs.states(SYNC, run)[f"to_do[{locked}]"] == GREEN
    assert runs.tried(SYNC, run, "report") == [GREEN, GREEN], "the report is made again"
    sent = world.attempted()[len(before) :]
    assert sorted(sent) == sorted(held)
    after = world.outcomes()
    assert {key for key in after if after[key] != outcomes[key]} == held
    assert {after[key] for key in held} == {"created", "paid"}
    assert set(world.documents().values()) == {1}
    books = world.books()

    runs.clear(SYNC, run, ("to_do", locked))
    runs.work(SYNC, run)
    assert runs.states(SYNC, run)[f"to_do[{locked}]"] == GREEN
    assert world.books() == books


def test_a_known_trouble_is_pink_in_the_next_run_and_is_cleared_from_there(runs: Runs, world: World) -> None:
    runs.run(SYNC)
    attempted = world.attempted()

    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "success"
    entries = runs.to_do(SYNC, run)
    assert set(entries.values()) == {PINK}
    assert all(", since " in label for label in entries)
    assert world.attempted() == attempted

    nobody = found(list(entries), "No email in Qualy")
    runs.clear(SYNC, run, ("to_do", nobody))
    runs.work(SYNC, run)
    assert runs.state(SYNC, run) == "failed", "told, tried again, and still without an email"
    assert runs.states(SYNC, run)[f"to_do[{nobody}]"] == RED

    [(_, customer)] = world.under("no_email")
    waiting = world.under("waiting_for")
    world.change_qualy(update={"contacts": [{"_id": customer, "email": "found.again@mail.example"}]})
    runs.clear(SYNC, run, ("to_do", nobody))
    runs.work(SYNC, run)

    assert runs.state(SYNC, run) == "success"
    sent = world.attempted()[len(attempted) :]
    assert ("contact", customer) in sent
    assert set(sent) <= {("contact", customer)} | waiting
    assert len(sent) == len(set(sent)) > 1
    assert set(world.documents().values()) == {1}


@pytest.mark.full
def test_a_new_trouble_beside_known_ones_is_the_only_red_one(runs: Runs, world: World) -> None:
    runs.run(SYNC)
    world.give_a_payment_a_status_of_its_own()

    run = runs.run(SYNC)

    assert runs.state(SYNC, run) == "failed"
    entries = runs.to_do(SYNC, run)
    [new] = [label for label, state in entries.items() if state == RED]
    assert "under-review" in new
    assert all(", since " in label for label in entries if label != new)


@pytest.mark.full
def test_beyond_fifty_troubles_the_rest_is_one_entry_which_is_cleared_like_any_other(runs: Runs, world: World) -> None:
    runs.run(SYNC)
    sold = world.sell(*(f"Course {number}" for number in range(60)))

    run = runs.run(SYNC)

    entries = list(runs.to_do(SYNC, run).items())
    assert len(entries) == 50
    label, state = entries[-1]
    troubles, records = (int(text) for text in re.findall(r"\d+", label))
    assert label.startswith("Everything else: ")
    assert (state, troubles, records) == (RED, world.troubles() - 49, troubles)
    listed = {text.partition("“")[2].partition("”")[0] for text, _ in entries[:-1]}
    hidden = [payment for payment, number in zip(sold, range(60), strict=True) if f"Course {number}" not in listed]

    attempted = world.attempted()
    held = {each["_id"]: each for each in world.sandbox.control("GET", "state/qualy")["payment-intents"]}
    mended = [{"_id": one, "items": [held[one]["items"][0] | {"category": "Visa"}]} for one in sold]
    world.change_qualy(update={"payment-intents": mended})
    runs.clear(SYNC, run, ("to_do", 49))
    runs.work(SYNC, run)

    assert runs.states(SYNC, run)["to_do[49]"] == GREEN
    assert sorted(world.attempted()[len(attempted) :]) == sorted(("invoice", one) for one in hidden)


@pytest.mark.full
def test_what_xero_calls_invalid_is_red_again_for_every_new_record(runs: Runs, world: World) -> None:
    runs.run(SYNC)
    world.fault("PUT", "/api.xro/2.0/Invoices", "status:400", times=None)
    world.sell("Visa")
    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "failed"
    assert [state for label, state in runs.to_do(SYNC, run).items() if "refused" in label] == [RED]

    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "success"
    assert set(runs.to_do(SYNC, run).values()) == {PINK}

    world.sell("Visa")
    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "failed"
    [red] = [label for label, state in runs.to_do(SYNC, run).items() if state == RED]
    assert "2 records" in red


@pytest.mark.full
def test_an_instance_killed_before_it_told_tells_at_its_next_try_and_only_then_tries_again(
    runs: Runs, world: World
) -> None:
    run = runs.start(SYNC)
    runs.work(SYNC, run, until=lambda task, index: (task, index) == ("to_do", 0))
    attempted = world.attempted()
    world.lock(None)
    runs.kill(SYNC, run, "to_do", 0)
    runs.work(SYNC, run)

    assert runs.states(SYNC, run)["to_do[0]"] == RED
    assert world.attempted() == attempted, "the second try told; nobody had been told before"

    runs.clear(SYNC, run, ("to_do", 0))
    runs.work(SYNC, run)
    assert runs.states(SYNC, run)["to_do[0]"] == GREEN
    assert len(world.attempted()) == len(attempted) + 3


@pytest.mark.full
def test_the_list_keeps_its_places_while_troubles_come_and_go(runs: Runs, world: World) -> None:
    run = runs.run(SYNC)
    first = list(runs.to_do(SYNC, run))
    books = world.books()

    # shorter: the lock date moved, and another run took the records along
    world.lock(None)
    runs.run(SYNC)
    assert not world.under("locked")
    books = world.books()
    runs.clear(SYNC, run, "list", downstream=False)
    runs.work(SYNC, run)
    runs.clear(SYNC, run, "list")
    runs.work(SYNC, run)
    entries = runs.to_do(SYNC, run)
    assert len(entries) == len(first)
    assert list(entries.values()) == [GREEN] + [RED] * (len(first) - 1)
    assert world.books() == books

    # longer: a payment that is in step has a status that nobody knows
    world.give_a_payment_a_status_of_its_own()
    runs.run(SYNC)
    runs.clear(SYNC, run, "list", downstream=False)
    runs.work(SYNC, run)
    runs.clear(SYNC, run, "list")
    runs.work(SYNC, run)
    grown = runs.to_do(SYNC, run)
    assert list(grown)[1 : len(first)] == list(entries)[1:]
    assert len(grown) == len(first) + 1
    assert world.books() == books

    # empty: a named person leaves all of it out, on purpose
    world.ignore_everything()
    runs.run(SYNC)
    runs.clear(SYNC, run, "list")
    runs.work(SYNC, run)
    emptied = runs.to_do(SYNC, run)
    assert len(emptied) == len(grown)
    assert set(emptied.values()) == {GREEN}
    assert runs.state(SYNC, run) == "success"
    assert "removed" not in runs.states(SYNC, run).values()
    assert world.books() == books
