"""How kept documents look in answers: contact names joined in, and what a list leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.xero.company import Company
from sandbox.xero.contacts import brief
from sandbox.xero.records import Selection

_ONLY_PAGED_CONTACT = (
    "MergedToContactID", "ContactPersons", "PaymentTerms", "BatchPayments", "BrandingTheme", "Attachments",
    "SalesDefaultAccountCode", "PurchasesDefaultAccountCode", "SalesTrackingCategories",
    "PurchasesTrackingCategories", "SalesDefaultLineAmountType", "PurchasesDefaultLineAmountType", "Website",
    "DefaultCurrency", "XeroNetworkKey",
)  # fmt: skip
_NOT_IN_SUMMARY = ("LineItems", "Payments", "CreditNotes", "Prepayments", "Overpayments", "Allocations")
_CHUNK = 500


class Render:
    """Turns kept documents into what the API shows."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def one(self, kind: str, doc: dict[str, Any], decimals: int = 2) -> dict[str, Any]:
        """A document by itself, or as the answer to a write: lines, and the whole contact."""
        shown = dict(doc)
        if kind in ("Invoices", "CreditNotes"):
            contact = self._company.records.get("Contacts", doc["Contact"]["ContactID"])
            shown["Contact"] = contact or brief(None, doc["Contact"]["ContactID"])
            shown["LineItems"] = _rounded(doc["LineItems"], decimals)
        elif kind == "Payments":
            shown = next(self.named(kind, [doc]))
        return shown

    def many(
        self, kind: str, docs: list[dict[str, Any]], paged: bool, summary: bool = False, decimals: int = 2
    ) -> list[dict[str, Any]]:
        """Documents of a list; without paging, and in summaries, a part of them is missing."""
        shown = list(self.named(kind, docs))
        if kind == "Contacts" and (summary or not paged):
            for doc in shown:
                for name in _ONLY_PAGED_CONTACT:
                    doc.pop(name, None)
        if kind in ("Invoices", "CreditNotes"):
            for doc in shown:
                doc["LineItems"] = _rounded(doc["LineItems"], decimals) if paged and not summary else []
                if summary:
                    for name in _NOT_IN_SUMMARY:
                        doc.pop(name, None)
        return shown

    def named(self, kind: str, docs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The documents with the names that their contacts have today."""
        if kind not in ("Invoices", "CreditNotes", "Payments"):
            yield from docs
            return
        chunk: list[dict[str, Any]] = []
        for doc in docs:
            chunk.append(doc)
            if len(chunk) == _CHUNK:
                yield from self._with_names(chunk)
                chunk = []
        yield from self._with_names(chunk)

    def _with_names(self, docs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        holders = [doc if "Contact" in doc else doc.get("Invoice") or doc.get("CreditNote") or {} for doc in docs]
        ids = list({holder["Contact"]["ContactID"] for holder in holders if holder.get("Contact")})
        marks = ", ".join("?" for _ in ids)
        selection = Selection("Contacts", (f"id IN ({marks})",), ids)
        contacts = {one["ContactID"]: one for one in self._company.records.find(selection)} if ids else {}
        for holder in holders:
            if holder.get("Contact"):
                id_ = holder["Contact"]["ContactID"]
                holder["Contact"] = brief(contacts.get(id_), id_)
        return docs


def _rounded(lines: list[dict[str, Any]], decimals: int) -> list[dict[str, Any]]:
    if decimals == 4:
        return lines
    return [line | {"UnitAmount": round(line["UnitAmount"], 2)} if "UnitAmount" in line else line for line in lines]
