"""A stand-in in a process of its own, a fresh ledger, and workers that run the jobs as Airflow's tasks do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from cryptography.fernet import Fernet
from ruamel.yaml import YAML

from qualy_app.local.connections import for_tool
from qualy_app.local.environment import scrubbed
from qualy_app.local.places import Places
from tests.bench.tools import TOOLS, Tool

ROOT = Path(__file__).parents[2]
EXTRACT = ("extract", "quality", "publish")
SYNC = ("check", "plan", "contacts", "documents", "settlements", "reconcile", "list", "report", "backlog")
WIDENED = (
    "Widened for this: the tools' limits, Qualy's pace, load_minutes 600, the breaker of the gate (creates and amounts"
    " per 24 hours). Where Xero's calls are counted its writes are 0.15 s apart, which is less than its limit asks for."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One job as it ran. `own` are the seconds that its process computed, without waiting for disk and stand-in;
    `peak_mib` is the most memory that its process had until the job's end."""

    name: str
    seconds: float
    own: float
    peak_mib: float
    counts: Mapping[str, Any]


class World:
    """``with World(payments=100) as world: world.run("r1", STAGES)``."""

    def __init__(self, payments: int, tool: Tool = TOOLS["xero"]) -> None:
        self._payments = payments
        self._tool = tool
        self._folder = Path(tempfile.mkdtemp(prefix="qualy-bench-"))
        self._client = httpx.Client(timeout=600, trust_env=False)

    def __enter__(self) -> World:
        self._process, self.url = _start_sandbox(self._payments, self._tool.profile, self._folder / "sandbox.log")
        self.environment = _environment(self._folder, self.url, self._tool)
        self.control("POST", f"quota/{self._tool.id}", dict(self._tool.wide))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        self._client.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._client.request(method, f"{self.url}/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def run(self, name: str, stages: Sequence[str], *, by_clock: bool = False) -> list[Stage]:
        """Runs jobs one after the other in one new process. Raises RuntimeError with its last lines where it fails."""
        asked = [sys.executable, "-m", "tests.bench.worker", name, "clock" if by_clock else "event", *stages]
        done = subprocess.run(asked, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} {' '.join(stages)}: {done.stderr[-2_000:]}")
        return [Stage(**one) for one in json.loads(done.stdout.splitlines()[-1])]

    def an_hour_later(self) -> None:
        """Moves the clock of the stand-ins on; the ledger's follows with the stage `an hour later`."""
        self.control("POST", "clock", {"advance_seconds": 3600})

    def calls(self) -> list[dict[str, Any]]:
        """What the tool was asked since the last time, calls for tokens apart."""
        found = self.control("GET", f"calls/{self._tool.id}")["calls"]
        self.control("DELETE", f"calls/{self._tool.id}")
        return [call for call in found if not call["path"].startswith(self._tool.tokens)]


def _start_sandbox(payments: int, profile: str, log: Path) -> tuple[subprocess.Popen[str], str]:
    asked = [sys.executable, "-m", "sandbox", "--port", "0", "--payments", str(payments)]
    asked += ["--profile", profile]
    environment = scrubbed(os.environ) | {"PYTHONPATH": str(ROOT)}
    with log.open("w") as errors:
        process = subprocess.Popen(
            asked, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )
    for line in process.stdout or ():
        if " ready at " in line:
            return process, line.split(" ready at ")[1].split()[0]
    raise RuntimeError(f"The sandbox did not start: {log.read_text()[-2_000:]}")


def _environment(folder: Path, url: str, tool: Tool) -> dict[str, str]:
    given = YAML(typ="safe").load(tool.settings.read_text())
    given["source"]["requests_per_second"] = 1000
    given["accounting"]["pace"]["load_minutes"] = 600
    breaker = given["accounting"]["gate"]["breaker"]
    breaker["max_creates_24h"] = 1_000_000
    breaker["max_amount_24h"] = dict.fromkeys(breaker["max_amount_24h"], 10**12)
    settings = folder / "settings.yaml"
    settings.write_text(json.dumps(given, default=str))  # which is YAML, too, with every code in quotes
    places = Places(state=folder, port=0, sandbox_port=int(url.rsplit(":", 1)[1]))
    found = for_tool(tool.id, places)
    found[tool.id]["extra"] |= dict(tool.connection)
    connections = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in found.items()}
    return (
        scrubbed(os.environ)
        | connections
        | {
            "PYTHONPATH": os.pathsep.join([str(ROOT / "plugins"), str(ROOT)]),
            "QUALY_LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
            "QUALY_SETTINGS": str(settings),
            "QUALY_SECRET_KEYS": Fernet.generate_key().decode(),
            "QUALY_REPORTS": str(folder / "reports"),
        }
    )
