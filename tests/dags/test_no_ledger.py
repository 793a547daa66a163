"""A ledger that nobody has made yet: each DAG says so in its first task, and tries nothing again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.runs import Runs


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
