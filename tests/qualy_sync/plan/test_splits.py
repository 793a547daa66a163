"""Every kind of split: what it becomes (bill, invoice, nothing), on which day, to which account, with which tax."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from qualy_sync.contracts.accounting import What
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Planned
from tests.support.plan_world import World, code, document, object_id, record

INVOICE = (str(Leg.INVOICE), object_id(1, 1))
# Qualy's kinds of split, as a tenant lists them; who owes whom is the tenant's to say.
KINDS: dict[str, Any] = {
    "supplier-share": {"direction": "we_owe", "principal_share": True},
    "percentage-on-amount": {"direction": "we_owe"},
    "amount-flat": {"direction": "we_owe"},
    "markup": {"direction": "we_owe"},
    "percentage-on-split": {"direction": "we_owe"},
    "remainder": {"direction": "own"},
    "kept-percentage": {"direction": "owed_to_us"},
}
WE_OWE = [name for name, kind in KINDS.items() if kind["direction"] == "we_owe"]
CREATED, RECEIVED, PAID_OUT = date(2026, 6, 10), date(2026, 6, 12), date(2026, 6, 18)


def bill(number: int = 1) -> tuple[str, str]:
    return (str(Leg.BILL), object_id(3, number))


def sold(kind: str, category: str = "Course", share: int = 30_000, method: str = "CARD") -> World:
    """An item of 1,000.00, paid, with one share of a kind, that the partner got on 18 June."""
    world = World()
    world.payment((category, 100_000), status="paid")
    world.split(share, kind=kind, over={"status": "paid"})
    world.charge(100_000, method=method)
    world.pay_out(share)
    return world


def posts(planned: Planned) -> list[tuple[str, int, str]]:
    return [(line.account, line.amount, line.tax) for line in document(planned).lines]


WHEN = {"with_invoice": CREATED, "when_customer_paid": RECEIVED, "when_paid_out": PAID_OUT}


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("kind", WE_OWE)
def test_what_we_owe_is_a_bill_dated_as_the_setting_says(kind: str, when: str) -> None:
    planned = sold(kind).plan(splits__types=KINDS, splits__when=when)[bill()]
    made = document(planned)
    assert (made.what, made.date, made.number) == (What.BILL, WHEN[when], made.ref)
    assert made.due_date == date(2026, 6, 30)
    assert posts(planned) == [("320", 30_000, "INPUT")]


@pytest.mark.parametrize("kind", WE_OWE)
def test_what_we_owe_of_money_that_we_only_hold_posts_against_the_liability(kind: str) -> None:
    planned = sold(kind, "Tuition").plan(splits__types=KINDS)
    assert posts(planned[bill()]) == [("880", 30_000, "EXEMPTEXPENSES")]
    assert posts(planned[INVOICE]) == [("880", 30_000, "EXEMPTOUTPUT"), ("210", 70_000, "EXEMPTOUTPUT")]


def test_the_principals_share_alone_carries_gross_and_commission() -> None:
    world = sold("supplier-share", "Package", share=80_000)
    world.split(5_000, 2, kind="percentage-on-split", partner=2)
    planned = world.plan(splits__types=KINDS)
    assert posts(planned[bill(1)]) == [("881", 100_000, "EXEMPTEXPENSES"), ("211", -20_000, "EXEMPTEXPENSES")]
    assert posts(planned[bill(2)]) == [("320", 5_000, "INPUT")]


@pytest.mark.parametrize("when", WHEN)
def test_our_own_share_makes_nothing(when: str) -> None:
    assert code(sold("remainder").plan(splits__types=KINDS, splits__when=when)[bill()]) is Code.OWN_SHARE


def test_a_kind_that_is_not_listed_is_held() -> None:
    assert code(sold("bonus").plan(splits__types=KINDS)[bill()]) is Code.SPLIT_UNCLEAR


# -- what a partner owes us


def test_what_a_partner_owes_us_is_held_unless_the_setting_says_invoice() -> None:
    held = sold("kept-percentage").plan(splits__types=KINDS)[bill()]
    assert code(held) is Code.NEEDS_DECISION
    assert held.outcome is not None
    assert "splits.owed_to_us: invoice" in held.outcome.remedy()


@pytest.mark.parametrize("category", ["Course", "Tuition"])
@pytest.mark.parametrize("when", WHEN)
def test_what_a_partner_owes_us_is_an_invoice_to_the_partner(when: str, category: str) -> None:
    entry = [{"type": "kept-percentage", "account": "211", "tax": "OUTPUT"}]
    changes = {"splits__owed_to_us": "invoice", "splits__map": entry, "splits__when": when}
    planned = sold("kept-percentage", category).plan(splits__types=KINDS, **changes)[bill()]
    made = document(planned)
    assert (made.what, made.number) == (What.INVOICE, made.ref)
    assert posts(planned) == [("211", 30_000, "OUTPUT")]
    assert planned.step is not None
    assert planned.step.needs == (str(Leg.SUPPLIER), object_id(6, 1))
    # Nobody pays us out: it is due once the customer paid.
    assert made.date == (CREATED if when == "with_invoice" else RECEIVED)


def test_a_partners_debt_has_the_tax_of_a_sale() -> None:
    world = World()
    world.payment(("Course", 110_000), status="paid")
    world.split(33_000, kind="kept-percentage", over={"tax": "tax-gst"})
    world.charge(110_000)
    changes: dict[str, Any] = {"splits__owed_to_us": "invoice", "splits__types": KINDS}
    assert posts(world.plan(**changes)[bill()]) == [("320", 33_000, "OUTPUT")]
    # The map's own code is for purchases here, and no code at all is guessed.
    world.split(33_000, kind="kept-percentage")
    assert code(world.plan(**changes)[bill()]) is Code.UNMAPPED_TAX


def test_money_that_never_passed_through_qualy_holds_what_we_owe_and_not_what_is_owed_to_us() -> None:
    ours = sold("markup", method="AT_SCHOOL").plan(splits__types=KINDS)[bill()]
    assert code(ours) is Code.NEEDS_DECISION
    entry = [{"account": "211", "tax": "OUTPUT"}]
    theirs = sold("kept-percentage", method="AT_SCHOOL").plan(
        splits__types=KINDS, splits__owed_to_us="invoice", splits__map=entry
    )
    assert document(theirs[bill()]).what is What.INVOICE


# -- when the partner was paid out


def paid_out(*pay_outs: tuple[int, str, str | None], status: str = "processing", over: Any = None) -> Planned:
    """A share of 300.00 with these pay-outs (amount, status, when)."""
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.split(30_000, kind="markup", over={"status": status})
    world.charge(100_000)
    for number, (amount, state, at) in enumerate(pay_outs, start=1):
        world.pay_out(amount, number, status=state, at=at, over=over)
    return world.plan(splits__types=KINDS, splits__when="when_paid_out")[bill()]


def test_a_share_that_is_not_paid_out_yet_waits_for_that() -> None:
    assert code(paid_out()) is Code.NOT_YET_PAID
    assert code(paid_out((30_000, "processing", None))) is Code.NOT_YET_PAID
    assert code(paid_out((10_000, "paid", "2026-06-18T02:00:00Z"))) is Code.NOT_YET_PAID


def test_paid_out_in_parts_it_is_dated_as_the_last_one_where_the_organisation_is() -> None:
    parts = (10_000, "paid", "2026-06-18T02:00:00Z"), (20_000, "paid", "2026-06-19T20:00:00Z")
    assert document(paid_out(*parts)).date == date(2026, 6, 20)


@pytest.mark.parametrize(
    ("pay_outs", "status", "says"),
    [
        ([], "paid", "shows no pay-out"),
        ([(30_000, "paid", None)], "paid", "on which day"),
        ([(30_000, "paid", "2026-06-18T02:00:00Z"), (1, "paid", "2026-06-18T02:00:00Z")], "paid", "AUD 300.01"),
    ],
)
def test_a_pay_out_that_is_not_clear_is_held(pay_outs: Any, status: str, says: str) -> None:
    planned = paid_out(*pay_outs, status=status)
    assert code(planned) is Code.NEEDS_DECISION
    assert planned.outcome is not None
    assert says in planned.outcome.sentence()


def test_a_pay_out_that_names_no_split_is_of_the_only_one_that_it_fits() -> None:
    unnamed = {"paymentSplit": None}
    assert document(paid_out((30_000, "paid", "2026-06-18T02:00:00Z"), over=unnamed)).date == PAID_OUT
    other = unnamed | {"partnership": object_id(6, 9)}
    assert code(paid_out((30_000, "paid", "2026-06-18T02:00:00Z"), over=other)) is Code.NOT_YET_PAID


def test_a_pay_out_in_another_currency_is_held() -> None:
    elsewhere = paid_out((30_000, "paid", "2026-06-18T02:00:00Z"), over={"currency": "USD"})
    assert code(elsewhere) is Code.NEEDS_DECISION


# -- the tax document that a partner gives


def document_of(said: str | None, tax: str | None = None, **changes: Any) -> Planned:
    world = World()
    given = {"name": "School", "email": "office@school.example"}
    world.partner()
    payout = {} if said is None else {"document": said}
    world.partners[object_id(6, 1)] = record(Kind.PARTNER, object_id(6, 1), given | {"payout": payout})
    world.payment(("Course", 110_000))
    world.split(33_000, over={"tax": tax} if tax else None)
    kinds = {
        "RCTI": {"taxes": {"GST": "INPUT"}, "without_tax": "EXEMPTEXPENSES"},
        "invoice": {},
        "none": {"taxes": {}, "claims_tax": False},
    }
    settings = {"splits__partner_document": "payout.document", "splits__partner_documents": kinds} | changes
    return world.plan(**settings)[bill()]


@pytest.mark.parametrize(
    ("said", "tax", "codes"),
    [
        ("RCTI", "tax-gst", "INPUT"),
        ("rcti ", None, "EXEMPTEXPENSES"),
        ("invoice", "tax-gst", "INPUT"),  # of taxes.purchases
        ("invoice", None, "INPUT"),  # of the split map
    ],
)
def test_the_code_of_a_bill_follows_the_split_tax_and_the_partners_document(
    said: str, tax: str | None, codes: str
) -> None:
    assert posts(document_of(said, tax)) == [("320", 33_000, codes)]


@pytest.mark.parametrize("said", [None, "none", ""])
@pytest.mark.parametrize("tax", ["tax-gst", None])
def test_without_a_document_no_tax_is_claimed(said: str | None, tax: str | None) -> None:
    held = document_of(said, tax)
    assert code(held) is Code.UNMAPPED_TAX
    assert held.outcome is not None
    assert "gives no document" in held.outcome.sentence()
    named = {"none": {"taxes": {"GST": "BASEXCLUDED"}, "without_tax": "BASEXCLUDED", "claims_tax": False}}
    assert posts(document_of(said, tax, splits__partner_documents=named)) == [("320", 33_000, "BASEXCLUDED")]


def test_a_kind_of_document_that_is_not_listed_is_held() -> None:
    held = document_of("receipt", "tax-gst")
    assert code(held) is Code.UNMAPPED_TAX
    assert held.outcome is not None
    assert "“receipt”" in held.outcome.sentence()
