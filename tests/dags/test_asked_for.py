"""Runs that somebody asks for by hand: a preview, some records only, and a word that was mistyped."""

from __future__ import annotations

from datetime import date

import pytest

from tests.dags.runs import Runs
from tests.dags.world import Ending, World

SYNC = "sync_accounting"


def test_a_preview_writes_nothing_announces_nothing_and_moves_nothing(runs: Runs, world: World) -> None:
    books, cursors = world.books(), world.cursors()

    run = runs.run(SYNC, {"preview": True})

    assert runs.state(SYNC, run) == "success"
    assert runs.to_do(SYNC, run) == {}
    assert world.books() == books
    assert world.attempted() == []
    assert world.outcomes() == {}
    assert {name: at for name, at in world.cursors().items() if not name.startswith("mirror")} == cursors
    assert all(call["method"] == "GET" for call in world.calls())
    page = runs.api.get(f"/qualy/runs/{SYNC}/{run}")
    assert page.status_code == 200, page.text


def test_only_what_was_asked_for_goes_and_the_rest_goes_in_its_own_time(
    runs: Runs, world: World, undisturbed: Ending
) -> None:
    cursors = world.cursors()
    _, outcomes = undisturbed
    payment = min(source for (leg, source), code in outcomes.items() if (leg, code) == ("invoice", "created"))

    run = runs.run(SYNC, {"only": payment})

    assert runs.state(SYNC, run) == "success"
    assert runs.to_do(SYNC, run) == {}
    assert [key for key in world.attempted() if key[0] == "invoice"] == [("invoice", payment)]
    assert {name: at for name, at in world.cursors().items() if not name.startswith("mirror")} == cursors

    runs.run(SYNC)
    assert world.ending() == undisturbed


@pytest.mark.full
def test_since_a_day_only_what_is_dated_so_goes_with_the_contacts_it_needs(runs: Runs, world: World) -> None:
    newcomer, earlier = world.sell_to_a_newcomer(date(2026, 6, 20))
    cursors = world.cursors()

    run = runs.run(SYNC, {"since": "2026-07-01"})

    assert runs.state(SYNC, run) == "success"
    assert runs.to_do(SYNC, run) == {}
    held = world.sandbox.control("GET", "state/xero")
    ours = [each for each in held["Invoices"] if str(each.get("InvoiceNumber", "")).startswith("Q-")]
    assert ours
    assert min(each["DateString"] for each in ours)[:10] >= "2026-07-01"
    sent = world.attempted()
    assert {leg for leg, _ in sent} == {"contact", "supplier", "invoice", "bill", "settlement"}
    assert not {("contact", newcomer), ("invoice", earlier)} & set(sent)
    assert {name: at for name, at in world.cursors().items() if not name.startswith("mirror")} == cursors

    runs.run(SYNC)
    assert {("contact", newcomer), ("invoice", earlier)} <= set(world.attempted()[len(sent) :])


@pytest.mark.full
def test_while_the_days_calls_run_low_events_wait_for_the_clock(runs: Runs, world: World) -> None:
    runs.run(SYNC)
    world.sandbox.control("POST", "quota/xero", {"day": len(world.calls()) + 400})
    runs.run(SYNC)  # by hand: it goes, and hears how many calls are left
    [sold] = world.sell("Visa")
    before = world.calls()

    run = runs.run(SYNC, by_event=True)
    assert runs.state(SYNC, run) == "success"
    assert runs.states(SYNC, run)["plan"] == "skipped"
    assert world.calls() == before

    runs.run(SYNC)
    assert world.outcomes()["invoice", sold] == "created"


def test_a_mistyped_parameter_stops_the_run_before_it_does_anything(
    runs: Runs, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    run = runs.run(SYNC, {"previw": True})

    assert runs.state(SYNC, run) == "failed"
    assert runs.states(SYNC, run)["check"] == "failed"
    assert "Did you mean 'preview'?" in caplog.text
    assert world.calls() == []
