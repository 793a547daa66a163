"""Where the objects of all tenants are kept.

Each object is one row. A row of the made-up agency has no body: its object is made from the population when somebody
asks for it, so that a million payments take little room and are there within a minute. A changed or loaded object has
its body in the row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from sandbox.population import PLACES, Population
from sandbox.population.objects import intent_places, split_status, split_updated
from sandbox.qualy.kinds import KINDS, created_of, moment_of
from sandbox.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS qualy_objects (
    number INTEGER PRIMARY KEY, shelf INTEGER NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, status TEXT, source INTEGER, body TEXT);
CREATE TABLE IF NOT EXISTS qualy_history (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, shelf INTEGER NOT NULL, id TEXT NOT NULL, row TEXT);
"""
INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS qualy_by_id ON qualy_objects (shelf, id);
CREATE INDEX IF NOT EXISTS qualy_by_created ON qualy_objects (shelf, created);
CREATE INDEX IF NOT EXISTS qualy_by_updated ON qualy_objects (shelf, updated);
CREATE INDEX IF NOT EXISTS qualy_by_status ON qualy_objects (shelf, status, created);
"""
INSERT = "INSERT INTO qualy_objects (shelf, id, created, updated, status, source, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
FILLED = "qualy.filled"
AT_ONCE = 2_000

Json = dict[str, Any]
Row = tuple[int, str, int, int, str | None, int | None, str | None]


class Shelves:
    """One shelf per tenant and kind. ``tenant`` is a number from 0."""

    def __init__(self, store: Store, population: Population) -> None:
        self._store = store
        self._population = population
        self._people = {
            "taxes": population.taxes(),
            "tags": population.tags(),
            "teams": population.teams(),
            "users": population.users(),
        }
        self._plan = lru_cache(maxsize=2_048)(population.plan)
        with store.lock:
            store.connection.executescript(SCHEMA)
        if store.fact(FILLED) is None:
            self._fill()

    def shelf(self, tenant: int, kind: str) -> int:
        """The number of a shelf."""
        return tenant * len(KINDS) + KINDS.index(kind)

    def get(self, shelf: int, object_id: str) -> Json | None:
        """One object."""
        with self._store.lock:
            row = self._store.connection.execute(
                "SELECT source, body FROM qualy_objects WHERE shelf = ? AND id = ?", (shelf, object_id)
            ).fetchone()
        return None if row is None else self.body(shelf, row["source"], row["body"])

    def body(self, shelf: int, source: int | None, text: str | None) -> Json:
        """The object of a row."""
        return self._made(KINDS[shelf % len(KINDS)], source or 0) if text is None else json.loads(text)

    def select(self, shelf: int, where: str, values: tuple[Any, ...], order: str, skip: int, limit: int) -> list[Json]:
        """The objects of a page; ``where`` and ``order`` are SQL of ours, ``values`` the parameters."""
        sql = (
            f"SELECT source, body FROM qualy_objects JOIN (SELECT number FROM qualy_objects WHERE shelf = ? {where}"
            f" ORDER BY {order} LIMIT ? OFFSET ?) AS page USING (number) ORDER BY {order}"
        )
        with self._store.lock:
            rows = self._store.connection.execute(sql, (shelf, *values, limit, skip)).fetchall()
        return [self.body(shelf, row["source"], row["body"]) for row in rows]

    def count(self, shelf: int) -> int:
        """How many objects there are."""
        with self._store.lock:
            row = self._store.connection.execute(
                "SELECT COUNT(*) FROM qualy_objects WHERE shelf = ?", (shelf,)
            ).fetchone()
        return int(row[0])

    def all(self, shelf: int) -> Iterator[Json]:
        """Every object of a shelf, oldest first."""
        with self._store.lock:
            rows = self._store.connection.execute(
                "SELECT source, body FROM qualy_objects WHERE shelf = ? ORDER BY created, number", (shelf,)
            ).fetchall()
        return (self.body(shelf, row["source"], row["body"]) for row in rows)

    def all_as_of(self, shelf: int, moment: float) -> Iterator[Json]:
        """Every object as it was at ``moment`` (seconds since 1970)."""
        with self._store.lock:
            changes = self._store.connection.execute(
                "SELECT id, row FROM qualy_history WHERE shelf = ? AND at > ? ORDER BY number DESC", (shelf, moment)
            ).fetchall()
        before = {change["id"]: change["row"] for change in changes}
        unchanged = (body for body in self.all(shelf) if body["_id"] not in before)
        changed = [json.loads(text) for text in before.values() if text is not None]
        return iter(sorted([*unchanged, *changed], key=created_of))

    def put(self, shelf: int, body: Json, at: float) -> None:
        """Insert an object, or replace the one with its id; ``at`` is when (seconds since 1970)."""
        with self._store.transaction() as connection:
            self._remember(connection, shelf, body["_id"], at)
            row = _row(shelf, body)
            changed = connection.execute(
                "UPDATE qualy_objects SET created = ?, updated = ?, status = ?, source = NULL, body = ?"
                " WHERE shelf = ? AND id = ?",
                (row[2], row[3], row[4], row[6], shelf, body["_id"]),
            ).rowcount
            if not changed:
                connection.execute(INSERT, row)

    def delete(self, shelf: int, object_id: str, at: float) -> bool:
        """Take an object away; False where there is none."""
        with self._store.transaction() as connection:
            self._remember(connection, shelf, object_id, at)
            sql = "DELETE FROM qualy_objects WHERE shelf = ? AND id = ?"
            return connection.execute(sql, (shelf, object_id)).rowcount > 0

    def replace(self, tenant: int, objects: dict[str, list[Json]]) -> dict[str, int]:
        """Put the given objects where the tenant's were; returns how many of each kind."""
        shelves = [self.shelf(tenant, kind) for kind in KINDS]
        with self._store.transaction() as connection:
            for table in ("qualy_objects", "qualy_history"):
                connection.execute(f"DELETE FROM {table} WHERE shelf BETWEEN ? AND ?", (shelves[0], shelves[-1]))
            for kind, bodies in objects.items():
                connection.executemany(INSERT, (_row(self.shelf(tenant, kind), body) for body in bodies))
        return {kind: len(objects.get(kind, [])) for kind in KINDS}

    def _remember(self, connection: sqlite3.Connection, shelf: int, object_id: str, at: float) -> None:
        before = self.get(shelf, object_id)
        connection.execute(
            "INSERT INTO qualy_history (at, shelf, id, row) VALUES (?, ?, ?, ?)",
            (at, shelf, object_id, None if before is None else _text(before)),
        )

    def _fill(self) -> None:
        with self._store.transaction() as connection:
            for _, rows in groupby(enumerate(self._made_up_rows()), key=lambda pair: pair[0] // AT_ONCE):
                connection.executemany(INSERT, [row for _, row in rows])
            for statement in filter(str.strip, INDEXES.split(";")):
                connection.execute(statement)
            self._store.remember(FILLED, "yes")

    def _made_up_rows(self) -> Iterable[Row]:
        population = self._population
        for kind, bodies in self._people.items():
            yield from (_bare(self.shelf(0, kind), body, number) for number, body in enumerate(bodies))
        partners = self.shelf(0, "partnerships")
        yield _bare(partners, population.own_partnership(), 0)
        for index in range(population.partners):
            yield _bare(partners, population.partner(index), index + 1)
        contacts = self.shelf(0, "contacts")
        for index in range(population.customers):
            moment = population.calendar.customer(index)
            yield (contacts, population.customer_id(index), moment, moment, None, index, None)
        for index in range(population.payments):
            yield from self._payment_rows(index)

    def _payment_rows(self, index: int) -> Iterable[Row]:
        plan, made = self._population.plan(index), self._population.objects
        created, number = plan.created, index * PLACES
        payments, splits, intents, transactions = (
            self.shelf(0, kind) for kind in ("payment-intents", "payment-splits", "split-intents", "transactions")
        )
        yield (payments, made.payment_id(plan), created, plan.updated, plan.status, index, None)
        status, moved = split_status(plan), split_updated(plan)
        for k in range(len(plan.shares)):
            yield (splits, made.split_id(plan, k), created, moved, status, number + k, None)
        for k in intent_places(plan):
            yield (intents, made.intent_id(plan, k), plan.completed or created, moved, status, number + k, None)
        for k, charge in enumerate(plan.charges):
            yield (transactions, made.transaction_id(plan, k), charge.at, charge.at, charge.status, number + k, None)

    def _made(self, kind: str, source: int) -> Json:
        population = self._population
        if kind == "contacts":
            return population.customer(source)
        if kind == "payment-intents":
            return population.payment(source)
        if kind == "partnerships":
            return population.partner(source - 1) if source else population.own_partnership()
        if kind in self._people:
            return self._people[kind][source].copy()
        plan = self._plan(source // PLACES)
        make = {
            "payment-splits": population.objects.split,
            "split-intents": population.objects.split_intent,
            "transactions": population.objects.transaction,
        }[kind]
        return make(plan, source % PLACES)


def _text(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False)


def _bare(shelf: int, body: Json, source: int) -> Row:
    row = _row(shelf, body)
    return (*row[:5], source, None)


def _row(shelf: int, body: Json) -> Row:
    created = created_of(body)
    updated = moment_of(body.get("updatedAt"))
    status = body.get("status")
    return (
        shelf,
        body["_id"],
        created,
        created if updated is None else updated,
        status if isinstance(status, str) else None,
        None,
        _text(body),
    )
