"""Search over an index that lags behind: filters, one sort, pages up to the ten-thousandth result."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.hubspot.answers import Answer, invalid
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.moments import moment_of
from sandbox.hubspot.records import Contact
from sandbox.hubspot.render import asked_for, page, record
from sandbox.hubspot.request import Call

LONGEST_BODY = 3_000
LONGEST_PAGE = 200
DEFAULT_PAGE = 10
FURTHEST = 10_000
MOST_GROUPS, MOST_IN_GROUP, MOST_FILTERS = 5, 6, 18
SEARCHED_BY_QUERY = ("email", "firstname", "lastname", "phone", "company", "hs_additional_emails", "hs_object_id")
COLUMNS = {"lastmodifieddate": "updated", "createdate": "created", "hs_object_id": "id"}
SQL = {"GT": ">", "GTE": ">=", "LT": "<", "LTE": "<=", "EQ": "="}

Json = dict[str, Any]
Test = Callable[[dict[str, str]], bool]


def search(contacts: Contacts, call: Call) -> Answer:
    """``POST .../search``. What was archived since the index was made counts in ``total`` but is not there."""
    if len(call.body.decode("utf-8", "replace")) > LONGEST_BODY:
        raise invalid(f"The request body has more than {LONGEST_BODY} characters")
    asked = call.document()
    wanted = call.names("properties")
    limit, after = _window(asked)
    groups = _groups(asked)
    tests = [[_test(contacts, one) for one in group] for group in groups]
    sort = _sort(contacts, _list(asked, "sorts"))
    query = str(asked.get("query") or "").lower()
    where, values, whole = _narrowed(groups)
    records = contacts.records
    if whole and not query and (sort is None or sort[:2] == ("hs_object_id", False)):
        total = records.search_count(where, values)
        there = list(records.search_rows(where, values, (limit, after)))
    else:
        found = [row for row in records.search_rows(where, values) if _fits(row[1], tests, query)]
        if sort is not None:
            name, descending, rank = sort
            found.sort(key=lambda row: (name in row[1], rank(row[1].get(name, ""))), reverse=descending)
        total, there = len(found), found[after : after + limit]
    visible = set(records.visible([id_ for id_, _ in there]))
    results = [_shown(contacts, id_, doc, wanted, call.dated) for id_, doc in there if id_ in visible]
    next_after = str(after + limit) if after + limit < total else None
    return Answer(200, {"total": total} | page(results, next_after, "/crm/v3/objects/contacts/search"))


def _shown(contacts: Contacts, id_: int, doc: dict[str, str], wanted: list[str] | None, dated: bool) -> Json:
    created, updated = moment_of(doc["createdate"]) or 0, moment_of(doc["lastmodifieddate"]) or 0
    return record(Contact(id_, created, updated), asked_for(contacts, doc, wanted), dated)


def _window(asked: Json) -> tuple[int, int]:
    limit, after = asked.get("limit", DEFAULT_PAGE), str(asked.get("after") or "0")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LONGEST_PAGE:
        raise invalid(f"limit has to be from 1 to {LONGEST_PAGE}")
    if not after.isdecimal():
        raise invalid("after is not what a page before named")
    if int(after) + limit > FURTHEST:
        raise invalid(f"A search does not reach beyond its first {FURTHEST} results")
    return limit, int(after)


def _groups(asked: Json) -> list[list[Json]]:
    given = _list(asked, "filterGroups")
    if asked.get("filters"):
        given = [{"filters": asked["filters"]}, *given]
    if not all(isinstance(group, dict) for group in given):
        raise invalid("Invalid input JSON: 'filterGroups' is a list of objects")
    groups = [_list(group, "filters") for group in given]
    if not all(isinstance(one, dict) for group in groups for one in group):
        raise invalid("Invalid input JSON: 'filters' is a list of objects")
    if len(groups) > MOST_GROUPS or any(len(group) > MOST_IN_GROUP for group in groups):
        raise invalid(f"There can be at most {MOST_GROUPS} filter groups of {MOST_IN_GROUP} filters")
    if sum(map(len, groups)) > MOST_FILTERS:
        raise invalid(f"There can be at most {MOST_FILTERS} filters")
    return [group for group in groups if group]


def _list(asked: Json, name: str) -> list[Any]:
    found = asked.get(name) or []
    if not isinstance(found, list):
        raise invalid(f"Invalid input JSON: '{name}' is a list")
    return found


def _sort(contacts: Contacts, sorts: list[Any]) -> tuple[str, bool, Callable[[str], Any]] | None:
    if len(sorts) > 1:
        raise invalid("There can be only one sort")
    if not sorts:
        return None
    given = sorts[0]
    if isinstance(given, dict):
        name, descending = str(given.get("propertyName")), given.get("direction") == "DESCENDING"
    else:
        name, descending = str(given).lstrip("-"), str(given).startswith("-")
    kind = _kind(contacts, name)
    return name, descending, lambda text: _comparable(kind, text)


def _narrowed(groups: list[list[Json]]) -> tuple[str, list[Any], bool]:
    """What one group of filters asks of columns, so that a poll need not look at every record; and if that is all."""
    where, values = ["1 = 1"], []
    asked = sum(map(len, groups))
    for one in groups[0] if len(groups) == 1 else []:
        column, operator = COLUMNS.get(str(one.get("propertyName"))), SQL.get(str(one.get("operator")))
        moment = moment_of(str(one.get("value", "")))
        if column and operator and moment is not None and abs(moment) < 2**63:
            where.append(f"{column} {operator} ?")
            values.append(moment)
    return " AND ".join(where), values, len(values) == asked


def _fits(doc: dict[str, str], tests: list[list[Test]], query: str) -> bool:
    return (not tests or any(all(test(doc) for test in group) for group in tests)) and _matches_query(doc, query)


def _test(contacts: Contacts, one: Json) -> Test:
    """One filter. Raises Refused for a property or operator that is not known, or a value that is missing."""
    name, operator = str(one.get("propertyName")), str(one.get("operator"))
    kind = _kind(contacts, name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda doc: (name in doc) == (operator == "HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        return _among(name, kind, operator, one)
    value = one.get("value")
    if value is None:
        raise invalid(f"{operator} needs a value")
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        pattern = re.compile(fnmatch.translate(str(value).lower()))
        return lambda doc: _has_token(doc.get(name, ""), pattern) == (operator == "CONTAINS_TOKEN")
    low = _comparable(kind, str(value), strict=True)
    if operator == "BETWEEN":
        high = _comparable(kind, str(one.get("highValue", "")), strict=True)
        return lambda doc: name in doc and low <= _comparable(kind, doc[name]) <= high
    comparisons: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda found: bool(found == low),
        "NEQ": lambda found: bool(found != low),
        "LT": lambda found: bool(found < low),
        "LTE": lambda found: bool(found <= low),
        "GT": lambda found: bool(found > low),
        "GTE": lambda found: bool(found >= low),
    }
    if operator not in comparisons:
        raise invalid(f"{operator} is not an operator")
    compare = comparisons[operator]
    return lambda doc: compare(_comparable(kind, doc[name])) if name in doc else operator == "NEQ"


def _among(name: str, kind: str, operator: str, one: Json) -> Test:
    """Membership; text is kept in lower case in the index, and the wanted values are taken as they come."""
    values = one.get("values")
    if not isinstance(values, list) or not values:
        raise invalid(f"{operator} needs values")
    text = kind not in ("number", "date", "datetime")
    wanted = {str(value) if text else _comparable(kind, str(value), strict=True) for value in values}
    return lambda doc: (name in doc and _comparable(kind, doc[name]) in wanted) == (operator == "IN")


def _kind(contacts: Contacts, name: str) -> str:
    definition = contacts.definitions.property(name)
    if definition is None:
        raise invalid(f"There is no property {name}")
    return str(definition["type"])


def _comparable(kind: str, text: str, *, strict: bool = False) -> Any:
    """A value that can be compared; text without regard to case. Raises Refused for a bad value of a filter."""
    if kind in ("date", "datetime"):
        moment = moment_of(text) if text else 0
        if moment is None and strict:
            raise invalid(f"{text} is not a moment")
        return moment or 0
    if kind == "number":
        try:
            number = Decimal(text or 0)
        except InvalidOperation:
            number = Decimal("nan")
        if strict and not number.is_finite():
            raise invalid(f"{text} is not a number")
        return number if number.is_finite() else Decimal(0)
    return text.lower()


def _has_token(text: str, pattern: re.Pattern[str]) -> bool:
    lowered = text.lower()
    return any(pattern.match(token) for token in [lowered, *re.split(r"[\s@.,;+-]+", lowered)])


def _matches_query(doc: dict[str, str], query: str) -> bool:
    return not query or any(query in doc.get(name, "").lower() for name in SEARCHED_BY_QUERY)
