"""What happened to a payment before its first sync is booked as if it had been heard of step by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Ability, What
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Planned, Terms
from tests.support.plan_world import Books, World, code, object_id, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
NOTE = (str(Leg.CREDIT_NOTE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
BY_SHARE = {"payments__refund_lines": "proportional"}
FULLY = {"payments__when": "when_fully_paid"}
ALL_AT_ONCE = {"settlement__mode": "when_fully_paid"}
RECEIVED, GIVEN_BACK, CALLED_OFF = date(2026, 6, 12), date(2026, 7, 2), date(2026, 7, 10)


def settled(number: int) -> Key:
    return (str(Leg.SETTLEMENT), object_id(2, number))


def receive(world: World, amount: int, number: int = 1) -> None:
    world.charge(amount, number)


def give_back(world: World, amount: int, number: int = 9, of: int = 1) -> None:
    world.charge(-amount, number, at="2026-07-02T12:00:00.000Z", over={"ref": object_id(2, of)})


def says(world: World, status: str, **over: Any) -> None:
    more = {"canceledAt": "2026-07-10T00:00:00Z", "due": 0} if status == "canceled" else {}
    world.payment(("Course", 100_000), status=status, over=more | over)


def life(events: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(kind, int(amount or 0)) for kind, _, amount in (event.partition(" ") for event in events)]


def happen(world: World, kind: str, amount: int, number: int) -> None:
    if kind == "receive":
        receive(world, amount, number)
    elif kind == "give_back":
        give_back(world, amount, 9)
    else:
        says(world, kind)


LIVES: list[tuple[str, ...]] = [
    ("receive 100000", "paid", "give_back 100000", "refunded"),
    ("receive 100000", "paid", "give_back 30000", "refunded"),
    ("receive 40000", "receive 60000", "paid", "give_back 40000", "refunded"),
    ("receive 100000", "paid", "canceled"),
    ("receive 100000", "paid", "give_back 100000", "canceled"),
    ("receive 40000", "paid-partial", "canceled"),
    ("receive 40000", "paid-partial", "give_back 40000", "canceled"),
]


def shown(books: Books) -> list[tuple[Any, ...]]:
    """Everything that stands in the tool, but for its ids."""
    documents = [
        (one.what, one.ref, one.number, one.date, one.due_date, one.total, one.paid, one.credited, one.due, one.lines)
        for one in books.documents.values()
    ]
    money = [(one.ref, one.account, one.amount, one.date, one.of) for one in books.settlements.values()]
    return sorted([*documents, *money], key=str)


def said(plan: dict[Key, Planned]) -> dict[Key, str]:
    return {key: str(code(one)) for key, one in plan.items()}


@pytest.mark.parametrize("events", LIVES, ids=" then ".join)
@pytest.mark.parametrize("rules", [{}, FULLY, ALL_AT_ONCE], ids=["at once", "invoice when paid", "one settlement"])
def test_a_life_that_is_seen_at_its_end_comes_to_what_it_would_have_come_to(
    events: tuple[str, ...], rules: dict[str, Any]
) -> None:
    terms = terms_of(**BY_SHARE, **rules)
    step_by_step, books = World(), Books()
    at_the_end, late = World(), Books()
    for world in (step_by_step, at_the_end):
        says(world, "due")
    books.sync(step_by_step, terms)
    for number, (kind, amount) in enumerate(life(events), start=1):
        happen(step_by_step, kind, amount, number)
        happen(at_the_end, kind, amount, number)
        if kind not in ("receive", "give_back"):  # Qualy's status moves with the money
            in_the_end = books.sync(step_by_step, terms)
    if rules == FULLY and "paid" not in events:
        assert code(late.sync(at_the_end, terms)[INVOICE]) is Code.NEEDS_DECISION
        assert not late.documents
        return
    assert said(late.sync(at_the_end, terms)) == said(in_the_end)
    assert shown(late) == shown(books)
    assert shown(late)


def seen_at_its_end(*events: str, **more: Any) -> World:
    world = World()
    says(world, "due", **more)
    for number, (kind, amount) in enumerate(life(events), start=1):
        happen(world, kind, amount, number)
    return world


def test_each_leg_has_its_own_date() -> None:
    world, books = seen_at_its_end("receive 40000", "give_back 40000", "canceled"), Books()
    plan = books.sync(world, terms_of(**BY_SHARE))
    days = {(one.what, one.total): one.date for one in books.documents.values()}
    assert days[What.CREDIT_NOTE, 60_000] == CALLED_OFF
    assert days[What.CREDIT_NOTE, 40_000] == GIVEN_BACK
    assert {one.date for one in books.settlements.values()} == {RECEIVED, GIVEN_BACK}
    assert (code(plan[INVOICE]), code(plan[settled(1)])) == (Code.CREDITED, Code.PAID)


@pytest.mark.parametrize(
    ("lock", "held", "there"),
    [
        (RECEIVED, settled(1), 1),  # the invoice is dated when it is due
        (date(2026, 6, 30), INVOICE, 0),
        (GIVEN_BACK, INVOICE, 0),
    ],
)
def test_each_leg_is_tested_against_the_lock_by_its_own_date(lock: date, held: Key, there: int) -> None:
    world, books = seen_at_its_end("receive 100000", "paid", "give_back 100000", "refunded"), Books()
    rules = terms_of(lock=lock, payments__invoice_date="due", **BY_SHARE)
    plan = books.sync(world, rules)
    assert code(plan[held]) is Code.LOCKED
    assert len(books.documents) == there
    assert not books.settlements
    plan = books.sync(world, terms_of(payments__invoice_date="due", **BY_SHARE))
    assert (code(plan[INVOICE]), code(plan[settled(9)])) == (Code.CREATED, Code.CREDITED)


def test_only_the_credit_waits_where_only_its_day_is_locked() -> None:
    world, books = seen_at_its_end("receive 100000", "paid"), Books()
    terms = terms_of(**BY_SHARE)
    books.sync(world, terms)
    give_back(world, 100_000)
    plan = books.sync(world, terms_of(lock=GIVEN_BACK, **BY_SHARE))
    assert code(plan[(str(Leg.CREDIT_NOTE), object_id(2, 9))]) is Code.LOCKED
    assert code(plan[settled(1)]) is Code.PAID


def test_what_is_not_final_is_no_money_of_a_payment_that_was_called_off() -> None:
    world, books = seen_at_its_end("receive 40000"), Books()
    books.sync(world, terms_of(**BY_SHARE))
    world.charge(10_000, 2, status="processing")
    says(world, "canceled")
    plan = books.sync(world, terms_of(**BY_SHARE))
    assert code(plan[settled(2)]) is Code.NOT_YET_PAID
    assert [one.amount for one in books.settlements.values()] == [40_000]


@pytest.mark.parametrize("status", ["failed", "processing", "disputed"])
def test_called_off_without_a_receipt_nothing_is_booked(status: str) -> None:
    world = World()
    says(world, "due")
    world.charge(40_000, status=status)
    says(world, "canceled")
    plan = world.plan(terms_of())
    assert plan[INVOICE].step is None
    assert code(plan[INVOICE]) is (Code.NEEDS_DECISION if status == "disputed" else Code.NOTHING_DUE)


@pytest.mark.parametrize(("when", "made"), [("when_customer_paid", 0), ("with_invoice", 1)])
def test_the_partners_share_of_what_was_refunded_before_its_first_sync_is_a_persons(when: str, made: int) -> None:
    world, books = seen_at_its_end("receive 100000", "paid", "give_back 100000", "refunded"), Books()
    world.split(10_000)
    plan = books.sync(world, terms_of(splits__when=when))
    assert (code(plan[INVOICE]), code(plan[BILL])) == (Code.CREATED, Code.NEEDS_DECISION)
    assert len([one for one in books.documents.values() if one.what is What.BILL]) == made


def unable(terms: Terms) -> Terms:
    gaps = dict.fromkeys((Ability.CREDIT, Ability.VOID, Ability.REFUND, Ability.ALLOCATE), "It has no credit notes.")
    return replace(terms, gaps=gaps)


def test_where_nothing_can_be_credited_no_invoice_is_made_of_which_a_part_would_have_to_be() -> None:
    part, books = seen_at_its_end("receive 40000", "canceled"), Books()
    plan = books.sync(part, unable(terms_of()))
    assert code(plan[INVOICE]) is Code.NEEDS_DECISION
    assert plan[INVOICE].outcome is not None
    assert plan[INVOICE].outcome.detail["problem"] == "It has no credit notes."
    assert code(plan[settled(1)]) is Code.WAITING_FOR
    assert not books.documents
    whole, books = seen_at_its_end("receive 100000", "canceled"), Books()
    plan = books.sync(whole, unable(terms_of()))
    assert (code(plan[INVOICE]), code(plan[settled(1)])) == (Code.NEEDS_DECISION, Code.PAID)
    assert [one.due for one in books.documents.values()] == [0]
