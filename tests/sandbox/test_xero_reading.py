"""Reading lists: paging, filters, order, changed-since; and what the stand-in holds from the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.population import Population
from tests.sandbox.xero_client import TODAY, WEB, XeroClient, invoice_body, xero_sandbox


@pytest.fixture(scope="module")
def filled() -> Iterator[XeroClient]:
    """Twelve invoices of two contacts, written a minute apart in three calls."""
    with xero_sandbox() as client:
        client.reset()
        contacts = [client.contact("Ana"), client.contact("Bea")]
        for call in range(3):
            bodies = [
                invoice_body(
                    contacts[number % 2], f"T-{call}{number}", Date=f"2026-07-{call + 1:02d}", Reference=f"R{number}"
                )
                for number in range(4)
            ]
            client.write("PUT", "Invoices", *bodies)
            client.clock(60)
        yield client


def found(xero: XeroClient, **query: object) -> list[str]:
    return [one["InvoiceNumber"] for one in xero.read("/Invoices", **query)["Invoices"]]


def test_pages_hold_every_invoice_once(filled: XeroClient) -> None:
    pages = [filled.read("/Invoices", page=page, pageSize=5) for page in (1, 2, 3, 4)]
    assert [len(page["Invoices"]) for page in pages] == [5, 5, 2, 0]
    assert pages[0]["pagination"] == {"page": 1, "pageSize": 5, "pageCount": 3, "itemCount": 12}
    assert len({one["InvoiceID"] for page in pages for one in page["Invoices"]}) == 12


@pytest.mark.parametrize(("asked", "given"), [("0", 1), ("5000", 1000), ("7", 7), ("many", 100)])
def test_a_page_size_out_of_range_is_clamped(filled: XeroClient, asked: str, given: int) -> None:
    assert filled.read("/Invoices", page=1, pageSize=asked)["pagination"]["pageSize"] == given


def test_lines_come_only_with_paging_or_one_document(filled: XeroClient) -> None:
    whole = filled.read("/Invoices")
    assert "pagination" not in whole
    assert all(one["LineItems"] == [] for one in whole["Invoices"])
    assert all(one["LineItems"] for one in filled.read("/Invoices", page=1)["Invoices"])
    assert filled.read("/Invoices/T-00")["Invoices"][0]["LineItems"]
    assert "LineItems" not in filled.read("/Invoices", page=1, summaryOnly="True")["Invoices"][0]


def test_lists_of_ids_numbers_contacts_and_statuses(filled: XeroClient) -> None:
    first = filled.read("/Invoices", page=1)["Invoices"][:2]
    ids = ",".join(one["InvoiceID"] for one in first)
    assert len(found(filled, IDs=ids)) == 2
    assert found(filled, InvoiceNumbers="t-00,T-23,T-99") == ["T-00", "T-23"]
    contact = next(one for one in filled.state()["Contacts"] if one["Name"] == "Ana")
    assert len(found(filled, ContactIDs=contact["ContactID"])) == 6
    assert found(filled, Statuses="VOIDED,PAID") == []


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ('Type=="ACCREC" AND Contact.Name=="ana"', 6),
        ('Status=="PAID" OR Reference=="r1"', 3),
        ("Date>=DateTime(2026,7,2) && Date<DateTime(2026,07,03)", 4),
        ("Date==DateTime(2026,7,3)", 4),
        ('InvoiceNumber.StartsWith("T-0")', 4),
        ('InvoiceNumber.Contains("-2") AND !(Reference=="R1")', 3),
        ("AmountDue>100 and AmountPaid==0", 12),
        ("AmountDue<110", 0),
        ("DueDate!=null AND Url==null", 12),
        ("SentToContact==false", 12),
        ('(Reference="R0" or Reference="R1") and Date<=DateTime(2026,7,1)', 2),
    ],
)
def test_filters(filled: XeroClient, where: str, count: int) -> None:
    assert filled.read("/Invoices", where=where, page=1)["pagination"]["itemCount"] == count


@pytest.mark.parametrize(
    "where",
    [
        'Nonsense=="x"',
        'Reference=="a',
        "Reference==",
        'InvoiceID=="7839892f-1603-4780-acd3-d15c65885270"',
        'Date=="2026-07-01"',
        'Contact.ContactID==Guid("no-guid")',
        'Reference=="a\\"b"',
        "(((",
        "DateTime(2026,13,1)==Date",
    ],
)
def test_a_filter_that_xero_cannot_read_is_a_query_parse_exception(filled: XeroClient, where: str) -> None:
    answer = filled.http("GET", "/Invoices", where=where)
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


def test_the_order_is_by_update_unless_asked_otherwise(filled: XeroClient) -> None:
    by_update = filled.read("/Invoices", page=1)["Invoices"]
    keys = [(one["UpdatedDateUTC"], one["InvoiceID"]) for one in by_update]
    assert keys == sorted(keys)
    assert found(filled, order="InvoiceNumber DESC", page=1)[0] == "T-23"
    assert filled.http("GET", "/Invoices", order="Nonsense").status_code == 400


def test_changed_since_works_to_the_second(filled: XeroClient) -> None:
    stamps = sorted({one["UpdatedDateUTCString"] for one in filled.read("/Invoices", page=1)["Invoices"]})
    last_call = stamps[-1][:19]
    newest = filled.sdk_changed_since(last_call)
    assert {number[:3] for number in newest} == {"T-2"}
    assert len(newest) == 4
    assert len(filled.sdk_changed_since("2026-07-01T00:00:00")) == 12


def test_an_address_that_is_too_long_is_404(filled: XeroClient) -> None:
    many = ",".join(["7839892f-1603-4780-acd3-d15c65885270"] * 56)
    answer = filled.http("GET", "/Invoices", IDs=many)
    assert (answer.status_code, "cannot be found" in answer.text) == (404, True)
    assert filled.http("GET", "/Invoices", IDs=many[: 37 * 40 - 1]).status_code == 200


def test_the_sdk_reads_everything_that_the_organisation_has(xero: XeroClient) -> None:
    api, tenant = xero.api, xero.tenant
    accounts = {one.code: one for one in api.get_accounts(tenant).accounts}
    assert (accounts["091"].currency_code.value, accounts["092"].currency_code.value) == ("AUD", "USD")
    assert accounts["096"].enable_payments_to_account is True
    assert accounts["299"].status == "ARCHIVED"
    assert {one.tax_type for one in api.get_tax_rates(tenant).tax_rates} >= {"OUTPUT", "INPUT", "EXEMPTOUTPUT"}
    assert {one.code.value for one in api.get_currencies(tenant).currencies} == {"AUD", "USD", "EUR", "GBP", "JPY"}
    assert api.get_tracking_categories(tenant).tracking_categories[0].name == "Office"
    assert api.get_branding_themes(tenant).branding_themes[0].name == "Standard"
    where = 'Type=="BANK" AND Status=="ACTIVE"'
    assert len(api.get_accounts(tenant, where=where).accounts) == 6
    assert api.get_account(tenant, accounts["200"].account_id).accounts[0].name == "Sales"


@pytest.mark.parametrize(("profile", "base", "taxes"), [("us", "USD", {"NONE", "TAX001"}), ("br", "BRL", {"NONE"})])
def test_other_profiles_have_their_own_base_currency_and_taxes(profile: str, base: str, taxes: set[str]) -> None:
    with xero_sandbox(profile=profile) as xero:
        assert xero.api.get_organisations(xero.tenant).organisations[0].base_currency.value == base
        assert {one.tax_type for one in xero.api.get_tax_rates(xero.tenant).tax_rates} == taxes


def test_from_the_start_it_holds_people_of_qualys_in_every_untidy_way() -> None:
    with xero_sandbox(payments=500) as xero:
        held = xero.state()
    population = Population(seed=1, profile="au", today=TODAY, payments=500)
    customers = [population.customer(index) for index in range(60)]
    emails = {str(one.get("email") or "").lower() for one in customers}
    ours = [one for one in held["Contacts"] if one["EmailAddress"].lower() in emails]
    assert len(held["Contacts"]) >= 38
    assert any(one["EmailAddress"].isupper() for one in ours)
    assert any(one["ContactStatus"] == "ARCHIVED" for one in ours)
    shared = Counter(one["EmailAddress"].lower() for one in ours if one["ContactStatus"] == "ACTIVE")
    assert list(shared.values()).count(2) == 1
    assert held["Payments"]
    assert {one["Type"] for one in held["Invoices"]} == {"ACCREC", "ACCPAY"}


def test_from_the_start_one_invoice_looks_like_a_payment_of_qualys() -> None:
    with xero_sandbox(payments=500) as xero:
        held = xero.state()
    population = Population(seed=1, profile="au", today=TODAY, payments=500)
    twin = next(one for one in held["Invoices"] if one["InvoiceNumber"] == "HAND-190")
    payments = [population.payment(index) for index in range(400)]
    assert any(
        (one["amount"] / (1 if one["currency"] == "JPY" else 100), one["currency"])
        == (twin["Total"], twin["CurrencyCode"])
        for one in payments
    )


def test_what_is_loaded_is_what_is_held_and_totals_are_filled_in(xero: XeroClient) -> None:
    contact = {"ContactID": "11111111-2222-4333-8444-555555555555", "Name": "Loaded"}
    invoice = {
        "Type": "ACCREC",
        "InvoiceNumber": "L-1",
        "Contact": contact,
        "Date": "2026-07-01",
        "DueDate": "2026-07-09",
    }
    invoice["LineItems"] = [{"Description": "x", "LineAmount": 10.0, "TaxAmount": 1.0, "AccountCode": "200"}]
    counts = xero.plain_control("load/xero", {"Contacts": [contact], "Invoices": [invoice]})
    assert counts == {"loaded": {"Contacts": 1, "Invoices": 1}}
    held = xero.read("/Invoices/L-1")["Invoices"][0]
    assert (held["Total"], held["AmountDue"], held["Contact"]["Name"]) == (11.0, 11.0, "Loaded")
    state = xero.state()
    xero.plain_control("load/xero", state)
    assert xero.state() == state


def test_a_load_that_makes_no_sense_changes_nothing(xero: XeroClient) -> None:
    xero.contact()
    for wrong in ({"Nonsense": []}, {"Contacts": [{"EmailAddress": "a@b.example"}]}, {"Invoices": [{"Type": "X"}]}):
        assert WEB.post(f"{xero.sandbox.url}/control/load/xero", json=wrong).status_code == 400
    assert len(xero.state()["Contacts"]) == 1
