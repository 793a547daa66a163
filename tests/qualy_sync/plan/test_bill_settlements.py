"""Bills marked paid when the partner was paid out: from which account, on which day, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from qualy_sync.contracts.accounting import GONE, Ability, Status, What
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Terms
from tests.support.plan_world import Books, World, code, object_id, settlement, terms_of

BILL = (str(Leg.BILL), object_id(3, 1))
PAY_OUT = (str(Leg.PAY_OUT), object_id(4, 1))
PAYING = {"splits__mark_paid": True, "splits__payout_accounts": {"AUD": "091"}}


def terms(**changes: Any) -> Terms:
    return terms_of(**(PAYING | changes))


def shared(*pay_outs: int, kind: str = "agent", over: Mapping[str, Any] | None = None, **more: Any) -> World:
    """A paid course with a share of 300.00, and what was paid out of it."""
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(30_000, kind=kind)
    world.charge(100_000, method=more.pop("method", "CARD"))
    for number, amount in enumerate(pay_outs, start=1):
        world.pay_out(amount, number, over=over, **more)
    return world


def test_a_pay_out_settles_the_bill_from_its_account_on_its_day() -> None:
    books, world = Books(), shared(30_000)
    plan = books.sync(world, terms())
    assert code(plan[PAY_OUT]) is Code.PAID
    made = next(one for one in books.settlements.values() if one.document_id == books.links[BILL].remote_id)
    assert (made.amount, made.account, made.date) == (30_000, "091", date(2026, 6, 18))
    assert books.documents[made.document_id].due == 0
    assert plan[PAY_OUT].month == "2026-06"
    again = world.plan(terms(), books.known())
    assert again[PAY_OUT].step is None


def test_it_is_sent_as_the_settlement_of_a_bill() -> None:
    books, world = Books(), shared(30_000, status="processing")
    books.sync(world, terms())
    world.pay_out(30_000)
    planned = world.plan(terms(), books.known())[PAY_OUT]
    made = settlement(planned)
    assert (made.of, made.document_id) == (What.BILL, books.links[BILL].remote_id)
    assert made.contact_id == books.documents[made.document_id].contact_id
    assert planned.step is not None
    assert planned.step.what is What.BILL_SETTLEMENT
    assert planned.step.seen == {"due": 30_000}


def test_paid_out_in_parts_it_is_settled_in_parts_and_never_for_more_than_is_due() -> None:
    books, world = Books(), shared(10_000, 20_000)
    plan = books.sync(world, terms())
    assert [code(plan[(str(Leg.PAY_OUT), object_id(4, number))]) for number in (1, 2)] == [Code.PAID, Code.PAID]
    assert books.documents[books.links[BILL].remote_id].due == 0
    too_much, books = shared(20_000, 20_000), Books()
    plan = books.sync(too_much, terms())
    codes = {code(plan[(str(Leg.PAY_OUT), object_id(4, number))]) for number in (1, 2)}
    assert Code.PAID in codes
    assert books.documents[books.links[BILL].remote_id].due == 10_000


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"splits__mark_paid": False}, Code.NEVER_SYNCED),
        ({"splits__when": "never"}, Code.NEVER_SYNCED),
        ({"splits__payout_accounts": {"USD": "091"}}, Code.UNMAPPED_ACCOUNT),
        ({"splits__payout_accounts": {"AUD": "200"}}, Code.UNMAPPED_ACCOUNT),
        ({"splits__payout_accounts": {"AUD": "095"}}, Code.UNMAPPED_ACCOUNT),
        ({"splits__bill_status": "draft"}, Code.AWAITING_APPROVAL),
    ],
)
def test_when_it_is_not_settled(changes: dict[str, Any], expected: Code) -> None:
    assert code(shared(30_000).plan(terms(**changes))[PAY_OUT]) is expected


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (shared(30_000, status="processing"), Code.NOT_YET_PAID),
        (shared(30_000, status="pending"), Code.NOT_YET_PAID),
        (shared(30_000, at=None), Code.NEEDS_DECISION),
        (shared(-30_000), Code.NEEDS_DECISION),
        (shared(0), Code.NOTHING_DUE),
        (shared(30_000, over={"amount": None}), Code.NEEDS_DECISION),
        (shared(30_000, over={"currency": None}), Code.NEEDS_DECISION),
        (shared(30_000, over={"currency": "USD"}), Code.NEEDS_DECISION),
        (shared(30_000, over={"paymentSplit": object_id(3, 9)}), Code.NEEDS_DECISION),
        (shared(30_000, kind="ours"), Code.OWN_SHARE),
        (shared(30_000, kind="rebate"), Code.NEEDS_DECISION),
        (shared(30_000, method="AT_SCHOOL"), Code.WAITING_FOR),  # the bill itself is held
        (shared(30_000, gone=True), Code.NOTHING_DUE),
    ],
)
def test_what_qualy_may_say(world: World, expected: Code) -> None:
    planned = world.plan(terms())[PAY_OUT]
    assert code(planned) is expected
    assert not planned.due


def test_a_split_intent_never_makes_a_bill() -> None:
    world = shared(30_000)
    world.splits.clear()
    plan = world.plan(terms())
    assert code(plan[PAY_OUT]) is Code.NEEDS_DECISION
    assert BILL not in plan


def test_where_pay_outs_are_not_asked_for_none_of_them_can_be_wrong() -> None:
    """Qualy documents none of their fields: what looks odd about them is nobody's trouble then."""
    odd = shared(30_000, over={"amount": None, "currency": None, "status": "odd"}, gone=True)
    assert code(odd.plan(terms_of())[PAY_OUT]) is Code.NEVER_SYNCED


