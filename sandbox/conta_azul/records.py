"""What the stand-in holds: one SQLite table of JSON documents with the columns that reads look for."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.conta_azul.wire import dump
from sandbox.store import Store

Json = dict[str, Any]

PEOPLE, EVENTS, INSTALMENTS, SETTLEMENTS, PROTOCOLS = "pessoas", "eventos", "parcelas", "baixas", "protocolos"
CATEGORIES, ACCOUNTS, CENTRES, REMOVED = "categorias", "contas_financeiras", "centros_de_custo", "removidos"

# A kept document has these keys at its top where they mean something; the columns repeat them.
COLUMNS = ("type", "parent", "person", "account", "due", "state", "text", "net", "paid", "created", "changed")
_FIELDS = ", ".join(COLUMNS)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS conta_azul_records (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, {_FIELDS}, since REAL NOT NULL, doc TEXT NOT NULL,
    UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS conta_azul_records_due ON conta_azul_records (kind, type, due, seq);
CREATE INDEX IF NOT EXISTS conta_azul_records_changed ON conta_azul_records (kind, changed);
CREATE INDEX IF NOT EXISTS conta_azul_records_parent ON conta_azul_records (kind, parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS conta_azul_records_person ON conta_azul_records (kind, person) WHERE person IS NOT NULL;
CREATE INDEX IF NOT EXISTS conta_azul_records_state ON conta_azul_records (kind, state) WHERE state IS NOT NULL;
CREATE INDEX IF NOT EXISTS conta_azul_records_account ON conta_azul_records (kind, account) WHERE account IS NOT NULL;
CREATE TABLE IF NOT EXISTS conta_azul_past (
    seq INTEGER, kind TEXT NOT NULL, id TEXT NOT NULL, {_FIELDS}, since REAL NOT NULL, doc TEXT NOT NULL,
    replaced REAL NOT NULL);
CREATE INDEX IF NOT EXISTS conta_azul_past_replaced ON conta_azul_past (replaced);
"""
_PAST_KEPT_SECONDS = 24 * 3600
_COUNTER = "conta_azul.counter"
_NAMES = f"seq, kind, id, {_FIELDS}, since, doc"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of a kind: SQL conditions with their values, and an order."""

    kind: str
    conditions: Sequence[str] = ()
    values: Sequence[Any] = ()
    order: str = "seq"


class Records:
    """Documents by kind; a call of the API is one transaction."""

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store = store
        self._clock = clock
        self._seed = seed
        with store.lock:
            store.connection.executescript(_SCHEMA)
            store.connection.create_function("folded", 1, _folded, deterministic=True)
        self._counter = int(store.fact(_COUNTER) or 0)
        self._as_of: float | None = None

    def now(self) -> float:
        """Seconds since 1970 on the sandbox clock."""
        return self._clock.now().timestamp()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Everything inside is committed together, or nothing."""
        with self.store.transaction():
            before = self._counter
            yield
            if self._counter != before:
                self.store.remember(_COUNTER, str(self._counter))

    def next_number(self) -> int:
        """A number that nothing else has."""
        self._counter += 1
        return self._counter

    def new_id(self) -> str:
        """A new UUID: random to look at, the same for the same seed and history."""
        digest = hashlib.sha256(f"conta_azul:{self._seed}:{self.next_number()}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    @contextmanager
    def as_of(self, moment: float | None) -> Iterator[None]:
        """Reads inside see what was there at a moment; None is now. Only inside ``work``, whose lock keeps it apart."""
        self._as_of = moment
        try:
            yield
        finally:
            self._as_of = None

    def get(self, kind: str, id_: str) -> Json | None:
        """One document."""
        return next(iter(self.find(Selection(kind, ("id = ?",), (id_.lower(),)))), None)

    def many(self, kind: str, ids: Iterable[str]) -> dict[str, Json]:
        """Documents by identifier, as far as they are there."""
        wanted = sorted(set(ids))
        found: dict[str, Json] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            for doc in self.find(Selection(kind, (f"id IN ({marks(part)})",), part)):
                found[doc["id"]] = doc
        return found

    def children(self, kind: str, parent: str) -> list[Json]:
        """The documents of a parent in the order of their making."""
        return self.find(Selection(kind, ("parent = ?",), (parent,)))

    def find(self, selection: Selection, limit: int | None = None, offset: int = 0) -> list[Json]:
        """The selected documents in order."""
        source, values = self._source(selection)
        sql = f"SELECT doc FROM {source} ORDER BY {selection.order}"
        if limit is not None:
            sql += " LIMIT ? OFFSET ?"
            values += [limit, offset]
        return [json.loads(row["doc"]) for row in self._rows(sql, values)]

    def total(self, selection: Selection, expression: str = "count(*)") -> int:
        """One aggregate over the selected records."""
        return self.totals(selection, {"n": expression})["n"]

    def totals(self, selection: Selection, expressions: dict[str, str]) -> dict[str, int]:
        """Several aggregates over the selected records, by name."""
        source, values = self._source(selection)
        wanted = ", ".join(f"{expression} AS {name}" for name, expression in expressions.items())
        row = self._rows(f"SELECT {wanted} FROM {source}", values)[0]
        return {name: int(row[name] or 0) for name in expressions}

    def put(self, kind: str, doc: Json) -> Json:
        """Insert or replace; the document says itself when it changed."""
        now = self.now()
        self._keep_past(kind, doc["id"], now)
        changes = ", ".join(f"{column} = excluded.{column}" for column in (*COLUMNS, "since", "doc"))
        row = [kind, doc["id"], *(doc.get(column) for column in COLUMNS), now, dump(doc).decode()]
        self._execute(
            f"INSERT INTO conta_azul_records (kind, id, {_FIELDS}, since, doc) VALUES ({marks(row)})"
            f" ON CONFLICT (kind, id) DO UPDATE SET {changes}",
            row,
        )
        return doc

    def remove(self, kind: str, id_: str) -> None:
        """Take one document away."""
        self._keep_past(kind, id_, self.now())
        self._execute("DELETE FROM conta_azul_records WHERE kind = ? AND id = ?", [kind, id_])

    def was_always_there(self) -> None:
        """What is there now counts as there from the beginning, for reads that lag."""
        self._execute("UPDATE conta_azul_records SET since = 0", [])
        self._execute("DELETE FROM conta_azul_past", [])

    def clear(self, kind: str) -> None:
        """Forget everything of a kind, its past as well."""
        for table in ("conta_azul_records", "conta_azul_past"):
            self._execute(f"DELETE FROM {table} WHERE kind = ?", [kind])

    def _source(self, selection: Selection) -> tuple[str, list[Any]]:
        where = " AND ".join(("kind = ?", *selection.conditions))
        values = [selection.kind, *selection.values]
        if self._as_of is None:
            return f"conta_azul_records WHERE {where}", values
        kind, moment = selection.kind, self._as_of
        then = (
            f"(SELECT {_NAMES} FROM conta_azul_records WHERE kind = ? AND since <= ? UNION ALL "
            f"SELECT {_NAMES} FROM conta_azul_past WHERE kind = ? AND since <= ? AND replaced > ?)"
        )
        return f"{then} WHERE {where}", [kind, moment, kind, moment, moment, *values]

    def _keep_past(self, kind: str, id_: str, now: float) -> None:
        self._execute(
            f"INSERT INTO conta_azul_past ({_NAMES}, replaced)"
            f" SELECT {_NAMES}, ? FROM conta_azul_records WHERE kind = ? AND id = ?",
            [now, kind, id_],
        )
        self._execute("DELETE FROM conta_azul_past WHERE replaced < ?", [now - _PAST_KEPT_SECONDS])

    def _rows(self, sql: str, values: Sequence[Any]) -> list[sqlite3.Row]:
        with self.store.lock:
            return self._execute(sql, values).fetchall()

    def _execute(self, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        return self.store.connection.execute(sql, values)


def marks(values: Sequence[Any]) -> str:
    """One question mark for each value."""
    return ", ".join("?" for _ in values)


def _folded(value: Any) -> str | None:
    return value.casefold() if isinstance(value, str) else None
