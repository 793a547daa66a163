"""Customers and HubSpot from a terminal: connect, look at a preview, confirm it, ask about one, decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from markupsafe import escape

from connectors.hubspot.client import GAPS
from qualy_app.customer_summary import customer_lines, customer_surprises
from qualy_sync.ledger import Ledger
from sandbox.server import Sandbox
from tests.cli.terminal import Terminal, environment


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(payments=200, today=date(2026, 7, 15)) as started:
        yield started


@pytest.fixture
def fresh(sandbox: Sandbox, tmp_path: Path) -> Terminal:
    return Terminal(environment(sandbox, tmp_path))


def test_a_first_sync_is_connected_previewed_confirmed_and_explained(fresh: Terminal, sandbox: Sandbox) -> None:
    told = fresh.json("connect", "hubspot", status=1)
    assert "qualy_id" in told["missing"]
    assert fresh.json("connect", "hubspot", "--create-properties")["created"]
    assert fresh.json("connect", "hubspot")["missing"] == []

    fresh.extract()
    shown = fresh.json("sync", "hubspot", "--preview")
    assert shown["counts"]["created_there"] > 10
    assert shown["counts"]["created_in_qualy"] >= 1
    told = fresh.json("sync", "hubspot", status=1)
    held = {one["code"]: one["records"] for one in told["waiting"]}
    assert held["not_confirmed"] == shown["counts"]["created_there"] + shown["counts"]["created_in_qualy"]
    assert summed_up(fresh)[1] == [f"{held['not_confirmed']} records ended as not_confirmed in HubSpot."]

    again = fresh.json("sync", "hubspot", "--preview")
    told = fresh.json("sync", "hubspot", "--confirm", again["hash"], "--by", "Ana", status=1)
    assert told["tasks"]["write"]["created"] == shown["counts"]["created_there"]
    assert told["tasks"]["into_qualy"]["created_in_qualy"] == shown["counts"]["created_in_qualy"]
    assert "not_confirmed" not in {one["code"] for one in told["waiting"]}
    page = Path(told["report"]).read_text(encoding="utf-8")
    created, new = told["tasks"]["write"]["created"], told["tasks"]["into_qualy"]["created_in_qualy"]
    assert f"in HubSpot it created {created} contacts" in page
    assert f"in Qualy it created {new} customers" in page
    assert "stand-in, no real customers" in page
    assert all(escape(gap.sentence) in page for gap in GAPS), "what it cannot do"
    lines, surprises = summed_up(fresh)
    assert "Customers in HubSpot" in lines
    assert f"  Report: {told['report']}" in lines
    assert any("share an email" in line for line in lines), "what waits for a person is said with it"
    assert surprises == []

    customer = fresh.json("outcomes", "--tool", "hubspot", "--code", "created", "--leg", "contact")["outcomes"][0]["id"]
    change_on_both_sides(sandbox, customer)
    fresh.extract()
    report = Path(fresh.json("sync", "hubspot", status=1)["report"])
    assert "field is not the same on both sides" in report.read_text(encoding="utf-8")
    assert customer in report.with_name("differences.csv").read_text(encoding="utf-8")
    assert customer in report.with_name("waiting.csv").read_text(encoding="utf-8")
    assert ".example" not in report.read_text(encoding="utf-8"), "people are named by Qualy's ids only"
    assert fresh.json("outcomes", "--tool", "hubspot", "--code", "both_changed")["outcomes"][0]["id"] == customer
    (leg,) = fresh.json("explain", customer, "--tool", "hubspot", status=1)["legs"]
    assert leg["contact"]
    assert {"ask"} <= {one["reason"] for one in leg["unequal"]}
    assert "@" not in str(leg)
    decided = ("decide", customer, "contact", "--tool", "hubspot", "--as", "theirs", "--by", "Ana", "--reason", "newer")
    assert fresh.run(*decided).status == 0
    fresh.json("sync", "hubspot", status=1)
    assert fresh.run("explain", customer, "--tool", "hubspot").status == 0


def summed_up(terminal: Terminal) -> tuple[list[str], list[str]]:
    """What `make run` says at its end of customers: the lines, and what nobody expects of the data."""
    ledger = Ledger(terminal.environment["QUALY_LEDGER_URL"])
    try:
        return list(customer_lines(ledger)), customer_surprises(ledger)
    finally:
        ledger.close()


def change_on_both_sides(sandbox: Sandbox, customer: str) -> None:
    """The phone, which the settings ask about: another one on each side."""
    update = {"contacts": [{"_id": customer, "profile.phone": "+61 2 5550 0001"}]}
    sandbox.control("POST", "change/qualy", {"update": update})
    contacts = sandbox.control("GET", "state/hubspot")["contacts"]
    (there,) = [one["id"] for one in contacts if one["properties"].get("qualy_id") == customer]
    properties = {"phone": "+61 2 5550 0002"}
    sandbox.control("POST", "ui/hubspot", {"do": "edit_contact", "contact": there, "properties": properties})
    sandbox.control("POST", "clock", {"advance_seconds": 60})  # HubSpot's search lags behind


def test_check_names_the_account_and_what_is_missing(fresh: Terminal) -> None:
    said = fresh.run("check").text
    assert "HubSpot account 4000001" in said
    assert "qualy_id" in said
    for gap in GAPS:
        assert f"HubSpot: {gap.subject}" in said, "what it cannot do"


def test_with_hubspot_off_there_is_nothing_to_do(fresh: Terminal, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("accounting: {tool: none}\n")
    answer = fresh.run("sync", "hubspot", QUALY_SETTINGS=str(settings))
    assert answer.status == 0
    assert "nothing to do" in answer.text.lower()
