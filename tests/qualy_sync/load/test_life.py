"""The life of a payment after its invoice, in Xero: changed, called off, refunded, taken back, paid too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.life import code, decide, invoice, lively, money, payment_says, runs, state, told, transaction
from tests.support.world import World, bare, object_id

pytestmark = pytest.mark.usefixtures("as_it_was")
MakeWorld = Callable[..., World]
VISA = "Q-1002"  # AUD 155.00, due, nothing paid
INSURANCE = "Q-1003"  # AUD 330.00, paid; AUD 110.00 of it are an agent's
FEE = "Q-1004"  # AUD 450.00, AUD 200.00 of it paid


@pytest.fixture
def booked(make_world: MakeWorld, tmp_path: Path) -> World:
    """Everything is booked, and the settings let go by itself whatever can."""
    world = make_world(settings=lively(tmp_path))
    world.run_until_quiet()
    assert not world.findings()
    return world


def visa_items(amount: int) -> list[dict[str, Any]]:
    return [{"_id": object_id(7, 20), "name": "Visa", "description": "", "category": "Visa", "amount": amount}]


def visa_is(world: World, amount: int) -> None:
    """The visa's price changed in Qualy."""
    told(
        world,
        update={
            "payment-intents": [{"_id": object_id(3, 2), "items": visa_items(amount), "amount": amount, "due": amount}],
            "payment-splits": [{"_id": object_id(4, 20), "amount": amount}],
        },
    )


def cancelled(world: World, number: int) -> None:
    payment_says(world, number, status="canceled")


def days_pass(world: World, days: int) -> None:
    """At once: nothing waits meanwhile."""
    world.ledger.move_clock(timedelta(days=days))
    world.sandbox.control("POST", "clock", {"advance_seconds": days * 86_400})


# -- changed -------------------------------------------------------------------------------------------------------


def test_a_changed_amount_follows_in_place_and_leaves_what_is_not_ours(booked: World) -> None:
    before = invoice(booked, VISA)
    tracking = [{"Name": "Office", "Option": "Sydney"}]
    line = {"LineItemID": before["LineItems"][0]["LineItemID"], "Tracking": tracking}
    lines = [before["LineItems"][0] | line]
    booked.sandbox.control("POST", "ui/xero", {"do": "edit_invoice", "invoice": VISA, "fields": {"LineItems": lines}})
    kept = invoice(booked, VISA)["LineItems"][0]["Tracking"]
    visa_is(booked, 17_500)
    runs(booked, 1)
    after = invoice(booked, VISA)
    assert (after["InvoiceID"], after["Total"]) == (before["InvoiceID"], 175.0)
    assert after["LineItems"][0]["Tracking"] == kept
    assert after["LineItems"][0]["LineItemID"] == before["LineItems"][0]["LineItemID"]
    assert code(booked, "invoice", 3, 2) == "updated"
    assert not booked.findings()
    writes = len(booked.writes())
    runs(booked, 1)
    assert len(booked.writes()) == writes


def test_what_somebody_edited_is_shown_and_put_back_only_if_a_person_says_so(booked: World) -> None:
    lines = [invoice(booked, VISA)["LineItems"][0] | {"UnitAmount": 99.0, "LineAmount": 99.0}]
    booked.sandbox.control("POST", "ui/xero", {"do": "edit_invoice", "invoice": VISA, "fields": {"LineItems": lines}})
    visa_is(booked, 17_500)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "changed_there"
    assert invoice(booked, VISA)["Total"] == 99.0
    decide(booked, "invoice", object_id(3, 2), "ours")
    runs(booked, 2)
    assert invoice(booked, VISA)["Total"] == 175.0
    assert code(booked, "invoice", 3, 2) == "updated"


def test_a_changed_payment_that_was_paid_in_part_is_held_and_never_touched(booked: World) -> None:
    before = invoice(booked, FEE)
    payment_says(booked, 4, dueAt="2031-01-01T00:00:00.000Z")
    runs(booked, 1)
    assert code(booked, "invoice", 3, 4) == "needs_decision"
    assert invoice(booked, FEE) == before


def test_a_locked_period_holds_a_change_until_the_date_moves(booked: World) -> None:
    booked.sandbox.control("POST", "lock-date/xero", {"period": "2031-01-01", "year_end": None})
    visa_is(booked, 17_500)
    runs(booked, 1)
    assert (code(booked, "invoice", 3, 2), invoice(booked, VISA)["Total"]) == ("locked", 155.0)
    booked.sandbox.control("POST", "lock-date/xero", {"period": None, "year_end": None})
    runs(booked, 1)
    assert (code(booked, "invoice", 3, 2), invoice(booked, VISA)["Total"]) == ("updated", 175.0)


