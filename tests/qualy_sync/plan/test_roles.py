"""Whose money an item is: what the invoice and the bill post, and that what we hold for others nets to nothing."""

from __future__ import annotations

import pytest

from qualy_sync.contracts.accounting import Line
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Planned
from tests.support.plan_world import World, code, document, object_id

PAYMENT = (str(Leg.INVOICE), object_id(1, 1))


def bill(number: int = 1) -> tuple[str, str]:
    return (str(Leg.BILL), object_id(3, number))


def posts(planned: Planned) -> list[tuple[str, int, str]]:
    """Account, amount and tax of each line."""
    return [(line.account, line.amount, line.tax) for line in document(planned).lines]


def test_principal_the_whole_item_is_income_and_the_share_is_cost() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.split(30_000)
    plan = world.plan()
    assert posts(plan[PAYMENT]) == [("200", 100_000, "OUTPUT")]
    assert posts(plan[bill()]) == [("320", 30_000, "INPUT")]


def test_agent_on_invoice_the_shares_are_owed_and_only_ours_is_income() -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    world.split(70_000, 1, kind="supplier", partner=1)
    world.split(10_000, 2, kind="agent", partner=2)
    world.split(20_000, 3, kind="ours", partner=3)
    plan = world.plan()
    assert posts(plan[PAYMENT]) == [("880", 80_000, "EXEMPTOUTPUT"), ("210", 20_000, "EXEMPTOUTPUT")]
    assert posts(plan[bill(1)]) == [("880", 70_000, "EXEMPTEXPENSES")]
    assert posts(plan[bill(2)]) == [("880", 10_000, "EXEMPTEXPENSES")]
    assert code(plan[bill(3)]) is Code.OWN_SHARE


def test_an_agents_bill_posts_to_the_items_liability_whatever_the_split_map_says() -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    world.split(70_000, kind="supplier")
    elsewhere = [{"type": "supplier", "account": "310", "tax": "INPUT"}]
    assert posts(world.plan(splits__map=elsewhere)[bill()]) == [("880", 70_000, "EXEMPTEXPENSES")]


def test_an_agents_bill_may_take_its_tax_from_the_map_where_the_item_has_none() -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    world.split(70_000, kind="supplier")
    entry = [{"category": "Tuition", "account": "880", "tax": "BASEXCLUDED"}]
    plan = world.plan(splits__map=entry, items__Tuition__purchase_tax=None)
    assert posts(plan[bill()]) == [("880", 70_000, "BASEXCLUDED")]
    other = [{"account": "310", "tax": "INPUT"}]
    plan = world.plan(splits__map=other, items__Tuition__purchase_tax=None)
    assert code(plan[bill()]) is Code.UNMAPPED_TAX


def test_a_share_that_takes_the_whole_item_leaves_no_empty_line() -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    world.split(100_000, kind="supplier")
    assert posts(world.plan()[PAYMENT]) == [("880", 100_000, "EXEMPTOUTPUT")]


def test_agent_on_bill_the_whole_item_is_owed_and_our_commission_is_taken_off_the_bill() -> None:
    world = World()
    world.payment(("Package", 100_000))
    world.split(80_000, 1, kind="supplier")
    world.split(5_000, 2, kind="agent", partner=2)
    plan = world.plan()
    assert posts(plan[PAYMENT]) == [("881", 100_000, "EXEMPTOUTPUT")]
    assert posts(plan[bill(1)]) == [("881", 100_000, "EXEMPTEXPENSES"), ("211", -20_000, "EXEMPTEXPENSES")]
    assert posts(plan[bill(2)]) == [("320", 5_000, "INPUT")]


def test_agent_on_bill_without_commission_has_one_line() -> None:
    world = World()
    world.payment(("Package", 100_000))
    world.split(100_000, kind="supplier")
    assert posts(world.plan()[bill()]) == [("881", 100_000, "EXEMPTEXPENSES")]


