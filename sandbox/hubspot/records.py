"""Where contacts are kept: the records, who has which unique value, where merged ids lead, and the search index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.clock import Clock
from sandbox.hubspot.moments import stamp
from sandbox.store import Store

HISTORY_KEPT = 20
FIRST_ID = 50_001
_NEXT_ID = "hubspot.next_id"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS hubspot_contacts (id INTEGER PRIMARY KEY, archived INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hubspot_unique (
    property TEXT NOT NULL, value TEXT NOT NULL, contact INTEGER NOT NULL, PRIMARY KEY (property, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hubspot_unique_contact ON hubspot_unique (contact);
CREATE TABLE IF NOT EXISTS hubspot_merged (old INTEGER PRIMARY KEY, contact INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hubspot_index (
    id INTEGER PRIMARY KEY, created INTEGER NOT NULL, updated INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS hubspot_index_updated ON hubspot_index (updated);
CREATE TABLE IF NOT EXISTS hubspot_indexing (
    number INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, id INTEGER NOT NULL, created INTEGER, updated INTEGER,
    doc TEXT);
CREATE INDEX IF NOT EXISTS hubspot_indexing_id ON hubspot_indexing (id);
CREATE INDEX IF NOT EXISTS hubspot_indexing_due ON hubspot_indexing (due);
CREATE TABLE IF NOT EXISTS hubspot_bumps (id INTEGER PRIMARY KEY, due REAL NOT NULL);
CREATE TABLE IF NOT EXISTS hubspot_blocked (email TEXT PRIMARY KEY) WITHOUT ROWID;
"""
TABLES = ("contacts", "unique", "merged", "index", "indexing", "bumps")

Json = dict[str, Any]


@dataclass(slots=True)
class Contact:
    """One record. Moments are milliseconds; ``values`` lacks what is empty; histories have the newest first."""

    id: int
    created: int
    updated: int
    values: dict[str, str] = field(default_factory=dict)
    history: dict[str, list[Json]] = field(default_factory=dict)
    emails: list[str] = field(default_factory=list)
    """Secondary addresses."""
    merged: list[int] = field(default_factory=list)
    archived_at: int | None = None

    @property
    def all_emails(self) -> list[str]:
        """Primary first."""
        primary = self.values.get("email")
        return ([primary] if primary else []) + self.emails

    def everything(self) -> dict[str, str]:
        """All values, those that HubSpot works out by itself as well."""
        email = self.values.get("email", "")
        worked_out = {
            "hs_object_id": str(self.id),
            "createdate": stamp(self.created),
            "lastmodifieddate": stamp(self.updated),
            "hs_all_contact_vids": ";".join(map(str, [self.id, *self.merged])),
            "hs_is_contact": "true",
            "hs_is_unworked": "true",
            "hs_pipeline": "contacts-lifecycle-pipeline",
            "hs_email_domain": email.partition("@")[2],
            "hs_additional_emails": ";".join(self.emails),
            "hs_merged_object_ids": ";".join(map(str, self.merged)),
        }
        return self.values | {name: value for name, value in worked_out.items() if value}


