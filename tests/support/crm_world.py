"""A small world of customers: a handful at Qualy's stand-in, an account in HubSpot's, a ledger, and runs of the sync.

Both clocks move together. A run is what the DAG does, stage after stage, with the real connectors over HTTP.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qualy_app.crm_desk import CrmDesk
from qualy_app.crm_jobs import previewed
from qualy_app.desk import Desk
from qualy_app.signals import RunProblem as AppProblem
from qualy_sync.contracts.errors import ToolError
from qualy_sync.crm import stages
from qualy_sync.crm.work import CrmProblem
from qualy_sync.extract import extract
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.attempts import open_attempts
from qualy_sync.ledger.crm_schema import crm_differences, crm_links
from qualy_sync.ledger.engine import set_meta
from qualy_sync.ledger.leases import LeaseHeld, LeaseLost
from qualy_sync.ledger.runs import open_run
from qualy_sync.ledger.schema import current_outcomes, passes
from qualy_sync.load.gate import STANDING
from qualy_sync.load.gate import confirm as confirm_hash
from sandbox.server import Sandbox

from .world import MINUTE, SECRET_KEY, SETTINGS, STANDING_META, Crash, object_id

Json = dict[str, Any]
BETWEEN_RUNS = 16 * MINUTE  # past Q of the protocol on both sides
SCHEMA_OFF = {"bump_seconds": None}


def person(number: int, first: str, last: str, email: str, **more: Any) -> Json:
    """A customer as Qualy's API returns it."""
    profile = {"firstName": first, "lastName": last} | more.pop("profile", {})
    times = {"createdAt": "2026-01-02T00:00:00.000Z", "updatedAt": "2026-01-02T00:00:00.000Z"}
    return {"_id": object_id(1, number), "number": number, "email": email, "profile": profile} | times | more


