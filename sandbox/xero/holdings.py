"""What the stand-in holds as a whole: the first chart, loading other objects, and showing all of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.xero import chart
from sandbox.xero.books import Books
from sandbox.xero.columns import ID_FIELDS
from sandbox.xero.documents import CREDIT_NOTE, INVOICE, Form, set_day
from sandbox.xero.lines import totals
from sandbox.xero.records import Selection
from sandbox.xero.wire import dump, guid, is_guid, ms_day, parse, parse_day

LOADABLE = (
    "Organisation", "Accounts", "TaxRates", "Currencies", "TrackingCategories", "BrandingThemes", "Items",
    "Contacts", "Invoices", "CreditNotes", "Payments", "BatchPayments",
)  # fmt: skip
_NOT_GUIDS = ("TaxRates", "Currencies")


def first_chart(books: Books, profile: str, today: date) -> None:
    """Write the organisation, chart, taxes and currencies of a profile."""
    objects = {
        "Organisation": [chart.organisation(profile, today, books.company.records.new_id())],
        "Accounts": chart.accounts(profile),
        "TaxRates": chart.tax_rates(profile),
        "Currencies": chart.currencies(profile),
        "TrackingCategories": chart.tracking_categories(),
        "BrandingThemes": chart.branding_themes(today),
    }
    load(books, objects)


def load(books: Books, objects: dict[str, Any]) -> dict[str, int]:
    """Replace the named kinds by the given objects, each as the API returns it; kinds that are not named stay.

    What the API computes (identifiers, totals, amounts due) is filled in where it is missing.
    Raises ValueError, and then nothing is changed.
    """
    unknown = sorted(set(objects) - set(LOADABLE))
    if unknown:
        raise ValueError(f"Xero holds no {', '.join(unknown)}. It holds {', '.join(LOADABLE)}.")
    counts = {}
    records = books.company.records
    with records.work():
        for kind in LOADABLE:
            if kind not in objects:
                continue
            given = objects[kind]
            given = [given] if isinstance(given, dict) else given
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                raise ValueError(f"{kind} is a list of objects.")
            if kind == "Organisation" and len(given) != 1:
                raise ValueError("There is exactly one Organisation.")
            records.clear(kind)
            for one in given:
                _load_one(books, kind, one)
            counts[kind] = len(given)
    return counts


def state(books: Books) -> dict[str, Any]:
    """Everything, each object as the API returns it."""
    records = books.company.records
    held = {}
    for kind in LOADABLE:
        docs = records.find(Selection(kind, order="seq"))
        held[kind] = list(books.render.named(kind, docs))
    return held


def _load_one(books: Books, kind: str, given: dict[str, Any]) -> None:
    doc = parse(dump(given))
    id_field = ID_FIELDS[kind]
    if kind not in _NOT_GUIDS:
        doc[id_field] = guid(doc[id_field]) if is_guid(doc.get(id_field)) else books.company.records.new_id()
    elif not doc.get(id_field):
        raise ValueError(f"One of {kind} has no {id_field}.")
    try:
        _complete(books, kind, doc)
        books.company.records.put(kind, doc, touch="UpdatedDateUTC" not in doc)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{kind} {doc.get(id_field)}: {error!r}") from error


def _complete(books: Books, kind: str, doc: dict[str, Any]) -> None:
    if kind == "TrackingCategories":
        doc["Options"] = [
            {"TrackingOptionID": books.company.records.new_id()} | option for option in doc.get("Options", [])
        ]
    elif kind == "Contacts":
        _complete_contact(doc)
    elif kind == "Accounts":
        doc.setdefault("Status", "ACTIVE")
    elif kind == "Invoices":
        _complete_document(books, INVOICE, doc)
    elif kind == "CreditNotes":
        _complete_document(books, CREDIT_NOTE, doc)
    elif kind in ("Payments", "BatchPayments"):
        doc.setdefault("Status", "AUTHORISED")
        doc["Date"] = ms_day(parse_day(doc["Date"]))


def _complete_contact(doc: dict[str, Any]) -> None:
    empty: tuple[str, ...] = ("Addresses", "Phones", "ContactGroups", "ContactPersons")
    defaults: dict[str, Any] = {name: [] for name in empty}
    switches = {"IsSupplier": False, "IsCustomer": False, "HasAttachments": False, "HasValidationErrors": False}
    for name, value in (defaults | switches | {"ContactStatus": "ACTIVE", "BankAccountDetails": ""}).items():
        doc.setdefault(name, value)
    if not doc.get("Name"):
        raise ValueError("a contact has a Name")


def _complete_document(books: Books, form: Form, doc: dict[str, Any]) -> None:
    company = books.company
    if doc.get("Type") not in (form.sale, form.purchase):
        raise ValueError(f"its Type is {form.sale} or {form.purchase}")
    doc["Contact"] = {"ContactID": guid(doc["Contact"]["ContactID"])}
    defaults: dict[str, Any] = {
        form.number_field: "",
        "Status": "AUTHORISED",
        "LineAmountTypes": "Exclusive",
        "LineItems": [],
        "CurrencyCode": company.base_currency,
        "SentToContact": False,
        "HasAttachments": False,
        "HasErrors": False,
        "IsDiscounted": False,
        "Payments": [],
    }
    more = ("CreditNotes", "Prepayments", "Overpayments") if form is INVOICE else ("Allocations",)
    for name, value in (defaults | {name: [] for name in more}).items():
        doc.setdefault(name, value)
    doc.setdefault("CurrencyRate", float(company.day_rate(doc["CurrencyCode"])))
    for line in doc["LineItems"]:
        line.setdefault("LineItemID", company.records.new_id())
        line.setdefault("Tracking", [])
    for field in ("Date", "DueDate"):
        if doc.get(field):
            set_day(doc, field, parse_day(doc[field]))
    if "Total" not in doc:
        net, tax, total = totals(doc["LineItems"], doc["LineAmountTypes"])
        doc |= {"SubTotal": float(net), "TotalTax": float(tax), "Total": float(total)}
    if ("AmountDue" if form is INVOICE else "RemainingCredit") not in doc:
        rules = books.invoices if form is INVOICE else books.credit_notes
        rules.settle(doc, parse_day(doc["Date"]))
