"""Webhooks that a stand-in sends out: a queue on the sandbox clock, and ways for a test to spoil the delivery.

What is sent, and how it is signed, is the service's own affair (``Sender``). Nothing is ever sent to another machine.
"""

from __future__ import annotations

import ipaddress
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio.to_thread

from sandbox.clock import Clock
from sandbox.store import Store

ANSWER_SECONDS = 5.0
LOOKS_EVERY_SECONDS = 0.1
MOST_ROUNDS = 1_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS sandbox_webhook_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, place REAL NOT NULL, due REAL NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sandbox_webhook_events_waiting ON sandbox_webhook_events (service, state, due);
CREATE TABLE IF NOT EXISTS sandbox_webhook_deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, at REAL NOT NULL, attempt INTEGER NOT NULL,
    events TEXT NOT NULL, status INTEGER, trouble TEXT);
"""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signing:
    """How one delivery differs from an honest one: another secret, or a clock that is off by so many seconds."""

    secret: str | None = None
    skew_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP POST to the target."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Sender(Protocol):
    """What a service adds to the queue."""

    @property
    def batch(self) -> int:
        """Most events of one POST."""
        ...

    def target(self) -> str | None:
        """Where to send; None while nothing is set."""
        ...

    def retries(self) -> tuple[float, ...]:
        """Seconds to wait after each failed attempt; an event is given up when they are used up."""
        ...

    def automatic(self) -> bool:
        """Whether events go out by themselves; else only when a control call says so."""
        ...

    def post(self, events: list[Json], attempt: int, signing: Signing) -> Post:
        """The POST for some events; ``attempt`` counts from 0."""
        ...


class Settings:
    """Where one service sends to and when, kept in the store: what its ``Sender`` begins with.

    A service adds what its posts look like, and checks what settings it has of its own.
    """

    batch = 1

    def __init__(self, name: str, store: Store, clock: Clock, defaults: Json, secret: str | None = None) -> None:
        """``secret`` is the setting that is never shown."""
        self._name = name
        self._store = store
        self._defaults = defaults
        self._secret = secret
        kept = store.fact(f"{name}.webhooks")
        self._set: Json = defaults | (json.loads(kept) if kept else {})
        self.outbox = Outbox(name, store, clock, self)

    def target(self) -> str | None:
        """The target URL."""
        target = self._set["target"]
        return None if target is None else str(target)

    def retries(self) -> tuple[float, ...]:
        """Seconds after each failed attempt."""
        return tuple(self._set["retries"])

    def automatic(self) -> bool:
        """Whether events go out by themselves."""
        return bool(self._set["mode"] == "automatic")

    def post(self, events: list[Json], attempt: int, signing: Signing) -> Post:
        """The POST for some events, which each service makes in its own way."""
        raise NotImplementedError

    def checked(self, given: Json) -> Json:
        """Settings of the service's own, as they are kept. Raises ValueError."""
        raise NotImplementedError

    def control(self, given: Json) -> Any:
        """``POST /control/webhooks/{service}``: settings, or one thing to ``do``."""
        if "do" in given:
            return self.outbox.do(given)
        self._set |= self.checked(checked_settings(given, self._defaults))
        self._store.remember(f"{self._name}.webhooks", json.dumps(self._set))
        self.outbox.wake()
        return {name: value for name, value in self._set.items() if name != self._secret}


def loopback_url(url: Any) -> str:
    """An address on this machine, as given. Raises ValueError for any other."""
    parts = urlsplit(str(url))
    host = parts.hostname or ""
    try:
        here = parts.port != 0 and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        here = False
    if parts.scheme not in ("http", "https") or not here:
        raise ValueError(f"Webhooks go to an http address on this machine only (127.0.0.1 or localhost), not {host!r}.")
    return str(url)


def checked_settings(given: Json, known: Iterable[str]) -> Json:
    """Settings as a control call gives them; ``target``, ``mode`` and ``retries`` are every service's. ValueError."""
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"webhooks takes {', '.join(known)}, or do; not {', '.join(sorted(unknown))}.")
    if given.get("target") is not None:
        loopback_url(given["target"])
    if given.get("mode", "manual") not in ("automatic", "manual"):
        raise ValueError("mode is automatic or manual.")
    retries = {"retries": [float(seconds) for seconds in given["retries"]]} if "retries" in given else {}
    return given | retries


