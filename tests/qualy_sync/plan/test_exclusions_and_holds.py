"""What is left out on purpose, and what is held before anything is sent: each reason has its code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from qualy_sync.contracts.accounting import RemoteDocument, Status, What
from qualy_sync.ledger.slices import Failure, Group, Slice
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Known, Pending, Planned, plan_slice
from qualy_sync.plan.values import Refusal
from tests.support.plan_world import NOW, Books, World, code, document, object_id, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
CHARGE = (str(Leg.SETTLEMENT), object_id(2, 1))
CONTACT = (str(Leg.CONTACT), object_id(5, 1))


def sale(category: str = "Course", amount: int = 100_000, **payment: object) -> World:
    """A payment with one share and one receipt for all of it."""
    world = World()
    world.payment((category, amount), **{"status": "paid"} | payment)  # type: ignore[arg-type]
    world.split(10_000)
    world.charge(amount)
    return world


TWICE = [{"_id": "item-1-0", "category": "Course", "amount": 200_000}]
EXCLUDED: list[tuple[str, World, dict[str, object], dict[tuple[str, str], Code]]] = [
    (
        "payments are never synced",
        sale(),
        {"payments__when": "never", "splits__when": "never"},
        {INVOICE: Code.NEVER_SYNCED, BILL: Code.NEVER_SYNCED, CHARGE: Code.NEVER_SYNCED, CONTACT: Code.NOT_NEEDED},
    ),
    ("receipts are not applied", sale(), {"payments__mark_paid": False}, {CHARGE: Code.NEVER_SYNCED}),
    (
        "dated before the start",
        sale(),
        {"start_date": date(2026, 6, 11)},
        {INVOICE: Code.BEFORE_START, BILL: Code.BEFORE_START, CHARGE: Code.BEFORE_START, CONTACT: Code.NOT_NEEDED},
    ),
    ("a draft", sale(status="draft"), {}, {INVOICE: Code.NOT_YET_PAID, BILL: Code.NOT_YET_PAID}),
    (
        "not paid yet",
        sale(status="due", over={"amount": 200_000, "items": TWICE}),
        {"payments__when": "when_fully_paid", "splits__when": "when_customer_paid"},
        {INVOICE: Code.NOT_YET_PAID, BILL: Code.NOT_YET_PAID, CHARGE: Code.NOT_YET_PAID},
    ),
    ("gone before it was booked", sale(gone=True), {}, {INVOICE: Code.NOTHING_DUE, BILL: Code.NOTHING_DUE}),
]  # fmt: skip


@pytest.mark.parametrize(("world", "changes", "said"), [row[1:] for row in EXCLUDED], ids=[row[0] for row in EXCLUDED])
def test_left_out_on_purpose(world: World, changes: dict[str, object], said: dict[tuple[str, str], Code]) -> None:
    plan = world.plan(**changes)
    assert {key: code(plan[key]) for key in said} == said
    assert not any(plan[key].step for key in said)


def test_a_payment_cancelled_before_anything_was_paid_is_nothing() -> None:
    world = World()
    world.payment(("Course", 100_000), status="canceled")
    world.split(10_000)
    world.charge(100_000, status="failed")
    assert {code(one) for one in world.plan().values()} == {Code.NOTHING_DUE, Code.NOT_NEEDED}


def test_a_total_of_zero_is_nothing_to_book_and_says_why() -> None:
    world = World()
    world.payment(("Course", 10_000), ("Discount", -10_000))
    outcome = world.plan()[INVOICE].outcome
    assert outcome is not None
    assert (outcome.code, outcome.sentence()) == (
        Code.NOTHING_DUE,
        "There is nothing to book: its total is zero.",
    )


def test_money_for_a_payment_that_owes_nothing_is_never_overlooked() -> None:
    world = World()
    world.payment(("Course", 10_000), ("Discount", -10_000))
    world.charge(5_000)
    assert code(world.plan()[CHARGE]) is Code.NEEDS_DECISION


def test_a_contact_that_no_document_needs_is_not_made() -> None:
    world = World()
    world.customer(7)
    assert code(world.plan()[(str(Leg.CONTACT), object_id(5, 7))]) is Code.NOT_NEEDED


DECIDE: list[tuple[str, dict[str, object], list[dict[str, object]], str]] = [
    ("refunded", {"status": "refunded"}, [{"amount": 100_000}], "refunded"),
    ("an unknown status", {"status": "in-limbo"}, [{"amount": 100_000}], "status in-limbo"),
]


@pytest.mark.parametrize(("payment", "charges", "thing"), [row[1:] for row in DECIDE], ids=[row[0] for row in DECIDE])
@pytest.mark.parametrize("booked", [False, True])
def test_a_later_life_waits_for_a_person_and_is_never_marked_paid(
    payment: dict[str, object], charges: list[dict[str, object]], thing: str, booked: bool
) -> None:
    world, books = World(), Books()
    if booked:
        world.payment(("Course", 100_000))
        books.sync(world, terms_of())
    world.payment(("Course", 100_000), **payment)  # type: ignore[arg-type]
    world.split(10_000)
    for number, charge in enumerate(charges, start=1):
        world.charge(number=number, **charge)  # type: ignore[arg-type]
    plan = books.sync(world, terms_of())
    assert not books.settlements
    assert (code(plan[CHARGE]), code(plan[BILL])) == (Code.NEEDS_DECISION, Code.NEEDS_DECISION)
    outcome = plan[BILL].outcome
    assert outcome is not None
    assert outcome.thing == thing
    assert code(plan[INVOICE]) is Code.NEEDS_DECISION


def test_an_unlisted_status_of_a_transaction_is_never_money() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.charge(100_000, status="teleported")
    plan = world.plan()
    assert (code(plan[INVOICE]), code(plan[CHARGE])) == (None, Code.NEEDS_DECISION)


@pytest.mark.parametrize(
    ("status", "received", "when", "invoice"),
    [
        ("paid", 100_000, "when_fully_paid", None),
        ("paid", 99_999, "when_fully_paid", Code.TOTALS_DISAGREE),
        ("due", 100_000, "when_fully_paid", Code.TOTALS_DISAGREE),
        ("due", 50_000, "when_fully_paid", Code.NOT_YET_PAID),
        ("due", 50_000, "instantly", None),
    ],
)
def test_fully_paid_means_status_and_money_and_if_they_disagree_it_is_held(
    status: str, received: int, when: str, invoice: Code | None
) -> None:
    world = World()
    world.payment(("Course", 100_000), status=status)
    world.charge(received)
    assert code(world.plan(payments__when=when)[INVOICE]) is invoice


def test_fixed_in_qualy_or_in_the_settings_it_goes_on_by_itself() -> None:
    world = World()
    world.payment(("Yoga", 100_000))
    assert code(world.plan()[INVOICE]) is Code.UNMAPPED_ITEM
    assert world.plan(items__Yoga={"role": "principal", "account": "200", "tax": "OUTPUT"})[INVOICE].due
    suspense = {"role": "principal", "account": "860", "tax": "BASEXCLUDED", "suspense": True}
    assert document(world.plan(**{"items__*": suspense})[INVOICE]).lines[0].account == "860"


def unpaid(*items: tuple[str, int], **payment: object) -> World:
    world = World()
    world.payment(*items, **payment)  # type: ignore[arg-type]
    return world


def unmapped(**changes: object) -> Callable[[], Outcome | None]:
    return lambda: sale().plan(**changes)[INVOICE].outcome


@pytest.mark.parametrize(
    ("look", "held", "says"),
    [
        (unmapped(items__Course__account="404"), Code.UNMAPPED_ACCOUNT, "404, not in the chart"),
        (unmapped(items__Course__account="999"), Code.UNMAPPED_ACCOUNT, "999, archived"),
        (unmapped(items__Course__tax="NOSUCH"), Code.UNMAPPED_TAX, "NOSUCH, not in Xero"),
        (unmapped(items__Course__tax="OLD"), Code.UNMAPPED_TAX, "OLD, not in Xero"),
        (unmapped(items__Course__tax="INPUT"), Code.UNMAPPED_TAX, "INPUT, not for sales"),
        (unmapped(items__Course__tax=None), Code.UNMAPPED_TAX, "no code"),
        (lambda: sale(currency="CHF").plan()[INVOICE].outcome, Code.CURRENCY_NOT_ENABLED, "CHF"),
        (lambda: sale(currency="JPY").plan(currencies__rates=None)[INVOICE].outcome, Code.NO_RATE, "JPY on 2026-06-10"),
        (lambda: sale(over={"tax": "tax-x"}).plan()[INVOICE].outcome, Code.UNMAPPED_TAX, "tax-x"),
        (lambda: unpaid(("Course", 5), ("Discount", -10)).plan()[INVOICE].outcome, Code.NEGATIVE_TOTAL, "AUD -0.05"),
        (lambda: sale(over={"items": []}).plan()[INVOICE].outcome, Code.MALFORMED, "items is empty"),
        (lambda: sale(over={"amount": 9}).plan()[INVOICE].outcome, Code.TOTALS_DISAGREE, "amount is AUD 0.09"),
    ],
)  # fmt: skip
def test_held_with_its_reason(look: Callable[[], Outcome | None], held: Code, says: str) -> None:
    outcome = look()
    assert outcome is not None
    assert outcome.code is held
    assert says in outcome.sentence()


def test_what_failed_a_data_quality_rule_is_held_and_what_hangs_on_it_waits() -> None:
    failure = Failure("payments: amount is believable", "bad_amount", {"problem": "too large"})
    plan = sale(failure=failure).plan()
    assert (code(plan[INVOICE]), code(plan[BILL]), code(plan[CHARGE])) == (
        Code.BAD_AMOUNT,
        Code.WAITING_FOR,
        Code.WAITING_FOR,
    )


def test_a_payment_that_cannot_be_read_holds_its_parts_and_keeps_what_is_booked_in_sight() -> None:
    world, books = sale(), Books()
    books.sync(world, terms_of())
    number = {"field": "amount", "problem": "is not a whole number"}
    world.payment(("Course", 100_000), status="paid", problem=number)
    plan = plan_of(world, books)
    assert (code(plan[INVOICE]), code(plan[BILL]), code(plan[CHARGE])) == (Code.MALFORMED, Code.CREATED, Code.PAID)
    assert (plan[INVOICE].amount, plan[INVOICE].currency, plan[INVOICE].month) == (100_000, "AUD", "2026-06")
    plan = plan_of(world, Books())
    assert {code(plan[BILL]), code(plan[CHARGE])} == {Code.WAITING_FOR}


def plan_of(world: World, books: Books) -> dict[tuple[str, str], Planned]:
    """The plan of a group whose payment cannot be read, as the ledger would still group it."""
    payments, owner = tuple(world.payments.values()), object_id(5, 1)
    group = Group(
        owner=owner,
        customer=world.customers[owner],
        payments=payments,
        splits={one.id: tuple(world.splits.values()) for one in payments},
        transactions={one.id: tuple(world.transactions.values()) for one in payments},
    )
    plan = plan_slice(terms_of(), books.known(), Slice((group,), world.partners))
    return {one.key: one for one in plan.planned}


def test_a_customer_or_partner_that_qualy_does_not_have_is_named() -> None:
    world = sale()
    world.customers.clear()
    assert code(world.plan()[INVOICE]) is Code.MALFORMED
    world = sale()
    world.partners.clear()
    plan = world.plan()
    assert (code(plan[BILL]), plan[INVOICE].due) == (Code.MALFORMED, True)


def test_an_item_of_a_customer_who_is_held_waits_for_the_customer() -> None:
    world = World()
    world.customer(1, email=None)
    world.payment(("Course", 100_000))
    plan = world.plan()
    assert (code(plan[CONTACT]), code(plan[INVOICE])) == (Code.NO_EMAIL, Code.WAITING_FOR)


def test_under_way_is_neither_sent_again_nor_followed() -> None:
    world = sale()
    until = datetime(2026, 7, 15, 9, 10, tzinfo=UTC)
    plan = world.plan(known=Known(pending={INVOICE: Pending(until)}))
    assert (code(plan[INVOICE]), plan[INVOICE].step, plan[INVOICE].retry_at) == (Code.UNKNOWN, None, until)
    assert {code(plan[BILL]), code(plan[CHARGE])} == {Code.WAITING_FOR}


def test_a_refusal_holds_exactly_the_content_that_was_refused() -> None:
    world = sale()
    step = world.plan()[INVOICE].step
    assert step is not None
    refused = {INVOICE: Refusal(Outcome(Code.INVALID, {"message": "no"}), step.content_hash, "None")}
    assert code(world.plan(known=Known(refusals=refused))[INVOICE]) is Code.INVALID
    assert world.plan(known=Known(refusals=refused), items__Course__account="220")[INVOICE].due


@pytest.mark.parametrize(("lock", "held"), [(date(2026, 5, 31), True), (date(2026, 4, 30), False)])
def test_what_the_tool_refused_as_locked_is_tried_once_its_lock_date_moved(lock: date, held: bool) -> None:
    world = sale()
    step = world.plan()[INVOICE].step
    assert step is not None
    refused = {INVOICE: Refusal(Outcome(Code.LOCKED_THERE), step.content_hash, "2026-05-31")}
    plan = world.plan(terms_of(lock=lock), Known(refusals=refused))
    assert plan[INVOICE].due is not held


def test_a_stopped_run_writes_nothing_and_says_why() -> None:
    plan = sale().plan(terms_of(stop="a fifth of the records vanished"))
    assert not any(one.due for one in plan.values())
    assert {code(plan[key]) for key in (INVOICE, BILL, CHARGE, CONTACT)} == {Code.MASS_CHANGE}


def theirs(**changes: object) -> RemoteDocument:
    """A document of somebody else's that looks like the invoice of `sale`."""
    values: dict[str, object] = {
        "id": "their-1", "what": What.INVOICE, "ref": "PO 7", "number": "INV-7", "contact_id": f"contact-{CONTACT[1]}",
        "currency": "AUD", "date": date(2026, 6, 15), "due_date": None, "status": Status.AUTHORISED, "net": 90_909,
        "tax": 9_091, "total": 100_000, "paid": 0, "credited": 0, "due": 100_000, "updated_at": NOW,
    }  # fmt: skip
    return RemoteDocument(**values | changes)  # type: ignore[arg-type]


