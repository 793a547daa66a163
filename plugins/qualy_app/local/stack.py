"""The processes of a local installation: the sandbox and the four of Airflow, begun, watched, begun again, ended."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import httpx

from qualy_app.local import processes
from qualy_app.local.airflow_api import AirflowApi
from qualy_app.local.places import Places
from qualy_app.local.processes import Started
from qualy_app.local.trouble import Trouble

SANDBOX = "sandbox"
# Task logs are read from this machine's disk, so nothing has to serve them.
AIRFLOW = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
RESTARTS = 3  # of one component; a fourth death is no accident
BOOT_LIMIT = 240.0  # seconds


class Stack:
    """Every process that the runner starts goes through here, so that every one of them can be ended."""

    def __init__(self, places: Places, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self._places, self._environment, self._say = places, environment, say
        self._running: dict[str, Started] = {}
        self._commands: dict[str, list[str]] = {}
        self._restarts: dict[str, int] = {}

    def start_sandbox(self, payments: int, seed: int, profile: str) -> None:
        options = {"--port": self._places.sandbox_port, "--state": self._places.sandbox_state}
        options |= {"--payments": payments, "--seed": seed, "--profile": profile}
        words = [str(word) for pair in options.items() for word in pair]
        self._start(SANDBOX, [sys.executable, "-m", "sandbox", *words])

    def start_airflow(self, api: AirflowApi) -> None:
        """The scheduler last: what it starts before the API server answers uses up its tries for nothing."""
        for name in ("api-server", "dag-processor", "triggerer"):
            self._start(name, [sys.executable, "-m", "airflow", *AIRFLOW[name]])
        self._wait(lambda: "metadatabase" not in api.unhealthy(), lambda: "Airflow's API server")
        self._start("scheduler", [sys.executable, "-m", "airflow", *AIRFLOW["scheduler"]])
        self._wait(lambda: not api.unhealthy(), lambda: f"Airflow ({', '.join(api.unhealthy())})")

    def migrate_airflow(self) -> subprocess.Popen[bytes] | None:
        """Begins to make Airflow's database, or to bring it up to this version; None where that was done before."""
        if self._migrated.exists() and self._migrated.read_text() == version("apache-airflow-core"):
            return None
        started = self._start("migration", [sys.executable, "-m", "airflow", "db", "migrate"])
        return started.popen

    def finish_migration(self, migration: subprocess.Popen[bytes] | None) -> None:
        if migration is None:
            return
        status = migration.wait()
        log = self._running.pop("migration").log
        if status:
            raise Trouble(
                f"Airflow could not make its database; its words are in {self._places.shown(log)}.{tail(log)}"
            )
        self._migrated.write_text(version("apache-airflow-core"))

    def wait_for_sandbox(self) -> None:
        def answers() -> bool:
            try:
                httpx.get(f"{self._places.sandbox}/control/state/qualy", timeout=5.0, trust_env=False)
            except httpx.HTTPError:
                return False
            return True

        self._wait(answers, lambda: "the sandbox")

    def require_alive(self) -> None:
        """Raises Trouble where a component has ended by itself."""
        for started in self._running.values():
            status = started.ended()
            if status is not None:
                shown = self._places.shown(started.log)
                raise Trouble(f"The {started.name} ended with status {status}; see {shown}.{tail(started.log)}")

    def revive(self) -> None:
        """Begins again what has ended, after ending what it left: two schedulers' tasks must not work side by side."""
        for name, started in list(self._running.items()):
            if started.ended() is None:
                continue
            self._restarts[name] = self._restarts.get(name, 0) + 1
            if self._restarts[name] > RESTARTS:
                self.require_alive()
            processes.end([started.session])
            self._say(f"The {name} had ended; starting it again.")
            self._start(name, self._commands[name])

    def end(self) -> int:
        """Ends all of it, tasks too; returns how many processes would not go (none)."""
        left = processes.end([started.session for started in self._running.values()])
        for started in self._running.values():
            started.ended()
        if not left:
            self._places.processes.unlink(missing_ok=True)
        return left

    @property
    def _migrated(self) -> Path:
        return self._places.airflow_home / ".migrated"

    def _start(self, name: str, command: list[str]) -> Started:
        log = self._places.logs / f"{name}.log"
        environment, root = self._environment, self._places.root
        started = processes.start(name, command, environment=environment, log=log, cwd=root)
        self._running[name], self._commands[name] = started, command
        processes.remember(self._places.processes, [each.session for each in self._running.values()])
        return started

    def _wait(self, ready: Callable[[], bool], what: Callable[[], str]) -> None:
        deadline = time.monotonic() + BOOT_LIMIT
        while not ready():
            self.require_alive()
            if time.monotonic() > deadline:
                logs = self._places.shown(self._places.logs)
                raise Trouble(f"Waited {BOOT_LIMIT:.0f} s for {what()}; what they said is in {logs}/.")
            time.sleep(0.2)


def tail(log: Path, lines: int = 12) -> str:
    """The end of a log, indented below a sentence."""
    text = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "".join(f"\n    {line}" for line in text)
