"""What was sent and not answered: the same bytes under the same key while the tool remembers it, then only reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from qualy_sync.ledger.attempts import open_attempts
from qualy_sync.ledger.schema import links
from qualy_sync.model import Leg
from tests.support.world import BETWEEN_RUNS, MINUTE, SETTINGS, Ending, World

FIRST_DOCUMENTS = 4  # the fourth batch of a run is the first one of documents: an invoice and a bill
DOCUMENTS = "/api.xro/2.0/Invoices"


def sent_under(world: World, key: str) -> list[str]:
    return [call["body_sha256"] for call in world.writes() if call["idempotency_key"] == key]


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes_under_the_same_key(
    world: World, undisturbed: Ending
) -> None:
    world.faults({"method": "PUT", "path": DOCUMENTS, "do": "drop_after", "times": 1})
    assert world.run(), world.problems
    first, second = [call for call in world.writes() if call["path"] == DOCUMENTS][:2]
    assert first["idempotency_key"] == second["idempotency_key"]
    assert first["body_sha256"] == second["body_sha256"]
    assert world.ending() == undisturbed


def test_a_successor_repeats_the_very_bytes_within_four_minutes(world: World, undisturbed: Ending) -> None:
    world.crash("attempt_committed", FIRST_DOCUMENTS)
    (attempt,) = world.open_attempts()
    world.pass_time(3 * MINUTE)
    assert world.run(), world.problems
    assert sent_under(world, attempt.key) == [world.attempts()[FIRST_DOCUMENTS - 1].body_hash]
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_after_four_minutes_it_reads_back_instead(world: World, undisturbed: Ending) -> None:
    world.crash("answered", FIRST_DOCUMENTS)
    (attempt,) = world.open_attempts()
    world.pass_time(5 * MINUTE)
    assert world.run(), world.problems
    assert len(sent_under(world, attempt.key)) == 1
    assert not world.open_attempts()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_what_is_found_again_knows_the_settings_that_made_it(make_world: Callable[..., World], tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(SETTINGS.read_text())
    world = make_world(settings=settings)
    world.crash("answered", FIRST_DOCUMENTS)
    (attempt,) = world.open_attempts()
    refs, made_by = {one.ref for one in attempt.steps}, {one.settings_version for one in attempt.steps}
    settings.write_text(SETTINGS.read_text().replace("number_prefix: Q-", "number_prefix: QY-"))
    world.pass_time(5 * MINUTE)
    world.run_until_quiet()
    with world.ledger.reading() as connection:
        versions = {row.ref: row.settings_version for row in connection.execute(sa.select(links))}
    assert {versions[ref] for ref in refs} == made_by
    assert len(set(versions.values())) == 2  # the later ones were made by the settings as they are now


def test_a_key_is_as_old_as_its_first_send_however_often_it_was_repeated(world: World, undisturbed: Ending) -> None:
    """A tool forgets a key some minutes after the first send; a repeat then would be done a second time."""
    world.crash("attempt_committed", FIRST_DOCUMENTS)
    (attempt,) = world.open_attempts()
    world.pass_time(3 * MINUTE)
    world.faults({"method": "PUT", "path": DOCUMENTS, "do": "drop_before", "times": None})
    world.run()
    world.clear_faults()
    repeats = len(sent_under(world, attempt.key))
    assert repeats >= 1
    world.pass_time(2 * MINUTE)
    world.run()
    assert len(sent_under(world, attempt.key)) == repeats
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_absence_of_a_bill_is_believed_only_the_second_time(world: World) -> None:
    """Xero takes a bill's number twice: nothing but our own care keeps a bill from being there twice."""
    world.faults({"method": "PUT", "path": DOCUMENTS, "do": "drop_before", "times": 2})
    world.run()
    lost = {(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps}
    assert {leg for leg, _ in lost} == {Leg.INVOICE, Leg.BILL}
    world.pass_time(BETWEEN_RUNS)
    world.run()
    assert {step.leg for one in world.open_attempts() for step in one.steps} == {Leg.BILL}
    world.pass_time(BETWEEN_RUNS)
    world.run()
    assert not world.open_attempts()
    assert {world.outcomes()[key] for key in lost} == {"created"}


@pytest.mark.parametrize("seconds", [8 * MINUTE, 20 * MINUTE])
def test_a_commit_that_comes_late_but_in_time_is_found(world: World, undisturbed: Ending, seconds: int) -> None:
    world.faults(
        {"method": "PUT", "path": DOCUMENTS, "do": f"drop_then_commit:{seconds}"},
        {"method": "PUT", "path": DOCUMENTS, "do": "drop_before"},
    )
    world.run()
    world.run_until_quiet()
    bills = {key: times for key, times in world.ending().documents.items() if key[0] == "ACCPAY"}
    assert set(bills.values()) == {1}
    if seconds < BETWEEN_RUNS:
        assert world.ending() == undisturbed


def test_a_commit_that_comes_after_all_waits_is_named_as_a_twin(world: World, undisturbed: Ending) -> None:
    """Nothing can keep such a bill from being there twice; so reconciliation says that it is."""
    world.faults(
        {"method": "PUT", "path": DOCUMENTS, "do": f"drop_then_commit:{26 * MINUTE}"},
        {"method": "PUT", "path": DOCUMENTS, "do": "drop_before"},
    )
    world.run()
    world.run_until_quiet()
    world.pass_time(BETWEEN_RUNS)
    assert world.run(), world.problems
    twins = {key: times for key, times in world.ending().documents.items() if times > 1}
    assert [key[0] for key in twins] == ["ACCPAY"]
    assert set(world.ending().documents) == set(undisturbed.documents)
    assert world.findings()["duplicate_there"] == 1


def test_a_tool_whose_clock_is_behind_ours_is_searched_from_its_own_time(world: World, undisturbed: Ending) -> None:
    """Our moment of sending lies in that tool's future: asked for what changed since, it would know of nothing."""
    world.ledger.move_clock(timedelta(days=3))
    world.faults({"method": "PUT", "path": DOCUMENTS, "do": "drop_after", "times": 2})
    world.run()
    assert world.open_attempts()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_a_number_that_is_taken_by_our_own_record_is_no_trouble(world: World, undisturbed: Ending) -> None:
    """The tool committed late, and refuses the new try of what it already has: that is looked at, and found."""
    world.faults(
        {"method": "PUT", "path": "/api.xro/2.0/Contacts", "do": f"drop_then_commit:{11 * MINUTE}"},
        {"method": "PUT", "path": "/api.xro/2.0/Contacts", "do": "drop_before"},
    )
    world.run()
    seen: list[str] = []

    def late(point: str) -> None:
        """The tool commits between our look and our new try."""
        if point == "attempt_committed" and not seen:
            seen.append(point)
            world.sandbox.control("POST", "clock", {"advance_seconds": 2 * MINUTE})

    world.pass_time(10 * MINUTE + 30)
    assert world.run(late), world.problems
    assert seen
    assert "number_taken" not in world.outcomes().values()
    world.run_until_quiet()
    assert world.ending() == undisturbed


def test_what_an_answer_did_not_name_is_unknown_whatever_becomes_of_the_look_at_the_rest(world: World) -> None:
    """One number is taken, the other element is not named, and just then Xero cannot be searched."""
    batches: list[str] = []

    def spoilt(point: str) -> None:
        if point == "attempt_committed":
            batches.append(point)
        if point == "attempt_committed" and len(batches) == 4:
            (contact, *_) = world.sandbox.control("GET", "state/xero")["Contacts"]
            fields = {
                "Type": "ACCREC",
                "InvoiceNumber": "Q-1001",
                "Contact": {"ContactID": contact["ContactID"]},
                "Date": "2026-01-31",
                "DueDate": "2026-01-31",
                "LineItems": [{"Description": "Tea", "UnitAmount": 1, "AccountCode": "200", "TaxType": "OUTPUT"}],
            }
            world.sandbox.control("POST", "ui/xero", {"do": "create_invoice", "fields": fields})
            world.faults(
                {"method": "PUT", "path": DOCUMENTS, "do": "omit_element:1"},
                {"method": "GET", "path": DOCUMENTS, "do": "status:503", "times": None},
            )

    assert not world.run(spoilt)
    held = [(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps]
    assert len(held) == 2
    assert [world.outcomes()[key] for key in held] == ["its_turn", "unknown"]
    world.clear_faults()
    for _ in range(4):
        world.pass_time(11 * MINUTE)
        assert world.run(), world.problems
    assert [world.outcomes()[key] for key in held] == ["number_taken", "created"]
    assert not world.findings()


def test_nothing_of_an_unknown_batch_is_regrouped_before_it_is_settled(world: World) -> None:
    world.faults({"method": "PUT", "path": DOCUMENTS, "do": "drop_before", "times": 2})
    world.run()
    held = {step.ref for one in world.open_attempts() for step in one.steps}
    world.pass_time(5 * MINUTE)
    world.run()
    again = {step.ref for one in open_attempts(world.ledger, world.book()) for step in one.steps}
    assert again == held
    assert len(world.attempts()) == len({attempt.key for attempt in world.attempts()})


def pass_days(world: World, days: int) -> None:
    """In one step: nothing is postponed that had to happen in between."""
    world.ledger.move_clock(timedelta(days=days))
    world.sandbox.control("POST", "clock", {"advance_seconds": days * 24 * 60 * MINUTE})


def test_what_was_sent_is_forgotten_after_a_month(world: World) -> None:
    """Bodies hold names and addresses; they are kept, encrypted, only for as long as somebody may ask."""
    assert world.run(), world.problems
    sent = world.attempts()
    assert all(attempt.body for attempt in sent)
    pass_days(world, 29)
    assert world.run(), world.problems
    assert all(attempt.body for attempt in world.attempts())
    pass_days(world, 2)
    assert world.run(), world.problems
    left = world.attempts()
    assert [attempt.body_hash for attempt in left[: len(sent)]] == [attempt.body_hash for attempt in sent]
    assert not any(attempt.body for attempt in left[: len(sent)])
