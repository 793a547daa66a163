"""What the ledger holds after reading Qualy, whatever Qualy can do and whatever happens while reading."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from connectors.qualy import QualySource, Reading, connect
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused, Unreachable, WrongShape
from qualy_sync.extract import Extracted, OtherTenant, extract
from qualy_sync.ledger import Ledger, StandInMismatch
from qualy_sync.ledger.leases import Lease, LeaseHeld
from qualy_sync.ledger.schema import passes, source_rows, source_seen
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings
from sandbox.server import Sandbox

PLAIN = {"envelope": "data-list", "filter": "A", "limit_cap": None, "default_limit": 100, "expanded": False}
PLAIN |= {"updated_at": True, "updated_at_sorts": True, "total": False, "forbidden": []}
DAY = timedelta(days=1)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served(sandbox: Callable[..., Sandbox]) -> tuple[Sandbox, dict[str, Any]]:
    started = sandbox(payments=30, services=["qualy"], today=datetime(2026, 7, 15, tzinfo=UTC).date())
    return started, started.control("GET", "state/qualy")


@pytest.fixture
def qualy(served: tuple[Sandbox, dict[str, Any]]) -> Iterator[Sandbox]:
    """A stand-in of Qualy with 30 payments and what belongs to them, as good as new for each test."""
    running, state = served
    running.control("POST", "load/qualy", state)
    running.control("POST", "readings/qualy", PLAIN)
    running.control("DELETE", "calls/qualy")
    yield running
    running.control("DELETE", "faults/qualy")


class Reader:
    """Extracts from one stand-in into one ledger, with small pages."""

    def __init__(self, qualy: Sandbox, ledger: Ledger, **wishes: Any) -> None:
        self.qualy, self.ledger = qualy, ledger
        self.settings = SourceSettings(**{"page_size": 10, **wishes})

    def source(self, login: str = "eu1-sandbox", key: str = "pk_sandbox_qualy") -> QualySource:
        reading = Reading(
            self.settings.paths, self.settings.filter_style, self.settings.page_size, self.settings.page_overlap,
            requests_per_second=Decimal(0), first_wait=0.001,
        )  # fmt: skip
        endpoint = Endpoint(url=f"{self.qualy.url}/qualy/v1", login=login, password=key)
        return connect(endpoint, reading, requests.Session())

    def __call__(self, **more: Any) -> Extracted:
        return extract(self.ledger, self.source(), self.settings, **more)

    def change(self, **what: Any) -> Any:
        return self.qualy.control("POST", "change/qualy", what)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.qualy.control("GET", "state/qualy")
        return {kind.value: found[kind.value] for kind in Kind}

    def held(self, number: int | None = None) -> dict[str, list[Any]]:
        """The records visible to whoever pins a pass (the last one), as Qualy gave them."""
        rows = source_rows.c
        with self.ledger.reading() as connection:
            last = connection.scalar(sa.select(sa.func.max(passes.c.number)).where(passes.c.completed_at.is_not(None)))
            pin = number if number is not None else (last or 0)
            valid = sa.and_(rows.valid_from <= pin, sa.or_(rows.valid_to.is_(None), rows.valid_to > pin))
            found = connection.execute(sa.select(rows.kind, rows.content).where(valid).order_by(rows.id))
            held: dict[str, list[Any]] = {kind.value: [] for kind in Kind}
            for row in found:
                held[row.kind].append(row.content)
            return held

    def versions(self) -> int:
        with self.ledger.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(source_rows)) or 0

    def calls(self) -> int:
        many = len(self.qualy.control("GET", "calls/qualy")["calls"])
        self.qualy.control("DELETE", "calls/qualy")
        return many

    def seen(self, kind: Kind, record_id: str) -> Any:
        with self.ledger.reading() as connection:
            return connection.execute(
                sa.select(source_seen).where(source_seen.c.kind == kind, source_seen.c.id == record_id)
            ).one()


def by_id(state: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {kind: sorted(rows, key=lambda row: row["_id"]) for kind, rows in state.items()}


ABILITIES = {
    "changed since": {},
    "updatedAt does not sort": {"updated_at_sorts": False},
    "no updatedAt, filters": {"updated_at": False, "filter": "C"},
    "no updatedAt, no filters": {"updated_at": False, "filter": "ignored"},
    "expanded, capped": {"expanded": True, "limit_cap": 7, "envelope": "bare"},
}


def as_served(state: dict[str, list[Any]], reading: dict[str, Any]) -> dict[str, list[Any]]:
    """What Qualy holds, as far as it shows it."""
    if reading.get("updated_at", True):
        return state
    shown = copy.deepcopy(state)
    for rows in shown.values():
        for row in rows:
            row.pop("updatedAt", None)
    return shown


@pytest.mark.parametrize("ability", ABILITIES)
def test_the_ledger_holds_what_qualy_has_and_what_became_of_it(qualy: Sandbox, ledger: Ledger, ability: str) -> None:
    reading = ABILITIES[ability]
    qualy.control("POST", "readings/qualy", reading)
    read = Reader(qualy, ledger)
    first = read()
    before = read.held()
    if not reading.get("expanded"):
        assert before == by_id(as_served(read.state(), reading))
    assert first.changes == read.versions() == sum(map(len, before.values()))
    assert first.swept
    assert not first.sweeping

    # An hour later: one payment more, one of the open ones paid, one transaction settled, nothing else.
    payments = read.state()["payment-intents"]
    unpaid = next(row for row in payments if row["status"] == "due")
    new = {**payments[0], "_id": "f" * 24, "number": 99_999}
    new = {name: value for name, value in new.items() if name not in {"createdAt", "updatedAt"}}
    read.change(
        insert={"payment-intents": [new]}, update={"payment-intents": [{"_id": unpaid["_id"], "status": "paid"}]}
    )
    second = read()
    assert second.number == first.number + 1
    assert second.counts["kinds"]["payment-intents"]["new"] == 1
    assert second.counts["kinds"]["payment-intents"]["changed"] == 1
    assert second.changes == 2
    assert read.held(first.number) == before
    statuses = {row["_id"]: row["status"] for row in read.held()["payment-intents"]}
    assert statuses[unpaid["_id"]] == "paid"
    assert "f" * 24 in statuses

    third = read()
    assert third.changes == 0
    assert read.versions() == first.changes + 2


def test_the_fewest_calls_are_taken(qualy: Sandbox, ledger: Ledger) -> None:
    read = Reader(qualy, ledger)
    ways = {}
    for ability in ("changed since", "no updatedAt, filters", "no updatedAt, no filters"):
        qualy.control("POST", "readings/qualy", {**PLAIN, **ABILITIES[ability]})
        ledger.move_clock(DAY * 2) if ways else None
        read()
        read.calls()
        ways[ability] = read().counts["kinds"]["payment-intents"]["ways"]
        assert read.calls() <= 1 + 2 * len(Kind) + sum(map(len, read.state().values())) // 7
    assert ways["changed since"] == ["changed since"]
    assert all("changed since" not in way for way in (ways["no updatedAt, filters"], ways["no updatedAt, no filters"]))


def test_records_that_vanish_are_gone_after_two_complete_readings_and_never_removed(
    qualy: Sandbox, any_ledger: Ledger
) -> None:
    read = Reader(qualy, any_ledger)
    read()
    lost = read.state()["contacts"][3]
    held = read.held()
    read.change(delete={"contacts": [lost["_id"]]})
    read()  # no complete reading is due: says nothing about what is not there
    assert read.seen(Kind.CUSTOMER, lost["_id"]).missed == 0
    any_ledger.move_clock(DAY)
    assert read().swept
    assert read.seen(Kind.CUSTOMER, lost["_id"]).missed == 1
    any_ledger.move_clock(DAY)
    assert read().counts["kinds"]["contacts"]["gone"] == 1
    assert read.seen(Kind.CUSTOMER, lost["_id"]).missed == 2
    assert read.held() == held
    assert read.seen(Kind.CUSTOMER, read.state()["contacts"][4]["_id"]).missed == 0

    kept = read.versions()

    read.change(insert={"contacts": [lost]})
    any_ledger.move_clock(DAY)
    back = read()
    assert read.seen(Kind.CUSTOMER, lost["_id"]).missed == 0
    assert read.held() == held
    # That it was gone, and that it is back, is news to whoever reads what changed since the pass before.
    assert back.counts["kinds"]["contacts"]["changed"] == 1
    assert read.versions() == kept + 1


class Ticking:
    """A clock on which every look costs a second."""

    def __init__(self, start: datetime) -> None:
        self.time = start

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def test_a_complete_reading_goes_on_slice_by_slice_and_counts_at_its_end(qualy: Sandbox, ledger: Ledger) -> None:
    read = Reader(qualy, ledger, sweep_slice_seconds=8)
    read()
    kept = read.held()
    lost = read.state()["payment-splits"][0]["_id"]
    read.change(delete={"payment-splits": [lost]})
    clock = Ticking(ledger.now() + DAY)
    slices = 0
    done = read(clock=clock)
    while done.sweeping:
        assert not done.swept
        # Deletions between two slices hide no other record.
        read.change(delete={"transactions": [read.state()["transactions"][0]["_id"]]} if slices < 3 else {})
        done = read(clock=clock, only_sweep=True)
        slices += 1
    assert slices > 3
    assert done.swept
    assert read.seen(Kind.SPLIT, lost).missed == 1
    assert read.held() == kept
    assert all(read.seen(Kind.TRANSACTION, row["_id"]).missed == 0 for row in read.state()["transactions"])


def test_a_reading_that_dies_shows_nothing_and_is_gone_on_with(qualy: Sandbox, any_ledger: Ledger) -> None:
    read = Reader(qualy, any_ledger)
    fault = {"method": "GET", "path": "/v1/payment-intents", "do": "status:503", "times": 5, "after": 5}
    qualy.control("POST", "faults/qualy", [fault])
    with pytest.raises(Unreachable):
        read()
    assert not any(read.held().values())
    assert read.versions() > 0
    read.calls()
    second = read()
    assert second.number == 1
    assert by_id(read.state()) == read.held()
    assert read.versions() == sum(map(len, read.held().values()))


@pytest.mark.full
def test_a_later_reading_that_dies_leaves_what_was_visible(qualy: Sandbox, any_ledger: Ledger) -> None:
    read = Reader(qualy, any_ledger)
    read()
    before = read.held()
    status = {"status": "refunded"}
    read.change(update={"payment-intents": [{"_id": row["_id"], **status} for row in read.state()["payment-intents"]]})
    qualy.control("POST", "faults/qualy", [{"method": "GET", "path": "/v1/contacts", "do": "status:503", "times": 5}])
    with pytest.raises(Unreachable):
        read()
    assert read.held() == before
    read()
    assert {row["status"] for row in read.held()["payment-intents"]} == {"refunded"}


def test_rows_inserted_and_deleted_while_reading_hide_no_other(qualy: Sandbox, ledger: Ledger) -> None:
    read = Reader(qualy, ledger)
    everyone = sorted(row["_id"] for row in read.state()["transactions"])
    source = read.source()
    pages = source.pages

    def moving(kind: Kind, **how: Any) -> Iterator[Any]:
        for number, page in enumerate(pages(kind, **how)):
            yield page
            if kind is Kind.TRANSACTION and how["sort"] == "_id" and number == 1:
                many = len(everyone) // 3
                there = {row["_id"] for row in read.state()["transactions"]}
                read.change(delete={"transactions": [each for each in everyone[:many] if each in there]})

    source.pages = moving  # type: ignore[method-assign]
    extract(ledger, source, read.settings)
    left = {row["_id"] for row in read.state()["transactions"]}
    assert 0 < len(left) < len(everyone)
    assert left <= {row["_id"] for row in read.held()["transactions"]}


def test_rows_that_cannot_be_read_are_kept_and_named(qualy: Sandbox, any_ledger: Ledger) -> None:
    read = Reader(qualy, any_ledger)
    texts = "Zoë 王小明 🎓\u202e\u0000 ' \" <b>" + "x" * 10_000
    good = read.state()["payment-intents"][0]
    bad: dict[str, dict[str, Any]] = {
        "a1": {"currency": "Dollars"},
        "a2": {"items": [{**good["items"][0], "amount": 10.5}]},
        "a3": {"items": "none"},
        "a4": {"createdAt": "yesterday"},
        "a5": {"createdAt": "0001-01-01T00:00:00+14:00"},
        "a6": {"contact": None},
        "a7": {"status": "something new", "surprise": {"deep": [texts]}, "notes": texts},
    }
    rows = [{**good, "_id": f"{name:0<24}", **change} for name, change in bad.items()]
    del rows[5]["contact"]
    qualy.control("POST", "load/qualy", {"payment-intents": rows})
    counts = read().counts["kinds"]["payment-intents"]
    assert counts["unreadable"] == 6
    with any_ledger.reading() as connection:
        found = {row.id[:2]: row for row in connection.execute(sa.select(source_rows))}
    fields = {name: row.problem and row.problem["field"] for name, row in found.items()}
    assert fields == {
        "a1": "currency", "a2": "items.0.amount", "a3": "items", "a4": "createdAt", "a5": "a date", "a6": "contact",
        "a7": None,
    }  # fmt: skip
    assert "Dollars" not in str(found["a1"].problem)
    assert found["a7"].content["surprise"]["deep"][0] == texts.replace("\0", "\ufffd")
    assert not found["a7"].final
    assert read().changes == 0


def test_an_unknown_list_shape_stops_the_reading(qualy: Sandbox, ledger: Ledger) -> None:
    read = Reader(qualy, ledger, paths={"contacts": "/users/user"})
    with pytest.raises(WrongShape, match="/users/user"):
        read()
    assert not any(read.held().values())


def test_a_list_that_nothing_needs_may_be_forbidden_and_one_that_money_needs_may_not(
    qualy: Sandbox, ledger: Ledger
) -> None:
    read = Reader(qualy, ledger)
    qualy.control("POST", "readings/qualy", {"forbidden": ["split-intents"]})
    assert "role" in read().counts["kinds"]["split-intents"]["refused"]
    qualy.control("POST", "readings/qualy", {"forbidden": ["transactions"]})
    with pytest.raises(Refused, match="transactions"):
        read()


def test_two_tenants_and_two_worlds_never_mix(qualy: Sandbox, ledger: Ledger) -> None:
    read = Reader(qualy, ledger)
    read()
    before = read.held()
    with pytest.raises(OtherTenant):
        extract(ledger, read.source("eu1-other", "pk_sandbox_other"), read.settings)
    assert read.held() == before


def test_a_ledger_with_real_records_refuses_a_stand_in(qualy: Sandbox, ledger: Ledger) -> None:
    ledger.stamp(stand_in=False)
    with pytest.raises(StandInMismatch):
        Reader(qualy, ledger)()


def test_two_extractions_at_once_are_one(qualy: Sandbox, any_ledger: Ledger) -> None:
    read = Reader(qualy, any_ledger)
    with Lease(any_ledger, "extract", timedelta(minutes=5)), pytest.raises(LeaseHeld):
        read(lease=Lease(any_ledger, "extract", timedelta(minutes=5)))
    assert read(lease=Lease(any_ledger, "extract", timedelta(minutes=5))).number == 1


def test_memory_does_not_grow_with_the_number_of_records(sqlite_url: str) -> None:
    """Measured in a process of its own: other threads of this one would count in."""
    words = [sys.executable, "-m", "tests.support.extract_memory", sqlite_url]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    few, many = json.loads(done.stdout)
    assert many < few * 1.3