def test_without_the_setting_the_bill_stays_open() -> None:
    books = Books()
    plan = books.sync(shared(30_000), terms_of())
    assert code(plan[PAY_OUT]) is Code.NEVER_SYNCED
    assert books.documents[books.links[BILL].remote_id].due == 30_000


def test_a_bill_that_somebody_paid_in_the_tool_is_not_paid_twice() -> None:
    books, world = Books(), shared(30_000, status="processing")
    books.sync(world, terms())
    world.pay_out(30_000)
    step = world.plan(terms(), books.known())[PAY_OUT].step
    assert step is not None
    theirs = settlement(world.plan(terms(), books.known())[PAY_OUT])
    books.put_settlement(replace(theirs, ref="paid by Kim"), "theirs")
    plan = books.sync(world, terms())
    assert code(plan[PAY_OUT]) is Code.SETTLED_THERE
    # Another amount is a question.
    other = Books(dict(books.links), books.contacts, dict(books.documents), {})
    other.links.pop(PAY_OUT)
    bill = other.documents[theirs.document_id]
    other.documents[bill.id] = replace(bill, paid=0, due=30_000)
    other.put_settlement(replace(theirs, ref="paid by Kim", amount=5_000), "theirs")
    assert code(world.plan(terms(), other.known())[PAY_OUT]) is Code.PAID_THERE


def test_the_lock_date_holds_it_and_an_approver_lets_it_go() -> None:
    locked = replace(terms(lock=date(2026, 6, 30)), today=date(2026, 7, 15))
    books, world = Books(), shared(30_000, status="processing")
    books.sync(world, terms())
    world.pay_out(30_000)
    assert code(world.plan(locked, books.known())[PAY_OUT]) is Code.LOCKED
    approved = terms(lock=date(2026, 6, 30), next_open_day__settlement="Kim Lee", payments__settle_locked_invoice="try")
    planned = world.plan(replace(approved, today=date(2026, 7, 15)), books.known())[PAY_OUT]
    assert settlement(planned).date == date(2026, 7, 1)


def test_a_tool_that_cannot_mark_bills_paid_says_so() -> None:
    unable = replace(terms(), gaps={Ability.SETTLE_BILLS: "It cannot."})
    held = shared(30_000).plan(unable)[PAY_OUT]
    assert code(held) is Code.NEEDS_DECISION
    assert held.outcome is not None
    assert "cannot mark a bill paid" in held.outcome.sentence()


def test_a_pay_out_that_changed_after_it_was_booked_is_a_persons() -> None:
    books, world = Books(), shared(30_000)
    books.sync(world, terms())
    world.pay_out(29_000)
    assert code(world.plan(terms(), books.known())[PAY_OUT]) is Code.NEEDS_DECISION


