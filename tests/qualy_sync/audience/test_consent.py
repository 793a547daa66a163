"""Whoever said no is left in peace: accepted once, and on every later run, under whatever address."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.qualy_sync.audience.conftest import MakeAudience
from tests.support.audience_world import AudienceWorld
from tests.support.crm_world import person, settings_with

ANA = "ana@school.test"
HOURS = 3600


def ana(email: str = ANA, **more: Any) -> dict[str, Any]:
    return person(1, "Ana", "Souza", email, **more)


def left(world: AudienceWorld, do: str) -> None:
    """What somebody does to Ana's member."""
    world.mailchimp(do, ANA)


LEAVES = ("unsubscribe", "clean", "review", "archive", "delete_permanently")


def as_it_is(world: AudienceWorld) -> dict[str, Any]:
    """Everything that members have; a field that was made since and is empty in all of them says nothing."""
    return {
        email: {**one, "merge_fields": {name: value for name, value in one["merge_fields"].items() if value != ""}}
        for email, one in world.members().items()
    }


@pytest.mark.parametrize("do", LEAVES)
def test_who_left_before_we_came_is_accepted_and_never_written(make_audience: MakeAudience, do: str) -> None:
    world = make_audience([ana()], [{"email_address": ANA, "merge_fields": {"FNAME": "A."}}])
    left(world, do)
    before = as_it_is(world)
    assert world.run(), world.problems
    assert world.outcomes() == {ana()["_id"]: "consent_withdrawn"}
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "Anabela"})
    assert world.later()
    assert as_it_is(world) == before


@pytest.mark.parametrize("do", LEAVES)
def test_who_leaves_later_is_left_alone_under_every_later_address(make_audience: MakeAudience, do: str) -> None:
    world = make_audience([ana()])
    world.run()
    left(world, do)
    before = world.members()
    world.later(25 * HOURS)  # past a whole reading: a deletion shows nowhere else
    assert world.outcomes() == {ana()["_id"]: "consent_withdrawn"}
    for email in ("ana@home.test", "ana@work.test", ANA):
        world.qualy("update", _id=ana()["_id"], email=email, profile={"firstName": email})
        assert world.later()
    assert world.members() == before
    assert world.outcomes() == {ana()["_id"]: "consent_withdrawn"}


@pytest.mark.parametrize("do", ["unsubscribe", "archive", "delete_permanently"])
def test_who_leaves_between_our_reading_and_our_write_is_not_called_back(make_audience: MakeAudience, do: str) -> None:
    world = make_audience([ana()])
    world.run()
    status = "archived" if do == "archive" else "unsubscribed"
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "Anabela"}, tags=[{"_id": "t", "name": "VIP"}])
    world.pass_time(16 * 60)
    world.run(lambda name: left(world, do) if name == "committed" else None)
    if do == "delete_permanently":
        assert world.members() == {}
    else:
        assert world.members()[ANA]["status"] == status
        assert world.tags(ANA) == set()
    assert world.outcomes() == {ana()["_id"]: "consent_withdrawn"}


def test_an_archived_member_is_seen_before_anything_is_written(make_audience: MakeAudience) -> None:
    """Some accounts' PUT may bring archived members back: nobody knows, so none is sent."""
    world = make_audience([ana()])
    world.run()
    left(world, "archive")
    world.sandbox.control("POST", "readings/mailchimp", {"put_revives_archived": True})
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "Anabela"})
    writes = world.writes()
    assert world.later(HOURS)
    assert world.members()[ANA]["status"] == "archived"
    assert world.writes() == writes


def test_another_customer_with_a_withdrawn_address_is_left_alone_too(make_audience: MakeAudience) -> None:
    world = make_audience([ana()])
    world.run()
    left(world, "unsubscribe")
    world.later()
    world.qualy("update", _id=ana()["_id"], email="ana@home.test")
    world.later()
    world.qualy("insert", **person(2, "Ana", "Again", ANA))
    world.qualy("insert", **person(3, "Ana", "Home", "Ana@Home.test "))
    world.later()
    assert set(world.outcomes().values()) <= {"consent_withdrawn", "shared_email"}
    assert set(world.members()) == {ANA}


