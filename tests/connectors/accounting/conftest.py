"""One stand-in and one extracted ledger for each case; a world of its own for each story."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.support.acceptance import Case, Ground, Held, ToolWorld, cases, extracted
from tests.support.world import copied


@pytest.fixture(scope="session", params=cases(), ids=lambda case: case.tool)
def ground(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    case: Case = request.param
    path = Path(shutil.copy(migrated_file, tmp_path_factory.mktemp(case.tool) / "ledger.db"))
    with Sandbox.start(payments=1, profile=case.profile, services=["qualy", case.tool]) as sandbox:
        case.bare(sandbox)
        extracted(case, sandbox, f"sqlite:///{path}")
        yield Ground(case, sandbox, path)


@pytest.fixture
def as_it_was(ground: Ground) -> Iterator[None]:
    """For stories that change Qualy's records: its stand-in is shared with the other stories."""
    before = ground.sandbox.control("GET", "state/qualy")
    yield
    ground.sandbox.control("POST", "load/qualy", before)


@pytest.fixture
def make_world(ground: Ground, tmp_path: Path) -> Iterator[Callable[..., ToolWorld]]:
    """`make_world(empty=False)` gives a ledger that has read the agency's records, and nothing of the tool yet."""
    made: list[ToolWorld] = []

    def make(*, empty: bool = True) -> ToolWorld:
        made.append(ToolWorld(ground.sandbox, copied(ground.ledger, tmp_path), case=ground.case))
        return made[-1].begin(empty=empty)

    yield make
    for each in made:
        each.ledger.close()


@pytest.fixture
def world(make_world: Callable[..., ToolWorld]) -> ToolWorld:
    """Such a ledger, and a bare organisation."""
    return make_world()


@pytest.fixture(scope="session")
def undisturbed(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Held:
    """What the tool holds when nothing went wrong."""
    made = ToolWorld(ground.sandbox, copied(ground.ledger, tmp_path_factory.mktemp("undisturbed")), case=ground.case)
    made.begin()
    made.settle()
    made.ledger.close()
    return made.held()
