"""A ledger put back from a copy is older than what the tool holds: it looks, links, and asks before it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from qualy_app.previews import make_preview
from qualy_sync.ledger.schema import confirmation_steps
from qualy_sync.load.gate import confirm, open_gate
from sandbox.server import Sandbox
from tests.postgres import Cluster
from tests.support.world import Ending, World, copied

Copy = Callable[[str], str]
FIRST_RUN = 10  # batches of a first run in the small world: three of contacts, four of documents, three of settlements


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Copy]:
    """A ledger after the extraction, and the way to copy one; once on each database."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("extracted_file")
        return copied(template, tmp_path), lambda url: copied(Path(str(sa.make_url(url).database)), tmp_path)
    cluster: Cluster = request.getfixturevalue("postgres")
    name: str = request.getfixturevalue("extracted_database")
    return cluster.new_database(name), lambda url: cluster.new_database(str(sa.make_url(url).database))


@pytest.fixture
def opened(stand_ins: Sandbox, kept: tuple[str, Copy]) -> Iterator[World]:
    """A world whose first run was confirmed and is long over, so that nobody is asked any more; nothing is sent yet."""
    world = World(stand_ins, kept[0]).begin(confirmed=False)
    work = world.read()
    assert confirm(world.ledger, work.book, make_preview(work).hash, "a finance lead")
    open_gate(world.ledger, work.book)
    with world.ledger.writing() as connection:
        connection.execute(confirmation_steps.delete())
    yield world
    world.ledger.close()


def put_back(world: World, copy: Copy, *, after: int) -> Iterator[World]:
    """The ledger as it was before a run that broke off after so many batches."""
    world.ledger.close()
    older = copy(world.url)
    world.crash("result_committed", after)
    world.ledger.close()
    restored = World(world.sandbox, older)
    restored.pass_time(120)
    yield restored
    restored.ledger.close()


@pytest.mark.parametrize("after", [4, 8], ids=["some documents there", "a settlement there"])
def test_a_restored_ledger_links_what_is_there_and_asks_before_it_writes_the_rest(
    opened: World, kept: tuple[str, Copy], undisturbed: Ending, after: int
) -> None:
    for restored in put_back(opened, kept[1], after=after):
        sent = len(restored.writes())
        for _ in range(2):  # what hangs on a document that was found is planned by the next run
            restored.run()
        assert len(restored.writes()) == sent, restored.problems
        assert "adopted" in restored.outcomes().values()
        assert "not_confirmed" in restored.outcomes().values()

        shown = make_preview(restored.read())
        assert confirm(restored.ledger, restored.book(), shown.hash, "a finance lead")
        restored.run_until_quiet()
        assert restored.ending() == undisturbed
        assert not restored.findings()


def test_the_same_ledger_without_a_loss_is_not_asked_again(opened: World, undisturbed: Ending) -> None:
    """What a run sent before it broke off is remembered: finding it again is no sign of an older ledger."""
    opened.crash("answered", FIRST_RUN - 3)
    opened.run_until_quiet()
    assert "not_confirmed" not in opened.outcomes().values()
    assert opened.ending() == undisturbed
