"""Where one tool's local state lies, and the addresses that its processes listen on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Places:
    """``state`` is ``.qualy/<tool>/``: everything in it goes with ``FRESH=1``."""

    state: Path
    port: int
    sandbox_port: int
    root: Path = ROOT
    dags: Path = ROOT / "dags"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.db"

    @property
    def sandbox_state(self) -> Path:
        return self.state / "sandbox.db"

    @property
    def airflow_home(self) -> Path:
        return self.state / "airflow"

    @property
    def reports(self) -> Path:
        return self.state / "reports"

    @property
    def csv_files(self) -> Path:
        return self.state / "csv"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets.json"

    @property
    def passwords(self) -> Path:
        return self.airflow_home / "passwords.json"

    @property
    def env_file(self) -> Path:
        """Read by ``bin/qualy``, so that it finds the same ledger and connections."""
        return self.state / "env"

    @property
    def processes(self) -> Path:
        return self.state / "processes.json"

    @property
    def lock(self) -> Path:
        """Held while a runner lives; outside ``state``, which may be removed meanwhile."""
        return self.state.with_name(f"{self.state.name}.lock")

    @property
    def ui(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def shown(self, path: Path) -> str:
        """A path as a person at the root of the checkout would type it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)
