"""Set-up, as somebody meets it who has just cloned the project: with make, in a directory of its own."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's own set-up, with locks that ask for nothing: what is tested is the set-up, not the registry."""
    for name in ("Makefile", "bin/setup", "plugins/qualy_app/__init__.py", "plugins/qualy_app/local/__init__.py"):
        copy(name, tmp_path)
    copy("plugins/qualy_app/local/stamp.py", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def copy(name: str, into: Path) -> None:
    (into / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name, into / name)


def make(checkout: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=checkout,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def ledger(checkout: Path, stamp: str | None) -> Path:
    path = checkout / ".qualy" / "xero" / "ledger.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        if stamp is not None:
            connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
            connection.execute("INSERT INTO meta VALUES ('stamp', ?)", (stamp,))
    return path


@pytest.mark.full
def test_a_set_up_is_made_once_and_mended_when_something_happened_to_it(checkout: Path) -> None:
    before = set(checkout.rglob("*"))
    said = make(checkout, "setup", f"PYTHON={sys.executable}").stdout
    assert "Set-up is done" in said
    made = {path.relative_to(checkout).parts[0] for path in set(checkout.rglob("*")) - before}
    assert made == {".venv", ".qualy"}
    assert make(checkout, "setup", f"PYTHON={sys.executable}").stdout == "", "a second call starts at once"

    (checkout / "requirements.txt").write_text("# another set\n")
    said = make(checkout, "setup", f"PYTHON={sys.executable}").stdout
    assert "Set-up is done" in said, "a changed lock is installed"

    half_installed = checkout / ".venv" / "half-installed"
    for path in (half_installed, checkout / ".venv" / ".setup-begun"):
        path.touch()
    said = make(checkout, "setup", f"PYTHON={sys.executable}").stdout
    assert "did not finish; doing it again" in said
    assert not half_installed.exists()

    assert make(checkout, "clean", f"PYTHON={sys.executable}").returncode == 0
    assert set(checkout.rglob("*")) == before


@pytest.mark.full
def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/nowhere/python3")
    said = make(checkout, "setup", f"PYTHON={sys.executable}").stdout
    assert "making .venv anew" in said
    assert subprocess.run([python, "-c", ""]).returncode == 0


def test_without_a_python_one_sentence_tells_the_remedy(checkout: Path) -> None:
    refused = make(checkout, "setup", "PYTHONS=no-python-of-this-name")
    assert refused.returncode != 0
    assert "Python 3.11 or newer was not found: install it" in refused.stderr


def test_clean_refuses_while_a_ledger_has_links_to_a_real_organisation(checkout: Path) -> None:
    path = ledger(checkout, "real")
    refused = make(checkout, "clean", f"PYTHON={sys.executable}", QUALY_LEDGER_URL="sqlite:////nowhere/ledger.db")
    assert refused.returncode != 0
    assert ".qualy/xero/ledger.db holds the links to a real organisation" in refused.stderr
    assert path.exists()


def test_clean_refuses_a_ledger_that_it_cannot_read(checkout: Path) -> None:
    ledger(checkout, None).write_bytes(b"this is no database, or not any more" * 100)
    assert make(checkout, "clean", f"PYTHON={sys.executable}").returncode != 0


@pytest.mark.parametrize("stamp", ["sandbox", None])
def test_clean_takes_a_ledger_of_the_stand_ins_away(checkout: Path, stamp: str | None) -> None:
    path = ledger(checkout, stamp)
    assert make(checkout, "clean", f"PYTHON={sys.executable}").returncode == 0
    assert not path.exists()


def test_no_target_sees_what_a_shell_exported_for_another_airflow(checkout: Path) -> None:
    exported = {"AIRFLOW_HOME": "/elsewhere", "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"}
    exported |= {"QUALY_LEDGER_URL": "postgresql://real-books", "QUALY_SPECS": "/specs", "UNRELATED": "stays"}
    seen = make(checkout, "--eval=seen: ; @env", "seen", **exported).stdout.splitlines()
    assert [line for line in seen if line.startswith(("AIRFLOW", "QUALY_"))] == ["QUALY_SPECS=/specs"]
    assert "UNRELATED=stays" in seen
