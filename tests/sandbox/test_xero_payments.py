"""Xero's rules about payments, refunds, credit notes and batch payments."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.xero_client import XeroClient, invoice_body, line, messages, payment_body

TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
ONLY_AUTHORISED = "Payments can only be made against Authorised documents"


def now(xero: XeroClient, document: dict[str, Any]) -> dict[str, Any]:
    return dict(xero.read(f"/Invoices/{document['InvoiceID']}")["Invoices"][0])


def refused(xero: XeroClient, document: dict[str, Any], amount: float, **fields: Any) -> list[str]:
    element = xero.write("PUT", "Payments", payment_body(document, amount, **fields))[0]
    assert element["HasValidationErrors"] is True
    assert element["PaymentID"] == "00000000-0000-0000-0000-000000000000"
    return messages(element)


def credit_note(xero: XeroClient, contact: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"Type": "ACCRECCREDIT", "CreditNoteNumber": "CN-1", "LineItems": [line(UnitAmount=50)]}
    body |= {"Contact": {"ContactID": contact["ContactID"]}, "Date": "2026-07-12", "Status": "AUTHORISED"}
    return xero.put("CreditNotes", body | {"LineAmountTypes": "Inclusive"} | fields)


def test_the_sdk_pays_in_parts_until_the_invoice_is_paid(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    part = xero.api.create_payments(
        xero.tenant, payments={"Payments": [payment_body(invoice, 60, Reference="p-1")]}, summarize_errors=False
    ).payments[0]
    assert (part.payment_type, part.status, part.reference) == ("ACCRECPAYMENT", "AUTHORISED", "p-1")
    half = now(xero, invoice)
    assert (half["Status"], half["AmountDue"], half["AmountPaid"]) == ("AUTHORISED", 50.0, 60.0)
    assert "FullyPaidOnDate" not in half
    xero.api.create_payment(xero.tenant, payment=payment_body(invoice, 50))
    whole = now(xero, invoice)
    assert (whole["Status"], whole["AmountDue"]) == ("PAID", 0.0)
    assert whole["FullyPaidOnDate"] == "/Date(1783814400000+0000)/"
    assert [one["Amount"] for one in whole["Payments"]] == [60.0, 50.0]
    assert not any("Reference" in one for one in whole["Payments"])


def test_more_than_is_due_is_refused(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    assert refused(xero, invoice, 110.01) == [TOO_MUCH]
    xero.pay(invoice, 110)
    assert refused(xero, invoice, 1) == [ONLY_AUTHORISED, TOO_MUCH]


def test_a_repeated_payment_is_a_second_payment(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    first, second = xero.pay(invoice, 20, Reference="same"), xero.pay(invoice, 20, Reference="same")
    assert first["PaymentID"] != second["PaymentID"]
    assert now(xero, invoice)["AmountDue"] == 70.0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Account": {"Code": "777"}}, "Account could not be found."),
        ({"Account": {"Code": "299"}}, "Account could not be found."),
        (
            {"Account": {"Code": "200"}},
            "The account specified is not a bank account and does not have payments enabled.",
        ),
        ({"Amount": 0}, "Payment amount must be greater than zero"),
        ({"Amount": "ten"}, "A payment needs an Amount and a Date that are valid."),
        ({"Invoice": {"InvoiceID": "11111111-2222-4333-8444-555555555555"}}, "Invoice could not be found."),
        (
            {"CreditNote": {"CreditNoteNumber": "x"}},
            "A payment must name exactly one Invoice, CreditNote, Prepayment or Overpayment.",
        ),
    ],
)
def test_xero_says_why_it_refuses_a_payment(xero: XeroClient, fields: dict[str, Any], expected: str) -> None:
    assert refused(xero, xero.invoice(xero.contact()), 10, **fields) == [expected]


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_only_approved_documents_are_paid(xero: XeroClient, status: str) -> None:
    assert refused(xero, xero.invoice(xero.contact(), Status=status), 10) == [ONLY_AUTHORISED]


def test_an_account_that_is_no_bank_but_takes_payments_will_do(xero: XeroClient) -> None:
    assert xero.pay(xero.invoice(xero.contact()), 110, Account={"Code": "096"})["Account"]["Code"] == "096"


def test_a_bill_is_paid_like_an_invoice(xero: XeroClient) -> None:
    bill = xero.bill(xero.contact())
    assert xero.pay(bill, 110)["PaymentType"] == "ACCPAYPAYMENT"
    assert now(xero, bill)["Status"] == "PAID"


def test_the_amount_is_in_the_invoices_currency_and_the_bank_amount_makes_the_rate(xero: XeroClient) -> None:
    contact = xero.contact()
    dollars = xero.invoice(contact, "T-1", CurrencyCode="USD", CurrencyRate=0.65)
    payment = xero.pay(dollars, 110, BankAmount=160)
    assert (payment["Amount"], payment["BankAmount"], payment["CurrencyRate"]) == (110.0, 160.0, 0.6875)
    assert now(xero, dollars)["Status"] == "PAID"
    same = xero.pay(xero.invoice(contact, "T-2", CurrencyCode="USD", CurrencyRate=0.65), 110, Account={"Code": "092"})
    assert (same["BankAmount"], same["CurrencyRate"]) == (110.0, 0.65)
    third = xero.invoice(contact, "T-3", CurrencyCode="USD")
    assert len(refused(xero, third, 110, Account={"Code": "093"})) == 1


def test_deleting_a_payment_opens_the_invoice_again(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    payment = xero.pay(invoice, 110)
    gone = xero.api.delete_payment(xero.tenant, payment_id=payment["PaymentID"], payment_delete={"Status": "DELETED"})
    assert gone.payments[0].status == "DELETED"
    again = now(xero, invoice)
    assert (again["Status"], again["AmountDue"], again["Payments"]) == ("AUTHORISED", 110.0, [])
    second = xero.http("POST", f"/Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert second.status_code == 400
    assert [one["Status"] for one in xero.read("/Payments", page=1)["Payments"]] == ["DELETED"]


def test_payments_are_found_by_reference_and_by_invoice(xero: XeroClient) -> None:
    contact = xero.contact()
    first, second = xero.invoice(contact, "T-1"), xero.invoice(contact, "T-2")
    xero.pay(first, 10, Reference="Ref-A")
    xero.pay(second, 10, Reference="Ref-B")
    by_reference = xero.read("/Payments", where='Reference=="ref-a"', page=1)["Payments"]
    assert [one["Invoice"]["InvoiceNumber"] for one in by_reference] == ["T-1"]
    where = f'Invoice.InvoiceID==Guid("{second["InvoiceID"]}")'
    assert [one["Reference"] for one in xero.read("/Payments", where=where)["Payments"]] == ["Ref-B"]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 6000), min_size=1, max_size=5))
def test_paid_and_due_are_always_the_total(shared_xero: XeroClient, amounts: list[int]) -> None:
    invoice = shared_xero.put(
        "Invoices", invoice_body({"ContactID": ""}, "", Contact={"Name": "Ana"}, InvoiceNumber=None)
    )
    shared_xero.write("PUT", "Payments", *(payment_body(invoice, amount / 100) for amount in amounts))
    after = now(shared_xero, invoice)
    assert round(after["AmountPaid"] + after["AmountDue"], 2) == 110.0
    assert after["AmountDue"] >= 0
    assert (after["Status"] == "PAID") == (after["AmountDue"] == 0)


def test_a_batch_payment_is_one_line_whose_parts_cannot_be_deleted_alone(xero: XeroClient) -> None:
    contact = xero.contact()
    invoices = [xero.invoice(contact, f"T-{number}") for number in (1, 2)]
    parts = [{"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": 110} for one in invoices]
    batch = xero.put("BatchPayments", {"Account": {"Code": "090"}, "Date": "2026-07-12", "Payments": parts})
    assert (batch["Type"], batch["TotalAmount"]) == ("RECBATCH", 220.0)
    alone = xero.http("POST", f"/Payments/{batch['Payments'][0]['PaymentID']}", {"Status": "DELETED"})
    assert messages(alone.json()["Elements"][0]) == ["Payments within a batch cannot be deleted"]
    xero.api.delete_batch_payment_by_url_param(
        xero.tenant, batch_payment_id=batch["BatchPaymentID"], batch_payment_delete_by_url_param={"Status": "DELETED"}
    )
    assert {now(xero, one)["Status"] for one in invoices} == {"AUTHORISED"}


def test_a_batch_payment_from_a_foreign_account_is_refused(xero: XeroClient) -> None:
    invoice = xero.invoice(xero.contact())
    part = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 110}
    body = {"Account": {"Code": "092"}, "Date": "2026-07-12", "Payments": [part]}
    element = xero.write("PUT", "BatchPayments", body)[0]
    assert messages(element) == ["Bank accounts must use the same currency as the organisations base currency"]
    assert now(xero, invoice)["Status"] == "AUTHORISED"


def test_a_credit_note_is_allocated_in_a_second_call(xero: XeroClient) -> None:
    contact = xero.contact()
    invoice, note = xero.invoice(contact), credit_note(xero, contact)
    allocation = {"Amount": 50, "Date": "2026-07-13", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    made = xero.api.create_credit_note_allocation(
        xero.tenant, credit_note_id=note["CreditNoteID"], allocations={"Allocations": [allocation]}
    ).allocations[0]
    after = now(xero, invoice)
    assert (after["AmountCredited"], after["AmountDue"]) == (50.0, 60.0)
    used = xero.read("/CreditNotes/CN-1")["CreditNotes"][0]
    assert (used["Status"], used["RemainingCredit"]) == ("PAID", 0.0)
    assert (
        "allocated to it"
        in messages(xero.write("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "Status": "VOIDED"})[0])[0]
    )
    xero.api.delete_credit_note_allocations(xero.tenant, note["CreditNoteID"], made.allocation_id)
    assert now(xero, invoice)["AmountDue"] == 110.0
    assert xero.read("/CreditNotes/CN-1")["CreditNotes"][0]["Status"] == "AUTHORISED"


def test_an_allocation_stays_within_the_credit_and_the_open_amount(xero: XeroClient) -> None:
    contact = xero.contact()
    invoice, note = xero.invoice(contact), credit_note(xero, contact)
    body = {"Amount": 60, "Date": "2026-07-13", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    answer = xero.http("PUT", f"/CreditNotes/{note['CreditNoteID']}/Allocations", {"Allocations": [body]})
    assert answer.status_code == 400
    assert messages(answer.json()["Elements"][0]) == ["The amount allocated exceeds the remaining credit"]


def test_a_refund_is_a_payment_of_the_credit_note(xero: XeroClient) -> None:
    note = credit_note(xero, xero.contact())
    refund = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"Code": "091"}}
    made = xero.put("Payments", refund | {"Amount": 50, "Date": "2026-07-14", "Reference": "refund"})
    assert made["PaymentType"] == "ARCREDITPAYMENT"
    assert xero.read("/CreditNotes/CN-1")["CreditNotes"][0]["Status"] == "PAID"
    assert xero.read("/Payments", page=1)["Payments"][0]["CreditNote"]["CreditNoteNumber"] == "CN-1"


def test_credit_note_numbers_are_unique(xero: XeroClient) -> None:
    contact = xero.contact()
    credit_note(xero, contact)
    body = {"Type": "ACCRECCREDIT", "CreditNoteNumber": "cn-1", "LineItems": [line()]}
    again = xero.write("PUT", "CreditNotes", body | {"Contact": {"ContactID": contact["ContactID"]}})[0]
    assert again["HasErrors"] is True
    assert messages(again) == ["Credit note # must be unique."]
