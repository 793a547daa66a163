"""What Airflow itself takes of a run: the run's length under Airflow, less what the same jobs take without it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from qualy_app.local.environment import scrubbed
from tests.bench.world import EXTRACT, ROOT, SYNC, World

LONGEST = 900  # seconds
_RUNS = """
SELECT r.dag_id, r.run_id, (julianday(r.end_date) - julianday(r.start_date)) * 86400,
       SUM((julianday(t.end_date) - julianday(t.start_date)) * 86400), COUNT(t.id)
FROM dag_run r JOIN task_instance t ON t.dag_id = r.dag_id AND t.run_id = r.run_id AND t.start_date IS NOT NULL
WHERE r.end_date IS NOT NULL
GROUP BY r.id ORDER BY r.id
"""


@dataclass(frozen=True, slots=True)
class Overhead:
    """One DAG's first run, in seconds. `tasks` is the sum of the tasks' durations, `jobs` that of the same jobs run one
    after the other without Airflow."""

    dag: str
    instances: int
    length: float
    tasks: float
    jobs: float

    @property
    def seconds(self) -> float:
        return self.length - self.jobs


def measure(payments: int) -> list[Overhead]:
    """Both DAGs once by `make run ONCE=1`, in a folder of its own, and the same jobs without. Raises RuntimeError."""
    jobs = _jobs(payments)
    with tempfile.TemporaryDirectory(prefix="qualy-bench-") as folder:
        state = Path(folder) / "xero"
        ports = [f"--port={free_port()}", f"--sandbox-port={free_port()}"]
        asked = [sys.executable, "-m", "qualy_app.local", "run", "--once", f"--state={state}", *ports]
        done = subprocess.run(
            [*asked, f"--payments={payments}"],
            cwd=ROOT,
            env=scrubbed(os.environ) | {"PYTHONPATH": os.pathsep.join([str(ROOT / "plugins"), str(ROOT)])},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        database = state / "airflow" / "airflow.db"
        if not database.exists():
            raise RuntimeError(f"make run did not come to a run: {(done.stdout + done.stderr)[-1_000:]}")
        return _read(database, jobs)


def _jobs(payments: int) -> dict[str, float]:
    """Seconds of each DAG's jobs without Airflow, in one process."""
    with World(payments) as world:
        stages = world.run("plain", ["prepare", *EXTRACT, *SYNC])
    seconds = {stage.name: stage.seconds for stage in stages}
    return {
        "extract_qualy": sum(seconds[name] for name in EXTRACT),
        "sync_accounting": sum(seconds[name] for name in SYNC),
    }


def _read(database: Path, jobs: Mapping[str, float]) -> list[Overhead]:
    found: dict[str, Overhead] = {}
    with closing(sqlite3.connect(database)) as connection:
        for dag, _, length, tasks, instances in connection.execute(_RUNS):
            if dag in jobs and dag not in found:
                found[dag] = Overhead(dag, instances, length, tasks, jobs[dag])
    return list(found.values())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
