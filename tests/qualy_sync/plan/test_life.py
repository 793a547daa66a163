"""A payment's life after its invoice, rule by rule: what is written, what is held, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_sync.contracts.accounting import Ability, RemoteLine, Status, Verb, Ways, What
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Pending, Planned, Terms
from qualy_sync.plan.posted import scaled
from qualy_sync.plan.values import link_of
from tests.support.plan_world import NOW, Books, World, code, decided, object_id, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
NOTE = (str(Leg.CREDIT_NOTE), object_id(1, 1))
APPLIED = (str(Leg.ALLOCATION), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
CREDIT = (str(Leg.SUPPLIER_CREDIT), object_id(3, 1))
LOCK = date(2026, 6, 30)
BY_SHARE = {"payments__refund_lines": "proportional"}


def charge(number: int = 1) -> Key:
    return (str(Leg.SETTLEMENT), object_id(2, number))


def refund_note(number: int = 2) -> Key:
    return (str(Leg.CREDIT_NOTE), object_id(2, number))


def booked(paid: int = 0, share: int = 0, terms: Terms | None = None) -> tuple[World, Books]:
    """An invoice of AUD 1,000.00, paid so far, and the agent's share of it."""
    world, books = World(), Books()
    says(world, "paid" if paid == 100_000 else "due")
    if paid:
        world.charge(paid)
    if share:
        world.split(share)
    books.sync(world, terms or terms_of())
    return world, books


def says(world: World, status: str, amount: int = 100_000, **over: Any) -> None:
    world.payment(("Course", amount), status=status, over=over or None)


def refund(world: World, amount: int, number: int = 2, of: int | None = 1, **more: Any) -> None:
    over = {"ref": object_id(2, of)} if of else {}
    world.charge(-amount, number, at="2026-07-02T12:00:00.000Z", over=over | more)


def without(terms: Terms, *abilities: Ability) -> Terms:
    """The same for a tool that cannot do these things."""
    return replace(terms, gaps=dict.fromkeys(abilities, "This tool cannot do that."))


def document(books: Books) -> Any:
    return books.documents[f"invoice-{INVOICE[1]}"]


def edit(books: Books, **fields: Any) -> None:
    books.documents[document(books).id] = replace(document(books), **fields)


# -- changed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", [LOCK, date(2026, 6, 10)])
def test_a_change_is_held_while_its_old_or_its_new_day_is_locked(lock: date) -> None:
    world, books = booked()
    says(world, "due", 90_000)
    assert code(books.sync(world, terms_of(lock=lock))[INVOICE]) is Code.LOCKED
    assert document(books).total == 100_000
    assert code(books.sync(world, terms_of())[INVOICE]) is Code.UPDATED
    assert document(books).total == 90_000


@pytest.mark.parametrize(("ability", "due_only"), [(Ability.CHANGE_DOCUMENT, False), (Ability.CHANGE_DUE_DATE, True)])
def test_what_a_tool_cannot_change_is_held_with_the_reason(ability: Ability, due_only: bool) -> None:
    world, books = booked()
    terms = without(terms_of(), ability)
    if due_only:
        says(world, "due", dueAt="2026-09-01T00:00:00Z")
    else:
        says(world, "due", 90_000)
    outcome = books.sync(world, terms)[INVOICE].outcome
    assert outcome is not None
    assert (outcome.code, outcome.detail["problem"]) == (Code.NEEDS_DECISION, "This tool cannot do that.")
    other = {Ability.CHANGE_DOCUMENT, Ability.CHANGE_DUE_DATE} - {ability}
    allowed = code(books.sync(world, without(terms_of(), *other))[INVOICE]) is Code.UPDATED
    assert allowed


@pytest.mark.parametrize(
    ("choice", "ends", "total"),
    [("ours", Code.UPDATED, 90_000), ("theirs", Code.ADOPTED, 77), ("ignore", Code.IGNORED, 77)],
)
def test_what_was_edited_there_waits_for_a_person_who_has_three_choices(choice: str, ends: Code, total: int) -> None:
    world, books = booked()
    edit(books, total=77, due=77, lines=(RemoteLine("Course fee", 77, "200", "OUTPUT"),))
    says(world, "due", 90_000)
    plan = books.sync(world, terms_of())
    outcome = plan[INVOICE].outcome
    assert outcome is not None
    assert outcome.code is Code.CHANGED_THERE
    assert "AUD 0.77" in outcome.sentence()
    assert "AUD 900.00" in outcome.sentence()
    decision = decided(Leg.INVOICE, INVOICE[1], choice, plan[INVOICE])
    plan = _with_decision(world, books, decision)
    assert code(plan[INVOICE]) is ends
    assert document(books).total == total


