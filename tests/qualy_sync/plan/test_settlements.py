"""Money applied to an invoice: where it arrived, what the tool has already, and never more than once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qualy_sync.contracts.accounting import GONE, RemoteSettlement, Status
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known, Pending, Planned, Terms
from qualy_sync.plan.refs import make_ref
from qualy_sync.plan.values import Frozen
from tests.support.plan_world import NOW, Books, World, code, decided, object_id, settlement, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
DOCUMENT = f"invoice-{INVOICE[1]}"


def charge(number: int = 1) -> tuple[str, str]:
    return (str(Leg.SETTLEMENT), object_id(2, number))


def booked(total: int = 100_000, **terms: object) -> tuple[World, Books, Terms]:
    """An invoice that stands in the books, and nothing received yet."""
    world, books, held = World(), Books(), terms_of(**terms)  # type: ignore[arg-type]
    world.payment(("Course", total))
    books.sync(world, held)
    return world, books, held


def by_hand(books: Books, amount: int, name: str = "by-hand", ref: str = "paid at the desk") -> RemoteSettlement:
    """Somebody applies money to our invoice in the tool."""
    there = books.documents[DOCUMENT]
    made = RemoteSettlement(
        name, ref, there.id, "090", there.currency, amount, date(2026, 6, 13), Status.AUTHORISED, False, NOW
    )
    books.settlements[name] = made
    books.documents[DOCUMENT] = replace(there, paid=there.paid + amount, due=there.due - amount)
    return made


@pytest.mark.parametrize(
    ("method", "currency", "account"),
    [
        ("CARD", "AUD", "091"),
        ("CARD", "JPY", "095"),
        ("BANK", "AUD", "090"),
        ("AT_SCHOOL", "AUD", "097"),
        ("AT_SCHOOL", "JPY", None),  # an account without a currency is one in the base currency
        ("BANK", "JPY", None),
        ("PIGEON", "AUD", None),
        ("", "AUD", None),
        ("CASH", "AUD", "hold"),
    ],
)
def test_money_goes_where_its_method_and_currency_say_and_nowhere_else(
    method: str, currency: str, account: str | None
) -> None:
    world = World()
    world.payment(("Course", 1_000), currency=currency)
    world.charge(1_000, method=method)
    planned = world.plan()[charge()]
    if account is None:
        assert (code(planned), planned.step) == (Code.UNMAPPED_ACCOUNT, None)
    elif account == "hold":
        assert code(planned) is Code.NEEDS_DECISION
    else:
        assert settlement(planned).account == account


@pytest.mark.parametrize("account", ["999", "200", "404", "095"])
def test_an_account_that_takes_no_such_payment_is_refused(account: str) -> None:
    world = World()
    world.payment(("Course", 1_000))
    world.charge(1_000)
    assert code(world.plan(settlement__accounts={"CARD": {"AUD": account}})[charge()]) is Code.UNMAPPED_ACCOUNT


def test_shares_of_money_that_qualy_did_not_move_are_held() -> None:
    world = World()
    world.payment(("Course", 1_000), status="paid")
    world.split(100)
    world.charge(1_000, method="AT_SCHOOL")
    outcome = world.plan()[(str(Leg.BILL), object_id(3, 1))].outcome
    assert outcome is not None
    assert (outcome.code, outcome.thing) == (Code.NEEDS_DECISION, "split of money not moved")


def test_each_receipt_is_applied_once() -> None:
    world, books, terms = booked()
    world.charge(40_000, 1)
    world.charge(60_000, 2)
    plan = books.sync(world, terms)
    assert {code(plan[charge(number)]) for number in (1, 2)} == {Code.PAID}
    assert books.documents[DOCUMENT].due == 0
    assert sorted(one.amount for one in books.settlements.values()) == [40_000, 60_000]
    assert not [one for one in books.sync(world, terms).values() if one.step]


def test_two_receipts_of_one_invoice_each_know_what_is_due_before_them() -> None:
    world, books, terms = booked()
    world.charge(40_000, 1)
    world.charge(60_000, 2)
    plan = world.plan(terms, books.known())
    seen = [plan[charge(number)].step.seen["due"] for number in (1, 2)]  # type: ignore[union-attr]
    assert seen == [100_000, 60_000]


def test_what_would_exceed_what_is_due_does_not_go_along() -> None:
    world, books, terms = booked()
    by_hand(books, 30_000)
    world.charge(60_000, 1)
    world.charge(40_000, 2)
    mine = decided(Leg.SETTLEMENT, charge(1)[1], "ours", world.plan(terms, books.known())[charge(1)])
    plan = world.plan(terms, books.known(decisions=mine))
    assert (plan[charge(1)].due, code(plan[charge(2)])) == (True, Code.PAID_THERE)


def test_settled_by_somebody_else_for_the_same_amount_is_in_step() -> None:
    world, books, terms = booked()
    by_hand(books, 40_000)
    world.charge(40_000, 1)
    world.charge(60_000, 2)
    plan = books.sync(world, terms)
    assert (code(plan[charge(1)]), code(plan[charge(2)])) == (Code.SETTLED_THERE, Code.PAID)
    assert books.links[charge(1)].remote_id == "by-hand"
    assert books.links[charge(1)].facts["account"] == "090"


def test_one_settlement_of_theirs_stands_for_one_receipt_only() -> None:
    world, books, terms = booked()
    by_hand(books, 50_000)
    world.charge(50_000, 1)
    world.charge(50_000, 2)
    plan = books.sync(world, terms)
    assert sorted(str(code(plan[charge(number)])) for number in (1, 2)) == ["paid", "settled_there"]
    assert len(books.settlements) == 2


def test_another_amount_is_held_with_both_sums_and_a_decision_ends_it() -> None:
    world, books, terms = booked()
    by_hand(books, 30_000)
    world.charge(50_000)
    held = books.sync(world, terms)[charge()]
    assert held.outcome is not None
    assert held.outcome.sentence() == "Xero already shows AUD 300.00 of AUD 1,000.00 paid, Qualy says AUD 500.00."
    key = charge()[1]
    ours = world.plan(terms, books.known(decisions=decided(Leg.SETTLEMENT, key, "ours", held)))
    theirs = world.plan(terms, books.known(decisions=decided(Leg.SETTLEMENT, key, "theirs", held)))
    ignored = world.plan(terms, books.known(decisions=decided(Leg.SETTLEMENT, key, "ignore", held)))
    assert ours[charge()].due
    assert (code(theirs[charge()]), code(ignored[charge()])) == (Code.SETTLED_THERE, Code.IGNORED)


def test_ours_never_adds_more_than_is_due() -> None:
    world, books, terms = booked()
    by_hand(books, 60_000)
    world.charge(50_000)
    held = books.sync(world, terms)[charge()]
    plan = world.plan(terms, books.known(decisions=decided(Leg.SETTLEMENT, charge()[1], "ours", held)))
    assert code(plan[charge()]) is Code.PAID_THERE


def test_a_lost_ledger_finds_each_settlement_by_its_own_ref() -> None:
    world, books, terms = booked()
    world.charge(50_000, 1)
    world.charge(50_000, 2)
    books.sync(world, terms)
    before = {key: link.remote_id for key, link in books.links.items()}
    books.links.clear()
    books.sync(world, terms)
    assert {key: link.remote_id for key, link in books.links.items()} == before
    assert len(books.settlements) == 2


def test_a_settlement_with_our_ref_is_never_taken_for_somebody_elses() -> None:
    world, books, terms = booked()
    world.charge(50_000, 1)
    world.charge(50_000, 2)
    by_hand(books, 50_000, ref=make_ref(Leg.SETTLEMENT, charge(2)[1]))
    plan = books.sync(world, terms)
    assert {code(plan[charge(number)]) for number in (1, 2)} == {Code.PAID}
    assert books.links[charge(2)].remote_id == "by-hand"


@pytest.mark.parametrize("status", sorted(GONE))
def test_a_voided_invoice_takes_no_money(status: Status) -> None:
    world, books, terms = booked()
    books.documents[DOCUMENT] = replace(books.documents[DOCUMENT], status=status)
    world.charge(50_000)
    plan = books.sync(world, terms)
    assert (code(plan[INVOICE]), code(plan[charge()])) == (Code.REMOVED_THERE, Code.WAITING_FOR)


def test_an_unapproved_invoice_takes_none_yet() -> None:
    world, books, terms = booked(payments__invoice_status="draft")
    world.charge(50_000)
    assert code(books.sync(world, terms)[charge()]) is Code.AWAITING_APPROVAL
    assert code(world.plan(terms)[charge()]) is Code.AWAITING_APPROVAL
    books.documents[DOCUMENT] = replace(books.documents[DOCUMENT], status=Status.AUTHORISED)
    assert code(books.sync(world, terms)[charge()]) is Code.PAID


def test_an_invoice_that_was_not_read_takes_none() -> None:
    world, books, terms = booked()
    world.charge(50_000)
    plan = world.plan(terms, books.known(documents_by_id={}))
    assert (code(plan[charge()]), plan[charge()].due) == (Code.WAITING_FOR, False)


def test_one_of_ours_that_somebody_deleted_is_never_made_again() -> None:
    world, books, terms = booked()
    world.charge(50_000)
    books.sync(world, terms)
    made = f"settlement-{charge()[1]}"
    books.settlements[made] = replace(books.settlements[made], status=Status.DELETED)
    removed = books.sync(world, terms)[charge()]
    assert (code(removed), removed.step) == (Code.REMOVED_THERE, None)
    del books.links[charge()]
    assert code(books.sync(world, terms)[charge()]) is Code.REMOVED_THERE


@pytest.mark.parametrize(
    ("status", "amount", "outcome"),
    [
        ("processing", 50_000, Code.NOT_YET_PAID),
        ("failed", 50_000, Code.NOTHING_DUE),
        ("succeeded", 0, Code.NOTHING_DUE),
    ],
)
def test_what_is_no_money_is_left_out(status: str, amount: int, outcome: Code) -> None:
    world, books, terms = booked()
    world.charge(amount, status=status)
    assert code(books.sync(world, terms)[charge()]) is outcome


def test_an_invoice_that_could_not_follow_qualy_is_not_marked_paid() -> None:
    world, books, terms = booked()
    there = next(iter(books.documents.values()))
    books.documents[there.id] = replace(there, paid=1, due=there.due - 1)
    world.payment(("Course", 90_000))
    world.charge(90_000)
    world.split(10_000)
    plan = books.sync(world, terms)
    assert code(plan[INVOICE]) is Code.NEEDS_DECISION
    assert {code(plan[charge()]), code(plan[(str(Leg.BILL), object_id(3, 1))])} == {Code.WAITING_FOR}


# -- one settlement for all


def whole(*charges: tuple[int, str, str], status: str = "paid", total: int = 100_000) -> World:
    world = World()
    world.payment(("Course", total), status=status)
    for number, (amount, method, at) in enumerate(charges, start=1):
        world.charge(amount, number, method=method, at=at)
    return world


JUNE = ((40_000, "CARD", "2026-06-12T12:00:00Z"), (60_000, "CARD", "2026-06-14T12:00:00Z"))


def outcomes(plan: dict[tuple[str, str], Planned]) -> list[Code | None]:
    return [code(one) for key, one in sorted(plan.items()) if key[0] == Leg.SETTLEMENT]


def test_one_settlement_stands_for_all_receipts_once_everything_is_paid() -> None:
    world, books, terms = whole(*JUNE), Books(), terms_of(settlement__mode="when_fully_paid")
    plan = books.sync(world, terms)
    made = list(books.settlements.values())
    assert [(one.amount, one.date, one.ref[0]) for one in made] == [(100_000, date(2026, 6, 14), "W")]
    assert outcomes(plan) == [Code.PAID, Code.PAID]
    assert not [one for one in plan.values() if one.step]


def test_nothing_is_settled_before_everything_is_paid() -> None:
    world, books = whole(JUNE[0], status="paid-partial"), Books()
    assert outcomes(books.sync(world, terms_of(settlement__mode="when_fully_paid"))) == [Code.NOT_YET_PAID]
    assert not books.settlements


@pytest.mark.parametrize("second", [(60_000, "BANK", "2026-06-14T12:00:00Z"), (60_000, "CARD", "2026-07-01T12:00:00Z")])
def test_receipts_of_two_accounts_or_two_months_stay_apart(second: tuple[int, str, str]) -> None:
    world, books = whole(JUNE[0], second), Books()
    assert outcomes(books.sync(world, terms_of(settlement__mode="when_fully_paid"))) == [Code.PAID, Code.PAID]
    assert sorted(one.ref[0] for one in books.settlements.values()) == ["P", "P"]


def test_a_changed_mode_settles_nothing_a_second_time() -> None:
    world, books = whole(*JUNE), Books()
    books.sync(world, terms_of(settlement__mode="when_fully_paid"))
    assert outcomes(books.sync(world, terms_of())) == [Code.PAID, Code.PAID]
    assert len(books.settlements) == 1
    world, books = whole(*JUNE), Books()
    books.sync(world, terms_of())
    assert outcomes(books.sync(world, terms_of(settlement__mode="when_fully_paid"))) == [Code.PAID, Code.PAID]
    assert len(books.settlements) == 2


def test_while_the_one_settlement_is_under_way_no_receipt_goes_on_its_own() -> None:
    world, books, terms = whole(*JUNE), Books(), terms_of(settlement__mode="when_fully_paid")
    alone = whole(status="due")
    books.sync(alone, terms)
    step = world.plan(terms, books.known())[charge(2)].step
    assert step is not None
    known = books.known(
        pending={charge(2): Pending(NOW)}, frozen={charge(2): Frozen(dict(step.facts), None, step.source_hash)}
    )
    plan = world.plan(terms_of(), known)
    assert outcomes(plan) == [Code.WAITING_FOR, Code.UNKNOWN]


def test_a_receipt_that_changed_under_the_one_settlement_is_named() -> None:
    world, books, terms = whole(*JUNE), Books(), terms_of(settlement__mode="when_fully_paid")
    books.sync(world, terms)
    world.charge(40_000, 1, status="disputed")
    plan = books.sync(world, terms)
    assert code(plan[charge(2)]) is Code.NEEDS_DECISION
    assert len(books.settlements) == 1


def test_a_refund_of_no_receipt_is_never_applied() -> None:
    world, books = whole(*JUNE, (-10_000, "CARD", "2026-06-20T12:00:00Z")), Books()
    assert code(world.plan(known=Known())[charge(3)]) is Code.WAITING_FOR
    assert code(books.sync(world, terms_of())[charge(3)]) is Code.REFUND_UNLINKED
