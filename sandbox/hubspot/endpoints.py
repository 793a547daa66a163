"""Which call does what, and what it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.hubspot import batches
from sandbox.hubspot.access import OWNERS, PORTAL_ID, READ, SCHEMA_READ, SCHEMA_WRITE, SCOPES, WRITE
from sandbox.hubspot.answers import Answer, Refused, invalid, not_found
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.render import batch, page, read_record, written_record
from sandbox.hubspot.request import Call, record_number
from sandbox.hubspot.search import search
from sandbox.hubspot.values import acceptable_email, normal_email

DATES = ("2026-03", "2026-09")
_VERSIONED = re.compile(r"^/crm/(?:v3/(?P<kind>objects|properties|owners)|(?P<dated>\w+)/(?P<date>\d{4}-\d{2}))(?=/|$)")

_ACCOUNT = re.compile(r"^/account-info/(v3|\d{4}-\d{2})/details/?$")

Json = dict[str, Any]
Handler = Callable[[Contacts, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: any of ``scopes`` is enough; searches have a limit of their own."""

    handler: Handler
    scopes: tuple[str, ...]
    parts: tuple[str, ...]
    dated: bool
    search: bool = False


def find_route(method: str, path: str, numbered: bool) -> Route | None:
    """The endpoint of a path of either form of version; None where there is none."""
    if method == "GET" and (asked := _ACCOUNT.match(path)):
        known = numbered if asked[1] == "v3" else asked[1] in DATES
        return Route(account, SCOPES, (), asked[1] != "v3") if known else None
    versioned = _VERSIONED.match(path)
    if versioned is None:
        return None
    dated = versioned["date"] is not None
    if (dated and versioned["date"] not in DATES) or (not dated and not numbered):
        return None
    rest = f"/{versioned['dated'] or versioned['kind']}{path[versioned.end() :]}".rstrip("/")
    for verb, pattern, handler, scopes in _ROUTES:
        found = pattern.fullmatch(rest) if verb == method else None
        if found is not None:
            return Route(handler, scopes, found.groups(), dated, handler is search)
    return None


