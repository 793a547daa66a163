"""What each address of the accounting API does: entities, queries, batches, change data capture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sandbox.quickbooks.answers import Answer, Refused, good, not_found
from sandbox.quickbooks.books import Books, shown
from sandbox.quickbooks.changes import changes_since
from sandbox.quickbooks.queries import Queries, exchange_rate_entity
from sandbox.quickbooks.query_language import parse_statement
from sandbox.quickbooks.request_ids import LONGEST_BID
from sandbox.quickbooks.shapes import BY_PATH, SINGLE
from sandbox.quickbooks.wire import amount, parse, parse_day, stamp

Json = dict[str, Any]
MOST_IN_BATCH = 30


@dataclass(slots=True)
class Call:
    """One call: where it goes, what it carries, and the faults that a test asked for."""

    method: str
    parts: list[str]
    query: dict[str, str]
    body: bytes
    partial_after: int | None = None
    stale_seconds: float | None = None
    lost: bool = field(default=False)

    @property
    def include(self) -> frozenset[str]:
        """The words of ``include``."""
        return frozenset(one.strip().lower() for one in self.query.get("include", "").split(",") if one.strip())


class Calls:
    """The addresses below ``/v3/company/{realm}``."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._company = books.company
        self._queries = Queries(books.company)

    def handler(self, call: Call) -> Callable[[Call], Json] | None:
        """What carries the call out; None where the path leads nowhere."""
        name, more = call.parts[0].lower() if call.parts else "", len(call.parts) - 1
        fixed = {
            ("GET", "query", 0): self._query,
            ("POST", "query", 0): self._query,
            ("POST", "batch", 0): self._batch,
            ("GET", "cdc", 0): self._changes,
            ("GET", "preferences", 0): self._preferences,
            ("POST", "preferences", 0): self._set_preferences,
            ("GET", "exchangerate", 0): self._rate,
            ("POST", "exchangerate", 0): self._set_rate,
        }
        found = fixed.get((call.method, name, more))
        if found is not None or name not in BY_PATH or name in ("preferences", "exchangerate"):
            return found
        if call.method == "GET" and more == 1:
            return self._read
        return self._write if call.method == "POST" and more == 0 else None

    def carry_out(self, call: Call) -> Answer:
        """Do the call. Raises Refused."""
        handler = self.handler(call)
        return not_found() if handler is None else good(handler(call), self._company.clock.now())

    def _as_of(self, call: Call) -> datetime | None:
        if call.stale_seconds is None:
            return None
        return self._company.clock.now() - timedelta(seconds=call.stale_seconds)

    def _read(self, call: Call) -> Json:
        kind, id_ = BY_PATH[call.parts[0].lower()], call.parts[1]
        if kind in SINGLE:
            id_ = "1"
        found = self._company.records.get(kind, id_, self._as_of(call))
        if found is None:
            detail = f"Object Not Found : Something you're trying to use has been made inactive. {kind} : {id_}"
            raise Refused("610", detail)
        doc = shown(found)
        if kind == "Invoice" and "invoicelink" in call.include:
            doc["InvoiceLink"] = f"https://connect.invalid/portal/asei/prod/v3/{id_}"
        return {kind: doc}

    def _write(self, call: Call) -> Json:
        kind = BY_PATH[call.parts[0].lower()]
        operation = call.query.get("operation", "").lower()
        return {kind: shown(self._books.write(kind, self._object(call), operation, call.include))}

    def _query(self, call: Call) -> Json:
        text = call.query.get("query") or call.body.decode("utf-8", "replace")
        return {"QueryResponse": self._queries.answer(parse_statement(text), self._as_of(call))}

    def _changes(self, call: Call) -> Json:
        kinds = [one.strip() for one in call.query.get("entities", "").split(",") if one.strip()]
        return changes_since(self._company, kinds, call.query.get("changedsince", ""))

    def _preferences(self, _: Call) -> Json:
        return {"Preferences": shown(self._company.preferences)}

    def _set_preferences(self, call: Call) -> Json:
        """The API changes a few of them; the closing date and the currencies are not among them."""
        given, kept = self._object(call), self._company.preferences
        if str(given.get("SyncToken", "")) != kept["SyncToken"]:
            raise Refused("5010", "Stale Object Error : You and somebody else were working on this. Entity=Preferences")
        for group in ("SalesFormsPrefs", "VendorAndPurchasesPrefs", "EmailMessagesPrefs"):
            kept[group] |= {name: one for name, one in (given.get(group) or {}).items() if name in kept[group]}
        return {"Preferences": shown(self._company.records.replace("Preferences", kept))}

    def _rate(self, call: Call) -> Json:
        code = call.query.get("sourcecurrencycode", "")
        asked = call.query.get("asofdate")
        return {"ExchangeRate": exchange_rate_entity(self._company, code, self._day(asked))}

    def _set_rate(self, call: Call) -> Json:
        given = self._object(call)
        day = self._day(given.get("AsOfDate"))
        made = exchange_rate_entity(self._company, str(given.get("SourceCurrencyCode", "")), day)
        now = stamp(self._company.clock.now())
        try:
            rate = amount(given.get("Rate"))
        except ValueError as error:
            raise Refused("2090", f"Invalid Number : {given.get('Rate')}", "Rate") from error
        made |= {"Rate": rate, "SyncToken": "0", "MetaData": {"CreateTime": now, "LastUpdatedTime": now}}
        key = f"{made['SourceCurrencyCode']}:{made['AsOfDate']}"
        self._company.records.keep("ExchangeRate", made | {"Id": key})
        return {"ExchangeRate": made}

    def _day(self, given: Any) -> date:
        try:
            return parse_day(given) if given else self._company.today()
        except ValueError as error:
            raise Refused("2060", f"Invalid date format. Value: {given}", "AsOfDate") from error

    def _batch(self, call: Call) -> Json:
        """Each item on its own: the good ones are kept whatever becomes of the others.

        Queries are answered from what was there before the batch.
        """
        items = self._object(call).get("BatchItemRequest")
        if not isinstance(items, list) or not items or not all(isinstance(one, dict) for one in items):
            raise Refused("2020", "Required parameter BatchItemRequest is missing in the request")
        if len(items) > MOST_IN_BATCH:
            raise Refused("6000", f"A batch holds at most {MOST_IN_BATCH} items, not {len(items)}")
        if call.query.get("requestid") and any(len(str(one.get("bId", ""))) > LONGEST_BID for one in items):
            raise Refused("2130", f"With a request id a bId has at most {LONGEST_BID} characters", "bId")
        found = {place: self._item_query(one, call) for place, one in enumerate(items) if "Query" in one}
        for place, one in enumerate(items):
            if call.partial_after is not None and place >= call.partial_after:
                call.lost = True
                break
            if place not in found:
                found[place] = self._tried(partial(self._item, one))
        answered = [{"bId": items[place].get("bId")} | found[place] for place in sorted(found)]
        if self._company.readings["batch_order"] == "reversed":
            answered.reverse()
        return {"BatchItemResponse": answered}

    def _item_query(self, item: Json, call: Call) -> Json:
        def asked() -> Json:
            return {"QueryResponse": self._queries.answer(parse_statement(str(item["Query"])), self._as_of(call))}

        return self._tried(asked)

    def _item(self, item: Json) -> Json:
        kinds = [BY_PATH[name.lower()] for name in item if name.lower() in BY_PATH]
        if len(kinds) != 1 or not isinstance(item.get(kinds[0]), dict):
            raise Refused("2010", "A batch item holds one entity or a Query")
        operation = str(item.get("operation", "")).lower()
        if operation not in ("create", "update", "delete"):
            raise Refused("2170", f"Invalid Enumeration : operation {operation}")
        options = frozenset(one.strip().lower() for one in str(item.get("optionsData", "")).split(","))
        return {kinds[0]: shown(self._books.write(kinds[0], item[kinds[0]], operation, options))}

    def _tried(self, work: Callable[[], Json]) -> Json:
        try:
            return work()
        except Refused as refused:
            return {"Fault": refused.fault()}

    def _object(self, call: Call) -> Json:
        try:
            given = parse(call.body)
        except (ValueError, RecursionError) as error:
            raise Refused("2010", "The request body is no JSON") from error
        if not isinstance(given, dict):
            raise Refused("2010", "The request body is no object")
        return given
