"""All rules over one company's books, and the one way by which anything is written."""

from __future__ import annotations

from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.documents import BILL, CREDIT_MEMO, INVOICE, REFUND_RECEIPT, VENDOR_CREDIT, Documents
from sandbox.quickbooks.links import Links
from sandbox.quickbooks.names import Names
from sandbox.quickbooks.numbers import Numbers
from sandbox.quickbooks.reading_in import Reader, well_formed
from sandbox.quickbooks.settlements import PAYOUTS, RECEIPTS, Settlements
from sandbox.quickbooks.shapes import LISTS, SHAPES

Json = dict[str, Any]


class Books:
    """The rules, sharing what is kept."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.links = Links(company)
        reader, numbers = Reader(company), Numbers(company)
        self.rules: dict[str, Any] = {kind: Names(kind, company, reader) for kind in LISTS if kind in SHAPES}
        for form in (INVOICE, CREDIT_MEMO, REFUND_RECEIPT, BILL, VENDOR_CREDIT):
            self.rules[form.kind] = Documents(form, company, reader, self.links, numbers)
        for side in (RECEIPTS, PAYOUTS):
            self.rules[side.kind] = Settlements(side, company, reader, self.links, numbers)

    def write(self, kind: str, given: Json, operation: str = "", include: frozenset[str] = frozenset()) -> Json:
        """Create, update, void or delete one entity, wholly or not at all; returns it as it is answered.

        ``operation`` is that of the query or of a batch item; with ``include`` ``void`` an update voids.
        Raises Refused.
        """
        with self.company.records.part():
            return self._write(kind, given, operation, include)

    def _write(self, kind: str, given: Json, operation: str, include: frozenset[str]) -> Json:
        if kind not in self.rules:
            raise Refused("500", f"Operation is not supported for {kind}")
        rules = self.rules[kind]
        well_formed(given)
        if not given.get("Id"):
            if operation in ("delete", "void", "update"):
                raise Refused("2020", "Required parameter Id is missing in the request", "Id")
            return dict(rules.create(given, include))
        old = self._current(kind, given)
        if operation == "delete":
            rules.delete(old)
            return {"status": "Deleted", "domain": "QBO", "Id": old["Id"]}
        if operation == "void" or "void" in include:
            return dict(rules.void(old))
        if operation == "create":
            raise Refused("2010", "A new object has no Id", "Id")
        return dict(rules.update(old, given, include))

    def _current(self, kind: str, given: Json) -> Json:
        """What is kept, if the client knows its newest state. Raises Refused."""
        id_ = str(given["Id"])
        old = self.company.records.get(kind, id_)
        if old is None:
            detail = f"Object Not Found : Something you're trying to use has been made inactive. {kind} : {id_}"
            raise Refused("610", detail)
        token = given.get("SyncToken")
        if token in (None, ""):
            raise Refused("2020", "Required parameter SyncToken is missing in the request", "SyncToken")
        if str(token) != old["SyncToken"]:
            detail = (
                f"Stale Object Error : You and somebody else were working on this at the same time. Entity={kind},"
                f" Id={id_}"
            )
            raise Refused("5010", detail)
        return old


def shown(doc: Json) -> Json:
    """A kept document as the API returns it: without what is empty and what QuickBooks does not tell."""
    return {name: value for name, value in doc.items() if not name.startswith("_") and value is not None}