def test_qualys_tax_wins_over_the_items_on_every_line() -> None:
    world = World()
    world.payment(("Package", 110_000), over={"tax": "tax-gst"})
    world.split(88_000, kind="supplier", over={"tax": {"_id": "tax-gst"}})
    plan = world.plan()
    assert posts(plan[PAYMENT]) == [("881", 110_000, "OUTPUT")]
    assert posts(plan[bill()]) == [("881", 110_000, "INPUT"), ("211", -22_000, "INPUT")]


@pytest.mark.parametrize("marked", [0, 2])
def test_agent_on_bill_needs_exactly_one_principal_share(marked: int) -> None:
    world = World()
    world.payment(("Package", 100_000))
    kinds = ["supplier"] * marked + ["agent"] * (2 - marked)
    for number, kind in enumerate(kinds, start=1):
        world.split(10_000, number, kind=kind, partner=number)
    plan = world.plan()
    assert {code(plan[bill(number)]) for number in (1, 2)} == {Code.SPLIT_UNCLEAR}
    assert plan[PAYMENT].due


def test_an_agents_item_that_is_all_ours_says_so_since_no_bill_would_ever_empty_the_liability() -> None:
    world = World()
    world.payment(("Package", 100_000))
    world.split(100_000, kind="ours")
    assert code(world.plan()[bill()]) is Code.SPLIT_UNCLEAR


def test_own_partners_by_id_or_by_name_make_no_bill() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.partner(1, name="Our own agency")
    world.split(60_000, 1, partner=1)
    world.split(40_000, 2, partner=2)
    plan = world.plan(splits__own_partnerships=["Our own agency", object_id(6, 2)])
    assert {code(plan[bill(number)]) for number in (1, 2)} == {Code.OWN_SHARE}


def test_what_a_partner_owes_us_waits_for_a_person() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.split(10_000, kind="rebate")
    plan = world.plan()
    assert (code(plan[bill()]), plan[bill()].outcome and plan[bill()].outcome.thing) == (
        Code.NEEDS_DECISION,
        "owed to us",
    )


@pytest.mark.parametrize(
    ("shares", "adds_up"),
    [
        ([(60_000, "agent"), (40_000, "ours")], True),
        ([(60_000, "agent")], True),
        ([(100_000, "agent")], True),
        ([(100_001, "agent")], False),
        ([(60_000, "agent"), (39_999, "ours")], False),
        ([(60_000, "agent"), (40_001, "ours")], False),
    ],
)
@pytest.mark.parametrize("category", ["Tuition", "Course"])
def test_splits_that_do_not_add_up_hold_the_bills_and_an_agents_invoice_too(
    category: str, shares: list[tuple[int, str]], adds_up: bool
) -> None:
    world = World()
    world.payment((category, 100_000))
    for number, (amount, kind) in enumerate(shares, start=1):
        world.split(amount, number, kind=kind, partner=number)
    plan = world.plan()
    assert plan[bill(1)].due is adds_up
    assert plan[PAYMENT].due is (adds_up or category == "Course")
    held = {code(one) for one in (plan[PAYMENT], plan[bill(1)]) if not one.due}
    assert held == (set() if adds_up else {Code.SPLIT_UNCLEAR})


def test_a_discount_whose_share_is_ours_adds_up() -> None:
    world = World()
    world.payment(("Course", 100_000), ("Discount", -10_000))
    world.split(-10_000, kind="ours", item=1)
    plan = world.plan()
    assert posts(plan[PAYMENT])[1] == ("220", -10_000, "EXEMPTOUTPUT")
    assert code(plan[bill()]) is Code.OWN_SHARE


@pytest.mark.parametrize(
    "flaw",
    [
        {"over": {"item": "item-9-9"}},
        {"problem": {"field": "amount", "problem": "is missing"}},
        {"over": {"type": "something new"}},
        {"over": {"currency": "JPY"}},
    ],
)
def test_a_share_nobody_can_place_holds_the_invoice_that_depends_on_it(flaw: dict[str, object]) -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    world.split(10_000, **flaw)  # type: ignore[arg-type]
    plan = world.plan()
    assert code(plan[PAYMENT]) is Code.SPLIT_UNCLEAR
    assert code(plan[bill()]) in (Code.SPLIT_UNCLEAR, Code.MALFORMED)