def _with_decision(world: World, books: Books, decisions: Any) -> dict[Key, Planned]:
    plan: dict[Key, Planned] = {}
    for _ in range(3):
        plan = world.plan(known=books.known(decisions=decisions))
        for one in plan.values():
            if one.due and one.step is not None:
                books._write(terms_of(), one.step)
    return plan


@pytest.mark.parametrize(("paid", "ends", "total"), [(0, Code.UPDATED, 12_000), (10_000, Code.NEEDS_DECISION, 10_000)])
def test_a_share_that_changed_is_followed_by_its_bill_until_that_is_paid(paid: int, ends: Code, total: int) -> None:
    world, books = booked(share=10_000)
    bill = next(one for one in books.documents.values() if one.what is What.BILL)
    books.documents[bill.id] = replace(bill, paid=paid, due=bill.due - paid)
    world.split(12_000, over={"dueAt": "2026-08-31T12:00:00.000Z"})
    assert code(books.sync(world, terms_of())[BILL]) is ends
    there = books.documents[bill.id]
    due = date(2026, 8, 31) if ends is Code.UPDATED else date(2026, 6, 30)
    assert (there.total, there.due_date, there.date) == (total, due, bill.date)


# -- called off ----------------------------------------------------------------------------------------------------

CANCELLED: list[tuple[int, bool, dict[str, str], Code, str]] = [
    (0, False, {}, Code.VOIDED, ""),
    (0, False, {"before_payment": "credit_note"}, Code.CREDITED, "credited"),
    (0, False, {"before_payment": "hold"}, Code.NEEDS_DECISION, ""),
    (0, True, {}, Code.CREDITED, "credited"),
    (0, True, {"locked": "hold"}, Code.NEEDS_DECISION, ""),
    (40_000, False, {}, Code.NEEDS_DECISION, "credited"),
    (40_000, False, {"after_payment": "hold"}, Code.NEEDS_DECISION, ""),
    (100_000, False, {}, Code.NEEDS_DECISION, ""),
]


@pytest.mark.parametrize(("paid", "locked", "rules", "says_invoice", "note"), CANCELLED)
def test_what_becomes_of_a_payment_that_was_called_off(
    paid: int, locked: bool, rules: dict[str, str], says_invoice: Code, note: str
) -> None:
    terms = terms_of(payments__cancelled=rules, **BY_SHARE)
    world, books = booked(paid, terms=terms)
    says(world, "canceled", canceledAt="2026-07-10T00:00:00Z")
    if locked:
        terms = replace(terms, organisation=replace(terms.organisation, period_lock=LOCK))
    plan = books.sync(world, terms)
    assert code(plan[INVOICE]) is says_invoice
    if note:
        assert (str(code(plan[NOTE])), str(code(plan[APPLIED]))) == (note, note)
        assert document(books).due == 0
        credit = books.documents[f"credit_note-{NOTE[1]}"]
        assert (credit.total, credit.date) == (100_000 - paid, date(2026, 7, 10))
    else:
        assert NOTE not in plan
        assert not [one for one in books.documents.values() if one.what is What.CREDIT_NOTE]


@pytest.mark.parametrize("ability", [Ability.VOID, Ability.CREDIT, Ability.ALLOCATE])
def test_what_a_tool_cannot_do_about_a_cancellation_is_a_persons(ability: Ability) -> None:
    paid = 0 if ability is Ability.VOID else 40_000
    terms = without(terms_of(**BY_SHARE), ability)
    world, books = booked(paid, terms=terms)
    says(world, "canceled")
    plan = books.sync(world, terms)
    held = {Ability.VOID: INVOICE, Ability.CREDIT: NOTE, Ability.ALLOCATE: APPLIED}[ability]
    assert code(plan[held]) is Code.NEEDS_DECISION