def account(_: Contacts, __: Call) -> Answer:
    """Whose account a token reaches (HubSpot: account information API); any scope is enough."""
    return Answer(
        200,
        {
            "portalId": PORTAL_ID,
            "accountType": "STANDARD",
            "timeZone": "Australia/Sydney",
            "companyCurrency": "AUD",
            "additionalCurrencies": [],
            "utcOffset": "+10:00",
            "utcOffsetMilliseconds": 36_000_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def create(contacts: Contacts, call: Call) -> Answer:
    """201 with the record; 409 where another has the email."""
    given = call.document()
    if given.get("associations"):
        raise invalid("There are no objects to associate a contact with in this account")
    contact = contacts.create(given.get("properties"), call.source)
    return Answer(201, written_record(contacts, contact, list(given["properties"]), dated=call.dated))


def one_page(contacts: Contacts, call: Call) -> Answer:
    """A list in the order of the ids, of either the archived or the others."""
    history = call.several("propertiesWithHistory")
    limit = call.number("limit", 10, batches.MOST_WITH_HISTORY if history else batches.MOST)
    after = record_number(call.one("after", "0") or "0")
    if after is None:
        raise invalid("after is not what a page before named")
    found = contacts.records.page(call.truth("archived"), after, limit + 1)
    wanted = call.several("properties")
    results = [read_record(contacts, one, wanted, history, dated=call.dated) for one in found[:limit]]
    next_after = str(found[limit - 1].id) if len(found) > limit else None
    return Answer(200, page(results, next_after, "/crm/v3/objects/contacts"))


def read(contacts: Contacts, call: Call) -> Answer:
    """One record; the id of one that was merged answers with the record that took its place."""
    found = contacts.find(call.parts[0], call.one("idProperty"))
    if found is None or (found.archived_at is not None) != call.truth("archived"):
        raise not_found()
    wanted, history = call.several("properties"), call.several("propertiesWithHistory")
    return Answer(200, read_record(contacts, found, wanted, history, dated=call.dated))


def update(contacts: Contacts, call: Call) -> Answer:
    """Some properties of one record."""
    given = call.document().get("properties")
    contact = contacts.existing(call.parts[0], call.one("idProperty"))
    written = contacts.update(contact, given, call.source)
    return Answer(200, written_record(contacts, written, list(given or {}), dated=call.dated))


def archive(contacts: Contacts, call: Call) -> Answer:
    """Into the recycle bin: 204, also when it is there already."""
    found = contacts.find(call.parts[0])
    if found is None:
        raise not_found()
    contacts.archive(found, call.source)
    return Answer(204)


def merge(contacts: Contacts, call: Call) -> Answer:
    """Two records become one."""
    given = call.document()
    for name in ("primaryObjectId", "objectIdToMerge"):
        if not given.get(name):
            raise invalid(f"Invalid input JSON: the required field '{name}' is missing")
    primary = contacts.existing(str(given["primaryObjectId"]))
    merged = contacts.merge(primary, contacts.existing(str(given["objectIdToMerge"])), call.source)
    return Answer(200, read_record(contacts, merged, None, dated=call.dated))


def gdpr_delete(contacts: Contacts, call: Call) -> Answer:
    """For good: 204, and the addresses are blocked even where no contact has them."""
    given = call.document()
    if not given.get("objectId"):
        raise invalid("Invalid input JSON: the required field 'objectId' is missing")
    reference, by = str(given["objectId"]), str(given.get("idProperty") or "") or None
    found = contacts.find(reference, by)
    if found is not None:
        contacts.delete_for_good(found, call.source)
    elif by == "email" and acceptable_email(normal_email(reference)):
        contacts.records.block(normal_email(reference))
    else:
        raise not_found()
    return Answer(204)


def properties(contacts: Contacts, call: Call) -> Answer:
    """All definitions that are in use, or all archived ones."""
    archived = call.truth("archived")
    return Answer(200, {"results": [p for p in contacts.definitions.all("properties") if p["archived"] == archived]})


def property_(contacts: Contacts, call: Call) -> Answer:
    """One definition."""
    found = contacts.definitions.get("properties", call.parts[0])
    if found is None or found["archived"] != call.truth("archived"):
        raise not_found(f"Property {call.parts[0]} does not exist")
    return Answer(200, found)


def create_property(contacts: Contacts, call: Call) -> Answer:
    """A custom property: 201."""
    return Answer(201, contacts.definitions.create_property(call.document()))


def update_property(contacts: Contacts, call: Call) -> Answer:
    """Changes to a custom property."""
    return Answer(200, contacts.definitions.update_property(call.parts[0], call.document()))


def archive_property(contacts: Contacts, call: Call) -> Answer:
    """204."""
    contacts.definitions.archive_property(call.parts[0])
    return Answer(204)


def create_properties(contacts: Contacts, call: Call) -> Answer:
    """Several at once: 201, or 207 where some were refused."""
    results, errors = [], []
    for one in _named_inputs(call):
        try:
            results.append(contacts.definitions.create_property(one))
        except Refused as refused:
            errors.append(refused.in_batch({"name": [one["name"]]}))
    return Answer(207 if errors else 201, batch(results, errors, contacts.records.now()))


def read_properties(contacts: Contacts, call: Call) -> Answer:
    """Several by name: 200, or 207 where some are missing."""
    archived = bool(call.document().get("archived", False))
    names = [one["name"] for one in _named_inputs(call)]
    found = [contacts.definitions.get("properties", name) for name in names]
    results = [one for one in found if one is not None and one["archived"] == archived]
    missing = sorted(set(names) - {one["name"] for one in results})
    error = not_found("Some properties do not exist").in_batch({"name": missing})
    return Answer(207 if missing else 200, batch(results, [error] if missing else [], contacts.records.now()))


def archive_properties(contacts: Contacts, call: Call) -> Answer:
    """Several by name: 204."""
    for one in _named_inputs(call):
        contacts.definitions.archive_property(one["name"])
    return Answer(204)


def groups(contacts: Contacts, _: Call) -> Answer:
    """All groups."""
    return Answer(200, {"results": contacts.definitions.all("groups")})


def group(contacts: Contacts, call: Call) -> Answer:
    """One group."""
    found = contacts.definitions.get("groups", call.parts[0])
    if found is None:
        raise not_found(f"Property group {call.parts[0]} does not exist")
    return Answer(200, found)


def create_group(contacts: Contacts, call: Call) -> Answer:
    """A group: 201."""
    return Answer(201, contacts.definitions.create_group(call.document()))


def update_group(contacts: Contacts, call: Call) -> Answer:
    """Label or order of a group."""
    return Answer(200, contacts.definitions.update_group(call.parts[0], call.document()))


def archive_group(contacts: Contacts, call: Call) -> Answer:
    """An empty group goes: 204."""
    contacts.definitions.archive_group(call.parts[0])
    return Answer(204)


def owners(contacts: Contacts, call: Call) -> Answer:
    """A page of owners, of one email where it is given."""
    archived, email = call.truth("archived"), call.one("email")
    limit, after = call.number("limit", 100, 500), call.one("after", "0") or "0"
    found = sorted(contacts.definitions.all("owners"), key=lambda owner: int(owner["id"]))
    found = [owner for owner in found if owner["archived"] == archived]
    if email is not None:
        found = [owner for owner in found if owner["email"].lower() == normal_email(email)]
    found = [owner for owner in found if int(owner["id"]) > int(after if after.isdecimal() else 0)]
    next_after = found[limit - 1]["id"] if len(found) > limit else None
    return Answer(200, page(found[:limit], next_after, "/crm/v3/owners"))


def owner(contacts: Contacts, call: Call) -> Answer:
    """One owner, by the id of the owner or of the user."""
    field = "userIdIncludingInactive" if call.one("idProperty") == "userId" else "id"
    for one in contacts.definitions.all("owners"):
        if str(one[field]) == call.parts[0] and one["archived"] == call.truth("archived"):
            return Answer(200, one)
    raise not_found()


def _named_inputs(call: Call) -> list[Json]:
    inputs = call.document().get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) and _named(one) for one in inputs):
        raise invalid("Invalid input JSON: 'inputs' is a list of objects with a name")
    if len(inputs) > batches.MOST:
        raise invalid(f"The maximum number of inputs supported in a batch request is {batches.MOST}.")
    return inputs


