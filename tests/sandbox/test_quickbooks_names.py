"""Customers, vendors and the other lists in the stand-in: names, emails, leaving and coming back."""

from __future__ import annotations

import pytest
from quickbooks.exceptions import QuickbooksException
from quickbooks.objects import Account, Customer, Item, TaxCode, TaxRate, Vendor

from tests.sandbox.quickbooks_client import QuickBooksClient, quickbooks_sandbox


def test_a_new_customer_as_the_sdk_sends_it(books: QuickBooksClient) -> None:
    made = books.customer("José Núñez 王芳")
    assert (made.SyncToken, made.Active, made.Balance, made.CurrencyRef.value) == ("0", True, 0, "AUD")
    kept = books.read("Customer", made.Id)
    assert (kept["DisplayName"], kept["FullyQualifiedName"]) == ("José Núñez 王芳", "José Núñez 王芳")
    assert "GivenName" not in kept, "an empty text is not given"
    assert kept["MetaData"]["CreateTime"].endswith("-07:00")


def test_a_name_is_there_once_among_customers_vendors_and_employees(books: QuickBooksClient) -> None:
    customer = books.customer("Ana Souza")
    for make in (books.customer, books.vendor):
        with pytest.raises(QuickbooksException) as caught:
            make("ANA SOUZA")
        assert (caught.value.error_code, caught.value.message) == (6240, "Duplicate Name Exists Error")
    assert "Another customer, vendor or employee" in caught.value.detail
    assert books.refused("Customer", {"DisplayName": "ana souza"})["Detail"].endswith(f"Id={customer.Id}")
    assert books.refused("Employee", {"GivenName": "Ana", "FamilyName": "Souza"})["code"] == "6240"
    vendor = books.vendor("Ana Souza (supplier)")
    rename = {"Id": vendor.Id, "SyncToken": "0", "sparse": True, "DisplayName": "Ana Souza"}
    assert books.refused("Vendor", rename)["code"] == "6240"
    books.set_readings(duplicate_name_id="always")
    assert books.refused("Vendor", {"DisplayName": "Ana Souza"})["Detail"].endswith(f"Id={customer.Id}")


def test_a_name_is_made_of_its_parts_and_has_no_colon(books: QuickBooksClient) -> None:
    made = books.post("Customer", {"GivenName": "Ana", "FamilyName": "Souza", "DisplayName": ""})
    assert made["DisplayName"] == "Ana Souza"
    for body, code in (
        ({}, "6080"),
        ({"DisplayName": "a:b"}, "2040"),
        ({"DisplayName": "a\tb"}, "2040"),
        ({"GivenName": "x" * 101}, "2050"),
        ({"DisplayName": "Z", "PrimaryEmailAddr": {"Address": "no at"}}, "2210"),
        ({"DisplayName": "Z", "PrimaryEmailAddr": {"Address": f"{'x' * 95}@m.example"}}, "2050"),
    ):
        assert books.refused("Customer", body)["code"] == code, body


def test_several_people_may_have_one_email(books: QuickBooksClient) -> None:
    for name in ("Ana Souza", "Ana Lima"):
        books.customer(name)
    assert len(Customer.where("PrimaryEmailAddr = 'ANA@mail.example'", qb=books.qb)) == 2
    books.set_readings(customer_email_queryable=False)
    assert books.query_error("select * from Customer where PrimaryEmailAddr = 'a@b.example'")["code"] == "4001"


def test_nobody_is_deleted_only_made_inactive(books: QuickBooksClient) -> None:
    customer = books.customer()
    assert books.refused("Customer", {"Id": customer.Id, "SyncToken": "0"}, operation="delete")["code"] == "500"
    customer.Active = False
    gone = customer.save(qb=books.qb)
    assert (gone.Active, gone.DisplayName) == (False, "Ana Souza (deleted)")
    assert Customer.filter(DisplayName="Ana Souza (deleted)", qb=books.qb) == []
    assert len(Customer.where("Active IN (true, false)", qb=books.qb)) == 1
    assert Customer.get(customer.Id, qb=books.qb).Active is False
    assert books.customer().DisplayName == "Ana Souza", "the name is free again"
    with pytest.raises(QuickbooksException) as caught:
        books.invoice(gone)
    assert caught.value.error_code == 610


def test_who_owes_something_cannot_leave(books: QuickBooksClient) -> None:
    customer = books.customer()
    invoice = books.invoice(customer)
    leave = {"Id": customer.Id, "SyncToken": "0", "sparse": True, "Active": False}
    assert books.refused("Customer", leave)["code"] == "6220"
    books.pay(invoice, 110)
    assert books.post("Customer", leave)["Active"] is False
    back = leave | {"SyncToken": "1", "Active": True}
    assert books.post("Customer", back)["DisplayName"] == "Ana Souza"


