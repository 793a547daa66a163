"""What the tool, or somebody in it, stands in the way of: that record waits and says why, every other one goes."""

from __future__ import annotations

from datetime import timedelta

from tests.support.acceptance import EMAIL, NAME, Held, ToolWorld


def of(world: ToolWorld, leg: str) -> list[str]:
    return sorted(code for (each, _), code in world.outcomes().items() if each == leg)


def emails(held: Held) -> list[str]:
    return sorted(email for (_, email), number in held.contacts.items() for _ in range(number))


def test_an_email_that_two_contacts_have_is_for_a_person_to_sort_out(world: ToolWorld) -> None:
    world.case.add_contact(world.sandbox, "Ada L.", EMAIL)
    world.case.add_contact(world.sandbox, "A. Lovelace", EMAIL)
    world.settle_others()
    assert "ambiguous_email" in of(world, "contact")
    assert emails(world.held()).count(EMAIL) == 2
    assert {total for kind, _, total, _ in world.held().documents if kind == "invoice"} == {90_000, 45_000}


def test_a_contact_with_the_email_is_adopted(world: ToolWorld, undisturbed: Held) -> None:
    world.case.add_contact(world.sandbox, NAME, EMAIL.upper())
    world.settle()
    assert "adopted" in of(world, "contact")
    assert world.held() == undisturbed


def test_an_archived_contact_is_neither_used_nor_made_again(world: ToolWorld) -> None:
    world.case.archive_contact(world.sandbox, world.case.add_contact(world.sandbox, NAME, EMAIL))
    world.settle_others()
    assert "archived_contact" in of(world, "contact")
    assert EMAIL not in emails(world.held())
    assert {total for kind, _, total, _ in world.held().documents if kind == "invoice"} == {90_000, 45_000}


def test_what_looks_like_the_same_sale_is_not_booked_beside_it(world: ToolWorld, undisturbed: Held) -> None:
    contact = world.case.add_contact(world.sandbox, NAME, EMAIL)
    day = world.now().date() - timedelta(days=8)
    world.case.add_invoice(world.sandbox, contact, 15_500, day)
    world.settle_others()
    assert "possible_duplicate" in of(world, "invoice")
    assert sum(number for (_, _, total, _), number in world.held().documents.items() if total == 15_500) == 1


def test_a_mapping_that_the_tool_no_longer_has_holds_what_needs_it(world: ToolWorld, undisturbed: Held) -> None:
    world.case.spoil_reference(world.sandbox)
    world.settle_others()
    assert set(of(world, "invoice")) & world.case.missing
    assert {total for kind, _, total, _ in world.held().documents if kind == "invoice"} == {60_000, 15_500, 45_000}


def test_what_lies_in_a_closed_period_waits_until_it_is_opened(world: ToolWorld, undisturbed: Held) -> None:
    world.case.lock(world, world.now().date())
    world.settle_others()
    assert set(of(world, "invoice")) == {"locked"}
    assert not world.held().documents
    world.case.lock(world, None)
    world.settle()
    assert world.held() == undisturbed


def test_what_was_taken_away_there_is_told_and_never_made_again(world: ToolWorld) -> None:
    world.settle()
    (ref,) = [ref for kind, ref, total, _ in world.held().documents if (kind, total) == ("invoice", 15_500)]
    world.case.take_away(world.sandbox, ref)
    before = len(world.writes())
    world.pass_time(timedelta(hours=25).total_seconds())  # everything is read once a day
    assert not world.findings()
    assert world.run(), world.problems
    assert world.findings() == {"removed_there": 1}
    assert len(world.writes()) == before
