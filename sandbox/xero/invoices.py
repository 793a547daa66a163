"""Sales invoices (ACCREC) and bills (ACCPAY)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.company import Company, money
from sandbox.xero.contacts import Contacts
from sandbox.xero.documents import INVOICE, Documents
from sandbox.xero.wire import ms_day


class Invoices(Documents):
    """The rules about invoices and bills."""

    def __init__(self, company: Company, contacts: Contacts) -> None:
        super().__init__(company, contacts, INVOICE)

    def _new(self, element: dict[str, Any]) -> dict[str, Any]:
        empty: dict[str, Any] = {"Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": []}
        amounts = {"AmountDue": 0.0, "AmountPaid": 0.0, "AmountCredited": 0.0}
        return super()._new(element) | empty | amounts

    def settle(self, doc: dict[str, Any], on: date) -> None:
        """AmountDue follows payments and credits; nothing due makes an approved document PAID, and back again."""
        paid = sum((money(one, "Amount") for one in doc["Payments"]), Decimal(0))
        credited = sum((money(one, "AppliedAmount") for one in doc["CreditNotes"]), Decimal(0))
        due = money(doc, "Total") - paid - credited
        doc |= {"AmountPaid": float(paid), "AmountCredited": float(credited), "AmountDue": float(due)}
        if doc["Status"] in ("AUTHORISED", "PAID"):
            doc["Status"] = "AUTHORISED" if due > 0 else "PAID"
        if doc["Status"] == "PAID":
            doc.setdefault("FullyPaidOnDate", ms_day(on))
        else:
            doc.pop("FullyPaidOnDate", None)
