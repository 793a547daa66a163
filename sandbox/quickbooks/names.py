"""Lists: customers, vendors and employees, who share one space of names, and accounts, items and the like."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.reading_in import Reader
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.shapes import PEOPLE
from sandbox.quickbooks.wire import fold, money, ref, switch

Json = dict[str, Any]
DELETED = " (deleted)"
_PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
_CLASSES = {
    "Bank": "Asset", "Accounts Receivable": "Asset", "Other Current Asset": "Asset", "Fixed Asset": "Asset",
    "Other Asset": "Asset", "Accounts Payable": "Liability", "Credit Card": "Liability",
    "Other Current Liability": "Liability", "Long Term Liability": "Liability", "Equity": "Equity",
    "Income": "Revenue", "Other Income": "Revenue", "Cost of Goods Sold": "Expense", "Expense": "Expense",
    "Other Expense": "Expense",
}  # fmt: skip


class Names:
    """One kind of list entity."""

    def __init__(self, kind: str, company: Company, reader: Reader) -> None:
        self._kind = kind
        self._company = company
        self._records = company.records
        self._reader = reader

    def create(self, given: Json, _: frozenset[str]) -> Json:
        """A new entry. Raises Refused."""
        doc = self._reader.fields(self._kind, given)
        self._complete(doc, None)
        return self._records.insert(self._kind, doc)

    def update(self, old: Json, given: Json, _: frozenset[str]) -> Json:
        """A changed entry; ``Active`` false takes it out of use. Raises Refused."""
        doc = self._reader.fields(self._kind, given, old)
        if not switch(given.get("sparse")):
            doc.setdefault("Active", old["Active"])
        self._leave_or_return(doc, old)
        self._complete(doc, old)
        names = ("Id", "SyncToken", "MetaData", "domain", "sparse")
        return self._records.replace(self._kind, {name: old[name] for name in names} | doc)

    def void(self, _: Json) -> Json:
        """Lists cannot be voided."""
        raise Refused("500", f"Operation void is not supported for {self._kind}")

    def delete(self, _: Json) -> None:
        """Lists cannot be deleted, only made inactive."""
        raise Refused("500", f"Operation delete is not supported for {self._kind}")

    def _complete(self, doc: Json, old: Json | None) -> None:
        doc.setdefault("Active", True)
        if self._kind in PEOPLE:
            self._complete_person(doc, old)
        elif self._kind == "CompanyCurrency":
            doc.setdefault("Name", doc["Code"])
        else:
            self._check_name(doc, "Name", (self._kind,), old)
            doc["FullyQualifiedName"] = doc["Name"]
        if self._kind == "Account":
            self._complete_account(doc, old)
        if self._kind == "Item":
            self._complete_item(doc)

    def _complete_person(self, doc: Json, old: Json | None) -> None:
        if not doc.get("DisplayName"):
            parts = [doc[name] for name in _PARTS if doc.get(name)]
            doc["DisplayName"] = " ".join(parts) or doc.get("CompanyName", "")
        if not doc["DisplayName"]:
            detail = "At least one of Title, GivenName, MiddleName, FamilyName, Suffix or DisplayName is needed"
            raise Refused("6080", detail, "DisplayName")
        self._check_name(doc, "DisplayName", PEOPLE, old)
        doc.setdefault("PrintOnCheckName", doc["DisplayName"][:110])
        if self._kind == "Employee":
            return
        doc["Balance"] = money(old or {}, "Balance")
        if self._kind == "Customer":
            doc["FullyQualifiedName"] = doc["DisplayName"]
            doc["BalanceWithJobs"] = doc["Balance"]
            doc.setdefault("Job", False)
            doc.setdefault("Taxable", False)
            doc.setdefault("BillWithParent", False)
            doc.setdefault("PreferredDeliveryMethod", "None")
        else:
            doc.setdefault("Vendor1099", False)
        self._keep_currency(doc, old)

    def _keep_currency(self, doc: Json, old: Json | None) -> None:
        """The currency of a customer, vendor or account is fixed once it is there."""
        if old is None:
            doc.setdefault("CurrencyRef", self._company.currency(self._company.home))
            return
        if ref(doc, "CurrencyRef") not in ("", ref(old, "CurrencyRef")):
            raise Refused("6000", "Business Validation Error: the currency cannot be changed", "CurrencyRef")
        doc["CurrencyRef"] = old["CurrencyRef"]

    def _complete_account(self, doc: Json, old: Json | None) -> None:
        if doc["AccountType"] not in _CLASSES:
            raise Refused("2170", f"Invalid Enumeration : {doc['AccountType']}", "AccountType")
        doc["Classification"] = _CLASSES[doc["AccountType"]]
        doc.setdefault("SubAccount", False)
        for field in ("CurrentBalance", "CurrentBalanceWithSubAccounts"):
            doc[field] = money(old or {}, field)
        self._keep_currency(doc, old)

    def _complete_item(self, doc: Json) -> None:
        doc.setdefault("Type", "Service")
        doc.setdefault("Taxable", False)
        doc.setdefault("UnitPrice", Decimal(0))
        if doc["Type"] != "Category" and not {"IncomeAccountRef", "ExpenseAccountRef"} & set(doc):
            raise Refused("2020", "Required parameter IncomeAccountRef is missing in the request", "IncomeAccountRef")

    def _check_name(self, doc: Json, field: str, kinds: tuple[str, ...], old: Json | None) -> None:
        name = doc[field]
        if any(char in name for char in ":\t\n\r"):
            raise Refused("2040", f"{field} cannot hold a colon, tab or new line", field)
        if self._company.readings["duplicate_names"] == "allowed" or (old and fold(old[field]) == fold(name)):
            return
        for kind in kinds:
            for twin in self._records.find(Selection(kind, ("name = ?",), (fold(name),))):
                if old is None or (kind, twin["Id"]) != (self._kind, old["Id"]):
                    self._refuse_name(kind, twin, field)

    def _refuse_name(self, kind: str, twin: Json, field: str) -> None:
        reading = self._company.readings["duplicate_name_id"]
        if reading == "always" or (reading == "same_entity" and kind == self._kind):
            raise Refused("6240", f"The name supplied already exists. : Id={twin['Id']}", field)
        others = "Another customer, vendor or employee is already using this name. Please use a different name."
        raise Refused("6240", f"The name supplied already exists. : {others}", field)

    def _leave_or_return(self, doc: Json, old: Json) -> None:
        """Who leaves must owe nothing, and gives the name free; who returns gets it back, if it is free."""
        field = "DisplayName" if self._kind in PEOPLE else "Name"
        suffix = self._company.readings["deleted_suffix"]
        if old["Active"] and not doc.get("Active", True):
            if money(old, "Balance"):
                raise Refused("6220", f"The {self._kind.lower()} has a non-zero balance", "Active")
            if suffix and not str(doc.get(field, "")).endswith(DELETED):
                doc[field] = f"{doc.get(field) or old[field]}{DELETED}"
        elif not old["Active"] and doc.get("Active") and str(doc.get(field, "")).endswith(DELETED):
            doc[field] = doc[field].removesuffix(DELETED)