@dataclass
class CrmWorld:
    """One sandbox, one ledger, and the runs between them. `problems` collects why runs stopped."""

    sandbox: Sandbox
    url: str
    settings: Path = SETTINGS
    suppression: Path | None = None
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.url, [SECRET_KEY])

    # -- beginnings

    def begin(self, customers: list[Json], contacts: list[Json] | None = None, *, confirmed: bool = True) -> CrmWorld:
        """These customers and contacts, nothing else; both clocks together; no limits in the way."""
        control = self.sandbox.control
        kinds = ("payment-intents", "payment-splits", "split-intents", "transactions", "partnerships", "taxes")
        control("POST", "load/qualy", {"contacts": customers, **{kind: [] for kind in kinds}})
        control(
            "POST", "load/hubspot", {"contacts": contacts or [], "blocked_emails": [], "properties": [], "groups": []}
        )
        for service in ("qualy", "hubspot"):
            control("DELETE", f"faults/{service}")
            control("DELETE", f"calls/{service}")
        control("POST", "revoke/hubspot", {})
        control("POST", "quota/hubspot", {"ten_seconds": 100_000, "search_per_second": 100_000})
        self.ledger.move_clock(timedelta(seconds=control("GET", "clock")["offset_seconds"]))
        if confirmed:
            with self.ledger.writing() as connection:
                set_meta(connection, STANDING_META, STANDING)
        return self

    def environment(self) -> dict[str, str]:
        qualy = {"host": f"{self.sandbox.url}/qualy/v1", "login": "eu1-sandbox", "password": "pk_sandbox_qualy"}
        hubspot = {"host": f"{self.sandbox.url}/hubspot", "password": "pat-sandbox-hubspot"}
        found = {
            "QUALY_LEDGER_URL": self.url,
            "QUALY_SETTINGS": str(self.settings),
            "QUALY_SECRET_KEYS": SECRET_KEY,
            "AIRFLOW_CONN_QUALY": json.dumps({"conn_type": "http"} | qualy),
            "AIRFLOW_CONN_HUBSPOT": json.dumps({"conn_type": "http"} | hubspot),
        }
        return found | ({"QUALY_SUPPRESSION": str(self.suppression)} if self.suppression else {})

    def desk(self, checkpoint: Callable[[str], None] = lambda name: None) -> CrmDesk:
        desk = Desk(self.environment(), checkpoint, self.pass_time)
        desk.ledger = self.ledger
        return CrmDesk("hubspot", desk)

    # -- time and runs

    def pass_time(self, seconds: float) -> None:
        self.ledger.move_clock(timedelta(seconds=seconds))
        self.sandbox.control("POST", "clock", {"advance_seconds": seconds})

    def extract(self) -> None:
        """One pass; the quality suites have stories of their own."""
        desk = self.desk().desk
        extract(self.ledger, desk.source, desk.settings.source)
        with self.ledger.writing() as connection:
            connection.execute(sa.update(passes).values(checked_at=passes.c.completed_at))

    def run(self, checkpoint: Callable[[str], None] = lambda name: None, *, hints: tuple[str, ...] = ()) -> bool:
        """An extraction and a whole run. What stops it is kept in `problems`."""
        desk = self.desk(checkpoint)
        try:
            self.extract()
            run = open_run(self.ledger, "hubspot", by_clock=True, settings_version=desk.desk.settings.version)
            work = desk.read_account(run)
            stages.read(work, hints)
            stages.plan(work)
            stages.write(work)
            stages.into_qualy(work)
        except (CrmProblem, AppProblem, ToolError, LeaseHeld, LeaseLost) as problem:
            self.problems.append(f"{type(problem).__name__}: {problem}")
            return False
        return True

    def later(self, seconds: float = BETWEEN_RUNS) -> bool:
        """Time passes, then a run."""
        self.pass_time(seconds)
        return self.run()

    def run_until_quiet(self, most: int = 12) -> None:
        """Runs until one wrote nothing and left nothing that is due."""
        for _ in range(most):
            before = len(self.writes())
            if self.later() and len(self.writes()) == before and not self.unfinished():
                return
        raise AssertionError(f"not quiet: {self.unfinished()}; {self.problems}; {self.writes()[-3:]}")

    def confirm(self, by: str = "Olga") -> str:
        """A person looks at the preview and confirms it by its hash."""
        desk = self.desk()
        run = open_run(self.ledger, "preview", by_clock=True, settings_version=desk.desk.settings.version)
        work = desk.read_account(run)
        name, _, _ = previewed(work)
        assert confirm_hash(self.ledger, work.book, name, by)
        return name

    def crash(self, point: str, batch: int = 1) -> None:
        """A run that breaks off at that point of that batch."""
        left = batch

        def checkpoint(name: str) -> None:
            nonlocal left
            left -= name == point
            if name == point and not left:
                raise Crash

        with suppress(Crash):
            self.run(checkpoint)
            raise AssertionError(f"the run never came to {point}")

    # -- the two sides

    def qualy(self, change: str, **body: Any) -> None:
        """`update`, `insert` or `delete` of one customer at Qualy, by a person there."""
        self.sandbox.control("POST", "change/qualy", {change: {"contacts": [body]} if change != "delete" else body})

    def hubspot(self, do: str, **given: Any) -> Json:
        """What a person does in HubSpot's pages."""
        found: Json = self.sandbox.control("POST", "ui/hubspot", {"do": do} | given)
        return found

    def customers(self) -> dict[str, Json]:
        return {one["_id"]: one for one in self.sandbox.control("GET", "state/qualy")["contacts"]}

    def contacts(self, *, archived: bool = False) -> dict[str, Json]:
        """HubSpot's contacts by id, as the API returns them."""
        found = self.sandbox.control("GET", "state/hubspot")["contacts"]
        return {one["id"]: one for one in found if one.get("archived", False) == archived}

    def contact(self, email: str) -> Json:
        (found,) = [one for one in self.contacts().values() if one["properties"].get("email") == email]
        return found

    def faults(self, service: str, *faults: Json) -> None:
        self.sandbox.control("POST", f"faults/{service}", list(faults))

    def calls(self, service: str = "hubspot") -> list[Json]:
        return list(self.sandbox.control("GET", f"calls/{service}")["calls"])

    def writes(self) -> list[str]:
        """Every call that writes, on both sides, in order."""
        hubspot = [one for one in self.calls() if re.search(r"batch/(create|update|upsert)$", one["path"])]
        hubspot = [one for one in hubspot if "/properties/" not in one["path"]]
        qualy = [one for one in self.calls("qualy") if one["method"] not in ("GET", "HEAD")]
        return [f"{one['method']} {one['path']}" for one in (*hubspot, *qualy)]

    # -- the ledger

    def book(self) -> int:
        with self.ledger.reading() as connection:
            return int(connection.scalar(sa.text("SELECT id FROM books WHERE tool = 'hubspot'")) or 0)

    def outcomes(self, leg: str = "contact") -> dict[str, str]:
        with self.ledger.reading() as connection:
            rows = connection.execute(sa.select(current_outcomes).where(current_outcomes.c.leg == leg))
            return {row.source_id: row.code for row in rows}

    def outcome(self, source_id: str, leg: str = "contact") -> str:
        return self.outcomes(leg)[source_id]

    def unfinished(self) -> list[str]:
        waiting = ("its_turn", "unknown", "unreachable", "out_of_quota")
        found = [
            f"{leg} {key}: {code}"
            for leg in ("contact", "customer")
            for key, code in self.outcomes(leg).items()
            if code in waiting
        ]
        return found + [f"open {one.what} {one.id}" for one in open_attempts(self.ledger, self.book())]

    def links(self) -> dict[str, str]:
        with self.ledger.reading() as connection:
            rows = connection.execute(sa.select(crm_links).where(crm_links.c.state == "linked"))
            return {row.source_id: row.remote_id for row in rows}

    def differences(self) -> dict[tuple[str, str], str]:
        with self.ledger.reading() as connection:
            return {(row.source_id, row.field): row.reason for row in connection.execute(sa.select(crm_differences))}

    def refs(self) -> Counter[str]:
        """How often each Qualy id stands in a contact that is there."""
        return Counter(one["properties"].get("qualy_id") or "" for one in self.contacts().values())


def settings_with(tmp_path: Path, changes: Mapping[str, str]) -> Path:
    """The sandbox's settings with some texts replaced; each has to be there once."""
    text = SETTINGS.read_text(encoding="utf-8")
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path
