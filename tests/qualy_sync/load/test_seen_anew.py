"""What changes without a change of any content of Qualy's: records that vanish and come back, and the tool's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from qualy_sync.contracts.errors import Refused
from qualy_sync.extract import extract
from qualy_sync.ledger.schema import passes
from qualy_sync.ledger.source import unfinished_pass
from sandbox.server import Sandbox
from tests.support.life import code, decide, invoice, now, runs, state
from tests.support.world import World, object_id

MakeWorld = Callable[..., World]
VISA = "Q-1002"  # AUD 155.00, due, nothing paid
FEE = "Q-1004"  # AUD 450.00, AUD 200.00 of it paid


@pytest.fixture(autouse=True)
def as_it_was(stand_ins: Sandbox, agency: dict[str, Any]) -> Iterator[None]:
    """Qualy's stand-in is shared: each story begins with the agency that its ledger has read, and leaves it so."""
    stand_ins.control("POST", "load/qualy", agency)
    yield
    stand_ins.control("POST", "load/qualy", agency)


@pytest.fixture
def booked(make_world: MakeWorld) -> World:
    world = make_world()
    world.run_until_quiet()
    assert not world.findings()
    return world


def swept(world: World, times: int = 1, **change: Any) -> None:
    """A change of Qualy's records, and so many complete readings."""
    world.sandbox.control("POST", "change/qualy", change)
    desk = world.desk()
    for _ in range(times):
        extract(desk.ledger, desk.source, desk.settings.source.model_copy(update={"full_sweep_hours": 0}))
    with desk.ledger.writing() as connection:
        connection.execute(sa.update(passes).values(checked_at=passes.c.completed_at))


def by_hand(world: World, **deed: Any) -> None:
    """Somebody does something in Xero's own pages."""
    world.sandbox.control("POST", "ui/xero", deed)


# -- gone at Qualy, and back ---------------------------------------------------------------------------------------


def test_a_booked_payment_that_qualy_no_longer_has_is_named_and_left_alone_until_it_is_back(
    booked: World, agency: dict[str, Any]
) -> None:
    payment = next(one for one in agency["payment-intents"] if one["_id"] == object_id(3, 2))
    before = invoice(booked, VISA)
    swept(booked, times=1, delete={"payment-intents": [payment["_id"]]})
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "created"  # one reading may have missed it
    swept(booked)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "gone_at_source"
    assert invoice(booked, VISA) == before
    swept(booked, insert={"payment-intents": [payment]})
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "created"
    assert invoice(booked, VISA) == before


def test_a_payment_that_comes_back_before_it_was_booked_is_booked(world: World, agency: dict[str, Any]) -> None:
    payment = next(one for one in agency["payment-intents"] if one["_id"] == object_id(3, 2))
    swept(world, times=2, delete={"payment-intents": [payment["_id"]]})
    runs(world, 1)
    assert code(world, "invoice", 3, 2) == "nothing_due"
    swept(world, insert={"payment-intents": [payment]})
    world.run_until_quiet()
    assert code(world, "invoice", 3, 2) == "created"
    assert not world.findings()


# -- a reading that is still open ----------------------------------------------------------------------------------


def test_a_run_sees_nothing_of_a_reading_that_broke_off_until_it_is_complete(booked: World) -> None:
    receipt = {
        "_id": object_id(5, 98),
        "paymentIntent": object_id(3, 2),
        "amount": 15_500,
        "currency": "AUD",
        "transactionType": "charge",
        "method": "BANK_TRANSFER",
        "status": "succeeded",
        "number": 98,
        "createdAt": now(booked),
        "updatedAt": now(booked),
    }
    payment = {"_id": object_id(3, 2), "status": "paid", "due": 0}
    booked.sandbox.control("POST", "faults/qualy", [{"path": "/v1/payment-intents", "do": "status:403", "times": None}])
    try:
        with pytest.raises(Refused):  # receipts are read before payments, so that half of it is kept by now
            swept(booked, insert={"transactions": [receipt]}, update={"payment-intents": [payment]})
    finally:
        booked.sandbox.control("DELETE", "faults/qualy")
    with booked.ledger.reading() as connection:
        assert unfinished_pass(connection)
    writes, outcomes = len(booked.writes()), booked.outcomes()
    runs(booked, 2)
    assert (len(booked.writes()), booked.outcomes()) == (writes, outcomes)
    assert not booked.findings()
    swept(booked)
    runs(booked, 1)
    assert code(booked, "settlement", 5, 98) == "paid"
    assert invoice(booked, VISA)["AmountDue"] == 0


# -- changed by hand in the tool -----------------------------------------------------------------------------------


def test_an_invoice_that_somebody_voided_waits_for_a_person_and_is_never_made_again(booked: World) -> None:
    by_hand(booked, do="void_invoice", invoice=VISA)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "removed_there"
    writes = len(booked.writes())
    decide(booked, "invoice", object_id(3, 2), "theirs")
    runs(booked, 2)
    assert code(booked, "invoice", 3, 2) == "adopted"
    assert len(booked.writes()) == writes
    assert not booked.findings()


def test_an_invoice_that_somebody_edited_waits_for_a_person(booked: World) -> None:
    lines = [invoice(booked, VISA)["LineItems"][0] | {"UnitAmount": 99.0, "LineAmount": 99.0}]
    by_hand(booked, do="edit_invoice", invoice=VISA, fields={"LineItems": lines})
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "changed_there"
    assert invoice(booked, VISA)["Total"] == 99.0


def test_a_payment_that_somebody_took_back_waits_for_a_person(booked: World) -> None:
    (receipt,) = [one for one in state(booked, "Payments") if (one.get("Invoice") or {}).get("InvoiceNumber") == FEE]
    by_hand(booked, do="delete_payment", payment=receipt["PaymentID"])
    runs(booked, 1)
    assert code(booked, "settlement", 5, 40) == "removed_there"


def test_an_invoice_that_is_there_twice_under_our_reference_waits_for_a_person(booked: World) -> None:
    ours = invoice(booked, VISA)
    kept = ("Description", "UnitAmount", "AccountCode", "TaxType")
    lines = [{name: line[name] for name in kept} for line in ours["LineItems"]]
    days = {"Date": ours["DateString"][:10], "DueDate": ours["DueDateString"][:10]}
    names = ("Type", "CurrencyCode", "LineAmountTypes", "Reference", "Status")
    contact = {"ContactID": ours["Contact"]["ContactID"]}
    same = {name: ours[name] for name in names}
    copy = same | days | {"Contact": contact, "InvoiceNumber": "INV-COPY", "LineItems": lines}
    by_hand(booked, do="create_invoice", fields=copy)
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "duplicate_there"
    by_hand(booked, do="void_invoice", invoice="INV-COPY")
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "created"
    assert not booked.findings()


def test_a_contact_that_somebody_archived_waits_for_a_person_until_it_is_restored(booked: World) -> None:
    contact = invoice(booked, VISA)["Contact"]["ContactID"]
    by_hand(booked, do="archive_contact", contact=contact)
    runs(booked, 1)
    archived = {key for key, found in booked.outcomes().items() if found == "archived_contact"}
    assert {leg for leg, _ in archived} == {"contact"}
    assert len(archived) == 1
    by_hand(booked, do="unarchive_contact", contact=contact)
    runs(booked, 1)
    assert {booked.outcomes()[key] for key in archived} == {"created"}
    assert not booked.findings()
