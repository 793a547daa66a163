"""What every accounting connector has to pass: one agency, one ledger, and a tool that is told apart by its case alone.

A case (`tests/connectors/accounting/cases/<tool>.py`, with a `CASE` in it) says how its stand-in is reached, what is
done in it by hand, and what it holds, in plain words. The stories know no tool.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from qualy_app.desk import Desk
from qualy_app.tools import TOOLS
from qualy_sync.contracts.accounting import Ability, AccountingTool, What
from qualy_sync.extract import extract
from qualy_sync.ledger.engine import set_meta
from qualy_sync.ledger.schema import passes
from qualy_sync.load.gate import STANDING
from sandbox.server import Sandbox
from tests.support.world import OWN, SECRET_KEY, STANDING_META, Json, Maker, World

CASES = Path(__file__).parents[1] / "connectors" / "accounting" / "cases"
EMAIL = "ada.lovelace@mail.example"
NAME = "Ada Lovelace"
PER_BATCH = 2  # at most, so that a handful of records makes several batches
ROOM = timedelta(minutes=1)
MOST_RUNS = 8


@dataclass(frozen=True)
class Held:
    """What a tool holds that is live, in plain words, each with how often it is there."""

    contacts: Counter[tuple[str, str]]  # name, email (lower case)
    documents: Counter[tuple[str, str, int, int]]  # kind, our ref, total, still due (minor units)
    settlements: Counter[tuple[str, str, int]]  # the document's ref, our ref, amount


class Case(ABC):
    """One tool, and its stand-in."""

    tool: ClassVar[str]
    profile: ClassVar[str]
    settings: ClassVar[Path]
    currency: ClassVar[str]
    writes: ClassVar[Mapping[What, tuple[str, str]]]  # method and beginning of the path by which each kind is made
    partly: ClassVar[Json]  # a fault by which a part of a batch is done, and nothing is heard of the rest
    missing: ClassVar[frozenset[str]]  # outcomes of what names something that is not there any more

    # -- the stand-in

    @abstractmethod
    def connection(self, sandbox: Sandbox) -> Json:
        """An Airflow connection that works: each call gives one that nobody has used before."""

    @abstractmethod
    def bare(self, sandbox: Sandbox) -> None:
        """An organisation with its chart and nothing else, no lock date, and calls enough."""

    @abstractmethod
    def held(self, sandbox: Sandbox) -> Held:
        """What is live there, whoever made it."""

    @abstractmethod
    def exhaust(self, sandbox: Sandbox) -> None:
        """No more calls for now; `bare` without emptying anything is `refill`."""

    @abstractmethod
    def refill(self, sandbox: Sandbox) -> None:
        """Calls enough again."""

    # -- by hand, in the tool's own pages

    @abstractmethod
    def add_contact(self, sandbox: Sandbox, name: str, email: str, currency: str = "") -> str:
        """A customer; its id. The currency counts where a contact has one for good."""

    @abstractmethod
    def archive_contact(self, sandbox: Sandbox, contact_id: str) -> None: ...

    @abstractmethod
    def add_invoice(self, sandbox: Sandbox, contact_id: str, amount: int, day: date) -> None:
        """An invoice without our reference, over so many minor units."""

    @abstractmethod
    def take_away(self, sandbox: Sandbox, ref: str) -> None:
        """Voids or deletes the invoice with this ref of ours."""

    @abstractmethod
    def spoil_reference(self, sandbox: Sandbox) -> None:
        """Takes away what the settings map accommodation to; `bare` brings it back."""

    @abstractmethod
    def lock(self, world: ToolWorld, day: date | None) -> None:
        """Closes the books up to a day, that day included, or opens them."""

    @abstractmethod
    def wires(self, body: bytes) -> list[bytes]:
        """The bodies of the requests that the body of an attempt comes to."""

    # -- the agency

    def agency(self, now: datetime) -> dict[str, list[Json]]:
        """Qualy's records."""
        return agency(now, self.currency)

    def called(self, sandbox: Sandbox) -> list[Json]:
        """Every call to the tool."""
        found: list[Json] = sandbox.control("GET", f"calls/{self.tool}")["calls"]
        return found

    def written(self, sandbox: Sandbox) -> list[Json]:
        """Every call that wrote, in order."""
        return [
            call
            for call in self.called(sandbox)
            if any(call["method"] == method and call["path"].startswith(path) for method, path in self.writes.values())
        ]