def test_asked_for_again_after_it_was_credited_a_person_undoes_the_credit_first() -> None:
    terms = terms_of(payments__cancelled={"before_payment": "credit_note"})
    world, books = booked(terms=terms)
    says(world, "canceled")
    books.sync(world, terms)
    says(world, "due")
    plan = books.sync(world, terms)
    assert (code(plan[INVOICE]), code(plan[NOTE])) == (Code.WAITING_FOR, Code.NEEDS_DECISION)


def test_a_bill_that_nobody_paid_follows_its_cancelled_payment() -> None:
    terms = terms_of(splits__when="with_invoice")
    world, books = booked(share=10_000, terms=terms)
    says(world, "canceled")
    plan = books.sync(world, terms)
    assert (code(plan[INVOICE]), code(plan[BILL])) == (Code.VOIDED, Code.VOIDED)


# -- refunds -------------------------------------------------------------------------------------------------------


def test_a_whole_refund_needs_no_setting_a_part_does() -> None:
    world, books = booked(100_000)
    refund(world, 30_000)
    plan = books.sync(world, terms_of())
    assert (code(plan[charge(2)]), code(plan[refund_note()])) == (Code.WAITING_FOR, Code.NEEDS_DECISION)
    assert code(books.sync(world, terms_of(**BY_SHARE))[charge(2)]) is Code.CREDITED
    note = books.documents[f"credit_note-{object_id(2, 2)}"]
    assert (note.total, note.due, note.date) == (30_000, 0, date(2026, 7, 2))


def test_items_that_qualy_names_on_a_refund_are_its_lines() -> None:
    world, books = booked(100_000)
    refund(world, 30_000, items=[{"_id": "x", "name": "Course fee", "category": "Discount", "amount": 30_000}])
    assert code(books.sync(world, terms_of())[charge(2)]) is Code.CREDITED
    note = books.documents[f"credit_note-{object_id(2, 2)}"]
    assert note.lines is not None
    assert [line.account for line in note.lines] == ["220"]


@pytest.mark.parametrize("of", [None, 9, 2])
def test_a_refund_names_a_receipt_of_its_payment_or_is_held(of: int | None) -> None:
    world, books = booked(100_000)
    refund(world, 100_000, of=of)
    assert code(books.sync(world, terms_of())[charge(2)]) is Code.REFUND_UNLINKED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("processing", Code.NOT_YET_PAID), ("failed", Code.NOTHING_DUE), ("disputed", Code.NEEDS_DECISION)],
)
def test_a_refund_counts_once_it_is_final(status: str, outcome: Code) -> None:
    world, books = booked(100_000)
    world.charge(-100_000, 2, status=status, over={"ref": object_id(2, 1)})
    plan = books.sync(world, terms_of())
    assert code(plan[charge(2)]) is outcome
    assert refund_note() not in plan


def test_where_receipts_are_not_booked_the_credit_is_applied_and_no_money_moves() -> None:
    terms = terms_of(payments__mark_paid=False)
    world, books = booked(100_000, terms=terms)
    refund(world, 100_000)
    plan = books.sync(world, terms)
    applied = (str(Leg.ALLOCATION), object_id(2, 2))
    assert (code(plan[charge(2)]), code(plan[refund_note()]), code(plan[applied])) == (
        Code.NEVER_SYNCED, Code.CREDITED, Code.CREDITED,
    )  # fmt: skip
    assert not books.settlements
    assert document(books).due == 0


def test_where_a_tool_has_one_document_for_it_no_credit_note_is_made() -> None:
    terms = replace(terms_of(), ways=Ways(reads={}, refund_alone=True))
    world, books = booked(100_000, terms=terms)
    refund(world, 100_000)
    plan = world.plan(terms, books.known())
    step = plan[charge(2)].step
    assert step is not None
    assert (step.what, getattr(step.new, "note_id", "?"), getattr(step.new, "amount", 0)) == (What.REFUND, "", 100_000)
    assert sum(line.amount for line in getattr(step.new, "lines", ())) == 100_000
    assert refund_note() not in plan


