"""The program itself: `bin/qualy` from any directory, statuses, JSON errors, no traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.cli.terminal import ROOT, Terminal, connection


def test_the_program_runs_from_anywhere_and_makes_keys(tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "QUALY", "PYTHON"))}
    environment = {**kept, "QUALY_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db"}
    words = [str(ROOT / "bin" / "qualy"), "new-key", "--json"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    Fernet(json.loads(done.stdout)["key"])


def test_the_program_works_on_what_the_last_make_run_left_unless_something_else_is_named(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for folder in ("bin", ".venv/bin", ".qualy/xero", ".qualy/quickbooks"):
        (checkout / folder).mkdir(parents=True)
    program = checkout / "bin" / "qualy"
    program.write_bytes((ROOT / "bin" / "qualy").read_bytes())
    python = checkout / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "${QUALY_LEDGER_URL:-none}"\n')
    program.chmod(0o755)
    python.chmod(0o755)

    def ledger(**named: str) -> str:
        environment = {"PATH": os.environ["PATH"], **named}
        return subprocess.run([program], env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert ledger() == "none"
    for age, tool in ((60, "xero"), (0, "quickbooks")):
        file = checkout / ".qualy" / tool / "env"
        file.write_text(f"export QUALY_LEDGER_URL=the-one-of-{tool}\n")
        os.utime(file, (file.stat().st_atime - age, file.stat().st_mtime - age))
    assert ledger() == "the-one-of-quickbooks"
    assert ledger(TOOL="xero") == "the-one-of-xero"
    assert ledger(QUALY_LEDGER_URL="a-real-one") == "a-real-one"
    assert ledger(QUALY_SETTINGS="real.yaml") == "none"


def test_the_command_line_does_without_airflow() -> None:
    look = (
        "import sys, qualy_app.cli.commands; print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "accounting", "--since", "yesterday"),
        ("sync", "accounting", "--only", "no id;"),
        ("sync", "accounting", "--preview", "--confirm", "abc", "--by", "Ana"),
        ("outcomes", "--limit", "0"),
        ("outcomes", "--nonsense"),
        ("explain",),
        ("nonsense",),
    ],
)
def test_wrong_calls_end_with_two_and_a_sentence(terminal: Terminal, words: tuple[str, ...]) -> None:
    answer = terminal.run(*words)
    assert answer.status == 2
    assert answer.trouble.strip()
    assert "Traceback" not in answer.text + answer.trouble


def test_an_error_in_json_is_json(terminal: Terminal) -> None:
    answer = terminal.run("outcomes", "--code", "nope", "--json")
    assert answer.status == 2
    assert set(answer.json["error"]) == {"status", "message"}
    assert answer.json["error"]["status"] == 2
    assert answer.trouble == ""


def test_a_tool_that_is_not_there_is_said_and_cannot_be_used(extracted: Terminal) -> None:
    closed = {name: f"http://127.0.0.1:9/{name}" for name in ("identity_url", "authorize_url")}
    gone = connection("http://127.0.0.1:9", "app", "secret", connections_url="http://127.0.0.1:9/connections", **closed)
    looked = extracted.run("check", AIRFLOW_CONN_XERO=gone)
    assert looked.status == 1
    assert "No connection to Xero" in looked.text
    synced = extracted.run("sync", "accounting", "--preview", AIRFLOW_CONN_XERO=gone)
    assert synced.status == 3
    assert "No connection to Xero" in synced.trouble


def test_a_lease_that_somebody_holds_is_waited_for_by_the_person(extracted: Terminal) -> None:
    from datetime import timedelta

    from qualy_sync.ledger import Ledger
    from qualy_sync.ledger.leases import Lease

    ledger = Ledger(extracted.environment["QUALY_LEDGER_URL"])
    with Lease(ledger, "extract", timedelta(minutes=5)):
        answer = extracted.run("extract")
    ledger.close()
    assert answer.status == 3
    assert "is being worked on by" in answer.trouble
