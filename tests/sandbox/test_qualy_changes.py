"""A tenant that lives: objects that come, change and go, and tenants that never mix."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox

HTTP = httpx.Client(timeout=10)
HEADERS = {"Authorization": "ApiKey pk_sandbox_qualy", "X-TENANT-ID": "eu1-sandbox"}
OTHER = {"Authorization": "ApiKey pk_sandbox_other", "X-TENANT-ID": "eu1-other"}
ANA = {
    "_id": "6a10c0de5b1e4f0012ab34cd",
    "number": 1,
    "email": "ana@mail.example",
    "createdAt": "2026-06-01T00:00:00.000Z",
}


@pytest.fixture
def world() -> Iterator[Sandbox]:
    with Sandbox.start(payments=20, today=date(2026, 7, 15), services=["qualy"]) as started:
        yield started


def rows(world: Sandbox, kind: str, headers: dict[str, str] = HEADERS, **parameters: Any) -> list[dict[str, Any]]:
    answer = HTTP.get(f"{world.url}/qualy/v1/{kind}", headers=headers, params={"limit": 500} | parameters)
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_changed_objects_carry_the_sandbox_time(world: Sandbox) -> None:
    payment, untouched, gone = rows(world, "payment-intents")[:3]
    world.control("POST", "clock", {"now": "2026-07-20T10:00:00Z"})
    change = {
        "insert": {"contacts": [{"email": "new@mail.example", "profile": {"firstName": "Nova"}}]},
        "update": {"payment-intents": [{"_id": payment["_id"], "status": "paid", "due": 0, "links.short": "x"}]},
        "delete": {"payment-intents": [gone["_id"]]},
    }
    done = world.control("POST", "change/qualy", change)
    world.control(
        "POST",
        "change/qualy",
        {"update": {"payment-intents": [{"_id": untouched["_id"], "due": 1}]}, "touch": False},
    )
    after = {row["_id"]: row for row in rows(world, "payment-intents")}
    changed = after[payment["_id"]]
    assert changed["updatedAt"].startswith("2026-07-20T10:00")
    assert changed | {"updatedAt": 0} == payment | {
        "status": "paid",
        "due": 0,
        "updatedAt": 0,
        "links": payment["links"] | {"short": "x"},
    }
    assert after[untouched["_id"]] == untouched | {"due": 1}
    assert gone["_id"] not in after
    newest = rows(world, "contacts", sort="-createdAt")[0]
    assert newest == done["inserted"][0]
    assert int(newest["_id"][:8], 16) == 1784541600


def test_a_row_deleted_between_two_pages_hides_another_as_it_would_in_qualy(world: Sandbox) -> None:
    everything = [row["_id"] for row in rows(world, "payment-intents", sort="createdAt")]
    first = [row["_id"] for row in rows(world, "payment-intents", sort="createdAt", limit=10)]
    world.control("POST", "change/qualy", {"delete": {"payment-intents": [first[0]]}})
    rest = [row["_id"] for row in rows(world, "payment-intents", sort="createdAt", skip=10)]
    assert first + rest == everything[:10] + everything[11:]


def test_a_stale_read_shows_what_was(world: Sandbox) -> None:
    before = rows(world, "contacts")
    world.control("POST", "clock", {"advance_seconds": 60})
    world.control(
        "POST",
        "change/qualy",
        {
            "insert": {"contacts": [ANA]},
            "delete": {"contacts": [before[0]["_id"]]},
            "update": {"contacts": [{"_id": before[1]["_id"], "number": 9_999}]},
        },
    )
    now = rows(world, "contacts")
    assert {row["_id"] for row in now} == {row["_id"] for row in before[1:]} | {ANA["_id"]}
    world.control("POST", "faults/qualy", [{"do": "stale_reads:30"}])
    assert rows(world, "contacts") == before
    assert rows(world, "contacts") == now


def test_a_change_is_made_whole_or_not_at_all(world: Sandbox) -> None:
    before = world.control("GET", "state/qualy")
    for change in (
        {"insert": {"contacts": [ANA]}, "delete": {"contacts": ["0" * 24]}},
        {"insert": {"contacts": [ANA, ANA]}},
        {"insert": {"customers": [ANA]}},
        {"update": {"contacts": [{"_id": "0" * 24}]}},
        {"insert": {"contacts": [ANA | {"_id": "nonsense"}]}},
    ):
        with pytest.raises(ValueError, match="400"):
            world.control("POST", "change/qualy", change)
    assert world.control("GET", "state/qualy") == before


def test_load_replaces_everything_and_takes_what_state_gave(world: Sandbox) -> None:
    before = world.control("GET", "state/qualy")
    loaded = world.control("POST", "load/qualy", {"contacts": [ANA]})["loaded"]
    assert loaded["contacts"] == 1
    assert sum(loaded.values()) == 1
    assert rows(world, "contacts") == [ANA]
    assert rows(world, "payment-intents") == []
    for wrong in ({"contacts": [ANA, ANA]}, {"contacts": {}}, {"contact": []}, {"contacts": [{"_id": 7}]}):
        with pytest.raises(ValueError, match="400"):
            world.control("POST", "load/qualy", wrong)
    assert rows(world, "contacts") == [ANA]
    world.control("POST", "load/qualy", before)
    assert world.control("GET", "state/qualy") == before


def test_two_tenants_never_mix(world: Sandbox) -> None:
    first = rows(world, "contacts")
    assert rows(world, "contacts", OTHER) == []
    world.control("POST", "change/qualy", {"tenant": "eu1-other", "insert": {"contacts": [ANA]}})
    assert [row["_id"] for row in rows(world, "contacts", OTHER)] == [ANA["_id"]]
    assert rows(world, "contacts") == first
    url = f"{world.url}/qualy/v1/contacts/{first[0]['_id']}"
    assert HTTP.get(url, headers=OTHER).status_code == 404
