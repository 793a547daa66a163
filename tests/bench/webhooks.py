"""Seconds from a change in a stand-in, which its webhook tells of, until it stands written in the other one.

Under a real Airflow, as `make run` starts it. A change is made when nothing else is at work, and then looked for.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from qualy_app.local.environment import scrubbed
from qualy_app.local.places import Places
from tests.bench.overhead import LONGEST, free_port
from tests.bench.world import ROOT

AIM = 20  # seconds, on two cores
READY = "Serving until Ctrl-C."
TIMES = 3
BURST = 500  # webhooks
QUIET = 4.0  # seconds without a run at work before the next change
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """A way, and the seconds that each change took on it."""

    way: str
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.seconds)


@dataclass(frozen=True, slots=True)
class Burst:
    """So many webhooks at once: runs of `extract_qualy` started for them, seconds until all was written."""

    webhooks: int
    runs: int
    seconds: float


class Stack:
    """`make run` with all of its processes, in a folder of its own, ended with the block."""

    def __init__(self, payments: int) -> None:
        self._payments = payments
        self._folder = tempfile.TemporaryDirectory(prefix="qualy-bench-")
        self.places = Places(Path(self._folder.name) / "xero", free_port(), free_port())
        self._http = httpx.Client(timeout=60, trust_env=False)

    def __enter__(self) -> Stack:
        log = (Path(self._folder.name) / "log").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qualy_app.local", "run", f"--state={self.places.state}",
             f"--port={self.places.port}", f"--sandbox-port={self.places.sandbox_port}",
             f"--payments={self._payments}"],
            cwd=ROOT,
            env=scrubbed(os.environ) | {"PYTHONPATH": os.pathsep.join([str(ROOT / "plugins"), str(ROOT)])},
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(lambda: READY in Path(log.name).read_text() or self._process.poll() is not None, LONGEST)
            if self._process.poll() is not None:
                raise RuntimeError(f"make run did not come to serve: {Path(log.name).read_text()[-1_000:]}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=60)
        self._http.close()
        self._folder.cleanup()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, f"{self.places.sandbox}/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def until_quiet(self) -> None:
        """Returns once no run has been at work for some seconds."""
        database = self.places.airflow_home / "airflow.db"
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET:
            if active_runs(database):
                quiet_since = time.monotonic()
            time.sleep(0.25)


def measure(payments: int) -> tuple[list[Measured], Burst]:
    """Changes one after the other, on each way; then many at once. Raises RuntimeError where one never arrives."""
    with Stack(payments) as stack:
        ways = [
            Measured(way, [change(stack, number) for number in range(TIMES)])
            for way, change in (
                ("Qualy to the books", paid_to_books),
                ("Qualy to HubSpot", renamed_in_qualy),
                ("HubSpot to Qualy", renamed_in_hubspot),
            )
        ]
        return ways, burst(stack)


def paid_to_books(stack: Stack, number: int) -> float:
    """A payment that is open gets a receipt in Qualy; how long until Xero has it."""
    stack.until_quiet()
    payment = _open_payment(stack)
    receipt: Json = {
        "_id": f"67{number:022x}",
        "number": 900_000 + number,
        "paymentIntent": payment["_id"],
        "contact": payment["contact"],
        "transactionType": "charge",
        "method": "BANK_TRANSFER",
        "amount": payment["due"],
        "currency": payment["currency"],
        "status": "succeeded",
        "documents": [],
        "disputes": [],
    }
    paid = {
        "_id": payment["_id"],
        "status": "paid",
        "due": 0,
        "transactions": [*payment["transactions"], receipt["_id"]],
    }
    began = time.monotonic()
    changed = {"insert": {"transactions": [receipt]}, "update": {"payment-intents": [paid]}}
    stack.control("POST", "change/qualy", changed)
    invoice = f"Q-{payment['number']}"
    wait_for(lambda: _is_paid(stack, invoice), LONGEST)
    return time.monotonic() - began


def renamed_in_qualy(stack: Stack, number: int) -> float:
    """A customer gets another first name in Qualy; how long until HubSpot has it."""
    stack.until_quiet()
    customer, _ = _linked(stack, number)
    name = f"Alexandra {number}"
    changed = {"_id": customer["_id"], "profile": customer["profile"] | {"firstName": name}}
    began = time.monotonic()
    stack.control("POST", "change/qualy", {"update": {"contacts": [changed]}})
    wait_for(lambda: _linked(stack, number)[1]["properties"].get("firstname") == name, LONGEST)
    return time.monotonic() - began


def renamed_in_hubspot(stack: Stack, number: int) -> float:
    """Somebody changes a contact's last name in HubSpot; how long until Qualy has it."""
    stack.until_quiet()
    _, contact = _linked(stack, number)
    name = f"Kowalczyk {number}"
    began = time.monotonic()
    edit = {"do": "edit_contact", "contact": contact["id"], "properties": {"lastname": name}}
    stack.control("POST", "ui/hubspot", edit)
    wait_for(lambda: _linked(stack, number)[0]["profile"].get("lastName") == name, LONGEST)
    return time.monotonic() - began


