"""What many tests stand on: a sandbox over HTTP, and a ledger on either database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from qualy_sync.ledger import Ledger
from sandbox.server import Sandbox
from tests.postgres import Cluster

SECRET_KEY = Fernet.generate_key().decode()
SMALL = {"payments": 30, "seed": 1}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Callable[..., Sandbox]]:
    """`sandbox(payments=30, profile="au", …)` starts a stand-in for this module's tests; all end with the module."""
    started: list[Sandbox] = []

    def start(**wishes: Any) -> Sandbox:
        started.append(Sandbox.start(**{**SMALL, **wishes}))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and empty SQLite ledger to copy: migrating each test's own would cost half of its time."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.migrate()
    ledger.close()
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A fresh, migrated SQLite ledger."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'ledger.db')}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of this session's own."""
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_database(postgres: Cluster) -> str:
    """The name of a migrated database to copy."""
    url = postgres.new_database()
    ledger = Ledger(url)
    ledger.migrate()
    ledger.close()
    return str(sa.make_url(url).database)


@pytest.fixture
def empty_pg_url(postgres: Cluster) -> Iterator[str]:
    """An empty PostgreSQL database."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def pg_url(postgres: Cluster, migrated_database: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL ledger."""
    url = postgres.new_database(migrated_database)
    yield url
    postgres.drop_database(url)


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    """A fresh ledger on SQLite (`ledger.url` opens it elsewhere)."""
    opened = Ledger(sqlite_url, [SECRET_KEY])
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A fresh ledger, once on each database."""
    opened = Ledger(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url"), [SECRET_KEY])
    yield opened
    opened.close()
