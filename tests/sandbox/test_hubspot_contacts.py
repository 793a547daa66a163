"""Single contacts in HubSpot's stand-in: emails, values, history, archive, merges, deletion for good."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException

from tests.sandbox.hubspot_client import CONTACTS, HubSpotClient, hubspot_sandbox


def refused(call: Any, *arguments: Any, **named: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of the SDK call that has to fail."""
    with pytest.raises(ApiException) as caught:
        call(*arguments, **named)
    return caught.value.status, json.loads(caught.value.body)


def test_an_email_is_kept_in_lower_case_and_belongs_to_one_contact(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("  Ana.Souza+1@Mail.EXAMPLE ")
    assert hubspot.kept(ana)["email"] == "ana.souza+1@mail.example"
    status, body = refused(hubspot.create, "ANA.souza+1@mail.example")
    assert (status, body["category"]) == (409, "CONFLICT")
    assert body["message"].endswith(f"Existing ID: {ana}")
    other = hubspot.create("other@mail.example")
    change = {"properties": {"email": "ana.souza+1@mail.example"}}
    assert refused(hubspot.basic.update, other, change)[0] == 409
    assert hubspot.kept(other)["email"] == "other@mail.example"


def test_a_secondary_address_is_unique_too_and_finds_its_contact(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    hubspot.ui("add_email", contact=ana, email="Ana@Home.example")
    assert refused(hubspot.create, "ana@home.example")[0] == 409
    found = hubspot.basic.get_by_id("ana@home.example", id_property="email", properties=["hs_additional_emails"])
    assert (found.id, found.properties["hs_additional_emails"]) == (ana, "ana@home.example")
    other = hubspot.create("other@mail.example")
    with pytest.raises(ValueError, match="Existing ID"):
        hubspot.ui("add_email", contact=other, email="ana@home.example")
    hubspot.basic.update(ana, {"properties": {"email": "ana@home.example"}})
    kept = hubspot.kept(ana)
    assert (kept["email"], kept["hs_additional_emails"]) == ("ana@home.example", "ana@mail.example")


@pytest.mark.parametrize("stays", [False, True])
def test_the_address_before_goes_or_stays_as_a_secondary_one(hubspot: HubSpotClient, stays: bool) -> None:
    hubspot.readings(old_email_stays=stays)
    ana = hubspot.create("ana@mail.example")
    hubspot.basic.update("ana@mail.example", {"properties": {"email": "new@mail.example"}}, id_property="email")
    assert hubspot.kept(ana).get("hs_additional_emails") == ("ana@mail.example" if stays else None)


def test_every_bad_property_is_named_at_once(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    hubspot.custom(name="qualy_due", type="date", fieldType="date", hasUniqueValue=False)
    hubspot.custom(name="qualy_paid", type="number", fieldType="number", hasUniqueValue=False)
    bad = {
        "email": "no address",
        "no_such": "1",
        "createdate": "2026-01-01",
        "lifecyclestage": "friend",
        "qualy_paid": "ten",
        "qualy_due": "someday",
        "hubspot_owner_id": "12",
        "firstname": "Ana",
    }
    status, body = refused(hubspot.create, **bad)
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    codes = {one["context"]["propertyName"][0]: one["code"] for one in body["errors"]}
    assert codes == {
        "email": "INVALID_EMAIL",
        "no_such": "PROPERTY_DOESNT_EXIST",
        "createdate": "READ_ONLY_VALUE",
        "lifecyclestage": "INVALID_OPTION",
        "qualy_paid": "INVALID_LONG",
        "qualy_due": "INVALID_LONG",
        "hubspot_owner_id": "INVALID_OPTION",
    }
    start, _, listed = body["message"].partition(": ")
    assert start == "Property values were not valid"
    assert {one["name"]: one["error"] for one in json.loads(listed)} == codes
    assert hubspot.state()["contacts"] == []


def test_values_are_kept_as_text(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    plain = {"hasUniqueValue": False}
    hubspot.custom(name="qualy_paid", type="number", fieldType="number", **plain)
    hubspot.custom(name="qualy_vip", type="bool", fieldType="booleancheckbox", **plain)
    hubspot.custom(name="qualy_due", type="date", fieldType="date", **plain)
    hubspot.custom(name="qualy_at", type="datetime", fieldType="date", **plain)
    options = [{"label": tag, "value": tag, "hidden": False} for tag in ("vip", "renewal")]
    hubspot.custom(name="qualy_tags", type="enumeration", fieldType="checkbox", options=options, **plain)
    values = {
        "qualy_paid": 10.5,
        "qualy_vip": True,
        "qualy_due": "1784073600000",
        "qualy_at": "2026-07-15T10:00:00+10:00",
        "qualy_tags": "vip;renewal",
    }
    contact = hubspot.http("POST", CONTACTS, {"properties": values}).json()["id"]
    kept = hubspot.kept(contact)
    assert {name: kept[name] for name in values} == {
        "qualy_paid": "10.5",
        "qualy_vip": "true",
        "qualy_due": "2026-07-15",
        "qualy_at": "2026-07-15T00:00:00Z",
        "qualy_tags": "vip;renewal",
    }
    assert refused(hubspot.basic.update, contact, {"properties": {"qualy_tags": "vip;x"}})[0] == 400
    assert refused(hubspot.basic.update, contact, {"properties": {"qualy_due": "1784073600001"}})[0] == 400


def test_an_empty_text_clears_and_null_is_passed_over(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example", firstname="Ana", phone="1")
    hubspot.http("PATCH", f"{CONTACTS}/{ana}", {"properties": {"phone": "", "firstname": None}})
    kept = hubspot.kept(ana)
    assert "phone" not in kept
    assert kept["firstname"] == "Ana"
    hubspot.readings(null_value="clears")
    hubspot.http("PATCH", f"{CONTACTS}/{ana}", {"properties": {"firstname": None}})
    assert "firstname" not in hubspot.kept(ana)


def test_what_is_asked_for_and_not_set_is_null(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    read = hubspot.basic.get_by_id(ana, properties=["phone", "no_such"]).properties
    assert sorted(read) == ["createdate", "hs_object_id", "lastmodifieddate", "phone"]
    assert read["phone"] is None
    assert "email" in hubspot.basic.get_by_id(ana).properties


def test_a_creation_answers_what_hubspot_adds_by_itself(hubspot: HubSpotClient) -> None:
    made = hubspot.basic.create({"properties": {"email": "ana@mail.example"}})
    assert set(made.properties) == {
        "email", "hs_object_id", "createdate", "lastmodifieddate", "hs_all_contact_vids", "hs_email_domain",
        "hs_is_contact", "hs_is_unworked", "hs_pipeline",
    }  # fmt: skip
    assert made.properties["hs_object_id"] == made.id


def test_the_stage_only_moves_forward(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example", lifecyclestage="customer")
    hubspot.basic.update(ana, {"properties": {"lifecyclestage": "lead"}})
    assert hubspot.kept(ana)["lifecyclestage"] == "customer"
    hubspot.basic.update(ana, {"properties": {"lifecyclestage": ""}})
    hubspot.basic.update(ana, {"properties": {"lifecyclestage": "lead"}})
    assert hubspot.kept(ana)["lifecyclestage"] == "lead"


def test_lastmodifieddate_moves_by_itself_after_a_creation(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    before = hubspot.kept(ana)
    hubspot.later(18)
    after = hubspot.kept(ana)
    assert after["lastmodifieddate"] > before["lastmodifieddate"]
    assert after | {"lastmodifieddate": 0} == before | {"lastmodifieddate": 0}
    hubspot.later(60)
    assert hubspot.kept(ana) == after


@pytest.mark.parametrize("bumps", [True, False])
def test_a_write_that_changes_nothing_may_move_it_too(hubspot: HubSpotClient, bumps: bool) -> None:
    hubspot.readings(equal_write_bumps=bumps)
    ana = hubspot.create("ana@mail.example")
    hubspot.later(60)
    before = hubspot.kept(ana)["lastmodifieddate"]
    hubspot.later(60)
    hubspot.basic.update(ana, {"properties": {"email": "ana@mail.example"}})
    assert (hubspot.kept(ana)["lastmodifieddate"] > before) == bumps


def test_the_history_says_when_and_by_whom(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example", phone="1")
    hubspot.later(60)
    hubspot.ui("edit_contact", contact=ana, properties={"phone": "2"}, user=7)
    history = hubspot.basic.get_by_id(ana, properties_with_history=["phone"]).properties_with_history["phone"]
    assert [(one.value, one.source_type, one.source_id) for one in history] == [
        ("2", "CRM_UI", "userId:7"),
        ("1", "INTEGRATION", "7000001"),
    ]
    assert (history[0].timestamp - history[1].timestamp).total_seconds() >= 60
    by_key = hubspot.http("POST", CONTACTS, {"properties": {"phone": "3"}}, token="pat-sandbox-service-key").json()[
        "id"
    ]
    history = hubspot.basic.get_by_id(by_key, properties_with_history=["phone"]).properties_with_history["phone"]
    assert history[0].source_id == "7099001"


def test_an_archived_contact_is_only_in_the_list_of_archived_ones(hubspot: HubSpotClient) -> None:
    ana, bea = hubspot.create("ana@mail.example"), hubspot.create("bea@mail.example")
    hubspot.basic.archive(ana)
    hubspot.basic.archive(ana)
    with pytest.raises(NotFoundException):
        hubspot.basic.get_by_id(ana)
    assert refused(hubspot.basic.update, ana, {"properties": {"phone": "1"}})[0] == 404
    gone = hubspot.basic.get_by_id(ana, archived=True)
    assert gone.archived
    assert gone.archived_at is not None
    assert [one.id for one in hubspot.sdk.crm.contacts.get_all()] == [bea]
    assert [one.id for one in hubspot.basic.get_page(archived=True).results] == [ana]
    restored = hubspot.ui("restore_contact", contact=ana)
    assert (restored["id"], restored["archived"]) == (ana, False)
    assert hubspot.basic.get_by_id("ana@mail.example", id_property="email").id == ana


def test_a_contact_comes_back_for_ninety_days_if_its_email_is_free(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    hubspot.ui("archive_contact", contact=ana)
    again = hubspot.create("ana@mail.example")
    assert again != ana
    with pytest.raises(ValueError, match="Existing ID"):
        hubspot.ui("restore_contact", contact=ana)
    hubspot.basic.archive(again)
    hubspot.later(91 * 86_400)
    with pytest.raises(ValueError, match="90 days"):
        hubspot.ui("restore_contact", contact=again)


def test_an_archived_contact_may_hold_on_to_its_email(hubspot: HubSpotClient) -> None:
    hubspot.readings(email_free_after_archive=False)
    hubspot.basic.archive(hubspot.create("ana@mail.example"))
    assert refused(hubspot.create, "ana@mail.example")[0] == 409


def test_a_merge_makes_a_new_record_to_which_both_old_ids_lead(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    first = hubspot.create("first@mail.example", firstname="First", qualy_id="q-1")
    second = hubspot.create("second@mail.example", firstname="Second", phone="2", qualy_id="q-2")
    merged = hubspot.basic.merge({"primaryObjectId": first, "objectIdToMerge": second})
    assert merged.id not in (first, second)
    kept = hubspot.kept(merged.id)
    assert (kept["email"], kept["hs_additional_emails"]) == ("first@mail.example", "second@mail.example")
    assert (kept["firstname"], kept["phone"], kept["qualy_id"]) == ("First", "2", "q-1")
    assert kept["hs_merged_object_ids"] == f"{first};{second}"
    for reference in (first, second):
        assert hubspot.basic.get_by_id(reference).id == merged.id
    assert hubspot.basic.get_by_id("second@mail.example", id_property="email").id == merged.id
    assert [one["id"] for one in hubspot.state()["contacts"]] == [merged.id]
    third = hubspot.create("third@mail.example")
    last = hubspot.ui("merge_contacts", **{"into": "third@mail.example", "from": merged.id})
    assert {hubspot.basic.get_by_id(one).id for one in (first, second, third, merged.id)} == {last["id"]}


def test_a_merge_may_keep_the_primarys_id(hubspot: HubSpotClient) -> None:
    hubspot.readings(merge_keeps_primary=True)
    first, second = hubspot.create("first@mail.example"), hubspot.create("second@mail.example")
    assert hubspot.basic.merge({"primaryObjectId": first, "objectIdToMerge": second}).id == first
    assert hubspot.basic.get_by_id(second).id == first


def test_merges_that_cannot_be(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    assert refused(hubspot.basic.merge, {"primaryObjectId": ana, "objectIdToMerge": ana})[0] == 400
    assert refused(hubspot.basic.merge, {"primaryObjectId": ana, "objectIdToMerge": "1"})[0] == 404
    many = ";".join(f"{n}@mail.example" for n in range(250))
    many_emails = {"id": 7, "properties": {"email": "many@mail.example", "hs_additional_emails": many}}
    hubspot.control("POST", "load/hubspot", {"contacts": [many_emails, {"id": 8, "properties": {"firstname": "B"}}]})
    assert refused(hubspot.basic.merge, {"primaryObjectId": "7", "objectIdToMerge": "8"})[0] == 414


def test_what_was_deleted_for_good_can_come_back_only_through_the_api(hubspot: HubSpotClient) -> None:
    ana = hubspot.create("ana@mail.example")
    hubspot.ui("add_email", contact=ana, email="ana@home.example")
    hubspot.basic.purge({"objectId": "ana@home.example", "idProperty": "email"})
    for archived in (False, True):
        with pytest.raises(NotFoundException):
            hubspot.basic.get_by_id(ana, archived=archived)
    state = hubspot.state()
    assert state["contacts"] == []
    assert state["blocked_emails"] == ["ana@home.example", "ana@mail.example"]
    with pytest.raises(ValueError, match="permanently deleted"):
        hubspot.ui("create_contact", properties={"email": "Ana@mail.example"})
    again = hubspot.create("ana@mail.example")
    assert hubspot.kept(again)["email"] == "ana@mail.example"
    hubspot.ui("gdpr_delete", contact=again)
    assert hubspot.state()["contacts"] == []


def test_a_unique_property_names_contacts_and_refuses_a_second_owner(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    ana = hubspot.create("ana@mail.example", qualy_id="6a10")
    assert hubspot.basic.get_by_id("6a10", id_property="qualy_id").id == ana
    assert hubspot.basic.update("6a10", {"properties": {"phone": "1"}}, id_property="qualy_id").id == ana
    status, body = refused(hubspot.create, "bea@mail.example", qualy_id="6a10")
    assert (status, body["errors"][0]["code"]) == (400, "CONFLICTING_UNIQUE_VALUE")
    assert refused(hubspot.basic.get_by_id, "Ana", id_property="firstname")[0] == 400


def test_the_accounts_own_rules_hold_for_the_api(hubspot: HubSpotClient) -> None:
    hubspot.ui("validation_rule", property="phone", rule={"regex": r"\+\d+"})
    status, body = refused(hubspot.create, "ana@mail.example", phone="0412")
    assert (status, body["errors"][0]["context"]["propertyName"]) == (400, ["phone"])
    hubspot.create("ana@mail.example", phone="+61412")


def test_pages_go_through_all_contacts_once(hubspot: HubSpotClient) -> None:
    made = [{"properties": {"email": f"{n}@mail.example"}} for n in range(250)]
    hubspot.control("POST", "load/hubspot", {"contacts": made})
    found = hubspot.sdk.crm.contacts.get_all(properties=["email"])
    assert sorted(one.properties["email"] for one in found) == sorted(one["properties"]["email"] for one in made)
    assert refused(hubspot.basic.get_page, limit=101)[0] == 400
    assert refused(hubspot.basic.get_page, limit=51, properties_with_history=["email"])[0] == 400


def test_what_state_shows_can_be_loaded_again() -> None:
    with hubspot_sandbox(payments=200) as hubspot:
        hubspot.custom()
        hubspot.create("ana@mail.example", qualy_id="6a10")
        hubspot.later(60)
        before = hubspot.state()
        hubspot.control("POST", "load/hubspot", before)
        assert hubspot.state() == before


def test_some_of_the_contacts_from_the_start_are_qualys_customers_too() -> None:
    with hubspot_sandbox(payments=200) as hubspot:
        state = hubspot.state()
        archived = [one for one in state["contacts"] if one["archived"]]
        secondary = [one for one in state["contacts"] if "hs_additional_emails" in one["properties"]]
        without = [one for one in state["contacts"] if "email" not in one["properties"]]
        assert (len(archived), len(secondary), len(without)) == (1, 2, 1)
        assert hubspot.basic.get_by_id("41001").id == hubspot.basic.get_by_id("41002").id
        assert [one["email"] for one in state["owners"]][:2] == ["helena@agency.example", "marcus@agency.example"]
