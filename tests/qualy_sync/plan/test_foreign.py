"""Money that was paid in another currency than its payment is due in."""

from __future__ import annotations

from typing import Any

import pytest

from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from tests.support.plan_world import Books, World, code, object_id, settlement, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
RECEIPT = (str(Leg.SETTLEMENT), object_id(2, 1))
PLACE = "fx.amount"


def paid_in_dollars(worth: Any = 100_000, amount: int = 65_000, status: str = "paid") -> World:
    world = World()
    world.payment(("Course", 100_000), status=status)
    world.charge(amount, over={"currency": "USD", "fx": {"amount": worth}})
    return world


def test_with_both_amounts_it_settles_what_it_was_worth() -> None:
    books, world, terms = Books(), paid_in_dollars(), terms_of(currencies__settled_amount=PLACE)
    plan = books.sync(world, terms)
    assert code(plan[RECEIPT]) is Code.PAID
    (made,) = books.settlements.values()
    assert (made.amount, made.currency, made.account) == (100_000, "AUD", "091")
    assert books.links[RECEIPT].facts["paid_as"] == [65_000, "USD"]
    assert (plan[RECEIPT].amount, plan[RECEIPT].currency) == (100_000, "AUD")
    assert books.documents[books.links[INVOICE].remote_id].due == 0


def test_the_account_is_the_one_for_the_documents_currency_or_it_is_held() -> None:
    world = paid_in_dollars()
    terms = terms_of(currencies__settled_amount=PLACE, settlement__accounts={"CARD": {"USD": "091"}})
    assert code(world.plan(terms)[RECEIPT]) is Code.UNMAPPED_ACCOUNT
    wrong = terms_of(currencies__settled_amount=PLACE, settlement__accounts={"CARD": {"AUD": "095"}})
    assert code(world.plan(wrong)[RECEIPT]) is Code.UNMAPPED_ACCOUNT


@pytest.mark.parametrize("worth", [None, 0, -100_000, True, "100000", 1000.5, 10**17])
def test_without_both_amounts_it_is_held(worth: Any) -> None:
    plan = paid_in_dollars(worth).plan(currencies__settled_amount=PLACE)
    assert code(plan[RECEIPT]) is Code.NEEDS_DECISION
    assert not plan[RECEIPT].due


def test_where_no_field_is_named_it_is_held() -> None:
    assert code(paid_in_dollars().plan()[RECEIPT]) is Code.NEEDS_DECISION


def test_what_it_was_worth_decides_whether_all_is_paid() -> None:
    plan = paid_in_dollars(worth=99_999).plan(currencies__settled_amount=PLACE, settlement__mode="when_fully_paid")
    assert code(plan[RECEIPT]) is Code.TOTALS_DISAGREE


def test_a_changed_worth_is_a_change() -> None:
    terms = terms_of(currencies__settled_amount=PLACE)
    books = Books()
    books.sync(paid_in_dollars(), terms)
    again = paid_in_dollars(amount=66_000).plan(terms, books.known())
    assert code(again[RECEIPT]) is Code.NEEDS_DECISION


def test_qualys_json_cannot_say_that_it_was_converted() -> None:
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.charge(100_000, over={"paid_as": [1, "USD"], "-paid-as": [1, "USD"]})
    plan = world.plan()
    assert settlement(plan[RECEIPT]).amount == 100_000
    assert plan[RECEIPT].step is not None
    assert "paid_as" not in plan[RECEIPT].step.facts
