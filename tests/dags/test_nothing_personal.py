"""No name, no email and no secret leaves the ledger for Airflow: none in logs, XCom, rendered fields, its database."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from tests.airflow_home import prepare
from tests.dags.runs import Runs
from tests.dags.world import SECRETS, World

SYNC = "sync_accounting"


def leaks(text: str, words: Iterable[str]) -> list[str]:
    """Which of these words stand in a text."""
    return sorted(word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))


def everything_in(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump())


@pytest.mark.full
def test_a_whole_day_of_runs_tells_airflow_nothing_about_anybody(
    runs: Runs, world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "airflow.task")
    caplog.set_level(logging.DEBUG, "qualy_sync")
    people = world.people()
    assert len(people) > 50

    runs.run("extract_qualy")
    runs.run("export_csv")
    first = runs.run(SYNC, by_event=True)
    runs.run(SYNC, {"preview": True})
    runs.clear(SYNC, first, "to_do")
    runs.work(SYNC, first)
    # and a day on which things go wrong: Xero's answer is no JSON, then it is down
    world.cancel_a_payment()
    world.lock(None)
    world.fault("*", "/api.xro/2.0/Invoices", "garbage", times=2)
    runs.run(SYNC)
    world.fault("*", "/", "status:500", times=None)
    runs.run(SYNC)

    printed = "".join(capfd.readouterr())
    assert "records went through" in caplog.text
    assert leaks(caplog.text, people | set(SECRETS)) == []
    assert leaks(printed, people | set(SECRETS)) == []
    assert leaks(everything_in(prepare() / "airflow.db"), people | set(SECRETS)) == []