class Records:
    """The tables. Every method that writes is to be called inside ``store.transaction()``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self._clock = clock
        with store.lock:
            store.connection.executescript(_SCHEMA)

    def now(self) -> int:
        """The moment it is, in milliseconds."""
        return int(self._clock.now().timestamp() * 1000)

    def new_id(self) -> int:
        """An id that no record had before."""
        number = int(self.store.fact(_NEXT_ID) or FIRST_ID)
        self.store.remember(_NEXT_ID, str(number + 1))
        return number

    def reserve(self, used: int) -> None:
        """New ids are above ``used``."""
        if used >= int(self.store.fact(_NEXT_ID) or FIRST_ID):
            self.store.remember(_NEXT_ID, str(used + 1))

    def get(self, id_: int) -> Contact | None:
        """A record by its own id, archived ones as well; merged ids lead to the record that took their place."""
        row = self._one("SELECT doc FROM hubspot_contacts WHERE id = ?", id_)
        if row is None:
            merged = self._one("SELECT contact FROM hubspot_merged WHERE old = ?", id_)
            return None if merged is None else self.get(int(merged["contact"]))
        return Contact(**json.loads(row["doc"]))

    def page(self, archived: bool, after: int, limit: int) -> list[Contact]:
        """Records in the order of their ids, from the one after ``after`` on."""
        sql = "SELECT doc FROM hubspot_contacts WHERE archived = ? AND id > ? ORDER BY id LIMIT ?"
        with self.store.lock:
            rows = self.store.connection.execute(sql, (int(archived), after, limit)).fetchall()
        return [Contact(**json.loads(row["doc"])) for row in rows]

    def put(self, contact: Contact, unique_names: Iterable[str], *, holds_emails: bool, lag: float) -> None:
        """Keep a record, claim its unique values, and let search see it after ``lag`` seconds."""
        archived = contact.archived_at is not None
        connection = self.store.connection
        connection.execute(
            "INSERT OR REPLACE INTO hubspot_contacts (id, archived, doc) VALUES (?, ?, ?)",
            (contact.id, int(archived), json.dumps(asdict(contact), ensure_ascii=False)),
        )
        connection.execute("DELETE FROM hubspot_unique WHERE contact = ?", (contact.id,))
        if holds_emails or not archived:
            claims = [("email", email) for email in contact.all_emails]
            claims += [(name, contact.values[name]) for name in unique_names if name in contact.values]
            connection.executemany(
                "INSERT INTO hubspot_unique (property, value, contact) VALUES (?, ?, ?)",
                [(name, value, contact.id) for name, value in claims],
            )
        self._index(contact.id, None if archived else contact, lag)

    def remove(self, id_: int, lag: float) -> None:
        """Take a record away altogether, and the ids that led to it."""
        for table, column in (("contacts", "id"), ("unique", "contact"), ("bumps", "id")):
            self.store.connection.execute(f"DELETE FROM hubspot_{table} WHERE {column} = ?", (id_,))
        self.store.connection.execute("DELETE FROM hubspot_merged WHERE contact = ?", (id_,))
        self._index(id_, None, lag)

    def lead(self, old: int, new: int) -> None:
        """From now on ``old``, and what led to it, leads to ``new``."""
        self.store.connection.execute("UPDATE hubspot_merged SET contact = ? WHERE contact = ?", (new, old))
        self.store.connection.execute("INSERT OR REPLACE INTO hubspot_merged (old, contact) VALUES (?, ?)", (old, new))

    def is_merged_away(self, id_: int) -> bool:
        """Whether the id is one that a merge took."""
        return self._one("SELECT 1 FROM hubspot_merged WHERE old = ?", id_) is not None

    def holder(self, property_name: str, value: str) -> int | None:
        """The id of the record that has a unique value."""
        row = self._one("SELECT contact FROM hubspot_unique WHERE property = ? AND value = ?", property_name, value)
        return None if row is None else int(row["contact"])

    def block(self, email: str) -> None:
        """Nobody may add this address by hand or by import again."""
        self.store.connection.execute("INSERT OR REPLACE INTO hubspot_blocked (email) VALUES (?)", (email,))

    def unblock_all(self) -> None:
        """Empty the block list."""
        self.store.connection.execute("DELETE FROM hubspot_blocked")

    def blocked(self) -> list[str]:
        """The addresses of people who were deleted for good."""
        with self.store.lock:
            rows = self.store.connection.execute("SELECT email FROM hubspot_blocked ORDER BY email").fetchall()
        return [row["email"] for row in rows]

    def bump_later(self, id_: int, due: float) -> None:
        """Let ``lastmodifieddate`` move by itself at ``due`` (seconds since 1970)."""
        self.store.connection.execute("INSERT OR REPLACE INTO hubspot_bumps (id, due) VALUES (?, ?)", (id_, due))

    def due_bumps(self) -> list[tuple[int, int]]:
        """Taken off the list: ids and moments of the bumps whose time has come."""
        now = self._clock.now().timestamp()
        with self.store.lock:
            rows = self.store.connection.execute("SELECT * FROM hubspot_bumps WHERE due <= ?", (now,)).fetchall()
            if rows:
                self.store.connection.execute("DELETE FROM hubspot_bumps WHERE due <= ?", (now,))
        return [(row["id"], int(row["due"] * 1000)) for row in rows]

    def search_rows(
        self, where: str, values: list[Any], window: tuple[int, int] = (-1, 0)
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Ids and values as the search index has them by now, in the order of the ids; ``window``: limit, offset."""
        with self.store.transaction():
            self._catch_up()
            sql = f"SELECT id, doc FROM hubspot_index WHERE {where} ORDER BY id LIMIT ? OFFSET ?"
            rows = self.store.connection.execute(sql, [*values, *window]).fetchall()
        return ((row["id"], json.loads(row["doc"])) for row in rows)

    def search_count(self, where: str, values: list[Any]) -> int:
        """How many the search index has by now."""
        with self.store.transaction():
            self._catch_up()
            row = self.store.connection.execute(f"SELECT COUNT(*) FROM hubspot_index WHERE {where}", values).fetchone()
        return int(row[0])

    def visible(self, ids: list[int]) -> list[int]:
        """Those of the ids whose record is there and not archived."""
        marks = ", ".join("?" * len(ids))
        sql = f"SELECT id FROM hubspot_contacts WHERE archived = 0 AND id IN ({marks})"
        with self.store.lock:
            there = {row["id"] for row in self.store.connection.execute(sql, ids)}
        return [id_ for id_ in ids if id_ in there]

    def clear(self) -> None:
        """Forget every contact. Ids are not used again."""
        for table in TABLES:
            self.store.connection.execute(f"DELETE FROM hubspot_{table}")

    def _index(self, id_: int, contact: Contact | None, lag: float) -> None:
        due = self._clock.now().timestamp() + lag
        row: tuple[Any, ...] = (due, id_, None, None, None)
        if contact is not None:
            row = (due, id_, contact.created, contact.updated, json.dumps(contact.everything(), ensure_ascii=False))
        self.store.connection.execute("DELETE FROM hubspot_indexing WHERE id = ? AND due > ?", (id_, due))
        sql = "INSERT INTO hubspot_indexing (due, id, created, updated, doc) VALUES (?, ?, ?, ?, ?)"
        self.store.connection.execute(sql, row)

    def _catch_up(self) -> None:
        """Bring into the index what is due, in the order of the changes of each record."""
        connection = self.store.connection
        now = self._clock.now().timestamp()
        rows = connection.execute("SELECT * FROM hubspot_indexing WHERE due <= ? ORDER BY number", (now,)).fetchall()
        for row in rows:
            if row["doc"] is None:
                connection.execute("DELETE FROM hubspot_index WHERE id = ?", (row["id"],))
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO hubspot_index (id, created, updated, doc) VALUES (?, ?, ?, ?)",
                    (row["id"], row["created"], row["updated"], row["doc"]),
                )
        if rows:
            connection.execute("DELETE FROM hubspot_indexing WHERE due <= ?", (now,))

    def _one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self.store.lock:
            row: sqlite3.Row | None = self.store.connection.execute(sql, values).fetchone()
        return row
