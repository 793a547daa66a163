"""The query language and change data capture of the stand-in, asked with the SDK and with plain statements."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import ValidationException
from quickbooks.objects import Bill, CompanyInfo, Customer, Invoice, Item, Payment, Preferences, Vendor

from tests.sandbox.quickbooks_client import QuickBooksClient


def people(books: QuickBooksClient, number: int) -> None:
    books.control("load", {"Customer": [{"DisplayName": f"Person {n:04}"} for n in range(number)]})


def test_pages_are_a_hundred_long_unless_asked_and_a_thousand_at_most(books: QuickBooksClient) -> None:
    people(books, 1100)
    assert len(Customer.where(qb=books.qb)) == 100
    assert len(Customer.where(max_results=1500, qb=books.qb)) == 1000
    rest = Customer.where(start_position=1001, max_results=1000, order_by="Id", qb=books.qb)
    assert [len(rest), rest[0].DisplayName] == [100, "Person 1000"]
    assert Customer.where(start_position=1101, max_results=1000, qb=books.qb) == []
    assert Customer.count(qb=books.qb) == 1100
    assert books.query("select * from Customer startposition 2000") == {}
    books.set_readings(short_pages=7)
    assert books.query("select * from Customer maxresults 50")["maxResults"] == 7


def test_statements_in_every_spelling_are_understood(books: QuickBooksClient) -> None:
    customer = books.customer("Ana O'Neill")
    books.customer("Bea Lima")
    for statement, names in (
        ("SELECT * FROM Customer WHERE DisplayName = 'Ana O\\'Neill'", ["Ana O'Neill"]),
        ("select * from customer where displayname = 'ANA o\\'neill'", ["Ana O'Neill"]),
        ("select * from Customer where DisplayName LIKE '%Lim%'", ["Bea Lima"]),
        ("select * from Customer where DisplayName != 'Bea Lima'", ["Ana O'Neill"]),
        (f"select * from Customer where Id = '{customer.Id}' and Active = true", ["Ana O'Neill"]),
        (f"select * from Customer where Id IN ('{customer.Id}', '9')", ["Ana O'Neill"]),
        ("select * from Customer where Active IN (true,false) ORDERBY DisplayName DESC", ["Bea Lima", "Ana O'Neill"]),
        ("select * from Customer order by DisplayName", ["Ana O'Neill", "Bea Lima"]),
        ("select Id, DisplayName from Customer order by Id desc maxresults 1", ["Bea Lima"]),
        ("select * from Customer where CompanyName = ' '", ["Ana O'Neill", "Bea Lima"]),
        ("select * from Customer where MetaData.LastUpdatedTime > '2020-01-01' and Balance = '0'",
         ["Ana O'Neill", "Bea Lima"]),
    ):  # fmt: skip
        found = books.query(statement).get("Customer", [])
        assert [one["DisplayName"] for one in found] == names, statement
    assert {one.Id for one in Item.all(qb=books.qb)} >= {"201", "202"}
    assert len(Customer.choose([customer.Id, "77"], qb=books.qb)) == 1
    assert len(Customer.filter(DisplayName="Ana O'Neill", qb=books.qb)) == 1


def test_documents_are_found_by_number_party_date_and_amount(books: QuickBooksClient) -> None:
    customer = books.customer()
    first = books.invoice(customer, "T-1")
    books.invoice(customer, "T-2", amount=200, TxnDate="2026-06-01")
    books.pay(first, 110, PaymentRefNum="REF-1")
    for where, numbers in (
        ("DocNumber IN ('t-1', 'T-2', 'T-3')", ["T-1", "T-2"]),
        (f"CustomerRef = '{customer.Id}' and TxnDate >= '2026-07-01' and TxnDate <= CURRENT_DATE", ["T-1"]),
        ("TotalAmt > '150.5'", ["T-2"]),
        ("Balance = '0'", ["T-1"]),
    ):
        assert [one.DocNumber for one in Invoice.where(where, order_by="Id", qb=books.qb)] == numbers, where
    assert Payment.where("PaymentRefNum IN ('REF-1','REF-2')", qb=books.qb)[0].TotalAmt == 110
    assert Invoice.count("DocNumber = 'T-1'", qb=books.qb) == 1


def test_what_cannot_be_asked_is_an_error_and_never_an_empty_answer(books: QuickBooksClient) -> None:
    for statement, code in (
        ("select * from Payment where PrivateNote = 'x'", "4001"),
        ("select * from Invoice where PrivateNote = 'x'", "4001"),
        ("select * from Payment where DocNumber = 'x'", "4001"),
        ("select * from Vendor where PrimaryEmailAddr = 'a@b.example'", "4001"),
        ("select * from Vendor where AcctNum = '1'", "4001"),
        ("select * from Customer where Id > '5'", "4001"),
        ("select * from Customer where Balance = 'much'", "4001"),
        ("select * from Nothing", "4001"),
        ("select * from Customer where DisplayName = 'Adam's'", "4000"),
        ("select * from Customer where DisplayName = 'a' or DisplayName = 'b'", "4000"),
        ("select * from Customer where DisplayName", "4000"),
        ("select * from", "4000"),
        ("delete from Customer", "4000"),
        ("select * from Customer startposition 0", "4000"),
    ):
        assert books.query_error(statement)["code"] == code, statement
    assert (
        "property 'PrivateNote' is not queryable"
        in books.query_error("select * from Payment where PrivateNote = 'x'")["Detail"]
    )
    with pytest.raises(ValidationException) as caught:
        Vendor.where("PrimaryEmailAddr = 'a@b.example'", qb=books.qb)
    assert caught.value.error_code == 4001
    books.set_readings(vendor_email_queryable=True)
    assert Vendor.where("PrimaryEmailAddr = 'a@b.example'", qb=books.qb) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30))
def test_every_name_is_found_by_its_escaped_form(books: QuickBooksClient, name: str) -> None:
    books.control("load", {"Customer": [{"DisplayName": name}, {"DisplayName": "Someone else entirely"}]})
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    if not name.strip():
        return
    found = books.query(f"select * from Customer where DisplayName = '{escaped}'")
    assert [one["DisplayName"] for one in found["Customer"]] == [name]


def test_the_company_and_its_settings_can_be_read(books: QuickBooksClient) -> None:
    assert Preferences.get(qb=books.qb).CurrencyPrefs.HomeCurrency.value == "AUD"
    assert Preferences.get(qb=books.qb).AccountingInfoPrefs.BookCloseDate == ""
    assert books.query("select * from Preferences")["Preferences"][0]["SalesFormsPrefs"]["CustomTxnNumbers"] is True
    assert CompanyInfo.get(books.realm, qb=books.qb).Country == "AU"
    assert books.query("select * from CompanyInfo")["CompanyInfo"][0]["CompanyName"].endswith("(stand-in)")
    kept = books.http("GET", "preferences").json()["Preferences"]
    asked = {"SyncToken": kept["SyncToken"], "AccountingInfoPrefs": {"BookCloseDate": "2026-01-31"}}
    answer = books.post("Preferences", asked | {"SalesFormsPrefs": {"AllowDeposit": True}})
    assert answer["SalesFormsPrefs"]["AllowDeposit"] is True
    assert "BookCloseDate" not in answer["AccountingInfoPrefs"], "the closing date is for people alone"


def test_changes_are_told_since_a_moment_with_what_is_gone(books: QuickBooksClient) -> None:
    bill = books.bill(books.vendor())
    gone = books.bill(Vendor.get(bill.VendorRef.value, qb=books.qb), "B-2")
    books.clock(1800)
    customer = books.customer()
    gone.delete(qb=books.qb)
    since = books.http("GET", "preferences").json()["time"]
    recent = (since[:-6]).split("T")[0]
    answer = change_data_capture([Customer, Bill, Invoice], f"{recent}T00:00:00-07:00", qb=books.qb)
    assert [one.Id for one in answer.Customer] == [customer.Id]
    assert {one.Id for one in answer.Bill} == {bill.Id, gone.Id}
    assert not hasattr(answer, "Invoice"), "a kind without changes is absent"
    raw = books.http("GET", "cdc", entities="Bill", changedSince=f"{recent}T00:00:00-07:00").json()
    bills = {one["Id"]: one for one in raw["CDCResponse"][0]["QueryResponse"][0]["Bill"]}
    assert bills[gone.Id]["status"] == "Deleted"
    assert bills[bill.Id]["DocNumber"] == "B-1"


def test_changes_have_their_limits(books: QuickBooksClient) -> None:
    people(books, 1100)
    now = books.http("GET", "preferences").json()["time"]
    day = now.split("T")[0]
    raw = books.http("GET", "cdc", entities="Customer,Vendor", changedSince=f"{day}T00:00:00-07:00").json()
    assert [one.get("maxResults") for one in raw["CDCResponse"][0]["QueryResponse"]] == [1000, None]
    for entities, since, code in (
        ("Customer", "2026-01-01", "2070"),
        ("Customer", "yesterday", "2060"),
        ("TaxCode", day, "2010"),
        ("", day, "2020"),
    ):
        answer = books.http("GET", "cdc", entities=entities, changedSince=since)
        assert answer.json()["Fault"]["Error"][0]["code"] == code


def test_stale_reads_show_what_was_there_before(books: QuickBooksClient) -> None:
    books.clock(60)
    books.invoice(books.customer())
    books.fault("stale_reads:30", path=f"/v3/company/{books.realm}/query")
    assert Invoice.where("DocNumber = 'T-1'", qb=books.qb) == []
    assert len(Invoice.where("DocNumber = 'T-1'", qb=books.qb)) == 1
