"""What every CRM or audience tool has to stand, whatever its connector: the whole sync against its stand-in.

A tool joins by one more `Case`: how its world begins, and how a person looks into the tool and works there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.ledger.engine import set_meta
from sandbox.server import Sandbox
from tests.support.audience_world import AudienceWorld
from tests.support.crm_world import CrmWorld, person

ADA, BO = "6a7000010001000000000001", "6a7000020001000000000002"


@dataclass(frozen=True)
class Case:
    """One tool. Paths are below the service, `create` and `update` those of its writes."""

    service: str
    create: str
    update: str
    begin: Callable[[Sandbox, str, list[Any], list[Any]], CrmWorld]
    contact: Callable[[str, str], dict[str, Any]]  # email, first name
    people: Callable[[CrmWorld], Mapping[str, str]]  # email -> first name of everybody who is there
    archive: Callable[[CrmWorld, str], Any]
    erase: Callable[[CrmWorld, str], Any]
    withdraw: Callable[[CrmWorld], Any]  # the token
    restore: Callable[[CrmWorld], Any]
    verb: str = "POST"  # of its writes
    archived: str = "removed_there"  # the outcome of somebody who was archived there
    erased: str = "erased"


def _hubspot_people(world: CrmWorld) -> dict[str, str]:
    there = [one["properties"] for one in world.contacts().values()]
    return {str(one.get("email")): str(one.get("firstname") or "") for one in there}


HUBSPOT = Case(
    service="hubspot",
    create="/crm/objects/2026-09/contacts/batch/create",
    update="/crm/objects/2026-09/contacts/batch/update",
    begin=lambda sandbox, url, customers, contacts: CrmWorld(sandbox, url).begin(customers, contacts),
    contact=lambda email, first: {"properties": {"email": email, "firstname": first, "lifecyclestage": "lead"}},
    people=_hubspot_people,
    archive=lambda world, email: world.hubspot("archive_contact", contact=email),
    erase=lambda world, email: world.hubspot("gdpr_delete", contact=email),
    withdraw=lambda world: world.sandbox.control("POST", "revoke/hubspot", {"token": "pat-sandbox-hubspot"}),
    restore=lambda world: world.sandbox.control("POST", "revoke/hubspot", {}),
)


def _members(world: CrmWorld) -> dict[str, str]:
    assert isinstance(world, AudienceWorld)
    there = [one for one in world.members().values() if one["status"] != "archived"]
    return {one["email_address"].lower(): one["merge_fields"]["FNAME"] for one in there}


def _by_hand(do: str) -> Callable[[CrmWorld, str], Any]:
    """What a marketer does with a member."""
    return lambda world, email: world.sandbox.control("POST", "ui/mailchimp", {"do": do, "member": email})


MAILCHIMP = Case(
    service="mailchimp",
    verb="PUT",
    create="/3.0/lists",
    update="/3.0/lists",
    begin=lambda sandbox, url, customers, members: AudienceWorld(sandbox, url).begin(customers, members),
    contact=lambda email, first: {"email_address": email, "merge_fields": {"FNAME": first}},
    people=_members,
    archive=_by_hand("archive"),
    erase=_by_hand("delete_permanently"),
    withdraw=lambda world: world.sandbox.control("POST", "revoke/mailchimp", {"keys": ["sandboxmailchimpkey-us6"]}),
    restore=lambda world: world.sandbox.control("POST", "revoke/mailchimp", {"keys": []}),
    archived="consent_withdrawn",
    erased="consent_withdrawn",
)
CASES = [HUBSPOT, MAILCHIMP]


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[Sandbox]:
    with Sandbox.start(payments=1) as sandbox:
        yield sandbox


@pytest.fixture(params=CASES, ids=lambda case: case.service)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


Begin = Callable[..., CrmWorld]


@pytest.fixture
def begin(case: Case, stand_ins: Sandbox, migrated_file: Path, tmp_path: Path) -> Iterator[Begin]:
    """`begin(customers, contacts)`: a world of this case."""
    made: list[CrmWorld] = []

    def make(customers: list[Any] | None = None, contacts: list[Any] | None = None) -> CrmWorld:
        people = [ada(), bo()] if customers is None else customers
        path = shutil.copy(migrated_file, tmp_path / f"{len(made)}.db")
        made.append(case.begin(stand_ins, f"sqlite:///{path}", people, contacts or []))
        return made[-1]

    yield make
    for each in made:
        each.faults(case.service)
        each.ledger.close()


def ada() -> dict[str, Any]:
    return person(1, "Ada", "Lovelace", " Ada@School.test ")


def bo() -> dict[str, Any]:
    return person(2, "Bo", "Berg", "bo@school.test")


def test_customers_are_created_once_and_a_quiet_run_writes_nothing(case: Case, begin: Begin) -> None:
    world = begin()
    assert world.run(), world.problems
    assert case.people(world) == {"ada@school.test": "Ada", "bo@school.test": "Bo"}
    assert set(world.outcomes().values()) == {"created"}
    before = world.writes()
    for _ in range(3):
        assert world.later(), world.problems
    assert world.writes() == before


def test_whoever_is_there_already_is_linked_and_not_made_again(case: Case, begin: Begin) -> None:
    world = begin(contacts=[case.contact("ada@school.test", "")])
    assert world.run(), world.problems
    assert case.people(world) == {"ada@school.test": "Ada", "bo@school.test": "Bo"}
    assert world.outcome(ADA) in ("adopted", "updated")


def test_a_change_is_one_write_of_that_customer(case: Case, begin: Begin) -> None:
    world = begin()
    world.run()
    before = len(world.writes())
    world.qualy("update", **{"_id": BO, "profile.firstName": "Bob"})
    assert world.later(), world.problems
    assert case.people(world)["bo@school.test"] == "Bob"
    assert len(world.writes()) == before + 1
    assert world.outcome(BO) == "updated"


def test_two_customers_with_one_address_wait_for_a_person(case: Case, begin: Begin) -> None:
    world = begin([ada(), person(2, "Not", "Ada", "ADA@school.test")])
    world.run()
    assert set(world.outcomes().values()) == {"shared_email"}
    assert case.people(world) == {}


def test_no_address_and_no_real_address_wait_too_and_stop_nobody_else(case: Case, begin: Begin) -> None:
    world = begin([ada(), person(2, "No", "Address", ""), person(3, "Half", "Address", "half@")])
    world.run()
    assert sorted(world.outcomes().values()) == ["bad_email", "created", "no_email"]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "status:500", "status_after:500", "garbage"])
def test_a_lost_answer_to_a_creation_is_read_back_and_nobody_is_there_twice(
    case: Case, begin: Begin, fault: str
) -> None:
    world = begin()
    world.faults(case.service, {"method": case.verb, "path": case.create, "do": fault, "times": 1})
    world.run()
    assert set(world.outcomes().values()) <= {"unknown", "created", "unreachable"}
    world.run_until_quiet()
    assert case.people(world) == {"ada@school.test": "Ada", "bo@school.test": "Bo"}
    assert set(world.outcomes().values()) <= {"created", "adopted", "unchanged", "updated"}


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "status_after:500", "truncate"])
def test_a_lost_answer_to_a_change_is_read_back(case: Case, begin: Begin, fault: str) -> None:
    world = begin()
    world.run()
    world.qualy("update", **{"_id": BO, "profile.firstName": "Bob"})
    world.faults(case.service, {"method": case.verb, "path": case.update, "do": fault, "times": 1})
    world.later()
    world.run_until_quiet()
    assert case.people(world)["bo@school.test"] == "Bob"


def test_a_process_that_dies_between_note_and_call_or_call_and_note_sends_nothing_twice(
    case: Case, begin: Begin
) -> None:
    for point in ("committed", "answered"):
        world = begin()
        world.crash(point)
        world.run_until_quiet()
        assert case.people(world) == {"ada@school.test": "Ada", "bo@school.test": "Bo"}


def test_a_used_up_quota_is_waited_for_or_left_to_a_later_run(case: Case, begin: Begin) -> None:
    world = begin()
    world.faults(case.service, {"method": "*", "path": "/", "do": "status:429", "times": 3, "after": 4})
    world.run()
    world.run_until_quiet()
    assert len(case.people(world)) == 2


def test_a_withdrawn_key_ends_the_run_with_a_remedy_and_later_runs_go_on(case: Case, begin: Begin) -> None:
    world = begin()
    case.withdraw(world)
    assert not world.run()
    assert f"connect {case.service}" in world.problems[-1]
    case.restore(world)
    world.run_until_quiet()
    assert len(case.people(world)) == 2


def test_somebody_archived_there_is_left_alone_and_not_made_again(case: Case, begin: Begin) -> None:
    world = begin()
    world.run()
    case.archive(world, "bo@school.test")
    world.later(26 * 3600)
    world.qualy("update", **{"_id": BO, "profile.firstName": "Bob"})
    world.run_until_quiet()
    assert case.people(world) == {"ada@school.test": "Ada"}
    assert world.outcome(BO) == case.archived
    assert BO in world.customers()


def test_somebody_erased_for_privacy_never_comes_back_even_with_a_new_ledger(case: Case, begin: Begin) -> None:
    world = begin()
    world.run()
    case.erase(world, "bo@school.test")
    world.later(26 * 3600)
    world.run_until_quiet()
    assert world.outcome(BO) == case.erased
    world.qualy("update", **{"_id": BO, "profile.firstName": "Bob"})
    world.run_until_quiet()
    assert case.people(world) == {"ada@school.test": "Ada"}
    assert BO in world.customers()


def test_a_wiped_ledger_finds_everybody_again(case: Case, begin: Begin, migrated_file: Path, tmp_path: Path) -> None:
    world = begin()
    world.run()
    people, before = case.people(world), world.writes()
    fresh = type(world)(world.sandbox, f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'wiped.db')}")
    fresh.ledger.move_clock(world.ledger.now() - fresh.ledger.now())
    with fresh.ledger.writing() as connection:
        set_meta(connection, "standing_confirmation", "standing")
    assert fresh.run(), fresh.problems
    assert set(fresh.outcomes().values()) == {"adopted"}
    assert case.people(fresh) == people
    assert fresh.writes() == before
    fresh.ledger.close()


def test_a_batch_goes_on_without_the_one_that_is_refused(case: Case, begin: Begin) -> None:
    world = begin([ada(), bo(), person(3, "Odd", "Address", "odd@nowhere.invalid..test")])
    world.run_until_quiet()
    assert set(case.people(world)) == {"ada@school.test", "bo@school.test"}
    assert world.outcomes()["6a7000030001000000000003"] in ("invalid", "bad_email")
    before = world.writes()
    world.later()
    assert world.writes() == before