def test_a_refund_that_qualy_lost_gives_nothing_back() -> None:
    world, books = booked(100_000)
    refund(world, 100_000)
    lost = charge(2)[1]
    world.transactions[lost] = replace(world.transactions[lost], gone=True)
    plan = books.sync(world, terms_of())
    assert code(plan[charge(2)]) is Code.NOTHING_DUE
    assert not [one for one in plan.values() if one.due]
    assert not [one for one in books.documents.values() if one.what is What.CREDIT_NOTE]


def test_a_refund_that_qualy_lost_once_its_credit_note_was_made_waits_for_a_person() -> None:
    world, books = booked(100_000)
    refund(world, 100_000)
    books.sync(world, terms_of())
    del books.links[charge(2)]
    lost = charge(2)[1]
    world.transactions[lost] = replace(world.transactions[lost], gone=True)
    plan = world.plan(terms_of(), books.known())
    assert code(plan[charge(2)]) is Code.GONE_AT_SOURCE
    assert not [one for one in plan.values() if one.due]


def test_a_refund_that_qualy_changed_after_its_credit_note_waits_for_a_person() -> None:
    world, books = booked(100_000)
    refund(world, 30_000)
    assert code(books.sync(world, terms_of(**BY_SHARE))[charge(2)]) is Code.CREDITED
    refund(world, 20_000)
    plan = world.plan(terms_of(), books.known())
    assert (code(plan[refund_note()]), code(plan[charge(2)])) == (Code.NEEDS_DECISION, Code.WAITING_FOR)
    kept = decided(Leg.CREDIT_NOTE, refund_note()[1], "theirs", plan[refund_note()])
    plan = world.plan(terms_of(), books.known(decisions=kept))
    assert (code(plan[refund_note()]), code(plan[charge(2)])) == (Code.CREDITED, Code.NEEDS_DECISION)


def test_a_refund_that_is_one_document_and_that_qualy_changed_waits_for_a_person() -> None:
    terms = replace(terms_of(**BY_SHARE), ways=Ways(reads={}, refund_alone=True))
    world, books = booked(100_000, terms=terms)
    refund(world, 30_000)
    step = world.plan(terms, books.known())[charge(2)].step
    assert step is not None
    there = replace(document(books), id="receipt", what=What.REFUND, ref=step.ref, total=30_000, paid=30_000, due=0)
    books.documents["receipt"] = there
    books.links[charge(2)] = link_of(terms, step, there, "created", step.facts)
    assert code(world.plan(terms, books.known())[charge(2)]) is Code.CREDITED
    refund(world, 20_000)
    assert code(world.plan(terms, books.known())[charge(2)]) is Code.NEEDS_DECISION


@pytest.mark.parametrize(
    ("key", "again"),
    [(refund_note(), "failed"), (NOTE, "due"), (CREDIT, "refunded")],
    ids=["refund", "called off", "share"],
)
def test_a_credit_that_is_under_way_says_so_also_when_it_is_no_longer_asked_for(key: Key, again: str) -> None:
    world, books = booked(100_000, share=10_000)
    if key == refund_note():
        world.charge(-100_000, 2, status=again, over={"ref": object_id(2, 1)})
    elif key == NOTE:
        says(world, again)
    pending = {key: Pending(NOW)}
    known = books.known(pending=pending, shown=frozenset({key}))
    assert code(world.plan(terms_of(), known)[key]) is Code.UNKNOWN


def test_the_credits_of_a_payment_that_can_no_longer_be_read_wait_for_it() -> None:
    world, books = booked(100_000)
    refund(world, 100_000)
    assert code(books.sync(world, terms_of())[refund_note()]) is Code.CREDITED
    world.payment(("Course", 100_000), problem={"field": "currency", "problem": "is missing"})
    plan = world.plan(terms_of(), books.known())
    assert (code(plan[INVOICE]), code(plan[refund_note()])) == (Code.MALFORMED, Code.WAITING_FOR)
    assert not [one for one in plan.values() if one.due]


def test_a_refund_in_a_locked_period_waits_for_it_to_open() -> None:
    world, books = booked(100_000)
    refund(world, 100_000)
    plan = books.sync(world, terms_of(lock=date(2026, 7, 2)))
    assert code(plan[refund_note()]) is Code.LOCKED
    assert code(books.sync(world, terms_of())[charge(2)]) is Code.CREDITED


