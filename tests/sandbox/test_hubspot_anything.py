"""Whatever a client sends, HubSpot's stand-in answers as an API: never with a 500, and never with half a record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.hubspot_client import CONTACTS, HubSpotClient, hubspot_sandbox

NAMES = st.sampled_from(
    ["email", "firstname", "phone", "lifecyclestage", "hubspot_owner_id", "createdate", "hs_object_id", "no_such"]
)
TEXT = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "a@mail.example", "b@mail.example", "1", "50001", "9" * 30, "NaN", "2026-07-15", "email", "EQ"]
    ),
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT)
ANY = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)), max_leaves=6
)
PROPERTIES = st.one_of(st.dictionaries(NAMES, PLAIN, max_size=4), ANY)
ONE = st.fixed_dictionaries(
    {},
    optional={
        "id": PLAIN,
        "idProperty": st.one_of(NAMES, ANY),
        "objectWriteTraceId": ANY,
        "properties": PROPERTIES,
        "name": ANY,
    },
)
FILTER = st.fixed_dictionaries(
    {},
    optional={
        "propertyName": NAMES,
        "operator": st.sampled_from(["EQ", "GT", "IN", "BETWEEN", "CONTAINS_TOKEN", "HAS_PROPERTY"]),
        "value": ANY,
        "highValue": ANY,
        "values": ANY,
    },
)
GROUPS = st.lists(st.one_of(st.fixed_dictionaries({"filters": st.lists(FILTER, max_size=3)}), ANY), max_size=3)
BODY = st.one_of(
    ANY,
    st.fixed_dictionaries({"properties": PROPERTIES}),
    st.fixed_dictionaries({"inputs": st.lists(ONE, max_size=3)}, optional={"idProperty": NAMES, "properties": ANY}),
    st.fixed_dictionaries(
        {"filterGroups": st.one_of(GROUPS, ANY)},
        optional={"sorts": ANY, "limit": ANY, "after": ANY, "query": ANY, "properties": ANY},
    ),
    st.fixed_dictionaries(
        {"name": PLAIN, "label": PLAIN, "groupName": st.just("contactinformation")},
        optional={"type": st.sampled_from(["string", "enumeration", "bool"]), "fieldType": PLAIN, "options": ANY},
    ),
    st.fixed_dictionaries({}, optional={"primaryObjectId": PLAIN, "objectIdToMerge": PLAIN, "objectId": PLAIN}),
)
CALLS = st.sampled_from(
    [
        ("POST", CONTACTS),
        ("PATCH", f"{CONTACTS}/50001"),
        *(("POST", f"{CONTACTS}/batch/{what}") for what in ("create", "read", "update", "upsert", "archive")),
        *(("POST", f"{CONTACTS}/{what}") for what in ("search", "merge", "gdpr-delete")),
        ("POST", "/crm/v3/properties/contacts"),
        ("POST", "/crm/v3/properties/contacts/groups"),
        ("POST", "/crm/v3/properties/contacts/batch/create"),
        ("POST", "/crm/v3/properties/contacts/batch/read"),
        ("PATCH", "/crm/v3/properties/contacts/phone"),
    ]
)


@pytest.fixture(scope="module")
def shared() -> Iterator[HubSpotClient]:
    with hubspot_sandbox() as client:
        client.reset()
        client.readings(search_lag_seconds=0)
        yield client


@settings(max_examples=150, deadline=None)
@given(call=CALLS, body=BODY)
def test_whatever_is_sent_the_answer_is_hubspots(shared: HubSpotClient, call: tuple[str, str], body: Any) -> None:
    answer = shared.http(*call, body)
    assert answer.status_code in (200, 201, 204, 207, 400, 404, 409, 414), answer.text
    if answer.status_code >= 400:
        assert answer.json()["status"] == "error"


@settings(max_examples=40, deadline=None)
@given(value=st.text(max_size=12))
def test_whatever_stands_in_the_address_it_is_found_or_not(shared: HubSpotClient, value: str) -> None:
    for name in ("after", "limit", "properties", "idProperty", "archived"):
        for path in (CONTACTS, f"{CONTACTS}/50001", "/crm/v3/owners"):
            assert shared.http("GET", path, params={name: value}).status_code in (200, 400, 404)
