"""Customers in Mailchimp's audience by a DAG: switched off, the first time, without news, and after somebody left."""

from __future__ import annotations

import json
import logging

import pytest

from tests.airflow_home import prepare
from tests.dags.runs import Runs
from tests.dags.test_nothing_personal import everything_in, leaks
from tests.dags.world import World

SYNC = "sync_mailchimp"
KEY = "sandboxmailchimpkey-us6"


def members(world: World) -> dict[str, dict[str, object]]:
    held = world.sandbox.control("GET", "state/mailchimp")["members"]
    return {one["email_address"].lower(): one for one in held if one["list_id"] == "5a4b3c2d1e"}


def calls(world: World) -> int:
    return len(world.sandbox.control("GET", "calls/mailchimp")["calls"])


def test_not_set_up_it_ends_green_and_calls_nobody(runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.folder / "settings.yaml"
    path.write_text(json.dumps({"accounting": {"tool": "none"}}))
    monkeypatch.setenv("QUALY_SETTINGS", str(path))
    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "success"
    states = runs.states(SYNC, run)
    assert states.pop("check") == "success"
    assert set(states.values()) == {"skipped"}
    assert calls(world) == 0


def test_a_day_of_customers(
    runs: Runs, world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "airflow.task")
    caplog.set_level(logging.DEBUG, "qualy_sync")
    before = members(world)
    first = runs.run(SYNC, by_event=True)
    states = runs.states(SYNC, first)
    assert {states[name] for name in ("check", "plan", "write", "report")} == {"success"}
    there = members(world)
    assert len(there) > len(before)
    assert {email: one["status"] for email, one in there.items() if email in before} == {
        email: one["status"] for email, one in before.items()
    }
    assert {one["status"] for email, one in there.items() if email not in before} == {"transactional"}
    red = {name for name, state in runs.to_do(SYNC, first).items() if state == "failed"}
    assert red, "some of the stand-in's customers have no address, or share one"
    assert not any("consent" in name.lower() for name in red)
    report = world.folder / "reports"
    assert list(report.glob("run-*/report.html"))

    made = calls(world)
    again = runs.run(SYNC)
    assert runs.state(SYNC, again) == "success"  # what is known already turns no run red
    assert calls(world) - made == 1
    assert members(world) == there

    runs.clear(SYNC, first, "write")
    runs.work(SYNC, first)
    assert members(world) == there

    printed = "".join(capfd.readouterr())
    words = world.people() | {KEY}
    assert leaks(caplog.text, words) == []
    assert leaks(printed, words) == []
    assert leaks(everything_in(prepare() / "airflow.db"), words) == []
