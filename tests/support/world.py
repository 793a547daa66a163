"""A small world to write into: an agency with a handful of records at Qualy's stand-in, a bare organisation in Xero's,
a ledger, and runs of the whole sync on a clock that tests move.

An undisturbed run says what every disturbed one must come to: the same records in the tool, each once, and the same
outcome for each record.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qualy_app.desk import Desk
from qualy_app.signals import RunProblem as AppProblem
from qualy_sync.contracts.accounting import What
from qualy_sync.contracts.errors import ToolError
from qualy_sync.extract import extract
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.attempts import open_attempts
from qualy_sync.ledger.engine import set_meta
from qualy_sync.ledger.leases import LeaseHeld, LeaseLost
from qualy_sync.ledger.runs import open_run
from qualy_sync.ledger.schema import attempts, current_outcomes, differences, links, passes
from qualy_sync.load import GROUPS, RunProblem, Work, load, plan_run
from qualy_sync.load.gate import STANDING
from qualy_sync.load.retrying import retry
from qualy_sync.reconcile import reconcile
from sandbox.server import Sandbox

SECRET_KEY = "c2FuZGJveC1zYW5kYm94LXNhbmRib3gtc2FuZGJveC0="
STANDING_META = "standing_confirmation"
SETTINGS = Path(__file__).parents[2] / "sandbox" / "settings.yaml"
PER_CALL = 2  # so that a handful of records makes several batches
MINUTE = 60
# Another run after each of these: past Q of the protocol, with room for the sends that a run repeats.
BETWEEN_RUNS = 11 * MINUTE
MOST_RUNS = 8
GST, GST_FREE = "659200800700000000000001", "659200800700000000000002"
OWN = "659200800600000000000001"

Json = dict[str, Any]


def object_id(kind: int, number: int) -> str:
    """An id as Qualy makes them."""
    return f"{0x6A700000 + number:08x}{kind:04x}{number:012x}"


def an_agency(now: datetime) -> dict[str, list[Json]]:
    """Three customers, two partners, five payments: paid in two equal parts, due, paid, paid in part, in dollars."""
    made = Maker(now - timedelta(days=9))
    ada = made.customer(1, "Ada", "Lovelace", "Ada.Lovelace@mail.example")
    bjorn = made.customer(2, "Björn", "Åström", "bjorn@post.example")
    wei = made.customer(3, "伟", "陈", "wei.chen@inbox.example")
    school = made.partner(1, "Cork School of Hospitality", "billing@school.example")
    agent = made.partner(2, "Lisbon Student Agents", "money@agents.example")
    made.payment(
        1,
        ada,
        "paid",
        items=[("Tuition", 100_000), ("Enrolment fee", 20_000)],
        shares=[("supplier-share", school, 80_000, 0), ("remainder", OWN, 20_000, 0), ("remainder", OWN, 20_000, 1)],
        charges=[60_000, 60_000],
    )
    made.payment(2, ada, "due", items=[("Visa", 15_500)], shares=[("remainder", OWN, 15_500, 0)])
    made.payment(
        3,
        bjorn,
        "paid",
        tax=GST,
        items=[("Insurance", 33_000)],
        shares=[("percentage-on-amount", agent, 11_000, 0), ("remainder", OWN, 22_000, 0)],
        charges=[33_000],
    )
    made.payment(
        4,
        wei,
        "paid-partial",
        items=[("Enrolment fee", 45_000)],
        shares=[("remainder", OWN, 45_000, 0)],
        charges=[20_000],
    )
    made.payment(
        5,
        wei,
        "paid",
        currency="USD",
        items=[("Tuition", 90_000)],
        shares=[("supplier-share", school, 70_000, 0), ("remainder", OWN, 20_000, 0)],
        charges=[90_000],
    )
    return made.objects


class Maker:
    """Makes Qualy's objects, as its API returns them."""

    def __init__(self, day: datetime) -> None:
        self._at = day.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self._due = (day + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self._times = {"createdAt": self._at, "updatedAt": self._at}
        own = {"_id": OWN, "name": "Our own share", "legalName": "The Agency", "email": "", "type": "own"}
        taxes = [{"_id": GST, "name": "GST", "rate": 0.1}, {"_id": GST_FREE, "name": "GST-free", "rate": 0}]
        self.objects: dict[str, list[Json]] = {
            "contacts": [],
            "partnerships": [own | self._times],
            "payment-intents": [],
            "payment-splits": [],
            "transactions": [],
            "taxes": [tax | self._times for tax in taxes],
        }

    def customer(self, number: int, first: str, last: str, email: str) -> str:
        profile = {"firstName": first, "lastName": last}
        return self._add("contacts", 1, number, {"number": number, "email": email, "profile": profile})

    def partner(self, number: int, name: str, email: str, **more: Any) -> str:
        body = {"name": name, "legalName": name, "email": email, "type": "school"}
        return self._add("partnerships", 2, number, body | more)

    def payment(
        self,
        number: int,
        customer: str,
        status: str,
        *,
        items: Sequence[tuple[str, int]],
        shares: Sequence[tuple[str, str, int, int]],
        charges: Sequence[int] = (),
        currency: str = "AUD",
        tax: str | None = GST_FREE,
    ) -> str:
        total = sum(amount for _, amount in items)
        of = {"paymentIntent": object_id(3, number), "contact": customer, "currency": currency}
        item_ids = [object_id(7, 10 * number + place) for place in range(len(items))]
        for place, (kind, partner, amount, item) in enumerate(shares):
            share = {"type": kind, "amount": amount, "partnership": partner, "item": item_ids[item], "tax": tax}
            paid = "processing" if status == "paid" else "pending"
            self._add("payment-splits", 4, 10 * number + place, of | share | {"dueAt": self._due, "status": paid})
        for place, amount in enumerate(charges):
            charge = {"transactionType": "charge", "method": "BANK_TRANSFER", "amount": amount, "status": "succeeded"}
            more = {"number": 10 * number + place, "paidAt": self._at, "documents": [], "disputes": []}
            self._add("transactions", 5, 10 * number + place, of | charge | more)
        body = {
            "number": 1000 + number,
            "intentType": "ad-hoc",
            "contact": customer,
            "status": status,
            "currency": currency,
            "amount": total,
            "due": total - sum(charges),
            "dueAt": self._due,
            "tax": tax,
            "items": [
                {"_id": item_id, "name": category, "description": "", "category": category, "amount": amount}
                for item_id, (category, amount) in zip(item_ids, items, strict=True)
            ],
            "transactions": [object_id(5, 10 * number + place) for place in range(len(charges))],
            "links": {},
        }
        return self._add("payment-intents", 3, number, body)

    def _add(self, kind: str, id_kind: int, number: int, body: Json) -> str:
        found = object_id(id_kind, number)
        self.objects[kind].append({"_id": found} | body | self._times)
        return found


class Crash(BaseException):
    """The process ends here, as far as the ledger can tell."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What everything came to: what the tool holds, in plain words, and each record's outcome."""

    contacts: Mapping[tuple[str, ...], int]
    documents: Mapping[tuple[str, ...], int]
    payments: Mapping[tuple[str, ...], int]
    outcomes: Mapping[tuple[str, str], str]
    unsettled: int
    unlinked: int


@dataclass
class World:
    """One sandbox, one ledger, and the runs between them. `problems` collects why runs stopped."""

    sandbox: Sandbox
    url: str
    per_call: int = PER_CALL
    settings: Path = SETTINGS
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.url, [SECRET_KEY])

    # -- beginnings

    def begin(self, *, empty: bool = True, confirmed: bool = True) -> World:
        """Empties Xero, brings both clocks together, and lets the stand-in be written to without being asked."""
        if empty:
            bare(self.sandbox)
        offset = self.sandbox.control("GET", "clock")["offset_seconds"]
        self.ledger.move_clock(timedelta(seconds=offset))
        if confirmed:
            with self.ledger.writing() as connection:
                set_meta(connection, STANDING_META, STANDING)
        return self

    def environment(self) -> dict[str, str]:
        return environment(self.sandbox.url, self.url, self.settings)

    def desk(self, checkpoint: Callable[[str], None] = lambda name: None) -> Desk:
        desk = Desk(self.environment(), checkpoint, self.pass_time)
        desk.ledger = self.ledger  # opened once: what it has compiled is worth keeping
        desk.tool.limits = replace(desk.tool.limits, per_call=dict.fromkeys(What, self.per_call))
        return desk

    # -- time

    def pass_time(self, seconds: float) -> None:
        """Both clocks move, the sandbox's in steps, so that what it postponed happens in its own time."""
        self.ledger.move_clock(timedelta(seconds=seconds))
        while seconds > 0:
            self.sandbox.control("POST", "clock", {"advance_seconds": min(seconds, MINUTE)})
            seconds -= MINUTE

    # -- runs

    def read(self, desk: Desk | None = None) -> Work:
        """A run that has read the tool."""
        desk = desk or self.desk()
        run = open_run(desk.ledger, "accounting", by_clock=True, settings_version=desk.settings.version)
        return desk.read_tool(run)

    def run(self, checkpoint: Callable[[str], None] = lambda name: None) -> bool:
        """One whole run by the clock. What stops it is kept in `problems`; reconciliation comes after all the same."""
        desk = self.desk(checkpoint)
        try:
            try:
                work = self.read(desk)
                plan_run(work)
                for group in GROUPS:
                    load(work, group)
            finally:
                self._reconcile(desk)
        except (RunProblem, AppProblem, ToolError, LeaseHeld, LeaseLost) as problem:
            self.problems.append(f"{type(problem).__name__}: {problem}")
            return False
        return True

    def _reconcile(self, desk: Desk) -> None:
        with self.ledger.reading() as connection:
            run = connection.execute(sa.text("SELECT id, book, pin FROM runs WHERE book IS NOT NULL ORDER BY id DESC"))
            row = run.first()
        if row is not None:
            work = desk.work(open_run(desk.ledger, "accounting", book=row.book))
            try:
                desk.refresh(work)
            except ToolError as problem:
                self.problems.append(f"{type(problem).__name__}: {problem}")
            reconcile(self.ledger, row.book, work.run, self.ledger.now(), full=True)

    def run_until_quiet(self) -> None:
        """Runs, past the protocol's waits, until one went through with nothing due and nothing unsettled."""
        for _ in range(MOST_RUNS):
            self.pass_time(BETWEEN_RUNS)
            if "invalid" in self.outcomes().values():
                self.try_again("invalid")
            if self.run() and not self.unfinished():
                return
        raise AssertionError(f"still unfinished after {MOST_RUNS} runs: {self.unfinished()}; {self.problems}")

    def try_again(self, code: str) -> None:
        """A person had the cause removed, and clears what was refused with this code."""
        keys = [key for key, found in self.outcomes().items() if found == code]
        retry(self.read(), keys)

    def unfinished(self) -> list[str]:
        """Records that are still to be sent or settled."""
        waiting = ("its_turn", "unknown", "unreachable", "out_of_quota", "reconnect", "not_allowed", "waiting_for")
        found = [f"{leg} {source_id}: {code}" for (leg, source_id), code in self.outcomes().items() if code in waiting]
        return found + [f"open {step.leg} {step.source_id}" for one in self.open_attempts() for step in one.steps]

    # -- what there is

    def book(self) -> int:
        with self.ledger.reading() as connection:
            return int(connection.scalar(sa.text("SELECT id FROM books")) or 0)

    def open_attempts(self) -> list[Any]:
        return list(open_attempts(self.ledger, self.book()))

    def outcomes(self) -> dict[tuple[str, str], str]:
        with self.ledger.reading() as connection:
            return {(row.leg, row.source_id): row.code for row in connection.execute(sa.select(current_outcomes))}

    def attempts(self) -> list[Any]:
        with self.ledger.reading() as connection:
            return list(connection.execute(sa.select(attempts).order_by(attempts.c.id)))

    def findings(self) -> Counter[str]:
        """What the last reconciliation found."""
        with self.ledger.reading() as connection:
            return Counter(connection.scalars(sa.select(differences.c.what)))

    def crash(self, point: str, batch: int = 1) -> None:
        """A run that breaks off at that point of that batch, and leaves everything as it is then."""
        left = batch

        def checkpoint(name: str) -> None:
            nonlocal left
            left -= name == point
            if name == point and not left:
                raise Crash

        with suppress(Crash):
            self.run(checkpoint)
            raise AssertionError(f"the run never came to {point}")

    def writes(self) -> list[Json]:
        """Every call to Xero that writes, in order."""
        calls = self.sandbox.control("GET", "calls/xero")["calls"]
        return [call for call in calls if call["method"] in ("PUT", "POST") and "/api.xro/" in call["path"]]

    def faults(self, *faults: Json) -> None:
        self.sandbox.control("POST", "faults/xero", list(faults))

    def clear_faults(self) -> None:
        self.sandbox.control("DELETE", "faults/xero")

    def ending(self) -> Ending:
        """Refs, amounts and states instead of Xero's own ids, each with how often it is there."""
        state = self.sandbox.control("GET", "state/xero")
        contacts = {one["ContactID"]: one.get("ContactNumber") or one["Name"] for one in state["Contacts"]}
        documents = {one["InvoiceID"]: one for one in state["Invoices"]}
        linked = self._remote_ids()
        everything = [*contacts, *documents, *(one["PaymentID"] for one in state["Payments"])]
        return Ending(
            contacts=Counter(
                (contacts[one["ContactID"]], one["Name"], one.get("EmailAddress", ""), one["ContactStatus"])
                for one in state["Contacts"]
            ),
            documents=Counter(_document(one, contacts) for one in documents.values()),
            payments=Counter(
                (
                    one.get("Reference", ""),
                    str(one["Amount"]),
                    one["Status"],
                    str(documents[one["Invoice"]["InvoiceID"]].get("InvoiceNumber")),
                )
                for one in state["Payments"]
            ),
            outcomes=_without_the_way(self.outcomes()),
            unsettled=len(self.open_attempts()),
            unlinked=len([one for one in everything if one not in linked]),
        )

    def _remote_ids(self) -> set[str]:
        with self.ledger.reading() as connection:
            return set(connection.scalars(sa.select(links.c.remote_id)))