def test_a_share_after_a_refund_is_a_persons_unless_qualy_made_it_smaller() -> None:
    world, books = booked(100_000, share=10_000)
    refund(world, 100_000)
    says(world, "refunded")
    plan = books.sync(world, terms_of())
    assert code(plan[BILL]) is Code.NEEDS_DECISION
    world.split(4_000)
    bill = next(one for one in books.documents.values() if one.what is What.BILL)
    books.documents[bill.id] = replace(bill, paid=10_000, due=0, status=Status.PAID)
    plan = books.sync(world, terms_of(**BY_SHARE))
    assert (code(plan[BILL]), code(plan[CREDIT])) == (Code.CREDITED, Code.CREDITED)
    assert books.documents[f"supplier_credit-{CREDIT[1]}"].total == 6_000


# -- taken back, and too much --------------------------------------------------------------------------------------

REVERSALS: list[tuple[dict[str, Any], dict[str, Any], date | None, Code]] = [
    ({}, {}, None, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {}, None, Code.REMOVED),
    ({"settlement__reversal": "remove"}, {"reconciled": True}, None, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {"reconciled": None}, None, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {}, LOCK, Code.REVERSED_AT_SOURCE),
    ({"settlement__reversal": "remove"}, {"status": Status.DELETED}, None, Code.REMOVED),
]


@pytest.mark.parametrize(("rules", "there", "lock", "outcome"), REVERSALS)
@pytest.mark.parametrize("status", ["failed", "disputed", "processing"])
def test_a_receipt_that_is_no_longer_final(
    rules: dict[str, Any], there: dict[str, Any], lock: date | None, outcome: Code, status: str
) -> None:
    world, books = booked(40_000)
    (paid,) = books.settlements.values()
    books.settlements[paid.id] = replace(paid, **there)
    world.charge(40_000, status=status)
    plan = books.sync(world, terms_of(lock=lock, **rules))
    assert code(plan[charge()]) is outcome
    assert (document(books).paid == 0) is (outcome is Code.REMOVED and not there)


def test_a_tool_that_cannot_take_a_payment_back_leaves_it_to_a_person() -> None:
    world, books = booked(40_000)
    world.charge(40_000, status="failed")
    terms = without(terms_of(settlement__reversal="remove"), Ability.REMOVE_SETTLEMENT)
    assert code(books.sync(world, terms)[charge()]) is Code.REVERSED_AT_SOURCE


def test_a_surcharge_is_never_absorbed() -> None:
    world, books = booked(60_000)
    world.charge(40_600, 2)
    plan = books.sync(world, terms_of())
    assert (code(plan[charge(1)]), code(plan[charge(2)])) == (Code.PAID, Code.OVERPAID)
    assert (document(books).paid, document(books).due) == (100_000, 0)
    world.charge(5_000, 3, at="2026-06-20T12:00:00.000Z")
    assert code(books.sync(world, terms_of())[charge(3)]) is Code.OVERPAID
    assert len(books.settlements) == 2


def test_a_refund_of_the_surplus_ends_it_and_books_nothing() -> None:
    world, books = booked(100_000)
    world.charge(5_000, 2)
    refund(world, 5_000, 3, of=2)
    plan = books.sync(world, terms_of())
    assert (code(plan[charge(2)]), code(plan[charge(3)])) == (Code.NOTHING_DUE, Code.NOTHING_DUE)
    assert len(books.settlements) == 1


# -- cents ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-(10**7), 10**9), min_size=1, max_size=12), st.integers(0, 10**9), st.integers(1, 10**9))
def test_shares_of_lines_come_to_the_cent(amounts: list[int], part: int, whole: int) -> None:
    part = min(part, whole)
    lines = [RemoteLine("", amount, "", "") for amount in amounts]
    shares = scaled(lines, part, whole)
    exact = [amount * part / whole for amount in amounts]
    assert all(abs(share - value) <= 1 for share, value in zip(shares, exact, strict=True))
    assert abs(sum(shares) - sum(amounts) * part / whole) <= 0.5 + 1e-3
    assert scaled(lines, whole, whole) == amounts


def test_a_step_says_what_it_does() -> None:
    world, books = booked()
    says(world, "canceled")
    step = world.plan(known=books.known())[INVOICE].step
    assert step is not None
    assert step.verb is Verb.VOID
    assert step.seen["remote_id"] == document(books).id
