"""Items: what is sold or bought again and again, with defaults for line items."""

from __future__ import annotations

from typing import Any

from sandbox.xero.answers import Refused
from sandbox.xero.company import Company
from sandbox.xero.wire import guid, is_guid

_LENGTHS = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000}
_KEPT = (*_LENGTHS, "SalesDetails", "PurchaseDetails", "IsSold", "IsPurchased")


class Items:
    """The rules about items."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def create(self, element: dict[str, Any]) -> dict[str, Any]:
        """PUT: a new item. Raises Refused."""
        new = {"ItemID": self._company.records.new_id(), "IsTrackedAsInventory": False}
        return self._save(new | {"IsSold": True, "IsPurchased": True}, element)

    def upsert(self, element: dict[str, Any]) -> dict[str, Any]:
        """POST: update by identifier or code, else create."""
        kept = self.find(str(element.get("ItemID") or element.get("Code") or ""))
        return self._save(kept, element) if kept else self.create(element)

    def find(self, id_or_code: str) -> dict[str, Any] | None:
        """One item by identifier, else by code."""
        records = self._company.records
        return records.get("Items", guid(id_or_code)) if is_guid(id_or_code) else records.by_number("Items", id_or_code)

    def _save(self, kept: dict[str, Any], element: dict[str, Any]) -> dict[str, Any]:
        item = kept | {field: element[field] for field in _KEPT if element.get(field) is not None}
        problems = [] if item.get("Code") else ["The Code must be specified."]
        problems += [
            f"The {field} exceeds the maximum length of {longest}."
            for field, longest in _LENGTHS.items()
            if len(str(item.get(field) or "")) > longest
        ]
        holder = self._company.records.by_number("Items", str(item.get("Code") or ""))
        if holder and holder["ItemID"] != item["ItemID"]:
            problems.append(f"The item code '{item['Code']}' is already in use.")
        for side in ("SalesDetails", "PurchaseDetails"):
            code = (item.get(side) or {}).get("AccountCode")
            if code and self._company.account(str(code)) is None:
                problems.append(f"Account code '{code}' is not a valid code for this document.")
        if problems:
            raise Refused(*problems)
        return self._company.records.put("Items", item)


def echo(element: dict[str, Any]) -> dict[str, Any]:
    """A refused item as the answer repeats it."""
    return {field: element[field] for field in _LENGTHS if isinstance(element.get(field), str)}
