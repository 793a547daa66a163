"""A whole Airflow of a test's own: API server, scheduler with LocalExecutor, DAG processor, and the project's DAGs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qualy_app.local import environment, keys, ports
from qualy_app.local.airflow_api import AirflowApi
from qualy_app.local.connections import for_tool
from qualy_app.local.places import ROOT, Places
from qualy_app.local.stack import Stack
from tests.dags.world import World

SYNC = "sync_accounting"


@dataclass(frozen=True)
class Installation:
    """A running Airflow that works on a world."""

    world: World
    places: Places
    api: AirflowApi
    password: str

    def run(self) -> str:
        """Starts a run of the sync, and unpauses it only then, so that no run by the clock is before it."""
        run = self.api.trigger(SYNC)
        self.api.unpause(SYNC)
        return run

    def state(self, run: str) -> str:
        return str(self.api.run(SYNC, run)["state"])

    def until_over(self, run: str, patience: float = 300) -> str:
        until(lambda: self.state(run) in ("success", "failed"), patience)
        return self.state(run)


@contextmanager
def installed(template: Path, base: Path) -> Iterator[Installation]:
    """Everything is up, and nothing runs yet."""
    state = base / "xero"
    state.mkdir(parents=True)
    world = World.copied(template, state)
    places = Places(state, ports.next_free(20000 + os.getpid() % 4000), int(world.sandbox.url.rpartition(":")[2]))
    for directory in (places.airflow_home, places.logs):
        directory.mkdir(parents=True)
    made = keys.kept_or_made(places.secrets)
    keys.write_private(places.passwords, json.dumps({"admin": made.admin_password}))
    outside = {name: text for name, text in world.environment().items() if name.startswith("QUALY_")}
    stack = Stack(places, environment.for_processes(places, made) | outside, print)
    api = AirflowApi(places.ui, "admin", made.admin_password)
    try:
        stack.finish_migration(stack.migrate_airflow())
        stack.start_airflow(api)
        for connection_id, fields in for_tool("xero", places).items():
            api.upsert_connection(connection_id, fields)
        for name, fields in json.loads((ROOT / "include" / "pools.json").read_text()).items():
            api.upsert_pool(name, fields)
        until(lambda: SYNC in {dag["dag_id"] for dag in api.dags()} or api.import_errors() != [])
        assert api.import_errors() == []
        yield Installation(world, places, api, made.admin_password)
    finally:
        api.close()
        left = stack.end()
        world.close()
    assert left == 0


def until(true: Callable[[], bool], patience: float = 180.0) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.3)
