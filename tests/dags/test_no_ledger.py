"""A ledger that cannot be used: each DAG says so in its first task, and tries nothing again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.runs import Runs
from tests.dags.world import World


def test_a_file_as_ledger_is_refused_where_tasks_run_on_several_machines(
    runs: Runs, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")

    run = runs.run("sync_accounting")

    assert runs.state("sync_accounting", run) == "failed"
    assert runs.tried("sync_accounting", run, "check") == ["failed"]
    assert "Point QUALY_LEDGER_URL at PostgreSQL." in caplog.text
    assert world.calls() == []


@pytest.mark.parametrize(("dag", "first"), [("extract_qualy", "extract"), ("sync_accounting", "check")])
def test_a_ledger_without_tables_is_a_sentence_with_its_remedy(
    runs: Runs,
    dag: str,
    first: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("QUALY_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("QUALY_SETTINGS", str(Path(__file__).parents[2] / "sandbox" / "settings.yaml"))

    run = runs.run(dag)

    assert runs.state(dag, run) == "failed"
    assert runs.tried(dag, run, first) == ["failed"]
    assert "The ledger has no tables yet: bring it up to date with `bin/qualy migrate`." in caplog.text