@dataclass(frozen=True)
class Ground:
    """What the stories of one case share."""

    case: Case
    sandbox: Sandbox
    ledger: Path  # after the extraction, to copy


def cases() -> list[Case]:
    """Every case that there is."""
    names = sorted(path.stem for path in CASES.glob("*.py"))
    return [importlib.import_module(f"tests.connectors.accounting.cases.{name}").CASE for name in names]


def unless(tool: AccountingTool, ability: Ability) -> None:
    """Passes over a story where the tool declares that it cannot do what the story is about, and why."""
    for gap in tool.gaps:
        if gap.ability is ability:
            pytest.skip(gap.sentence)


def agency(now: datetime, currency: str) -> dict[str, list[Json]]:
    """Two customers, a partner, four payments: paid in two parts, due, paid with a partner's share, paid in part."""
    made = Maker(now - timedelta(days=9))
    ada = made.customer(1, "Ada", "Lovelace", "Ada.Lovelace@mail.example")
    wei = made.customer(2, "伟", "陈", "wei.chen@inbox.example")
    school = made.partner(1, "Cork School of Hospitality", "billing@school.example", taxId="11222333000181")
    money = {"currency": currency, "tax": None}
    own = [("remainder", OWN, 60_000, 0)]
    made.payment(1, ada, "paid", items=[("Enrolment fee", 60_000)], shares=own, charges=[25_000, 35_000], **money)
    made.payment(2, ada, "due", items=[("Visa", 15_500)], shares=[("remainder", OWN, 15_500, 0)], **money)
    made.payment(
        3,
        wei,
        "paid",
        items=[("Accommodation", 90_000)],
        shares=[("amount-flat", school, 70_000, 0), ("remainder", OWN, 20_000, 0)],
        charges=[90_000],
        **money,
    )
    part = [("remainder", OWN, 45_000, 0)]
    made.payment(4, wei, "paid-partial", items=[("Visa", 45_000)], shares=part, charges=[20_000], **money)
    return made.objects