# -- called off ----------------------------------------------------------------------------------------------------


def test_called_off_before_anything_was_paid_it_is_voided_and_asked_for_again_it_has_a_new_number(
    booked: World,
) -> None:
    cancelled(booked, 2)
    runs(booked, 1)
    assert (invoice(booked, VISA)["Status"], code(booked, "invoice", 3, 2)) == ("VOIDED", "voided")
    assert not booked.findings()
    payment_says(booked, 2, status="due")
    runs(booked, 1)
    assert invoice(booked, VISA)["Status"] == "VOIDED"
    assert invoice(booked, f"{VISA}-2")["Total"] == 155.0
    assert code(booked, "invoice", 3, 2) == "created"
    assert not booked.findings()


def test_called_off_in_a_locked_period_it_is_credited_in_an_open_one(booked: World) -> None:
    day = invoice(booked, VISA)["DateString"][:10]
    booked.sandbox.control("POST", "lock-date/xero", {"period": day, "year_end": None})
    cancelled(booked, 2)
    runs(booked, 2)
    assert money(booked, VISA) == ("PAID", 155.0, 0.0, 155.0, 0.0)
    (note,) = state(booked, "CreditNotes")
    assert note["DateString"][:10] > day
    assert (code(booked, "invoice", 3, 2), code(booked, "credit_note", 3, 2)) == ("credited", "credited")
    assert not booked.findings()


def test_the_credit_of_a_cancellation_has_the_day_on_which_that_was_first_seen(booked: World) -> None:
    """Qualy does not say when; a later change of something else says nothing of it."""
    day = invoice(booked, VISA)["DateString"][:10]
    seen = booked.ledger.now().astimezone(ZoneInfo("Australia/Sydney")).date().isoformat()
    booked.sandbox.control("POST", "lock-date/xero", {"period": "2031-01-01", "year_end": None})
    cancelled(booked, 2)
    runs(booked, 1)
    assert code(booked, "credit_note", 3, 2) == "locked"
    for _ in range(2):
        days_pass(booked, 2)
        payment_says(booked, 2, reference=str(booked.ledger.now()))
        runs(booked, 1)
    booked.sandbox.control("POST", "lock-date/xero", {"period": day, "year_end": None})
    runs(booked, 2)
    (note,) = state(booked, "CreditNotes")
    assert note["DateString"][:10] == seen


def test_called_off_after_a_part_was_paid_the_rest_is_credited_and_the_part_waits_for_its_refund(
    booked: World,
) -> None:
    cancelled(booked, 4)
    runs(booked, 2)
    assert money(booked, FEE) == ("PAID", 450.0, 200.0, 250.0, 0.0)
    assert code(booked, "invoice", 3, 4) == "needs_decision"
    transaction(booked, 49, 4, -20_000, ref=object_id(5, 40))
    runs(booked, 2)
    notes = {one["Total"]: one for one in state(booked, "CreditNotes")}
    assert {(total, one["Status"], float(one["RemainingCredit"])) for total, one in notes.items()} == {
        (250.0, "PAID", 0.0),
        (200.0, "PAID", 0.0),
    }
    assert (code(booked, "invoice", 3, 4), code(booked, "settlement", 5, 49)) == ("credited", "credited")
    assert not booked.findings()


# -- refunds -------------------------------------------------------------------------------------------------------


def test_a_refund_is_a_credit_note_and_money_out_of_the_account_of_the_receipt(booked: World) -> None:
    transaction(booked, 39, 3, -33_000, ref=object_id(5, 30))
    payment_says(booked, 3, status="refunded")
    runs(booked, 2)
    (note,) = state(booked, "CreditNotes")
    of_invoice = invoice(booked, INSURANCE)
    assert [line["AccountCode"] for line in note["LineItems"]] == [
        line["AccountCode"] for line in of_invoice["LineItems"]
    ]
    assert (note["Total"], note["TotalTax"]) == (of_invoice["Total"], of_invoice["TotalTax"])
    (out,) = [one for one in state(booked, "Payments") if one.get("CreditNote")]
    (receipt,) = [
        one for one in state(booked, "Payments") if (one.get("Invoice") or {}).get("InvoiceNumber") == INSURANCE
    ]
    assert (out["Amount"], out["Account"]["Code"]) == (330.0, receipt["Account"]["Code"])
    assert (code(booked, "settlement", 5, 39), code(booked, "credit_note", 5, 39)) == ("credited", "credited")
    assert code(booked, "invoice", 3, 3) == "created"
    assert code(booked, "bill", 4, 30) == "needs_decision"  # the agent's share was not made smaller
    assert not booked.findings()


