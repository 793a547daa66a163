"""Which date of each kind of record is tested against the lock: locked on that day, free on the day after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Status, What
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Terms
from tests.support.plan_world import Books, World, code, object_id, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
RECEIPT = (str(Leg.SETTLEMENT), object_id(2, 1))
BACK = (str(Leg.SETTLEMENT), object_id(2, 2))
PAID_OUT = (str(Leg.PAY_OUT), object_id(4, 1))
CREATED, PAID, DUE = date(2026, 6, 10), date(2026, 6, 12), date(2026, 6, 20)
SENT_OUT, GIVEN_BACK, CALLED_OFF = date(2026, 6, 18), date(2026, 7, 2), date(2026, 7, 10)
TRY = {"payments__settle_locked_invoice": "try"}
BY_SHARE = {"payments__refund_lines": "proportional"}
PAYING = {"splits__mark_paid": True}

Told = Callable[[World], object]


def of(leg: Leg, kind: int, number: int) -> Key:
    return (str(leg), object_id(kind, number))


def says(status: str, amount: int = 100_000, **over: Any) -> Told:
    return lambda world: world.payment(("Course", amount), status=status, over=over or None)


def several(*told: Told) -> Told:
    return lambda world: [one(world) for one in told]


def share(amount: int = 10_000) -> Told:
    return lambda world: world.split(amount)


def paid(status: str = "succeeded", amount: int = 100_000) -> Told:
    return lambda world: world.charge(amount, status=status)


def paid_out(status: str = "paid") -> Told:
    return lambda world: world.pay_out(10_000, status=status)


def given_back(amount: int = 100_000) -> Told:
    over = {"ref": object_id(2, 1)}
    return lambda world: world.charge(-amount, 2, at="2026-07-02T12:00:00.000Z", over=over)


def a_paid_bill(books: Books) -> None:
    """Somebody paid the partner by hand."""
    bill = next(one for one in books.documents.values() if one.what is What.BILL)
    books.documents[bill.id] = replace(bill, paid=bill.total, due=0, status=Status.PAID)


@dataclass(frozen=True)
class Row:
    """What stands, what happens then, which leg that is, and which of its days is tested."""

    before: Told
    then: Told
    leg: Key
    day: date
    label: str  # which date it is, as the outcome says it
    rules: dict[str, Any]
    by_hand: Callable[[Books], None] = lambda books: None
    held: Code = Code.LOCKED


NOTHING = several()
BOOKED, BOOKED_PAID = says("due"), several(says("paid"), paid())
WITH_BILL = several(says("paid"), paid(), share())
CANCELLED = {"canceledAt": "2026-07-10T02:00:00.000Z"}
ROWS = {
    "an invoice: its own": Row(NOTHING, BOOKED, INVOICE, CREATED, "document", {}),
    "a draft too": Row(NOTHING, BOOKED, INVOICE, CREATED, "document", {"payments__invoice_status": "draft"}),
    "a bill: its own": Row(NOTHING, WITH_BILL, BILL, PAID, "document", {"splits__when": "when_customer_paid"}),
    "a bill that is a draft": Row(
        NOTHING, several(says("due"), share()), BILL, CREATED, "document", {"splits__bill_status": "draft"}
    ),
    "a receipt: its own": Row(BOOKED, BOOKED_PAID, RECEIPT, PAID, "settlement", TRY),
    "a receipt of a locked invoice": Row(BOOKED, BOOKED_PAID, RECEIPT, CREATED, "document", {}),
    "a pay-out: its own": Row(
        WITH_BILL, several(WITH_BILL, paid_out()), PAID_OUT, SENT_OUT, "settlement", TRY | PAYING
    ),
    "a pay-out for a locked bill": Row(
        WITH_BILL, several(WITH_BILL, paid_out()), PAID_OUT, CREATED, "document", PAYING
    ),
    "a change: the old day": Row(BOOKED, says("due", 90_000), INVOICE, CREATED, "document", {}),
    "a change to a later day: the old one": Row(
        BOOKED,
        says("due", dueAt="2026-06-25T12:00:00.000Z"),
        INVOICE,
        DUE,
        "document",
        {"payments__invoice_date": "due"},
    ),
    "a change: the new day": Row(
        says("due", dueAt="2026-06-25T12:00:00.000Z"),
        BOOKED,
        INVOICE,
        DUE,
        "document, its new date",
        {"payments__invoice_date": "due"},
    ),
    "a change of a bill": Row(
        several(says("due"), share()), several(says("due"), share(9_000)), BILL, CREATED, "document", {}
    ),
    "a bill that is voided: its own": Row(
        several(says("due"), share()), several(says("due"), share(0)), BILL, CREATED, "bill", {}
    ),
    "a receipt that is taken back: its own": Row(
        BOOKED_PAID,
        several(says("due"), paid("failed")),
        RECEIPT,
        PAID,
        "2026-06-12 is locked",
        {"settlement__reversal": "remove"},
        held=Code.REVERSED_AT_SOURCE,
    ),
    "a pay-out that is taken back: its own": Row(
        several(WITH_BILL, paid_out()),
        several(WITH_BILL, paid_out("pending")),
        PAID_OUT,
        SENT_OUT,
        "2026-06-18 is locked",
        PAYING | {"settlement__reversal": "remove"},
        held=Code.REVERSED_AT_SOURCE,
    ),
    "a credit note of a refund: the refund's": Row(
        BOOKED_PAID, several(BOOKED_PAID, given_back()), of(Leg.CREDIT_NOTE, 2, 2), GIVEN_BACK, "credit note", {}
    ),
    "a credit note of a cancellation: the day it was called off": Row(
        several(says("paid-partial"), paid(amount=40_000)),
        several(says("canceled", **CANCELLED), paid(amount=40_000)),
        of(Leg.CREDIT_NOTE, 1, 1),
        CALLED_OFF,
        "credit note",
        BY_SHARE,
    ),
    "a supplier's credit: the refund's": Row(
        WITH_BILL,
        several(WITH_BILL, given_back(), share(4_000)),
        of(Leg.SUPPLIER_CREDIT, 3, 1),
        GIVEN_BACK,
        "credit note",
        BY_SHARE,
        by_hand=a_paid_bill,
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_day_that_is_tested(row: Row) -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000), status="draft")
    row.before(world)
    books.sync(world, terms_of(**row.rules))
    row.by_hand(books)
    row.then(world)
    held = books.sync(world, terms_of(lock=row.day, **row.rules))[row.leg]
    assert code(held) is row.held
    assert held.outcome is not None
    assert row.label in held.outcome.sentence()
    free = world.plan(terms_of(lock=row.day - timedelta(days=1), **row.rules), books.known())[row.leg]
    assert free.due, free.outcome


def test_a_contact_has_no_date_and_goes_whatever_is_locked() -> None:
    world, books = World(), Books()
    says("due")(world)
    plan = books.sync(world, terms_of(lock=date(2030, 1, 1)))
    assert code(plan[INVOICE]) is Code.LOCKED
    # A contact alone is wanted by a document that stands; a change of its name is not held by the lock.
    books.sync(world, terms_of())
    world.customer(name="Ana Lima")
    changes = terms_of(lock=date(2030, 1, 1), contacts__update=True)
    assert world.plan(changes, books.known())[(str(Leg.CONTACT), object_id(5, 1))].due


def approved(kind: str) -> Terms:
    return terms_of(lock=date(2026, 7, 5), **{f"next_open_day__{kind}": "Kim Lee"}, **TRY)


@pytest.mark.parametrize(
    ("then", "leg", "kind"),
    [
        (several(BOOKED_PAID, given_back()), of(Leg.CREDIT_NOTE, 2, 2), "credit_note"),
        (several(WITH_BILL), BILL, "bill"),
    ],
)
def test_an_approver_lets_each_kind_go_on_the_first_open_day(then: Told, leg: Key, kind: str) -> None:
    world, books = World(), Books()
    BOOKED_PAID(world)
    books.sync(world, terms_of())
    then(world)
    step = world.plan(approved(kind), books.known())[leg].step
    assert step is not None
    assert getattr(step.new, "date", None) == date(2026, 7, 6)
    other = "invoice" if kind != "invoice" else "bill"
    assert code(world.plan(approved(other), books.known())[leg]) is Code.LOCKED
