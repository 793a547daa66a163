"""An agency's small world for the stories of DAG runs: Qualy's and Xero's stand-ins, a ledger, and a clock for both."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qualy_app.connections import variable
from qualy_app.local.connections import for_tool
from qualy_app.local.places import Places
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.cursors import get_cursor
from qualy_sync.ledger.decisions import decide
from qualy_sync.ledger.schema import attempt_steps, current_outcomes, cursors, leases, links
from sandbox.server import Sandbox
from tests.airflow_home import ROOT
from tests.conftest import SECRET_KEY

TODAY = date(2026, 7, 15)
PAYMENTS = 40
SEED = 1
PLENTY = {"minute": 100_000, "day": 1_000_000}
SECRETS = ("pk_sandbox_qualy", "pat-sandbox-hubspot", "sandbox-secret", "sandbox-refresh-token", SECRET_KEY)
FILES = ("sandbox.db", "ledger.db")


Ending = tuple[Counter[tuple[Any, ...]], dict[tuple[str, str], str]]


@dataclass
class World:
    """Everything outside Airflow that a run touches."""

    folder: Path
    sandbox: Sandbox
    ledger: Ledger
    _passes: int = 0

    @classmethod
    def open(cls, folder: Path) -> World:
        """Starts the stand-ins and opens the ledger that `folder` holds, or makes new ones."""
        sandbox = Sandbox.start(
            payments=PAYMENTS,
            seed=SEED,
            today=TODAY,
            state=folder / "sandbox.db",
            services=("qualy", "xero", "hubspot", "mailchimp"),
        )
        sandbox.control("POST", "quota/xero", PLENTY)
        return cls(folder, sandbox, Ledger(f"sqlite:///{folder / 'ledger.db'}", [SECRET_KEY]))

    @classmethod
    def copied(cls, template: Path, folder: Path) -> World:
        """The world that lies in `template`, once more."""
        for name in FILES:
            with closing(sqlite3.connect(template / name)) as there, closing(sqlite3.connect(folder / name)) as here:
                there.backup(here)  # a plain copy would miss what is still in the write-ahead log
        return cls.open(folder)

    def close(self) -> None:
        self.sandbox.stop()
        self.ledger.close()

    def environment(self) -> dict[str, str]:
        """What points the core, and so the tasks, at this world."""
        places = Places(self.folder, port=0, sandbox_port=int(self.sandbox.url.rpartition(":")[2]))
        connections = for_tool("xero", places)
        return {
            "QUALY_LEDGER_URL": self.ledger.url,
            "QUALY_SETTINGS": str(ROOT / "sandbox" / "settings.yaml"),
            "QUALY_SECRET_KEYS": SECRET_KEY,
            "QUALY_REPORTS": str(self.folder / "reports"),
            "QUALY_CSV": str(self.folder / "csv"),
            **{variable(name): json.dumps(fields) for name, fields in connections.items()},
        }

    # -- what happens outside

    def lock(self, until: date | None) -> None:
        """Somebody moves the lock date in Xero."""
        day = until.isoformat() if until else None
        self.sandbox.control("POST", "lock-date/xero", {"period": day, "year_end": None})

    def change_qualy(self, **changes: Any) -> None:
        """Somebody works in Qualy, and the hourly extraction reads it."""
        self.sandbox.control("POST", "change/qualy", changes)
        self._passes += 1
        read_qualy(f"extract_qualy/pass_{self._passes}")

    def cancel_a_payment(self) -> None:
        """Somebody cancels, in Qualy, a payment that stands in Xero and that nobody has paid."""
        self._unpaid_becomes("canceled")

    def give_a_payment_a_status_of_its_own(self) -> None:
        """Qualy begins to use a status that the settings do not list."""
        self._unpaid_becomes("under-review")

    def _unpaid_becomes(self, status: str) -> None:
        self.change_qualy(update={"payment-intents": [{"_id": self.unpaid()[0], "status": status}]})

    def sell(self, *categories: str) -> list[str]:
        """Somebody sells one thing of each category to a customer who stands in Xero. Gives the payments' ids."""
        sold = len(self.sandbox.control("GET", "state/qualy")["payment-intents"])
        customer = self._buyer()
        payments = [self._payment(number, customer, name) for number, name in enumerate(categories, start=sold)]
        self.change_qualy(insert={"payment-intents": payments})
        return [each["_id"] for each in payments]

    def _buyer(self) -> str:
        """A customer who stands in Xero."""
        return min(source for (leg, source), code in self.outcomes().items() if (leg, code) == ("contact", "created"))

    def sell_to_a_newcomer(self, day: date) -> tuple[str, str]:
        """A visa for a customer whom nobody knew before, sold on that day. Gives the ids of customer and payment."""
        customer = "68fd00000000000000000001"
        name = {"firstName": "Mary", "lastName": "Newcomer"}
        noon = f"{day.isoformat()}T12:00:00.000Z"
        payment = self._payment(1, customer, "Visa") | {"createdAt": noon, "dueAt": noon}
        person = {"_id": customer, "number": 99_001, "email": "mary.newcomer@mail.example", "profile": name}
        self.change_qualy(insert={"contacts": [person], "payment-intents": [payment]})
        return customer, payment["_id"]

    def _payment(self, number: int, customer: str, category: str) -> dict[str, Any]:
        """A payment that is due, of one item."""
        like = self._due()
        kept = {name: like[name] for name in ("intentType", "currency", "dueAt", "tax") if name in like}
        item = {"_id": f"68ff{number:020x}", "name": category, "category": category, "amount": 10_000}
        new = {"_id": f"68fe{number:020x}", "number": 90_000 + number, "contact": customer, "status": "due"}
        return kept | new | {"amount": 10_000, "due": 10_000, "items": [item], "transactions": []}

    def _due(self) -> dict[str, Any]:
        held: list[dict[str, Any]] = self.sandbox.control("GET", "state/qualy")["payment-intents"]
        return next(each for each in held if each["status"] == "due")

    def next_sale(self) -> tuple[str, str]:
        """The id that the next payment of `sell` has, and the customer who buys."""
        number = len(self.sandbox.control("GET", "state/qualy")["payment-intents"])
        return f"68fe{number:020x}", self._buyer()

    def decide(self, leg: str, source_id: str, choice: str) -> bool:
        """A person decides on one leg of one record: the choice, and behind a colon what it is about."""
        with self.ledger.reading() as connection:
            where = (current_outcomes.c.leg == leg, current_outcomes.c.source_id == source_id)
            book: int = connection.scalars(sa.select(current_outcomes.c.book).where(*where)).one()
        word, _, argument = choice.partition(":")
        return decide(self.ledger, book, leg, source_id, word, argument, "Finance", "As it is in the contract.")

    def by_hand(self, do: str, **given: Any) -> Any:
        """Somebody does something in Xero's own screens."""
        return self.sandbox.control("POST", "ui/xero", {"do": do, **given})

    def edit(self, payment: str, **fields: Any) -> None:
        """Somebody changes a payment's invoice in Xero."""
        self.by_hand("edit_invoice", invoice=self.linked("invoice", payment), fields=fields)

    def reprice(self, payment: str, amount: str) -> None:
        """Somebody makes the first line of a payment's invoice in Xero cost something else."""
        first, *others = self.lines_of(payment)
        self.edit(payment, LineItems=[first | {"UnitAmount": amount}, *others])

    def lines_of(self, payment: str) -> list[dict[str, Any]]:
        """The lines of a payment's invoice in Xero, as its screens send them."""
        kept = ("LineItemID", "Description", "Quantity", "UnitAmount", "AccountCode", "TaxType")
        lines = self._invoice(self.linked("invoice", payment))["LineItems"]
        return [{name: line[name] for name in kept if name in line} for line in lines]

    def book_by_hand(self, customer: str, number: str, reference: str) -> None:
        """Somebody makes an invoice for a customer in Xero: of the sum that `sell` asks for."""
        line = {"Description": "Visa", "Quantity": 1, "UnitAmount": 100, "AccountCode": "205", "TaxType": "OUTPUT"}
        day = TODAY.isoformat()
        fields = {"Type": "ACCREC", "Contact": {"ContactID": self.linked("contact", customer)}, "Date": day}
        fields |= {"DueDate": day, "LineAmountTypes": "Inclusive", "LineItems": [line], "Status": "AUTHORISED"}
        fields |= {"InvoiceNumber": number, "Reference": reference, "CurrencyCode": self._due()["currency"]}
        self.by_hand("create_invoice", fields=fields)

    def ignore_everything(self) -> None:
        """A person leaves out, on purpose, everything that waits for a person."""
        with self.ledger.reading() as connection:
            rows = connection.execute(
                sa.select(current_outcomes).where(current_outcomes.c.trouble_key.is_not(None))
            ).all()
        for row in rows:
            assert decide(self.ledger, row.book, row.leg, row.source_id, "ignore", "", "Finance", "Booked by hand.")

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

    def fault(
        self, method: str, path: str, do: str, times: int | None = 1, after: int = 0, service: str = "xero"
    ) -> None:
        """Xero, or another service, misbehaves."""
        faults = [{"method": method, "path": path, "do": do, "times": times, "after": after}]
        self.sandbox.control("POST", f"faults/{service}", faults)

    def hold(self, path: str) -> None:
        """Xero takes the next call of this kind and does nothing yet, until `release`."""
        self.fault("PUT", f"/api.xro/2.0/{path}", "hold")

    def hold_reading(self, kind: str) -> None:
        """Qualy takes the next call for a list and does nothing yet, until `release`."""
        self.fault("GET", f"/v1/{kind}", "hold", service="qualy")

    def until_held(self) -> None:
        """Returns once a call is held."""
        deadline = time.monotonic() + 120
        while not self.sandbox.control("GET", "held")["held"]:
            assert time.monotonic() < deadline, "no call came"
            time.sleep(0.05)

    def release(self) -> None:
        self.sandbox.control("POST", "release")

    def process(self, *command: str) -> subprocess.Popen[bytes]:
        """A process of its own that works on this world: `-c CODE` of Python, or `-m MODULE`, with arguments."""
        paths = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([sys.executable, *command], env=os.environ | paths, cwd=ROOT, **quiet)

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

    def ending(self) -> Ending:
        """What everything came to: Xero's books, and the outcome of each leg (found again is as good as created)."""
        same = {"adopted": "created"}
        return self.books(), {key: same.get(code, code) for key, code in self.outcomes().items()}

    def unpaid(self) -> list[str]:
        """Payments that stand in Xero and of which nobody has paid anything."""
        paid = {each["paymentIntent"] for each in self.sandbox.control("GET", "state/qualy")["transactions"]}
        standing = {source for (leg, source), code in self.outcomes().items() if (leg, code) == ("invoice", "created")}
        return sorted(standing - paid)

    def linked(self, leg: str, source_id: str) -> str:
        """The id in Xero of what stands for one leg of a record."""
        with self.ledger.reading() as connection:
            where = (links.c.leg == leg, links.c.source_id == source_id)
            return str(connection.scalars(sa.select(links.c.remote_id).where(*where)).one())

    def carrying(self, reference: str) -> list[str]:
        """The ids of the live invoices in Xero with a reference, in the order of their numbers."""
        held = self.sandbox.control("GET", "state/xero")["Invoices"]
        live = [each for each in held if each.get("Reference") == reference and each["Status"] != "VOIDED"]
        return [each["InvoiceID"] for each in sorted(live, key=lambda each: str(each["InvoiceNumber"]))]

    def _invoice(self, remote_id: str) -> dict[str, Any]:
        held: list[dict[str, Any]] = self.sandbox.control("GET", "state/xero")["Invoices"]
        return next(each for each in held if each["InvoiceID"] == remote_id)

    def documents(self) -> Counter[str]:
        """How often Xero holds each number that we gave."""
        held = self.sandbox.control("GET", "state/xero")["Invoices"]
        return Counter(each["InvoiceNumber"] for each in held if str(each.get("InvoiceNumber", "")).startswith("Q-"))

    def outcomes(self) -> dict[tuple[str, str], str]:
        """The outcome of each leg of each record."""
        with self.ledger.reading() as connection:
            rows = connection.execute(
                sa.select(current_outcomes.c.leg, current_outcomes.c.source_id, current_outcomes.c.code)
            )
            return {(row.leg, row.source_id): row.code for row in rows}

    def troubles(self) -> int:
        """How many different things wait for a person."""
        with self.ledger.reading() as connection:
            keys = sa.select(sa.func.count(sa.distinct(current_outcomes.c.trouble_key)))
            return int(connection.scalar(keys) or 0)

    def under(self, code: str) -> set[tuple[str, str]]:
        """The legs with an outcome."""
        return {key for key, found in self.outcomes().items() if found == code}

    def cursors(self) -> dict[str, Any]:
        """How far everything was read and planned."""
        with self.ledger.reading() as connection:
            names = connection.scalars(sa.select(cursors.c.name)).all()
        return {name: get_cursor(self.ledger, name) for name in names}

    def attempted(self) -> list[tuple[str, str]]:
        """Every leg that was ever sent, in order; one that was sent twice stands there twice."""
        with self.ledger.reading() as connection:
            rows = connection.execute(
                sa.select(attempt_steps.c.leg, attempt_steps.c.source_id).order_by(attempt_steps.c.id)
            )
            return [(row.leg, row.source_id) for row in rows]

    def calls(self) -> list[dict[str, Any]]:
        """Every call to Xero's accounting API, in order."""
        calls = self.sandbox.control("GET", "calls/xero")["calls"]
        return [each for each in calls if "/api.xro/" in each["path"]]

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


def sync_without_airflow(dag_run: str) -> None:
    """What `sync_accounting` does, without Airflow."""
    from qualy_app import jobs
    from qualy_app.params import SyncParams

    jobs.check(dag_run, SyncParams(), by_clock=True)
    jobs.plan(dag_run)
    for leg in ("contacts", "documents", "settlements"):
        jobs.load(dag_run, leg, 1)
    jobs.reconcile(dag_run)


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
