"""What invoices, bills and credit notes have in common: the life of a document, its checks, its totals."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.company import Company, money
from sandbox.xero.contacts import Contacts
from sandbox.xero.lines import Lines, Setting, totals
from sandbox.xero.locks import dated_in_lock, edit_in_lock
from sandbox.xero.records import Selection
from sandbox.xero.wire import ZERO_ID, amount, cents, day_string, guid, is_guid, ms_day, parse_day, switch

NOT_MODIFIABLE = "{noun} not of valid status for modification"
NOT_CREATABLE = "{noun} not of valid status for creation"
HAS_PAYMENTS = "This document cannot be edited as it has a payment or credit note allocated to it."
NOT_VOIDABLE = (
    "The status VOIDED cannot be applied to the {noun} because it has payments or credit notes allocated to it."
)
NO_DUE_DATE = "The document DueDate field must be specified"

STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED")
_NEXT = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID"},
    "VOIDED": set(),
    "DELETED": set(),
}
_TAX_MODES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}
_FROZEN = ("Date", "CurrencyCode", "CurrencyRate", "LineAmountTypes", "SubTotal", "TotalTax", "Total")
_FROZEN_LINE = ("LineItemID", "Quantity", "UnitAmount", "LineAmount", "TaxAmount", "TaxType", "ItemCode")
_QUIET = {"DueDate", "DueDateString", "SentToContact"}


@dataclass(frozen=True, slots=True)
class Form:
    """The names that one kind of document uses."""

    kind: str
    id_field: str
    number_field: str
    sale: str
    purchase: str
    noun: str
    prefix: str
    due_required: bool
    paid: tuple[str, ...]


INVOICE = Form(
    "Invoices", "InvoiceID", "InvoiceNumber", "ACCREC", "ACCPAY", "Invoice", "INV-", True, ("Payments", "CreditNotes")
)
CREDIT_NOTE = Form(
    "CreditNotes",
    "CreditNoteID",
    "CreditNoteNumber",
    "ACCRECCREDIT",
    "ACCPAYCREDIT",
    "Credit note",
    "CN-",
    False,
    ("Payments", "Allocations"),
)


class Documents:
    """The rules of one kind of document, over what is kept."""

    def __init__(self, company: Company, contacts: Contacts, form: Form) -> None:
        self.company = company
        self.contacts = contacts
        self.form = form
        self._lines = Lines(company)

    def create(self, element: dict[str, Any], decimals: int = 2) -> dict[str, Any]:
        """PUT: a new document. Raises Refused."""
        form = self.form
        if element.get("Type") not in (form.sale, form.purchase):
            raise Refused(f"A valid Type must be specified: {form.sale} or {form.purchase}.")
        if self._named_by_id(element) is not None:
            raise Refused(f"A document with this {form.id_field} already exists.")
        if (element.get("Status") or "DRAFT") not in ("DRAFT", "SUBMITTED", "AUTHORISED"):
            raise Refused(NOT_CREATABLE.format(noun=form.noun))
        return self._save(self._new(element), element, decimals, creating=True)

    def upsert(self, element: dict[str, Any], decimals: int = 2) -> dict[str, Any]:
        """POST: update by identifier, else the sales document with this number (replacing it), else create."""
        id_ = element.get(self.form.id_field)
        if is_guid(id_) and id_ != ZERO_ID:
            kept = self._named_by_id(element)
            if kept is None:
                raise Refused(f"{self.form.noun} not found")
            return self.update(kept, element, decimals)
        number = element.get(self.form.number_field)
        kept = self.sale_numbered(number) if number and element.get("Type") == self.form.sale else None
        return self.update(kept, element, decimals) if kept else self.create(element, decimals)

    def update(self, kept: dict[str, Any], element: dict[str, Any], decimals: int = 2) -> dict[str, Any]:
        """Change what is given, as far as the document's status, payments and lock dates allow. Raises Refused."""
        status = element.get("Status") or kept["Status"]
        if element.get("Type") not in (None, kept["Type"]):
            raise Refused("The Type of a document cannot be changed.")
        if status == "VOIDED" and kept["Status"] in ("AUTHORISED", "PAID"):
            return self._void(kept)
        if status not in _NEXT.get(kept["Status"], set()):
            raise Refused(NOT_MODIFIABLE.format(noun=self.form.noun))
        if status == "DELETED":
            return self._end(kept, "DELETED")
        return self._save(kept, element, decimals, creating=False)

    def sale_numbered(self, number: Any) -> dict[str, Any] | None:
        """The sales document with this number, in any status, compared without case."""
        values = (str(number).strip().casefold(), self.form.sale)
        found = self.company.records.find(Selection(self.form.kind, ("number = ?", "type = ?"), values, "seq"), 1)
        return found[0] if found else None

    def find(self, id_or_number: str) -> dict[str, Any] | None:
        """One document by identifier, else by number."""
        records = self.company.records
        if is_guid(id_or_number):
            return records.get(self.form.kind, guid(id_or_number))
        return records.by_number(self.form.kind, id_or_number)

    def is_sale(self, doc: dict[str, Any]) -> bool:
        """Whether it is on the customers' side."""
        return bool(doc["Type"] == self.form.sale)

    def has_settlements(self, doc: dict[str, Any]) -> bool:
        """Whether payments or credits are applied to it."""
        return any(doc.get(field) for field in self.form.paid)

    def settle(self, doc: dict[str, Any], on: date) -> None:
        """Bring what is open, and the status, in line with the payments and credits."""
        raise NotImplementedError

    def _void(self, kept: dict[str, Any]) -> dict[str, Any]:
        if self.has_settlements(kept):
            raise Refused(NOT_VOIDABLE.format(noun=self.form.noun.lower()))
        if kept["Status"] != "AUTHORISED":
            raise Refused(NOT_MODIFIABLE.format(noun=self.form.noun))
        problems = edit_in_lock(parse_day(kept["Date"]), self.company.lock_dates())
        if problems:
            raise Refused(*problems)
        return self._end(kept, "VOIDED")

    def _end(self, kept: dict[str, Any], status: str) -> dict[str, Any]:
        doc = kept | {"Status": status}
        for field in ("AmountDue", "RemainingCredit"):
            if field in doc:
                doc[field] = 0.0
        return self.company.records.put(self.form.kind, doc)

    def _save(self, kept: dict[str, Any], element: dict[str, Any], decimals: int, creating: bool) -> dict[str, Any]:
        doc = copy.deepcopy(kept)
        problems: list[str] = []
        if not creating and kept["Status"] in ("AUTHORISED", "PAID"):
            problems += edit_in_lock(parse_day(kept["Date"]), self.company.lock_dates())
        contact = self._contact(doc, element, problems, creating)
        doc["Status"] = element.get("Status") or kept["Status"]
        approved = doc["Status"] in ("AUTHORISED", "PAID")
        self._dates(doc, element, problems, approved)
        self._texts(doc, element, problems, approved)
        self._currency(doc, element, problems)
        self._amounts(doc, element, problems, decimals)
        if not creating and self.has_settlements(kept):
            doc = self._only_what_may_change(kept, doc, problems)
        elif approved and not problems:
            problems += dated_in_lock(parse_day(doc["Date"]), self.company.lock_dates())
        if problems:
            raise Refused(*problems)
        return self._commit(kept, doc, contact, creating)

    def _commit(
        self, kept: dict[str, Any], doc: dict[str, Any], contact: dict[str, Any] | None, creating: bool
    ) -> dict[str, Any]:
        if contact is not None:
            doc["Contact"] = {"ContactID": contact["ContactID"]}
            self.contacts.save_with_document(contact, self.is_sale(doc))
        if creating and not doc.get(self.form.number_field) and self.is_sale(doc):
            doc[self.form.number_field] = self._next_number()
        self.settle(doc, parse_day(doc["Date"]))
        changed = {key for key in kept.keys() | doc.keys() if kept.get(key) != doc.get(key)}
        quiet = not creating and self.has_settlements(kept) and changed <= _QUIET
        return self.company.records.put(self.form.kind, doc, touch=not quiet)

    def _new(self, element: dict[str, Any]) -> dict[str, Any]:
        doc: dict[str, Any] = {
            "Type": element["Type"],
            self.form.id_field: self.company.records.new_id(),
            self.form.number_field: "",
            "SentToContact": False,
            "HasAttachments": False,
            "HasErrors": False,
            "CurrencyCode": self.company.base_currency,
            "CurrencyRate": 1.0,
            "Status": "DRAFT",
            "LineAmountTypes": "Exclusive",
            "LineItems": [],
        }
        if doc["Type"] == self.form.sale:
            doc["Reference"] = ""
            doc["BrandingThemeID"] = self.company.default_branding()
        return doc

    def _contact(
        self, doc: dict[str, Any], element: dict[str, Any], problems: list[str], creating: bool
    ) -> dict[str, Any] | None:
        if not creating and not element.get("Contact"):
            return None
        try:
            return self.contacts.for_document(element.get("Contact"))
        except Refused as refused:
            problems += refused.messages
            return None

    def _dates(self, doc: dict[str, Any], element: dict[str, Any], problems: list[str], approved: bool) -> None:
        for field in ("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"):
            if element.get(field) in (None, ""):
                continue
            try:
                set_day(doc, field, parse_day(element[field]))
            except (ValueError, OverflowError):
                problems.append(f"The {field} is not a valid date.")
        if "Date" not in doc:
            set_day(doc, "Date", self.company.today())
        if self.form.due_required and approved and "DueDate" not in doc:
            problems.append(NO_DUE_DATE)

    def _texts(self, doc: dict[str, Any], element: dict[str, Any], problems: list[str], approved: bool) -> None:
        number = element.get(self.form.number_field)
        if isinstance(number, str) and number:
            doc[self.form.number_field] = number
            problems += self._number_problems(doc, number)
        if self.is_sale(doc) and isinstance(element.get("Reference"), str):
            doc["Reference"] = element["Reference"]
            if len(doc["Reference"]) > 255:
                problems.append("The Reference exceeds the maximum length of 255.")
        if isinstance(element.get("Url"), str) and element["Url"]:
            doc["Url"] = element["Url"]
            if "xero" in doc["Url"].lower() or not doc["Url"].lower().startswith(("http://", "https://")):
                problems.append("Url must be a valid link that does not contain 'xero'.")
        if element.get("BrandingThemeID"):
            doc["BrandingThemeID"] = element["BrandingThemeID"]
            known = {theme["BrandingThemeID"] for theme in self.company.all("BrandingThemes")}
            if doc["BrandingThemeID"] not in known:
                problems.append("The BrandingThemeID could not be found.")
        if "SentToContact" in element:
            doc["SentToContact"] = switch(element["SentToContact"])
            if doc["SentToContact"] and not approved:
                problems.append("SentToContact can only be set on approved documents.")

    def _number_problems(self, doc: dict[str, Any], number: str) -> list[str]:
        if len(number) > 255:
            return [f"The {self.form.number_field} exceeds the maximum length of 255."]
        holder = self.sale_numbered(number) if self.is_sale(doc) else None
        if holder and holder[self.form.id_field] != doc[self.form.id_field]:
            return [f"{self.form.noun} # must be unique."]
        return []

    def _currency(self, doc: dict[str, Any], element: dict[str, Any], problems: list[str]) -> None:
        code = element.get("CurrencyCode") or doc["CurrencyCode"]
        if not self.company.has_currency(str(code)):
            problems.append(f"Organisation is not subscribed to currency {code}")
            return
        moved = code != doc["CurrencyCode"]
        doc["CurrencyCode"] = code
        if code == self.company.base_currency:
            doc["CurrencyRate"] = 1.0
        elif element.get("CurrencyRate"):
            try:
                rate = amount(element["CurrencyRate"])
            except ValueError:
                rate = Decimal(0)
            if rate <= 0:
                problems.append("The CurrencyRate is not valid.")
            doc["CurrencyRate"] = float(rate)
        elif moved or (element.get("LineItems") and not self.is_sale(doc)):
            doc["CurrencyRate"] = float(self.company.day_rate(str(code)))

    def _amounts(self, doc: dict[str, Any], element: dict[str, Any], problems: list[str], decimals: int) -> None:
        mode = str(element.get("LineAmountTypes") or doc["LineAmountTypes"])
        if mode.lower() not in _TAX_MODES:
            problems.append("The LineAmountTypes is not valid.")
            return
        moved = _TAX_MODES[mode.lower()] != doc["LineAmountTypes"]
        doc["LineAmountTypes"] = _TAX_MODES[mode.lower()]
        approved = doc["Status"] in ("SUBMITTED", "AUTHORISED", "PAID")
        discounts = self.is_sale(doc)
        setting = Setting(self.is_sale(doc), approved, doc["LineAmountTypes"], decimals, discounts)
        if "LineItems" in element or not doc["LineItems"]:
            doc["LineItems"], found = self._lines.build(element.get("LineItems"), doc["LineItems"], setting)
            problems += found
        elif moved or approved:
            again = [{k: v for k, v in line.items() if k != "TaxAmount"} for line in doc["LineItems"]]
            again = again if moved else doc["LineItems"]
            doc["LineItems"], found = self._lines.build(again, doc["LineItems"], setting)
            problems += found
        self._totals(doc, element, problems, approved)

    def _totals(self, doc: dict[str, Any], element: dict[str, Any], problems: list[str], approved: bool) -> None:
        net, tax, total = totals(doc["LineItems"], doc["LineAmountTypes"])
        if element.get("RoundingAmount"):
            complete = all(element.get(field) is not None for field in ("SubTotal", "TotalTax", "Total"))
            try:
                rounding = cents(amount(element["RoundingAmount"]))
            except ValueError:
                rounding = Decimal(1)
            if abs(rounding) > Decimal("0.10") or not complete or not approved:
                problems.append("The RoundingAmount is not valid for this document.")
            elif cents(amount(element["Total"])) == total + rounding:
                doc["RoundingAmount"] = float(rounding)
        total += money(doc, "RoundingAmount")
        if total < 0:
            problems.append("The document total cannot be negative.")
        doc |= {"SubTotal": float(net), "TotalTax": float(tax), "Total": float(total)}
        doc["IsDiscounted"] = any("DiscountRate" in line or "DiscountAmount" in line for line in doc["LineItems"])

    def _only_what_may_change(self, kept: dict[str, Any], doc: dict[str, Any], problems: list[str]) -> dict[str, Any]:
        """Texts and accounts of a document with payments may change, amounts and dates may not.

        A paid bill drops a change of its amounts without a word, as was seen at Xero.
        """
        if _frozen(kept) == _frozen(doc):
            return doc
        if kept["Status"] == "PAID" and not self.is_sale(kept) and kept["Date"] == doc["Date"]:
            return doc | {key: kept[key] for key in (*_FROZEN, "LineItems")}
        problems += [NOT_MODIFIABLE.format(noun=self.form.noun), HAS_PAYMENTS]
        return doc

    def _named_by_id(self, element: dict[str, Any]) -> dict[str, Any] | None:
        id_ = element.get(self.form.id_field)
        return self.company.records.get(self.form.kind, guid(str(id_))) if is_guid(id_) else None

    def _next_number(self) -> str:
        fact = f"xero.next.{self.form.kind}"
        number = int(self.company.store.fact(fact) or 1)
        while self.sale_numbered(f"{self.form.prefix}{number:04d}"):
            number += 1
        self.company.store.remember(fact, str(number + 1))
        return f"{self.form.prefix}{number:04d}"


