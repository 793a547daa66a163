"""Closed periods, against the tool: what waits, what goes by itself once it may, and what an approver lets go."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from qualy_sync.report import make_report
from tests.support.world import SETTINGS, Ending, World

MakeWorld = Callable[..., World]
SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file of its own, which tests change while runs work."""
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS.read_text())
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.fixture
def locked_world(make_world: MakeWorld, settings: Path) -> Iterator[World]:
    """A world whose organisation is locked to the day before it began: every record of it lies behind."""
    world = make_world(settings=settings)
    lock(world, day_before(world))
    yield world
    lock(world, None)


def lock(world: World, day: date | None) -> None:
    world.sandbox.control("POST", "lock-date/xero", {"period": day.isoformat() if day else None})


def day_before(world: World) -> date:
    return world.ledger.now().astimezone(SYDNEY).date() - timedelta(days=1)


def codes(world: World, leg: str) -> Counter[str]:
    return Counter(code for (of, _), code in world.outcomes().items() if of == leg)


def documents(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.sandbox.control("GET", "state/xero")["Invoices"]
    return found


def test_when_the_lock_moves_back_what_it_held_goes_by_itself_and_the_run_says_so(
    locked_world: World, undisturbed: Ending, caplog: pytest.LogCaptureFixture
) -> None:
    world = locked_world
    world.run_until_quiet()
    assert codes(world, "invoice") == {"locked": 5}
    assert not documents(world)
    caplog.set_level(logging.WARNING, "qualy_sync.load")
    lock(world, None)
    world.run_until_quiet()
    assert world.ending() == undisturbed
    assert "is no longer locked" in caplog.text
    assert "Records held by a lock date when this was noticed: 13." in caplog.text
    page = make_report(world.ledger, world.book(), 0, world.ledger.now()).html.decode()
    assert "is no longer locked" in page


def test_what_an_approver_lets_go_is_dated_on_the_first_open_day_and_reported(
    locked_world: World, settings: Path
) -> None:
    world = locked_world
    opened = day_before(world) + timedelta(days=1)  # runs may go past midnight; the first open day stays
    change(settings, "next_open_day: {invoice: , bill: ,", "next_open_day: {invoice: Kim Lee, bill: ,")
    world.run_until_quiet()
    assert codes(world, "invoice") == {"created": 5}
    assert codes(world, "bill")["locked"] == 3
    there = documents(world)
    assert {one["DateString"][:10] for one in there} == {opened.isoformat()}
    assert all(one["DueDateString"] < one["DateString"] for one in there)  # the due date stayed
    page = make_report(world.ledger, world.book(), 0, world.ledger.now()).html.decode()
    told = page[page.index("Dated on an open day") :]
    assert "Kim Lee" in told[: told.index("</table>")]
    assert not world.findings()


def test_a_draft_waits_for_an_open_period_too(locked_world: World, settings: Path) -> None:
    change(settings, "invoice_status: authorised", "invoice_status: draft")
    locked_world.run_until_quiet()
    assert codes(locked_world, "invoice") == {"locked": 5}
    assert not documents(locked_world)


def test_a_closing_date_that_is_set_while_a_run_works_holds_at_the_very_next_attempt(
    make_world: MakeWorld, settings: Path
) -> None:
    world = make_world(settings=settings)
    closed = day_before(world).isoformat()

    def closing(name: str) -> None:
        if name == "answered" and len(documents(world)) == 2:
            text = settings.read_text()
            settings.write_text(text.replace("closed_until:\n", f"closed_until: {closed}\n"))

    world.run(closing)
    assert len(documents(world)) == 2
    world.run_until_quiet()
    assert len(documents(world)) == 2
    assert codes(world, "invoice")["locked"] + codes(world, "bill")["locked"] == 6
    change(settings, f"closed_until: {closed}", "closed_until:")
    world.run_until_quiet()
    assert len(documents(world)) == 8
    assert not world.findings()
