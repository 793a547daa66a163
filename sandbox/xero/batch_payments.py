"""Batch payments: one line on the bank account for many invoices, in the base currency only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.company import Company, money
from sandbox.xero.invoices import Invoices
from sandbox.xero.locks import payment_in_lock
from sandbox.xero.payments import NO_ACCOUNT, ONLY_AUTHORISED, TOO_MUCH, Payments
from sandbox.xero.records import Selection
from sandbox.xero.wire import amount, cents, ms_day, parse_day

NOT_BASE = "Bank accounts must use the same currency as the organisations base currency"
_LENGTHS = {"Particulars": 12, "Code": 12, "Narrative": 18, "Reference": 255}


class BatchPayments:
    """The rules about batch payments."""

    def __init__(self, company: Company, invoices: Invoices, payments: Payments) -> None:
        self._company = company
        self._invoices = invoices
        self._payments = payments

    def create(self, element: dict[str, Any]) -> dict[str, Any]:
        """All of its payments, or none. Raises Refused."""
        parts = element.get("Payments")
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            raise Refused("A batch payment must have at least one payment")
        try:
            day = parse_day(element.get("Date"))
            values = [cents(amount(part.get("Amount"))) for part in parts]
        except (ValueError, OverflowError) as error:
            raise Refused("A batch payment needs a Date and Amounts that are valid.") from error
        account = self._company.account(element.get("Account") or {})
        problems = self._account_problems(account) + payment_in_lock(day, self._company.lock_dates())
        problems += [
            f"The {field} exceeds the maximum length of {longest}."
            for field, longest in _LENGTHS.items()
            if len(str(element.get(field) or "")) > longest
        ]
        documents = [self._invoices.find(str((part.get("Invoice") or {}).get("InvoiceID", ""))) for part in parts]
        problems += self._document_problems(documents, values)
        if problems or account is None:
            raise Refused(*problems)
        batch = self._batch(element, account, ms_day(day), sum(values, Decimal(0)), documents[0] or {})
        made = []
        for part in parts:
            whole = {"Invoice": part["Invoice"], "Account": account, "Date": element["Date"], "Amount": part["Amount"]}
            payment = self._payments.create(whole | {"Reference": part.get("Reference")}, batch)
            invoice = {"InvoiceID": payment["Invoice"]["InvoiceID"], "LineItems": []}
            made.append({"PaymentID": payment["PaymentID"], "Invoice": invoice, "Amount": payment["Amount"]})
        return self._company.records.put("BatchPayments", batch | {"Payments": made})

    def delete(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Take back the batch with all of its payments. Raises Refused."""
        if batch["Status"] == "DELETED":
            raise Refused("Batch payment has already been deleted")
        parts = [self._payments.find(part["PaymentID"]) for part in batch["Payments"]]
        for payment in parts:
            if payment is not None:
                self._payments.delete(payment, with_batch=True)
        return self._company.records.put("BatchPayments", batch | {"Status": "DELETED"})

    def all_of(self, payment_ids: list[str]) -> list[dict[str, Any]]:
        """The payments with these identifiers."""
        marks = ", ".join("?" for _ in payment_ids)
        return self._company.records.find(Selection("Payments", (f"id IN ({marks})",), payment_ids))

    def _account_problems(self, account: dict[str, Any] | None) -> list[str]:
        if account is None or account["Status"] != "ACTIVE":
            return [NO_ACCOUNT]
        base = self._company.base_currency
        if account["Type"] != "BANK" or (account.get("CurrencyCode") or base) != base:
            return [NOT_BASE]
        return []

    def _document_problems(self, documents: list[dict[str, Any] | None], values: list[Decimal]) -> list[str]:
        problems = []
        open_amounts: dict[str, Decimal] = {}
        for invoice, value in zip(documents, values, strict=True):
            if invoice is None:
                problems.append("Invoice could not be found.")
                continue
            left = open_amounts.get(invoice["InvoiceID"], money(invoice, "AmountDue")) - value
            open_amounts[invoice["InvoiceID"]] = left
            if invoice["Status"] != "AUTHORISED":
                problems.append(ONLY_AUTHORISED)
            elif left < 0:
                problems.append(TOO_MUCH)
            if value <= 0:
                problems.append("Payment amount must be greater than zero")
            if invoice["CurrencyCode"] != self._company.base_currency:
                problems.append(NOT_BASE)
        if len({invoice["Type"] for invoice in documents if invoice}) > 1:
            problems.append("A batch payment cannot mix sales invoices and bills.")
        return problems

    def _batch(
        self, element: dict[str, Any], account: dict[str, Any], day: str, total: Decimal, first: dict[str, Any]
    ) -> dict[str, Any]:
        texts = {
            field: element[field]
            for field in ("Reference", "Particulars", "Code", "Details", "Narrative")
            if isinstance(element.get(field), str)
        }
        return texts | {
            "BatchPaymentID": self._company.records.new_id(),
            "Account": {"AccountID": account["AccountID"]},
            "Date": day,
            "Type": "RECBATCH" if first.get("Type") == "ACCREC" else "PAYBATCH",
            "Status": "AUTHORISED",
            "TotalAmount": float(total),
            "IsReconciled": False,
        }
