"""Which day a document has: by rule and zone, never the day of the run, and fixed once it was tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known
from qualy_sync.plan.values import Frozen
from tests.support.plan_world import Books, World, code, document, object_id, settlement, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
CHARGE = (str(Leg.SETTLEMENT), object_id(2, 1))


def paid_world(**over: object) -> World:
    world = World()
    world.payment(("Course", 100_000), status="paid", over=over)
    world.split(10_000)
    world.charge(100_000, at="2026-06-05T12:00:00.000Z")
    return world


@pytest.mark.parametrize(
    ("rule", "day"),
    [
        ("created", date(2026, 6, 10)),
        ("due", date(2026, 6, 20)),
        ("earlier_of_due_and_first_receipt", date(2026, 6, 5)),
    ],
)
def test_the_invoice_is_dated_by_the_rule(rule: str, day: date) -> None:
    assert document(paid_world().plan(payments__invoice_date=rule)[INVOICE]).date == day


@pytest.mark.parametrize("rule", ["due", "earlier_of_due_and_first_receipt"])
def test_without_a_due_date_the_invoice_is_dated_when_it_was_created(rule: str) -> None:
    world = World()
    world.payment(("Course", 100_000), over={"dueAt": None})
    new = document(world.plan(payments__invoice_date=rule)[INVOICE])
    assert (new.date, new.due_date) == (date(2026, 6, 10), date(2026, 6, 10))


def test_nothing_is_due_before_it_is_invoiced() -> None:
    world = World()
    world.payment(("Course", 100_000), over={"dueAt": "2026-06-01T00:00:00Z"})
    assert document(world.plan()[INVOICE]).due_date == date(2026, 6, 10)


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Australia/Sydney", "2026-06-10T13:59:59.999Z", date(2026, 6, 10)),
        ("Australia/Sydney", "2026-06-10T14:00:00.000Z", date(2026, 6, 11)),
        ("America/Sao_Paulo", "2026-06-11T02:59:59.999Z", date(2026, 6, 10)),
        ("America/Sao_Paulo", "2026-06-11T03:00:00.000Z", date(2026, 6, 11)),
        ("Pacific/Kiritimati", "2026-06-10T10:00:00.000Z", date(2026, 6, 11)),
        ("Pacific/Pago_Pago", "2026-06-11T10:59:59.000Z", date(2026, 6, 10)),
        ("Asia/Kathmandu", "2026-06-10T18:15:00.000Z", date(2026, 6, 11)),
        ("America/New_York", "2026-03-08T04:59:59.000Z", date(2026, 3, 7)),  # the night the clocks go forward
        ("America/New_York", "2026-03-09T03:59:59.000Z", date(2026, 3, 8)),
        ("Europe/London", "2026-10-25T00:30:00+01:00", date(2026, 10, 25)),
    ],
)
def test_events_are_dated_where_the_organisation_is(zone: str, moment: str, day: date) -> None:
    world = World()
    world.payment(("Course", 100_000), over={"createdAt": moment, "dueAt": None})
    world.charge(100_000, at=moment)
    plan = world.plan(terms_of(zone=zone))
    assert (document(plan[INVOICE]).date, settlement(plan[CHARGE]).date) == (day, day)


@pytest.mark.parametrize(("due_zone", "day"), [("utc", date(2026, 6, 20)), ("organisation", date(2026, 6, 21))])
def test_a_due_time_is_read_in_the_due_zone(due_zone: str, day: date) -> None:
    world = World()
    world.payment(("Course", 100_000), over={"dueAt": "2026-06-20T14:00:00.000Z"})
    new = document(world.plan(due_zone=due_zone, payments__invoice_date="due")[INVOICE])
    assert (new.date, new.due_date) == (day, day)


@pytest.mark.parametrize(("zone", "moment"), [("Australia/Sydney", "9999-12-31T23:59:59Z")])
def test_the_ends_of_the_calendar_stop_no_run(zone: str, moment: str) -> None:
    world = World()
    world.payment(("Course", 100_000), over={"createdAt": moment, "dueAt": moment})
    assert document(world.plan(terms_of(zone=zone))[INVOICE]).date == date(9999, 12, 31)


def test_a_settlement_is_dated_by_the_named_field_and_by_creation_where_it_has_none() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.charge(50_000, 1, over={"paidAt": "2026-06-08T12:00:00Z"})
    world.charge(50_000, 2, over={"updatedAt": "2026-07-01T12:00:00Z"})
    plan = world.plan(settlement__date_field="paidAt")
    assert settlement(plan[CHARGE]).date == date(2026, 6, 8)
    assert settlement(plan[(str(Leg.SETTLEMENT), object_id(2, 2))]).date == date(2026, 6, 12)


@pytest.mark.parametrize("written", ["yesterday", "2026-13-45", 17, {"at": "noon"}, "0000-00-00T00:00:00Z"])
def test_a_settlement_whose_day_cannot_be_read_is_held_and_everything_else_goes_on(written: object) -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.charge(50_000, over={"paidAt": written})
    plan = world.plan(settlement__date_field="paidAt")
    assert code(plan[CHARGE]) is Code.MALFORMED
    assert plan[INVOICE].due


def test_a_bill_has_the_day_of_its_rule() -> None:
    world = paid_world()
    assert document(world.plan()[BILL]).date == date(2026, 6, 10)
    assert document(world.plan(splits__when="when_customer_paid")[BILL]).date == date(2026, 6, 5)


def test_the_charge_that_completed_the_payment_dates_the_bill() -> None:
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(10_000)
    world.charge(60_000, 1, at="2026-06-25T12:00:00Z")
    world.charge(40_000, 2, at="2026-06-14T12:00:00Z")
    world.charge(0, 3, at="2026-06-29T12:00:00Z")
    new = document(world.plan(splits__when="when_customer_paid")[BILL])
    assert (new.date, new.due_date) == (date(2026, 6, 25), date(2026, 6, 30))


def test_an_early_receipt_moves_no_invoice_that_is_booked_already() -> None:
    world = World()
    world.payment(("Course", 100_000))
    terms = terms_of(payments__invoice_date="earlier_of_due_and_first_receipt")
    books = Books()
    books.sync(world, terms)
    world.charge(100_000, at="2026-05-05T12:00:00Z")
    world.split(10_000)
    plan = books.sync(world, terms)
    assert (code(plan[INVOICE]), plan[INVOICE].month) == (Code.CREATED, "2026-06")
    assert code(plan[CHARGE]) is Code.PAID
    assert books.documents[f"bill-{BILL[1]}"].date == date(2026, 6, 20)


def test_the_first_attempt_fixes_day_and_number_until_qualy_changes_something() -> None:
    world = World()
    world.payment(("Course", 100_000))
    first = world.plan()[INVOICE]
    assert first.step is not None
    frozen = {INVOICE: Frozen(dict(first.step.facts), "not_sent", first.source_hash)}
    later = terms_of(payments__invoice_date="due", payments__number_prefix="NEW-")
    again = document(world.plan(later, Known(frozen=frozen))[INVOICE])
    assert (again.date, again.number) == (date(2026, 6, 10), "Q-1")
    world.payment(("Course", 90_000))
    changed = document(world.plan(later, Known(frozen=frozen))[INVOICE])
    assert (changed.date, changed.number) == (date(2026, 6, 20), "Q-1")


def test_a_number_that_turned_out_to_be_taken_may_be_chosen_anew() -> None:
    world = World()
    world.payment(("Course", 100_000))
    first = world.plan()[INVOICE]
    assert first.step is not None
    frozen = {INVOICE: Frozen(dict(first.step.facts), "number_taken", first.source_hash)}
    new = document(world.plan(terms_of(payments__number_prefix="NEW-"), Known(frozen=frozen))[INVOICE])
    assert new.number == "NEW-1"


def test_the_first_attempt_fixes_the_day_of_a_settlement_but_not_a_wrong_account() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.charge(100_000, over={"paidAt": "2026-06-30T12:00:00Z"})
    first = world.plan()[CHARGE]
    assert first.step is not None
    known = Known(frozen={CHARGE: Frozen(dict(first.step.facts), "invalid", first.source_hash)})
    later = terms_of(settlement__date_field="paidAt", settlement__accounts={"CARD": {"AUD": "090"}})
    again = settlement(world.plan(later, known)[CHARGE])
    assert (again.date, again.account) == (date(2026, 6, 12), "090")


LOCK = date(2026, 6, 10)


@pytest.mark.parametrize(("lock", "locked"), [(date(2026, 6, 9), False), (LOCK, True), (date(2026, 6, 11), True)])
def test_lock_dates_are_inclusive_and_hold_drafts_too(lock: date, locked: bool) -> None:
    world = World()
    world.payment(("Course", 100_000))
    plan = world.plan(terms_of(lock=lock, payments__invoice_status="draft"))
    assert (code(plan[INVOICE]) is Code.LOCKED) is locked
    assert plan[INVOICE].step is not None
    assert plan[(str(Leg.CONTACT), object_id(5, 1))].due


def test_the_later_of_two_lock_dates_counts() -> None:
    world = World()
    world.payment(("Course", 100_000))
    terms = terms_of(lock=date(2025, 12, 31))
    terms = replace(terms, organisation=replace(terms.organisation, year_end_lock=LOCK))
    outcome = world.plan(terms)[INVOICE].outcome
    assert outcome is not None
    assert outcome.sentence() == "Dated 2026-06-10 (document); Xero is locked to 2026-06-10."
    assert outcome.thing == "2026-06-10 2026-06"


def test_a_fixed_day_is_the_one_that_is_tested_against_the_lock() -> None:
    world = World()
    world.payment(("Course", 100_000))
    first = world.plan()[INVOICE]
    assert first.step is not None
    known = Known(frozen={INVOICE: Frozen(dict(first.step.facts), "not_sent", first.source_hash)})
    plan = world.plan(terms_of(lock=LOCK, payments__invoice_date="due"), known)
    assert code(plan[INVOICE]) is Code.LOCKED


@pytest.mark.parametrize(
    ("lock", "choice", "outcome"),
    [
        (date(2026, 6, 11), "hold", Code.LOCKED),  # the invoice is locked, the receipt's day is open
        (date(2026, 6, 11), "try", Code.PAID),
        (date(2026, 6, 12), "try", Code.LOCKED),  # the receipt's own day is locked
        (date(2026, 6, 9), "hold", Code.PAID),
    ],
)
def test_a_receipt_for_an_invoice_in_a_locked_period(lock: date, choice: str, outcome: Code) -> None:
    world = World()
    world.payment(("Course", 100_000))
    books = Books()
    books.sync(world, terms_of())
    world.charge(100_000)
    plan = books.sync(world, terms_of(lock=lock, payments__settle_locked_invoice=choice))
    assert code(plan[CHARGE]) is outcome


def test_a_receipt_waits_for_an_invoice_that_is_locked_itself() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.charge(100_000)
    plan = world.plan(terms_of(lock=LOCK))
    assert (code(plan[INVOICE]), code(plan[CHARGE])) == (Code.LOCKED, Code.WAITING_FOR)


def test_a_bill_on_an_open_day_goes_although_its_invoice_is_locked() -> None:
    plan = paid_world().plan(
        terms_of(lock=LOCK, splits__when="when_customer_paid", payments__invoice_date="created"),
    )
    assert code(plan[BILL]) is Code.LOCKED  # paid on the 5th
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(10_000)
    world.charge(100_000)
    plan = world.plan(terms_of(lock=LOCK, splits__when="when_customer_paid"))
    assert (code(plan[INVOICE]), plan[BILL].due) == (Code.LOCKED, True)


@pytest.mark.parametrize(
    ("rule", "due", "dated", "due_then"),
    [
        ("due", date(2026, 6, 25), date(2026, 6, 25), date(2026, 6, 25)),
        ("due", date(2026, 6, 15), date(2026, 6, 15), date(2026, 6, 15)),  # earlier than it was dated
        ("earlier_of_due_and_first_receipt", date(2026, 6, 15), date(2026, 6, 15), date(2026, 6, 15)),
        ("created", date(2026, 6, 25), date(2026, 6, 10), date(2026, 6, 25)),
        ("created", date(2026, 6, 5), date(2026, 6, 10), date(2026, 6, 10)),  # never before the invoice's own
    ],
)
def test_a_due_date_that_moved_takes_the_invoices_date_along_where_that_hangs_on_it(
    rule: str, due: date, dated: date, due_then: date
) -> None:
    world, books, terms = World(), Books(), terms_of(payments__invoice_date=rule)
    world.payment(("Course", 100_000))
    books.sync(world, terms)
    world.payment(("Course", 100_000), over={"dueAt": f"{due.isoformat()}T02:00:00.000Z"})
    books.sync(world, terms)
    (invoice,) = books.documents.values()
    assert (invoice.date, invoice.due_date) == (dated, due_then)
    # Another change leaves the day where it is, whatever the settings say since.
    world.payment(("Course", 90_000), over={"dueAt": f"{due.isoformat()}T02:00:00.000Z"})
    books.sync(world, terms_of(payments__invoice_date="created" if rule != "created" else "due"))
    (invoice,) = books.documents.values()
    assert (invoice.date, invoice.due_date, invoice.total) == (dated, due_then, 90_000)
