"""Exchange rates: where they come from, on which day, what is held without one, and how each document shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Ability, Change, Rate
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known, Planned, Terms
from qualy_sync.plan.values import Frozen
from qualy_sync.settings import DatedRate, RateTable
from tests.support.plan_world import Books, World, code, document, object_id, settlement, terms_of

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))
RECEIPT = (str(Leg.SETTLEMENT), object_id(2, 1))
TENTH, TWELFTH = date(2026, 6, 10), date(2026, 6, 12)


def yen(over: Any = None, charge: Any = None) -> World:
    """A course of ¥100,000 of 10 June, a share of it, and the receipt of 12 June."""
    world = World()
    world.payment(("Course", 100_000), currency="JPY", status="paid", over=over)
    world.split(30_000)
    world.charge(100_000, over=charge)
    return world


def table(*rates: tuple[date, str], currency: str = "JPY", carry: int = 0, **changes: Any) -> Terms:
    """The terms with the user's own dated rates."""
    terms = terms_of(currencies__rates="table", currencies__table="rates.csv", currencies__carry_days=carry, **changes)
    rows = tuple(DatedRate(day, Decimal(rate), "RBA") for day, rate in rates)
    accounting = terms.accounting.model_copy(
        update={"currencies": terms.accounting.currencies.with_table(RateTable({currency: rows}))}
    )
    return replace(terms, accounting=accounting, settings=terms.settings.model_copy(update={"accounting": accounting}))


def facts(planned: Planned) -> Any:
    assert planned.step is not None, planned.outcome
    return planned.step.facts.get("rate")


def without(terms: Terms, *abilities: Ability) -> Terms:
    return replace(terms, gaps=dict.fromkeys(abilities, "It cannot."))


def test_the_base_currency_has_no_rate() -> None:
    world = World()
    world.payment(("Course", 100_000))
    planned = world.plan(table((TENTH, "0.0104")))[INVOICE]
    assert document(planned).rate is None
    assert facts(planned) is None


def test_an_invoice_has_the_rate_of_its_date_and_the_settlement_its_own() -> None:
    plan = yen().plan(table((TENTH, "0.0104"), (date(2026, 6, 11), "9"), (TWELFTH, "0.0103")))
    assert document(plan[INVOICE]).rate == Rate(Decimal("0.0104"), "table", TENTH)
    assert document(plan[BILL]).rate == Rate(Decimal("0.0104"), "table", TENTH)
    assert settlement(plan[RECEIPT]).rate == Rate(Decimal("0.0103"), "table", TWELFTH)
    assert facts(plan[INVOICE]) == {"value": "0.0104", "source": "table: RBA", "date": "2026-06-10"}


def test_a_day_without_a_rate_is_held_and_goes_once_it_has_one() -> None:
    early = table((date(2026, 6, 8), "0.0104"))
    held = yen().plan(early)[INVOICE]
    assert code(held) is Code.NO_RATE
    assert held.outcome is not None
    assert "JPY on 2026-06-10" in held.outcome.sentence()
    assert code(yen().plan(table((TENTH, "1"), currency="USD"))[INVOICE]) is Code.NO_RATE
    assert yen().plan(table((date(2026, 6, 8), "0.0104"), carry=2))[INVOICE].due


def test_no_source_at_all_is_held() -> None:
    plan = yen().plan(currencies__rates=None)
    assert code(plan[INVOICE]) is Code.NO_RATE
    assert code(plan[BILL]) is Code.WAITING_FOR
    alone = yen().plan(currencies__rates=None, payments__when="never", splits__when="when_customer_paid")
    assert code(alone[BILL]) is Code.NO_RATE


def test_the_tools_own_rate_is_left_to_the_tool_and_shown_as_its() -> None:
    plan = yen().plan(terms_of())
    assert document(plan[INVOICE]).rate is None
    assert facts(plan[INVOICE]) == {"source": "tool", "date": "2026-06-10"}
    assert facts(plan[RECEIPT]) == {"source": "tool", "date": "2026-06-12"}


def test_a_tool_that_fills_in_none_is_never_sent_a_foreign_document_without() -> None:
    terms = without(terms_of(), Ability.TOOL_RATES)
    assert code(yen().plan(terms)[INVOICE]) is Code.NO_RATE
    own = without(table((TENTH, "0.0104"), (TWELFTH, "0.0103")), Ability.TOOL_RATES)
    assert yen().plan(own)[INVOICE].due


def test_a_tool_of_one_currency_holds_every_other() -> None:
    terms = without(table((TENTH, "0.0104")), Ability.CURRENCIES)
    assert code(yen().plan(terms)[INVOICE]) is Code.CURRENCY_NOT_ENABLED


@pytest.mark.parametrize(("said", "rate"), [(0.0104, "0.0104"), ("0.0104", "0.0104"), (2, "2"), (" 1.5 ", "1.5")])
def test_qualys_own_rate_of_the_record(said: Any, rate: str) -> None:
    terms = terms_of(currencies__rates="qualy", currencies__qualy_rate="fx.rate")
    plan = yen({"fx": {"rate": said}}, {"fx": {"rate": "0.0102"}}).plan(terms)
    assert document(plan[INVOICE]).rate == Rate(Decimal(rate).quantize(Decimal("1e-10")), "qualy", TENTH)
    made = settlement(plan[RECEIPT])
    assert made.rate is not None
    assert (made.rate.value, made.rate.date) == (Decimal("0.0102"), TWELFTH)
    assert facts(plan[INVOICE]) == {"value": rate, "source": "Qualy", "date": "2026-06-10"}


