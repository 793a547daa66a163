"""Invoices, bills, credit memos and refunds in the stand-in: amounts, tax, numbers, currencies, updates, voids."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quickbooks.exceptions import ObjectNotFoundException, QuickbooksException, ValidationException
from quickbooks.objects import Bill, Invoice, Payment

from tests.sandbox.quickbooks_client import (
    FEES,
    GST,
    GST_FREE,
    QuickBooksClient,
    fill,
    quickbooks_sandbox,
    sale_line,
)


def test_an_invoice_as_the_sdk_sends_it_gets_totals_tax_and_a_subtotal(books: QuickBooksClient) -> None:
    made = books.invoice(books.customer())
    assert (made.SyncToken, made.TotalAmt, made.Balance, made.TxnTaxDetail.TotalTax) == ("0", 110, 110, 10)
    assert [line.DetailType for line in made.Line] == ["SalesItemLineDetail", "SubTotalLineDetail"]
    assert made.CustomerRef.name == "Ana Souza"
    assert made.DueDate == "2026-07-10"
    kept = books.read("Invoice", made.Id)
    assert kept["Line"][0]["SalesItemLineDetail"] == {
        "ItemRef": {"value": FEES, "name": "Fees"},
        "ItemAccountRef": {"value": "61", "name": "Service Fees"},
        "TaxCodeRef": {"value": GST},
    }
    assert kept["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"]["NetAmountTaxable"] == 100
    assert books.read("Customer", made.CustomerRef.value)["Balance"] == 110


def test_what_is_read_only_is_overwritten_and_what_is_unknown_ignored(books: QuickBooksClient) -> None:
    customer = books.customer()
    body = {
        "CustomerRef": {"value": int(customer.Id), "name": "Nobody"},
        "Line": [sale_line("100.00")],
        "TotalAmt": 5,
        "Balance": 5,
        "SyncToken": "9",
        "sparse": True,
        "TxnDate": "",
        "Nonsense": {"a": 1},
    }
    made = books.post("Invoice", body)
    assert (made["TotalAmt"], made["Balance"], made["SyncToken"], made["sparse"]) == (110, 110, "0", False)
    assert made["CustomerRef"]["name"] == "Ana Souza"
    assert made["TxnDate"] == books.today().isoformat()
    assert "Nonsense" not in made


def test_what_is_missing_or_wrong_in_an_invoice_is_named(books: QuickBooksClient) -> None:
    customer = {"value": books.customer().Id}
    line = sale_line(100)
    for body, code in (
        ({"Line": [line]}, "2020"),
        ({"CustomerRef": customer}, "2020"),
        ({"CustomerRef": customer, "Line": []}, "2020"),
        ({"CustomerRef": {"value": "99999"}, "Line": [line]}, "2500"),
        ({"CustomerRef": customer, "Line": [sale_line(100, ItemRef={"value": "99999"})]}, "2500"),
        ({"CustomerRef": customer, "Line": [sale_line(100, Qty=3, UnitPrice=33)]}, "6070"),
        ({"CustomerRef": customer, "Line": [line | {"SalesItemLineDetail": None}]}, "6440"),
        ({"CustomerRef": customer, "Line": [sale_line("abc")]}, "2090"),
        ({"CustomerRef": customer, "Line": [sale_line(-1)]}, "6000"),
        ({"CustomerRef": customer, "Line": [line], "TxnDate": "10/07/2026"}, "2060"),
        ({"CustomerRef": customer, "Line": [line], "DocNumber": "N" * 22}, "2050"),
        ({"CustomerRef": customer, "Line": [line], "GlobalTaxCalculation": "Sometimes"}, "2170"),
        ({"CustomerRef": customer, "Line": [line], "BillEmail": {"Address": "no address"}}, "2210"),
    ):
        assert books.refused("Invoice", body)["code"] == code, body
    assert books.state()["Invoice"] == []


def test_a_line_without_item_is_a_text_and_its_amount_does_not_count(books: QuickBooksClient) -> None:
    bare = {"Amount": 500, "Description": "Course", "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}}
    made = books.post("Invoice", {"CustomerRef": {"value": books.customer().Id}, "Line": [sale_line(100), bare]})
    assert made["TotalAmt"] == 110
    assert made["Line"][1]["DetailType"] == "DescriptionOnly"
    assert "Amount" not in made["Line"][1]


def test_quantity_times_price_makes_the_amount_and_a_discount_lessens_the_total(books: QuickBooksClient) -> None:
    line = sale_line(0, GST_FREE, Qty=3, UnitPrice="33.33")
    del line["Amount"]
    discount = {
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    made = books.post("Invoice", {"CustomerRef": {"value": books.customer().Id}, "Line": [line, discount]})
    assert [(one["DetailType"], one["Amount"]) for one in made["Line"]] == [
        ("SalesItemLineDetail", 99.99),
        ("SubTotalLineDetail", 99.99),
        ("DiscountLineDetail", 10),
    ]
    assert made["TotalAmt"] == 89.99


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 10_000_000), min_size=1, max_size=6))
def test_the_total_is_always_the_lines_plus_the_tax_to_the_cent(books: QuickBooksClient, amounts: list[int]) -> None:
    customers = books.state()["Customer"]
    customer = customers[0]["Id"] if customers else books.customer().Id
    lines = [sale_line(str(Decimal(one) / 100)) for one in amounts]
    made = books.post("Invoice", {"CustomerRef": {"value": customer}, "Line": lines})
    net = Decimal(sum(amounts)) / 100
    tax = Decimal(str(made["TxnTaxDetail"]["TotalTax"]))
    assert abs(tax - net / 10) <= Decimal("0.005")
    assert Decimal(str(made["TotalAmt"])) == net + tax


def test_amounts_with_tax_are_kept_both_ways(books: QuickBooksClient) -> None:
    customer = {"value": books.customer().Id}
    body = {"CustomerRef": customer, "GlobalTaxCalculation": "TaxInclusive"}
    told = books.post("Invoice", body | {"Line": [sale_line("90.91", TaxInclusiveAmt=100)]})
    assert (told["TotalAmt"], told["TxnTaxDetail"]["TotalTax"], told["Line"][0]["Amount"]) == (100, 9.09, 90.91)
    plain = books.post("Invoice", body | {"Line": [sale_line(100)]})
    assert plain["TotalAmt"] == 110, "Amount is without tax unless TaxInclusiveAmt is there"
    books.set_readings(inclusive_amount="gross")
    assert books.post("Invoice", body | {"Line": [sale_line(100)]})["TotalAmt"] == 100


def test_tax_codes_are_demanded_and_belong_to_a_side(books: QuickBooksClient) -> None:
    customer = {"value": books.customer().Id}
    body = {"CustomerRef": customer, "GlobalTaxCalculation": "TaxExcluded"}
    assert books.refused("Invoice", body | {"Line": [sale_line(100, None)]})["code"] == "6100"
    assert books.refused("Invoice", body | {"Line": [sale_line(100, "77")]})["code"] == "2500"
    none = {"CustomerRef": customer, "GlobalTaxCalculation": "NotApplicable", "Line": [sale_line(100)]}
    assert books.post("Invoice", none)["TotalAmt"] == 100
    assert books.refused("Invoice", none | {"TxnTaxDetail": {"TotalTax": 10}})["code"] == "6170"


def test_numbers_are_given_once_where_the_company_warns(books: QuickBooksClient) -> None:
    customer = books.customer()
    first = books.invoice(customer, "T-1")
    with pytest.raises(QuickbooksException) as caught:
        books.invoice(customer, "t-1")
    assert caught.value.error_code == 6140
    assert f"TxnId={first.Id}" in caught.value.detail
    books.set_readings(duplicate_docnum="allowed")
    assert books.invoice(customer, "T-1").Id != first.Id


def test_quickbooks_counts_on_only_where_it_is_asked_to(books: QuickBooksClient) -> None:
    customer = {"CustomerRef": {"value": books.customer().Id}, "Line": [sale_line(10)]}
    assert "DocNumber" not in books.post("Invoice", customer)
    assert books.post("Invoice", customer | {"DocNumber": "AUTO_GENERATE"})["DocNumber"].isdigit()
    books.ui("change_settings", fields={"SalesFormsPrefs": {"CustomTxnNumbers": False}})
    first, second = (books.post("Invoice", customer)["DocNumber"] for _ in range(2))
    assert int(second) == int(first) + 1
    assert "DocNumber" not in books.post(
        "Bill",
        {
            "VendorRef": {"value": books.vendor().Id},
            "Line": [
                {
                    "Amount": 1,
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "73"}},
                }
            ],
        },
    )


def test_a_full_update_clears_what_is_left_out_and_a_sparse_one_keeps_it(books: QuickBooksClient) -> None:
    made = books.invoice(books.customer(), PrivateNote="first")
    body = {"Id": made.Id, "SyncToken": "0", "sparse": True, "DueDate": "2026-08-01"}
    sparse = books.post("Invoice", body)
    assert (sparse["SyncToken"], sparse["PrivateNote"], sparse["DueDate"]) == ("1", "first", "2026-08-01")
    assert sparse["TotalAmt"] == 110
    whole = {"Id": made.Id, "SyncToken": "1", "CustomerRef": {"value": made.CustomerRef.value}}
    assert books.refused("Invoice", whole)["code"] == "2020"
    full = books.post("Invoice", whole | {"Line": [sale_line(50)]})
    assert "PrivateNote" not in full
    assert (full["TotalAmt"], full["SyncToken"]) == (55, "2")
    assert "DocNumber" not in full


def test_tax_follows_the_lines_and_stays_where_they_stay(books: QuickBooksClient) -> None:
    body = {"CustomerRef": {"value": books.customer().Id}, "Line": [sale_line(100)]}
    override = {"Amount": 9.99, "DetailType": "TaxLineDetail", "TaxLineDetail": {"TaxRateRef": {"value": "3"}}}
    made = books.post("Invoice", body | {"TxnTaxDetail": {"TaxLine": [override]}})
    assert made["TotalAmt"] == 109.99
    head = {"Id": made["Id"], "sparse": True}
    noted = books.post("Invoice", head | {"SyncToken": "0", "PrivateNote": "x"})
    assert noted["TotalAmt"] == 109.99
    changed = books.post("Invoice", head | {"SyncToken": "1", "Line": [sale_line(200)]})
    assert changed["TotalAmt"] == 220
    free = books.post("Invoice", head | {"SyncToken": "2", "GlobalTaxCalculation": "NotApplicable"})
    assert free["TotalAmt"] == 200


def test_a_stale_sync_token_changes_nothing_and_the_sdk_shows_5010(books: QuickBooksClient) -> None:
    made = books.invoice(books.customer())
    made.PrivateNote = "once"
    newer = made.save(qb=books.qb)
    with pytest.raises(QuickbooksException) as caught:
        made.save(qb=books.qb)
    assert caught.value.error_code == 5010
    assert books.read("Invoice", made.Id)["SyncToken"] == newer.SyncToken == "1"


def test_an_update_by_the_sdk_of_what_it_read_changes_only_what_was_changed(books: QuickBooksClient) -> None:
    made = Invoice.get(books.invoice(books.customer()).Id, qb=books.qb)
    made.DueDate = "2026-09-01"
    changed = made.save(qb=books.qb)
    assert (changed.TotalAmt, changed.DueDate, changed.DocNumber) == (110, "2026-09-01", "T-1")
    assert [line.Id for line in changed.Line if line.Id] == ["1"]


def test_a_bill_needs_its_vendor_on_a_sparse_update_too(books: QuickBooksClient) -> None:
    bill = books.bill(books.vendor())
    assert (bill.TotalAmt, bill.Balance, bill.DocNumber) == (100, 100, "B-1")
    body = {"Id": bill.Id, "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    assert books.refused("Bill", body)["code"] == "2020"
    assert books.post("Bill", body | {"VendorRef": {"value": bill.VendorRef.value}})["PrivateNote"] == "x"
    assert books.read("Vendor", bill.VendorRef.value)["Balance"] == 100


def test_bills_post_to_accounts_and_items_that_can_be_bought(books: QuickBooksClient) -> None:
    vendor = {"value": books.vendor().Id}

    def line(kind: str, **detail: object) -> dict[str, object]:
        return {"Amount": 10, "DetailType": kind, kind: detail}

    account, item = "AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"
    for one, code in (
        (line(account), "2020"),
        (line(account, AccountRef={"value": "1"}), "6430"),
        (line(account, AccountRef={"value": "69"}), "610"),
        (line(item, ItemRef={"value": "204"}), "6000"),
        (line(account, AccountRef={"value": "73"}, BillableStatus="Billable"), "6310"),
        (line("SalesItemLineDetail", ItemRef={"value": "204"}), "2010"),
    ):
        assert books.refused("Bill", {"VendorRef": vendor, "Line": [one]})["code"] == code, one
    taxed = line(account, AccountRef={"value": "81"}, TaxCodeRef={"value": GST})
    bought = line(item, ItemRef={"value": "205"}, TaxCodeRef={"value": GST_FREE})
    made = books.post("Bill", {"VendorRef": vendor, "Line": [taxed, bought], "GlobalTaxCalculation": "TaxExcluded"})
    assert made["TotalAmt"] == 21
    assert [one["TaxLineDetail"]["TaxRateRef"]["value"] for one in made["TxnTaxDetail"]["TaxLine"]] == ["4", "6"]


def test_an_inactive_reference_is_refused_but_stays_where_it_was(books: QuickBooksClient) -> None:
    customer = books.customer()
    made = books.invoice(customer)
    books.ui("inactivate_item", item=FEES)
    with pytest.raises(ObjectNotFoundException) as caught:
        books.invoice(customer, "T-2")
    assert caught.value.error_code == 610
    made.PrivateNote = "still there"
    assert made.save(qb=books.qb).PrivateNote == "still there"
    books.set_readings(inactive_reference="2500")
    with pytest.raises(ValidationException) as refused:
        books.invoice(customer, "T-3")
    assert refused.value.error_code == 2500


def test_voiding_keeps_the_invoice_with_nothing_in_it(books: QuickBooksClient) -> None:
    made = books.invoice(books.customer(), PrivateNote="note")
    made.void(qb=books.qb)
    kept = Invoice.get(made.Id, qb=books.qb)
    assert (kept.TotalAmt, kept.Balance, kept.SyncToken, kept.DocNumber) == (0, 0, "1", "T-1")
    assert kept.PrivateNote.startswith("Voided")
    assert books.query(f"select * from Invoice where Id = '{made.Id}'")["Invoice"][0]["TotalAmt"] == 0
    assert books.read("Customer", made.CustomerRef.value)["Balance"] == 0
    bill = books.bill(books.vendor())
    assert books.refused("Bill", {"Id": bill.Id, "SyncToken": "0"}, operation="void")["code"] == "500"


def test_a_deleted_document_is_gone(books: QuickBooksClient) -> None:
    bill = books.bill(books.vendor())
    assert bill.delete(qb=books.qb)["Bill"] == {"status": "Deleted", "domain": "QBO", "Id": bill.Id}
    with pytest.raises(ObjectNotFoundException):
        Bill.get(bill.Id, qb=books.qb)
    assert books.refused("Bill", {"Id": bill.Id, "SyncToken": "0"}, operation="delete")["code"] == "610"
    assert books.read("Vendor", bill.VendorRef.value)["Balance"] == 0


def test_paid_documents_go_only_as_the_readings_say(books: QuickBooksClient) -> None:
    made = books.invoice(books.customer())
    payment = books.pay(made, 110)
    made = Invoice.get(made.Id, qb=books.qb)
    with pytest.raises(QuickbooksException) as caught:
        made.void(qb=books.qb)
    assert caught.value.error_code == 6000
    made.delete(qb=books.qb)
    kept = Payment.get(payment.Id, qb=books.qb)
    assert (kept.Line, kept.UnappliedAmt, kept.TotalAmt) == ([], 110, 110)
    assert books.read("Customer", made.CustomerRef.value)["Balance"] == -110


def test_a_foreign_document_without_rate_is_stored_at_one(books: QuickBooksClient) -> None:
    customer = books.customer("Bob Stone", "USD")
    silent = books.invoice(customer, "U-1", CurrencyRef=None, ExchangeRate=None)
    assert (silent.CurrencyRef.value, silent.ExchangeRate) == ("USD", 1)
    told = books.invoice(customer, "U-2", ExchangeRate=Decimal("1.52"))
    assert (told.ExchangeRate, told.HomeTotalAmt, told.TotalAmt) == (Decimal("1.52"), Decimal("167.2"), 110)
    bill = books.bill(books.vendor("Boston School", "USD"), ExchangeRate=0)
    assert (bill.CurrencyRef.value, bill.ExchangeRate) == ("USD", 1)


def test_the_currency_is_the_customers_for_ever(books: QuickBooksClient) -> None:
    customer = books.customer("Bob Stone", "USD")
    other = {"CustomerRef": {"value": customer.Id}, "CurrencyRef": {"value": "EUR"}, "Line": [sale_line(1)]}
    assert books.refused("Invoice", other)["code"] == "6000"
    change = {"Id": customer.Id, "SyncToken": "0", "sparse": True, "CurrencyRef": {"value": "AUD"}}
    assert books.refused("Customer", change)["code"] == "6000"
    assert books.refused("Customer", {"DisplayName": "C", "CurrencyRef": {"value": "CAD"}})["code"] == "2500"
    books.ui("change_settings", fields={"CurrencyPrefs": {"MultiCurrencyEnabled": False}})
    assert books.refused("Customer", {"DisplayName": "C", "CurrencyRef": {"value": "EUR"}})["code"] == "5030"


def test_rates_are_told_for_each_day_and_can_be_set(books: QuickBooksClient) -> None:
    asked = "select * from ExchangeRate where SourceCurrencyCode = 'USD' and AsOfDate = '2026-07-10'"
    (rate,) = books.query(asked)["ExchangeRate"]
    assert (rate["TargetCurrencyCode"], rate["AsOfDate"]) == ("AUD", "2026-07-10")
    assert 1.4 < rate["Rate"] < 1.6
    other_day = books.http("GET", "exchangerate", sourcecurrencycode="USD", asofdate="2026-07-11").json()
    assert other_day["ExchangeRate"]["Rate"] != rate["Rate"]
    books.post("ExchangeRate", {"SourceCurrencyCode": "USD", "AsOfDate": "2026-07-10", "Rate": 1.5})
    assert books.query(asked)["ExchangeRate"][0]["Rate"] == 1.5


def test_credit_memos_and_refund_receipts_have_the_form_of_sales(books: QuickBooksClient) -> None:
    customer = books.customer()
    memo = books.credit_memo(customer)
    assert (memo.TotalAmt, memo.Balance, memo.RemainingCredit) == (110, 110, 110)
    assert books.read("Customer", customer.Id)["Balance"] == -110
    refund = {"CustomerRef": {"value": customer.Id}, "Line": [sale_line(100)], "DocNumber": "R-1"}
    assert books.refused("RefundReceipt", refund)["code"] == "2020"
    wrong = refund | {"DepositToAccountRef": {"value": "60"}}
    assert books.refused("RefundReceipt", wrong)["code"] == "6430"
    made = books.post("RefundReceipt", refund | {"DepositToAccountRef": {"value": "41"}})
    assert (made["TotalAmt"], made["Balance"]) == (110, 0)
    assert books.read("Customer", customer.Id)["Balance"] == -110


def test_a_company_in_the_united_states_has_its_own_tax_and_letters() -> None:
    with quickbooks_sandbox(profile="us") as books:
        customer = books.customer()
        plain = books.post("Invoice", {"CustomerRef": {"value": customer.Id}, "Line": [sale_line(100, "NON")]})
        assert plain["TotalAmt"] == 100
        engine = books.post("Invoice", {"CustomerRef": {"value": customer.Id}, "Line": [sale_line(100, "TAX")]})
        assert (engine["TotalAmt"], engine["TxnTaxDetail"]["TotalTax"]) == (108.88, 8.88)
        told = {"CustomerRef": {"value": customer.Id}, "Line": [sale_line(100, "TAX")], "TxnTaxDetail": {"TotalTax": 5}}
        assert books.post("Invoice", told)["TotalAmt"] == 105
        wrong = {"CustomerRef": {"value": customer.Id}, "Line": [sale_line(100, "3")]}
        assert books.refused("Invoice", wrong)["code"] == "6100"
        assert books.post("Customer", {"DisplayName": "José Núñez"})["DisplayName"] == "José Núñez"
        assert books.refused("Customer", {"DisplayName": "王芳"})["code"] == "2040"
        books.set_readings(non_latin="question_marks")
        assert books.post("Customer", {"DisplayName": "王芳"})["DisplayName"] == "??"
        assert books.http("GET", "preferences").json()["Preferences"]["TaxPrefs"]["PartnerTaxEnabled"] is True


def test_an_invoice_with_tags_of_the_sdk_round_trips(books: QuickBooksClient) -> None:
    customer = books.customer()
    sent = fill(Invoice(), customer, "T-9", 12)
    sent.Line[0].Amount = Decimal("12.34")
    made = sent.save(qb=books.qb)
    assert made.TotalAmt == Decimal("13.57")
