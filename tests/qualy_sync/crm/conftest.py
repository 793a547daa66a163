"""Worlds of customers: one pair of stand-ins for a whole session, a ledger of its own for each test."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.postgres import Cluster
from tests.support.crm_world import CrmWorld

MakeCrmWorld = Callable[..., CrmWorld]


@pytest.fixture(scope="session")
def crm_stand_ins() -> Iterator[Sandbox]:
    with Sandbox.start(payments=1, services=["qualy", "hubspot"]) as sandbox:
        yield sandbox


@pytest.fixture
def make_crm_world(crm_stand_ins: Sandbox, migrated_file: Path, tmp_path: Path) -> Iterator[MakeCrmWorld]:
    """`make_crm_world(customers, contacts, settings=…, confirmed=…)` gives a world that has begun."""
    made: list[CrmWorld] = []

    def make(
        customers: list[Any], contacts: list[Any] | None = None, *, confirmed: bool = True, **more: Any
    ) -> CrmWorld:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        url = f"sqlite:///{shutil.copy(migrated_file, folder / 'ledger.db')}"
        made.append(CrmWorld(crm_stand_ins, url, **more))
        return made[-1].begin(customers, contacts, confirmed=confirmed)

    yield make
    for each in made:
        each.ledger.close()


@pytest.fixture
def pg_crm_world(crm_stand_ins: Sandbox, postgres: Cluster, migrated_database: str) -> Iterator[CrmWorld]:
    """A world whose ledger is PostgreSQL; it has not begun."""
    made = CrmWorld(crm_stand_ins, postgres.new_database(migrated_database), suppression=None)
    yield made
    made.ledger.close()
    postgres.drop_database(made.url)