def _named(one: Json) -> bool:
    return isinstance(one.get("name"), str) and bool(one["name"])


_CONTACTS = "/objects/(?:contacts|contact|0-1)"
_PROPERTIES = "/properties/(?:contacts|contact|0-1)"
_SCHEMA = (SCHEMA_READ, READ)
_ROUTES: list[tuple[str, re.Pattern[str], Handler, tuple[str, ...]]] = [
    (method, re.compile(path), handler, scopes)
    for method, path, handler, scopes in (
        ("POST", f"{_CONTACTS}/batch/create", batches.create, (WRITE,)),
        ("POST", f"{_CONTACTS}/batch/read", batches.read, (READ,)),
        ("POST", f"{_CONTACTS}/batch/update", batches.update, (WRITE,)),
        ("POST", f"{_CONTACTS}/batch/upsert", batches.upsert, (WRITE,)),
        ("POST", f"{_CONTACTS}/batch/archive", batches.archive, (WRITE,)),
        ("POST", f"{_CONTACTS}/search", search, (READ,)),
        ("POST", f"{_CONTACTS}/merge", merge, (WRITE,)),
        ("POST", f"{_CONTACTS}/gdpr-delete", gdpr_delete, (WRITE,)),
        ("POST", _CONTACTS, create, (WRITE,)),
        ("GET", _CONTACTS, one_page, (READ,)),
        ("GET", f"{_CONTACTS}/(.+)", read, (READ,)),
        ("PATCH", f"{_CONTACTS}/(.+)", update, (WRITE,)),
        ("DELETE", f"{_CONTACTS}/([^/]+)", archive, (WRITE,)),
        ("POST", f"{_PROPERTIES}/batch/create", create_properties, (SCHEMA_WRITE,)),
        ("POST", f"{_PROPERTIES}/batch/read", read_properties, _SCHEMA),
        ("POST", f"{_PROPERTIES}/batch/archive", archive_properties, (SCHEMA_WRITE,)),
        ("GET", f"{_PROPERTIES}/groups", groups, _SCHEMA),
        ("POST", f"{_PROPERTIES}/groups", create_group, (SCHEMA_WRITE,)),
        ("GET", f"{_PROPERTIES}/groups/([^/]+)", group, _SCHEMA),
        ("PATCH", f"{_PROPERTIES}/groups/([^/]+)", update_group, (SCHEMA_WRITE,)),
        ("DELETE", f"{_PROPERTIES}/groups/([^/]+)", archive_group, (SCHEMA_WRITE,)),
        ("GET", _PROPERTIES, properties, _SCHEMA),
        ("POST", _PROPERTIES, create_property, (SCHEMA_WRITE,)),
        ("GET", f"{_PROPERTIES}/([^/]+)", property_, _SCHEMA),
        ("PATCH", f"{_PROPERTIES}/([^/]+)", update_property, (SCHEMA_WRITE,)),
        ("DELETE", f"{_PROPERTIES}/([^/]+)", archive_property, (SCHEMA_WRITE,)),
        ("GET", "/owners", owners, (OWNERS,)),
        ("GET", "/owners/([^/]+)", owner, (OWNERS,)),
    )
]
