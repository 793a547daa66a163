"""What lies on a locked day: held, or, where somebody approved it by name, dated on the first open day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known, Planned, Terms
from qualy_sync.plan.redating import closed_meanwhile
from qualy_sync.plan.values import Frozen
from tests.support.plan_world import Books, World, code, document, object_id, settlement, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
RECEIPT = (str(Leg.SETTLEMENT), object_id(2, 1))
LOCK = date(2026, 6, 30)
OPEN = date(2026, 7, 1)


def paid_in_june() -> World:
    """A course of 10 June, due on 20 June, paid on 12 June, with a share of a partner."""
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(30_000)
    world.charge(100_000)
    return world


def terms(lock: date | None = LOCK, today: date = date(2026, 7, 15), **changes: Any) -> Terms:
    return replace(terms_of(lock=lock, **changes), today=today)


def test_nobody_approved_so_it_waits() -> None:
    plan = paid_in_june().plan(terms())
    assert {code(plan[key]) for key in (INVOICE, BILL, RECEIPT)} == {Code.LOCKED}


@pytest.mark.parametrize("kind", ["invoice", "bill"])
def test_the_named_kind_alone_goes_on_the_first_open_day(kind: str) -> None:
    plan = paid_in_june().plan(terms(**{f"next_open_day__{kind}": "Kim Lee"}))
    moved, held = (INVOICE, BILL) if kind == "invoice" else (BILL, INVOICE)
    assert plan[moved].due
    assert document(plan[moved]).date == OPEN
    assert code(plan[held]) is Code.LOCKED
    assert facts(plan[moved])["redated"] == {"from": "2026-06-10", "approver": "Kim Lee", "lock_date": "2026-06-30"}


def test_the_due_date_stays() -> None:
    plan = paid_in_june().plan(terms(next_open_day__invoice="Kim Lee"))
    assert document(plan[INVOICE]).due_date == date(2026, 6, 20)


def test_a_receipt_moves_only_under_its_own_approver() -> None:
    world, held = paid_in_june(), terms(payments__settle_locked_invoice="try")
    books = Books()
    books.sync(world, terms(lock=None))
    books.settlements.clear()
    books.links.pop(RECEIPT)
    books.documents = {name: replace(one, paid=0, due=one.total) for name, one in books.documents.items()}
    assert code(world.plan(held, books.known())[RECEIPT]) is Code.LOCKED
    approved = terms(payments__settle_locked_invoice="try", next_open_day__settlement="Kim Lee")
    plan = world.plan(approved, books.known())
    assert plan[RECEIPT].due
    assert settlement(plan[RECEIPT]).date == OPEN


def test_it_is_never_dated_later_than_today() -> None:
    tomorrow = terms(today=LOCK, next_open_day__invoice="Kim Lee")
    assert code(paid_in_june().plan(tomorrow)[INVOICE]) is Code.LOCKED
    on_the_day = terms(today=OPEN, next_open_day__invoice="Kim Lee")
    assert document(paid_in_june().plan(on_the_day)[INVOICE]).date == OPEN


def test_what_exists_already_is_never_redated() -> None:
    world, books = paid_in_june(), Books()
    books.sync(world, terms(lock=None))
    plan = world.plan(terms(next_open_day__invoice="Kim Lee", next_open_day__bill="Kim Lee"), books.known())
    assert plan[INVOICE].step is None
    assert plan[BILL].step is None
    assert {one.date for one in books.documents.values()} == {date(2026, 6, 10)}
    # One that is there and that the ledger lost is linked as it is.
    found = world.plan(terms(next_open_day__invoice="Kim Lee"), books.known(links={}, linked_documents=frozenset()))
    assert code(found[INVOICE]) is Code.ADOPTED


def test_a_bill_that_follows_its_invoice_does_not_slip_through_under_the_invoices_approver() -> None:
    world, books = paid_in_june(), Books()
    approved = terms(next_open_day__invoice="Kim Lee")
    plan = books.sync(world, approved)
    assert books.links[INVOICE].facts["date"] == "2026-07-01"
    assert code(plan[BILL]) is Code.LOCKED
    assert plan[INVOICE].month == "2026-07"


def test_a_confirmation_covers_the_document_wherever_the_lock_moves_it() -> None:
    world = paid_in_june()
    plain = world.plan(terms(lock=None))[INVOICE]
    moved = world.plan(terms(next_open_day__invoice="Kim Lee"))[INVOICE]
    assert content(moved) == content(plain)


def test_a_day_that_an_attempt_was_made_with_stays_while_it_is_open() -> None:
    world = paid_in_june()
    first = world.plan(terms(next_open_day__invoice="Kim Lee"))[INVOICE]
    assert first.step is not None
    known = Known(frozen={INVOICE: Frozen(facts(first), "not_sent", first.source_hash)})
    for lock, day in ((LOCK, OPEN), (None, OPEN), (date(2026, 7, 5), date(2026, 7, 6))):
        again = world.plan(terms(lock=lock, next_open_day__invoice="Kim Lee"), known)[INVOICE]
        assert document(again).date == day
        assert content(again) == content(first)
        assert facts(again)["redated"]["from"] == "2026-06-10"


def test_the_users_own_closing_date_is_a_lock_date() -> None:
    books = terms(lock=None)
    closed = replace(books, organisation=replace(books.organisation, closed_until=LOCK))
    plan = paid_in_june().plan(closed)
    assert code(plan[INVOICE]) is Code.LOCKED
    assert plan[INVOICE].outcome is not None
    assert "30" in plan[INVOICE].outcome.sentence()
    # The later of the two counts.
    both = replace(books, organisation=replace(books.organisation, closed_until=date(2026, 5, 31), period_lock=LOCK))
    assert code(paid_in_june().plan(both)[INVOICE]) is Code.LOCKED


def test_a_day_that_was_closed_since_the_plan_is_not_sent() -> None:
    step = paid_in_june().plan(terms(lock=None))[INVOICE].step
    assert step is not None
    assert closed_meanwhile(terms(lock=None), step) is None
    closed = closed_meanwhile(terms(lock=LOCK), step)
    assert closed is not None
    assert closed.code is Code.LOCKED


def facts(planned: Planned) -> Any:
    assert planned.step is not None
    return planned.step.facts


def content(planned: Planned) -> str:
    assert planned.step is not None
    return planned.step.content_hash
