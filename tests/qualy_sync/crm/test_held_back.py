"""What waits for a person before anybody is created: on either side, and after an answer that was lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.crm.suppression import Suppression
from qualy_sync.ledger.decisions import decide
from tests.qualy_sync.crm.conftest import MakeCrmWorld
from tests.support.crm_world import CrmWorld, person, settings_with
from tests.support.world import object_id

ADA = object_id(1, 1)
CREATE = {"method": "POST", "path": "/v1/contacts/create"}


def ada() -> dict[str, Any]:
    return person(1, "Ada", "Lovelace", "ada@school.test")


def lead(email: str, **more: str) -> dict[str, Any]:
    return {"properties": {"email": email, "firstname": "New", "lifecyclestage": "customer"} | more}


def creations(world: CrmWorld) -> int:
    """How often a customer was sent to Qualy."""
    return sum(one.endswith("/contacts/create") for one in world.writes())


# -- in HubSpot


def test_without_a_list_of_erased_people_nobody_is_created_until_the_plan_is_confirmed(
    make_crm_world: MakeCrmWorld, tmp_path: Path
) -> None:
    kept = tmp_path / "suppressed.json"
    world = make_crm_world([ada()], [lead("bo@school.test", firstname="B.")], confirmed=False, suppression=kept)
    world.qualy("insert", **person(2, "Bo", "Berg", "bo@school.test"))
    world.run()
    world.later()
    assert world.outcome(ADA) == "not_confirmed"
    assert [one["properties"]["email"] for one in world.contacts().values()] == ["bo@school.test"]
    assert world.contact("bo@school.test")["properties"]["firstname"] == "Bo", "whoever is there is brought in step"
    assert not kept.exists()
    world.confirm()
    world.run_until_quiet()
    assert world.contact("ada@school.test")["properties"]["qualy_id"] == ADA
    assert json.loads(kept.read_text())["people"] == [], "the list begins with what was confirmed"
    world.qualy("insert", **person(3, "Cy", "Young", "cy@school.test"))
    world.run_until_quiet()
    assert world.contact("cy@school.test"), "and from then on nobody waits"


def test_a_list_that_another_tool_began_says_nothing_of_hubspot(make_crm_world: MakeCrmWorld, tmp_path: Path) -> None:
    kept = tmp_path / "suppressed.json"
    world = make_crm_world([ada()], confirmed=False, suppression=kept)
    other = Suppression(world.ledger, "mailchimp", kept)
    other.add(["cy@school.test"], "withdrawn")
    other.begin()
    world.run()
    assert world.outcome(ADA) == "not_confirmed"
    world.confirm()
    world.run_until_quiet()
    assert world.contact("ada@school.test")
    found = json.loads(kept.read_text())
    assert (found["begun"], len(found["people"])) == (["hubspot", "mailchimp"], 1)


def test_a_confirmation_counts_for_those_whom_it_showed(make_crm_world: MakeCrmWorld, tmp_path: Path) -> None:
    world = make_crm_world([ada()], confirmed=False, suppression=tmp_path / "suppressed.json")
    world.run()
    world.confirm()
    world.qualy("update", _id=ADA, email="other@school.test")
    world.later()
    assert world.contacts() == {}
    assert world.outcome(ADA) == "not_confirmed"


@pytest.mark.parametrize("spelt", ["ada@school.test", " Ada@School.TEST"])
def test_whoever_is_on_the_list_is_never_created_on_either_side(
    make_crm_world: MakeCrmWorld, tmp_path: Path, spelt: str
) -> None:
    kept = tmp_path / "suppressed.json"
    world = make_crm_world([person(1, "Ada", "L", spelt)], [lead("bo@school.test")], suppression=kept)
    listed = Suppression(world.ledger, "hubspot", kept)
    listed.add(["ADA@school.test", "bo@school.test"], "erased")
    assert not listed.present, "who is on it does not make it whole"
    assert "school.test" not in kept.read_text()
    world.run()
    world.run_until_quiet()
    assert world.outcome(ADA) == "erased"
    assert [one["properties"]["email"] for one in world.contacts().values()] == ["bo@school.test"]
    assert list(world.customers()) == [ADA]
    assert world.writes() == []


# -- in Qualy


def test_the_first_plan_of_creations_in_qualy_is_confirmed_and_the_day_has_its_cap(
    make_crm_world: MakeCrmWorld, tmp_path: Path
) -> None:
    settings = settings_with(tmp_path, {"most_per_day: 50": "most_per_day: 2"})
    leads = [lead(f"n{number}@school.test") for number in range(4)] + [lead("no@school.test", lifecyclestage="lead")]
    world = make_crm_world([], leads, settings=settings, confirmed=False, suppression=tmp_path / "suppressed.json")
    world.run()
    world.later()
    assert sorted(world.outcomes("customer").values()) == ["not_confirmed"] * 4
    assert world.customers() == {}
    world.confirm()
    world.later()
    world.later()
    assert len(world.customers()) == 2
    world.later(25 * 3600)
    world.run_until_quiet()
    assert sorted(one["email"] for one in world.customers().values()) == [
        f"n{number}@school.test" for number in range(4)
    ]


def test_what_was_sent_to_qualy_once_waits_for_a_word_each_time_whatever_the_contact_does(
    make_crm_world: MakeCrmWorld,
) -> None:
    world = make_crm_world([], [lead("new@school.test")])
    world.faults("qualy", CREATE | {"do": "drop_before", "times": 2})
    world.run()
    world.later()
    ((contact, code),) = world.outcomes("customer").items()
    assert (code, creations(world)) == ("sent_once", 1)
    world.hubspot("edit_contact", contact=contact, properties={"lastname": "Edited"})
    world.later()
    world.later()
    assert (world.outcome(contact, "customer"), creations(world)) == ("sent_once", 1)

    def again() -> None:
        assert decide(world.ledger, world.book(), "customer", contact, "again", "", "Ana", "she is not there")

    again()
    for _ in range(3):
        world.later()
    assert (world.outcome(contact, "customer"), creations(world)) == ("sent_once", 2), "one word, one further try"
    again()
    world.run_until_quiet()
    assert creations(world) == 3
    assert [one["profile"]["lastName"] for one in world.customers().values()] == ["Edited"]


def test_what_qualy_makes_of_a_new_customer_without_saying_so_is_no_agreement(make_crm_world: MakeCrmWorld) -> None:
    world = make_crm_world([], [lead("new@school.test", lastname="Berg", phone="+61 2 5550 0001")])
    world.faults("qualy", CREATE | {"do": "drop_after", "times": 1})
    world.run()
    world.run_until_quiet()
    (customer,) = world.customers().values()
    (contact,) = world.contacts().values()
    assert (customer["profile"]["lastName"], customer["profile"]["phone"]) == ("Berg", "+61 2 5550 0001")
    assert contact["properties"]["qualy_id"] == customer["_id"]
    assert world.differences() == {}