def burst(stack: Stack) -> Burst:
    """Every customer who is in HubSpot gets another first name in Qualy, and another, and so on."""
    stack.until_quiet()
    linked = _all_linked(stack)
    database = stack.places.airflow_home / "airflow.db"
    before = runs_of(database, "extract_qualy")
    began = time.monotonic()
    for turn in range(BURST // len(linked) + 1):
        name = f"Alexandra the {turn}th"
        changed = [{"_id": one["_id"], "profile": one["profile"] | {"firstName": name}} for one, _ in linked]
        stack.control("POST", "change/qualy", {"update": {"contacts": changed}})
    wait_for(lambda: all(one[1]["properties"].get("firstname") == name for one in _all_linked(stack)), LONGEST)
    seconds = time.monotonic() - began
    stack.until_quiet()
    sent = (BURST // len(linked) + 1) * len(linked)
    return Burst(sent, runs_of(database, "extract_qualy") - before, seconds)


def _linked(stack: Stack, number: int) -> tuple[Json, Json]:
    return _all_linked(stack)[number]


def _all_linked(stack: Stack) -> list[tuple[Json, Json]]:
    """Customers, each with the contact that carries its id."""
    customers = {one["_id"]: one for one in stack.control("GET", "state/qualy")["contacts"]}
    contacts = stack.control("GET", "state/hubspot")["contacts"]
    linked = [one for one in contacts if one["properties"].get("qualy_id") in customers and not one.get("archived")]
    linked.sort(key=lambda one: int(one["id"]))
    return [(customers[one["properties"]["qualy_id"]], one) for one in linked]


def _open_payment(stack: Stack) -> Json:
    """An instalment that nobody has paid yet and that stands in Xero."""
    invoices = {one.get("InvoiceNumber"): one for one in stack.control("GET", "state/xero")["Invoices"]}
    for one in stack.control("GET", "state/qualy")["payment-intents"]:
        invoice = invoices.get(f"Q-{one['number']}")
        if one["status"] == "due" and not one["transactions"] and one["currency"] == "AUD" and invoice:
            found: Json = one
            return found
    raise RuntimeError("The world has no open payment that stands in Xero; take more payments.")


def _is_paid(stack: Stack, invoice: str) -> bool:
    held = stack.control("GET", "state/xero")["Invoices"]
    return any(one.get("InvoiceNumber") == invoice and one["Status"] == "PAID" for one in held)


def active_runs(database: Path) -> int:
    """Runs at work, and events that are still to start one."""
    waiting = "SELECT COUNT(*) FROM dag_run WHERE state IN ('queued', 'running')"
    return _number(database, waiting) + _number(database, "SELECT COUNT(*) FROM asset_dag_run_queue")


def runs_of(database: Path, dag: str) -> int:
    return _number(database, "SELECT COUNT(*) FROM dag_run WHERE dag_id = ?", dag)


def _number(database: Path, asked: str, *values: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return int(connection.execute(asked, values).fetchone()[0])


def wait_for(true: Callable[[], bool], patience: float) -> None:
    ends = time.monotonic() + patience
    while not true():
        if time.monotonic() > ends:
            raise RuntimeError("waited in vain")
        time.sleep(0.1)