def test_a_part_of_an_invoice_is_refunded_by_shares_of_its_lines_to_the_cent(booked: World) -> None:
    transaction(booked, 19, 1, -33_333, ref=object_id(5, 10))
    runs(booked, 2)
    (note,) = state(booked, "CreditNotes")
    assert note["Total"] == 333.33
    assert round(sum(line["LineAmount"] for line in note["LineItems"]), 2) == 333.33
    assert code(booked, "settlement", 5, 19) == "credited"
    assert not booked.findings()


def test_a_refund_of_no_receipt_is_held(booked: World) -> None:
    transaction(booked, 39, 3, -1_000)
    runs(booked, 1)
    assert code(booked, "settlement", 5, 39) == "refund_unlinked"
    assert not state(booked, "CreditNotes")


def test_a_share_that_qualy_made_smaller_after_a_refund_is_credited_by_the_supplier(booked: World) -> None:
    bill = next(one for one in state(booked, "Invoices") if one["Type"] == "ACCPAY" and one["Total"] == 110.0)
    paid = {"do": "pay_invoice", "invoice": bill["InvoiceID"], "fields": {"Account": {"Code": "091"}, "Amount": 110.0}}
    booked.sandbox.control("POST", "ui/xero", paid)
    transaction(booked, 39, 3, -16_500, ref=object_id(5, 30))
    told(
        booked,
        update={
            "payment-intents": [{"_id": object_id(3, 3), "status": "refunded"}],
            "payment-splits": [{"_id": object_id(4, 30), "amount": 5_500}],
        },
    )
    runs(booked, 2)
    credits = {one["Type"]: one["Total"] for one in state(booked, "CreditNotes")}
    assert credits == {"ACCRECCREDIT": 165.0, "ACCPAYCREDIT": 55.0}
    assert (code(booked, "bill", 4, 30), code(booked, "supplier_credit", 4, 30)) == ("credited", "credited")


# -- taken back, and too much --------------------------------------------------------------------------------------


def test_a_receipt_that_qualy_took_back_is_taken_back_and_comes_again_if_it_does(booked: World) -> None:
    told(booked, update={"transactions": [{"_id": object_id(5, 40), "status": "failed"}]})
    runs(booked, 1)
    assert money(booked, FEE) == ("AUTHORISED", 450.0, 0.0, 0.0, 450.0)
    assert code(booked, "settlement", 5, 40) == "removed"
    assert not booked.findings()
    told(booked, update={"transactions": [{"_id": object_id(5, 40), "status": "succeeded"}]})
    runs(booked, 1)
    assert money(booked, FEE) == ("AUTHORISED", 450.0, 200.0, 0.0, 250.0)
    live = [one["Reference"] for one in state(booked, "Payments") if one["Status"] != "DELETED"]
    assert len(live) == len(set(live))
    assert code(booked, "settlement", 5, 40) == "paid"