# -- set back to unpaid --------------------------------------------------------------------------------------------

SET_BACK: list[tuple[dict[str, Any], dict[str, Any], date | None, Code]] = [
    ({}, {}, None, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {}, None, Code.REMOVED),
    ({"settlement__reversal": "remove"}, {"reconciled": True}, None, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {"reconciled": None}, None, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {}, date(2026, 6, 18), Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {}, date(2026, 6, 17), Code.REMOVED),
    ({"settlement__reversal": "remove"}, {"status": Status.DELETED}, None, Code.REMOVED),
]


def set_back(world: World, where: str) -> None:
    """The agent's share is unpaid again: in the pay-out, or in the split alone."""
    if where == "pay-out":
        world.pay_out(30_000, status="pending")
    else:
        world.split(30_000, over={"status": "pending"})


@pytest.mark.parametrize(("rules", "there", "lock", "expected"), SET_BACK)
@pytest.mark.parametrize("where", ["pay-out", "split"])
def test_a_share_that_was_set_back_to_unpaid_is_taken_back_like_a_receipt(
    rules: dict[str, Any], there: dict[str, Any], lock: date | None, expected: Code, where: str
) -> None:
    books, world = Books(), shared(30_000)
    world.split(30_000, over={"status": "paid"})
    books.sync(world, terms(**rules))
    bill = books.links[BILL].remote_id
    paid = next(one for one in books.settlements.values() if one.document_id == bill)
    books.settlements[paid.id] = replace(paid, **there)
    set_back(world, where)
    plan = books.sync(world, terms(lock=lock, **rules))
    assert code(plan[PAY_OUT]) is expected
    assert (books.documents[bill].due == 30_000) is (expected is Code.REMOVED and not there)
    if expected is Code.REVERSED_AT_SOURCE:
        assert plan[PAY_OUT].step is None
        assert "pending" in (plan[PAY_OUT].outcome or Outcome(Code.PAID)).sentence()


def test_a_share_that_is_paid_after_all_is_settled_once_more() -> None:
    rules = terms(settlement__reversal="remove")
    books, world = Books(), shared(30_000)
    books.sync(world, rules)
    set_back(world, "pay-out")
    books.sync(world, rules)
    world.pay_out(30_000, at="2026-06-25T12:00:00.000Z")
    assert code(books.sync(world, rules)[PAY_OUT]) is Code.PAID
    bill = books.links[BILL].remote_id
    (live,) = [one for one in books.settlements.values() if one.document_id == bill and one.status not in GONE]
    assert (live.amount, live.date, books.documents[bill].due) == (30_000, date(2026, 6, 25), 0)
    assert len({one.ref for one in books.settlements.values()}) == len(books.settlements)


def test_a_split_that_never_said_it_was_paid_cannot_be_set_back() -> None:
    books, world = Books(), shared(30_000)
    world.split(30_000, over={"status": "processing"})
    books.sync(world, terms(settlement__reversal="remove"))
    set_back(world, "split")
    assert code(books.sync(world, terms(settlement__reversal="remove"))[PAY_OUT]) is Code.PAID
    world.split(30_000, over={"status": "paid"})  # it says so later than its pay-out
    books.sync(world, terms(settlement__reversal="remove"))
    set_back(world, "split")
    assert code(books.sync(world, terms(settlement__reversal="remove"))[PAY_OUT]) is Code.REMOVED


def test_a_payment_of_the_bill_that_is_not_ours_is_never_taken_back() -> None:
    books, world = Books(), shared(30_000, status="processing")
    books.sync(world, terms())
    world.pay_out(30_000)
    theirs = settlement(world.plan(terms(), books.known())[PAY_OUT])
    books.put_settlement(replace(theirs, ref="paid by Kim"), "theirs")
    rules = terms(settlement__reversal="remove")
    assert code(books.sync(world, rules)[PAY_OUT]) is Code.SETTLED_THERE
    set_back(world, "pay-out")
    assert code(books.sync(world, rules)[PAY_OUT]) is Code.REVERSED_AT_SOURCE
    assert books.documents[theirs.document_id].due == 0
