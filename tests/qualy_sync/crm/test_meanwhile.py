"""What people do in HubSpot while a run is at work reaches Qualy by the next one: no webhook, no daily reading."""

from __future__ import annotations

from typing import Any

from qualy_sync.crm import stages
from qualy_sync.ledger.runs import open_run
from tests.qualy_sync.crm.conftest import MakeCrmWorld
from tests.support.crm_world import CrmWorld, person
from tests.support.world import object_id

ADA, BO = object_id(1, 1), object_id(1, 2)


def begun(make_crm_world: MakeCrmWorld) -> CrmWorld:
    """Two customers in step, and a quiet run behind them."""
    people = [person(1, "Ada", "Lovelace", "ada@school.test"), person(2, "Bo", "Berg", "bo@school.test")]
    world = make_crm_world(people)
    world.run()
    world.run_until_quiet()
    return world


def last_name(world: CrmWorld, customer: str) -> Any:
    return world.customers()[customer]["profile"]["lastName"]


def test_another_field_of_the_very_contact_that_is_being_written(make_crm_world: MakeCrmWorld) -> None:
    world = begun(make_crm_world)
    world.qualy("update", **{"_id": ADA, "profile.firstName": "A."})

    def edit(name: str) -> None:
        if name == "committed":
            world.hubspot("edit_contact", contact="ada@school.test", properties={"lastname": "King"})

    assert world.run(edit), world.problems
    world.later(600)
    assert last_name(world, ADA) == "King"
    assert world.contact("ada@school.test")["properties"]["firstname"] == "A."


def test_another_contact_between_the_reading_and_the_end_of_a_long_run(make_crm_world: MakeCrmWorld) -> None:
    world = begun(make_crm_world)
    world.qualy("update", **{"_id": ADA, "profile.firstName": "A."})
    world.extract()
    desk = world.desk()
    work = desk.read_account(open_run(world.ledger, "hubspot", settings_version=desk.desk.settings.version))
    stages.read(work)
    world.hubspot("edit_contact", contact="bo@school.test", properties={"lastname": "Bergen"})
    world.pass_time(1800)  # a large plan
    stages.plan(work)
    assert stages.write(work)["updated"] == 1
    world.later(600)
    assert last_name(world, BO) == "Bergen"


def test_a_value_that_a_person_takes_back_in_qualy_is_taken_back_in_hubspot(make_crm_world: MakeCrmWorld) -> None:
    world = begun(make_crm_world)
    before = world.customers()[ADA]
    world.hubspot("edit_contact", contact="ada@school.test", properties={"lastname": "King"})
    world.later(600)
    assert last_name(world, ADA) == "King"
    world.later(600)
    world.qualy("update", _id=ADA, profile=before["profile"], updatedAt=before["updatedAt"])
    world.later(600)
    assert world.contact("ada@school.test")["properties"]["lastname"] == "Lovelace"
