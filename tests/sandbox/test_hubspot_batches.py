"""Batches of contacts in HubSpot's stand-in: what is done of them, and what the answer says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hubspot.crm.contacts.exceptions import ApiException

from tests.sandbox.hubspot_client import HubSpotClient


def new(email: str, trace: str | None = None, **properties: Any) -> dict[str, Any]:
    return {"properties": {"email": email} | properties} | ({"objectWriteTraceId": trace} if trace else {})


def change(id_: str, trace: str | None = None, by: str | None = None, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"id": id_, "properties": properties}
    return found | ({"objectWriteTraceId": trace} if trace else {}) | ({"idProperty": by} if by else {})


def refused(call: Any, inputs: list[dict[str, Any]], **more: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(ApiException) as caught:
        call({"inputs": inputs} | more)
    return caught.value.status, json.loads(caught.value.body)


def test_a_batch_without_trace_ids_is_done_whole_or_not_at_all(hubspot: HubSpotClient) -> None:
    hubspot.create("b@mail.example")
    hubspot.create("c@mail.example")
    inputs = [new(f"{name}@mail.example") for name in "abc"]
    status, body = refused(hubspot.batch.create, inputs)
    assert (status, body["category"]) == (409, "CONFLICT")
    assert len(hubspot.state()["contacts"]) == 2
    assert refused(hubspot.batch.create, [new("d@mail.example"), new("no address")])[0] == 400
    assert len(hubspot.state()["contacts"]) == 2


def test_with_trace_ids_the_good_ones_are_done(hubspot: HubSpotClient) -> None:
    taken = hubspot.create("b@mail.example")
    inputs = [
        new("a@mail.example", "t-a"),
        new("b@mail.example", "t-b"),
        new("no address", "t-c"),
        new("d@mail.example", "t-d"),
    ]
    answer, status, _ = hubspot.batch.create_with_http_info({"inputs": inputs})
    assert (status, answer.status, answer.num_errors) == (207, "COMPLETE", 2)
    assert {one.object_write_trace_id: one.properties["email"] for one in answer.results} == {
        "t-a": "a@mail.example",
        "t-d": "d@mail.example",
    }
    errors = {one.context["objectWriteTraceId"][0]: one for one in answer.errors}
    assert errors["t-b"].category == "CONFLICT"
    assert errors["t-b"].message.endswith(f"Existing ID: {taken}")
    assert errors["t-c"].category == "VALIDATION_ERROR"


def test_trace_ids_that_are_not_all_there_or_not_unique_do_not_count(hubspot: HubSpotClient) -> None:
    for traces in ((None, "t"), ("t", "t")):
        inputs = [new("a@mail.example", traces[0]), new("no address", traces[1])]
        assert refused(hubspot.batch.create, inputs)[0] == 400
    assert hubspot.state()["contacts"] == []


def test_the_same_key_twice_spoils_the_whole_batch(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    twice = [new("b@mail.example", "1"), new("B@mail.example", "2")]
    status, body = refused(hubspot.batch.create, twice)
    assert (status, body["context"]) == (400, {"ids": ["b@mail.example"]})
    assert body["message"] == "Duplicate IDs found in batch input: [b@mail.example]. IDs must be unique"
    assert refused(hubspot.batch.update, [change(ana, "1", phone="1"), change(ana, "2", phone="2")])[0] == 400
    keys = [change("x@mail.example", "1", "email"), change("X@mail.example", "2", "email")]
    assert refused(hubspot.batch.upsert, keys)[0] == 400
    assert "phone" not in hubspot.kept(ana)


def test_a_hundred_inputs_go_and_one_more_does_not(hubspot: HubSpotClient) -> None:
    inputs = [new(f"{n}@mail.example", str(n)) for n in range(100)]
    answer, status, _ = hubspot.batch.create_with_http_info({"inputs": inputs})
    assert (status, len(answer.results)) == (201, 100)
    ids = [{"id": one.id} for one in answer.results]
    assert [int(one["id"]) for one in ids] != sorted(int(one["id"]) for one in ids)
    read: dict[str, Any] = {"properties": ["email"], "propertiesWithHistory": []}
    assert len(hubspot.batch.read({"inputs": ids} | read).results) == 100
    too_many = [*ids, {"id": "1"}]
    assert refused(hubspot.batch.read, too_many, **read)[0] == 400
    assert refused(hubspot.batch.archive, too_many)[0] == 400
    history = {"properties": [], "propertiesWithHistory": ["email"]}
    assert refused(hubspot.batch.read, ids[:51], **history)[0] == 400
    with_history = hubspot.batch.read({"inputs": ids[:50]} | history).results
    assert all(one.properties_with_history["email"] for one in with_history)
    hubspot.batch.archive({"inputs": ids})
    assert all(one["archived"] for one in hubspot.state()["contacts"])


def test_a_read_by_email_resolves_secondary_ones_without_saying_which(hubspot: HubSpotClient) -> None:
    ana, bea = hubspot.create("ana@mail.example"), hubspot.create("bea@mail.example")
    hubspot.ui("add_email", contact=ana, email="ana@home.example")
    asked = ["Ana@home.example", "bea@mail.example", "nobody@mail.example", "none@mail.example"]
    answer, status, _ = hubspot.batch.read_with_http_info(
        {
            "idProperty": "email",
            "properties": ["email", "hs_additional_emails"],
            "propertiesWithHistory": [],
            "inputs": [{"id": email} for email in asked],
        }
    )
    assert status == 207
    assert {one.id: one.properties["email"] for one in answer.results} == {
        ana: "ana@mail.example",
        bea: "bea@mail.example",
    }
    assert answer.num_errors == 1
    assert (answer.errors[0].category, answer.errors[0].context) == ("OBJECT_NOT_FOUND", {"ids": asked[2:]})


def test_updates_go_by_id_or_unique_property_but_not_by_email(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    ana = hubspot.create("ana@mail.example", qualy_id="6a10")
    answer, status, _ = hubspot.batch.update_with_http_info({"inputs": [change("6a10", by="qualy_id", phone="1")]})
    assert (status, answer.results[0].id, answer.results[0].properties["phone"]) == (200, ana, "1")
    by_email = [change("ana@mail.example", by="email", phone="2")]
    assert refused(hubspot.batch.update, by_email)[0] == 400
    hubspot.readings(batch_update_by_email=True)
    assert hubspot.batch.update({"inputs": by_email}).results[0].id == ana


def test_an_update_of_a_merged_or_missing_contact(hubspot: HubSpotClient) -> None:
    first, second = hubspot.create("first@mail.example"), hubspot.create("second@mail.example")
    other = hubspot.create("other@mail.example")
    merged = hubspot.basic.merge({"primaryObjectId": first, "objectIdToMerge": second}).id
    inputs = [change(second, "1", phone="1"), change(other, "2", phone="2")]
    answer, status, _ = hubspot.batch.update_with_http_info({"inputs": inputs})
    assert (status, [one.id for one in answer.results]) == (200, [other])
    assert "phone" not in hubspot.kept(merged)
    missing = [change("12", "1", phone="1"), change(other, "2", phone="3")]
    answer, status, _ = hubspot.batch.update_with_http_info({"inputs": missing})
    assert (status, answer.errors[0].category) == (207, "OBJECT_NOT_FOUND")
    assert hubspot.kept(other)["phone"] == "3"


def test_an_upsert_says_what_is_new_and_hits_the_owner_of_a_secondary_address(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example", firstname="Ana")
    hubspot.ui("add_email", contact=ana, email="ana@home.example")
    inputs = [
        change("ANA@home.example", "1", "email", phone="1"),
        change("New@mail.example", "2", "email", phone="2"),
    ]
    answer = hubspot.batch.upsert({"inputs": inputs})
    assert {one.object_write_trace_id: (one.new, one.properties.get("email")) for one in answer.results} == {
        "1": (False, None),
        "2": (True, "new@mail.example"),
    }
    kept = hubspot.kept(ana)
    assert (kept["email"], kept["firstname"], kept["phone"]) == ("ana@mail.example", "Ana", "1")
    hubspot.readings(email_upsert="erases")
    hubspot.batch.upsert({"inputs": [change("ana@mail.example", "1", "email", phone="3")]})
    kept = hubspot.kept(ana)
    assert (kept.get("firstname"), kept["email"], kept["phone"]) == (None, "ana@mail.example", "3")


def test_an_upsert_by_the_unique_property_survives_a_change_of_email(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    first = hubspot.batch.upsert({"inputs": [change("6a10", "1", "qualy_id", email="ana@mail.example")]})
    hubspot.ui("edit_contact", contact="ana@mail.example", properties={"email": "ana@new.example"})
    again = hubspot.batch.upsert({"inputs": [change("6a10", "1", "qualy_id", phone="1")]})
    assert (first.results[0].new, again.results[0].new) == (True, False)
    assert hubspot.kept(first.results[0].id)["email"] == "ana@new.example"
    assert refused(hubspot.batch.upsert, [change("x", by="firstname")])[0] == 400
    assert refused(hubspot.batch.upsert, [change("x")])[0] == 400