class Outbox:
    """The events of one service that wait, and what became of the others."""

    def __init__(self, name: str, store: Store, clock: Clock, sender: Sender) -> None:
        self._name = name
        self._store = store
        self._clock = clock
        self._sender = sender
        self._next = 0
        self._next_treatment: tuple[str, float] = ("", 0)
        self._sending = threading.Lock()
        self._postman: threading.Thread | None = None
        with store.lock:
            store.connection.executescript(SCHEMA)
        self.wake()

    def add(self, events: Iterable[Json]) -> None:
        """Queue events, inside the transaction of the change that they tell of."""
        if self._sender.target() is None:
            return
        for event in events:
            self._treated(event)

    def wake(self) -> None:
        """Start the thread that sends, once events are to go out by themselves."""
        if self._postman is None and self._sender.automatic() and self._sender.target() is not None:
            self._postman = threading.Thread(target=self._deliver_always, name=f"{self._name}-webhooks", daemon=True)
            self._postman.start()

    def do(self, given: Json) -> Any:
        """What ``POST /control/webhooks/{service}`` asks with ``do``; some of it is awaitable. ValueError."""
        actions: dict[str, Callable[[Json], Any]] = {
            "list": lambda _: self.report(),
            "deliver": self._deliver_now,
            "drop": self._drop,
            "duplicate": self._duplicate,
            "delay": self._delay,
            "reorder": self._reorder,
            "resend": self._resend,
            "send": self._send_given,
            "clear": self._clear,
        }
        if given.get("do") not in actions:
            raise ValueError(f"do is one of: {', '.join(actions)}")
        return actions[given["do"]]({name: value for name, value in given.items() if name != "do"})

    def report(self) -> Json:
        """Waiting events in the order of sending, and every delivery; ``status`` null: no answer came."""
        with self._store.lock:
            waiting = self._waiting()
            done = self._store.connection.execute(
                "SELECT number, at, attempt, events, status, trouble FROM sandbox_webhook_deliveries"
                " WHERE service = ? ORDER BY number",
                (self._name,),
            ).fetchall()
        return {
            "waiting": [
                {name: row[name] for name in ("number", "due", "attempt")} | {"event": json.loads(row["event"])}
                for row in waiting
            ],
            "deliveries": [dict(row) | {"events": json.loads(row["events"])} for row in done],
        }

    def deliver(self) -> int:
        """Send everything that is due by now, retries included; returns the number of POSTs."""
        with self._sending:
            for posts in range(MOST_ROUNDS):
                batch = self._take()
                if not batch:
                    return posts
                self._send(batch)
        return MOST_ROUNDS

    # The queue.

    def _treated(self, event: Json) -> None:
        """Queue an event, or do with it what a test asked for the next ones."""
        how, number = self._next_treatment if self._next > 0 else ("", 0.0)
        self._next = max(0, self._next - 1)
        if how == "drop":
            self._insert(event, 0, "dropped")
            return
        self._insert(event, number if how == "delay" else 0)
        if how == "duplicate":
            self._insert(event, 0)

    def _insert(self, event: Json, seconds: float, state: str = "waiting", place: float | None = None) -> None:
        due = self._clock.now().timestamp() + seconds
        with self._store.transaction() as connection:
            number = connection.execute(
                "INSERT INTO sandbox_webhook_events (service, place, due, state, event) VALUES (?, ?, ?, ?, ?)",
                (self._name, 0, due, state, json.dumps(event, ensure_ascii=False)),
            ).lastrowid
            connection.execute(
                "UPDATE sandbox_webhook_events SET place = ? WHERE number = ?",
                (number if place is None else place, number),
            )

    def _waiting(self, due_by: float | None = None) -> list[sqlite3.Row]:
        sql = "SELECT * FROM sandbox_webhook_events WHERE service = ? AND state = 'waiting'"
        values: list[Any] = [self._name]
        if due_by is not None:
            sql += " AND due <= ?"
            values.append(due_by)
        return self._store.connection.execute(f"{sql} ORDER BY place, number", values).fetchall()

    def _take(self) -> list[sqlite3.Row]:
        """The next events that can go together: the same attempt, and not more than one POST holds."""
        if self._sender.target() is None:
            return []
        with self._store.lock:
            due = self._waiting(self._clock.now().timestamp())
        together = [row for row in due if row["attempt"] == due[0]["attempt"]]
        return together[: self._sender.batch]

    def _send(self, rows: list[sqlite3.Row]) -> None:
        attempt = int(rows[0]["attempt"])
        events = [json.loads(row["event"]) for row in rows]
        status, trouble = self._post(events, attempt, Signing())
        retries = self._sender.retries()
        arrived = status is not None and 200 <= status < 300
        again = not arrived and attempt < len(retries)
        state = "sent" if arrived else "waiting" if again else "given up"
        due = self._clock.now().timestamp() + (retries[attempt] if again else 0)
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE sandbox_webhook_events SET state = ?, due = ?, attempt = attempt + 1 WHERE number = ?",
                [(state, due, row["number"]) for row in rows],
            )
            self._note(attempt, events, status, trouble)

    def _note(self, attempt: int, events: list[Json], status: int | None, trouble: str | None) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO sandbox_webhook_deliveries (service, at, attempt, events, status, trouble)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._name, self._clock.now().timestamp(), attempt, json.dumps(events), status, trouble),
            )

    def _post(self, events: list[Json], attempt: int, signing: Signing) -> tuple[int | None, str | None]:
        import httpx  # here, since a sandbox that sends nothing starts faster without it

        target = loopback_url(self._sender.target())
        post = self._sender.post(events, attempt, signing)
        headers = {"Content-Type": "application/json"} | post.headers
        try:
            with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as web:
                return web.post(target, content=post.body, headers=headers).status_code, None
        except httpx.HTTPError as error:
            return None, type(error).__name__

    def _deliver_always(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOKS_EVERY_SECONDS):
            try:
                if self._sender.automatic():
                    self.deliver()
            except sqlite3.ProgrammingError:  # the sandbox has ended and closed its store
                return

    # What a test may ask for.

    async def _deliver_now(self, _: Json) -> Json:
        posts = await anyio.to_thread.run_sync(self.deliver)
        return {"posts": posts} | self.report()

    async def _send_given(self, given: Json) -> Json:
        """Events of the test's own making, at once, once: partial, forged, signed with another secret, too old."""
        events = given.get("events")
        if not isinstance(events, list) or not events or self._sender.target() is None:
            raise ValueError("send takes events, a list of objects, and needs a target.")
        secret = given.get("secret")
        signing = Signing(None if secret is None else str(secret), float(given.get("skew_seconds", 0)))
        status, trouble = await anyio.to_thread.run_sync(self._post, events, 0, signing)
        self._note(0, events, status, trouble)
        return {"status": status, "trouble": trouble}

    def _drop(self, given: Json) -> Json:
        return self._treat("drop", given, lambda row: self._set(row, "state = 'dropped'"))

    def _duplicate(self, given: Json) -> Json:
        return self._treat(
            "duplicate", given, lambda row: self._insert(json.loads(row["event"]), 0, place=row["place"] + 0.5)
        )

    def _delay(self, given: Json) -> Json:
        seconds = float(given.get("seconds", 60))
        return self._treat("delay", given, lambda row: self._set(row, "due = due + ?", seconds), seconds)

    def _reorder(self, given: Json) -> Json:
        """The waiting events in reverse."""
        with self._store.transaction():
            rows = self._chosen(given)
            for row, place in zip(rows, [row["place"] for row in reversed(rows)], strict=True):
                self._set(row, "place = ?", place)
        return self.report()

    def _resend(self, given: Json) -> Json:
        """Put events that were sent, dropped or given up into the queue again."""
        numbers = [int(number) for number in given.get("events", [])]
        with self._store.transaction() as connection:
            for number in numbers:
                row = connection.execute(
                    "SELECT event FROM sandbox_webhook_events WHERE number = ? AND service = ?", (number, self._name)
                ).fetchone()
                if row is None:
                    raise ValueError(f"There is no event {number}.")
                self._insert(json.loads(row["event"]), 0)
        return self.report()

    def _clear(self, _: Json) -> Json:
        with self._store.transaction() as connection:
            for table in ("sandbox_webhook_events", "sandbox_webhook_deliveries"):
                connection.execute(f"DELETE FROM {table} WHERE service = ?", (self._name,))
        self._next = 0
        return self.report()

    def _treat(self, how: str, given: Json, treat: Callable[[sqlite3.Row], None], number: float = 0) -> Json:
        """``{"next": n}``: the next n events; else the waiting ones, those in ``events`` or all."""
        if "next" in given:
            self._next, self._next_treatment = int(given["next"]), (how, number)
            return self.report()
        with self._store.transaction():
            for row in self._chosen(given):
                treat(row)
        return self.report()

    def _chosen(self, given: Json) -> list[sqlite3.Row]:
        rows = self._waiting()
        if "events" not in given:
            return rows
        wanted = {int(number) for number in given["events"]}
        if wanted - {row["number"] for row in rows}:
            raise ValueError("events names numbers of waiting events; list shows them.")
        return [row for row in rows if row["number"] in wanted]

    def _set(self, row: sqlite3.Row, change: str, *values: Any) -> None:
        sql = f"UPDATE sandbox_webhook_events SET {change} WHERE number = ?"
        self._store.connection.execute(sql, (*values, row["number"]))
