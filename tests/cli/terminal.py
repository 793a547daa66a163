"""A terminal of somebody who works with the command line: its environment, and what a command answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from typer.testing import CliRunner

from qualy_app.cli.commands import app
from sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit status."""

    status: int
    text: str
    trouble: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Terminal:
    """Runs commands with exactly this environment of the project's variables."""

    environment: dict[str, str]
    _runner: CliRunner = field(default_factory=CliRunner)

    def run(self, *words: str, typed: str | None = None, **changed: str) -> Answer:
        with scrubbed({**self.environment, **changed}):
            done = self._runner.invoke(app, list(words), input=typed)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    def json(self, *words: str, status: int = 0, **changed: str) -> Any:
        """A command's JSON; it has to end with the status."""
        answer = self.run(*words, "--json", **changed)
        assert answer.status == status, answer.text + answer.trouble
        return answer.json

    def extract(self) -> Terminal:
        assert self.run("extract").status == 0
        return self

    def confirm(self) -> Terminal:
        """Previews, confirms and writes."""
        shown = self.json("sync", "accounting", "--preview")
        self.json("sync", "accounting", "--confirm", shown["hash"], "--by", "Ana", status=1)
        return self


@contextmanager
def wide_open() -> Iterator[Sandbox]:
    """A stand-in with a world of always the same, and without quotas that a person would have to wait for."""
    with Sandbox.start(payments=60, today=date(2026, 7, 15)) as started:
        started.control("POST", "quota/xero", {"minute": 100_000, "day": 1_000_000})
        yield started


def environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Everything pointed at the stand-ins; the ledger in a folder of its own."""
    xero = f"{sandbox.url}/xero"
    return {
        "QUALY_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        "QUALY_SETTINGS": str(ROOT / "sandbox" / "settings.yaml"),
        "QUALY_REPORTS": str(folder / "reports"),
        "QUALY_CSV": str(folder / "csv"),
        "QUALY_SECRET_KEYS": Fernet.generate_key().decode(),
        "AIRFLOW_CONN_QUALY": connection(f"{sandbox.url}/qualy/v1", "eu1-sandbox", "pk_sandbox_qualy"),
        "AIRFLOW_CONN_XERO": connection(
            f"{xero}/api.xro/2.0",
            "sandbox-app",
            "sandbox-secret",
            identity_url=f"{xero}/identity",
            connections_url=f"{xero}/connections",
            authorize_url=f"{xero}/identity/connect/authorize",
            refresh_token="sandbox-refresh-token",
        ),
        "AIRFLOW_CONN_HUBSPOT": connection(f"{sandbox.url}/hubspot", "", "pat-sandbox-hubspot"),
        "AIRFLOW_CONN_MAILCHIMP": connection(f"{sandbox.url}/mailchimp/3.0", "", "sandboxmailchimpkey-us6"),
        "HOME": str(folder),
    }


def connection(host: str, login: str, password: str, **extra: str) -> str:
    return json.dumps({"conn_type": "http", "host": host, "login": login, "password": password, "extra": extra})


@contextmanager
def scrubbed(wanted: Mapping[str, str]) -> Iterator[None]:
    """The process's environment with nothing else of Airflow's or the project's."""
    before = dict(os.environ)
    try:
        for name in before:
            if name.startswith(("AIRFLOW", "QUALY")):
                del os.environ[name]
        os.environ.update(wanted)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
