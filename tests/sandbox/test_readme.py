"""The sandbox's README against the sandbox: each service's calls, readings, limits and faults, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import SERVICES, load_services
from sandbox.faults import PLAIN, WITH_NUMBER, WITH_SECONDS
from sandbox.service import Service
from sandbox.world import Wishes, make_world

README = (Path(__file__).resolve().parents[2] / "sandbox" / "README.md").read_text()
TITLES = {
    "qualy": "Qualy", "xero": "Xero", "quickbooks": "QuickBooks", "conta_azul": "Conta Azul", "hubspot": "HubSpot",
    "mailchimp": "Mailchimp",
}  # fmt: skip
EACH = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, Service]]:
    world, _ = make_world(Wishes(payments=1), None)
    yield load_services(world)
    world.store.close()


def section(name: str) -> str:
    """What the README says about one service."""
    found = re.search(rf"^## {TITLES[name]}\b.*?(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"no section on {name}"
    return found[0]


def named(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def readings_of(text: str) -> set[str]:
    """The first column of the table of readings."""
    table = re.search(r"^\| reading \|.*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    rows = table[0].splitlines()[2:] if table else []
    return {name for row in rows for name in named(row.split("|")[1])}


@EACH
def test_every_control_call_of_a_service_is_in_the_table_and_no_other(services: dict[str, Service], name: str) -> None:
    (row,) = re.findall(r"^\| `POST /control/\{action\}/\{service\}` \|.*$", README, re.MULTILINE)
    (listed,) = re.findall(rf"{TITLES[name]}: ([^;)]*)", row)
    control: Any = services[name]
    assert named(listed) == set(control.control())


@EACH
def test_every_open_reading_is_described_and_no_other(services: dict[str, Service], name: str) -> None:
    service: Any = services[name]
    there = set(service.readings()) if hasattr(service, "readings") else set()
    assert readings_of(section(name)) == there
    assert bool(there) == (name != "xero"), "the table of control calls says so"


@EACH
def test_every_limit_is_named(services: dict[str, Service], name: str) -> None:
    assert set(services[name].set_quota({})) <= named(section(name))


def test_every_fault_is_described_and_no_other() -> None:
    table = re.search(r"^\| `do` \| what happens \|.*?(?=\n\n)", README, re.MULTILINE | re.DOTALL)
    assert table
    first = [row.split("|")[1] for row in table[0].splitlines()[2:]]
    described = {word for cell in first for word in re.findall(r"`(\w+)(?::\w+)?`", cell)}
    assert described == {*PLAIN, *WITH_NUMBER, *WITH_SECONDS}
