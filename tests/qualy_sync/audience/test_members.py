"""Customers of Qualy's in an audience of Mailchimp's: who comes there, with what, and how it stays in step."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.qualy_sync.audience.conftest import MakeAudience
from tests.support.audience_world import AudienceWorld
from tests.support.crm_world import person, settings_with
from tests.support.world import an_agency

ANA = "ana@school.test"
OWNER = {"_id": "u1", "email": "olga@agency.test", "profile": {"firstName": "Olga", "lastName": "Reis"}}
VIP, NEW = {"_id": "t1", "name": "VIP"}, {"_id": "t2", "name": "New"}
SYDNEY = {"_id": "g1", "name": "Sydney"}
IN_BATCHES = {"direct_up_to: 50": "direct_up_to: 0"}


@pytest.fixture(params=["one by one", "in batches"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Both ways of writing tell the same story."""
    return {"settings": settings_with(tmp_path, IN_BATCHES)} if request.param == "in batches" else {}


def ana(email: str = "Ana@School.test", **more: Any) -> dict[str, Any]:
    return person(1, "Ana", "Souza", email, **more)


def only(world: AudienceWorld) -> str:
    (found,) = world.outcomes().values()
    return found


def test_a_customer_arrives_as_one_who_gets_no_newsletters(make_audience: MakeAudience, way: dict[str, Any]) -> None:
    world = make_audience([ana(tags=[VIP], owners=[OWNER], teams=[SYDNEY])], **way)
    assert world.run(), world.problems
    (member,) = world.members().values()
    assert (member["email_address"], member["status"]) == ("Ana@School.test", "transactional")
    told = {name: value for name, value in member["merge_fields"].items() if value not in ("", 0)}
    assert told == {
        "FNAME": "Ana",
        "LNAME": "Souza",
        "QID": ana()["_id"],
        "QNUMBER": "1",
        "QOWNERS": "Olga Reis",
        "QOWNMAILS": "olga@agency.test",
        "QTEAMS": "Sydney",
    }
    assert world.tags(ANA) == {"qualy:vip"}
    assert only(world) == "created"
    world.count_anew()
    assert world.later()
    assert [one["method"] for one in world.asked()] == ["GET"]


def test_payments_are_told_per_currency(make_audience: MakeAudience, audience_stand_ins: Sandbox) -> None:
    now = datetime.fromisoformat(audience_stand_ins.control("GET", "clock")["now"])
    agency = an_agency(now)
    world = make_audience(agency.pop("contacts"), kinds=agency)
    assert world.run(), world.problems
    fields = world.fields("wei.chen@inbox.example")
    assert fields["QPAYMENTS"] == 2
    assert fields["QPAID"] == "AUD 200.00; USD 900.00"
    assert fields["QDUE"] == fields["QOVERDUE"] == "AUD 250.00"
    assert fields["QLASTPAID"] == str((now - timedelta(days=9)).date())
    assert world.tags("wei.chen@inbox.example") == {"qualy:overdue", "qualy:due", "qualy:paid"}


def test_a_subscriber_stays_one_and_keeps_what_the_marketers_gave(
    make_audience: MakeAudience, way: dict[str, Any]
) -> None:
    there = {"email_address": "ANA@school.test", "merge_fields": {"FNAME": "Anna", "PHONE": "1"}}
    tags = [{"name": "Open day"}, {"name": "Qualy:Old"}]
    world = make_audience([ana(tags=[VIP])], [there | {"tags": tags}], **way)
    assert world.run(), world.problems
    member = world.members()[ANA]
    assert member["status"] == "subscribed"
    assert (member["merge_fields"]["FNAME"], member["merge_fields"]["PHONE"]) == ("Ana", "1")
    assert world.tags(ANA) == {"Open day", "qualy:vip"}
    assert only(world) == "adopted"
    world.qualy("update", _id=ana()["_id"], tags=[NEW])
    assert world.later()
    assert world.tags(ANA) == {"Open day", "qualy:new"}
    assert only(world) == "updated"


