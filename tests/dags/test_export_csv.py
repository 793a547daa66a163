"""The daily CSV files: with nothing connected but Qualy, switched off, before the first reading, and with trouble."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.airflow_home import ROOT
from tests.dags.runs import Runs
from tests.dags.world import World

EXPORT = "export_csv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def settings(world: World, monkeypatch: pytest.MonkeyPatch, **wishes: Any) -> None:
    """Settings of somebody who chose no accounting tool."""
    path = world.folder / f"settings-{len(list(world.folder.glob('settings-*')))}.yaml"
    path.write_text(json.dumps({"accounting": {"tool": "none"}, "csv": wishes}))
    monkeypatch.setenv("QUALY_SETTINGS", str(path))


def test_with_nothing_else_connected_everything_in_qualy_is_in_the_files(
    runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUALY_SETTINGS", str(ROOT / "include" / "settings.yaml"))
    run = runs.run(EXPORT)
    assert runs.states(EXPORT, run) == {"check": "success", "export": "success"}

    folder, held = world.folder / "csv", world.sandbox.control("GET", "state/qualy")
    there = {row["payment_id"]: row for row in rows(folder / "payments.csv")}
    assert set(there) == {payment["_id"] for payment in held["payment-intents"]}
    for payment in held["payment-intents"]:
        row = there[payment["_id"]]
        places = 0 if payment["currency"] == "JPY" else 2
        assert row["amount"] == f"{payment['amount'] / 10**places:.{places}f}"
        assert (row["currency"], row["status"]) == (payment["currency"], payment["status"])
    assert len(rows(folder / "customers.csv")) == len(held["contacts"])
    assert len(rows(folder / "splits.csv")) == len(held["payment-splits"])
    assert rows(folder / "outcomes.csv") == []
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {file["name"]: file["rows"] for file in manifest["files"]}["payments.csv"] == len(there)
    for other in ("extract_qualy", "sync_accounting", "sync_hubspot", "sync_mailchimp"):
        assert runs.state(other, runs.run(other)) == "success", other


@pytest.mark.full
def test_after_the_first_time_only_what_changed(runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(world, monkeypatch, content="changed")
    folder = world.folder / "csv"
    assert runs.state(EXPORT, runs.run(EXPORT)) == "success"
    assert (folder / "manifest.json").exists()
    assert runs.state(EXPORT, runs.run(EXPORT)) == "success"
    assert list(folder.glob("changed-*")) == []

    contact = world.sandbox.control("GET", "state/qualy")["contacts"][0]["_id"]
    world.change_qualy(update={"contacts": [{"_id": contact, "country": "NZ"}]})
    run = runs.run(EXPORT)
    [changes] = folder.glob("changed-*")
    assert [(row["customer_id"], row["country"]) for row in rows(changes / "customers.csv")] == [(contact, "NZ")]
    assert rows(changes / "payments.csv") == []
    before = (changes / "manifest.json").read_bytes()

    runs.clear(EXPORT, run, "export")
    runs.work(EXPORT, run)
    assert (runs.state(EXPORT, run), (changes / "manifest.json").read_bytes()) == ("success", before)

    runs.run(EXPORT, {"full": True})
    assert contact in (folder / "customers.csv").read_text()
    assert json.loads((folder / "manifest.json").read_text())["content"] == "full"


def test_switched_off_it_ends_green_and_writes_nothing(
    runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(world, monkeypatch, enabled=False)
    run = runs.run(EXPORT)
    assert (runs.state(EXPORT, run), runs.states(EXPORT, run)["export"]) == ("success", "skipped")
    assert not (world.folder / "csv").exists()


def test_before_qualy_was_read_it_ends_green_too(
    runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    monkeypatch.setenv("QUALY_LEDGER_URL", sqlite_url)
    run = runs.run(EXPORT)
    assert (runs.state(EXPORT, run), runs.states(EXPORT, run)["export"]) == ("success", "skipped")


def test_a_place_that_is_none_is_told_once_and_not_tried_again(
    runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (world.folder / "file").write_text("x")
    settings(world, monkeypatch, target=str(world.folder / "file"))
    run = runs.run(EXPORT)
    assert runs.states(EXPORT, run)["export"] == "failed"
    assert runs.tried(EXPORT, run, "export") == ["failed"]
    assert "Correct csv.target" in caplog.text

    settings(world, monkeypatch, target="nosuch://bucket/folder")
    assert runs.states(EXPORT, runs.run(EXPORT))["export"] == "failed"
    assert "Nothing is installed that reaches nosuch://" in caplog.text


def test_object_storage_that_airflow_reaches(runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.io import attach
    from fsspec.implementations.memory import MemoryFileSystem

    attach("memory", fs=MemoryFileSystem())
    settings(world, monkeypatch, target=f"memory://bucket/{world.folder.name}", byte_order_mark=False)
    run = runs.run(EXPORT)
    assert runs.state(EXPORT, run) == "success"
    storage = MemoryFileSystem()
    place = f"/bucket/{world.folder.name}"
    assert storage.cat(f"{place}/customers.csv").startswith(b"customer_id,")
    manifest = json.loads(storage.cat(f"{place}/manifest.json"))
    for file in manifest["files"]:
        assert storage.size(f"{place}/{file['name']}") == file["bytes"]


def test_a_mistyped_parameter_stops_the_run(runs: Runs, world: World, caplog: pytest.LogCaptureFixture) -> None:
    run = runs.run(EXPORT, {"ful": True})
    assert runs.states(EXPORT, run)["check"] == "failed"
    assert "Did you mean 'full'?" in caplog.text
    assert not (world.folder / "csv").exists()
