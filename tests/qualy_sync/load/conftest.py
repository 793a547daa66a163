"""A small world for each test: a bare organisation, and a ledger that has read the agency's records already."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sandbox.server import Sandbox
from tests.postgres import Cluster
from tests.support.world import Ending, World, an_agency, copied, extracted

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[Sandbox]:
    """The stand-ins of a whole session; each test empties the organisation first."""
    with Sandbox.start(payments=1) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def agency() -> dict[str, list[dict[str, Any]]]:
    """The agency's records, the same to the second for every ledger of a session."""
    return an_agency(datetime.now(UTC))


@pytest.fixture
def as_it_was(stand_ins: Sandbox, agency: dict[str, Any]) -> Iterator[None]:
    """For stories that change Qualy's records: each begins with the agency its ledger has read, and leaves it so."""
    stand_ins.control("POST", "load/qualy", agency)
    yield
    stand_ins.control("POST", "load/qualy", agency)


@pytest.fixture(scope="session")
def extracted_file(
    stand_ins: Sandbox,
    migrated_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
    agency: dict[str, list[dict[str, Any]]],
) -> Path:
    """A SQLite ledger after the extraction, to copy."""
    path = Path(shutil.copy(migrated_file, tmp_path_factory.mktemp("extracted") / "ledger.db"))
    extracted(stand_ins, f"sqlite:///{path}", agency)
    return path


@pytest.fixture(scope="session")
def extracted_database(
    stand_ins: Sandbox, postgres: Cluster, migrated_database: str, agency: dict[str, list[dict[str, Any]]]
) -> str:
    """The name of a PostgreSQL ledger after the extraction, to copy."""
    url = postgres.new_database(migrated_database)
    extracted(stand_ins, url, agency)
    return str(sa.make_url(url).database)


@pytest.fixture
def make_world(stand_ins: Sandbox, extracted_file: Path, tmp_path: Path) -> Iterator[MakeWorld]:
    """`make_world(per_call=2, settings=…, empty=…, confirmed=…)` gives a world on SQLite that has begun."""
    made: list[World] = []

    def make(*, empty: bool = True, confirmed: bool = True, **wishes: Any) -> World:
        world = World(stand_ins, copied(extracted_file, tmp_path), **wishes)
        made.append(world.begin(empty=empty, confirmed=confirmed))
        return world

    yield make
    for each in made:
        each.ledger.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world on SQLite."""
    return make_world()


@pytest.fixture
def pg_world(stand_ins: Sandbox, postgres: Cluster, extracted_database: str) -> Iterator[World]:
    """A world on PostgreSQL."""
    made = World(stand_ins, postgres.new_database(extracted_database)).begin()
    yield made
    made.ledger.close()
    postgres.drop_database(made.url)


@pytest.fixture(scope="session")
def undisturbed(stand_ins: Sandbox, extracted_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Ending:
    """What one run comes to when nothing goes wrong."""
    world = World(stand_ins, copied(extracted_file, tmp_path_factory.mktemp("undisturbed"))).begin()
    assert world.run(), world.problems
    ending = world.ending()
    assert [sum(found.values()) for found in (ending.contacts, ending.documents, ending.payments)] == [5, 8, 5]
    world.ledger.close()
    return ending