def test_no_write_says_what_somebody_s_status_is(make_audience: MakeAudience) -> None:
    world = make_audience([ana(tags=[VIP]), person(2, "Bo", "Li", "bo@school.test")], [{"email_address": ANA}])
    world.run()
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "Anabela"})
    world.later()
    puts = [one for one in world.bodies() if "tags" not in one]
    assert len(puts) == 3
    assert all("status" not in one and one["status_if_new"] == "transactional" for one in puts)
    assert all(set(one) == {"tags", "is_syncing"} for one in world.bodies() if "tags" in one)


def test_somebody_new_is_asked_by_mail_where_the_settings_say_so(make_audience: MakeAudience, tmp_path: Path) -> None:
    settings = settings_with(tmp_path, {"status_if_new: transactional": "status_if_new: pending"})
    world = make_audience([ana()], settings=settings)
    world.run()
    assert world.members()[ANA]["status"] == "pending"


def test_what_somebody_edits_in_our_fields_is_put_right_and_nothing_else(make_audience: MakeAudience) -> None:
    world = make_audience([ana(tags=[VIP])])
    world.run()
    world.mailchimp("edit_member", ANA, fields={"merge_fields": {"QNUMBER": "999", "PHONE": "12"}})
    world.mailchimp("remove_tag", ANA, tag="qualy:vip")
    assert world.later()
    assert (world.fields(ANA)["QNUMBER"], world.fields(ANA)["PHONE"]) == ("1", "12")
    assert world.tags(ANA) == {"qualy:vip"}


def test_an_emptied_name_erases_nothing_and_an_emptied_fact_does(make_audience: MakeAudience) -> None:
    world = make_audience([ana(teams=[SYDNEY])])
    world.run()
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "", "lastName": "Souza"}, teams=[])
    assert world.later()
    assert (world.fields(ANA)["FNAME"], world.fields(ANA)["QTEAMS"]) == ("Ana", "")
    assert only(world) == "kept_apart"


def test_a_changed_address_moves_the_member_with_all_that_it_has(
    make_audience: MakeAudience, way: dict[str, Any]
) -> None:
    world = make_audience([ana(tags=[VIP])], [{"email_address": ANA, "tags": [{"name": "Open day"}]}], **way)
    world.run()
    before = world.members()[ANA]["contact_id"]
    world.qualy("update", _id=ana()["_id"], email="ana.souza@home.test")
    assert world.later()
    (member,) = world.members().values()
    assert (member["email_address"], member["contact_id"]) == ("ana.souza@home.test", before)
    assert member["status"] == "subscribed"
    assert world.tags("ana.souza@home.test") == {"Open day", "qualy:vip"}


def test_an_address_that_another_member_has_means_that_member(make_audience: MakeAudience) -> None:
    world = make_audience([ana()], [{"email_address": ANA}, {"email_address": "home@home.test"}])
    world.run()
    world.qualy("update", _id=ana()["_id"], email="home@home.test")
    assert world.later()
    assert world.fields("home@home.test")["QID"] == ana()["_id"]
    assert world.links() == {ana()["_id"]: world.members()["home@home.test"]["contact_id"]}


def test_a_member_who_changed_the_own_address_keeps_it(make_audience: MakeAudience) -> None:
    world = make_audience([ana()])
    world.run()
    world.mailchimp("change_email", ANA, email="new@home.test")
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "Anabela", "lastName": "Souza"})
    assert world.later()
    (member,) = world.members().values()
    assert (member["email_address"], member["merge_fields"]["FNAME"]) == ("new@home.test", "Anabela")
    assert only(world) == "kept_apart"
    writes = world.writes()
    assert world.later()
    assert world.writes() == writes


def test_two_addresses_that_change_places_end_on_a_list(make_audience: MakeAudience) -> None:
    bo = person(2, "Bo", "Li", "bo@school.test")
    world = make_audience([ana(), bo])
    world.run()
    world.qualy("update", _id=ana()["_id"], email="bo@school.test")
    world.qualy("update", _id=bo["_id"], email="ana@school.test")
    world.later()
    world.run_until_quiet()
    assert set(world.outcomes().values()) == {"ambiguous_email"}


