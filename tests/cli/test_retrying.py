"""`retry --tool`: a customer that waits is tried again from a terminal, that one alone, and what is left is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.cli.terminal import Terminal
from tests.support.audience_world import AudienceWorld
from tests.support.crm_world import CrmWorld, person

ADA = person(1, "Ada", "Lovelace", "ada@school.test", profile={"phone": "+61 1"})
WHO = ("--by", "Ana", "--reason", "looked at it")


def lead(email: str) -> dict[str, Any]:
    return {"properties": {"email": email, "firstname": "New", "lifecyclestage": "customer"}}


@pytest.fixture(scope="module")
def stand_ins(sandbox: Callable[..., Sandbox]) -> Sandbox:
    return sandbox(payments=1, services=["qualy", "hubspot", "mailchimp"])


@pytest.fixture
def url(migrated_file: Path, tmp_path: Path) -> str:
    file = tmp_path / "ledger.db"
    file.write_bytes(migrated_file.read_bytes())
    return f"sqlite:///{file}"


@pytest.fixture
def hubspot(stand_ins: Sandbox, url: str) -> Iterator[CrmWorld]:
    world = CrmWorld(stand_ins, url)
    yield world
    world.ledger.close()


def terminal(world: CrmWorld, folder: Path) -> Terminal:
    """A terminal of somebody with the same ledger."""
    more = {"HOME": str(folder), "QUALY_REPORTS": str(folder / "reports")}
    return Terminal(world.environment() | more)


def test_what_qualy_refused_is_tried_again_one_by_one(hubspot: CrmWorld, tmp_path: Path) -> None:
    world = hubspot.begin([], [lead("one@school.test"), lead("two@school.test")])
    world.faults("qualy", {"method": "POST", "path": "/v1/contacts/create", "do": "status:422", "times": 2})
    assert world.run(), world.problems
    assert set(world.outcomes("customer").values()) == {"invalid"}
    one, two = (world.contact(f"{name}@school.test")["id"] for name in ("one", "two"))
    here = terminal(world, tmp_path)
    tried = here.json("retry", one, "--tool", "hubspot")
    assert (tried["records"], tried["counts"]["created_in_qualy"], tried["left"]) == (1, 1, [])
    assert Path(tried["report"]).is_file()
    assert [customer["email"] for customer in world.customers().values()] == ["one@school.test"]
    assert world.outcome(two, "customer") == "invalid"
    said = here.run("retry", "--waiting", "--tool", "hubspot")
    assert said.status == 0
    assert "1 tried: 1 created in qualy." in said.text
    assert len(world.customers()) == 2
    assert here.json("retry", "--waiting", "--tool", "hubspot")["records"] == 0


def test_what_was_decided_is_done_at_once(hubspot: CrmWorld, tmp_path: Path) -> None:
    world = hubspot.begin([ADA])
    world.run()
    world.qualy("update", **{"_id": ADA["_id"], "profile.phone": "+61 2"})
    world.hubspot("edit_contact", contact="ada@school.test", properties={"phone": "+61 3"})
    world.later()
    here = terminal(world, tmp_path)
    (held,) = here.json("outcomes", "--tool", "hubspot", "--waiting")["outcomes"]
    assert held["code"] == "both_changed"
    still = here.json("retry", "--trouble", held["trouble"], "--tool", "hubspot", status=1)
    assert [one["code"] for one in still["left"]] == ["both_changed"]
    assert here.run("decide", ADA["_id"], "contact", "--tool", "hubspot", "--as", "ours", *WHO).status == 0
    assert here.json("retry", ADA["_id"], "--tool", "hubspot")["left"] == []
    assert world.contact("ada@school.test")["properties"]["phone"] == "+61 2"


def test_a_tool_that_cannot_be_used_is_told_with_what_to_do(hubspot: CrmWorld, tmp_path: Path) -> None:
    world = hubspot.begin([ADA])
    here = terminal(world, tmp_path)
    unknown = here.run("retry", "--waiting", "--tool", "hubspto")
    assert (unknown.status, "hubspot, mailchimp" in unknown.trouble) == (2, True)
    assert here.run("retry", "--waiting", "--tool", "hubspot").status == 3, "nothing was planned there yet"
    world.run()
    assert here.run("retry", "--trouble", "x", "--tool", "hubspot").status == 2
    off = tmp_path / "off.yaml"
    off.write_text("accounting: {tool: none}\n")
    left = here.run("retry", "--waiting", "--tool", "hubspot", QUALY_SETTINGS=str(off))
    assert (left.status, "off" in left.trouble) == (2, True)
    world.hubspot("archive_contact", contact="ada@school.test")
    world.later(26 * 3600)
    assert world.outcome(ADA["_id"]) == "removed_there"
    world.sandbox.control("POST", "revoke/hubspot", {"token": "pat-sandbox-hubspot"})
    refused = here.run("retry", ADA["_id"], "--tool", "hubspot")
    assert (refused.status, "bin/qualy connect hubspot" in refused.trouble) == (3, True)
    world.sandbox.control("POST", "revoke/hubspot", {})
    assert world.outcome(ADA["_id"]) == "removed_there"


def test_in_the_audience_an_address_that_is_not_taken_stays_on_the_list(
    stand_ins: Sandbox, url: str, tmp_path: Path
) -> None:
    world = AudienceWorld(stand_ins, url).begin([person(1, "Ada", "L", "ada@example.com")])
    world.run()
    assert list(world.outcomes().values()) == ["invalid"]
    here = terminal(world, tmp_path)
    before = len(world.writes())
    tried = here.json("retry", "--waiting", "--tool", "mailchimp", status=1)
    assert [one["code"] for one in tried["left"]] == ["invalid"]
    assert len(world.writes()) == before + 1, "asked for again, and sent again, once"
    world.qualy("update", _id=person(1, "", "", "")["_id"], email="ada@school.test")
    world.extract()
    assert here.json("retry", "--waiting", "--tool", "mailchimp")["counts"]["created"] == 1
    assert set(world.members()) == {"ada@school.test"}
    world.ledger.close()
