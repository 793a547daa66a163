"""Rules that every DAG keeps, so that an operator can rely on them."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from qualy_app.local.environment import read_settings
from tests.airflow_home import ROOT
from tests.dags.runs import Runs, store

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DAGS = {"export_csv", "extract_qualy", "sync_accounting", "sync_hubspot", "sync_mailchimp"}
HEAVY = {"great_expectations", "pandas", "xero_python", "scipy", "alembic", "qualy_sync", "connectors", "sandbox"}


@pytest.fixture(params=sorted(DAGS))
def one(request: pytest.FixtureRequest, dagbag: DagBag) -> Any:
    return dagbag.dags[request.param]


def as_the_scheduler_has_it(dag: Any) -> Any:
    """A DAG as it comes out of Airflow's database."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def test_every_dag_file_loads(dagbag: DagBag) -> None:
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == DAGS


def test_a_run_begins_by_schedule_or_by_hand_and_never_for_the_past(one: Any) -> None:
    assert one.start_date is None
    assert all(task.start_date is None for task in one.tasks)
    assert one.catchup is False
    assert one.max_active_runs == 1


@pytest.mark.parametrize("minute", [1, 18])
def test_unpausing_a_dag_starts_nothing_before_its_next_hour(
    one: Any, minute: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.timetables.base import TimeRestriction

    now = pendulum.datetime(2026, 7, 15, 12, minute)
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
    timetable = as_the_scheduler_has_it(one).timetable
    first = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(None, None, catchup=False)
    )
    assert first.run_after > now


def test_the_runbook_says_what_colours_and_clearing_mean(one: Any) -> None:
    for word in ("Red", "Green", "Clear"):
        assert re.search(word, one.doc_md, re.IGNORECASE), word
    named = set(re.findall(r"`(\w+)`", one.doc_md))
    assert named >= {task.task_id for task in one.tasks}
    assert one.description
    assert one.tags
    assert all(task.owner == "qualy-sync" for task in one.tasks)


def test_pools_are_those_that_the_project_creates(dagbag: DagBag) -> None:
    created = set(json.loads((ROOT / "include" / "pools.json").read_text()))
    used = {task.pool for each in dagbag.dags.values() for task in each.tasks}
    assert used == created


def test_a_task_fits_into_its_pool(dagbag: DagBag) -> None:
    slots = {
        name: fields["slots"] for name, fields in json.loads((ROOT / "include" / "pools.json").read_text()).items()
    }
    for each in dagbag.dags.values():
        for task in each.tasks:
            assert task.pool_slots <= slots[task.pool], f"{task.task_id} asks for more of {task.pool} than there is"


def test_retries_are_left_to_the_policy_that_knows_a_refusal_from_a_fault(one: Any) -> None:
    from qualy_app.retry import TroubleDecides

    for task in one.tasks:
        assert isinstance(task.retry_policy, TroubleDecides), task.task_id
        assert task.retries >= 1
        assert task.execution_timeout is not None


def test_what_a_killed_worker_left_is_tried_again_within_about_a_minute(one: Any) -> None:
    """The longest that each may take, but for a scheduler's round or two."""
    settings = read_settings(ROOT / "include" / "airflow.env")
    noticed = sum(
        int(settings[f"AIRFLOW__SCHEDULER__{name}"])
        for name in ("TASK_INSTANCE_HEARTBEAT_TIMEOUT", "TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL")
    )
    for task in one.tasks:
        first_wait = 2 * task.retry_delay.total_seconds()  # with the jitter that Airflow adds
        assert noticed + first_wait <= 60, task.task_id
    assert int(settings["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"]) <= 60


def test_no_task_prints_or_renders_what_it_carries(one: Any) -> None:
    for task in one.tasks:
        shown = getattr(task, "show_return_value_in_logs", None)
        if shown is None:  # a mapped task keeps it among what its instances are made with
            shown = task.partial_kwargs["show_return_value_in_logs"]
        assert shown is False, task.task_id
        templated = {name for name in task.template_fields if name not in ("op_args", "op_kwargs", "templates_dict")}
        assert not templated, task.task_id


def test_the_tasks_read_like_the_life_of_a_payment(dagbag: DagBag) -> None:
    sync = dagbag.dags["sync_accounting"]
    life = ["check", "plan", "contacts", "documents", "settlements", "reconcile", "list", "to_do", "report", "backlog"]
    order = [task.task_id for task in sync.topological_sort()]
    assert order == life
    assert [task.task_id for task in dagbag.dags["extract_qualy"].topological_sort()] == [
        "extract",
        "quality",
        "publish",
        "again",
    ]


