"""What webhooks spoke of is read again by its id, whole, and only a complete reading takes it out of the inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from connectors.qualy import QualySource, Reading, connect
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Unreachable
from qualy_sync.extract import Extracted, extract, extract_hints
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import Hint, count, keep
from qualy_sync.ledger.schema import passes, source_rows
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings
from sandbox.server import Sandbox

Json = dict[str, Any]
PLAIN = {"envelope": "data-list", "filter": "A", "limit_cap": None, "expanded": False, "updated_at": True}
PLAIN |= {"updated_at_sorts": True, "forbidden": []}
NEW = {kind: f"66{number:022x}" for number, kind in enumerate(Kind, 1)}


@pytest.fixture(scope="module")
def served(sandbox: Callable[..., Sandbox]) -> tuple[Sandbox, Json]:
    started = sandbox(payments=30, services=["qualy"], today=datetime(2026, 7, 15, tzinfo=UTC).date())
    return started, started.control("GET", "state/qualy")


class Agency:
    """Qualy's stand-in, a ledger that read it once, and an inbox."""

    def __init__(self, sandbox: Sandbox, ledger: Ledger) -> None:
        self.sandbox, self.ledger = sandbox, ledger
        self.settings = SourceSettings(page_size=10)

    def source(self) -> QualySource:
        reading = Reading(page_size=10, requests_per_second=Decimal(0), first_wait=0.001)
        endpoint = Endpoint(f"{self.sandbox.url}/qualy/v1", login="eu1-sandbox", password="pk_sandbox_qualy")
        return connect(endpoint, reading, requests.Session())

    def extract(self) -> Extracted:
        return extract(self.ledger, self.source(), self.settings)

    def read_hints(self, source: Any = None) -> Extracted | None:
        return extract_hints(self.ledger, source or self.source(), self.settings)

    def tell(self, *hints: tuple[str, str]) -> None:
        keep(self.ledger, "qualy", [[Hint(kind, each)] for kind, each in hints], 1_000)

    def change(self, **what: Any) -> None:
        self.sandbox.control("POST", "change/qualy", what)

    def new_payment(self) -> None:
        """A payment of somebody new, with a receipt and a share for a partner who is new as well."""
        state = self.sandbox.control("GET", "state/qualy")
        whole = next(one for one in state["payment-intents"] if one["transactions"])
        split = next(one for one in state["payment-splits"] if one["paymentIntent"] == whole["_id"])
        money = next(one for one in state["transactions"] if one["paymentIntent"] == whole["_id"])
        for one in (whole, split, money):
            del one["createdAt"], one["updatedAt"]  # of now, by the stand-in's clock
        ours: Json = {"paymentIntent": NEW[Kind.PAYMENT], "contact": NEW[Kind.CUSTOMER]}
        self.change(
            insert={
                "contacts": [state["contacts"][0] | {"_id": NEW[Kind.CUSTOMER]}],
                "partnerships": [state["partnerships"][0] | {"_id": NEW[Kind.PARTNER]}],
                "payment-intents": [
                    whole
                    | {"_id": NEW[Kind.PAYMENT], "contact": NEW[Kind.CUSTOMER], "transactions": [NEW[Kind.TRANSACTION]]}
                ],
                "transactions": [money | ours | {"_id": NEW[Kind.TRANSACTION]}],
                "payment-splits": [split | ours | {"_id": NEW[Kind.SPLIT], "partnership": NEW[Kind.PARTNER]}],
            }
        )

    def held(self, kind: Kind) -> dict[str, Json]:
        """What a reader of the last complete pass sees."""
        rows = source_rows.c
        with self.ledger.reading() as connection:
            pin = connection.scalar(sa.select(sa.func.max(passes.c.number)).where(passes.c.completed_at.is_not(None)))
            valid = sa.and_(rows.valid_from <= pin, sa.or_(rows.valid_to.is_(None), rows.valid_to > pin))
            found = connection.execute(sa.select(rows.id, rows.content).where(valid, rows.kind == kind))
            return {row.id: row.content for row in found}

    def knows_the_new_payment(self) -> set[Kind]:
        kinds = (Kind.CUSTOMER, Kind.PARTNER, Kind.PAYMENT, Kind.TRANSACTION, Kind.SPLIT)
        return {kind for kind in kinds if NEW[kind] in self.held(kind)}

    def calls(self) -> list[str]:
        made = [call["path"] for call in self.sandbox.control("GET", "calls/qualy")["calls"]]
        self.sandbox.control("DELETE", "calls/qualy")
        return made


@pytest.fixture
def agency(served: tuple[Sandbox, Json], ledger: Ledger) -> Iterator[Agency]:
    running, state = served
    running.control("POST", "load/qualy", state)
    running.control("POST", "readings/qualy", PLAIN)
    yield Agency(running, ledger)
    running.control("DELETE", "faults/qualy")


ABILITIES = {
    "everything": {},
    "no filters": {"filter": "ignored"},
    "no filters, no updatedAt": {"filter": "ignored", "updated_at": False},
    "references are objects": {"expanded": True},
}