@dataclass
class ToolWorld(World):
    """A `World` of one case."""

    case: Case = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settings = self.case.settings
        self.connection = self.case.connection(self.sandbox)

    def begin(self, *, empty: bool = True, confirmed: bool = True) -> ToolWorld:
        if empty:
            self.case.bare(self.sandbox)
        self.clear_faults()
        self.sandbox.control("DELETE", f"calls/{self.case.tool}")
        offset = self.sandbox.control("GET", "clock")["offset_seconds"]
        self.ledger.move_clock(timedelta(seconds=offset))
        if confirmed:
            with self.ledger.writing() as connection:
                set_meta(connection, STANDING_META, STANDING)
        return self

    def environment(self) -> dict[str, str]:
        return environment(self.case, self.sandbox, self.connection, self.url, self.settings)

    def desk(self, checkpoint: Callable[[str], None] = lambda name: None) -> Desk:
        desk = Desk(self.environment(), checkpoint, self.pass_time)
        desk.ledger = self.ledger
        few = {what: min(PER_BATCH, number) for what, number in desk.tool.limits.per_call.items()}
        desk.tool.limits = replace(desk.tool.limits, per_call=few)
        return desk

    def pass_time(self, seconds: float) -> None:
        """Both clocks move, at once: nothing here is postponed by less than a run."""
        self.ledger.move_clock(timedelta(seconds=seconds))
        self.sandbox.control("POST", "clock", {"advance_seconds": seconds})

    @property
    def between(self) -> float:
        """Seconds from one run to the next: past every Q of the tool's."""
        limits = self.desk().tool.limits
        return (max(limits.q(what) for what in What) + ROOM).total_seconds()

    def settle(self) -> ToolWorld:
        """Runs until nothing is due and nothing unsettled."""
        for _ in range(MOST_RUNS):
            if "invalid" in self.outcomes().values():
                self.try_again("invalid")
            if self.run() and not self.unfinished():
                return self
            self.pass_time(self.between)
        raise AssertionError(f"still unfinished after {MOST_RUNS} runs: {self.unfinished()}; {self.problems}")

    def settle_others(self) -> ToolWorld:
        """Runs until nothing is due and nothing unsettled but what waits for what a person has to sort out."""
        for _ in range(MOST_RUNS):
            assert self.run(), self.problems
            if not [one for one in self.unfinished() if not one.endswith(": waiting_for")]:
                return self
            self.pass_time(self.between)
        raise AssertionError(f"still unfinished after {MOST_RUNS} runs: {self.unfinished()}; {self.problems}")

    def fault(self, what: What, **fault: Any) -> None:
        """A fault at the calls that make records of a kind."""
        method, path = self.case.writes[what]
        self.faults({"method": method, "path": path.removeprefix(f"/{self.case.tool}"), **fault})

    def faults(self, *faults: Json) -> None:
        for fault in faults:
            self.sandbox.control("POST", f"faults/{self.case.tool}", fault)

    def clear_faults(self) -> None:
        self.sandbox.control("DELETE", f"faults/{self.case.tool}")

    def writes(self) -> list[Json]:
        return self.case.written(self.sandbox)

    def held(self) -> Held:
        return self.case.held(self.sandbox)

    def stored(self) -> Counter[str]:
        """Hashes of the requests that the attempts in the ledger hold."""
        bodies = [self.ledger.unseal(bytes(row.body)) for row in self.attempts()]
        return Counter(hashlib.sha256(one).hexdigest() for body in bodies for one in self.case.wires(body))

    def received(self) -> Counter[str]:
        """Hashes of the requests that wrote, as the stand-in received them."""
        return Counter(call["body_sha256"] for call in self.writes())

    def now(self) -> datetime:
        return self.ledger.now()

    def read_source(self) -> None:
        """Another pass over Qualy."""
        desk = self.desk()
        extract(desk.ledger, desk.source, desk.settings.source)
        _count_as_checked(desk)


def extracted(case: Case, sandbox: Sandbox, url: str) -> None:
    """Fills a migrated ledger with the agency's records."""
    sandbox.control("POST", "load/qualy", case.agency(datetime.now(UTC)))
    connection = case.connection(sandbox)
    desk = Desk(environment(case, sandbox, connection, url, case.settings))
    extract(desk.ledger, desk.source, desk.settings.source)
    _count_as_checked(desk)
    desk.ledger.close()


def _count_as_checked(desk: Desk) -> None:
    with desk.ledger.writing() as connection:
        # The suites of data quality have stories of their own: here the pass counts as checked.
        connection.execute(sa.update(passes).values(checked_at=passes.c.completed_at))


def environment(case: Case, sandbox: Sandbox, connection: Json, ledger: str, settings: Path) -> dict[str, str]:
    """Where everything is, as `Desk` reads it."""
    qualy = {"host": f"{sandbox.url}/qualy/v1", "login": "eu1-sandbox", "password": "pk_sandbox_qualy"}
    variable = f"AIRFLOW_CONN_{TOOLS[case.tool].connection.upper()}"
    return {
        "QUALY_LEDGER_URL": ledger,
        "QUALY_SETTINGS": str(settings),
        "QUALY_SECRET_KEYS": SECRET_KEY,
        "AIRFLOW_CONN_QUALY": json.dumps({"conn_type": "http"} | qualy),
        variable: json.dumps({"conn_type": "http"} | connection),
    }
