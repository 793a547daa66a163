"""The stand-in and our calls against Xero's own OpenAPI document, where a developer has it (QUALY_SPECS)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.recorded import Recorded, Seen
from tests.sandbox.xero_client import WEB, XeroClient, invoice_body, line, payment_body, xero_sandbox
from tests.sandbox.xero_contract import DOCUMENT, Contract, specification

BASE = "/xero/api.xro/2.0"

pytestmark = pytest.mark.skipif(
    specification() is None,
    reason=f"QUALY_SPECS names no directory with {DOCUMENT}: not checked against Xero's document",
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    path = specification()
    assert path is not None
    return Contract(path)


@pytest.fixture(scope="module")
def shared() -> Iterator[XeroClient]:
    with xero_sandbox(payments=100) as client:
        yield client


@pytest.fixture
def recorded(contract: Contract) -> Iterator[Recorded]:
    def problems(seen: Seen) -> list[str]:
        return contract.problems(seen.method, seen.path, seen.query, seen.body, seen.status, seen.answer)

    with Recorded(BASE, problems).of_client(WEB) as record:
        yield record


@pytest.fixture
def xero(shared: XeroClient) -> XeroClient:
    return shared.reset()


def test_what_it_holds_from_the_start_is_as_the_document_says(contract: Contract, recorded: Recorded) -> None:
    with xero_sandbox(payments=200) as xero:
        for path in (
            "Organisation",
            "Organisation/Actions",
            "Accounts",
            "TaxRates",
            "Currencies",
            "TrackingCategories",
        ):
            xero.read(f"/{path}")
        for path in ("Contacts", "Invoices", "CreditNotes", "Payments"):
            xero.read(f"/{path}")
            xero.read(f"/{path}", page=1, pageSize=1000)
        xero.read("/BrandingThemes")
    assert len(recorded.seen) == 15
    assert recorded.problems == []


def test_writes_and_their_answers_are_as_the_document_says(xero: XeroClient, recorded: Recorded) -> None:
    contact = xero.contact(EmailAddress="a@mail.example", ContactNumber="K-1", FirstName="Ana")
    invoice = xero.invoice(contact, Reference="R-1", Url="https://app.qualy.example/1", CurrencyCode="USD")
    bill = xero.bill(contact)
    payment = xero.pay(invoice, 110, Reference="p")
    xero.pay(bill, 10)
    xero.http("POST", f"/Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    xero.write("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "Type": "ACCREC", "Status": "VOIDED"})
    note = {"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact["ContactID"]}, "LineItems": [line()]}
    xero.put("CreditNotes", note | {"Status": "AUTHORISED", "Date": "2026-07-12"})
    xero.http("PUT", f"/Invoices/{bill['InvoiceID']}/History", {"HistoryRecords": [{"Details": "seen"}]})
    for path in (f"/Invoices/{bill['InvoiceID']}", "/Contacts/K-1", f"/Payments/{payment['PaymentID']}"):
        xero.read(path)
    assert len(recorded.seen) == 12
    assert recorded.problems == []


def test_refusals_are_as_the_document_says(xero: XeroClient, recorded: Recorded) -> None:
    contact = xero.contact()
    bodies: list[dict[str, Any]] = [invoice_body(contact, "T-1"), invoice_body(contact, "T-1")]
    assert xero.http("PUT", "/Invoices", {"Invoices": bodies}).status_code == 400
    xero.write("PUT", "Invoices", *bodies)
    invoice = xero.read("/Invoices/T-1")["Invoices"][0]
    assert xero.http("PUT", "/Payments", {"Payments": [payment_body(invoice, 500)]}).status_code == 400
    assert xero.http("PUT", "/Contacts", {"Contacts": [{"Name": "Ana Souza"}]}).status_code == 400
    assert len(recorded.seen) == 6
    assert recorded.problems == []


def test_the_check_itself_notices_what_is_wrong(contract: Contract) -> None:
    wrong = {"Invoices": [{"Type": "SALE", "LineItems": [{"Quantity": "two"}]}]}
    found = contract.problems(
        "PUT", "/Invoices", {"summarizeerrors": "false"}, wrong, 200, {"Invoices": [{"Total": "x"}]}
    )
    assert len(found) == 4, found
    assert contract.problems("PATCH", "/Invoices", {}, None, 200, {}) == ["PATCH /Invoices is not in the document"]