@pytest.mark.parametrize("said", [None, 0, -1, True, "", "NaN", "Infinity", "1,5", [1], 10**10])
def test_what_is_no_rate_is_none(said: Any) -> None:
    terms = terms_of(currencies__rates="qualy", currencies__qualy_rate="fx.rate")
    assert code(yen({"fx": {"rate": said}}).plan(terms)[INVOICE]) is Code.NO_RATE


def test_paid_in_the_base_currency_both_amounts_are_the_settlements_rate() -> None:
    paid = {"amount": 1_050_50, "currency": "AUD", "worth": 100_000}
    terms = table((TENTH, "0.0104"), currencies__settled_amount="worth")
    planned = yen(charge=paid).plan(terms)[RECEIPT]
    made = settlement(planned)
    assert (made.amount, made.currency, made.account) == (100_000, "JPY", "095")
    assert made.rate == Rate(Decimal("0.010505"), "qualy", TWELFTH)
    assert facts(planned)["source"] == "Qualy: both amounts"


def test_the_rate_is_that_of_the_day_it_was_redated_to() -> None:
    rates = ((TENTH, "0.0104"), (date(2026, 7, 1), "0.0111"))
    terms = replace(table(*rates, lock=date(2026, 6, 30), next_open_day__invoice="Kim Lee"), today=date(2026, 7, 15))
    assert document(yen().plan(terms)[INVOICE]).rate == Rate(Decimal("0.0111"), "table", date(2026, 7, 1))


def test_what_is_booked_keeps_its_rate_and_a_confirmation_does_not_name_it() -> None:
    world, books = yen(), Books()
    first = table((TENTH, "0.0104"), (TWELFTH, "0.0103"))
    books.sync(world, first)
    assert books.links[INVOICE].facts["rate"]["value"] == "0.0104"
    corrected = table((TENTH, "0.0105"), (TWELFTH, "0.0103"))
    assert world.plan(corrected, books.known())[INVOICE].step is None
    one, other = (world.plan(terms)[INVOICE].step for terms in (first, corrected))
    assert one is not None
    assert other is not None
    assert one.content_hash == other.content_hash


# -- fixed ---------------------------------------------------------------------------------------------------------


def booked(terms: Terms) -> tuple[World, Books]:
    """An unpaid invoice in yen that stands in the tool."""
    world, books = World(), Books()
    world.payment(("Course", 100_000), currency="JPY", status="due")
    books.sync(world, terms)
    return world, books


def test_a_change_keeps_the_rate_that_the_document_has() -> None:
    world, books = booked(table((TENTH, "0.0104")))
    was = books.links[INVOICE].facts["rate"]
    world.payment(("Course", 90_000), currency="JPY", status="due")
    later = table((TENTH, "9"))  # the table was corrected since, or no longer has the day
    for terms in (later, table()):
        step = world.plan(terms, books.known())[INVOICE].step
        assert step is not None
        assert isinstance(step.new, Change)
        assert getattr(step.new.new, "rate", "?") is None  # the tool keeps what it has
        assert step.facts["rate"] == was
    assert code(books.sync(world, later)[INVOICE]) is Code.UPDATED
    assert books.links[INVOICE].facts["rate"] == was


def test_a_change_of_its_date_gives_it_the_rate_of_its_new_day() -> None:
    rules: dict[str, Any] = {"payments__invoice_date": "due"}
    world, books = booked(table((date(2026, 6, 20), "0.0104"), **rules))
    world.payment(("Course", 100_000), currency="JPY", status="due", over={"dueAt": "2026-06-25T12:00:00.000Z"})
    assert code(world.plan(table((date(2026, 6, 20), "0.0104"), **rules), books.known())[INVOICE]) is Code.NO_RATE
    new_day = date(2026, 6, 25)
    step = world.plan(table((new_day, "0.0111"), **rules), books.known())[INVOICE].step
    assert step is not None
    assert isinstance(step.new, Change)
    assert getattr(step.new.new, "rate", None) == Rate(Decimal("0.0111"), "table", new_day)
    assert step.facts["rate"] == {"value": "0.0111", "source": "table: RBA", "date": "2026-06-25"}


@pytest.mark.parametrize("key", [INVOICE, RECEIPT])
def test_the_first_attempt_fixes_the_rate(key: tuple[str, str]) -> None:
    terms, books, world = table((TENTH, "0.0104"), (TWELFTH, "0.0103")), Books(), yen()
    if key == RECEIPT:
        world.charge(100_000, status="processing")
        books.sync(world, terms)
        world.charge(100_000)
    step = world.plan(terms, books.known())[key].step
    assert step is not None
    sent = {key: Frozen(step.facts, "invalid", step.source_hash)}
    again = world.plan(table((TENTH, "9"), (TWELFTH, "9")), books.known(frozen=sent))[key].step
    assert again is not None
    assert getattr(again.new, "rate", "?") == getattr(step.new, "rate", "-")
    assert again.facts["rate"] == step.facts["rate"]


def test_what_the_tool_was_to_fill_in_is_not_fixed() -> None:
    """It may have refused for want of a rate; the user's table can then help."""
    world = yen()
    first = world.plan(terms_of(currencies__rates="tool"))[INVOICE]
    assert first.step is not None
    sent = {INVOICE: Frozen(first.step.facts, "no_rate", first.source_hash)}
    planned = world.plan(table((TENTH, "0.0104")), Known(frozen=sent))[INVOICE]
    assert document(planned).rate == Rate(Decimal("0.0104"), "table", TENTH)