def test_any_one_asset_starts_the_sync(dagbag: DagBag) -> None:
    from airflow.sdk import AssetAny

    condition = dagbag.dags["sync_accounting"].timetable.asset_condition
    assert isinstance(condition, AssetAny)
    by_task = {task.task_id: {asset.name for asset in task.outlets} for task in dagbag.dags["extract_qualy"].tasks}
    emitted = by_task["publish"]
    own = {asset.name for task in dagbag.dags["sync_accounting"].tasks for asset in task.outlets}
    awaited = {asset.name for asset in condition.objects}
    assert awaited == emitted | own
    assert len(emitted) == 3


def test_webhooks_start_the_dag_that_reads_and_it_starts_itself_again(dagbag: DagBag) -> None:
    from qualy_app.webhooks.events import assets

    for tool, dag_id in (("qualy", "extract_qualy"), ("hubspot", "sync_hubspot")):
        condition = dagbag.dags[dag_id].timetable.asset_condition
        awaited = {asset.name for asset in getattr(condition, "objects", [condition])}
        assert assets()[tool].name in awaited
    again = dagbag.dags["extract_qualy"].task_dict["again"]
    assert [asset.name for asset in again.outlets] == [assets()["qualy"].name]


@pytest.fixture
def poll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a settings file anew, in the place where Airflow's processes look for it."""
    path = tmp_path / "settings.yaml"
    monkeypatch.setenv("QUALY_SETTINGS", str(path))
    written = itertools.count(1)

    def write(text: str) -> None:
        path.write_text(text)
        os.utime(path, ns=(0, next(written)))  # two versions within one tick of the clock are two all the same

    return write


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("webhooks: {poll_minutes: 5}", [2, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57]),
        ("webhooks: {poll_minutes: 30}", [7, 37]),
        *((text, [37]) for text in ("", "webhooks:", "webhooks: {poll_minutes: 60}", "webhooks: {poll_minutes: 1}")),
        *((text, [37]) for text in ("webhooks: {poll_minutes: true}", "a: [", "\0", None)),
    ],
)
def test_how_often_the_clocks_go_is_a_setting_and_a_mistake_in_it_makes_them_hourly(
    dagbag: DagBag,
    poll: Callable[[str], None],
    text: str | None,
    starts: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from airflow.timetables.base import TimeRestriction

    if text is not None:
        poll(text)
    timetable = as_the_scheduler_has_it(dagbag.dags["sync_hubspot"]).timetable
    now = pendulum.datetime(2026, 7, 15, 12)
    last, found = None, []
    while True:
        monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda now=now: now)
        planned = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(None, None, catchup=False)
        )
        if planned.run_after >= pendulum.datetime(2026, 7, 15, 13):
            assert found == starts
            return
        found.append(planned.run_after.minute)
        last, now = planned.data_interval, planned.run_after


def test_a_changed_setting_counts_when_the_dag_files_are_next_looked_at(
    runs: Runs, poll: Callable[[str], None]
) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    def minutes_to_wait() -> dict[str, float]:
        store()  # what the DAG processor does
        with create_session() as session:
            found = session.query(DagModel).filter(DagModel.dag_id.in_(["extract_qualy", "sync_hubspot"]))
            return {one.dag_id: (one.next_dagrun_create_after - pendulum.now()).total_seconds() / 60 for one in found}

    for every in (60, 5, 60):
        poll(f"webhooks: {{poll_minutes: {every}}}")
        planned = minutes_to_wait()
        assert len(planned) == 2
        assert all(0 < wait <= every for wait in planned.values())


def test_reading_the_dag_files_reads_no_settings(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("webhooks: {poll_minutes: 5}")
    code = f"""
import json, runpy, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
for name in {sorted(DAGS)}:
    runpy.run_path({str(ROOT / "dags")!r} + "/" + name + ".py")
print(json.dumps(opened))
"""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "QUALY_SETTINGS": str(settings)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    opened = [Path(name) for name in json.loads(done.stdout.splitlines()[-1])]
    assert ROOT / "dags" / "sync_hubspot.py" in opened
    assert settings not in opened
    assert not [name for name in opened if ROOT / "include" in name.parents]


def test_reading_the_dag_files_costs_next_to_nothing() -> None:
    """In a fresh process: Airflow pays this for each task and each time it looks at the folder."""
    code = f"""
import json, runpy, sys
import airflow.sdk, airflow.sdk.definitions.decorators.task_group, airflow.providers.standard.decorators.short_circuit
before = set(sys.modules)
for name in {sorted(DAGS)}:
    runpy.run_path({str(ROOT / "dags")!r} + "/" + name + ".py")
print(json.dumps(sorted({{name.split(".")[0] for name in set(sys.modules) - before}})))
"""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    for name in ("QUALY_SETTINGS", "QUALY_LEDGER_URL"):
        environment.pop(name, None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "qualy_app" in loaded
    assert not loaded & HEAVY
