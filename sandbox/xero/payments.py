"""Payments on invoices and bills, and cash refunds of credit notes. Nothing makes a repeated payment unique."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.company import Company, money
from sandbox.xero.credit_notes import CreditNotes
from sandbox.xero.documents import Documents
from sandbox.xero.invoices import Invoices
from sandbox.xero.locks import payment_in_lock
from sandbox.xero.wire import amount, cents, guid, is_guid, ms_day, parse_day, switch

ONLY_AUTHORISED = "Payments can only be made against Authorised documents"
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
NO_ACCOUNT = "Account could not be found."
IN_BATCH = "Payments within a batch cannot be deleted"

_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}


class Payments:
    """The rules about payments."""

    def __init__(self, company: Company, invoices: Invoices, credit_notes: CreditNotes) -> None:
        self._company = company
        self._invoices = invoices
        self._credit_notes = credit_notes

    def create(self, element: dict[str, Any], batch: dict[str, Any] | None = None) -> dict[str, Any]:
        """A payment of exactly one document, up to what is open. Raises Refused."""
        rules, doc = self._document(element)
        account = self._account(element)
        try:
            value = cents(amount(element.get("Amount")))
            day = parse_day(element["Date"]) if element.get("Date") else self._company.today()
        except (ValueError, OverflowError) as error:
            raise Refused("A payment needs an Amount and a Date that are valid.") from error
        problems = self._problems(doc, rules, account, value, day)
        if len(str(element.get("Reference") or "")) > 255:
            problems.append("The Reference exceeds the maximum length of 255.")
        if problems:
            raise Refused(*problems)
        payment = self._payment(element, doc, account or {}, value, day)
        if batch:
            payment |= {"BatchPaymentID": batch["BatchPaymentID"], "BatchPayment": batch}
        self._apply(rules, doc, payment, day)
        return self._company.records.put("Payments", payment)

    def delete(self, payment: dict[str, Any], with_batch: bool = False) -> dict[str, Any]:
        """Take a payment back, which opens its document again. Raises Refused."""
        if payment["Status"] == "DELETED":
            raise Refused("Payment has already been deleted")
        if payment.get("BatchPaymentID") and not with_batch:
            raise Refused(IN_BATCH)
        problems = payment_in_lock(parse_day(payment["Date"]), self._company.lock_dates())
        if problems:
            raise Refused(*problems)
        rules, doc = self._paid_document(payment)
        if doc is not None:
            doc["Payments"] = [one for one in doc["Payments"] if one["PaymentID"] != payment["PaymentID"]]
            rules.settle(doc, parse_day(payment["Date"]))
            self._company.records.put(rules.form.kind, doc)
        return self._company.records.put("Payments", payment | {"Status": "DELETED"})

    def find(self, id_: str) -> dict[str, Any] | None:
        """One payment by its identifier."""
        return self._company.records.get("Payments", guid(id_)) if is_guid(id_) else None

    def _document(self, element: dict[str, Any]) -> tuple[Documents, dict[str, Any]]:
        named = [field for field in ("Invoice", "CreditNote", "Prepayment", "Overpayment") if element.get(field)]
        if element.get("InvoiceNumber") and not named:
            named, element = ["Invoice"], {"Invoice": {"InvoiceNumber": element["InvoiceNumber"]}}
        if len(named) != 1:
            raise Refused("A payment must name exactly one Invoice, CreditNote, Prepayment or Overpayment.")
        if named[0] not in ("Invoice", "CreditNote"):
            raise Refused(f"{named[0]} could not be found.")
        rules: Documents = self._invoices if named[0] == "Invoice" else self._credit_notes
        given = element[named[0]] if isinstance(element[named[0]], dict) else {}
        doc = rules.find(str(given.get(rules.form.id_field) or given.get(rules.form.number_field) or ""))
        if doc is None:
            raise Refused(f"{rules.form.noun} could not be found.")
        return rules, doc

    def _paid_document(self, payment: dict[str, Any]) -> tuple[Documents, dict[str, Any] | None]:
        if payment.get("Invoice"):
            return self._invoices, self._invoices.find(payment["Invoice"]["InvoiceID"])
        return self._credit_notes, self._credit_notes.find(payment["CreditNote"]["CreditNoteID"])

    def _account(self, element: dict[str, Any]) -> dict[str, Any] | None:
        given = element.get("Account")
        if not isinstance(given, dict):
            return None
        return self._company.account(given)

    def _problems(
        self, doc: dict[str, Any], rules: Documents, account: dict[str, Any] | None, value: Decimal, day: date
    ) -> list[str]:
        problems = []
        if doc["Status"] != "AUTHORISED":
            problems.append(ONLY_AUTHORISED)
        if doc["Status"] in ("AUTHORISED", "PAID") and value > money(
            doc, "AmountDue" if rules is self._invoices else "RemainingCredit"
        ):
            problems.append(TOO_MUCH)
        if value <= 0:
            problems.append("Payment amount must be greater than zero")
        if account is None or account["Status"] != "ACTIVE":
            problems.append(NO_ACCOUNT)
        elif account["Type"] != "BANK" and not account.get("EnablePaymentsToAccount"):
            problems.append("The account specified is not a bank account and does not have payments enabled.")
        elif not self._currencies_fit(doc, account):
            problems.append("The account's currency must be the document's currency or the base currency.")
        return problems + payment_in_lock(day, self._company.lock_dates())

    def _currencies_fit(self, doc: dict[str, Any], account: dict[str, Any]) -> bool:
        base = self._company.base_currency
        return base in (doc["CurrencyCode"], _currency(account, base)) or doc["CurrencyCode"] == _currency(
            account, base
        )

    def _payment(
        self, element: dict[str, Any], doc: dict[str, Any], account: dict[str, Any], value: Decimal, day: date
    ) -> dict[str, Any]:
        bank_amount, rate = self._bank_side(element, doc, account, value)
        payment: dict[str, Any] = {
            "PaymentID": self._company.records.new_id(),
            "Date": ms_day(day),
            "BankAmount": float(bank_amount),
            "Amount": float(value),
            "Reference": str(element.get("Reference") or ""),
            "CurrencyRate": float(rate),
            "PaymentType": _TYPES[doc["Type"]],
            "Status": "AUTHORISED",
            "HasAccount": True,
            "IsReconciled": switch(element.get("IsReconciled", False)),
            "Account": {"AccountID": account["AccountID"], "Code": account.get("Code", "")},
            "HasValidationErrors": False,
        }
        parent = {
            "Type": doc["Type"],
            "Contact": {"ContactID": doc["Contact"]["ContactID"]},
            "CurrencyCode": doc["CurrencyCode"],
            "LineItems": [],
        }
        if "InvoiceID" in doc:
            ids = {"InvoiceID": doc["InvoiceID"], "InvoiceNumber": doc.get("InvoiceNumber", "")}
            return payment | {"Invoice": ids | parent}
        ids = {"CreditNoteID": doc["CreditNoteID"], "CreditNoteNumber": doc.get("CreditNoteNumber", "")}
        return payment | {"CreditNote": ids | parent}

    def _bank_side(
        self, element: dict[str, Any], doc: dict[str, Any], account: dict[str, Any], value: Decimal
    ) -> tuple[Decimal, Decimal]:
        """What the bank account sees, and the rate: both follow from BankAmount where it is given."""
        base = self._company.base_currency
        invoiced, banked = doc["CurrencyCode"], _currency(account, base)
        if invoiced == base and banked == base:
            return value, Decimal(1)
        try:
            given = amount(element["BankAmount"]) if element.get("BankAmount") else None
            rate = amount(element["CurrencyRate"]) if element.get("CurrencyRate") else None
        except ValueError as error:
            raise Refused("BankAmount and CurrencyRate must be numbers.") from error
        if (given is not None and given <= 0) or (rate is not None and rate <= 0):
            raise Refused("BankAmount and CurrencyRate must be greater than zero.")
        if invoiced == banked:
            return value, rate or money(doc, "CurrencyRate")
        foreign_paid = invoiced != base
        if given is not None:
            rate = value / given if foreign_paid else given / value
            return cents(given), rate.quantize(Decimal("0.000001"))
        rate = rate or self._company.day_rate(invoiced if foreign_paid else banked)
        return cents(value / rate if foreign_paid else value * rate), rate

    def _apply(self, rules: Documents, doc: dict[str, Any], payment: dict[str, Any], day: date) -> None:
        doc["Payments"].append(
            {
                "PaymentID": payment["PaymentID"],
                "Date": payment["Date"],
                "Amount": payment["Amount"],
                "CurrencyRate": payment["CurrencyRate"],
                "HasAccount": False,
                "HasValidationErrors": False,
            }
        )
        rules.settle(doc, day)
        self._company.records.put(rules.form.kind, doc)


def _currency(account: dict[str, Any], base: str) -> str:
    return str(account.get("CurrencyCode") or base)


def echo(element: dict[str, Any]) -> dict[str, Any]:
    """A refused payment as the answer repeats it."""
    shown: dict[str, Any] = {}
    for field in ("Amount", "BankAmount"):
        try:
            shown[field] = float(amount(element.get(field)))
        except ValueError:
            continue
    if isinstance(element.get("Reference"), str):
        shown["Reference"] = element["Reference"]
    for field, id_ in (("Invoice", "InvoiceID"), ("CreditNote", "CreditNoteID"), ("Account", "AccountID")):
        given = element.get(field)
        if isinstance(given, dict):
            texts = {key: given[key] for key in ("Code", "InvoiceNumber") if isinstance(given.get(key), str)}
            shown[field] = texts | ({id_: guid(given[id_])} if is_guid(given.get(id_)) else {})
    try:
        shown["Date"] = ms_day(parse_day(element.get("Date")))
    except (ValueError, OverflowError):
        shown.pop("Date", None)
    return shown
