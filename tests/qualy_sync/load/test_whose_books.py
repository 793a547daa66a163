"""Whose books these are: stand-ins and real services never mix, one organisation, and a ledger that was lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qualy_app.signals import RunProblem
from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.books import WrongOrganisation, get_organisation, is_live, live_book, pin
from qualy_sync.ledger.engine import StandInMismatch
from qualy_sync.ledger.fresh_start import end_book, what_ends
from qualy_sync.model import Leg
from sandbox.server import Sandbox
from tests.cli.terminal import Terminal
from tests.support.world import SETTINGS, Ending, World, an_agency, bare, copied, extracted

MakeWorld = Callable[..., World]


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    """A stand-in whose organisation may be changed for good."""
    with Sandbox.start(payments=1) as sandbox:
        bare(sandbox)
        yield sandbox


def test_a_real_ledger_refuses_a_stand_in(stand_ins: Sandbox, sqlite_url: str) -> None:
    world = World(stand_ins, sqlite_url)
    bare(stand_ins)
    world.ledger.stamp(False)
    with pytest.raises(RunProblem, match="never mix"):
        world.desk().first_contact()
    assert not world.writes()
    world.ledger.close()


def test_a_stand_ins_ledger_refuses_a_real_service(world: World) -> None:
    with pytest.raises(StandInMismatch, match="never mix"):
        world.ledger.stamp(False)
    assert world.run(), world.problems


def test_another_organisation_is_refused(own_sandbox: Sandbox, extracted_file: Path, tmp_path: Path) -> None:
    world = World(own_sandbox, copied(extracted_file, tmp_path)).begin()
    assert world.run(), world.problems
    before = world.ending()
    own_sandbox.control("POST", "organisation/xero", {"tenant_id": str(uuid.uuid4()), "name": "Somebody else"})
    own_sandbox.control("DELETE", "calls/xero")
    assert not world.run()
    assert world.problems[-1].startswith("Refused")
    assert not world.writes()
    assert world.ending() == before
    world.ledger.close()


def test_after_a_confirmed_fresh_start_another_organisation_begins_with_nothing(
    own_sandbox: Sandbox, extracted_file: Path, tmp_path: Path
) -> None:
    url = copied(extracted_file, tmp_path)
    world = World(own_sandbox, url).begin()
    assert world.run(), world.problems
    old, first = world.book(), live_book(world.ledger)
    assert first is not None
    other = str(uuid.uuid4())
    own_sandbox.control("POST", "organisation/xero", {"tenant_id": other, "name": "Somebody else"})
    terminal = Terminal(world.environment())
    assert not world.run()
    told = terminal.json("fresh-start")
    assert (told["organisation"], told["ended"], told["unanswered"]) == (first.organisation, False, 0)
    assert told["linked"]["invoice"] > 0
    assert terminal.run("fresh-start", "--confirm", other, "--by", "Ana", "--reason", "moved").status == 2
    assert terminal.run("fresh-start", "--confirm", first.organisation).status == 2
    assert not world.run()
    done = terminal.json("fresh-start", "--confirm", first.organisation, "--by", "Ana", "--reason", "moved")
    assert done["ended"]
    assert world.run(), world.problems
    kept = live_book(world.ledger)
    assert kept is not None
    assert kept.organisation == other
    assert kept.id != old
    # Nothing of the old books is lost, and none of it counts here.
    assert what_ends(world.ledger, old).linked == told["linked"]
    assert not is_live(world.ledger, old)
    # Coming back goes on with the links that belong there.
    assert terminal.run("fresh-start", "--confirm", other, "--by", "Ana", "--reason", "back").status == 0
    own_sandbox.control("POST", "organisation/xero", {"tenant_id": first.organisation, "name": first.name})
    assert world.run(), world.problems
    assert is_live(world.ledger, old)
    world.ledger.close()


def test_a_fresh_start_waits_for_what_is_not_answered(world: World) -> None:
    world.crash("answered", 3)
    book = live_book(world.ledger)
    assert book is not None
    with pytest.raises(LedgerError, match="not answered"):
        end_book(world.ledger, int(book.id), "Ana", "moved")
    assert is_live(world.ledger, int(book.id))


def test_another_tool_is_refused(world: World) -> None:
    assert world.run(), world.problems
    organisation = get_organisation(world.ledger, world.book())
    assert organisation is not None
    with pytest.raises(WrongOrganisation, match=r"bin/qualy fresh-start"):
        pin(world.ledger, "eu1-sandbox", "another tool", organisation)


def test_a_lost_ledger_finds_everything_again_and_writes_nothing(make_world: MakeWorld, undisturbed: Ending) -> None:
    first = make_world()
    assert first.run(), first.problems
    first.sandbox.control("DELETE", "calls/xero")
    fresh = make_world(empty=False)
    assert fresh.run(), fresh.problems
    assert fresh.run(), fresh.problems
    assert not fresh.writes()
    assert fresh.ending() == undisturbed
    assert not fresh.findings()


def test_a_ledger_lost_in_the_middle_goes_on_from_what_is_there(make_world: MakeWorld, undisturbed: Ending) -> None:
    first = make_world()
    first.crash("answered", 6)
    fresh = make_world(empty=False)
    fresh.run_until_quiet()
    assert fresh.ending() == undisturbed
    assert not fresh.findings()


@pytest.mark.parametrize("per_call", [1, 2, 50])
def test_the_size_of_batches_makes_no_difference(make_world: MakeWorld, undisturbed: Ending, per_call: int) -> None:
    world = make_world(per_call=per_call)
    assert world.run(), world.problems
    assert world.ending() == undisturbed


def test_two_customers_with_one_email_become_one_contact_where_the_settings_say_so(
    stand_ins: Sandbox, sqlite_url: str, tmp_path: Path
) -> None:
    """The second one was planned before the first was there; sent as planned, it would be a second contact."""
    objects = an_agency(Ledger(sqlite_url).now())
    objects["contacts"][1]["email"] = objects["contacts"][0]["email"].upper()
    extracted(stand_ins, sqlite_url, objects)
    settings = tmp_path / "settings.yaml"
    settings.write_text(SETTINGS.read_text().replace("on_shared_email: hold", "on_shared_email: one_contact"))
    world = World(stand_ins, sqlite_url, per_call=50, settings=settings).begin()
    world.run_until_quiet()
    emails = [contact[2] for contact in world.ending().contacts]
    assert len(emails) == len(set(emails)) == 4
    shared = [code for (leg, _), code in world.outcomes().items() if leg == Leg.CONTACT]
    assert shared in (["created", "adopted", "created"], ["created", "created", "adopted"]) or "name_differs" in shared
    world.ledger.close()