def test_a_share_that_qualy_dropped_counts_no_more() -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    world.split(70_000, 1, kind="supplier", gone=True)
    world.split(60_000, 2, kind="supplier")
    plan = world.plan()
    assert posts(plan[PAYMENT])[0] == ("880", 60_000, "EXEMPTOUTPUT")
    assert code(plan[bill(1)]) is Code.NOTHING_DUE


def test_the_most_specific_entry_of_the_split_map_wins() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.partner(1, name="Sprachschule Köln")
    world.split(10_000, kind="agent")
    entries = [
        {"account": "320", "tax": "INPUT"},
        {"type": "agent", "category": "Course", "account": "310", "tax": "INPUT"},
        {"partnership": "Sprachschule Köln", "account": "860", "tax": "BASEXCLUDED"},
    ]
    assert posts(world.plan(splits__map=entries)[bill()]) == [("860", 10_000, "BASEXCLUDED")]
    assert posts(world.plan(splits__map=entries[:2])[bill()]) == [("310", 10_000, "INPUT")]
    assert posts(world.plan(splits__map=entries[:1])[bill()]) == [("320", 10_000, "INPUT")]
    assert code(world.plan(splits__map=[])[bill()]) is Code.UNMAPPED_ACCOUNT


def test_payments_as_bills_post_to_the_expense_account_of_the_customer_as_supplier() -> None:
    world = World()
    world.payment(("Course", 100_000))
    world.charge(100_000)
    changes = {
        "payments__as": "bill",
        "payments__mark_paid": False,
        "splits__map": [],
        "items": {"Course": {"role": "principal", "account": "200", "expense_account": "310", "purchase_tax": "INPUT"}},
    }
    plan = world.plan(**changes)
    new = document(plan[PAYMENT])
    assert (new.what, new.number, new.lines) == ("bill", new.ref, (Line("Course fee", 100_000, "310", "INPUT"),))
    assert plan[PAYMENT].step is not None
    assert plan[PAYMENT].step.needs == (str(Leg.CONTACT), object_id(5, 1))
    assert code(plan[(str(Leg.SETTLEMENT), object_id(2, 1))]) is Code.NEVER_SYNCED


@pytest.mark.parametrize(
    ("splits", "when", "held"),
    [
        ([], "when_customer_paid", True),
        ([], "never", False),  # their bills are made by hand, all of them
        ([("agent", 10_000)], "when_customer_paid", False),  # its own bill says that the principal is missing
        ([("supplier", 80_000)], "when_customer_paid", False),
    ],
)
def test_money_that_we_only_hold_and_owe_to_nobody_is_held(
    splits: list[tuple[str, int]], when: str, held: bool
) -> None:
    """On the liability, no bill would ever take it out again, and nothing would say so."""
    world = World()
    world.payment(("Package", 100_000))
    for kind, amount in splits:
        world.split(amount, kind=kind)
    assert (code(world.plan(splits__when=when)[PAYMENT]) is Code.SPLIT_UNCLEAR) is held


def test_a_bill_never_posts_to_income() -> None:
    world = World()
    world.payment(("Course", 100_000))
    changes = {
        "payments__as": "bill",
        "payments__mark_paid": False,
        "splits__map": [],
        "items": {"Course": {"role": "principal", "account": "200", "expense_account": "220", "purchase_tax": "INPUT"}},
    }
    assert code(world.plan(**changes)[PAYMENT]) is Code.UNMAPPED_ACCOUNT


def test_an_agents_account_has_to_be_a_liability() -> None:
    world = World()
    world.payment(("Tuition", 100_000))
    assert code(world.plan(items__Tuition__account="320", splits__map=[])[PAYMENT]) is Code.UNMAPPED_ACCOUNT
