"""A person's decision ends what waits for one: on that content, for that reason, and no further."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qualy_sync.contracts.accounting import GONE, Status, Verb
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Known, Pending, Planned
from tests.support.plan_world import NOW, Books, World, code, decided, object_id, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
CHARGE = (str(Leg.SETTLEMENT), object_id(2, 1))
DOCUMENT = f"invoice-{INVOICE[1]}"


def booked() -> tuple[World, Books]:
    world, books = World(), Books()
    world.payment(("Course", 100_000), status="paid")
    world.split(10_000)
    world.charge(100_000)
    books.sync(world, terms_of())
    return world, books


def choose(world: World, books: Books, key: Key, choice: str, argument: str = "") -> dict[Key, Planned]:
    """The plan after a person chose, on what the plan says now."""
    now = world.plan(known=books.known())[key]
    return world.plan(known=books.known(decisions=decided(Leg(key[0]), key[1], choice, now, argument)))


@pytest.mark.parametrize("key", [INVOICE, BILL, CHARGE])
def test_ignore_ends_it_with_name_and_reason(key: Key) -> None:
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(10_000)
    world.charge(100_000)
    outcome = choose(world, Books(), key, "ignore")[key].outcome
    assert outcome is not None
    assert outcome.sentence() == "Ignored by Kim: checked"


def test_of_an_ignored_invoice_the_receipt_is_ignored_and_the_share_waits_for_a_person() -> None:
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(10_000)
    world.charge(100_000)
    plan = choose(world, Books(), INVOICE, "ignore")
    assert (code(plan[CHARGE]), code(plan[BILL])) == (Code.IGNORED, Code.NEEDS_DECISION)


def test_a_decision_binds_to_the_content_it_was_made_on() -> None:
    world, books = World(), Books()
    world.payment(("Yoga", 100_000))
    now = world.plan(known=books.known())[INVOICE]
    decision = decided(Leg.INVOICE, INVOICE[1], "ignore", now)
    assert code(world.plan(known=books.known(decisions=decision))[INVOICE]) is Code.IGNORED
    world.payment(("Yoga", 90_000))
    assert code(world.plan(known=books.known(decisions=decision))[INVOICE]) is Code.UNMAPPED_ITEM


def test_theirs_ends_a_change_after_posting_and_the_rest_goes_on() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    books.documents[DOCUMENT] = replace(books.documents[DOCUMENT], paid=1, due=99_999)  # too late to follow
    world.payment(("Course", 100_000), over={"dueAt": "2026-08-01T00:00:00Z"})
    world.charge(100_000, status="processing")
    assert code(world.plan(known=books.known())[INVOICE]) is Code.NEEDS_DECISION
    plan = choose(world, books, INVOICE, "theirs")
    assert code(plan[INVOICE]) is Code.ADOPTED


def test_theirs_on_a_change_does_not_cover_a_later_cancellation() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    books.documents[DOCUMENT] = replace(books.documents[DOCUMENT], total=1)
    now = world.plan(known=books.known())[INVOICE]
    assert code(now) is Code.CHANGED_THERE
    decision = decided(Leg.INVOICE, INVOICE[1], "theirs", now)
    assert code(world.plan(known=books.known(decisions=decision))[INVOICE]) is Code.ADOPTED
    books.documents[DOCUMENT] = replace(books.documents[DOCUMENT], total=100_000)
    world.payment(("Course", 100_000), status="canceled")
    cancelled = world.plan(known=books.known(decisions=decision))[INVOICE]
    assert cancelled.due
    assert cancelled.step is not None
    assert cancelled.step.verb is Verb.VOID


def test_an_adopted_invoice_whose_payment_is_cancelled_is_voided_all_the_same() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    books.links.clear()
    books.sync(world, terms_of())
    assert books.links[INVOICE].how == "adopted"
    world.payment(("Course", 100_000), status="canceled")
    assert code(books.sync(world, terms_of())[INVOICE]) is Code.VOIDED


@pytest.mark.parametrize(
    ("change", "held"),
    [({"total": 5}, Code.CHANGED_THERE), ({"status": Status.VOIDED}, Code.REMOVED_THERE)],
)
@pytest.mark.parametrize("linked", [True, False])
def test_theirs_keeps_what_somebody_did_in_the_tool(change: dict[str, object], held: Code, linked: bool) -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    books.documents[DOCUMENT] = replace(books.documents[DOCUMENT], **change)  # type: ignore[arg-type]
    if not linked:
        del books.links[INVOICE]
    assert code(world.plan(known=books.known())[INVOICE]) is held
    plan = choose(world, books, INVOICE, "theirs")
    assert code(plan[INVOICE]) is Code.ADOPTED
    assert (plan[INVOICE].link is not None) is (not linked and held is Code.CHANGED_THERE)


def test_theirs_ends_a_refund_that_was_booked_by_hand() -> None:
    world, books = booked()
    world.charge(-10_000, 2)
    refund = (str(Leg.SETTLEMENT), object_id(2, 2))
    assert code(world.plan(known=books.known())[refund]) is Code.REFUND_UNLINKED
    assert code(choose(world, books, refund, "theirs")[refund]) is Code.SETTLED_THERE


def test_a_possible_duplicate_is_linked_or_booked_separately() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    del books.links[INVOICE]
    books.documents = {"by-hand": replace(books.documents[DOCUMENT], id="by-hand", ref="PO 1", number="INV-7")}
    assert code(world.plan(known=books.known())[INVOICE]) is Code.POSSIBLE_DUPLICATE
    linked = choose(world, books, INVOICE, "link", "by-hand")[INVOICE]
    assert (code(linked), linked.link and linked.link.remote_id) == (Code.ADOPTED, "by-hand")
    assert choose(world, books, INVOICE, "separate")[INVOICE].due
    assert code(choose(world, books, INVOICE, "link", "elsewhere")[INVOICE]) is Code.NEEDS_DECISION


def test_a_document_that_stands_for_another_payment_cannot_stand_for_this_one_too() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000), number=2)
    books.sync(world, terms_of())
    world.payment(("Yoga", 100_000))
    plan = choose(world, books, INVOICE, "link", f"invoice-{object_id(1, 2)}")
    assert code(plan[INVOICE]) is not Code.ADOPTED


def test_what_was_made_for_one_record_and_linked_to_another_is_not_made_a_second_time() -> None:
    world, books = booked()
    world.split(10_000, number=2)
    other = (str(Leg.BILL), object_id(3, 2))
    books.links[other] = replace(books.links.pop(BILL), source_id=other[1])
    held = world.plan(known=books.known())[BILL]
    assert (code(held), held.step) == (Code.NEEDS_DECISION, None)
    assert code(choose(world, books, BILL, "theirs")[BILL]) is Code.ADOPTED


def test_twins_in_the_tool_are_named_and_one_of_them_chosen() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    del books.links[INVOICE]
    books.documents["twin"] = replace(books.documents[DOCUMENT], id="twin")
    assert code(world.plan(known=books.known())[INVOICE]) is Code.DUPLICATE_THERE
    assert choose(world, books, INVOICE, "link", "twin")[INVOICE].link is not None


def test_a_twin_of_what_is_linked_is_named_until_it_is_voided() -> None:
    world, books = booked()
    mine = next(one for one in books.settlements.values() if one.document_id == DOCUMENT)
    books.documents["twin"] = replace(books.documents[DOCUMENT], id="twin")
    books.settlements["twin"] = replace(mine, id="twin", document_id="elsewhere")
    plan = world.plan(known=books.known())
    assert (code(plan[INVOICE]), code(plan[CHARGE])) == (Code.DUPLICATE_THERE, Code.DUPLICATE_THERE)
    assert not [one for one in plan.values() if one.due]
    books.documents["twin"] = replace(books.documents["twin"], status=Status.VOIDED)
    books.settlements["twin"] = replace(books.settlements["twin"], status=Status.VOIDED)
    plan = world.plan(known=books.known())
    assert (code(plan[INVOICE]), code(plan[CHARGE])) == (Code.CREATED, Code.PAID)


@pytest.mark.parametrize("status", sorted(GONE))
def test_a_settlement_that_somebody_voided_or_deleted_is_named(status: Status) -> None:
    world, books = booked()
    (mine,) = [one for one in books.settlements.values() if one.document_id == DOCUMENT]
    books.settlements[mine.id] = replace(mine, status=status)
    assert code(world.plan(known=books.known())[CHARGE]) is Code.REMOVED_THERE
    del books.links[CHARGE]  # found by its reference alone
    assert code(world.plan(known=books.known())[CHARGE]) is Code.REMOVED_THERE


@pytest.mark.parametrize("key", [INVOICE, BILL, CHARGE])
def test_what_qualy_lost_is_named_and_never_voided_by_itself(key: Key) -> None:
    world, books = booked()
    kept = {INVOICE: world.payments, BILL: world.splits, CHARGE: world.transactions}[key]
    kept[key[1]] = replace(kept[key[1]], gone=True)
    gone = world.plan(known=books.known())[key]
    assert (code(gone), gone.step) == (Code.GONE_AT_SOURCE, None)
    accepted = Code.SETTLED_THERE if key is CHARGE else Code.ADOPTED
    assert code(choose(world, books, key, "theirs")[key]) is accepted


def test_nothing_more_is_made_of_a_payment_that_qualy_lost() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    world.payment(("Course", 100_000), gone=True)
    world.split(10_000)
    world.charge(100_000)
    plan = world.plan(known=books.known())
    assert {code(plan[BILL]), code(plan[CHARGE])} == {Code.NEEDS_DECISION}


def test_a_share_changed_after_the_invoice_that_depends_on_it_is_a_change_of_the_invoice() -> None:
    world, books = World(), Books()
    world.payment(("Tuition", 100_000))
    world.split(70_000, kind="supplier")
    terms = terms_of(splits__when="when_customer_paid")
    books.sync(world, terms)
    world.split(80_000, kind="supplier")
    assert world.plan(terms, books.known())[INVOICE].due  # it follows in place
    changed = terms_of(splits__when="when_customer_paid", items__Tuition={"role": "principal", "account": "200"})
    world.split(70_000, kind="supplier")
    assert code(world.plan(changed, books.known())[INVOICE]) is Code.CREATED


@pytest.mark.parametrize("key", [INVOICE, BILL, CHARGE])
@pytest.mark.parametrize("choice", ["ignore", "theirs"])
@pytest.mark.parametrize(("overdue", "says"), [(False, Code.UNKNOWN), (True, Code.NEEDS_DECISION)])
def test_what_is_unanswered_stays_so_until_its_fate_is_known(key: Key, choice: str, overdue: bool, says: Code) -> None:
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(10_000)
    world.charge(100_000)
    unanswered = {key: Pending(NOW, overdue)}
    now = world.plan(known=Known(pending=unanswered))[key]
    chosen = decided(Leg(key[0]), key[1], choice, now)
    assert code(world.plan(known=Known(pending=unanswered, decisions=chosen))[key]) is says
