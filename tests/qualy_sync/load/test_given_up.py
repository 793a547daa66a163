"""What stays unanswered, since the tool cannot be searched, goes to a person after 24 hours; and still settles."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from qualy_sync.ledger.decisions import decide
from qualy_sync.ledger.schema import current_outcomes
from tests.support.world import MINUTE, Ending, World

Key = tuple[str, str]
HOUR = 60 * MINUTE
DOCUMENTS = "/api.xro/2.0/Invoices"


@pytest.fixture(params=["world", "pg_world"], ids=["sqlite", "postgresql"])
def either_world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def unanswered(world: World) -> set[Key]:
    """A run whose first documents are sent and never answered; from then on documents cannot be read either."""
    world.faults(
        {"method": "PUT", "path": DOCUMENTS, "do": "drop_after", "times": 2},
        {"method": "GET", "path": DOCUMENTS, "do": "status:503", "times": None, "after": 2},
    )
    world.run()
    lost = {(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps}
    assert lost
    return lost


def said(world: World, keys: set[Key]) -> set[tuple[str, str | None]]:
    """The outcomes of these records and the troubles that they are listed under."""
    with world.ledger.reading() as connection:
        rows = connection.execute(sa.select(current_outcomes)).all()
    return {(row.code, row.trouble_key) for row in rows if (row.leg, row.source_id) in keys}


def test_the_long_unanswered_goes_to_a_person_and_settles_by_itself_once_the_tool_can_be_read(
    either_world: World, undisturbed: Ending
) -> None:
    world = either_world
    lost = unanswered(world)
    assert said(world, lost) == {("unknown", None)}

    world.pass_time(23 * HOUR)
    world.run()
    assert said(world, lost) == {("unknown", None)}

    world.pass_time(2 * HOUR)
    world.run()
    assert said(world, lost) == {("needs_decision", "xero:needs_decision:unanswered")}
    held = {(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps}
    assert held == lost, "given up is not forgotten: nothing of it is sent a second time"

    world.clear_faults()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_what_a_process_sent_that_went_away_goes_to_a_person_too_while_the_tool_cannot_be_reached(
    world: World, undisturbed: Ending
) -> None:
    world.crash("attempt_committed", 4)
    lost = {(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps}
    assert said(world, lost) == {("its_turn", None)}
    world.faults({"path": "/api.xro/2.0/", "do": "status:503", "times": None})
    world.pass_time(25 * HOUR)
    assert not world.run()
    assert said(world, lost) == {("needs_decision", "xero:needs_decision:unanswered")}
    world.clear_faults()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_what_was_decided_meanwhile_is_acted_on_once_it_is_settled(world: World) -> None:
    lost = unanswered(world)
    world.pass_time(25 * HOUR)
    world.run()
    leg, source_id = min(lost)
    assert decide(world.ledger, world.book(), leg, source_id, "ignore", "", "Ana", "it was booked by hand")
    world.run()
    assert world.outcomes()[leg, source_id] == "needs_decision", "its fate is not known yet"
    world.clear_faults()
    world.pass_time(11 * MINUTE)
    for _ in range(2):
        assert world.run(), world.problems
    assert world.outcomes()[leg, source_id] == "ignored"
    assert {world.outcomes()[key] for key in lost if key != (leg, source_id)} == {"created"}