def with_contact(*documents: RemoteDocument) -> Books:
    """Books in which the customer is a contact already."""
    world, books = World(), Books()
    world.payment(("Visa", 1), number=99)
    books.sync(world, terms_of(items__Visa={"role": "principal", "account": "200", "tax": "OUTPUT"}))
    books.documents |= {one.id: one for one in documents}
    return books


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, True),
        ({"date": date(2026, 6, 5)}, True),
        ({"date": date(2026, 6, 16)}, False),
        ({"date": date(2026, 6, 4)}, False),
        ({"total": 100_001}, False),
        ({"currency": "JPY"}, False),
        ({"what": What.BILL}, False),
        ({"status": Status.VOIDED}, False),
        ({"contact_id": "somebody"}, False),
    ],
)
def test_a_sale_that_is_there_already_by_hand_is_not_booked_twice(changes: dict[str, object], held: bool) -> None:
    plan = sale().plan(known=with_contact(theirs(**changes)).known())
    assert (code(plan[INVOICE]) is Code.POSSIBLE_DUPLICATE) is held


def test_a_look_alike_is_seen_even_before_the_contact_is_linked() -> None:
    books = with_contact(theirs())
    books.links.clear()
    assert code(sale().plan(known=books.known())[INVOICE]) is Code.POSSIBLE_DUPLICATE


def test_our_number_on_somebody_elses_invoice_is_never_used() -> None:
    books = with_contact(theirs(number="q-1", contact_id="somebody"))
    plan = sale().plan(known=books.known())
    assert (code(plan[INVOICE]), plan[INVOICE].outcome and plan[INVOICE].outcome.thing) == (Code.NUMBER_TAKEN, "Q-1")


def test_two_payments_with_one_number_are_not_told_apart_by_a_suffix() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms_of())
    twin = world.payment(("Course", 50_000), number=2, over={"number": 1})
    assert code(books.sync(world, terms_of())[(str(Leg.INVOICE), twin)]) is Code.NUMBER_TAKEN
