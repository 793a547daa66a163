"""CSV files from a terminal."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.leases import Lease
from tests.cli.terminal import Terminal

FILES = {"customers.csv", "payments.csv", "splits.csv", "outcomes.csv", "manifest.json"}


def test_the_files_of_a_synced_ledger(synced: Terminal, tmp_path: Path) -> None:
    made = synced.json("export", "--to", str(tmp_path))
    assert (made["path"], made["content"]) == (str(tmp_path), "full")
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name, count in made["rows"].items():
        with (tmp_path / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file, strict=True))) == count > 0
    assert made["rows"]["outcomes"] == synced.json("outcomes", "--limit", "1")["total"]
    said = synced.run("export", "--to", str(tmp_path))
    assert f"payments.csv: {made['rows']['payments']:,} rows" in said.text
    assert str(tmp_path) in said.text


def test_what_changed_since_a_day_has_a_folder_of_its_own(extracted: Terminal, tmp_path: Path) -> None:
    made = extracted.json("export", "--to", str(tmp_path), "--since", "2020-01-01")
    assert made["path"] == str(tmp_path / "since-2020-01-01")
    assert json.loads((tmp_path / "since-2020-01-01" / "manifest.json").read_text())["files"]
    later = extracted.json("export", "--to", str(tmp_path), "--since", "2999-01-01")
    assert later["rows"] == {}
    assert extracted.run("export", "--since", "soon").status == 2
    assert extracted.run("export", "--since", "2020-01-01", "--full").status == 2


def test_while_another_export_works_it_says_so(extracted: Terminal, tmp_path: Path) -> None:
    ledger = Ledger(extracted.environment["QUALY_LEDGER_URL"])
    with Lease(ledger, "csv_export", timedelta(minutes=5)):
        answer = extracted.run("export", "--to", str(tmp_path))
    ledger.close()
    assert answer.status == 3
    assert "is being worked on" in answer.trouble
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_nothing_reaches_and_a_folder_that_is_none(extracted: Terminal, tmp_path: Path) -> None:
    answer = extracted.run("export", "--to", "nosuch://bucket/folder")
    assert (answer.status, "Nothing is installed that reaches nosuch://" in answer.trouble) == (3, True)
    (tmp_path / "file").write_text("x")
    answer = extracted.run("export", "--to", str(tmp_path / "file"))
    assert (answer.status, "cannot be written to" in answer.trouble) == (3, True)


def test_switched_off_it_writes_only_where_it_is_told_to(extracted: Terminal, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("accounting: {tool: none}\ncsv: {enabled: false}\n")
    off = extracted.run("export", QUALY_SETTINGS=str(settings))
    assert (off.status, "csv.enabled: false" in off.text) == (0, True)
    on = extracted.run("export", "--to", str(tmp_path / "there"), QUALY_SETTINGS=str(settings))
    assert on.status == 0
    assert (tmp_path / "there" / "payments.csv").exists()
