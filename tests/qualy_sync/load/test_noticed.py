"""What somebody does in Xero to a record that is in step, while nothing changes in Qualy: the next run says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.life import code, decide, invoice, lively, runs, state
from tests.support.world import World, object_id

pytestmark = pytest.mark.usefixtures("as_it_was")
MakeWorld = Callable[..., World]
VISA = "Q-1002"  # AUD 155.00, due, nothing paid
FEE = "Q-1004"  # AUD 450.00, AUD 200.00 of it paid


@pytest.fixture
def booked(make_world: MakeWorld, tmp_path: Path) -> World:
    """Everything is booked, and nothing asks for attention."""
    world = make_world(settings=lively(tmp_path))
    world.run_until_quiet()
    runs(world, 1)
    return world


def by_hand(world: World, do: str, **given: Any) -> Any:
    return world.sandbox.control("POST", "ui/xero", {"do": do, **given})


def copied(world: World, number: str) -> str:
    """Somebody copies an invoice in Xero's screens, which copies its reference, too. Gives the copy's id."""
    kept = ("Type", "Contact", "Date", "DueDate", "LineAmountTypes", "Reference", "CurrencyCode")
    lines = ("Description", "Quantity", "UnitAmount", "AccountCode", "TaxType")
    there = invoice(world, number)
    fields = {name: there[name] for name in kept if name in there} | {"Status": "AUTHORISED"}
    fields["LineItems"] = [{name: line[name] for name in lines if name in line} for line in there["LineItems"]]
    return str(by_hand(world, "create_invoice", fields=fields)["InvoiceID"])


def test_an_invoice_that_was_voided_there_is_told_and_not_made_again(booked: World) -> None:
    writes = len(booked.writes())
    by_hand(booked, "void_invoice", invoice=VISA)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "removed_there"
    assert len(booked.writes()) == writes


def test_an_amount_that_was_changed_there_is_told_until_it_is_put_right(booked: World) -> None:
    before = invoice(booked, VISA)["LineItems"]
    dearer = before[0] | {"UnitAmount": 99.0, "LineAmount": 99.0}
    by_hand(booked, "edit_invoice", invoice=VISA, fields={"LineItems": [dearer]})
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "changed_there"
    by_hand(booked, "edit_invoice", invoice=VISA, fields={"LineItems": before})
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "created"


def test_a_payment_of_ours_that_was_deleted_there_is_told_and_not_made_again(booked: World) -> None:
    writes = len(booked.writes())
    [payment] = [each["PaymentID"] for each in invoice(booked, FEE)["Payments"]]
    by_hand(booked, "delete_payment", payment=payment)
    runs(booked, 1)
    [found] = [key for key, said in booked.outcomes().items() if said == "removed_there"]
    assert found[0] == "settlement"
    assert len(booked.writes()) == writes


def test_a_payment_that_is_there_twice_under_our_reference_is_told_until_one_is_gone(booked: World) -> None:
    paid = invoice(booked, FEE)["Payments"][0]["PaymentID"]
    [payment] = [each for each in state(booked, "Payments") if each["PaymentID"] == paid]
    twin = by_hand(booked, "pay_invoice", invoice=FEE, amount=200, reference=payment["Reference"])
    runs(booked, 1)
    assert code(booked, "settlement", 5, 40) == "duplicate_there"
    by_hand(booked, "delete_payment", payment=twin["PaymentID"])
    runs(booked, 1)
    assert code(booked, "settlement", 5, 40) == "paid"
    assert not booked.findings()


def test_a_contact_that_was_archived_there_is_told_until_it_is_restored(booked: World) -> None:
    contact = invoice(booked, VISA)["Contact"]["ContactID"]
    by_hand(booked, "archive_contact", contact=contact)
    runs(booked, 1)
    [archived] = [key for key, said in booked.outcomes().items() if said == "archived_contact"]
    assert archived[0] == "contact"
    by_hand(booked, "unarchive_contact", contact=contact)
    runs(booked, 1)
    assert booked.outcomes()[archived] == "created"
    assert not booked.findings()


def test_what_was_voided_there_and_a_person_keeps_so_is_no_difference(booked: World) -> None:
    by_hand(booked, "void_invoice", invoice=VISA)
    runs(booked, 1)
    assert booked.findings() == {"removed_there": 1}
    decide(booked, "invoice", object_id(3, 2), "theirs")
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "adopted"
    assert not booked.findings()


def test_a_copy_with_our_reference_is_told_until_it_is_gone(booked: World) -> None:
    copy = copied(booked, VISA)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "duplicate_there"
    by_hand(booked, "void_invoice", invoice=copy)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "created"


def test_a_copy_may_stay_once_a_person_said_which_one_is_ours(booked: World) -> None:
    ours = str(invoice(booked, VISA)["InvoiceID"])
    copied(booked, VISA)
    runs(booked, 1)
    decide(booked, "invoice", object_id(3, 2), f"link:{ours}")
    runs(booked, 2)
    assert code(booked, "invoice", 3, 2) == "created"
