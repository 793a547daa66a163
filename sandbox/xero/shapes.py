"""The JSON shapes of what is sent: objects where objects belong, lists of objects, plain values elsewhere."""

from __future__ import annotations

from typing import Any

_OBJECTS = frozenset(
    [
        "Account",
        "BatchPayments",
        "BrandingTheme",
        "Contact",
        "CreditNote",
        "Invoice",
        "Overpayment",
        "PaymentTerms",
        "Prepayment",
        "PurchaseDetails",
        "SalesDetails",
    ]
)
_LISTS = frozenset(
    ["Addresses", "Allocations", "ContactPersons", "HistoryRecords", "LineItems", "Payments", "Phones", "Tracking"]
)
_TEXTS = frozenset(
    [
        "AccountCode",
        "AccountNumber",
        "Code",
        "CompanyNumber",
        "ContactNumber",
        "CreditNoteNumber",
        "CurrencyCode",
        "Description",
        "EmailAddress",
        "FirstName",
        "InvoiceNumber",
        "ItemCode",
        "LastName",
        "LineAmountTypes",
        "Name",
        "Option",
        "Reference",
        "Status",
        "TaxNumber",
        "TaxType",
        "Type",
        "Url",
    ]
)


class WrongShape(Exception):
    """A value has a form that Xero cannot read; the message names the field."""


def well_formed(element: dict[str, Any]) -> dict[str, Any]:
    """The element with numbers in text fields as text, and without structures that nobody knows.

    Raises WrongShape where an object or a list is expected and something else is there.
    """
    found: dict[str, Any] = {}
    for name, value in element.items():
        if value is None:
            found[name] = None
        elif name in _OBJECTS:
            found[name] = well_formed(_expected(value, dict, name))
        elif name in _LISTS:
            found[name] = [well_formed(_expected(one, dict, name)) for one in _expected(value, list, name)]
        elif name in _TEXTS and isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = str(value)
        elif not isinstance(value, dict | list):
            found[name] = value
    return found


def _expected(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise WrongShape(f"{name} has a form that cannot be read.")
    return value