def set_day(doc: dict[str, Any], field: str, day: date) -> None:
    """A date and, where Xero shows it, its text companion."""
    doc[field] = ms_day(day)
    if field in ("Date", "DueDate"):
        doc[f"{field}String"] = day_string(day)


def _frozen(doc: dict[str, Any]) -> tuple[Any, ...]:
    lines = [[line.get(field) for field in _FROZEN_LINE] for line in doc["LineItems"]]
    return ([doc.get(field) for field in _FROZEN], lines)


def echo(form: Form, element: dict[str, Any]) -> dict[str, Any]:
    """A refused document as the answer repeats it: what was asked for, as far as it has a valid form."""
    shown: dict[str, Any] = {"LineItems": []}
    if element.get("Type") in (form.sale, form.purchase):
        shown["Type"] = element["Type"]
    if element.get("Status") in STATUSES:
        shown["Status"] = element["Status"]
    for field in (form.number_field, "Reference"):
        if isinstance(element.get(field), str):
            shown[field] = element[field]
    if is_guid(element.get(form.id_field)):
        shown[form.id_field] = guid(element[form.id_field])
    contact = element.get("Contact")
    if isinstance(contact, dict) and is_guid(contact.get("ContactID")):
        shown["Contact"] = {"ContactID": guid(contact["ContactID"])}
    for field in ("Date", "DueDate"):
        try:
            set_day(shown, field, parse_day(element.get(field)))
        except (ValueError, OverflowError):
            continue
    return shown
