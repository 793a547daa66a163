"""Credit notes, and their allocation to invoices and bills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.company import Company, money
from sandbox.xero.contacts import Contacts
from sandbox.xero.documents import CREDIT_NOTE, Documents
from sandbox.xero.invoices import Invoices
from sandbox.xero.locks import dated_in_lock
from sandbox.xero.wire import amount, cents, ms_day, parse_day

_TAKES = {"ACCRECCREDIT": "ACCREC", "ACCPAYCREDIT": "ACCPAY"}


class CreditNotes(Documents):
    """The rules about credit notes."""

    def __init__(self, company: Company, contacts: Contacts, invoices: Invoices) -> None:
        super().__init__(company, contacts, CREDIT_NOTE)
        self._invoices = invoices

    def _new(self, element: dict[str, Any]) -> dict[str, Any]:
        return super()._new(element) | {"Payments": [], "Allocations": [], "RemainingCredit": 0.0}

    def settle(self, doc: dict[str, Any], on: date) -> None:
        """RemainingCredit follows allocations and refunds; nothing left makes an approved note PAID."""
        used = sum((money(one, "Amount") for one in (*doc["Allocations"], *doc["Payments"])), Decimal(0))
        left = money(doc, "Total") - used
        doc |= {"RemainingCredit": float(left), "AppliedAmount": float(used)}
        if doc["Status"] in ("AUTHORISED", "PAID"):
            doc["Status"] = "AUTHORISED" if left > 0 else "PAID"
        if doc["Status"] == "PAID":
            doc.setdefault("FullyPaidOnDate", ms_day(on))
        else:
            doc.pop("FullyPaidOnDate", None)

    def allocate(self, note: dict[str, Any], element: dict[str, Any]) -> dict[str, Any]:
        """Use a part of an approved note for an approved invoice of the same contact and currency. Raises Refused."""
        invoice = self._invoices.find(str((element.get("Invoice") or {}).get("InvoiceID", "")))
        if invoice is None:
            raise Refused("Invoice not found")
        try:
            value, day = cents(amount(element.get("Amount"))), parse_day(element.get("Date"))
        except ValueError as error:
            raise Refused("An allocation needs an Amount and a Date that are valid.") from error
        problems = _allocation_problems(note, invoice, value)
        problems += dated_in_lock(day, self.company.lock_dates())
        if problems:
            raise Refused(*problems)
        allocation = {
            "AllocationID": self.company.records.new_id(),
            "Amount": float(value),
            "Date": ms_day(day),
            "Invoice": {"InvoiceID": invoice["InvoiceID"], "InvoiceNumber": invoice.get("InvoiceNumber", "")},
        }
        note["Allocations"].append(allocation)
        applied = {
            "CreditNoteID": note["CreditNoteID"],
            "CreditNoteNumber": note.get("CreditNoteNumber", ""),
            "ID": allocation["AllocationID"],
            "AppliedAmount": float(value),
            "Date": ms_day(day),
            "Total": note["Total"],
            "LineItems": [],
        }
        invoice["CreditNotes"].append(applied)
        self._keep_both(note, invoice, day)
        return allocation

    def remove_allocation(self, note: dict[str, Any], allocation_id: str) -> dict[str, Any] | None:
        """Undo an allocation, which opens both documents again; None for one that does not exist."""
        found = next((one for one in note["Allocations"] if one["AllocationID"] == allocation_id), None)
        if found is None:
            return None
        problems = dated_in_lock(parse_day(found["Date"]), self.company.lock_dates())
        if problems:
            raise Refused(*problems)
        note["Allocations"].remove(found)
        invoice = self._invoices.find(found["Invoice"]["InvoiceID"])
        if invoice is not None:
            invoice["CreditNotes"] = [one for one in invoice["CreditNotes"] if one.get("ID") != allocation_id]
            self._keep_both(note, invoice, parse_day(found["Date"]))
        return found | {"IsDeleted": True}

    def _keep_both(self, note: dict[str, Any], invoice: dict[str, Any], day: date) -> None:
        self.settle(note, day)
        self._invoices.settle(invoice, day)
        self.company.records.put("CreditNotes", note)
        self.company.records.put("Invoices", invoice)


def _allocation_problems(note: dict[str, Any], invoice: dict[str, Any], value: Decimal) -> list[str]:
    problems = []
    if note["Status"] != "AUTHORISED" or invoice["Status"] != "AUTHORISED":
        problems.append("Allocations can only be made between Authorised documents")
    if _TAKES[note["Type"]] != invoice["Type"]:
        problems.append("The credit note cannot be allocated to a document of this type.")
    if note["Contact"]["ContactID"] != invoice["Contact"]["ContactID"]:
        problems.append("The credit note and the invoice must have the same contact.")
    if note["CurrencyCode"] != invoice["CurrencyCode"]:
        problems.append("The credit note and the invoice must have the same currency.")
    if value <= 0:
        problems.append("The Amount must be greater than zero.")
    if value > money(invoice, "AmountDue"):
        problems.append("The amount allocated exceeds the amount outstanding on this document")
    if value > money(note, "RemainingCredit"):
        problems.append("The amount allocated exceeds the remaining credit")
    return problems
