"""What the stand-in holds: one SQLite table of JSON documents with the columns that reads look for."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store
from sandbox.xero.columns import COLUMNS, ID_FIELDS, columns_of
from sandbox.xero.wire import dump, milliseconds, moment_string, ms_moment, parse_moment

_FIELDS = ", ".join(COLUMNS)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS xero_records (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, {_FIELDS}, updated INTEGER NOT NULL,
    since INTEGER NOT NULL, doc TEXT NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS xero_records_updated ON xero_records (kind, updated, id);
CREATE TABLE IF NOT EXISTS xero_past (
    seq INTEGER, kind TEXT NOT NULL, id TEXT NOT NULL, {_FIELDS}, updated INTEGER NOT NULL,
    since INTEGER NOT NULL, doc TEXT NOT NULL, replaced INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS xero_past_replaced ON xero_past (replaced);
CREATE TABLE IF NOT EXISTS xero_notes (kind TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS xero_notes_of ON xero_notes (kind, id);
CREATE TABLE IF NOT EXISTS xero_attachments (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, doc TEXT NOT NULL, content BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS xero_attachments_of ON xero_attachments (kind, owner);
"""
_INDEXED = ("number", "name", "email", "contact", "parent", "reference")
_NARROW = re.compile(rf"\b(?:id|{'|'.join(_INDEXED)}) (?:=|IN)")
_PAST_KEPT = timedelta(hours=24)
_STAMPED_TWICE = {"Invoices", "CreditNotes", "Payments"}
COUNTER = "xero.counter"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of a kind: SQL conditions with their values, an order, and a moment for stale reads."""

    kind: str
    conditions: Sequence[str] = ()
    values: Sequence[Any] = ()
    order: str = "updated, id"
    as_of: datetime | None = None

    @property
    def ordering(self) -> str:
        """The order; where an indexed value decides, written so that SQLite does not walk the index of updates."""
        narrow = any(_NARROW.search(condition) for condition in self.conditions)
        return self.order.replace("updated", "+updated") if narrow else self.order


class Records:
    """Documents by kind. A write is one transaction per call of the API, so it is committed once."""

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store = store
        self.clock = clock
        self._seed = seed
        with store.lock:
            store.connection.executescript(_SCHEMA)
            for column in _INDEXED:
                store.connection.execute(
                    f"CREATE INDEX IF NOT EXISTS xero_records_{column} ON xero_records (kind, {column})"
                    f" WHERE {column} IS NOT NULL"
                )
        self._counter = int(store.fact(COUNTER) or 0)
        self._versions: dict[str, int] = {}

    @contextmanager
    def work(self) -> Iterator[None]:
        """Everything inside is committed together."""
        before = self._counter
        with self.store.transaction():
            yield
            if self._counter != before:
                self.store.remember(COUNTER, str(self._counter))

    def version(self, kind: str) -> int:
        """Rises with every change of a kind, for caches of small collections."""
        return self._versions.get(kind, 0)

    def new_id(self) -> str:
        """A new identifier: random to look at, the same for the same seed and history."""
        self._counter += 1
        digest = hashlib.sha256(f"xero:{self._seed}:{self._counter}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def get(self, kind: str, id_: str) -> dict[str, Any] | None:
        """One document by its identifier."""
        return self._one("id = ?", kind, id_)

    def by_number(self, kind: str, number: str) -> dict[str, Any] | None:
        """The first document with this number (contact number, code, tax type), compared without case."""
        return self._one("number = ?", kind, number.strip().casefold())

    def find(self, selection: Selection, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """The selected documents in order."""
        return list(self.stream(selection, limit, offset))

    def stream(self, selection: Selection, limit: int | None = None, offset: int = 0) -> Iterator[dict[str, Any]]:
        """The selected documents, one at a time."""
        source, values = self._source(selection)
        sql = f"SELECT doc FROM {source} ORDER BY {selection.ordering}"
        if limit is not None:
            sql += " LIMIT ? OFFSET ?"
            values += [limit, offset]
        with self.store.lock:
            for row in self._execute(sql, values):
                yield json.loads(row["doc"])

    def count(self, selection: Selection) -> int:
        """How many documents are selected."""
        source, values = self._source(selection)
        with self.store.lock:
            return int(self._execute(f"SELECT count(*) AS n FROM {source}", values).fetchone()["n"])

    def put(self, kind: str, doc: dict[str, Any], *, touch: bool = True) -> dict[str, Any]:
        """Insert or replace; ``touch=False`` leaves UpdatedDateUTC as it is, as Xero does for some edits."""
        now = self.clock.now()
        if touch or "UpdatedDateUTC" not in doc:
            doc["UpdatedDateUTC"] = ms_moment(now)
            if kind in _STAMPED_TWICE:
                doc["UpdatedDateUTCString"] = moment_string(now)
        self._keep_past(kind, doc[ID_FIELDS[kind]], now)
        updated = milliseconds(parse_moment(doc["UpdatedDateUTC"]))
        values = columns_of(kind, doc)
        row = [kind, doc[ID_FIELDS[kind]], *(values.get(column) for column in COLUMNS)]
        marks = ", ".join("?" for _ in range(len(row) + 3))
        changes = ", ".join(f"{column} = excluded.{column}" for column in (*COLUMNS, "updated", "since", "doc"))
        self._execute(
            f"INSERT INTO xero_records (kind, id, {_FIELDS}, updated, since, doc) VALUES ({marks})"
            f" ON CONFLICT (kind, id) DO UPDATE SET {changes}",
            [*row, updated, milliseconds(now), dump(doc).decode()],
        )
        self._versions[kind] = self.version(kind) + 1
        return doc

    def remove(self, kind: str, id_: str) -> None:
        """Take one document away altogether."""
        self._keep_past(kind, id_, self.clock.now())
        self._execute("DELETE FROM xero_records WHERE kind = ? AND id = ?", [kind, id_])
        self._versions[kind] = self.version(kind) + 1

    def clear(self, kind: str) -> None:
        """Forget everything of a kind, its past as well."""
        for table in ("xero_records", "xero_past", "xero_notes", "xero_attachments"):
            self._execute(f"DELETE FROM {table} WHERE kind = ?", [kind])
        self._versions[kind] = self.version(kind) + 1

    def add_note(self, kind: str, id_: str, note: dict[str, Any]) -> None:
        """Append one history record to a document."""
        self._execute("INSERT INTO xero_notes (kind, id, doc) VALUES (?, ?, ?)", [kind, id_, dump(note).decode()])

    def notes(self, kind: str, id_: str) -> list[dict[str, Any]]:
        """The history records of a document, the newest first."""
        sql = "SELECT doc FROM xero_notes WHERE kind = ? AND id = ? ORDER BY rowid DESC"
        with self.store.lock:
            return [json.loads(row["doc"]) for row in self._execute(sql, [kind, id_])]

    def attach(self, kind: str, owner: str, doc: dict[str, Any], content: bytes) -> None:
        """Keep a file under a document; one with the same identifier is replaced."""
        sql = "INSERT OR REPLACE INTO xero_attachments (id, kind, owner, doc, content) VALUES (?, ?, ?, ?, ?)"
        self._execute(sql, [doc["AttachmentID"], kind, owner, dump(doc).decode(), content])

    def attachments(self, kind: str, owner: str) -> list[dict[str, Any]]:
        """What is attached to a document, in the order of arrival, without the contents."""
        sql = "SELECT doc FROM xero_attachments WHERE kind = ? AND owner = ? ORDER BY rowid"
        with self.store.lock:
            return [json.loads(row["doc"]) for row in self._execute(sql, [kind, owner])]

    def attached_bytes(self, id_: str) -> bytes:
        """The contents of one attachment, which has to be there."""
        with self.store.lock:
            row = self._execute("SELECT content FROM xero_attachments WHERE id = ?", [id_]).fetchone()
        return bytes(row["content"])

    def _one(self, condition: str, kind: str, value: str) -> dict[str, Any] | None:
        with self.store.lock:
            sql = f"SELECT doc FROM xero_records WHERE kind = ? AND {condition} ORDER BY seq LIMIT 1"
            row = self._execute(sql, [kind, value]).fetchone()
        return None if row is None else json.loads(row["doc"])

    def _source(self, selection: Selection) -> tuple[str, list[Any]]:
        where = " AND ".join(("kind = ?", *selection.conditions))
        values = [selection.kind, *selection.values]
        if selection.as_of is None:
            return f"xero_records WHERE {where}", values
        moment = milliseconds(selection.as_of)
        names = f"seq, kind, id, {_FIELDS}, updated, since, doc"
        then = (
            f"(SELECT {names} FROM xero_records WHERE kind = ? AND since <= ? UNION ALL "
            f"SELECT {names} FROM xero_past WHERE kind = ? AND since <= ? AND replaced > ?)"
        )
        return f"{then} WHERE {where}", [selection.kind, moment, selection.kind, moment, moment, *values]

    def _keep_past(self, kind: str, id_: str, now: datetime) -> None:
        names = f"seq, kind, id, {_FIELDS}, updated, since, doc"
        self._execute(
            f"INSERT INTO xero_past ({names}, replaced) SELECT {names}, ? FROM xero_records WHERE kind = ? AND id = ?",
            [milliseconds(now), kind, id_],
        )
        self._execute("DELETE FROM xero_past WHERE replaced < ?", [milliseconds(now - _PAST_KEPT)])

    def _execute(self, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        return self.store.connection.execute(sql, values)
