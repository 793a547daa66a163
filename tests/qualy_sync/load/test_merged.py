"""Somebody merges two contacts in the tool: what we write afterwards goes to the one that stands for both."""

from __future__ import annotations

from qualy_sync.load import load, plan_run
from tests.support.world import World

OTHER = "Ada King"


def merge(world: World) -> None:
    """Ada Lovelace is merged into a contact that somebody else made."""
    for what in (
        {"do": "create_contact", "fields": {"Name": OTHER, "EmailAddress": "ada.king@mail.example"}},
        {"do": "merge_contacts", "from": "Ada Lovelace", "into": OTHER},
    ):
        world.sandbox.control("POST", "ui/xero", what)


def of_ada(world: World) -> list[str]:
    """The names of the contacts that the invoices of Ada's payments name."""
    held = world.sandbox.control("GET", "state/xero")
    names = {one["ContactID"]: one["Name"] for one in held["Contacts"]}
    mine = [one for one in held["Invoices"] if one["InvoiceNumber"] in ("Q-1001", "Q-1002")]
    return [names[one["Contact"]["ContactID"]] for one in mine]


def test_documents_that_come_after_it_name_the_contact_that_is_left(world: World) -> None:
    work = world.read()
    plan_run(work)
    load(work, "contacts")
    merge(world)
    world.run_until_quiet()
    assert of_ada(world) == [OTHER, OTHER]
    assert set(world.outcomes().values()) <= {"created", "adopted", "paid", "own_share", "not_needed"}
    assert not world.findings()


def test_documents_that_were_there_before_are_still_in_step(world: World) -> None:
    assert world.run(), world.problems
    outcomes = world.outcomes()
    merge(world)
    world.pass_time(3600)
    assert world.run(), world.problems
    assert world.outcomes() == outcomes
    assert of_ada(world) == [OTHER, OTHER]
    assert not world.findings()
