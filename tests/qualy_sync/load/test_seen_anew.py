"""What a run sees of Qualy: records that vanish and come back as they were, and nothing of a reading still open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from qualy_app.desk import stop_reason
from qualy_sync.contracts.errors import Refused
from qualy_sync.extract import extract
from qualy_sync.ledger.runs import latest_pass
from qualy_sync.ledger.schema import passes
from qualy_sync.ledger.source import LATELY, unfinished_pass
from qualy_sync.reconcile import totals
from tests.support.life import code, invoice, now, runs
from tests.support.world import World, object_id

pytestmark = pytest.mark.usefixtures("as_it_was")
MakeWorld = Callable[..., World]
VISA = "Q-1002"  # AUD 155.00, due, nothing paid


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


# -- without what it belongs to -----------------------------------------------------------------------------------


def receipt_of(world: World, payment: str) -> dict[str, Any]:
    return {
        "_id": object_id(5, 98),
        "paymentIntent": payment,
        "amount": 15_500,
        "currency": "AUD",
        "transactionType": "charge",
        "method": "BANK_TRANSFER",
        "status": "succeeded",
        "number": 98,
        "createdAt": now(world),
        "updatedAt": now(world),
    }


def test_a_receipt_whose_payment_is_not_listed_is_named_and_applied_once_it_is(
    booked: World, agency: dict[str, Any]
) -> None:
    wish = next(one for one in agency["payment-intents"] if one["_id"] == object_id(3, 2))
    share = next(one for one in agency["payment-splits"] if one["_id"] == object_id(4, 20))
    payment = object_id(3, 98)
    swept(booked, insert={"transactions": [receipt_of(booked, payment)]})
    runs(booked, 1)
    assert code(booked, "settlement", 5, 98) == "malformed"
    assert not booked.findings()
    late = wish | {"_id": payment, "number": 1098, "status": "paid", "due": 0}
    swept(
        booked,
        insert={
            "payment-intents": [late],
            "payment-splits": [share | {"_id": object_id(4, 98), "paymentIntent": payment}],
        },
    )
    booked.run_until_quiet()
    assert (code(booked, "invoice", 3, 98), code(booked, "settlement", 5, 98)) == ("created", "paid")
    assert invoice(booked, "Q-1098")["AmountDue"] == 0
    assert not booked.findings()


def test_many_that_vanish_stop_the_writing_for_a_week_and_old_losses_do_not(
    booked: World, agency: dict[str, Any]
) -> None:
    def stopped() -> str:
        with booked.ledger.reading() as connection:
            pin = latest_pass(connection)
        return stop_reason(booked.ledger, pin, booked.desk().accounting)

    assert stopped() == ""
    gone = [one["_id"] for one in agency["payment-intents"][:2]]
    swept(booked, times=2, delete={"payment-intents": gone})
    assert "2 of" in stopped()
    assert "accounting.gate.breaker.vanish_share" in stopped()
    swept(booked, times=LATELY - 1)
    assert stopped()
    swept(booked)
    assert stopped() == ""


def test_a_receipt_that_vanished_with_its_payment_waits_for_nobody(booked: World) -> None:
    swept(booked, insert={"transactions": [receipt_of(booked, object_id(3, 98))]})
    swept(booked, times=2, delete={"transactions": [object_id(5, 98)]})
    runs(booked, 1)
    assert code(booked, "settlement", 5, 98) == "nothing_due"
    assert not booked.findings()


def test_a_booked_payment_that_lost_its_customer_keeps_its_place_in_the_books(booked: World) -> None:
    swept(booked, update={"payment-intents": [{"_id": object_id(3, 2), "contact": None}]})
    runs(booked, 1)
    assert code(booked, "invoice", 3, 2) == "malformed"
    with booked.ledger.reading() as connection:
        lines = totals(connection, booked.book(), latest_pass(connection))
    assert {line.currency for line in lines} == {"AUD", "USD"}
    assert not [line for line in lines if line.difference]


# -- a reading that is still open ----------------------------------------------------------------------------------


def test_a_run_sees_nothing_of_a_reading_that_broke_off_until_it_is_complete(booked: World) -> None:
    receipt = receipt_of(booked, object_id(3, 2))
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
