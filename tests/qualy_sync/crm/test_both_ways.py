"""Customers both ways, as people on both sides see it: who wins, who is whom, what is never copied, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.ledger.decisions import decide
from tests.support.crm_world import CrmWorld, person, settings_with
from tests.support.world import object_id

MakeCrmWorld = Callable[..., CrmWorld]
ADA, BO = object_id(1, 1), object_id(1, 2)
DAY = 26 * 3600


def ada(**more: Any) -> dict[str, Any]:
    return person(1, "Ada", "Lovelace", "ada@school.test", **more)


def bo() -> dict[str, Any]:
    return person(2, "Bo", "Berg", "bo@school.test")


def lead(email: str, first: str, stage: str = "customer", **more: str) -> dict[str, Any]:
    return {"properties": {"email": email, "firstname": first, "lifecyclestage": stage} | more}


def test_the_same_field_changed_on_both_sides_goes_by_its_rule(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([ada(profile={"phone": "+61 1"})])
    world.run()
    world.qualy("update", **{"_id": ADA, "profile.firstName": "A.", "profile.lastName": "L.", "profile.phone": "+61 2"})
    there = {"firstname": "Augusta", "lastname": "King", "phone": "+61 3"}
    world.hubspot("edit_contact", contact="ada@school.test", properties=there)
    world.later()
    world.run_until_quiet()
    ours, theirs = world.customers()[ADA]["profile"], world.contact("ada@school.test")["properties"]
    assert (ours["firstName"], theirs["firstname"]) == ("A.", "A.")  # qualy wins
    assert (ours["lastName"], theirs["lastname"]) == ("King", "King")  # hubspot wins
    assert (ours["phone"], theirs["phone"]) == ("+61 2", "+61 3")  # ask
    assert world.outcome(ADA) == "both_changed"
    assert world.differences() == {(ADA, "phone"): "ask"}


@pytest.mark.parametrize(("choice", "phone"), [("ours", "+61 2"), ("theirs", "+61 3")])
def test_what_a_person_decides_is_written_on_the_other_side(
    make_crm_world: MakeCrmWorld, choice: str, phone: str
) -> None:
    world = make_crm_world([ada(profile={"phone": "+61 1"})])
    world.run()
    world.qualy("update", **{"_id": ADA, "profile.phone": "+61 2"})
    world.hubspot("edit_contact", contact="ada@school.test", properties={"phone": "+61 3"})
    world.later()
    assert decide(world.ledger, world.book(), "contact", ADA, choice, "", "Ana", "called her")
    world.run_until_quiet()
    assert world.customers()[ADA]["profile"]["phone"] == phone
    assert world.contact("ada@school.test")["properties"]["phone"] == phone
    assert world.differences() == {}


def test_an_emptied_field_erases_nothing_and_is_listed(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([ada(profile={"phone": "+61 1"})])
    world.run()
    world.qualy("update", **{"_id": ADA, "profile.phone": ""})
    world.run_until_quiet()
    assert world.contact("ada@school.test")["properties"]["phone"] == "+61 1"
    assert world.differences() == {(ADA, "phone"): "emptied"}
    assert world.outcome(ADA) == "kept_apart"


def test_a_changed_email_follows_the_link_into_hubspot_and_waits_before_qualy(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([ada(), bo()])
    world.run()
    world.qualy("update", _id=ADA, email="Ada.King@school.test")
    world.hubspot("edit_contact", contact="bo@school.test", properties={"email": "bo.b@school.test"})
    world.later()
    world.run_until_quiet()
    assert world.contact("ada.king@school.test")["properties"]["qualy_id"] == ADA
    assert world.customers()[BO]["email"] == "bo@school.test"  # a log-in of the portal
    assert world.differences() == {(BO, "email"): "held_back"}
    assert len(world.contacts()) == 2


def test_a_secondary_address_leads_to_its_contact(make_crm_world: MakeCrmWorld) -> None:
    there = lead("home@school.test", "Ada", hs_additional_emails="ada@school.test")
    world = make_crm_world([ada()], [there])
    world.run()
    (contact,) = world.contacts().values()
    assert contact["properties"]["qualy_id"] == ADA
    assert world.outcome(ADA) in ("adopted", "updated")


@pytest.mark.parametrize("keeps", [False, True])
def test_merged_contacts_stand_for_the_customer_whose_address_is_theirs(
    make_crm_world: MakeCrmWorld, keeps: bool
) -> None:
    world = make_crm_world([ada(), bo()])
    world.sandbox.control("POST", "readings/hubspot", {"merge_keeps_primary": keeps})
    try:
        world.run()
        world.hubspot("merge_contacts", **{"into": "ada@school.test", "from": "bo@school.test"})
        world.later(DAY)
        world.run_until_quiet()
        (contact,) = world.contacts().values()
        assert contact["properties"]["email"] == "ada@school.test"
        assert world.links() == {ADA: contact["id"]}
        assert world.outcome(BO) == "merged_there"
        world.qualy("update", **{"_id": BO, "profile.firstName": "Nobody"})
        world.run_until_quiet()
        assert world.contact("ada@school.test")["properties"]["firstname"] == "Ada"
    finally:
        world.sandbox.control("POST", "readings/hubspot", {"merge_keeps_primary": False})


def test_a_contact_that_carries_another_ref_than_its_address_says_waits(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([ada(), bo()])
    world.run()
    with world.ledger.writing() as connection:  # as after a restore of an old ledger
        for table in ("crm_links", "crm_values"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("DELETE FROM cursors WHERE name LIKE 'planned:%'")
    ids = {one["properties"]["email"]: one["id"] for one in world.contacts().values()}
    world.hubspot("edit_contact", contact=ids["bo@school.test"], properties={"email": "other@school.test"})
    world.hubspot("edit_contact", contact=ids["ada@school.test"], properties={"email": "bo@school.test"})
    world.later()
    assert world.outcome(BO) == "ambiguous_email"
    decide(world.ledger, world.book(), "contact", BO, "link", ids["bo@school.test"], "Ana", "she moved")
    world.run_until_quiet()
    assert world.links()[BO] == ids["bo@school.test"]


def test_facts_of_ours_are_told_in_properties_of_their_own_and_corrected_when_touched(
    make_crm_world: MakeCrmWorld,
) -> None:
    world = make_crm_world([ada(tags=["aa" * 12], owners=["bb" * 12], teams=["cc" * 12])])
    times = {"createdAt": "2026-01-02T00:00:00.000Z"}
    lists = {
        "tags": [{"_id": "aa" * 12, "name": "VIP"} | times],
        "teams": [{"_id": "cc" * 12, "name": "Sydney"} | times],
        "users": [
            {"_id": "bb" * 12, "email": "u@agency.test", "profile": {"firstName": "U", "lastName": "Ser"}} | times
        ],
    }
    world.sandbox.control("POST", "change/qualy", {"insert": lists})
    world.run()
    told = world.contact("ada@school.test")["properties"]
    assert (told["qualy_tags"], told["qualy_teams"], told["qualy_owners"]) == ("VIP", "Sydney", "U Ser")
    world.hubspot("edit_contact", contact="ada@school.test", properties={"qualy_tags": "mine"})
    world.run_until_quiet()
    assert world.contact("ada@school.test")["properties"]["qualy_tags"] == "VIP"


def test_customers_are_created_in_qualy_by_rule_up_to_the_cap_and_linked(
    make_crm_world: MakeCrmWorld, tmp_path: Path
) -> None:
    settings = settings_with(tmp_path, {"most_per_day: 50": "most_per_day: 2"})
    leads = [lead(f"new{number}@school.test", f"N{number}") for number in range(3)]
    world = make_crm_world([ada()], [*leads, lead("no@school.test", "No", "lead")], settings=settings)
    world.run()
    world.later()
    assert len(world.customers()) == 3  # two a day
    world.later(DAY)
    world.run_until_quiet()
    assert sorted(one["email"] for one in world.customers().values()) == [
        "ada@school.test", "new0@school.test", "new1@school.test", "new2@school.test",
    ]  # fmt: skip
    assert sum(world.refs().values()) - world.refs()[""] == 4
    assert all(many == 1 for ref, many in world.refs().items() if ref)


def test_the_first_customers_in_qualy_wait_for_a_confirmation(make_crm_world: MakeCrmWorld, tmp_path: Path) -> None:
    world = make_crm_world([], [lead("new@school.test", "New")], confirmed=False)
    world.run()
    world.later()
    assert world.customers() == {}
    assert list(world.outcomes("customer").values()) == ["not_confirmed"]


def test_a_creation_in_qualy_whose_answer_was_lost_is_found_in_the_list(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([], [lead("new@school.test", "New")])
    world.faults("qualy", {"method": "POST", "path": "/v1/contacts/create", "do": "drop_after", "times": 1})
    world.run()
    assert list(world.outcomes("customer").values()) == ["unknown"]
    world.run_until_quiet()
    assert [one["email"] for one in world.customers().values()] == ["new@school.test"]


def test_a_creation_in_qualy_that_never_arrived_is_sent_again_only_when_a_person_says_so(
    make_crm_world: MakeCrmWorld,
) -> None:
    world = make_crm_world([], [lead("new@school.test", "New")])
    world.faults("qualy", {"method": "POST", "path": "/v1/contacts/create", "do": "drop_before", "times": 1})
    world.run()
    for _ in range(3):
        world.later()
    assert world.customers() == {}
    ((contact, code),) = world.outcomes("customer").items()
    assert code == "sent_once"
    assert decide(world.ledger, world.book(), "customer", contact, "again", "", "Ana", "it is not there")
    world.run_until_quiet()
    assert [one["email"] for one in world.customers().values()] == ["new@school.test"]


def test_a_call_that_replaces_the_whole_customer_is_found_out_at_once(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([ada(note="keep"), bo()])
    world.sandbox.control("POST", "readings/qualy", {"contact_update_effect": "replace"})
    try:
        world.run()
        for email in ("ada@school.test", "bo@school.test"):
            world.hubspot("edit_contact", contact=email, properties={"lastname": "New"})
        assert not world.later()
        assert "replaces the whole customer" in world.problems[-1]
        written = [one for one in world.writes() if one.startswith("PATCH")]
        assert len(written) == 1
    finally:
        world.sandbox.control("POST", "readings/qualy", {"contact_update_effect": "fields"})


def test_with_writing_in_qualy_off_hubspots_changes_are_listed(make_crm_world: MakeCrmWorld, tmp_path: Path) -> None:
    settings = settings_with(tmp_path, {"enabled: true\n    verb: PATCH": "enabled: false\n    verb: PATCH"})
    world = make_crm_world([ada()], settings=settings)
    world.run()
    world.hubspot("edit_contact", contact="ada@school.test", properties={"lastname": "King"})
    world.run_until_quiet()
    assert world.customers()[ADA]["profile"]["lastName"] == "Lovelace"
    assert world.differences() == {(ADA, "lastname"): "held_back"}


def test_a_hint_brings_a_change_at_once_that_the_search_does_not_show_yet(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([ada()])
    world.run()
    contact = world.contact("ada@school.test")["id"]
    world.hubspot("edit_contact", contact=contact, properties={"lastname": "King"})
    assert world.run(hints=(contact,)), world.problems
    assert world.customers()[ADA]["profile"]["lastName"] == "King"


def test_an_account_that_is_suddenly_empty_erases_nobody(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([person(n, f"F{n}", "L", f"p{n}@school.test") for n in range(1, 15)])
    world.run()
    world.sandbox.control("POST", "load/hubspot", {"contacts": []})
    assert not world.later(DAY)
    assert "gone from HubSpot at once" in world.problems[-1]
    assert set(world.outcomes().values()) == {"created"}
    assert len(world.links()) == 14


def test_the_same_holds_on_postgresql(pg_crm_world: CrmWorld, tmp_path: Path) -> None:
    pg_crm_world.suppression = tmp_path / "suppressed.json"
    world = pg_crm_world.begin([ada(), bo()], [lead("bo@school.test", "Bob"), lead("new@school.test", "New")])
    world.run()
    world.run_until_quiet()
    assert sorted(one["email"] for one in world.customers().values()) == [
        "ada@school.test", "bo@school.test", "new@school.test",
    ]  # fmt: skip
    assert all(many == 1 for many in world.refs().values())
    world.hubspot("gdpr_delete", contact="new@school.test")
    world.hubspot("archive_contact", contact="bo@school.test")
    world.later(DAY)
    world.run_until_quiet()
    assert sorted(world.outcomes().values()) == ["erased", "removed_there", "unchanged"]
