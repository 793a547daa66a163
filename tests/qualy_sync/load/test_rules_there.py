"""Rules of the settings against the tool: the user's own rates, bills that pay-outs settle, invoices to partners."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.ledger import Ledger
from qualy_sync.report.explain import explain
from sandbox.server import Sandbox
from tests.support.life import now, told
from tests.support.world import SETTINGS, World, an_agency, extracted, object_id

USD_PER = Decimal("1.6")  # Australian dollars for one of the United States
AGENT, SCHOOL = object_id(2, 2), object_id(2, 1)


def settings_with(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SETTINGS.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def rates(folder: Path, world_day: Any) -> None:
    days = [(world_day - timedelta(days=back)).date().isoformat() for back in range(90)]
    rows = "".join(f"{day},USD,{USD_PER},RBA\n" for day in days)
    (folder / "rates.csv").write_text(f"date,currency,rate,source\n{rows}")


def pay_out(number: int, split: str, payment: str, partner: str, amount: int, currency: str, at: str) -> dict[str, Any]:
    return {
        "_id": object_id(8, number),
        "paymentSplit": split,
        "paymentIntent": payment,
        "partnership": partner,
        "amount": amount,
        "currency": currency,
        "status": "paid",
        "paidAt": at,
        "createdAt": at,
        "updatedAt": at,
    }


@pytest.fixture
def objects(sqlite_url: str) -> dict[str, list[dict[str, Any]]]:
    """The small agency; the school was paid out for the first and the fifth payment."""
    ledger = Ledger(sqlite_url)
    made: dict[str, list[dict[str, Any]]] = an_agency(ledger.now())
    at = (ledger.now() - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    ledger.close()
    made["split-intents"] = [
        pay_out(1, object_id(4, 10), object_id(3, 1), SCHOOL, 80_000, "AUD", at),
        pay_out(5, object_id(4, 50), object_id(3, 5), SCHOOL, 70_000, "USD", at),
    ]
    return made


@pytest.fixture
def begin(stand_ins: Sandbox, sqlite_url: str, objects: Any, tmp_path: Path) -> Callable[..., World]:
    def start(*changes: tuple[str, str]) -> World:
        extracted(stand_ins, sqlite_url, objects)
        return World(stand_ins, sqlite_url, settings=settings_with(tmp_path, *changes)).begin()

    return start


def state(world: World, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.sandbox.control("GET", "state/xero")[kind]
    return found


def test_foreign_documents_have_the_users_rate_and_say_where_it_is_from(
    begin: Callable[..., World], tmp_path: Path
) -> None:
    (tmp_path / "rates.csv").write_text("date,currency,rate,source\n2020-01-01,USD,1.5,RBA\n")
    world = begin(("rates: tool", "rates: table"), ("table: #", "table: rates.csv #"))
    world.run_until_quiet()
    held = world.outcomes()[("invoice", object_id(3, 5))]
    assert held == "no_rate"
    assert not [one for one in state(world, "Invoices") if one["CurrencyCode"] == "USD"]
    rates(tmp_path, world.ledger.now())
    world.run_until_quiet()
    foreign = [one for one in state(world, "Invoices") if one["CurrencyCode"] == "USD"]
    assert {one["Type"] for one in foreign} == {"ACCREC", "ACCPAY"}
    assert {one["CurrencyRate"] for one in foreign} == {float(1 / USD_PER)}
    paid = [one for one in state(world, "Payments") if one["Invoice"]["InvoiceID"] in {f["InvoiceID"] for f in foreign}]
    assert [one["CurrencyRate"] for one in paid] == [float(1 / USD_PER)]
    told = explain(world.ledger, world.book(), object_id(3, 5))
    notes = [note for leg in told.legs if leg.leg in ("invoice", "bill", "settlement") for note in leg.notes]
    assert sum("from table: RBA" in note for note in notes) == 3
    assert not world.findings()


def test_bills_are_marked_paid_once_the_partner_was_paid_out(begin: Callable[..., World]) -> None:
    world = begin(("mark_paid: false", "mark_paid: true"))
    world.run_until_quiet()
    outcomes = world.outcomes()
    assert {code for (leg, _), code in outcomes.items() if leg == "pay_out"} == {"paid"}
    bills = {
        one["CurrencyCode"]: one for one in state(world, "Invoices") if one["Type"] == "ACCPAY" and one["Total"] != 110
    }
    assert {currency: one["AmountDue"] for currency, one in bills.items()} == {"AUD": 0, "USD": 0}
    payments = {one["Invoice"]["InvoiceID"]: one for one in state(world, "Payments")}
    assert payments[bills["AUD"]["InvoiceID"]]["Account"]["Code"] == "091"
    assert payments[bills["USD"]["InvoiceID"]]["Account"]["Code"] == "092"
    # The agent was not paid out yet: its bill stays open.
    (agent,) = [one for one in state(world, "Invoices") if one["Type"] == "ACCPAY" and one["Total"] == 110]
    assert agent["AmountDue"] == 110
    assert not world.findings()
    before = len(world.writes())
    world.run_until_quiet()
    assert len(world.writes()) == before


def test_a_pay_out_that_qualy_set_back_is_taken_back_and_comes_again_if_it_does(begin: Callable[..., World]) -> None:
    world = begin(("mark_paid: false", "mark_paid: true"))
    world.run_until_quiet()
    intent = object_id(8, 1)

    def bill() -> tuple[str, float]:
        due = {one["InvoiceID"]: one["AmountDue"] for one in state(world, "Invoices") if one["Type"] == "ACCPAY"}
        paid = [one for one in state(world, "Payments") if one["Invoice"]["InvoiceID"] in due and one["Amount"] == 800]
        return world.outcomes()[("pay_out", intent)], due[paid[0]["Invoice"]["InvoiceID"]]

    assert bill() == ("paid", 0)
    told(world, update={"split-intents": [{"_id": intent, "status": "pending", "paidAt": None}]})
    world.run_until_quiet()
    assert bill() == ("removed", 800)
    assert not world.findings()
    told(world, update={"split-intents": [{"_id": intent, "status": "paid", "paidAt": now(world)}]})
    world.run_until_quiet()
    assert bill() == ("paid", 0)
    live = [one["Reference"] for one in state(world, "Payments") if one["Status"] != "DELETED"]
    assert len(live) == len(set(live)) == 7
    assert not world.findings()


def test_a_lost_answer_to_a_bill_settlement_makes_no_second_one(begin: Callable[..., World]) -> None:
    world = begin(("mark_paid: false", "mark_paid: true"))
    world.faults({"path": "/api.xro/2.0/Payments", "method": "PUT", "do": "drop_after", "times": 4})
    world.run()
    world.clear_faults()
    assert "unknown" in {code for (leg, _), code in world.outcomes().items() if leg in ("settlement", "pay_out")}
    world.run_until_quiet()
    assert len(state(world, "Payments")) == 7  # five receipts and two pay-outs
    assert not world.findings()


def test_what_a_partner_owes_us_is_an_invoice_to_the_partner(begin: Callable[..., World], objects: Any) -> None:
    own = object_id(4, 31)  # without it, nothing says that the item's shares add up to it
    objects["payment-splits"] = [one for one in objects["payment-splits"] if one["_id"] != own]
    world = begin(
        ("owed_to_us: hold", "owed_to_us: invoice"),
        (
            "percentage-on-amount: {direction: we_owe, principal_share: false}",
            "percentage-on-amount: {direction: owed_to_us}",
        ),
        (
            "    map:\n",
            '    map:\n      - {type: percentage-on-amount, category: Insurance, account: "215", tax: OUTPUT}\n',
        ),
    )
    world.run_until_quiet()
    contacts = {one["ContactID"]: one["Name"] for one in state(world, "Contacts")}
    mine = [one for one in state(world, "Invoices") if contacts[one["Contact"]["ContactID"]] == "Lisbon Student Agents"]
    assert [(one["Type"], one["Total"], one["LineItems"][0]["AccountCode"]) for one in mine] == [("ACCREC", 110, "215")]
    assert not world.findings()
