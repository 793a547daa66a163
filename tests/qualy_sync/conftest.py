"""Books filled by hand, to compare, report and explain."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from qualy_sync.ledger import Ledger
from tests.conftest import SECRET_KEY
from tests.support.ledger_rows import LedgerRows, an_agency, reopened


@pytest.fixture(scope="session")
def agency_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The filled ledger, to copy."""
    path = Path(shutil.copy(migrated_file, tmp_path_factory.mktemp("agency") / "ledger.db"))
    ledger = Ledger(f"sqlite:///{path}")
    an_agency(ledger)
    ledger.close()
    return path


@pytest.fixture
def books(agency_file: Path, tmp_path: Path) -> Iterator[LedgerRows]:
    """A small agency's books: everything agrees, some records are held."""
    path = shutil.copy(agency_file, tmp_path / "agency.db")
    ledger = Ledger(f"sqlite:///{path}", [SECRET_KEY])
    yield reopened(ledger)
    ledger.close()
