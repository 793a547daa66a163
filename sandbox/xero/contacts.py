"""Contacts: names unique among the active, numbers unique among all, emails not unique at all."""

from __future__ import annotations

import re
from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.company import Company
from sandbox.xero.records import Selection
from sandbox.xero.wire import ZERO_ID, fold, fold_accents, guid, is_guid

ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
STILL_ARCHIVED = "The contact with the specified contact details has been archived. The contact must be un-archived."
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
BAD_EMAIL = "Email address must be valid."

_EMAIL = re.compile(r"^[!#-'*+.\-/-9=?A-Z^-~]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+$")
_LENGTHS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "TaxNumber": 50,
}
_TEXTS = (
    *_LENGTHS,
    "BankAccountDetails",
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
    "DefaultCurrency",
    "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode",
    "XeroNetworkKey",
    "SalesDefaultLineAmountType",
    "PurchasesDefaultLineAmountType",
)
_WHOLE = ("ContactPersons", "PaymentTerms", "BatchPayments", "BrandingTheme")
_ADDRESS = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
_PHONE = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
_STATUSES = ("ACTIVE", "ARCHIVED", "GDPRREQUEST")


class Contacts:
    """The rules about contacts, over what is kept."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._records = company.records

    def create(self, element: dict[str, Any]) -> dict[str, Any]:
        """PUT: a new contact. Raises Refused, also for an identifier that exists."""
        if self._named_by_id(element):
            raise Refused("A contact with this ContactID already exists.")
        return self._save(self._new(), element)

    def upsert(self, element: dict[str, Any]) -> dict[str, Any]:
        """POST: update by ContactID, else by the name of an active contact (which overwrites it), else create."""
        if is_guid(element.get("ContactID")) and element["ContactID"] != ZERO_ID:
            kept = self._named_by_id(element)
            if kept is None:
                raise Refused("The ContactID provided could not be found.")
            return self.update(kept, element)
        name = element.get("Name")
        kept = self.active_named(name) if isinstance(name, str) else None
        return self.update(kept, element) if kept else self._save(self._new(), element)

    def update(self, kept: dict[str, Any], element: dict[str, Any]) -> dict[str, Any]:
        """Change the given fields of a contact. An archived one stays as it is: only a person brings it back."""
        if kept["ContactStatus"] != "ACTIVE":
            raise Refused(STILL_ARCHIVED)
        return self._save(kept, element)

    def active_named(self, name: str) -> dict[str, Any] | None:
        """The active contact with this name, compared without case."""
        selection = Selection("Contacts", ("name = ?", "status = 'ACTIVE'"), (fold_accents(name),), "seq")
        return next((doc for doc in self._records.find(selection) if fold(doc["Name"]) == fold(name)), None)

    def for_document(self, given: Any) -> dict[str, Any]:
        """The contact that a document names; a bare new name makes a new one. Raises Refused.

        The caller writes it with ``save_with_document``: whatever else is given with a ContactID changes the contact.
        """
        if not isinstance(given, dict) or not given:
            raise Refused("A Contact must be specified for this type of transaction")
        kept = self._existing(given)
        if kept is None:
            return self._checked(self._new(), given)
        if kept["ContactStatus"] != "ACTIVE":
            raise Refused(ARCHIVED)
        more = {key: value for key, value in given.items() if key not in {"ContactID", "ContactStatus"}}
        if more and "ContactID" in given:
            more.setdefault("ContactPersons", [])
            return self._checked(kept, more)
        return kept

    def save_with_document(self, contact: dict[str, Any], sale: bool) -> None:
        """Mark the contact as customer or supplier, which moves no date, and keep what the document changed."""
        flag = "IsCustomer" if sale else "IsSupplier"
        kept = self._records.get("Contacts", contact["ContactID"])
        if kept == contact and contact[flag]:
            return
        changed = kept is None or kept != contact
        contact[flag] = True
        self._records.put("Contacts", contact, touch=changed)

    def find(self, id_or_number: str) -> dict[str, Any] | None:
        """One contact by identifier, or by number (silently the first, if there are more)."""
        if is_guid(id_or_number):
            return self._records.get("Contacts", guid(id_or_number))
        return self._records.by_number("Contacts", id_or_number)

    def _existing(self, given: dict[str, Any]) -> dict[str, Any] | None:
        if given.get("ContactID"):
            kept = self._named_by_id(given)
            if kept is None:
                raise Refused("The ContactID provided could not be found.")
            return kept
        if given.get("ContactNumber"):
            kept = self._records.by_number("Contacts", str(given["ContactNumber"]))
            if kept:
                return kept
        return self.active_named(str(given.get("Name", "")))

    def _named_by_id(self, element: dict[str, Any]) -> dict[str, Any] | None:
        id_ = element.get("ContactID")
        return self._records.get("Contacts", guid(str(id_))) if is_guid(id_) else None

    def _new(self) -> dict[str, Any]:
        return {
            "ContactID": self._records.new_id(),
            "ContactStatus": "ACTIVE",
            "BankAccountDetails": "",
            "Addresses": [{"AddressType": kind} | _ADDRESS for kind in ("STREET", "POBOX")],
            "Phones": [{"PhoneType": kind} | _PHONE for kind in ("DDI", "DEFAULT", "FAX", "MOBILE")],
            "ContactGroups": [],
            "ContactPersons": [],
            "IsSupplier": False,
            "IsCustomer": False,
            "SalesTrackingCategories": [],
            "PurchasesTrackingCategories": [],
            "HasAttachments": False,
            "HasValidationErrors": False,
        }

    def _save(self, kept: dict[str, Any], element: dict[str, Any]) -> dict[str, Any]:
        return dict(self._records.put("Contacts", self._checked(kept, element)))

    def _checked(self, kept: dict[str, Any], element: dict[str, Any]) -> dict[str, Any]:
        contact = kept | {field: element[field] for field in _TEXTS if isinstance(element.get(field), str)}
        contact |= {field: element[field] for field in _WHOLE if element.get(field) is not None}
        if element.get("ContactStatus"):
            contact["ContactStatus"] = element["ContactStatus"]
        for field, kind in (("Addresses", "AddressType"), ("Phones", "PhoneType")):
            if isinstance(element.get(field), list):
                contact[field] = _merged(contact[field], element[field], kind)
        problems = [*self._field_problems(contact), *self._uniqueness_problems(contact)]
        if problems:
            raise Refused(*problems)
        return contact

    def _field_problems(self, contact: dict[str, Any]) -> list[str]:
        problems = [_name_problem(contact.get("Name"))]
        problems += [
            f"The field {field} exceeds the maximum length of {longest}."
            for field, longest in _LENGTHS.items()
            if len(contact.get(field) or "") > longest
        ]
        if contact.get("EmailAddress") and not _EMAIL.match(contact["EmailAddress"]):
            problems.append(BAD_EMAIL)
        if contact["ContactStatus"] not in _STATUSES:
            problems.append("The ContactStatus is not valid.")
        if len(contact["ContactPersons"]) > 5:
            problems.append("A maximum of 5 contact persons can be specified.")
        currency = contact.get("DefaultCurrency")
        if currency and not self._company.has_currency(currency):
            problems.append(f"Organisation is not subscribed to currency {currency}")
        return [problem for problem in problems if problem]

    def _uniqueness_problems(self, contact: dict[str, Any]) -> list[str]:
        problems = []
        name, number = contact.get("Name") or "", contact.get("ContactNumber") or ""
        twin = self.active_named(name) if name and contact["ContactStatus"] == "ACTIVE" else None
        if twin and twin["ContactID"] != contact["ContactID"]:
            problems.append(
                f"The contact name {name} is already assigned to another contact. "
                "The contact name must be unique across all active contacts."
            )
        holder = self._records.by_number("Contacts", number) if number else None
        if holder and holder["ContactID"] != contact["ContactID"]:
            problems.append(NUMBER_TAKEN)
        return problems


def echo(element: dict[str, Any]) -> dict[str, Any]:
    """A refused contact as the answer repeats it."""
    shown = {field: element[field] for field in _TEXTS if isinstance(element.get(field), str)}
    if element.get("ContactStatus") in _STATUSES:
        shown["ContactStatus"] = element["ContactStatus"]
    if is_guid(element.get("ContactID")):
        shown["ContactID"] = guid(element["ContactID"])
    return shown | {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}


def brief(contact: dict[str, Any] | None, contact_id: str) -> dict[str, Any]:
    """The contact inside a document of a list."""
    shown = {"ContactID": contact_id, "Name": (contact or {}).get("Name", "")}
    if contact and contact.get("ContactNumber"):
        shown["ContactNumber"] = contact["ContactNumber"]
    empty: dict[str, Any] = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
    return shown | empty | {"HasValidationErrors": False}


def _name_problem(name: Any) -> str | None:
    if not isinstance(name, str) or not name.strip():
        return "The contact name must be specified."
    if "<" in name or ">" in name:
        return "The contact name cannot contain the characters < or >."
    if name != name.strip() or "  " in name:
        return "The contact name cannot have leading, trailing or repeated spaces."
    return None


def _merged(kept: list[dict[str, Any]], given: list[Any], kind: str) -> list[dict[str, Any]]:
    by_kind = {one.get(kind): one for one in kept}
    for one in given:
        if isinstance(one, dict) and isinstance(one.get(kind), str):
            by_kind[one[kind]] = by_kind.get(one[kind], {}) | {k: v for k, v in one.items() if v is not None}
    return list(by_kind.values())
