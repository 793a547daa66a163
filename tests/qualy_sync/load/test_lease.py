"""One process at a time writes to an organisation, and one that lost its right, or its memory, sends nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from qualy_sync.contracts.accounting import EachAnswer, Remote, What
from qualy_sync.ledger.leases import LeaseHeld, LeaseLost
from qualy_sync.load import GROUPS, lease_of, load, plan_run
from tests.support.world import Ending, World


def test_a_second_load_is_told_when_the_first_one_ends_at_the_latest(world: World, undisturbed: Ending) -> None:
    work = world.read()
    plan_run(work)
    with lease_of(work):
        with pytest.raises(LeaseHeld) as held:
            load(work, "contacts")
        assert timedelta(0) < held.value.until - world.ledger.now() <= timedelta(seconds=75)
    assert not world.writes()
    assert world.run(), world.problems
    assert world.ending() == undisturbed


def test_a_lease_that_ran_out_ends_the_sending(world: World, undisturbed: Ending) -> None:
    """The process slept while its batch was under way: what came back is kept, and nothing follows."""

    def asleep(point: str) -> None:
        if point == "answered":
            world.pass_time(76)

    work = world.read(world.desk(asleep))
    plan_run(work)
    with pytest.raises(LeaseLost):
        load(work, "contacts")
    assert len(world.writes()) == 1
    assert not world.open_attempts()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_a_long_list_is_read_first_without_losing_the_lease(world: World, undisturbed: Ending) -> None:
    """Eight documents, each on a page of its own that takes a third of what a lease lasts."""
    desk = world.desk()
    work = world.read(desk)
    plan_run(work)
    load(work, "contacts")
    load(work, "documents")
    quick = desk.tool.changed

    def slowly(what: What, since: datetime | None, each_answer: EachAnswer) -> Iterator[Sequence[Remote]]:
        for page in quick(what, since, each_answer):
            for remote in page:
                world.pass_time(25)
                yield [remote]

    desk.tool.changed = slowly  # type: ignore[method-assign]
    load(work, "settlements")
    world.run_until_quiet()
    assert world.ending() == undisturbed


@pytest.mark.parametrize("group", ["contacts", "documents", "settlements"])
def test_a_long_search_for_what_was_not_answered_keeps_the_lease(
    world: World, undisturbed: Ending, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    """One record to a page, and a third of what a lease lasts for each answer: the search is longer than the lease."""
    monkeypatch.setattr("connectors.xero.client.PAGE_SIZE", 1)
    groups = list(GROUPS)
    work = world.read()
    plan_run(work)
    for earlier in groups[: groups.index(group)]:
        load(work, earlier)
    path = {"contacts": "Contacts", "documents": "Invoices", "settlements": "Payments"}[group]
    world.faults({"method": "PUT", "path": f"/api.xro/2.0/{path}", "do": "drop_after", "times": 2})
    load(work, group)
    world.clear_faults()
    assert world.open_attempts()
    world.pass_time(11 * 60)
    desk = world.desk()
    work = world.read(desk)
    quick, taken = desk.tool.find, 0

    def slowly(what: What, refs: Sequence[str], since: datetime | None, each_answer: EachAnswer) -> Sequence[Remote]:
        def answered() -> None:
            nonlocal taken
            taken += 1
            world.pass_time(25)
            each_answer()

        return quick(what, refs, since, answered)

    desk.tool.find = slowly  # type: ignore[method-assign]
    load(work, group)
    assert taken > 3
    assert not world.open_attempts()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_without_the_lease_an_unanswered_call_is_not_repeated(world: World, undisturbed: Ending) -> None:
    world.faults({"method": "PUT", "path": "/", "do": "drop_after", "times": 1})

    def asleep(point: str) -> None:
        if point == "answered":
            world.pass_time(76)

    work = world.read(world.desk(asleep))
    plan_run(work)
    with pytest.raises(LeaseLost):
        load(work, "contacts")
    assert len(world.writes()) == 1
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_a_holder_that_wakes_up_after_another_one_took_over_sends_nothing(world: World) -> None:
    work = world.read()
    with lease_of(work) as frozen:
        world.pass_time(76)
        with lease_of(work) as successor:
            with pytest.raises(LeaseLost):
                frozen.renew()
            successor.renew()
            assert successor.epoch == frozen.epoch + 1
    with pytest.raises(LeaseLost):
        successor.renew()


@pytest.mark.parametrize("table", ["links", "current_outcomes", "attempt_steps"])
def test_what_cannot_be_remembered_ends_the_sending(world: World, undisturbed: Ending, table: str) -> None:
    """The ledger refuses to be written to while an answer is on its way: nothing more is sent, and nothing twice."""

    def full(point: str) -> None:
        if point == "answered":
            with world.ledger.writing() as connection:
                for verb in ("INSERT", "UPDATE"):
                    refuse = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
                    connection.execute(sa.text(f"CREATE TRIGGER full_{verb} BEFORE {verb} ON {table} {refuse}"))

    work = world.read(world.desk(full))
    plan_run(work)
    with pytest.raises(sa.exc.DBAPIError):
        load(work, "contacts")
    assert len(world.writes()) == 1
    with world.ledger.writing() as connection:
        for verb in ("INSERT", "UPDATE"):
            connection.execute(sa.text(f"DROP TRIGGER full_{verb}"))
    world.run_until_quiet()
    assert world.ending() == undisturbed
