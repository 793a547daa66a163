"""Reads of a collection: filters, order, paging, and what a list leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.xero.answers import Answer, Stop, bad_query, too_many_rows
from sandbox.xero.columns import ID_FIELDS, ORDERS
from sandbox.xero.fields import type_of
from sandbox.xero.records import Selection
from sandbox.xero.render import Render
from sandbox.xero.request import Call
from sandbox.xero.where import BadWhere, Node, matches, parse, to_sql
from sandbox.xero.wire import comma_list, fold, fold_accents, guid, is_guid, milliseconds, parse_since, switch

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
MOST_ROWS = 100_000
_SEARCHED = {
    "Contacts": ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress"),
    "Invoices": ("InvoiceNumber", "Reference"),
}
_ID_LISTS = {
    "Invoices": {"ids": "id", "contactids": "contact"},
    "Contacts": {"ids": "id"},
    "CreditNotes": {"ids": "id"},
}
_PAGED = {"Contacts", "Invoices", "CreditNotes", "Payments", "BatchPayments"}


@dataclass(slots=True)
class _Filter:
    """Conditions in SQL, and what only a look at the whole document can tell."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    where: Node | None = None
    search: str = ""

    @property
    def exact(self) -> bool:
        """Whether SQL alone decides."""
        return self.where is None and not self.search

    def add(self, condition: str, *values: Any) -> None:
        self.conditions.append(condition)
        self.values += values


def read_list(call: Call, kind: str, render: Render) -> Answer:
    """One page, or the whole collection when no page was asked for."""
    paged = kind in _PAGED and "page" in call.query
    wanted = _filter(call, kind)
    selection = Selection(kind, wanted.conditions, wanted.values, _order(call, kind), call.as_of)
    size = _clamped(call.query.get("pagesize"), DEFAULT_PAGE, LARGEST_PAGE)
    page = _clamped(call.query.get("page"), 1, None)
    docs, total = _documents(call, kind, selection, wanted, (size, page) if paged else None, render)
    content: dict[str, Any] = {}
    if paged:
        pages = -(-total // size)
        content["pagination"] = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": total}
    summary = switch(call.query.get("summaryonly", "false"))
    decimals = 4 if call.query.get("unitdp") == "4" else 2
    return call.answer(content | {_plural(kind): render.many(kind, docs, paged, summary, decimals)})


def _documents(
    call: Call, kind: str, selection: Selection, wanted: _Filter, page: tuple[int, int] | None, render: Render
) -> tuple[list[dict[str, Any]], int]:
    records = call.company.records
    if wanted.exact:
        total = records.count(selection)
        if page is None:
            _not_too_many(total)
            return records.find(selection), total
        size, number = page
        return records.find(selection, size, (number - 1) * size), total
    found = [doc for doc in render.named(kind, records.stream(selection)) if _passes(kind, doc, wanted)]
    if page is None:
        _not_too_many(len(found))
        return found, len(found)
    size, number = page
    return found[(number - 1) * size : number * size], len(found)


def _not_too_many(total: int) -> None:
    if total > MOST_ROWS:
        raise Stop(too_many_rows())


def _passes(kind: str, doc: dict[str, Any], wanted: _Filter) -> bool:
    if wanted.where is not None and not matches(wanted.where, doc):
        return False
    texts: Iterable[str] = (fold_accents(str(doc.get(name) or "")) for name in _SEARCHED.get(kind, ()))
    return not wanted.search or any(wanted.search in text for text in texts)


def _filter(call: Call, kind: str) -> _Filter:
    wanted = _Filter()
    _add_lists(call, kind, wanted)
    since = call.headers.get("if-modified-since")
    if since:
        try:
            wanted.add("updated > ?", milliseconds(parse_since(since)))
        except (ValueError, TypeError):
            wanted.add("1 = 1")
    if kind == "Contacts" and not switch(call.query.get("includearchived", "false")) and "ids" not in call.query:
        wanted.add("status = 'ACTIVE'")
    wanted.search = fold_accents(call.query.get("searchterm", "")) if kind in _SEARCHED else ""
    if call.query.get("where"):
        try:
            node = parse(kind, call.query["where"])
        except BadWhere as bad:
            raise Stop(bad_query(str(bad))) from bad
        sql = to_sql(kind, node)
        if sql:
            wanted.add(sql[0], *sql[1])
        wanted.where = None if sql and sql[2] else node
    return wanted


def _add_lists(call: Call, kind: str, wanted: _Filter) -> None:
    for name, column in _ID_LISTS.get(kind, {}).items():
        if call.query.get(name):
            given = comma_list(call.query[name])
            if not all(is_guid(one) for one in given):
                raise Stop(bad_query("Guid should contain 32 digits with 4 dashes."))
            _add_in(wanted, column, [guid(one) for one in given])
    if kind == "Invoices":
        if call.query.get("invoicenumbers"):
            _add_in(wanted, "number", [fold(one) for one in comma_list(call.query["invoicenumbers"])])
        if call.query.get("statuses"):
            _add_in(wanted, "status", [one.upper() for one in comma_list(call.query["statuses"])])


def _add_in(wanted: _Filter, column: str, values: list[str]) -> None:
    wanted.add(f"{column} IN ({', '.join('?' for _ in values)})", *values)


def _order(call: Call, kind: str) -> str:
    parts = []
    for given in comma_list(call.query.get("order")):
        name, _, direction = given.partition(" ")
        known = type_of(kind, name)
        column = ORDERS.get(known[0]) if known else None
        if column is None or direction.strip().lower() not in ("", "asc", "desc", "ascending", "descending"):
            raise Stop(bad_query(f"No property or field '{name}' exists in type '{kind.removesuffix('s')}'"))
        parts.append(f"{column} {'DESC' if direction.strip().lower().startswith('desc') else 'ASC'}")
    if parts:
        return ", ".join([*parts, "id"])
    return "updated, id" if kind in _PAGED else "seq"


def _clamped(given: str | None, default: int, largest: int | None) -> int:
    try:
        number = int(given) if given else default
    except ValueError:
        return default
    number = max(1, min(number, 10**9))
    return number if largest is None else min(number, largest)


def _plural(kind: str) -> str:
    return "Organisations" if kind == "Organisation" else kind


def read_one(call: Call, kind: str, doc: dict[str, Any], render: Render) -> Answer:
    """One document, with everything that it has."""
    decimals = 4 if call.query.get("unitdp") == "4" else 2
    return call.answer({_plural(kind): [render.one(kind, doc, decimals)]})


__all__ = ["ID_FIELDS", "read_list", "read_one"]