def test_the_list_outlives_the_ledger(make_audience: MakeAudience, tmp_path: Path) -> None:
    kept = tmp_path / "suppressed.json"
    world = make_audience([ana(), person(2, "Bo", "Li", "bo@school.test")], suppression=kept)
    world.run()
    left(world, "delete_permanently")
    world.later(25 * HOURS)
    world.qualy("update", _id=ana()["_id"], email="ana@home.test")
    world.later()
    assert ANA not in kept.read_text()
    assert "home.test" not in kept.read_text()
    customers, members = list(world.customers().values()), list(world.members().values())
    again = make_audience(customers, members, suppression=kept)
    again.run()
    assert again.outcomes() == {ana()["_id"]: "consent_withdrawn", person(2, "", "", "")["_id"]: "adopted"}
    assert set(again.members()) == {"bo@school.test"}


@pytest.mark.parametrize("many", [15, pytest.param(100, marks=pytest.mark.full)])
def test_an_unsubscribed_member_stays_so_through_many_runs(make_audience: MakeAudience, many: int) -> None:
    world = make_audience([ana()], [{"email_address": ANA}])
    world.run()
    left(world, "unsubscribe")
    before = as_it_is(world)
    writes = world.writes()
    for number in range(many):
        if number % (many // 5) == 0:
            world.qualy("update", _id=ana()["_id"], profile={"firstName": f"Ana {number}"})
            world.pass_time(25 * HOURS)
            assert world.run(), world.problems
        else:
            assert world.run(read=False), world.problems
    assert as_it_is(world) == before
    assert world.writes() == writes
    assert world.outcomes() == {ana()["_id"]: "consent_withdrawn"}


def test_no_log_says_who_anybody_is(
    make_audience: MakeAudience, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.INFO)  # it logs addresses of calls; a task runs it at INFO
    people = [ana(), person(2, "Bogdana", "Li", "bo@example.com"), person(3, "Cy", "Li", "cy@school.test")]
    world = make_audience(people, [{"email_address": "cy@school.test"}], key="sandboxmailchimpkey-us6")
    world.mailchimp("delete_permanently", "cy@school.test")
    world.faults("mailchimp", {"method": "PUT", "path": "/3.0/lists", "do": "drop_after", "times": 2})
    world.run()
    world.faults("mailchimp", {"method": "PUT", "path": "/3.0/lists", "do": "status:500", "times": 9})
    world.qualy("update", _id=ana()["_id"], profile={"firstName": "Anabela", "lastName": "Souza"})
    world.later()
    world.sandbox.control("POST", "revoke/mailchimp", {"keys": ["sandboxmailchimpkey-us6"]})
    assert not world.later()
    told = "\n".join([*(record.getMessage() for record in caplog.records), *world.problems]).lower()
    for word in ("school.test", "example.com", "anabela", "souza", "bogdana", "sandboxmailchimpkey"):
        assert word not in told


def test_a_first_run_of_too_many_people_waits_until_it_is_confirmed(
    make_audience: MakeAudience, tmp_path: Path
) -> None:
    settings = settings_with(tmp_path, {"max_people_24h: 100000": "max_people_24h: 3"})
    people = [person(number, "P", str(number), f"p{number}@school.test") for number in range(1, 5)]
    world = make_audience(people, settings=settings, confirmed=False, suppression=_begun(tmp_path))
    world.run()
    assert set(world.outcomes().values()) == {"mass_change"}
    assert world.members() == {}
    world.confirm()
    assert world.later()
    assert set(world.outcomes().values()) == {"created"}


def test_a_first_run_waits_for_a_confirmation_while_nobody_knows_who_withdrew(
    make_audience: MakeAudience, tmp_path: Path
) -> None:
    world = make_audience([ana()], confirmed=False, suppression=tmp_path / "none.json")
    world.run()
    assert list(world.outcomes().values()) == ["not_confirmed"]
    world.confirm()
    assert world.later()
    assert (tmp_path / "none.json").exists()
    world.qualy("insert", **person(2, "Bo", "Li", "bo@school.test"))
    assert world.later()
    assert list(world.outcomes().values()) == ["created", "created"]


def _begun(tmp_path: Path) -> Path:
    """A list that is there, with nobody on it."""
    path = tmp_path / "suppressed.json"
    path.write_text('{"salt": "s", "people": []}', encoding="utf-8")
    return path