def test_without_the_suffix_an_inactive_name_stays_taken(books: QuickBooksClient) -> None:
    books.set_readings(deleted_suffix=False)
    books.customer()
    books.ui("inactivate_customer", customer="Ana Souza")
    assert books.refused("Vendor", {"DisplayName": "Ana Souza"})["code"] == "6240"


def test_a_blank_in_a_sparse_update_blanks_the_field(books: QuickBooksClient) -> None:
    customer = books.post("Customer", {"DisplayName": "Ana", "GivenName": "Ana", "Notes": "vip"})
    head = {"Id": customer["Id"], "SyncToken": "0", "sparse": True}
    changed = books.post("Customer", head | {"Notes": ""})
    assert "Notes" not in changed
    assert changed["GivenName"] == "Ana"
    full = books.post("Customer", {"Id": customer["Id"], "SyncToken": "1", "DisplayName": "Ana"})
    assert "GivenName" not in full


def test_the_chart_can_be_read_and_extended(books: QuickBooksClient) -> None:
    clearing = Account.filter(Name="Qualy Clearing USD", qb=books.qb)[0]
    assert (clearing.Id, clearing.AccountType, clearing.CurrencyRef.value) == ("42", "Bank", "USD")
    items = {one.Id: one.IncomeAccountRef.value for one in Item.all(qb=books.qb)}
    assert items["201"] == "81"
    assert "209" not in items, "an inactive one is not listed"
    assert TaxCode.get("10", qb=books.qb).SalesTaxRateList.TaxRateDetail[0].TaxRateRef.value == "3"
    assert TaxRate.get("3", qb=books.qb).RateValue == 10
    made = books.post("Account", {"Name": "More Sales", "AccountType": "Income"})
    assert made["Classification"] == "Revenue"
    assert books.refused("Account", {"Name": "more sales", "AccountType": "Income"})["code"] == "6240"
    assert books.refused("Account", {"Name": "X", "AccountType": "Pocket"})["code"] == "2170"
    item = {"Name": "Workshop", "Type": "Service", "IncomeAccountRef": {"value": made["Id"]}}
    assert books.post("Item", item)["IncomeAccountRef"]["name"] == "More Sales"
    assert books.refused("Item", item)["code"] == "6240"
    assert books.refused("TaxCode", {"Name": "X"})["code"] == "500"


def test_what_a_person_does_follows_the_same_rules(books: QuickBooksClient) -> None:
    books.ui("create_vendor", fields={"DisplayName": "Harbour School"})
    changed = books.ui("edit_vendor", vendor="Harbour School", fields={"CompanyName": "HS Pty"})
    assert (changed["CompanyName"], changed["SyncToken"]) == ("HS Pty", "1")
    with pytest.raises(AssertionError, match="6240"):
        books.ui("create_customer", fields={"DisplayName": "Harbour School"})
    with pytest.raises(AssertionError, match="do is one of"):
        books.ui("fly")
    customer = books.customer()
    books.invoice(customer)
    books.ui("pay_invoice", invoice="T-1", amount=60)
    books.ui("void_invoice", invoice="T-1")
    assert books.read("Customer", customer.Id)["Balance"] == -60
    other = books.customer("Ana Sousa")
    books.ui("merge_customers", **{"from": "Ana Souza", "into": "Ana Sousa"})
    assert books.http("GET", f"customer/{customer.Id}").status_code == 400
    assert books.read("Customer", other.Id)["Balance"] == -60


def test_from_the_start_there_are_people_of_qualy_and_work_done_by_hand() -> None:
    for profile in ("au", "us", "br"):
        with quickbooks_sandbox(payments=200, profile=profile) as books:
            held = books.state()
            emails = [one["PrimaryEmailAddr"]["Address"] for one in held["Customer"]]
            assert any(one.isupper() for one in emails)
            assert len({one.lower() for one in emails}) < len(emails), "two share one"
            assert next(one["DisplayName"] for one in held["Customer"] if not one["Active"]).endswith(" (deleted)")
            assert "HAND-190" in [one["DocNumber"] for one in held["Invoice"]]
            assert held["Preferences"][0]["AccountingInfoPrefs"]["BookCloseDate"] == "2026-05-31"
            assert sum(one["Balance"] for one in held["Bill"]) == sum(one["Balance"] for one in held["Vendor"])
            loaded = books.control("load", {"Customer": held["Customer"], "Vendor": held["Vendor"]})
            assert loaded["loaded"]["Customer"] == len(emails)
            assert books.state() == held
            assert Vendor.count(qb=books.qb) == len(held["Vendor"])
