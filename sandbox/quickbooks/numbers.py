"""Document numbers: given, counted on by QuickBooks, and refused where they are there already."""

from __future__ import annotations

from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.wire import fold, ref

_COUNTED = ("Invoice", "CreditMemo", "RefundReceipt")
_ALLOWS_DUPLICATES = ("BillPayment",)
_FACT = "quickbooks.last_number"


class Numbers:
    """Numbers of all kinds of documents."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def assign(self, kind: str, doc: dict[str, Any], old: dict[str, Any] | None, include: frozenset[str]) -> None:
        """Give the document its number, or refuse the one that it has."""
        number = doc.get("DocNumber")
        counts = kind in _COUNTED and (number == "AUTO_GENERATE" or (not number and self._company.numbers_itself))
        if counts and (old is None or number == "AUTO_GENERATE"):
            doc["DocNumber"] = self._next(kind)
            return
        if counts and old is not None and "DocNumber" in old:
            doc["DocNumber"] = old["DocNumber"]
            return
        if not number or (old is not None and old.get("DocNumber") == number):
            return
        if "allowduplicatedocnum" in include and kind in _ALLOWS_DUPLICATES:
            return
        self._refuse_duplicate(kind, doc, number, old)

    def _refuse_duplicate(self, kind: str, doc: dict[str, Any], number: str, old: dict[str, Any] | None) -> None:
        """Only a company that warns of duplicates refuses them, and no API tells whether it does."""
        if self._company.readings["duplicate_docnum"] == "allowed":
            return
        conditions, values = ["number = ?"], [fold(number)]
        if kind == "Bill" and self._company.readings["bill_numbers_per_vendor"]:
            conditions.append("party = ?")
            values.append(ref(doc, "VendorRef"))
        for twin in self._company.records.find(Selection(kind, conditions, values)):
            if old is None or twin["Id"] != old["Id"]:
                detail = (
                    "Duplicate Document Number Error : You must specify a different number. This number has already"
                    f" been used. DocNumber={number} is assigned to TxnType={kind} with TxnId={twin['Id']}"
                )
                raise Refused("6140", detail, "DocNumber")

    def _next(self, kind: str) -> str:
        last = int(self._company.store.fact(_FACT) or 1000)
        while True:
            last += 1
            if not self._company.records.number_of(Selection(kind, ("number = ?",), (str(last),))):
                break
        self._company.store.remember(_FACT, str(last))
        return str(last)
