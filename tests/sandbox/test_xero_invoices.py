"""Xero's rules about invoices and bills."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.xero_client import COSTS, XeroClient, invoice_body, line, messages


def refused(xero: XeroClient, number: str = "T-9", **fields: Any) -> list[str]:
    contact = {"ContactID": xero.state()["Contacts"][0]["ContactID"]} if xero.state()["Contacts"] else xero.contact()
    element = xero.write("PUT", "Invoices", invoice_body(contact, number, **fields))[0]
    assert element["StatusAttributeString"] == "ERROR", element
    assert element["InvoiceID"] == "00000000-0000-0000-0000-000000000000"
    return messages(element)


def update(xero: XeroClient, document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return xero.write("POST", "Invoices", {"InvoiceID": document["InvoiceID"]} | fields)[0]


def test_the_sdk_creates_invoices_and_reads_them_back(xero: XeroClient) -> None:
    contact = xero.contact()
    made = xero.api.create_invoices(
        xero.tenant, invoices={"Invoices": [invoice_body(contact, "T-1", Reference="R-1")]}, summarize_errors=False
    ).invoices[0]
    assert (made.status, str(made.total), str(made.total_tax), str(made.amount_due)) == (
        "AUTHORISED",
        "110.0",
        "10.0",
        "110.0",
    )
    one = xero.api.get_invoice(xero.tenant, "T-1").invoices[0]
    assert (one.invoice_id, one.reference, one.date, one.contact.name) == (
        made.invoice_id,
        "R-1",
        date(2026, 7, 10),
        "Ana Souza",
    )
    listed = xero.api.get_invoices(xero.tenant, invoice_numbers=["t-1", "nothing"], page=1).invoices
    assert [one.invoice_number for one in listed] == ["T-1"]


@pytest.mark.parametrize(
    "day", ["2026-07-10", "2026-07-10T00:00:00", "/Date(1783641600000)/", "/Date(1783641600000+0000)/"]
)
def test_every_form_of_a_date_is_understood(xero: XeroClient, day: str) -> None:
    made = xero.invoice(xero.contact(), Date=day)
    assert made["Date"] == "/Date(1783641600000+0000)/"
    assert made["DateString"] == "2026-07-10T00:00:00"


def test_a_draft_needs_little_an_approved_one_a_due_date(xero: XeroClient) -> None:
    contact = xero.contact()
    body = {"Type": "ACCREC", "Contact": {"ContactID": contact["ContactID"]}, "LineItems": [{"Description": "text"}]}
    draft = xero.put("Invoices", body)
    assert (draft["Status"], draft["Total"], draft["InvoiceNumber"]) == ("DRAFT", 0.0, "INV-0001")
    assert "DueDate" not in draft
    assert messages(xero.write("PUT", "Invoices", body | {"Status": "AUTHORISED"})[0])[0] == (
        "The document DueDate field must be specified"
    )


def test_the_date_defaults_to_today_in_the_organisations_zone(xero: XeroClient) -> None:
    contact = xero.contact()
    xero.plain_control("clock", {"now": "2026-07-20T15:30:00Z"})
    xero.use(xero.token(grant_type="client_credentials").json())
    body = invoice_body(contact, "T-1")
    del body["Date"]
    assert xero.put("Invoices", body | {"DueDate": "2026-07-30"})["DateString"] == "2026-07-21T00:00:00"


def test_a_sales_number_is_unique_in_every_status_and_without_case(xero: XeroClient) -> None:
    contact = xero.contact()
    made = xero.invoice(contact, "Abc-1")
    assert refused(xero, "ABC-1") == ["Invoice # must be unique."]
    assert update(xero, made, Status="VOIDED")["Status"] == "VOIDED"
    assert refused(xero, "abc-1") == ["Invoice # must be unique."]


def test_two_elements_of_one_batch_cannot_have_one_number(xero: XeroClient) -> None:
    contact = xero.contact()
    first, second = xero.write("PUT", "Invoices", invoice_body(contact, "T-1"), invoice_body(contact, "T-1"))
    assert first["StatusAttributeString"] == "OK"
    assert messages(second) == ["Invoice # must be unique."]


def test_post_with_a_taken_number_replaces_that_invoice(xero: XeroClient) -> None:
    contact = xero.contact()
    made = xero.invoice(contact, "T-1")
    again = xero.write("POST", "Invoices", invoice_body(contact, "t-1", LineItems=[line(UnitAmount=55)]))[0]
    assert (again["InvoiceID"], again["Total"]) == (made["InvoiceID"], 55.0)
    assert len(xero.state()["Invoices"]) == 1


def test_bills_may_have_one_number_twice_and_lose_their_reference(xero: XeroClient) -> None:
    contact = xero.contact()
    first = xero.bill(contact, "B-1", Reference="gone")
    second = xero.bill(contact, "B-1")
    assert first["InvoiceID"] != second["InvoiceID"]
    assert not first.get("Reference")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"LineItems": [line(AccountCode="777")]}, "Account code '777' is not a valid code for this document."),
        ({"LineItems": [line(AccountCode="090")]}, "Account code '090' is not a valid code for this document."),
        (
            {"LineItems": [line(AccountCode="299")]},
            "Account code '299' has been archived, or has been deleted. Each line item must reference a valid account.",
        ),
        (
            {"LineItems": [line(TaxType="INPUT")]},
            "The TaxType code 'INPUT' cannot be used with account code '200'.",
        ),
        (
            {"LineItems": [line(TaxType="NOSUCH")]},
            "The TaxType code 'NOSUCH' cannot be used with account code '200'.",
        ),
        ({"LineItems": [line(ItemCode="X")]}, "Item code 'X' is not valid"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"CurrencyCode": "CAD"}, "Organisation is not subscribed to currency CAD"),
        ({"Status": "PAID"}, "Invoice not of valid status for creation"),
        ({"Contact": {}}, "A Contact must be specified for this type of transaction"),
        ({"LineItems": [line(UnitAmount=10_000_000_000)]}, "The line amount must not be more than 9999999999.99."),
        ({"LineItems": [line(UnitAmount=-1)]}, "The document total cannot be negative."),
    ],
)
def test_xero_says_why_it_refuses_an_invoice(xero: XeroClient, fields: dict[str, Any], expected: str) -> None:
    assert refused(xero, **fields) == [expected]


def test_two_reasons_are_two_messages(xero: XeroClient) -> None:
    found = refused(xero, CurrencyCode="CAD", LineItems=[line(AccountCode="777")])
    assert len(found) == 2


@pytest.mark.parametrize(
    ("mode", "net", "tax", "total"),
    [("Inclusive", 300.15, 30.0, 330.15), ("Exclusive", 330.15, 33.03, 363.18), ("NoTax", 330.15, 0.0, 330.15)],
)
def test_tax_is_rounded_per_line_and_then_added_up(
    xero: XeroClient, mode: str, net: float, tax: float, total: float
) -> None:
    made = xero.invoice(xero.contact(), LineAmountTypes=mode, LineItems=[line(UnitAmount=110.05)] * 3)
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (net, tax, total)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.integers(1, 10_000_000), min_size=1, max_size=6),
    mode=st.sampled_from(["Inclusive", "Exclusive", "NoTax"]),
)
def test_totals_always_add_up_to_the_cent(shared_xero: XeroClient, amounts: list[int], mode: str) -> None:
    lines = [line(UnitAmount=amount / 100) for amount in amounts]
    body = {"Type": "ACCREC", "Contact": {"Name": "Ana"}, "LineAmountTypes": mode, "LineItems": lines}
    made = shared_xero.put("Invoices", body)
    assert round(made["SubTotal"] + made["TotalTax"], 2) == made["Total"] == made["AmountDue"]
    whole = round(sum(one["LineAmount"] for one in made["LineItems"]), 2)
    assert whole == sum(amounts) / 100 == (made["SubTotal"] if mode == "Exclusive" else made["Total"])


def test_unit_amounts_have_two_decimals_unless_four_are_asked_for(xero: XeroClient) -> None:
    contact = xero.contact()
    two = xero.invoice(contact, "T-2", LineItems=[line(UnitAmount=1.23456, Quantity=100)])
    assert (two["LineItems"][0]["UnitAmount"], two["Total"]) == (1.23, 123.0)
    four = xero.put(
        "Invoices", invoice_body(contact, "T-4", LineItems=[line(UnitAmount=1.23456, Quantity=100)]), unitdp=4
    )
    assert (four["LineItems"][0]["UnitAmount"], four["Total"]) == (1.2346, 123.46)


def test_a_foreign_invoice_keeps_its_rate_in_foreign_units_for_one_base_unit(xero: XeroClient) -> None:
    contact = xero.contact()
    given_rate = xero.invoice(contact, "T-1", CurrencyCode="USD", CurrencyRate=0.65)
    assert (given_rate["CurrencyCode"], given_rate["CurrencyRate"]) == ("USD", 0.65)
    of_the_day = xero.invoice(contact, "T-2", CurrencyCode="JPY")
    assert of_the_day["CurrencyRate"] > 50


@pytest.mark.parametrize(
    ("start", "steps"),
    [
        ("DRAFT", ["SUBMITTED", "DRAFT", "AUTHORISED", "VOIDED"]),
        ("DRAFT", ["DELETED"]),
        ("SUBMITTED", ["DELETED"]),
        ("SUBMITTED", ["AUTHORISED"]),
    ],
)
def test_the_ways_that_a_status_may_go(xero: XeroClient, start: str, steps: list[str]) -> None:
    made = xero.invoice(xero.contact(), Status=start)
    for status in steps:
        assert update(xero, made, Status=status)["Status"] == status


@pytest.mark.parametrize(
    ("path", "wrong"),
    [(["AUTHORISED"], "DRAFT"), (["AUTHORISED"], "DELETED"), (["DRAFT"], "VOIDED"), (["DRAFT", "DELETED"], "DRAFT")],
)
def test_the_ways_that_a_status_may_not_go(xero: XeroClient, path: list[str], wrong: str) -> None:
    made = xero.invoice(xero.contact(), Status=path[0])
    for status in path[1:]:
        update(xero, made, Status=status)
    assert messages(update(xero, made, Status=wrong)) == ["Invoice not of valid status for modification"]


def test_voided_and_deleted_documents_stay_in_the_lists(xero: XeroClient) -> None:
    contact = xero.contact()
    update(xero, xero.invoice(contact, "T-1"), Status="VOIDED")
    update(xero, xero.invoice(contact, "T-2", Status="DRAFT"), Status="DELETED")
    found = xero.read("/Invoices", page=1)["Invoices"]
    assert {one["InvoiceNumber"]: (one["Status"], one["AmountDue"]) for one in found} == {
        "T-1": ("VOIDED", 0.0),
        "T-2": ("DELETED", 0.0),
    }


def test_lines_are_replaced_unless_their_line_item_id_is_given(xero: XeroClient) -> None:
    made = xero.invoice(xero.contact(), LineItems=[line(Description="one"), line(Description="two")])
    kept = made["LineItems"][0]["LineItemID"]
    changed = update(xero, made, LineItems=[{"LineItemID": kept, "Description": "one, again"}, line(UnitAmount=11)])
    assert changed["LineItems"][0]["LineItemID"] == kept
    assert changed["LineItems"][0]["UnitAmount"] == 110.0
    assert changed["Total"] == 121.0
    assert made["LineItems"][1]["LineItemID"] not in {one["LineItemID"] for one in changed["LineItems"]}


def test_a_document_with_a_payment_keeps_its_amounts_but_not_its_texts(xero: XeroClient) -> None:
    made = xero.invoice(xero.contact())
    xero.pay(made, 10)
    assert update(xero, made, Reference="new", DueDate="2026-08-01")["Reference"] == "new"
    assert messages(update(xero, made, LineItems=[line(UnitAmount=200)])) == [
        "Invoice not of valid status for modification",
        "This document cannot be edited as it has a payment or credit note allocated to it.",
    ]
    same = dict(made["LineItems"][0], Description="another text", AccountCode="205")
    changed = update(xero, made, LineItems=[same])
    assert changed["LineItems"][0]["Description"] == "another text"
    assert messages(update(xero, made, Status="VOIDED")) == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it."
    ]


def test_a_due_date_moved_on_a_part_paid_invoice_does_not_move_its_update_time(xero: XeroClient) -> None:
    made = xero.invoice(xero.contact())
    xero.pay(made, 10)
    before = xero.read("/Invoices/T-1")["Invoices"][0]["UpdatedDateUTC"]
    xero.clock(60)
    assert update(xero, made, DueDate="2026-08-20")["UpdatedDateUTC"] == before
    assert update(xero, made, Reference="seen")["UpdatedDateUTC"] != before


def test_an_amount_changed_on_a_paid_bill_is_dropped_without_a_word(xero: XeroClient) -> None:
    bill = xero.bill(xero.contact())
    xero.pay(bill, 110)
    answer = update(xero, bill, LineItems=[line(AccountCode=COSTS, TaxType="INPUT", UnitAmount=99)])
    assert (answer["StatusAttributeString"], answer["Total"]) == ("OK", 110.0)


def test_tracking_is_kept_by_name_and_refused_when_unknown(xero: XeroClient) -> None:
    office = [{"Name": "Office", "Option": "Sydney"}]
    made = xero.invoice(xero.contact(), LineItems=[line(Tracking=office)])
    assert made["LineItems"][0]["Tracking"][0]["Option"] == "Sydney"
    assert len(refused(xero, LineItems=[line(Tracking=[{"Name": "Office", "Option": "Moon"}])])) == 1


def test_an_item_fills_in_what_the_line_leaves_out(xero: XeroClient) -> None:
    item = {"Code": "VISA", "Name": "Visa", "Description": "Visa help"}
    item["SalesDetails"] = {"UnitPrice": 45, "AccountCode": "205", "TaxType": "OUTPUT"}  # type: ignore[assignment]
    xero.put("Items", item)
    made = xero.invoice(xero.contact(), LineItems=[{"ItemCode": "VISA", "Quantity": 2}])
    only = made["LineItems"][0]
    assert (only["Description"], only["AccountCode"], made["Total"]) == ("Visa help", "205", 90.0)


def test_a_rounding_amount_needs_all_totals_and_stays_within_ten_cents(xero: XeroClient) -> None:
    contact = xero.contact()
    totals = {"SubTotal": 100, "TotalTax": 10, "Total": 110.05, "RoundingAmount": 0.05}
    assert xero.put("Invoices", invoice_body(contact, "T-1", **totals))["Total"] == 110.05
    assert refused(xero, **(totals | {"RoundingAmount": 0.5})) == ["The RoundingAmount is not valid for this document."]


def test_a_link_to_ourselves_must_not_mention_xero(xero: XeroClient) -> None:
    assert xero.invoice(xero.contact(), Url="https://app.qualy.example/p/1")["Url"] == "https://app.qualy.example/p/1"
    assert refused(xero, Url="https://app.example/xero/1") == ["Url must be a valid link that does not contain 'xero'."]


def test_history_notes_stay_with_the_invoice(xero: XeroClient) -> None:
    made = xero.invoice(xero.contact())
    xero.api.create_invoice_history(
        xero.tenant, invoice_id=made["InvoiceID"], history_records={"HistoryRecords": [{"Details": "Sent by sync"}]}
    )
    notes = xero.api.get_invoice_history(xero.tenant, invoice_id=made["InvoiceID"]).history_records
    assert [(note.details, note.user) for note in notes] == [("Sent by sync", "System Generated")]
