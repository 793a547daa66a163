"""A customer who changes in Qualy: the contact that we made follows, where the settings say so, and no other does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.ledger import Ledger
from sandbox.server import Sandbox
from tests.support.world import SETTINGS, World, an_agency, extracted

DAY = 24 * 3600


@pytest.fixture
def booked(stand_ins: Sandbox, sqlite_url: str, tmp_path: Path) -> Callable[[bool], tuple[World, dict[str, Any]]]:
    """`booked(update)`: everything is there; then Ada Lovelace is Ada King, at another address."""

    def make(update: bool) -> tuple[World, dict[str, Any]]:
        settings = tmp_path / "settings.yaml"
        text = SETTINGS.read_text()
        assert "    update: false" in text
        settings.write_text(text.replace("    update: false", f"    update: {str(update).lower()}"))
        objects = an_agency(Ledger(sqlite_url).now())
        extracted(stand_ins, sqlite_url, objects)
        world = World(stand_ins, sqlite_url, settings=settings).begin()
        world.run_until_quiet()
        ada = objects["contacts"][0]
        ada["profile"] = {"firstName": "Ada", "lastName": "King"}
        ada["email"] = "ada.king@mail.example"
        ada["updatedAt"] = (world.ledger.now() + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        world.pass_time(DAY)
        extracted(stand_ins, sqlite_url, objects)
        return world, ada

    return make


def contacts(world: World) -> set[tuple[str, str]]:
    found = world.sandbox.control("GET", "state/xero")["Contacts"]
    return {(one["Name"], one.get("EmailAddress", "").lower()) for one in found}


def test_the_contact_follows_where_the_settings_say_so(booked: Callable[[bool], tuple[World, Any]]) -> None:
    world, _ = booked(True)
    world.run_until_quiet()
    there = contacts(world)
    assert ("Ada King", "ada.king@mail.example") in there
    assert not [name for name, _ in there if "Lovelace" in name]
    assert len(there) == 5
    writes = len(world.writes())
    world.run_until_quiet()
    assert len(world.writes()) == writes
    assert not world.findings()


def test_it_stays_as_it_is_where_they_do_not(booked: Callable[[bool], tuple[World, Any]]) -> None:
    world, _ = booked(False)
    writes = len(world.writes())
    world.run_until_quiet()
    assert ("Ada Lovelace", "ada.lovelace@mail.example") in contacts(world)
    assert len(world.writes()) == writes


def test_what_somebody_renamed_in_the_tool_is_shown_and_not_replaced(
    booked: Callable[[bool], tuple[World, Any]],
) -> None:
    world, ada = booked(True)
    state = world.sandbox.control("GET", "state/xero")
    (there,) = [one for one in state["Contacts"] if one["Name"] == "Ada Lovelace"]
    renamed = {"do": "edit_contact", "contact": there["ContactID"], "fields": {"Name": "Ada L. (VIP)"}}
    world.sandbox.control("POST", "ui/xero", renamed)
    world.run_until_quiet()
    assert world.outcomes()[("contact", ada["_id"])] == "changed_there"
    assert "Ada L. (VIP)" in {name for name, _ in contacts(world)}
