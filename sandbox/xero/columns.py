"""Which parts of each kind of document reads look for, and how they are folded for comparison. Pure functions."""

from __future__ import annotations

from typing import Any

from sandbox.xero.wire import fold, fold_accents, parse_day

COLUMNS = ("number", "name", "contact", "email", "parent", "type", "status", "day", "due", "reference")

ID_FIELDS = {
    "Organisation": "OrganisationID",
    "Accounts": "AccountID",
    "TaxRates": "TaxType",
    "Currencies": "Code",
    "TrackingCategories": "TrackingCategoryID",
    "BrandingThemes": "BrandingThemeID",
    "Items": "ItemID",
    "Contacts": "ContactID",
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Payments": "PaymentID",
    "BatchPayments": "BatchPaymentID",
}

_NUMBERS = {
    "Accounts": "Code",
    "TaxRates": "TaxType",
    "Currencies": "Code",
    "Items": "Code",
    "Contacts": "ContactNumber",
    "Invoices": "InvoiceNumber",
    "CreditNotes": "CreditNoteNumber",
}
_TYPES = {"Payments": "PaymentType"}
_STATUSES = {"Contacts": "ContactStatus"}

# where field -> column, where the column holds the whole truth of an equality
EQUALITY = {
    "Contacts": {
        "ContactID": "id",
        "Name": "name",
        "EmailAddress": "email",
        "ContactNumber": "number",
        "ContactStatus": "status",
    },
    "Invoices": {
        "InvoiceID": "id",
        "InvoiceNumber": "number",
        "Reference": "reference",
        "Type": "type",
        "Status": "status",
        "Contact.ContactID": "contact",
        "Date": "day",
        "DueDate": "due",
    },
    "CreditNotes": {
        "CreditNoteID": "id",
        "CreditNoteNumber": "number",
        "Reference": "reference",
        "Type": "type",
        "Status": "status",
        "Contact.ContactID": "contact",
        "Date": "day",
    },
    "Payments": {
        "PaymentID": "id",
        "Reference": "reference",
        "Status": "status",
        "PaymentType": "type",
        "Invoice.InvoiceID": "parent",
        "Date": "day",
    },
}

# order field -> SQL
ORDERS = {
    "UpdatedDateUTC": "updated",
    "Date": "day",
    "DueDate": "due",
    "Name": "name",
    "EmailAddress": "email",
    "ContactNumber": "number",
    "InvoiceNumber": "number",
    "CreditNoteNumber": "number",
    "Code": "number",
    "Reference": "reference",
    "Status": "status",
    "ContactStatus": "status",
    "Type": "type",
    "PaymentType": "type",
    "InvoiceID": "id",
    "ContactID": "id",
    "PaymentID": "id",
    "CreditNoteID": "id",
    "Amount": "CAST(json_extract(doc, '$.Amount') AS REAL)",
    "Total": "CAST(json_extract(doc, '$.Total') AS REAL)",
    "AmountDue": "CAST(json_extract(doc, '$.AmountDue') AS REAL)",
}


def columns_of(kind: str, doc: dict[str, Any]) -> dict[str, Any]:
    """The values of the searched columns; what is empty or absent is NULL."""
    parent = doc.get("Invoice") or doc.get("CreditNote") or {}
    contact = doc.get("Contact") or parent.get("Contact") or {}
    values = {
        "number": _folded(doc.get(_NUMBERS.get(kind, ""))),
        "reference": _folded(doc.get("Reference")),
        "type": doc.get(_TYPES.get(kind, "Type")),
        "status": doc.get(_STATUSES.get(kind, "Status")),
        "contact": contact.get("ContactID"),
        "parent": parent.get("InvoiceID") or parent.get("CreditNoteID"),
        "day": _day(doc.get("Date")),
        "due": _day(doc.get("DueDate")),
    }
    if kind == "Contacts":
        values["name"] = fold_accents(doc["Name"]) if doc.get("Name") else None
        values["email"] = fold_accents(doc["EmailAddress"]) if doc.get("EmailAddress") else None
    return values


def fold_for(column: str, value: str) -> str:
    """A value folded as the column is."""
    if column in {"name", "email"}:
        return fold_accents(value)
    return fold(value) if column in {"number", "reference"} else value


def _folded(value: Any) -> str | None:
    return fold(value) if isinstance(value, str) and value else None


def _day(value: Any) -> str | None:
    return parse_day(value).isoformat() if value else None
