"""Xero's quotas are obeyed: a minute is waited for in sight, a day is not waited for at all."""

from __future__ import annotations

import logging

import pytest

from qualy_sync.load import load, plan_run
from tests.support.world import MINUTE, Ending, World


def test_a_used_up_minute_is_waited_for(world: World, undisturbed: Ending, caplog: pytest.LogCaptureFixture) -> None:
    world.pass_time(MINUTE)
    world.sandbox.control("POST", "quota/xero", {"minute": 20})
    heard: list[str] = []
    with caplog.at_level(logging.INFO, "qualy_sync.load"):
        assert world.run(heard.append), world.problems
    assert "waiting" in heard
    assert any("Waiting" in message and "per-minute" in message for message in caplog.messages)
    assert not [call for call in world.writes() if call["status"] == 429]
    assert world.ending() == undisturbed


def test_a_used_up_day_ends_the_load_quietly_and_the_rest_goes_later(world: World, undisturbed: Ending) -> None:
    work = world.read()
    plan_run(work)
    assert load(work, "contacts")["created"] == 5
    used = len([call for call in world.sandbox.control("GET", "calls/xero")["calls"] if "api.xro" in call["path"]])
    world.sandbox.control("POST", "quota/xero", {"day": used + 53})
    counts = load(work, "documents")
    assert counts["out_of_quota"] == 1
    assert 0 < len(world.writes()) < 7
    assert "its_turn" in world.outcomes().values()
    calls = len(world.writes())
    assert load(work, "settlements").get("paid", 0) == 0
    assert len(world.writes()) == calls
    world.sandbox.control("POST", "quota/xero", {"day": 1_000_000})
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_a_tool_that_keeps_asking_to_wait_is_left_alone(world: World, undisturbed: Ending) -> None:
    world.faults({"method": "PUT", "path": "/", "do": "status:429", "times": None})
    assert world.run(), world.problems
    assert len(world.writes()) <= 15
    assert not world.open_attempts()
    assert "its_turn" in world.outcomes().values()
    world.clear_faults()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_a_load_works_no_longer_than_it_may(world: World, undisturbed: Ending) -> None:
    """Every answer takes five minutes: after ten the rest has to wait its turn."""

    def slow(point: str) -> None:
        if point == "result_committed":
            world.pass_time(5 * MINUTE)

    work = world.read(world.desk(slow))
    plan_run(work)
    longer = work.accounting.pace.model_copy(update={"lease_seconds": 600})
    work.accounting = work.accounting.model_copy(update={"pace": longer})
    counts = load(work, "contacts")
    assert counts["its_turn_next"] == 1
    assert len(world.writes()) == 2
    assert "its_turn" in world.outcomes().values()
    world.run_until_quiet()
    assert world.ending() == undisturbed
