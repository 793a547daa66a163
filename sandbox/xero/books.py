"""All rules over one organisation's books, in one place."""

from __future__ import annotations

from typing import Any

from sandbox.xero.batch_payments import BatchPayments
from sandbox.xero.company import Company
from sandbox.xero.contacts import Contacts
from sandbox.xero.credit_notes import CreditNotes
from sandbox.xero.invoices import Invoices
from sandbox.xero.items import Items
from sandbox.xero.payments import Payments
from sandbox.xero.render import Render
from sandbox.xero.wire import guid, is_guid


class Books:
    """The rules, sharing what is kept."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.contacts = Contacts(company)
        self.invoices = Invoices(company, self.contacts)
        self.credit_notes = CreditNotes(company, self.contacts, self.invoices)
        self.payments = Payments(company, self.invoices, self.credit_notes)
        self.batch_payments = BatchPayments(company, self.invoices, self.payments)
        self.items = Items(company)
        self.render = Render(company)
        self.rules: dict[str, Any] = {
            "Contacts": self.contacts,
            "Invoices": self.invoices,
            "CreditNotes": self.credit_notes,
            "Payments": self.payments,
            "BatchPayments": self.batch_payments,
            "Items": self.items,
        }

    def find(self, kind: str, key: str) -> dict[str, Any] | None:
        """One document by identifier or, where it has one, by number or code."""
        if kind in ("Contacts", "Invoices", "CreditNotes", "Items", "Payments"):
            found: dict[str, Any] | None = self.rules[kind].find(key)
            return found
        records = self.company.records
        return records.get(kind, guid(key)) if is_guid(key) else records.by_number(kind, key)
