"""An agency's small world for the stories of DAG runs: Qualy's and Xero's stand-ins, a ledger, and a clock for both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Iterator

import sqlalchemy as sa

from qualy_app.params import SyncParams
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.cursors import get_cursor
from qualy_sync.ledger.schema import cursors, current_outcomes, leases
from sandbox.server import Sandbox
from tests.conftest import SECRET_KEY
from tests.airflow_home import ROOT

TODAY = date(2026, 7, 15)
PAYMENTS = 40
SEED = 1
PLENTY = {"minute": 100_000, "day": 1_000_000}
SECRETS = ("pk_sandbox_qualy", "sandbox-secret", "sandbox-refresh-token", SECRET_KEY)
WRITES = ("PUT", "POST")
FILES = ("sandbox.db", "ledger.db")


@dataclass
class World:
    """Everything outside Airflow that a run touches."""

    folder: Path
    sandbox: Sandbox
    ledger: Ledger

    @classmethod
    def open(cls, folder: Path) -> World:
        """Starts the stand-ins and opens the ledger that `folder` holds, or makes new ones."""
        sandbox = Sandbox.start(
            payments=PAYMENTS, seed=SEED, today=TODAY, state=folder / "sandbox.db", services=("qualy", "xero")
        )
        sandbox.control("POST", "quota/xero", PLENTY)
        return cls(folder, sandbox, Ledger(f"sqlite:///{folder / 'ledger.db'}", [SECRET_KEY]))

    @classmethod
    def copied(cls, template: Path, folder: Path) -> World:
        """The world that lies in `template`, once more."""
        for name in FILES:
            shutil.copy(template / name, folder / name)
        return cls.open(folder)

    def close(self) -> None:
        self.sandbox.stop()
        self.ledger.close()

    def environment(self) -> dict[str, str]:
        """What points the core, and so the tasks, at this world."""
        url = self.sandbox.url
        qualy = {
            "conn_type": "http",
            "host": f"{url}/qualy/v1",
            "login": "eu1-sandbox",
            "password": "pk_sandbox_qualy",
        }
        xero = {
            "conn_type": "http",
            "host": f"{url}/xero/api.xro/2.0",
            "login": "sandbox-app",
            "password": "sandbox-secret",
            "extra": {
                "identity_url": f"{url}/xero/identity",
                "connections_url": f"{url}/xero/connections",
                "refresh_token": "sandbox-refresh-token",
            },
        }
        return {
            "QUALY_LEDGER_URL": self.ledger.url,
            "QUALY_SETTINGS": str(ROOT / "sandbox" / "settings.yaml"),
            "QUALY_SECRET_KEYS": SECRET_KEY,
            "QUALY_REPORTS": str(self.folder / "reports"),
            "AIRFLOW_CONN_QUALY": json.dumps(qualy),
            "AIRFLOW_CONN_XERO": json.dumps(xero),
        }

    # -- what happens outside

    def lock(self, until: date | None) -> None:
        """Somebody moves the lock date in Xero."""
        day = until.isoformat() if until else None
        self.sandbox.control("POST", "lock-date/xero", {"period": day, "year_end": None})

    def pass_time(self, by: timedelta) -> None:
        """The clocks of the stand-ins and of the ledger."""
        self.sandbox.control("POST", "clock", {"advance_seconds": by.total_seconds()})
        self.ledger.move_clock(by)

    def free_leases(self) -> None:
        """Time passes until every lease that a dead process left has ended."""
        with self.ledger.reading() as connection:
            last: datetime | None = connection.scalar(sa.select(sa.func.max(leases.c.expires_at)))
        left = last - self.ledger.now() if last else timedelta(0)
        if left > timedelta(0):
            self.pass_time(left + timedelta(seconds=1))

    def fault(self, method: str, path: str, do: str, times: int | None = 1, after: int = 0) -> None:
        """Xero misbehaves."""
        faults = [{"method": method, "path": path, "do": do, "times": times, "after": after}]
        self.sandbox.control("POST", "faults/xero", faults)

    # -- what is there

    def books(self) -> Counter[tuple[Any, ...]]:
        """What Xero holds, without its ids: each contact, document and payment, counted."""
        held = self.sandbox.control("GET", "state/xero")
        found: Counter[tuple[Any, ...]] = Counter()
        for each in held["Contacts"]:
            found["contact", each["Name"], each.get("EmailAddress", "")] += 1
        for each in held["Invoices"]:
            number = each.get("InvoiceNumber") or each.get("Reference")
            found["document", each["Type"], number, each["Status"], each["Total"], each["AmountPaid"]] += 1
        for each in held["Payments"]:
            found["payment", each["Invoice"].get("InvoiceNumber"), each["Amount"], each["Date"], each["Status"]] += 1
        return found

    def documents(self) -> Counter[str]:
        """How often Xero holds each number that we gave."""
        held = self.sandbox.control("GET", "state/xero")["Invoices"]
        return Counter(each["InvoiceNumber"] for each in held if str(each.get("InvoiceNumber", "")).startswith("Q-"))

    def outcomes(self) -> dict[tuple[str, str], str]:
        """The outcome of each leg of each record."""
        with self.ledger.reading() as connection:
            rows = connection.execute(sa.select(current_outcomes.c.leg, current_outcomes.c.source_id, current_outcomes.c.code))
            return {(row.leg, row.source_id): row.code for row in rows}

    def under(self, code: str) -> set[tuple[str, str]]:
        """The legs with an outcome."""
        return {key for key, found in self.outcomes().items() if found == code}

    def cursors(self) -> dict[str, Any]:
        """How far everything was read and planned."""
        with self.ledger.reading() as connection:
            names = connection.scalars(sa.select(cursors.c.name)).all()
        return {name: get_cursor(self.ledger, name) for name in names}

    def writes(self) -> int:
        """How many records were sent to Xero since `forget_calls`."""
        calls = self.sandbox.control("GET", "calls/xero")["calls"]
        return sum(each["records"] or 0 for each in calls if each["method"] in WRITES and "/api.xro/" in each["path"])

    def forget_calls(self) -> None:
        self.sandbox.control("DELETE", "calls/xero")

    def people(self) -> set[str]:
        """Every email, name and phone number that the stand-ins hold."""
        held = self.sandbox.control("GET", "state/qualy")
        there = self.sandbox.control("GET", "state/xero")
        found = {each.get("email") for kind in ("contacts", "partnerships", "users") for each in held[kind]}
        for each in [*held["contacts"], *held["users"]]:
            profile = each.get("profile") or {}
            found |= {f"{profile.get('firstName', '')} {profile.get('lastName', '')}", profile.get("lastName")}
        found |= {each.get("name") for each in held["partnerships"]}
        for each in there["Contacts"]:
            found |= {each.get("Name"), each.get("EmailAddress")}
        return {text.strip() for text in found if text and len(text.strip()) > 3}


def make_template(folder: Path) -> None:
    """A world in which Qualy was read once and nothing was written yet."""
    from qualy_app import jobs

    with as_environment(world := World.open(folder)):
        jobs.prepare_local(os.environ)
        then = datetime.fromisoformat(world.sandbox.control("GET", "clock")["now"])
        world.ledger.move_clock(then - world.ledger.now())
        read_qualy("extract_qualy/before")
    world.close()


def read_qualy(dag_run: str) -> None:
    """What `extract_qualy` does, without Airflow."""
    from qualy_app import jobs

    jobs.extract(dag_run, 1)
    jobs.quality(dag_run)
    jobs.publish(dag_run)


@contextmanager
def as_environment(world: World) -> Iterator[World]:
    before = dict(os.environ)
    os.environ.update(world.environment())
    try:
        yield world
    finally:
        for name in world.environment():
            os.environ.pop(name, None)
        os.environ.update({name: before[name] for name in world.environment() if name in before})
