"""Search in HubSpot's stand-in: late, limited, and sorted one way."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot.crm.contacts.exceptions import ApiException

from tests.sandbox.hubspot_client import CONTACTS, HubSpotClient


@pytest.fixture
def at_once(hubspot: HubSpotClient) -> HubSpotClient:
    hubspot.readings(search_lag_seconds=0, bump_seconds=None)
    return hubspot


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator} | ({} if value is None else {"value": value}) | more


def test_a_change_is_found_only_after_a_while(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    wanted = where("email", "EQ", "ana@mail.example")
    assert hubspot.found(wanted) == []
    hubspot.later(31)
    assert hubspot.found(wanted) == [ana]
    hubspot.basic.update(ana, {"properties": {"email": "new@mail.example"}})
    assert hubspot.found(wanted) == [ana]
    hubspot.later(31)
    assert hubspot.found(wanted) == []


def test_total_counts_what_was_archived_since(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    hubspot.later(31)
    hubspot.basic.archive(ana)
    answer = hubspot.searches.do_search({})
    assert (answer.total, answer.results) == (1, [])
    hubspot.later(31)
    assert hubspot.searches.do_search({}).total == 0


def test_a_poll_of_a_window_in_the_order_of_ids_meets_every_contact(at_once: HubSpotClient) -> None:
    made = [{"properties": {"email": f"{n}@mail.example"}} for n in range(450)]
    at_once.control("POST", "load/hubspot", {"contacts": made})
    met: list[str] = []
    last = "0"
    while True:
        filters = [
            where("lastmodifieddate", "GTE", "1751328000000"),
            where("lastmodifieddate", "LTE", "1909094400000"),
            where("hs_object_id", "GT", last),
        ]
        page = at_once.found(*filters, sorts=["hs_object_id"], limit=200, properties=["email"])
        if not page:
            break
        met += page
        last = page[-1]
    assert sorted(met) == sorted(one["id"] for one in at_once.state()["contacts"])
    assert len(set(met)) == 450


def test_pages_end_at_the_ten_thousandth_result(at_once: HubSpotClient) -> None:
    at_once.control("POST", "load/hubspot", {"contacts": [{"properties": {"firstname": str(n)}} for n in range(25)]})
    first = at_once.searches.do_search({"limit": 10})
    second = at_once.searches.do_search({"limit": 10, "after": first.paging.next.after})
    assert (first.total, len(second.results)) == (25, 10)
    assert not {one.id for one in first.results} & {one.id for one in second.results}
    assert at_once.http("POST", f"{CONTACTS}/search", {"after": "9800", "limit": 200}).status_code == 200
    assert at_once.http("POST", f"{CONTACTS}/search", {"after": "9801", "limit": 200}).status_code == 400


@pytest.mark.parametrize(
    "request_",
    [
        {"limit": 201},
        {"limit": 0},
        {"sorts": ["email", "createdate"]},
        {"properties": ["a" * 3_000]},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")] * 4}] * 5},
        {"filterGroups": [{"filters": [where("no_such", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [where("email", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [where("email", "EQ")]}]},
        {"filterGroups": [{"filters": [where("createdate", "GT", "someday")]}]},
    ],
    ids=str,
)
def test_what_search_refuses(hubspot: HubSpotClient, request_: dict[str, Any]) -> None:
    with pytest.raises(ApiException, match="VALIDATION_ERROR"):
        hubspot.searches.do_search(request_)


def test_filters_join_with_and_and_groups_with_or(at_once: HubSpotClient) -> None:
    ana = at_once.create("ana@mail.example", firstname="Ana", city="Porto")
    bea = at_once.create("bea@mail.example", firstname="Bea", city="Porto")
    cid = at_once.create("cid@other.example", firstname="Cid")
    porto, named = where("city", "EQ", "PORTO"), where("firstname", "EQ", "ana")
    assert at_once.found(porto, named) == [ana]
    either = at_once.searches.do_search(
        {"filterGroups": [{"filters": [named]}, {"filters": [where("city", "NOT_HAS_PROPERTY")]}]}
    )
    assert [one.id for one in either.results] == [ana, cid]
    assert at_once.found(where("email", "IN", values=["bea@mail.example", "x@y.example"])) == [bea]
    assert at_once.found(where("email", "IN", values=["Bea@mail.example"])) == []
    assert at_once.found(where("email", "CONTAINS_TOKEN", "*other.example")) == [cid]
    assert at_once.found(where("hs_object_id", "BETWEEN", ana, highValue=bea)) == [ana, bea]
    assert at_once.found(where("firstname", "NEQ", "Ana"), sorts=["-firstname"]) == [cid, bea]
    assert at_once.found(query="porto@") == []
    assert at_once.found(query="other") == [cid]


def test_a_merge_takes_both_out_and_brings_the_new_one(at_once: HubSpotClient) -> None:
    first, second = at_once.create("first@mail.example"), at_once.create("second@mail.example")
    merged = at_once.basic.merge({"primaryObjectId": first, "objectIdToMerge": second}).id
    assert at_once.found() == [merged]
