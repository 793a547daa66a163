"""What must be true before anything is written: a confirmation that covers it, and not more than an honest day's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from qualy_app.previews import make_preview
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import confirmation_steps
from qualy_sync.load import load, plan_run
from qualy_sync.load.gate import check_gate, confirm, offer, open_gate, plan_hash
from qualy_sync.load.planning import preview
from qualy_sync.model import Leg
from qualy_sync.plan import Planned
from tests.support.world import SETTINGS, Ending, World

MakeWorld = Callable[..., World]
DAY = 24 * 3600


def finish(world: World) -> None:
    """A run, and what the last load does when nothing is left to send."""
    assert world.run(), world.problems
    open_gate(world.ledger, world.book())


def confirmed(ledger: Ledger, book: int, name: str) -> None:
    assert confirm(ledger, book, name, "a finance lead")


@pytest.fixture
def cautious(tmp_path: Path) -> Callable[[str, str], Path]:
    """`cautious(old, new)`: a settings file where one line is another."""

    def write(old: str, new: str) -> Path:
        text = SETTINGS.read_text()
        assert old in text
        path = tmp_path / "settings.yaml"
        path.write_text(text.replace(old, new))
        return path

    return write


def test_nothing_is_written_before_the_preview_is_confirmed(make_world: MakeWorld, undisturbed: Ending) -> None:
    world = make_world(confirmed=False)
    finish(world)
    assert not world.writes()
    assert {world.outcomes()[key] for key in world.outcomes() if key[0] == Leg.CONTACT} == {"not_confirmed"}
    shown = make_preview(world.read())
    finish(world)
    assert not world.writes()
    confirmed(world.ledger, world.book(), shown.hash)
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_no_hash_but_one_that_was_shown_confirms_anything(make_world: MakeWorld) -> None:
    world = make_world(confirmed=False)
    shown = make_preview(world.read())
    assert not confirm(world.ledger, world.book(), "standing", "somebody")
    assert not confirm(world.ledger, world.book(), "0" * 12, "somebody")
    assert not confirm(world.ledger, world.book() + 1, shown.hash, "somebody")
    finish(world)
    assert not world.writes()


def test_a_confirmation_does_not_cover_a_larger_plan(make_world: MakeWorld) -> None:
    """What was not in the preview waits for a preview of its own, also in the runs after the first."""
    world = make_world(confirmed=False)
    work = world.read()
    whole = make_preview(work)
    partly = [one for one in whole.planned if one.owner == whole.planned[0].owner or one.leg is Leg.SUPPLIER]
    name = _offered(world, partly)
    confirmed(world.ledger, world.book(), name)
    for _ in range(3):
        finish(world)
    sent = {key for key, code in world.outcomes().items() if code == "created" and key[0] == Leg.CONTACT}
    assert sent == {(Leg.CONTACT, whole.planned[0].owner)}
    assert [code for key, code in world.outcomes().items() if key[0] == Leg.CONTACT].count("not_confirmed") == 2
    confirmed(world.ledger, world.book(), make_preview(world.read()).hash)
    world.run_until_quiet()
    assert set(world.outcomes().values()) <= {"created", "paid", "own_share", "not_needed"}


def _offered(world: World, planned: Sequence[Planned]) -> str:
    name, steps = plan_hash(planned)
    offer(world.ledger, world.book(), name, steps)
    return name


def test_a_preview_has_the_same_hash_however_often_it_is_made(make_world: MakeWorld) -> None:
    world = make_world(confirmed=False)
    assert make_preview(world.read()).hash == make_preview(world.read()).hash


def test_the_standing_confirmation_counts_for_stand_ins_only(world: World) -> None:
    work = world.read()
    steps = [one.step for one in preview(work) if one.step is not None]
    terms = work.terms()
    real = replace(terms, organisation=replace(terms.organisation, stand_in=False))
    with world.ledger.reading() as connection:
        assert {one and one.code for one in check_gate(connection, work.book, terms, steps)} == {None}
        assert {one and one.code for one in check_gate(connection, work.book, real, steps)} == {"not_confirmed"}


def test_the_breaker_stops_at_its_number_of_creates(make_world: MakeWorld, cautious: Callable[..., Path]) -> None:
    settings = cautious("max_creates_24h: 100000", "max_creates_24h: 3")
    world = make_world(confirmed=False, settings=settings)
    open_by_hand(world)
    finish(world)
    assert sum(call["records"] for call in world.writes()) == 3
    assert "mass_change" in world.outcomes().values()
    finish(world)
    assert sum(call["records"] for call in world.writes()) == 3
    world.pass_time(DAY)
    finish(world)
    assert 3 < sum(call["records"] for call in world.writes()) <= 6


def test_the_breaker_stops_at_its_amount_of_money(make_world: MakeWorld, cautious: Callable[..., Path]) -> None:
    """1,200.00 and 155.00 in invoices and 800.00 in bills come first; the day allows 2,200.00."""
    settings = cautious("max_amount_24h: {AUD: 1000000000,", "max_amount_24h: {AUD: 2200,")
    world = make_world(confirmed=False, settings=settings)
    open_by_hand(world)
    finish(world)
    there = [document for document in world.ending().documents if document[4] == "AUD"]
    assert sum(float(document[9]) for document in there) <= 2200
    assert there
    assert "mass_change" in world.outcomes().values()


def open_by_hand(world: World) -> None:
    """An organisation whose first run is long over: no confirmation is asked for any more."""
    work = world.read()
    confirmed(world.ledger, work.book, make_preview(work).hash)
    open_gate(world.ledger, work.book)
    with world.ledger.writing() as connection:
        connection.execute(confirmation_steps.delete())


def test_a_stopped_run_writes_nothing(world: World) -> None:
    """Too many failing rows, or records that vanished: the plan is made, and held."""
    work = replace(world.read(), stop_writing="more of Qualy's rows fail the rules than is allowed")
    plan_run(work)
    load(work, "contacts")
    assert not world.writes()
    assert {code for (leg, _), code in world.outcomes().items() if leg == Leg.CONTACT} == {"mass_change"}