@pytest.mark.parametrize("ability", ABILITIES)
@pytest.mark.parametrize("told", [Kind.PAYMENT, Kind.TRANSACTION])
def test_a_payment_is_never_seen_without_what_belongs_to_it(agency: Agency, ability: str, told: Kind) -> None:
    agency.sandbox.control("POST", "readings/qualy", ABILITIES[ability])
    agency.extract()
    agency.new_payment()
    agency.tell((told, NEW[told]))
    done = agency.read_hints()
    assert done is not None
    assert done.hints == 1
    assert agency.knows_the_new_payment() == {
        Kind.CUSTOMER, Kind.PARTNER, Kind.PAYMENT, Kind.TRANSACTION, Kind.SPLIT
    }  # fmt: skip
    assert count(agency.ledger, "qualy") == 0
    assert agency.read_hints() is None


def test_a_few_hints_cost_a_few_calls_however_much_there_is(agency: Agency) -> None:
    agency.extract()
    payments = list(agency.held(Kind.PAYMENT))[:10]
    customer = next(iter(agency.held(Kind.CUSTOMER)))
    agency.change(update={"contacts": [{"_id": customer, "email": "new@mail.example"}]})
    agency.calls()
    agency.tell((Kind.CUSTOMER, customer))
    agency.read_hints()
    assert len(agency.calls()) == 2, "who am I, and the customer"
    assert agency.held(Kind.CUSTOMER)[customer]["email"] == "new@mail.example"
    agency.tell(*((Kind.PAYMENT, each) for each in payments))
    agency.read_hints()
    assert len(agency.calls()) < 20


def test_before_the_first_complete_extraction_a_hint_waits(agency: Agency) -> None:
    customer = agency.sandbox.control("GET", "state/qualy")["contacts"][0]["_id"]
    agency.tell((Kind.CUSTOMER, customer))
    assert agency.read_hints() is None
    assert count(agency.ledger, "qualy") == 1
    agency.extract()
    assert agency.read_hints() is not None
    assert count(agency.ledger, "qualy") == 0


def test_forged_unknown_and_forbidden_ones_change_nothing_and_hold_nobody_up(agency: Agency) -> None:
    agency.extract()
    agency.sandbox.control("POST", "readings/qualy", {"forbidden": ["taxes"]})
    before = {kind: agency.held(kind) for kind in Kind}
    customer = next(iter(before[Kind.CUSTOMER]))
    agency.change(update={"contacts": [{"_id": customer, "email": "new@mail.example"}]})
    nobody = "0" * 24
    agency.tell((Kind.PAYMENT, nobody), (Kind.TAX, nobody), ("castles", nobody), (Kind.TRANSACTION, "x" * 60))
    agency.tell((Kind.CUSTOMER, customer))
    assert agency.read_hints() is not None
    assert count(agency.ledger, "qualy") == 0
    after = {kind: agency.held(kind) for kind in Kind}
    assert {kind for kind in Kind if after[kind] != before[kind]} == {Kind.CUSTOMER}


def test_an_outage_in_the_middle_shows_nothing_and_loses_nothing(agency: Agency) -> None:
    agency.extract()
    agency.new_payment()
    agency.tell((Kind.PAYMENT, NEW[Kind.PAYMENT]))
    fault = {"method": "GET", "path": "/v1/contacts", "do": "status:500", "times": None}
    agency.sandbox.control("POST", "faults/qualy", [fault])
    with pytest.raises(Unreachable):
        agency.read_hints()
    assert agency.knows_the_new_payment() == set(), "half of it was read, and nobody sees that"
    assert count(agency.ledger, "qualy") == 1
    agency.sandbox.control("DELETE", "faults/qualy")
    assert agency.read_hints() is None, "first everything, so that no half is left"
    agency.extract()
    assert agency.read_hints() is not None
    assert len(agency.knows_the_new_payment()) == 5
    assert count(agency.ledger, "qualy") == 0


def test_what_is_told_again_while_it_is_read_is_read_again(agency: Agency) -> None:
    agency.extract()
    customer = next(iter(agency.held(Kind.CUSTOMER)))
    agency.tell((Kind.CUSTOMER, customer))
    real = agency.source()

    class Meanwhile:
        """The source, behind whose back somebody changes the customer as soon as it was fetched."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def one(self, kind: Kind, record_id: str) -> Mapping[str, Any] | None:
            found = real.one(kind, record_id)
            agency.change(update={"contacts": [{"_id": customer, "email": "later@mail.example"}]})
            agency.tell((kind, record_id))
            return found

    agency.read_hints(Meanwhile())
    assert agency.held(Kind.CUSTOMER)[customer]["email"] != "later@mail.example"
    assert count(agency.ledger, "qualy") == 1
    agency.read_hints()
    assert agency.held(Kind.CUSTOMER)[customer]["email"] == "later@mail.example"


def test_late_and_out_of_order_they_lead_to_what_qualy_has_now(agency: Agency) -> None:
    agency.extract()
    customer = next(iter(agency.held(Kind.CUSTOMER)))
    for email in ("first@mail.example", "second@mail.example"):
        agency.change(update={"contacts": [{"_id": customer, "email": email}]})
    agency.extract()  # the clock was faster
    agency.tell((Kind.CUSTOMER, customer), (Kind.CUSTOMER, customer))
    done = agency.read_hints()
    assert done is not None
    assert done.changes == 0
    assert agency.held(Kind.CUSTOMER)[customer]["email"] == "second@mail.example"
