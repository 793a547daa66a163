"""The runner with a real Airflow and small DAGs of its own: what it follows, what it survives, what it leaves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest

from qualy_app.local import environment, keys, ports
from qualy_app.local.airflow_api import AirflowApi
from qualy_app.local.connections import for_tool
from qualy_app.local.follow import Follower, Run
from qualy_app.local.places import Places
from qualy_app.local.stack import Stack

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("airflow")]

DAGS = """
import os, time
from pathlib import Path
from airflow.sdk import Asset, Connection, dag, task
from airflow.sdk.exceptions import AirflowSkipException

HOME = Path(os.environ["AIRFLOW_HOME"])
CHANGED, ALSO_CHANGED, BACKLOG = Asset("changed"), Asset("also_changed"), Asset("backlog")

@dag(schedule=None)
def extract():
    @task(outlets=[CHANGED, ALSO_CHANGED])
    def emit():
        pass
    emit()

@dag(schedule=(CHANGED | ALSO_CHANGED | BACKLOG), max_active_runs=1)
def sync():
    @task(outlets=[BACKLOG], pool="accounting")
    def work():
        with (HOME / "seen").open("a") as seen:
            print(Connection.get("xero").host, file=seen)
        if len((HOME / "seen").read_text().splitlines()) >= 3:
            raise AirflowSkipException("no work is due any more")
    work()

@dag(schedule=None)
def killed():
    @task(retries=1, retry_delay=1.0)
    def work():
        marker = HOME / "tried"
        if not marker.exists():
            marker.write_text(str(os.getpid()))
            time.sleep(600)
    work()

extract(), sync(), killed()
"""


@dataclass(frozen=True)
class Local:
    places: Places
    stack: Stack
    api: AirflowApi


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    base = tmp_path_factory.mktemp("local")
    dags = base / "dags"
    dags.mkdir()
    (dags / "small.py").write_text(DAGS)
    places = Places(base / "xero", ports.next_free(23000 + os.getpid() % 1000), ports.next_free(25000), dags=dags)
    for directory in (places.airflow_home, places.logs):
        directory.mkdir(parents=True)
    made = keys.kept_or_made(places.secrets)
    keys.write_private(places.passwords, f'{{"admin": "{made.admin_password}"}}')
    stack = Stack(places, environment.for_processes(places, made), print)
    api = AirflowApi(places.ui, "admin", made.admin_password)
    try:
        stack.finish_migration(stack.migrate_airflow())
        stack.start_airflow(api)
        for connection_id, fields in for_tool("xero", places).items():
            for _twice in range(2):
                api.upsert_connection(connection_id, fields)
        api.upsert_pool("accounting", {"slots": 1, "description": "first"})
        api.upsert_pool("accounting", {"slots": 2, "description": "second"})
        until(lambda: len(api.dags()) == 3 or api.import_errors() != [])
        assert api.import_errors() == []
        for dag in api.dags():
            api.unpause(dag["dag_id"])
        yield Local(places, stack, api)
    finally:
        api.close()
        stack.end()


def until(true: Callable[[], bool], patience: float = 120.0) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_it_follows_the_runs_that_came_of_the_first_and_theirs_and_no_other(local: Local) -> None:
    stranger = Run("extract", local.api.trigger("extract"))
    followed = Follower(local.api, print, local.stack.revive).follow(Run("extract", local.api.trigger("extract")))

    assert stranger not in followed.states
    assert followed.open == []
    assert set(followed.states.values()) == {"success"}
    assert [run.dag for run in followed.states][:2] == ["extract", "sync"]
    assert local.api.active_runs("sync") == 0
    seen = (local.places.airflow_home / "seen").read_text().splitlines()
    assert len(seen) >= 3
    assert set(seen) == {f"{local.places.sandbox}/xero/api.xro/2.0"}


def test_a_scheduler_killed_with_a_task_at_work_is_started_again_and_so_is_the_task(local: Local) -> None:
    run = Run("killed", local.api.trigger("killed"))
    tried = local.places.airflow_home / "tried"
    until(lambda: tried.exists() and tried.read_text() != "")
    task = psutil.Process(int(tried.read_text()))
    scheduler = next(process for process in task.parents() if process.pid == os.getsid(task.pid))

    begun = time.monotonic()
    scheduler.send_signal(signal.SIGKILL)
    followed = Follower(local.api, print, local.stack.revive).follow(run)

    assert followed.states == {run: "success"}
    assert not task.is_running()
    [instance] = local.api.tasks("killed", run.id)
    assert instance["try_number"] == 2
    print(f"noticed, tried again and done after {time.monotonic() - begun:.0f} s")


def test_ending_it_leaves_no_process(local: Local) -> None:
    sessions = [process for process in psutil.process_iter() if str(local.places.state) in environ(process)]
    assert len(sessions) >= 4
    assert local.stack.end() == 0
    _gone, alive = psutil.wait_procs(sessions, timeout=10)
    assert alive == []
    assert ports.is_free(local.places.port)
    assert not local.places.processes.exists()


def environ(process: psutil.Process) -> str:
    try:
        return process.environ().get("AIRFLOW_HOME", "")
    except psutil.Error:
        return ""
