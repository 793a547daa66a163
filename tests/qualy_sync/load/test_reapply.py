"""A changed mapping, applied to documents that exist: when asked, for the days named, previewed and confirmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.support.world import SETTINGS, World, object_id

MakeWorld = Callable[..., World]
VISA = object_id(3, 2)  # due, and nothing paid
FEE = object_id(3, 4)  # partly paid
EVER = ("--from", "2020-01-01", "--to", "2099-12-31")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS.read_text())
    return path


@pytest.fixture
def booked(make_world: MakeWorld, settings: Path) -> World:
    """Everything is booked; then the accountant moves visas and enrolment fees to another account."""
    world = make_world(settings=settings)
    world.run_until_quiet()
    text = settings.read_text()
    assert text.count('account: "205"') == 2
    settings.write_text(text.replace('account: "205"', 'account: "200"'))
    return world


def accounts(world: World) -> dict[str, set[str]]:
    """The accounts of each invoice, by its number."""
    found = world.sandbox.control("GET", "state/xero")["Invoices"]
    return {one["InvoiceNumber"]: {line["AccountCode"] for line in one["LineItems"]} for one in found}


def terminal(world: World) -> Terminal:
    return Terminal(world.environment())


def test_a_changed_mapping_alone_changes_nothing_that_exists(booked: World) -> None:
    before = accounts(booked)
    booked.run_until_quiet()
    assert accounts(booked) == before
    assert before["Q-1002"] == {"205"}


def test_the_preview_shows_what_is_and_what_would_be_and_writes_nothing(booked: World) -> None:
    writes = len(booked.writes())
    shown = terminal(booked).json("reapply", *EVER)
    (visa,) = [one for one in shown["would_change"] if one["id"] == VISA]
    assert [line["account"] for line in visa["is"]] == ["205"]
    assert [line["account"] for line in visa["will_be"]] == ["200"]
    assert [one["id"] for one in shown["held"] if one["leg"] == "invoice" and one["id"] == FEE] == [FEE]
    assert len(booked.writes()) == writes


def test_what_was_previewed_is_done_once_it_is_confirmed_and_only_that(booked: World) -> None:
    shown = terminal(booked).json("reapply", *EVER)
    before = accounts(booked)
    done = terminal(booked).json("reapply", *EVER, "--confirm", shown["hash"], "--by", "Ana")
    assert done["done"]
    after = accounts(booked)
    assert after["Q-1002"] == {"200"}
    assert {number for number in after if after[number] != before[number]} == {"Q-1002"}
    booked.run_until_quiet()
    assert accounts(booked) == after
    assert not booked.findings()
    again = terminal(booked).json("reapply", *EVER)
    assert again["would_change"] == []


def test_only_the_days_that_were_named(booked: World) -> None:
    shown: Any = terminal(booked).json("reapply", "--from", "2020-01-01", "--to", "2020-12-31")
    assert shown["would_change"] == []
    assert shown["held"] == []


def test_another_plan_than_the_one_that_was_shown_is_refused(booked: World, settings: Path) -> None:
    shown = terminal(booked).json("reapply", *EVER)
    visa = 'Visa: {role: principal, account: "%s"'
    settings.write_text(settings.read_text().replace(visa % "200", visa % "210"))
    refused = terminal(booked).run("reapply", *EVER, "--confirm", shown["hash"], "--by", "Ana")
    assert refused.status == 2
    assert "Look at it again" in refused.trouble
    assert accounts(booked)["Q-1002"] == {"205"}


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "soon", "--to", "2026-01-01"),
        ("--from", "2026-02-01", "--to", "2026-01-01"),
        (*EVER, "--confirm", "abc"),
        (*EVER, "--confirm", "abc", "--by", "Ana"),
    ],
)
def test_a_wrong_call_is_told(booked: World, words: tuple[str, ...]) -> None:
    assert terminal(booked).run("reapply", *words).status == 2
