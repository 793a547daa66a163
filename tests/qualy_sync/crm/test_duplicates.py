"""Whatever is there twice, on one side or in one batch: nobody is written over, and whoever is meant by two waits."""

from __future__ import annotations

import pytest

from qualy_sync.ledger.decisions import decide
from tests.qualy_sync.crm.conftest import MakeCrmWorld
from tests.support.crm_world import person
from tests.support.world import object_id

ADA, BO = object_id(1, 1), object_id(1, 2)
WORK, HOME = "ada@work.test", "ada@home.test"


@pytest.mark.parametrize(("first", "second"), [(WORK, HOME), (HOME, WORK)])
def test_two_customers_whose_addresses_lead_to_one_contact_do_not_take_turns_on_it(
    make_crm_world: MakeCrmWorld, first: str, second: str
) -> None:
    people = [person(1, "Ada", "Lovelace", first), person(2, "Ada", "Lovelace", second)]
    world = make_crm_world(people, [{"properties": {"email": WORK, "hs_additional_emails": HOME, "phone": "1"}}])
    assert world.run(), world.problems
    world.run_until_quiet()
    mine, other = (ADA, BO) if first == WORK else (BO, ADA)
    (contact,) = world.contacts().values()
    assert contact["properties"]["qualy_id"] == mine, "the one whose address is the contact's own"
    assert world.links() == {mine: contact["id"]}
    assert world.outcome(other) == "ambiguous_email"
    assert len([one for one in world.writes() if "batch/update" in one]) == 1


def test_one_address_in_two_spellings_is_never_sent_twice_in_one_batch(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([person(1, "Ada", "L", "Ada@Work.test"), person(2, "Ada", "L", " ada@work.test")])
    world.run()
    assert set(world.outcomes().values()) == {"shared_email"}
    for each in (ADA, BO):
        assert decide(world.ledger, world.book(), "contact", each, "separate", "", "Ana", "two people")
    world.run_until_quiet()
    (contact,) = world.contacts().values()
    assert sorted(world.outcomes().values()) == ["ambiguous_email", "unchanged"]
    assert world.links() == {contact["properties"]["qualy_id"]: contact["id"]}


def test_two_that_are_given_one_new_address_stop_nobody_else_in_their_batch(make_crm_world: MakeCrmWorld) -> None:
    people = [person(number, "P", str(number), f"p{number}@school.test") for number in range(1, 6)]
    world = make_crm_world(people)
    world.run()
    for number in (1, 2):
        world.qualy("update", _id=object_id(1, number), email="one@school.test")
    for number in (3, 4, 5):
        world.qualy("update", _id=object_id(1, number), profile={"firstName": "Q", "lastName": str(number)})
    world.later()
    world.run_until_quiet()
    there = [one["properties"] for one in world.contacts().values()]
    assert sorted(one["firstname"] for one in there) == ["P", "P", "Q", "Q", "Q"]
    assert sum(one["email"] == "one@school.test" for one in there) == 1
    assert list(world.differences().values()) == ["taken"], "and the other's is on the list"
    assert sorted(world.outcomes().values()).count("ambiguous_email") == 1
    assert all(many == 1 for many in world.refs().values())


def test_addresses_that_change_places_end_on_a_list_and_not_in_a_loop(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([person(1, "Ada", "L", "ada@school.test"), person(2, "Bo", "B", "bo@school.test")])
    world.run()
    world.qualy("update", _id=ADA, email="bo@school.test")
    world.qualy("update", _id=BO, email="ada@school.test")
    world.later()
    world.run_until_quiet()
    assert set(world.outcomes().values()) == {"ambiguous_email"}
    assert {key for key, reason in world.differences().items() if reason == "taken"} == {
        (ADA, "email"),
        (BO, "email"),
    }
    assert {one["properties"]["email"]: one["properties"]["qualy_id"] for one in world.contacts().values()} == {
        "ada@school.test": ADA,
        "bo@school.test": BO,
    }
