"""An item that nobody mapped goes to the suspense account, and stays listed until somebody recodes it in the tool."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.report.books import to_recode
from tests.support.world import SETTINGS, World

VISA = "Q-1002"  # the invoice of the payment whose only item is a visa


@pytest.fixture
def world(make_world: Callable[..., World], tmp_path: Path) -> World:
    """A world in which visas are not mapped, and everything without a map goes to 999 Suspense."""
    fallback = '"*": {role: principal, account: "999", tax: EXEMPTOUTPUT, suspense: true}'
    text, found = re.subn(r"Visa: \{.*\}", fallback, SETTINGS.read_text())
    assert found == 1
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return make_world(settings=path)


def listed(world: World) -> list[tuple[str, tuple[str, ...], int]]:
    with world.ledger.reading() as connection:
        return [(one.number, one.accounts, one.amount) for one in to_recode(connection, world.book())]


def by_hand(world: World, **what: Any) -> None:
    world.sandbox.control("POST", "ui/xero", what)


def recode(world: World, account: str) -> None:
    """Somebody opens the invoice in Xero and changes its line's account."""
    [held] = [one for one in world.sandbox.control("GET", "state/xero")["Invoices"] if one["InvoiceNumber"] == VISA]
    lines = [line | {"AccountCode": account} for line in held["LineItems"]]
    by_hand(world, do="edit_invoice", invoice=VISA, fields={"LineItems": lines})


def test_it_leaves_the_list_with_the_first_run_after_it_was_recoded(world: World) -> None:
    assert world.run(), world.problems
    assert listed(world) == [(VISA, ("999",), 15_500)]

    world.pass_time(3600)
    recode(world, "205")
    assert world.run(), world.problems
    assert listed(world) == []
    assert not world.findings()


def test_a_change_that_recodes_nothing_keeps_it_there(world: World) -> None:
    assert world.run(), world.problems
    world.pass_time(3600)
    by_hand(world, do="edit_invoice", invoice=VISA, fields={"DueDate": "2031-01-01"})
    for _ in range(2):
        assert world.run(), world.problems
        assert listed(world) == [(VISA, ("999",), 15_500)]


def test_what_was_voided_there_is_not_listed_any_more(world: World) -> None:
    assert world.run(), world.problems
    world.pass_time(3600)
    by_hand(world, do="void_invoice", invoice=VISA)
    assert world.run(), world.problems
    assert listed(world) == []
