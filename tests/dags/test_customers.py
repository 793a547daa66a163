"""Customers both ways as Airflow runs them: task by task, repeated at will, and quiet where nobody asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.runs import Runs
from tests.dags.world import World

SYNC = "sync_hubspot"


def contacts(world: World) -> dict[str, str]:
    """Whose Qualy id stands in which contact."""
    found = world.sandbox.control("GET", "state/hubspot")["contacts"]
    return {one["properties"]["qualy_id"]: one["id"] for one in found if one["properties"].get("qualy_id")}


def test_with_hubspot_off_the_run_ends_green_at_once(
    runs: Runs, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("accounting: {tool: none}\n")
    monkeypatch.setenv("QUALY_SETTINGS", str(settings))

    run = runs.run(SYNC)

    assert runs.state(SYNC, run) == "success"
    assert runs.states(SYNC, run)["plan"] == "skipped"
    assert world.sandbox.control("GET", "calls/hubspot")["calls"] == []


def test_customers_get_their_contacts_and_a_cleared_run_makes_nobody_twice(runs: Runs, world: World) -> None:
    run = runs.run(SYNC)

    states = runs.states(SYNC, run)
    assert {states[task] for task in ("check", "plan", "write", "into_qualy", "report")} == {"success"}
    made = contacts(world)
    assert len(made) > 3
    page = runs.api.get(f"/qualy/runs/{SYNC}/{run}")
    assert page.status_code == 200, page.text

    runs.clear(SYNC, run, "check")
    runs.work(SYNC, run)
    assert contacts(world) == made
    writes = [one for one in world.sandbox.control("GET", "calls/hubspot")["calls"] if "batch/create" in one["path"]]
    assert len([one for one in writes if "/objects/" in one["path"]]) <= 1


def test_a_preview_writes_nothing(runs: Runs, world: World) -> None:
    run = runs.run(SYNC, {"preview": True})

    assert runs.state(SYNC, run) == "success"
    assert contacts(world) == {}
