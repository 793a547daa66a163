"""Change data capture: what changed since a moment, with what was deleted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.quickbooks.answers import Refused
from sandbox.quickbooks.books import shown
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.queries import Queries
from sandbox.quickbooks.records import Selection
from sandbox.quickbooks.shapes import BY_PATH
from sandbox.quickbooks.wire import parse_moment, stamp

Json = dict[str, Any]
LOOK_BACK = timedelta(days=30)
MOST_OBJECTS = 1000
_UNESCAPED_PLUS = re.compile(r"(?<=:\d\d) (\d\d:?\d\d)$")  # arrives as a blank
_NOT_CAPTURED = ("TaxAgency", "TaxCode", "TaxRate", "ExchangeRate", "CompanyInfo", "Preferences")


def changes_since(company: Company, names: list[str], since: str) -> Json:
    """The ``CDCResponse``: full objects, and ``status`` Deleted for what is gone; 1000 of all kinds together.

    Raises Refused: more than 30 days back, no moment, or a kind that is not captured.
    """
    moment = _moment(company, since)
    kinds = [_kind(name) for name in names]
    if not kinds:
        raise Refused("2020", "Required parameter entities is missing in the request", "entities")
    room, responses = MOST_OBJECTS, []
    for kind in kinds:
        docs = _changed(company, kind, moment)[:room]
        room -= len(docs)
        responses.append(Queries.page(kind, docs, 1))
    return {"CDCResponse": [{"QueryResponse": responses}]}


def _changed(company: Company, kind: str, moment: datetime) -> list[Json]:
    seconds = int(moment.timestamp())
    selection = Selection(kind, ("updated >= ?",), (seconds,), "updated, CAST(id AS INTEGER)")
    found = [shown(doc) for doc in company.records.find(selection, MOST_OBJECTS)]
    for id_, at in company.records.deleted_since(kind, seconds):
        time = stamp(datetime.fromtimestamp(at, UTC))
        gone = {"status": "Deleted", "domain": "QBO", "Id": id_, "MetaData": {"LastUpdatedTime": time}}
        found.append(gone)
    return found


def _moment(company: Company, since: str) -> datetime:
    zone = UTC if company.readings["changed_since_zone"] == "utc" else company.zone
    try:
        moment = parse_moment(_UNESCAPED_PLUS.sub(r"+\1", since), zone)
    except ValueError as error:
        raise Refused("2060", f"Invalid date format. Value: {since}", "changedSince") from error
    if moment < company.clock.now() - LOOK_BACK:
        raise Refused("2070", "changedSince lies more than 30 days back", "changedSince")
    return moment


def _kind(name: str) -> str:
    kind = BY_PATH.get(name.lower())
    if kind is None or kind in _NOT_CAPTURED:
        raise Refused("2010", f"Change data capture knows no entity {name}", "entities")
    return kind
