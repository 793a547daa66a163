"""DAG runs in this process: Airflow's own state machine, task runner and API, with the scheduler's loop written out.

Faster than a scheduler by far, and each step happens when a test says so. Clearing goes through the API that the UI
calls.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx

MOST_IDLE = 10


class Runs:
    """Starts, works off, clears and looks at the runs of the project's DAGs."""

    def __init__(self, api: httpx.Client, dags: dict[str, Any]) -> None:
        self.api = api
        self.dags = dags
        self._serialized = {name: _serialized(dag) for name, dag in dags.items()}

    def start(self, dag_id: str, conf: dict[str, Any] | None = None, by_event: bool = False) -> str:
        """A new run, by hand or by an asset's event; nothing of it is worked off yet."""
        if by_event:
            return self._start_by_event(dag_id)
        answer = self.api.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["dag_run_id"])

    def run(self, dag_id: str, conf: dict[str, Any] | None = None, by_event: bool = False) -> str:
        """A new run, worked off."""
        run_id = self.start(dag_id, conf, by_event)
        self.work(dag_id, run_id)
        return run_id

    def work(self, dag_id: str, run_id: str, until: Callable[[str, int], bool] | None = None) -> str:
        """Works a run off and gives its state. Stops before the first instance for which `until` is true.

        Waits between tries are cut short: what is to be tried again is tried at once.
        """
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState

        idle = 0
        while idle < MOST_IDLE:
            with create_session() as session:
                run = session.query(DagRun).filter_by(dag_id=dag_id, run_id=run_id).one()
                if run.state == DagRunState.QUEUED:
                    run.state = DagRunState.RUNNING
                    session.flush()
                run.dag = self._serialized[dag_id]
                waiting = self._schedule(run, session)
                state = str(run.state)
            if state in ("success", "failed"):
                return state
            # A task that cannot run any more is marked in one round, and what depends on it in the next.
            idle = 0 if waiting else idle + 1
            for ti in waiting:
                if until and until(ti.task_id, ti.map_index):
                    return state
                self._run_one(ti)
        raise AssertionError(f"{dag_id} {run_id} does not end: {self.states(dag_id, run_id)}")

    def kill(self, dag_id: str, run_id: str, task: str, index: int = -1, for_good: bool = False) -> None:
        """The process of an instance is gone without a word, and its heart has stopped: what the scheduler then does.

        `for_good`: it was the last of its tries.
        """
        from airflow.models.taskinstance import TaskInstance
        from airflow.sdk import timezone
        from airflow.utils.session import create_session
        from airflow.utils.state import TaskInstanceState

        with create_session() as session:
            found = {"dag_id": dag_id, "run_id": run_id, "task_id": task, "map_index": index}
            ti = session.query(TaskInstance).filter_by(**found).one()
            ti.state, ti.start_date = TaskInstanceState.RUNNING, timezone.utcnow()
            if for_good:
                ti.max_tries = ti.try_number - 1
            session.flush()
            ti.task = self._serialized[dag_id].get_task(task)
            ti.handle_failure("The process went away.", session=session)

    def clear(self, dag_id: str, run_id: str, *tasks: str | tuple[str, int], downstream: bool = True) -> None:
        """Clears as the UI does, which has "downstream" on by default."""
        answer = self.api.post(
            f"/api/v2/dags/{dag_id}/clearTaskInstances",
            json={
                "dry_run": False,
                "dag_run_id": run_id,
                "task_ids": [task if isinstance(task, str) else list(task) for task in tasks],
                "only_failed": False,
                "include_downstream": downstream,
                "reset_dag_runs": True,
            },
        )
        assert answer.status_code == 200, answer.text

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self.api.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}").json()["state"])

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of each task; mapped instances as `to_do[0]`."""
        return {_name(each): str(each["state"]) for each in self._instances(dag_id, run_id)}

    def to_do(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of each `to_do` instance by its name, in order."""
        found = [each for each in self._instances(dag_id, run_id) if each["map_index"] >= 0]
        found.sort(key=lambda each: each["map_index"])
        named = {str(each["rendered_map_index"]): str(each["state"]) for each in found}
        assert len(named) == len(found), "two instances have the same name"
        return named

    def tried(self, dag_id: str, run_id: str, task: str) -> list[str]:
        """The state of each try of a task so far, the current one last."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task}/tries"
        return [str(each["state"]) for each in self.api.get(path).json()["task_instances"]]

    def xcoms(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Everything that the tasks of a run handed on."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/~/xcomEntries"
        found = self.api.get(path, params={"limit": 100}).json()["xcom_entries"]
        return [self._xcom(each) for each in found]

    def _xcom(self, entry: dict[str, Any]) -> dict[str, Any]:
        path = f"/api/v2/dags/{entry['dag_id']}/dagRuns/{entry['run_id']}/taskInstances/{entry['task_id']}"
        answer = self.api.get(f"{path}/xcomEntries/{entry['key']}", params={"map_index": entry["map_index"]})
        found: dict[str, Any] = answer.json()
        return found

    def rendered(self, dag_id: str, run_id: str) -> list[Any]:
        """The rendered fields that the UI shows for each instance."""
        return [each["rendered_fields"] for each in self._instances(dag_id, run_id)]

    def events(self, asset: str) -> int:
        """How many events an asset has had."""
        found = self.api.get("/api/v2/assets/events", params={"limit": 100}).json()["asset_events"]
        return len([each for each in found if each["name"] == asset])

    def _instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = self.api.get(path, params={"limit": 100}).json()["task_instances"]
        return found

    def _schedule(self, run: Any, session: Any) -> Sequence[Any]:
        from airflow.sdk import timezone
        from airflow.utils.state import TaskInstanceState

        for ti in run.get_task_instances(session=session, state=[TaskInstanceState.UP_FOR_RETRY]):
            ti.end_date = ti.end_date - timedelta(days=1)
        session.flush()
        schedulable, _ = run.update_state(session=session)
        for ti in schedulable:
            ti.try_number += 1
            ti.state = TaskInstanceState.SCHEDULED
            ti.scheduled_dttm = timezone.utcnow()
        session.flush()
        scheduled = run.get_task_instances(session=session, state=[TaskInstanceState.SCHEDULED])
        session.expunge_all()
        return list(scheduled)

    def _run_one(self, ti: Any) -> None:
        from airflow.sdk.definitions.dag import _run_task

        task = self.dags[ti.dag_id].task_dict[ti.task_id]
        # A run's conf is written into the parameters of the DAG object, which here outlives the task.
        before = copy.deepcopy((task.dag.params, task.params))
        _run_task(ti=ti, task=task)
        task.dag.params, task.params = before

    def _start_by_event(self, dag_id: str) -> str:
        from airflow.sdk import timezone
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        run_id = f"asset_triggered__{uuid.uuid4()}"
        self._serialized[dag_id].create_dagrun(
            run_id=run_id,
            logical_date=None,
            run_after=timezone.utcnow(),
            run_type=DagRunType.ASSET_TRIGGERED,
            triggered_by=DagRunTriggeredByType.ASSET,
            state=DagRunState.QUEUED,
        )
        return run_id


def store() -> None:
    """Writes the DAGs to Airflow's database, as the DAG processor does."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.utils.session import create_session

    manager = DagBundlesManager()
    with create_session() as session:
        manager.sync_bundles_to_db(session=session)
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        sync_bag_to_db(bag, bundle.name, bundle.version)


def _serialized(dag: Any) -> Any:
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def _name(instance: dict[str, Any]) -> str:
    index = instance["map_index"]
    return str(instance["task_id"]) if index < 0 else f"{instance['task_id']}[{index}]"
