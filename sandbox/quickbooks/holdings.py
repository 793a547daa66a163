"""What the stand-in holds as a whole: loading other objects, and showing all of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks.books import Books, shown
from sandbox.quickbooks.documents import exchange_rate
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.shapes import KINDS, PEOPLE, TRANSACTIONS
from sandbox.quickbooks.wire import amount, cents, dump, parse, stamp

Json = dict[str, Any]
_OPEN = ("Invoice", "Bill", "CreditMemo", "VendorCredit")


def load(books: Books, objects: Json) -> dict[str, int]:
    """Replace the named kinds by the given objects, each as the API returns it; kinds that are not named stay.

    What QuickBooks fills in (ids, SyncToken, times, totals, balances) is filled in where it is missing.
    Raises ValueError, and then nothing is changed.
    """
    unknown = sorted(set(objects) - set(KINDS))
    if unknown:
        raise ValueError(f"QuickBooks holds no {', '.join(unknown)}. It holds {', '.join(KINDS)}.")
    counts = {}
    with books.company.records.work():
        for kind in KINDS:
            if kind not in objects:
                continue
            given = objects[kind]
            given = [given] if isinstance(given, dict) else given
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                raise ValueError(f"{kind} is a list of objects.")
            books.company.records.clear(kind)
            for one in given:
                _load_one(books, kind, one)
            counts[kind] = len(given)
        for kind in ("Customer", "Vendor"):
            for party in books.company.records.find(Selection(kind)):
                books.links.refresh_party(kind, party["Id"])
    return counts


def state(books: Books) -> Json:
    """Everything, each object as the API returns it; of rates only those that somebody set."""
    find = books.company.records.find
    return {kind: [shown(doc) for doc in find(Selection(kind))] for kind in KINDS}


def _load_one(books: Books, kind: str, given: Json) -> None:
    records = books.company.records
    now = stamp(books.company.clock.now())
    doc = parse(dump(given))
    times = {"CreateTime": now, "LastUpdatedTime": now} | doc.get("MetaData", {})
    doc = {"domain": "QBO", "sparse": False, "SyncToken": "0"} | doc | {"MetaData": times}
    doc["Id"] = str(doc.get("Id") or records.new_id())
    doc["SyncToken"] = str(doc["SyncToken"])
    if kind == "ExchangeRate":
        doc["Id"] = f"{doc['SourceCurrencyCode']}:{doc['AsOfDate']}"
    try:
        _complete(books, kind, doc)
        records.keep(kind, doc)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{kind} {doc['Id']}: {error!r}") from error


def _complete(books: Books, kind: str, doc: Json) -> None:
    if kind in PEOPLE:
        _complete_person(books, kind, doc)
    if kind in TRANSACTIONS:
        _complete_transaction(books, kind, doc)


def _complete_person(books: Books, kind: str, doc: Json) -> None:
    if not doc.get("DisplayName"):
        raise ValueError("it has a DisplayName")
    doc.setdefault("Active", True)
    if kind == "Employee":
        return
    doc.setdefault("Balance", 0)
    doc.setdefault("CurrencyRef", books.company.currency(books.company.home))
    if kind == "Customer":
        doc.setdefault("FullyQualifiedName", doc["DisplayName"])


def _complete_transaction(books: Books, kind: str, doc: Json) -> None:
    doc.setdefault("TxnDate", books.company.today().isoformat())
    doc.setdefault("Line", [])
    doc.setdefault("LinkedTxn", [])
    doc.setdefault("CurrencyRef", books.company.currency(books.company.home))
    doc.setdefault("ExchangeRate", exchange_rate(books.company, doc))
    if "TotalAmt" not in doc:
        lines = (one for one in doc["Line"] if one.get("DetailType") != "SubTotalLineDetail")
        tax = amount((doc.get("TxnTaxDetail") or {}).get("TotalTax") or 0)
        doc["TotalAmt"] = cents(sum((amount(one.get("Amount") or 0) for one in lines), Decimal(0)) + tax)
    if kind in _OPEN:
        doc.setdefault("Balance", doc["TotalAmt"])
    if kind == "CreditMemo":
        doc.setdefault("RemainingCredit", doc["Balance"])
    if kind == "Payment":
        doc.setdefault("UnappliedAmt", 0)
