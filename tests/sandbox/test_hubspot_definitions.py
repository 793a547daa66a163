"""Properties, groups and owners in HubSpot's stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot.crm.owners.exceptions import NotFoundException as NoSuchOwner
from hubspot.crm.properties.exceptions import ApiException, NotFoundException

from tests.sandbox.hubspot_client import QUALY_ID, HubSpotClient


def status_of(call: Any, *arguments: Any) -> int:
    with pytest.raises(ApiException) as caught:
        call(*arguments)
    return int(caught.value.status)


def test_a_property_needs_its_group_first(hubspot: HubSpotClient) -> None:
    assert status_of(hubspot.properties.create, "contacts", QUALY_ID) == 400
    group, status, _ = hubspot.groups.create_with_http_info("contacts", {"name": "qualy", "label": "Qualy"})
    assert (status, group.name, group.archived) == (201, "qualy", False)
    assert status_of(hubspot.groups.create, "contacts", {"name": "qualy", "label": "Qualy"}) == 409
    made, status, _ = hubspot.properties.create_with_http_info("contacts", QUALY_ID)
    assert (status, made.has_unique_value, made.hubspot_defined, made.created_at is not None) == (
        201,
        True,
        False,
        True,
    )
    assert status_of(hubspot.properties.create, "contacts", QUALY_ID) == 409
    assert hubspot.properties.get_by_name("contacts", "qualy_id").label == "Qualy ID"
    assert "qualy_id" in [one.name for one in hubspot.properties.get_all("contacts").results]
    assert hubspot.groups.get_by_name("contacts", "qualy").label == "Qualy"
    assert "qualy" in [one.name for one in hubspot.groups.get_all("contacts").results]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Qualy ID"},
        {"name": ""},
        {"type": "text"},
        {"fieldType": "number"},
        {"groupName": "none"},
        {"type": "enumeration", "fieldType": "select"},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a"}] * 2},
    ],
    ids=str,
)
def test_definitions_that_are_refused(hubspot: HubSpotClient, change: dict[str, Any]) -> None:
    hubspot.groups.create("contacts", {"name": "qualy", "label": "Qualy"})
    answer = hubspot.http("POST", "/crm/v3/properties/contacts", QUALY_ID | change)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_there_are_ten_unique_properties_at_most(hubspot: HubSpotClient) -> None:
    for number in range(10):
        hubspot.custom(name=f"unique_{number}")
    assert status_of(hubspot.properties.create, "contacts", QUALY_ID | {"name": "unique_10"}) == 400
    hubspot.custom(name="plain", hasUniqueValue=False)


def test_an_archived_property_is_unknown_to_writes_and_can_come_back(hubspot: HubSpotClient) -> None:
    hubspot.custom()
    ana = hubspot.create("ana@mail.example", qualy_id="6a10")
    hubspot.properties.archive("contacts", "qualy_id")
    with pytest.raises(NotFoundException):
        hubspot.properties.get_by_name("contacts", "qualy_id")
    assert hubspot.properties.get_by_name("contacts", "qualy_id", archived=True).archived
    refused = hubspot.http("PATCH", f"/crm/v3/objects/contacts/{ana}", {"properties": {"qualy_id": "6a11"}})
    assert refused.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert "qualy_id" not in hubspot.basic.get_by_id(ana, properties=["qualy_id"]).properties
    hubspot.ui("restore_property", property="qualy_id")
    assert hubspot.basic.get_by_id(ana, properties=["qualy_id"]).properties["qualy_id"] == "6a10"
    assert status_of(hubspot.properties.archive, "contacts", "email") == 400


def test_options_can_be_added_later(hubspot: HubSpotClient) -> None:
    options = [{"label": "VIP", "value": "vip", "hidden": False}]
    kind = {"type": "enumeration", "fieldType": "checkbox", "hasUniqueValue": False}
    hubspot.custom(name="qualy_tags", options=options, **kind)
    more = [*options, {"label": "Renewal", "value": "renewal", "hidden": False}]
    changed = hubspot.properties.update("contacts", "qualy_tags", {"options": more, "label": "Tags"})
    assert ([one.value for one in changed.options], changed.label) == (["vip", "renewal"], "Tags")
    hubspot.create("ana@mail.example", qualy_tags="vip;renewal")
    assert status_of(hubspot.properties.update, "contacts", "email", {"label": "Mail"}) == 400


def test_several_properties_at_once(hubspot: HubSpotClient) -> None:
    hubspot.groups.create("contacts", {"name": "qualy", "label": "Qualy"})
    batch = hubspot.sdk.crm.properties.batch_api
    wanted = [QUALY_ID, QUALY_ID | {"name": "email"}, QUALY_ID | {"name": "qualy_number", "hasUniqueValue": False}]
    made, status, _ = batch.create_with_http_info("contacts", {"inputs": wanted})
    assert (status, [one.name for one in made.results]) == (207, ["qualy_id", "qualy_number"])
    names = [{"name": "qualy_id"}, {"name": "no_such"}]
    read, status, _ = batch.read_with_http_info("contacts", {"inputs": names, "archived": False})
    assert (status, [one.name for one in read.results]) == (207, ["qualy_id"])
    batch.archive("contacts", {"inputs": [{"name": "qualy_id"}, {"name": "qualy_number"}]})
    hubspot.groups.archive("contacts", "qualy")
    assert "qualy" not in [one.name for one in hubspot.groups.get_all("contacts").results]


def test_owners_are_found_by_email_and_have_teams(hubspot: HubSpotClient) -> None:
    helena = hubspot.owners.get_page(email="Helena@agency.example").results
    assert [(one.first_name, one.type, one.archived) for one in helena] == [("Helena", "PERSON", False)]
    assert helena[0].teams[0].primary
    assert hubspot.owners.get_page(email="nobody@agency.example").results == []
    by_user = hubspot.owners.get_by_id(helena[0].user_id, id_property="userId")
    assert by_user.id == helena[0].id
    gone = hubspot.owners.get_page(archived=True).results[0]
    assert (gone.email, gone.user_id) == ("greta@agency.example", None)
    with pytest.raises(NoSuchOwner):
        hubspot.owners.get_by_id(int(gone.id))


def test_owners_come_in_pages(hubspot: HubSpotClient) -> None:
    met: list[str] = []
    after = None
    while True:
        page = hubspot.owners.get_page(limit=3, **({"after": after} if after else {}))
        met += [one.email for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert len(met) == len(set(met)) == 4


def test_a_contacts_team_follows_its_owner(hubspot: HubSpotClient) -> None:
    owner = hubspot.owners.get_page(email="marcus@agency.example").results[0]
    ana = hubspot.create("ana@mail.example", hubspot_owner_id=owner.id)
    assert hubspot.kept(ana)["hubspot_team_id"] == owner.teams[0].id
    hubspot.ui("archive_owner", owner=owner.id)
    assert (
        hubspot.http("POST", "/crm/v3/objects/contacts", {"properties": {"hubspot_owner_id": owner.id}}).status_code
        == 400
    )
    hubspot.ui("restore_owner", owner=owner.id)
