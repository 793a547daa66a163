"""Whatever comes between, the tool ends up with each record once: the same as when nothing had gone wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from qualy_sync.contracts.accounting import What
from tests.support.acceptance import Held, ToolWorld

KINDS = [What.CONTACT, What.INVOICE, What.SETTLEMENT]


def test_an_agency_is_put_into_the_books(world: ToolWorld, undisturbed: Held) -> None:
    world.settle()
    held = world.held()
    assert held == undisturbed
    assert Counter(email for _, email in held.contacts) == Counter(
        ["ada.lovelace@mail.example", "wei.chen@inbox.example", "billing@school.example"]
    )
    invoices = sorted((total, due) for kind, _, total, due in held.documents if kind == "invoice")
    assert invoices == [(15_500, 15_500), (45_000, 25_000), (60_000, 0), (90_000, 0)]
    assert [(total, due) for kind, _, total, due in held.documents if kind == "bill"] == [(70_000, 70_000)]
    assert sorted(amount for _, _, amount in held.settlements) == [20_000, 25_000, 35_000, 90_000]
    assert all(ref for _, ref, _, _ in held.documents)
    assert all(ref for _, ref, _ in held.settlements)
    assert set(world.outcomes().values()) <= {"created", "paid", "own_share", "not_needed"}
    assert not world.findings()


def test_what_goes_on_the_wire_is_what_the_attempt_holds_byte_for_byte(world: ToolWorld) -> None:
    world.settle()
    assert world.received()
    assert world.received() == world.stored()


def test_a_second_run_writes_nothing_nor_does_one_that_reads_the_same_again(
    world: ToolWorld, undisturbed: Held
) -> None:
    world.settle()
    before = len(world.writes())
    world.pass_time(world.between)
    assert world.run(), world.problems
    world.read_source()
    assert world.run(), world.problems
    assert len(world.writes()) == before
    assert world.held() == undisturbed
    assert not world.findings()


@pytest.mark.parametrize("do", ["drop_before", "drop_after"])
def test_a_lost_answer_makes_nothing_twice(world: ToolWorld, undisturbed: Held, do: str) -> None:
    for what in KINDS:
        world.fault(what, do=do, times=1)
    world.run()
    world.settle()
    assert world.held() == undisturbed


def test_a_batch_of_which_a_part_was_done_is_finished(world: ToolWorld, undisturbed: Held) -> None:
    for what in KINDS:
        world.fault(what, **world.case.partly)
    world.run()
    world.settle()
    assert world.held() == undisturbed


@pytest.mark.parametrize("status", [400, 500])
def test_a_batch_that_fails_as_a_whole_is_sent_when_the_cause_is_mended(
    world: ToolWorld, undisturbed: Held, status: int
) -> None:
    world.fault(What.INVOICE, do=f"status:{status}", times=None)
    world.run()
    assert "invoice" not in {kind for kind, _, _, _ in world.held().documents}
    world.clear_faults()
    world.pass_time(world.between)
    world.settle()
    assert world.held() == undisturbed


def test_a_token_that_ends_in_mid_batch_is_replaced(world: ToolWorld, undisturbed: Held) -> None:
    world.fault(What.INVOICE, do="status:401", times=1, after=1)
    world.settle()
    assert world.held() == undisturbed


def test_when_the_calls_are_used_up_the_rest_waits(world: ToolWorld, undisturbed: Held) -> None:
    world.run()
    before = len(world.held().settlements)
    world.case.exhaust(world.sandbox)
    world.run()
    assert len(world.held().settlements) == before
    world.case.refill(world.sandbox)
    world.pass_time(world.between)
    world.settle()
    assert world.held() == undisturbed


def test_after_a_wiped_ledger_everything_is_found_again_and_nothing_is_made(
    world: ToolWorld, undisturbed: Held, make_world: Callable[..., ToolWorld]
) -> None:
    world.settle()
    fresh = make_world(empty=False)
    fresh.settle()
    assert not fresh.writes()
    assert fresh.held() == undisturbed
    assert set(fresh.outcomes().values()) <= {"adopted", "paid", "own_share", "created", "not_needed"}
