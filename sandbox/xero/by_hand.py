"""What a person does in Xero's own screens, for tests: the same rules, and a few powers that the API lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.books import Books
from sandbox.xero.records import Selection

Json = dict[str, Any]


class ByHand:
    """``POST /control/ui/xero`` with ``{"do": ..., ...}``; documents and contacts by id, number or name."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._records = books.company.records
        self._actions: dict[str, Callable[[Json], Json]] = {
            "create_contact": self._create_contact,
            "edit_contact": self._edit_contact,
            "archive_contact": self._archive_contact,
            "unarchive_contact": self._unarchive_contact,
            "merge_contacts": self._merge_contacts,
            "create_invoice": self._create_invoice,
            "edit_invoice": self._edit_invoice,
            "void_invoice": self._void_invoice,
            "delete_invoice": self._delete_invoice,
            "pay_invoice": self._pay_invoice,
            "delete_payment": self._delete_payment,
            "archive_account": self._archive_account,
        }

    def do(self, given: Json) -> Json:
        """Do one thing. Raises ValueError with Xero's messages, or with the known actions."""
        action = self._actions.get(str(given.get("do")))
        if action is None:
            raise ValueError(f"do is one of: {', '.join(self._actions)}")
        with self._records.work():
            try:
                return action(given)
            except Refused as refused:
                raise ValueError("; ".join(refused.messages)) from refused

    def _create_contact(self, given: Json) -> Json:
        return self._books.contacts.create(_fields(given))

    def _edit_contact(self, given: Json) -> Json:
        return self._books.contacts.update(self._contact(given, "contact"), _fields(given))

    def _archive_contact(self, given: Json) -> Json:
        return self._records.put("Contacts", self._contact(given, "contact") | {"ContactStatus": "ARCHIVED"})

    def _unarchive_contact(self, given: Json) -> Json:
        contact = self._contact(given, "contact")
        twin = self._books.contacts.active_named(contact["Name"])
        if twin and twin["ContactID"] != contact["ContactID"]:
            raise ValueError(f"There is an active contact with the name {contact['Name']} already.")
        contact.pop("MergedToContactID", None)
        return self._records.put("Contacts", contact | {"ContactStatus": "ACTIVE"})

    def _merge_contacts(self, given: Json) -> Json:
        """``from`` is archived and points to ``into``, which gets its documents."""
        gone, kept = self._contact(given, "from"), self._contact(given, "into")
        for kind in ("Invoices", "CreditNotes"):
            for doc in self._records.find(Selection(kind, ("contact = ?",), (gone["ContactID"],))):
                self._records.put(kind, doc | {"Contact": {"ContactID": kept["ContactID"]}})
        for doc in self._records.find(Selection("Payments", ("contact = ?",), (gone["ContactID"],))):
            parent = doc.get("Invoice") or doc["CreditNote"]
            parent["Contact"] = {"ContactID": kept["ContactID"]}
            self._records.put("Payments", doc, touch=False)
        for side in ("IsCustomer", "IsSupplier"):
            kept[side] = kept[side] or gone[side]
        self._records.put("Contacts", kept)
        merged = {"ContactStatus": "ARCHIVED", "MergedToContactID": kept["ContactID"]}
        return self._records.put("Contacts", gone | merged)

    def _create_invoice(self, given: Json) -> Json:
        return self._books.invoices.create(_fields(given))

    def _edit_invoice(self, given: Json) -> Json:
        return self._books.invoices.update(self._invoice(given), _fields(given))

    def _void_invoice(self, given: Json) -> Json:
        return self._books.invoices.update(self._invoice(given), {"Status": "VOIDED"})

    def _delete_invoice(self, given: Json) -> Json:
        return self._books.invoices.update(self._invoice(given), {"Status": "DELETED"})

    def _pay_invoice(self, given: Json) -> Json:
        invoice = self._invoice(given)
        element = {
            "Invoice": {"InvoiceID": invoice["InvoiceID"]},
            "Account": {"Code": str(given.get("account", "090"))},
            "Amount": given.get("amount", invoice["AmountDue"]),
            "Date": given.get("date") or self._books.company.today().isoformat(),
            "Reference": given.get("reference", ""),
        }
        return self._books.payments.create(element)

    def _delete_payment(self, given: Json) -> Json:
        payment = self._books.payments.find(str(given.get("payment", "")))
        if payment is None:
            raise ValueError("There is no such payment; give its PaymentID.")
        return self._books.payments.delete(payment)

    def _archive_account(self, given: Json) -> Json:
        account = self._books.company.account(str(given.get("account", "")))
        if account is None:
            raise ValueError("There is no such account; give its code.")
        return self._records.put("Accounts", account | {"Status": "ARCHIVED"})

    def _contact(self, given: Json, key: str) -> Json:
        value = str(given.get(key, ""))
        contact = self._books.contacts.find(value) or self._books.contacts.active_named(value)
        if contact is None:
            raise ValueError(f"There is no contact {value!r}; give a ContactID, a contact number or an active name.")
        return contact

    def _invoice(self, given: Json) -> Json:
        invoice = self._books.invoices.find(str(given.get("invoice", "")))
        if invoice is None:
            raise ValueError("There is no such invoice or bill; give its InvoiceID or its number.")
        return invoice


def _fields(given: Json) -> Json:
    fields = given.get("fields")
    if not isinstance(fields, dict):
        raise ValueError("fields is an object of the fields to set, named as the API names them.")
    return fields