def test_money_and_its_removal_are_tested_by_their_own_day_where_locked_invoices_may_be_settled(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(settings=lively(tmp_path, **{"settle_locked_invoice: hold": "settle_locked_invoice: try"}))
    world.run_until_quiet()
    day = max(invoice(world, number)["DateString"][:10] for number in (VISA, FEE))
    world.sandbox.control("POST", "lock-date/xero", {"period": day, "year_end": None})
    receipt = transaction(world, 29, 2, 15_500)
    payment_says(world, 2, status="paid", due=0)
    runs(world, 1)
    assert (code(world, "settlement", 5, 29), money(world, VISA)[2]) == ("paid", 155.0)
    # Taken back: the one of today goes, the one of a locked day stays until that is open.
    told(world, update={"transactions": [{"_id": one, "status": "failed"} for one in (receipt, object_id(5, 40))]})
    payment_says(world, 2, status="due", due=15_500)
    runs(world, 1)
    assert (code(world, "settlement", 5, 29), money(world, VISA)[2]) == ("removed", 0.0)
    assert (code(world, "settlement", 5, 40), money(world, FEE)[2]) == ("reversed_at_source", 200.0)
    world.sandbox.control("POST", "lock-date/xero", {"period": None, "year_end": None})
    runs(world, 1)
    assert (code(world, "settlement", 5, 40), money(world, FEE)[2]) == ("removed", 0.0)
    assert not world.findings()


def test_a_receipt_that_qualy_took_back_is_left_to_a_person_where_the_settings_hold_it(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(settings=lively(tmp_path, **{"reversal: remove": "reversal: hold"}))
    world.run_until_quiet()
    told(world, update={"transactions": [{"_id": object_id(5, 40), "status": "disputed"}]})
    runs(world, 1)
    assert code(world, "settlement", 5, 40) == "reversed_at_source"
    assert money(world, FEE)[2] == 200.0


def test_of_a_receipt_above_the_total_what_is_due_is_applied_and_the_rest_waits(booked: World) -> None:
    charge = transaction(booked, 29, 2, 20_000)
    payment_says(booked, 2, status="paid", due=0)
    runs(booked, 1)
    assert money(booked, VISA) == ("PAID", 155.0, 155.0, 0.0, 0.0)
    assert code(booked, "settlement", 5, 29) == "overpaid"
    assert not booked.findings()
    transaction(booked, 28, 2, -4_500, ref=charge)
    runs(booked, 1)
    assert (code(booked, "settlement", 5, 29), code(booked, "settlement", 5, 28)) == ("paid", "nothing_due")
    assert not state(booked, "CreditNotes")
    assert not booked.findings()


# -- lost answers --------------------------------------------------------------------------------------------------

LATER: dict[str, tuple[str, str, Callable[[World], object]]] = {
    "change": ("POST", "/api.xro/2.0/Invoices", lambda world: visa_is(world, 17_500)),
    "void": ("POST", "/api.xro/2.0/Invoices", lambda world: cancelled(world, 2)),
    "credit note": ("PUT", "/api.xro/2.0/CreditNotes", lambda world: cancelled(world, 4)),
    "allocation": ("PUT", "/api.xro/2.0/CreditNotes/", lambda world: cancelled(world, 4)),
    "refund": ("PUT", "/api.xro/2.0/Payments", lambda world: transaction(world, 39, 3, -33_000, ref=object_id(5, 30))),
    "removal": (
        "POST",
        "/api.xro/2.0/Payments/",
        lambda world: told(world, update={"transactions": [{"_id": object_id(5, 40), "status": "failed"}]}),
    ),
}
FATES = ("drop_before", "drop_after", "status:500", "status_after:500", "truncate", "drop_then_commit:200")


def books_of(world: World) -> dict[str, list[Any]]:
    """What Xero holds, without its own ids and moments."""
    documents = [*state(world, "Invoices"), *state(world, "CreditNotes")]
    names = ("Type", "InvoiceNumber", "CreditNoteNumber", "Status", "Total", "AmountPaid", "AmountCredited")
    left = ("AmountDue", "RemainingCredit")
    return {
        "documents": sorted([str(one.get(name, "")) for name in (*names, *left)] for one in documents),
        "payments": sorted(
            [str(one.get(name, "")) for name in ("Reference", "Amount", "Status")] for one in state(world, "Payments")
        ),
    }


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """What each change comes to when nothing goes wrong; told once for each."""
    return {}


def disturbed() -> Iterator[Any]:
    """Each call with an answer that was lost, in every `make test`; each with every fate in the long one."""
    for name in LATER:
        for fate in FATES:
            yield pytest.param(name, fate, marks=[] if fate == "drop_after" else [pytest.mark.full])


@pytest.mark.parametrize(("name", "fate"), disturbed())
def test_whatever_happens_to_the_call_it_comes_to_the_same_once(
    make_world: MakeWorld, tmp_path: Path, undisturbed: dict[str, Any], name: str, fate: str
) -> None:
    method, path, happens = LATER[name]
    if name not in undisturbed:
        undisturbed[name] = _ended(make_world(settings=lively(tmp_path)), happens)
    world = make_world(settings=lively(tmp_path))
    fault = {"method": method, "path": path, "do": fate, "times": 2}
    assert _ended(world, happens, fault) == undisturbed[name]
    assert not world.open_attempts()


@pytest.mark.full
@pytest.mark.parametrize("name", LATER)
def test_the_same_on_postgresql(
    pg_world: World, tmp_path: Path, make_world: MakeWorld, undisturbed: dict[str, Any], name: str
) -> None:
    method, path, happens = LATER[name]
    if name not in undisturbed:
        undisturbed[name] = _ended(make_world(settings=lively(tmp_path)), happens)
    bare(pg_world.sandbox)
    pg_world.settings = lively(tmp_path)
    fault = {"method": method, "path": path, "do": "drop_after", "times": 2}
    assert _ended(pg_world, happens, fault) == undisturbed[name]


def _ended(world: World, happens: Callable[[World], object], *faults: dict[str, Any]) -> Any:
    """Everything is booked, then something happens, and the calls that it makes are disturbed."""
    before = world.sandbox.control("GET", "state/qualy")
    world.run_until_quiet()
    happens(world)
    world.faults(*faults)
    for _ in range(5):
        world.pass_time(11 * 60)
        world.run()
    world.clear_faults()
    runs(world, 1)
    assert not world.findings()
    world.sandbox.control("POST", "load/qualy", before)
    return books_of(world), world.outcomes()
