"""A tool without tax codes, or without negative lines: what it lacks is not asked of it, and nothing is made up."""

from __future__ import annotations

from dataclasses import replace

from qualy_sync.contracts.accounting import Ability, Chart, Totals
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Terms
from tests.support.plan_world import CHART, World, code, document, object_id, terms_of

PAYMENT = (str(Leg.INVOICE), object_id(1, 1))
BILL = (str(Leg.BILL), object_id(3, 1))


def without(*abilities: Ability, **changes: object) -> Terms:
    """Terms of a tool that cannot do these, and so adds up lines as they are."""
    terms = terms_of(**changes)
    chart = Chart(CHART.accounts, {} if Ability.TAX_CODES in abilities else CHART.taxes, CHART.currencies)
    gaps = {ability: f"It has no {ability}." for ability in abilities}

    def plain(lines, basis, currency, chart):  # type: ignore[no-untyped-def]
        total = sum(line.amount for line in lines)
        return Totals(total, 0, total)

    return replace(terms, gaps=gaps, chart=chart, totals=plain)


def test_without_tax_codes_lines_carry_none_whatever_qualy_says() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.split(30_000)
    plan = world.plan(without(Ability.TAX_CODES))
    assert [line.tax for line in document(plan[PAYMENT]).lines] == [""]
    assert [line.tax for line in document(plan[BILL]).lines] == [""]


def test_a_discount_lowers_its_own_account() -> None:
    world = World()
    world.payment(("Course", 100_000), ("Discount", -10_000))
    terms = without(Ability.TAX_CODES, Ability.NEGATIVE_LINES, items__Discount__account="200")
    assert sum(line.amount for line in document(world.plan(terms)[PAYMENT]).lines) == 90_000


def test_an_account_that_would_come_to_less_than_nothing_holds_the_document_and_says_what_to_do() -> None:
    world = World()
    world.payment(("Course", 100_000), ("Discount", -10_000))
    planned = world.plan(without(Ability.TAX_CODES, Ability.NEGATIVE_LINES))[PAYMENT]
    assert code(planned) is Code.NEEDS_DECISION
    assert planned.outcome is not None
    assert "It has no negative_lines." in planned.outcome.detail["problem"]
    assert "Map the discount" in planned.outcome.detail["steps"]


def test_a_tool_that_can_gets_its_negative_line() -> None:
    world = World()
    world.payment(("Course", 100_000), ("Discount", -10_000))
    assert [line.amount for line in document(world.plan()[PAYMENT]).lines] == [100_000, -10_000]