def _document(one: Json, contacts: Mapping[str, str]) -> tuple[str, ...]:
    names = ("Type", "InvoiceNumber", "Reference", "Status", "CurrencyCode", "DateString", "DueDateString")
    amounts = ("SubTotal", "TotalTax", "Total", "AmountPaid", "AmountDue")
    return (
        *(str(one.get(name, "")) for name in names),
        *(str(one.get(name)) for name in amounts),
        contacts[one["Contact"]["ContactID"]],
    )


def _without_the_way(outcomes: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """A record that was found again by its ref stands as well as one whose answer came."""
    return {key: "created" if code == "adopted" else code for key, code in outcomes.items()}


def environment(sandbox: str, ledger: str, settings: Path = SETTINGS) -> dict[str, str]:
    """Where everything is, as `Desk` reads it."""
    qualy = {"host": f"{sandbox}/qualy/v1", "login": "eu1-sandbox", "password": "pk_sandbox_qualy"}
    identity = {
        "identity_url": f"{sandbox}/xero/identity",
        "connections_url": f"{sandbox}/xero/connections",
        "authorize_url": f"{sandbox}/xero/identity/connect/authorize",
    }
    xero = {"host": f"{sandbox}/xero/api.xro/2.0", "login": "sandbox-app", "password": "sandbox-secret"}
    return {
        "QUALY_LEDGER_URL": ledger,
        "QUALY_SETTINGS": str(settings),
        "QUALY_SECRET_KEYS": SECRET_KEY,
        "AIRFLOW_CONN_QUALY": json.dumps({"conn_type": "http"} | qualy),
        "AIRFLOW_CONN_XERO": json.dumps({"conn_type": "http", "extra": identity} | xero),
    }


def bare(sandbox: Sandbox) -> None:
    """A Xero organisation with its chart and nothing else, no faults, no lock dates, and calls enough."""
    kinds = ("BatchPayments", "Payments", "CreditNotes", "Invoices", "Contacts")
    sandbox.control("POST", "load/xero", {kind: [] for kind in kinds})
    sandbox.control("DELETE", "faults/xero")
    sandbox.control("POST", "lock-date/xero", {"period": None, "year_end": None})
    sandbox.control("POST", "quota/xero", {"minute": 100_000, "day": 1_000_000})
    sandbox.control("DELETE", "calls/xero")


def extracted(sandbox: Sandbox, url: str, objects: Mapping[str, list[Json]] | None = None) -> None:
    """Fills a migrated ledger with the agency's records (or these), as Qualy's stand-in gives them."""
    sandbox.control("POST", "load/qualy", objects or an_agency(datetime.now(UTC)))
    desk = Desk(environment(sandbox.url, url))
    extract(desk.ledger, desk.source, desk.settings.source)
    with desk.ledger.writing() as connection:
        # The suites have stories of their own, and take their time: here the pass counts as checked.
        connection.execute(sa.update(passes).values(checked_at=passes.c.completed_at))
    desk.ledger.close()


def copied(template: Path, folder: Path) -> str:
    """The address of a copy of a SQLite ledger."""
    return f"sqlite:///{shutil.copy(template, folder / f'{uuid.uuid4().hex}.db')}"


def killed_in(sandbox: str, ledger: str, point: str, batch: int) -> None:
    """A whole run, to be started in a process of its own: at that point of that batch, kill -9."""
    left = batch

    def checkpoint(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and not left:
            os.kill(os.getpid(), signal.SIGKILL)

    desk = Desk(environment(sandbox, ledger), checkpoint)
    desk.tool.limits = replace(desk.tool.limits, per_call=dict.fromkeys(What, PER_CALL))
    work = desk.read_tool(open_run(desk.ledger, "accounting", by_clock=True, settings_version=desk.settings.version))
    plan_run(work)
    for group in GROUPS:
        load(work, group)
