"""Payments and bill payments in the stand-in: what they settle, what QuickBooks drops without a word."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quickbooks.exceptions import ObjectNotFoundException, QuickbooksException
from quickbooks.objects import Bill, BillPayment, Invoice, Payment, VendorCredit

from tests.sandbox.quickbooks_client import CLEARING_USD, QuickBooksClient


def balance(books: QuickBooksClient, kind: str, id_: str) -> float:
    return float(books.read(kind, id_)["Balance"])


def line(amount: object, kind: str, id_: str) -> dict[str, object]:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": id_, "TxnType": kind}]}


def test_a_payment_settles_its_invoice_and_both_sides_show_it(books: QuickBooksClient) -> None:
    invoice = books.invoice(books.customer())
    payment = books.pay(invoice, Decimal("60.50"), PaymentRefNum="REF-1")
    assert (payment.TotalAmt, payment.UnappliedAmt, payment.PaymentRefNum) == (Decimal("60.5"), 0, "REF-1")
    assert payment.Line[0].LinkedTxn[0].TxnId == invoice.Id
    kept = Invoice.get(invoice.Id, qb=books.qb)
    assert kept.Balance == Decimal("49.5")
    assert [(one.TxnId, one.TxnType) for one in kept.LinkedTxn] == [(payment.Id, "Payment")]
    assert kept.SyncToken == "1"
    assert balance(books, "Customer", invoice.CustomerRef.value) == 49.5


def test_changing_voiding_and_deleting_give_the_balance_back(books: QuickBooksClient) -> None:
    invoice = books.invoice(books.customer())
    payment = books.pay(invoice, 110)
    payment.TotalAmt = 40
    payment.Line[0].Amount = 40
    payment = payment.save(qb=books.qb)
    assert balance(books, "Invoice", invoice.Id) == 70
    payment.void(qb=books.qb)
    kept = Payment.get(payment.Id, qb=books.qb)
    assert (kept.TotalAmt, kept.Line) == (0, [])
    assert "Voided" in kept.PrivateNote
    assert balance(books, "Invoice", invoice.Id) == 110
    assert Invoice.get(invoice.Id, qb=books.qb).LinkedTxn == []
    other = books.pay(Invoice.get(invoice.Id, qb=books.qb), 110)
    other.delete(qb=books.qb)
    assert balance(books, "Invoice", invoice.Id) == balance(books, "Customer", invoice.CustomerRef.value) == 110


def test_a_voided_payment_is_read_by_id_but_never_found(books: QuickBooksClient) -> None:
    payment = books.pay(books.invoice(books.customer()), 10, PaymentRefNum="REF-2")
    assert len(Payment.where("PaymentRefNum = 'REF-2'", qb=books.qb)) == 1
    payment.void(qb=books.qb)
    assert Payment.where("PaymentRefNum = 'REF-2'", qb=books.qb) == []
    assert Payment.get(payment.Id, qb=books.qb).TotalAmt == 0
    books.set_readings(voided_payments_in_queries=True)
    assert len(Payment.where("PaymentRefNum = 'REF-2'", qb=books.qb)) == 1


def test_a_reference_number_is_cut_without_a_word(books: QuickBooksClient) -> None:
    payment = books.pay(books.invoice(books.customer()), 10, PaymentRefNum="P" * 25)
    assert payment.PaymentRefNum == "P" * 21


def test_a_200_may_have_dropped_the_line(books: QuickBooksClient) -> None:
    invoice = books.invoice(books.customer())
    books.pay(invoice, 110)
    again = books.pay(invoice, 110)
    assert (again.Line, again.UnappliedAmt, again.TotalAmt) == ([], 110, 110)
    over = books.invoice(books.customer("Bea Lima"), "T-2")
    books.set_readings(over_applied="cut")
    cut = books.pay(over, 150)
    assert (cut.Line[0].Amount, cut.UnappliedAmt) == (110, 40)
    books.set_readings(over_applied="6000")
    with pytest.raises(QuickbooksException) as caught:
        books.pay(over, 1)
    assert caught.value.error_code == 6000


def test_a_payment_settles_only_what_its_own_customer_owes(books: QuickBooksClient) -> None:
    invoice, other = books.invoice(books.customer()), books.customer("Bea Lima")
    payment = books.pay(invoice, 50, CustomerRef=other.to_ref())
    assert (payment.Line, payment.UnappliedAmt) == ([], 50)
    assert balance(books, "Invoice", invoice.Id) == 110
    assert balance(books, "Customer", other.Id) == -50


def test_a_second_line_for_an_invoice_replaces_the_first(books: QuickBooksClient) -> None:
    invoice = books.invoice(books.customer())
    lines = [line(10, "Invoice", invoice.Id), line(30, "Invoice", invoice.Id)]
    made = books.post("Payment", {"CustomerRef": {"value": invoice.CustomerRef.value}, "TotalAmt": 40, "Line": lines})
    assert [one["Amount"] for one in made["Line"]] == [30]
    assert made["UnappliedAmt"] == 10


def test_what_a_payment_needs(books: QuickBooksClient) -> None:
    invoice = books.invoice(books.customer())
    customer = {"CustomerRef": {"value": invoice.CustomerRef.value}}
    assert books.post("Payment", customer | {"TotalAmt": 5})["DepositToAccountRef"]["name"] == "Undeposited Funds"
    for body, code in (
        (customer, "6000"),
        ({"TotalAmt": 5}, "2020"),
        (customer | {"TotalAmt": -5}, "6000"),
        (customer | {"TotalAmt": 5, "Line": [line(10, "Invoice", invoice.Id)]}, "6000"),
        (customer | {"TotalAmt": 5, "Line": [line(5, "Invoice", "99999")]}, "2500"),
        (customer | {"TotalAmt": 5, "Line": [line(5, "JournalEntry", "1")]}, "2500"),
        (customer | {"TotalAmt": 5, "DepositToAccountRef": {"value": "60"}}, "6430"),
        (customer | {"TotalAmt": 5, "DepositToAccountRef": {"value": CLEARING_USD}}, "6000"),
    ):
        assert books.refused("Payment", body)["code"] == code, body


def test_a_payment_of_nothing_allots_a_credit_memo(books: QuickBooksClient) -> None:
    customer = books.customer()
    invoice, memo = books.invoice(customer), books.credit_memo(customer, amount=50)
    body = {
        "CustomerRef": {"value": customer.Id},
        "TotalAmt": 0,
        "PaymentRefNum": "ALLOT-1",
        "Line": [line(55, "Invoice", invoice.Id), line(55, "CreditMemo", memo.Id)],
    }
    made = books.post("Payment", body)
    assert (made["TotalAmt"], made["UnappliedAmt"], len(made["Line"])) == (0, 0, 2)
    assert (balance(books, "Invoice", invoice.Id), balance(books, "CreditMemo", memo.Id)) == (55, 0)
    assert books.read("CreditMemo", memo.Id)["RemainingCredit"] == 0
    assert books.refused("Payment", body | {"PaymentRefNum": "ALLOT-2"})["code"] == "6000", "the memo is used up"
    books.post("Payment", {"Id": made["Id"], "SyncToken": made["SyncToken"]}, operation="delete")
    assert (balance(books, "Invoice", invoice.Id), balance(books, "CreditMemo", memo.Id)) == (110, 55)


def test_a_credit_is_not_spent_on_an_invoice_that_is_paid_already(books: QuickBooksClient) -> None:
    customer = books.customer()
    invoice, memo = books.invoice(customer), books.credit_memo(customer)
    books.pay(invoice, 110)
    lines = [line(110, "Invoice", invoice.Id), line(110, "CreditMemo", memo.Id)]
    made = books.post("Payment", {"CustomerRef": {"value": customer.Id}, "TotalAmt": 0, "Line": lines})
    assert made["Line"] == []
    assert balance(books, "CreditMemo", memo.Id) == 110


def test_lines_of_a_payment_are_replaced_all_or_none(books: QuickBooksClient) -> None:
    customer = books.customer()
    first, second = books.invoice(customer), books.invoice(customer, "T-2")
    payment = books.pay(first, 100)
    head = {"Id": payment.Id, "SyncToken": payment.SyncToken, "CustomerRef": {"value": customer.Id}}
    noted = books.post("Payment", head | {"sparse": True, "PrivateNote": "x"})
    assert [one["Amount"] for one in noted["Line"]] == [100]
    moved = {"SyncToken": noted["SyncToken"], "sparse": True, "Line": [line(100, "Invoice", second.Id)]}
    books.post("Payment", head | moved)
    assert (balance(books, "Invoice", first.Id), balance(books, "Invoice", second.Id)) == (110, 10)


def test_a_deposited_payment_cannot_be_changed(books: QuickBooksClient) -> None:
    payment = books.pay(books.invoice(books.customer()), 110)
    books.ui("deposit_payments", payments=[payment.Id])
    payment = Payment.get(payment.Id, qb=books.qb)
    for change in (payment.save, payment.void, payment.delete):
        with pytest.raises(QuickbooksException) as caught:
            change(qb=books.qb)
        assert caught.value.error_code == 6540


def test_a_bill_payment_settles_bills_and_uses_vendor_credits(books: QuickBooksClient) -> None:
    vendor = books.vendor()
    bill = books.bill(vendor)
    payment = books.pay_bill(bill, 40, "CHQ-1")
    assert (payment.TotalAmt, payment.DocNumber, payment.CheckPayment.BankAccountRef.name) == (
        40,
        "CHQ-1",
        "Business Bank",
    )
    kept = Bill.get(bill.Id, qb=books.qb)
    assert (kept.Balance, kept.LinkedTxn[0].TxnType) == (60, "BillPaymentCheck")
    credit = VendorCredit()
    credit.VendorRef, credit.Line, credit.DocNumber = vendor.to_ref(), [books.bill(vendor, "B-9").Line[0]], "VC-1"
    credit.Line[0].Amount, credit.GlobalTaxCalculation = 60, None
    credit = credit.save(qb=books.qb)
    body = {
        "VendorRef": {"value": vendor.Id},
        "TotalAmt": 0,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "40"}},
        "Line": [line(60, "Bill", bill.Id), line(60, "VendorCredit", credit.Id)],
    }
    books.post("BillPayment", body)
    assert (balance(books, "Bill", bill.Id), balance(books, "VendorCredit", credit.Id)) == (0, 0)
    assert balance(books, "Vendor", vendor.Id) == 100
    payment.void(qb=books.qb)
    assert BillPayment.get(payment.Id, qb=books.qb).TotalAmt == 0
    assert balance(books, "Bill", bill.Id) == 40


def test_paying_a_paid_bill_comes_back_voided(books: QuickBooksClient) -> None:
    bill = books.bill(books.vendor())
    books.pay_bill(bill, 100)
    again = books.pay_bill(bill, 100)
    assert (again.TotalAmt, again.Line) == (0, [])
    assert "Voided" in again.PrivateNote
    assert balance(books, "Vendor", bill.VendorRef.value) == 0


def test_more_than_the_bills_is_credit_with_the_vendor(books: QuickBooksClient) -> None:
    bill = books.bill(books.vendor())
    body = {
        "VendorRef": {"value": bill.VendorRef.value},
        "TotalAmt": 130,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "40"}},
        "Line": [line(100, "Bill", bill.Id)],
    }
    made = books.post("BillPayment", body)
    assert not any(name.startswith("_") for name in made)
    assert balance(books, "Vendor", bill.VendorRef.value) == -30
    card = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": {"value": "40"}}}
    assert books.refused("BillPayment", body | card)["code"] == "6430"
    assert books.refused("BillPayment", body | {"CheckPayment": {}})["code"] == "2020"
    assert books.refused("BillPayment", body | {"PayType": "Cash"})["code"] == "2170"


def test_a_cheque_number_may_be_there_twice_if_the_caller_says_so(books: QuickBooksClient) -> None:
    bill = books.bill(books.vendor())
    books.pay_bill(bill, 10, "CHQ-1")
    with pytest.raises(QuickbooksException) as caught:
        books.pay_bill(bill, 10, "CHQ-1")
    assert caught.value.error_code == 6140
    body = {
        "VendorRef": {"value": bill.VendorRef.value},
        "TotalAmt": 5,
        "PayType": "Check",
        "DocNumber": "CHQ-1",
        "CheckPayment": {"BankAccountRef": {"value": "40"}},
    }
    assert books.post("BillPayment", body, include="allowduplicatedocnum")["DocNumber"] == "CHQ-1"


def test_foreign_money_goes_to_an_account_of_its_currency(books: QuickBooksClient) -> None:
    invoice = books.invoice(books.customer("Bob Stone", "USD"), ExchangeRate=Decimal("1.5"))
    made = books.post(
        "Payment",
        {
            "CustomerRef": {"value": invoice.CustomerRef.value},
            "TotalAmt": 110,
            "ExchangeRate": 1.6,
            "DepositToAccountRef": {"value": CLEARING_USD},
            "Line": [line(110, "Invoice", invoice.Id)],
        },
    )
    assert (made["CurrencyRef"]["value"], made["ExchangeRate"]) == ("USD", 1.6)
    kept = books.read("Invoice", invoice.Id)
    assert (kept["Balance"], kept["HomeBalance"], kept["HomeTotalAmt"]) == (0, 0, 165)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["pay", "void", "delete"]), st.integers(1, 6000)), max_size=8))
def test_balances_always_follow_from_the_payments(books: QuickBooksClient, steps: list[tuple[str, int]]) -> None:
    books.control("load", {"Invoice": [], "Payment": [], "Customer": []})
    invoice = books.invoice(books.customer())
    live: list[Payment] = []
    for do, hundredths in steps:
        if do == "pay":
            live.append(books.pay(invoice, Decimal(hundredths) / 100))
        elif live:
            getattr(live.pop(), do)(qb=books.qb)
    applied = sum((Decimal(str(one.Line[0].Amount)) for one in live if one.Line), Decimal(0))
    free = sum((Decimal(str(one.UnappliedAmt)) for one in live), Decimal(0))
    assert Decimal(str(books.read("Invoice", invoice.Id)["Balance"])) == 110 - applied
    assert Decimal(str(books.read("Customer", invoice.CustomerRef.value)["Balance"])) == 110 - applied - free


def test_a_deleted_payment_is_not_found(books: QuickBooksClient) -> None:
    payment = books.pay(books.invoice(books.customer()), 10)
    payment.delete(qb=books.qb)
    with pytest.raises(ObjectNotFoundException):
        Payment.get(payment.Id, qb=books.qb)


def test_when_a_used_credit_goes_what_it_paid_for_is_open_again(books: QuickBooksClient) -> None:
    customer = books.customer()
    invoice, memo = books.invoice(customer), books.credit_memo(customer)
    lines = [line(110, "Invoice", invoice.Id), line(110, "CreditMemo", memo.Id)]
    made = books.post("Payment", {"CustomerRef": {"value": customer.Id}, "TotalAmt": 0, "Line": lines})
    token = books.read("CreditMemo", memo.Id)["SyncToken"]
    books.post("CreditMemo", {"Id": memo.Id, "SyncToken": token}, operation="delete")
    assert books.read("Payment", made["Id"])["Line"] == []
    kept = books.read("Invoice", invoice.Id)
    assert (kept["Balance"], kept["LinkedTxn"]) == (110, [])
    assert balance(books, "Customer", customer.Id) == 110
