"""A real scheduler with real workers, one of which is killed in the middle of a load."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from tests.airflow_stack import SYNC, Installation, installed, until
from tests.dags.world import Ending

pytestmark = pytest.mark.full

ABOUT_A_MINUTE = 120  # seconds that a loaded machine is given


def test_a_worker_killed_in_mid_load_is_noticed_soon_and_leaves_what_an_undisturbed_run_leaves(
    extracted: Path, undisturbed: Ending, tmp_path: Path
) -> None:
    with installed(extracted, tmp_path) as airflow:
        airflow.world.hold("Invoices")
        run = airflow.run()
        airflow.world.until_held()
        worker_of(airflow).kill()
        killed = time.monotonic()

        until(lambda: documents(airflow, run)["try_number"] > 1, ABOUT_A_MINUTE)
        print(f"noticed after {time.monotonic() - killed:.0f} s")
        airflow.world.release()  # the call of the orphaned task is done now, with the next try at work beside it

        assert airflow.until_over(run) == "failed", "red for the troubles in the data, as always"
        states = {task["task_id"]: task["state"] for task in airflow.api.tasks(SYNC, run) if task["map_index"] < 0}
        assert {states[task] for task in ("contacts", "documents", "settlements", "reconcile", "report")} == {"success"}
        assert airflow.world.ending() == undisturbed
        assert set(airflow.world.documents().values()) == {1}


def documents(airflow: Installation, run: str) -> dict[str, int]:
    return next(task for task in airflow.api.tasks(SYNC, run) if task["task_id"] == "documents")


def worker_of(airflow: Installation) -> psutil.Process:
    """The worker whose task is at work: the one with a child, once the tasks before it have left theirs."""
    home = str(airflow.places.airflow_home)
    scheduler = next(
        process
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] and "scheduler" in process.info["cmdline"] and in_home(process, home)
    )
    busy: list[psutil.Process] = []

    def one_is_at_work() -> bool:
        busy[:] = [worker for worker in scheduler.children() if worker.children()]
        return len(busy) == 1

    until(one_is_at_work, 30)
    return busy[0]


def in_home(process: psutil.Process, home: str) -> bool:
    try:
        return process.environ().get("AIRFLOW_HOME") == home
    except psutil.Error:
        return False