def test_addresses_that_move_up_in_a_row_all_arrive(make_audience: MakeAudience, way: dict[str, Any]) -> None:
    people = [person(number, f"P{number}", "X", f"p{number}@school.test") for number in (1, 2, 3)]
    world = make_audience(people, **way)
    world.run()
    for number, one in enumerate(people, 1):
        world.qualy("update", _id=one["_id"], email=f"p{number + 1}@school.test")
    world.later()
    world.run_until_quiet()
    assert {email: one["merge_fields"]["FNAME"] for email, one in world.members().items()} == {
        "p2@school.test": "P1",
        "p3@school.test": "P2",
        "p4@school.test": "P3",
    }


def test_customers_with_one_address_wait_for_a_person(make_audience: MakeAudience) -> None:
    world = make_audience([ana(), person(2, "Ana", "Twin", ANA), person(3, "No", "Mail", "")])
    world.run()
    assert sorted(world.outcomes().values()) == ["no_email", "shared_email", "shared_email"]
    assert world.members() == {}


def test_an_address_that_mailchimp_does_not_take_is_told_once_and_not_sent_again(make_audience: MakeAudience) -> None:
    world = make_audience([ana("ana@example.com"), person(2, "Bo", "Li", "bo@school.test")])
    world.run()
    assert world.outcomes() == {ana()["_id"]: "invalid", person(2, "", "", "")["_id"]: "created"}
    writes = world.writes()
    assert world.later()
    assert world.writes() == writes
    world.qualy("update", _id=ana()["_id"], email=ANA)
    world.later()
    assert world.outcomes()[ana()["_id"]] == "created"


def test_one_value_that_mailchimp_does_not_take_holds_back_nothing_else(
    make_audience: MakeAudience, tmp_path: Path, way: dict[str, Any]
) -> None:
    phone = {"    - {qualy: profile.lastName, field: LNAME}": "    - {qualy: profile.birth, field: BORN, form: date}"}
    settings = settings_with(tmp_path, phone | (IN_BATCHES if way else {}))
    world = make_audience([ana(profile={"birth": "soon"})], settings=settings)
    world.mailchimp("create_field", fields={"tag": "BORN", "name": "Born", "type": "date"})
    world.run()
    assert world.fields(ANA)["FNAME"] == "Ana"
    assert only(world) == "invalid"
    writes = world.writes()
    assert world.later()
    assert world.writes() == writes


def test_a_field_made_obligatory_by_a_marketer_stops_nobody(make_audience: MakeAudience) -> None:
    world = make_audience([ana()])
    world.mailchimp("edit_field", field="PHONE", fields={"required": True})
    world.run()
    assert only(world) == "created"


def test_long_texts_are_cut_at_a_whole_character(make_audience: MakeAudience) -> None:
    world = make_audience([person(1, "é" * 200, "x", ANA)])
    world.run()
    assert world.fields(ANA)["FNAME"] == "é" * 127
    writes = world.writes()
    world.later()
    assert world.writes() == writes


def test_somebody_who_signed_up_too_often_is_tried_again_a_day_later(
    make_audience: MakeAudience, tmp_path: Path
) -> None:
    change = {"status_if_new: transactional": "status_if_new: subscribed"}
    world = make_audience([ana()], settings=settings_with(tmp_path, change))
    world.mailchimp("throttle", ANA, seconds=3_600)
    world.run()
    assert only(world) == "its_turn"
    writes = world.writes()
    world.later()
    assert world.writes() == writes
    world.later(25 * 3600)
    assert only(world) == "created"


def test_a_deleted_customer_is_left_there_and_told(make_audience: MakeAudience) -> None:
    world = make_audience([ana(), person(2, "Bo", "Li", "bo@school.test")])
    world.run()
    world.qualy("delete", contacts=[ana()["_id"]])
    for _ in range(4):
        world.later(26 * 3600)
    assert world.outcomes()[ana()["_id"]] == "gone_at_source"
    assert world.members()[ANA]["status"] == "transactional"
