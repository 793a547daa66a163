"""What the stand-in holds: SQLite tables of JSON documents with the columns that reads look for."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sandbox.clock import Clock
from sandbox.mailchimp.answers import Json
from sandbox.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mailchimp_lists (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mailchimp_fields (
    list TEXT NOT NULL, merge_id INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (list, merge_id));
CREATE TABLE IF NOT EXISTS mailchimp_tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, name TEXT NOT NULL, folded TEXT NOT NULL,
    UNIQUE (list, folded));
CREATE TABLE IF NOT EXISTS mailchimp_members (
    seq INTEGER PRIMARY KEY, list TEXT NOT NULL, hash TEXT NOT NULL, contact_id TEXT NOT NULL, status TEXT NOT NULL,
    changed INTEGER NOT NULL, doc TEXT NOT NULL, UNIQUE (list, hash), UNIQUE (list, contact_id));
CREATE INDEX IF NOT EXISTS mailchimp_members_status ON mailchimp_members (list, status, seq);
CREATE INDEX IF NOT EXISTS mailchimp_members_changed ON mailchimp_members (list, changed);
CREATE TABLE IF NOT EXISTS mailchimp_forgotten (list TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (list, hash));
CREATE TABLE IF NOT EXISTS mailchimp_throttled (
    list TEXT NOT NULL, hash TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (list, hash));
"""
_TABLES = {
    "lists": "mailchimp_lists",
    "merge_fields": "mailchimp_fields",
    "tags": "mailchimp_tags",
    "members": "mailchimp_members",
    "forgotten": "mailchimp_forgotten",
}
COUNTER = "mailchimp.counter"


class Records:
    """Reads and writes; a call of the API is one transaction, so it is done whole or not at all."""

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store = store
        self._clock = clock
        self._seed = seed
        self._moment: datetime | None = None
        with store.lock:
            store.connection.executescript(_SCHEMA)

    def now(self) -> datetime:
        """The moment at which something happens: now, or when the operation of a batch was due."""
        return self._moment or self._clock.now()

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Inside, it is ``moment``. Only for use inside a transaction, which keeps others out."""
        self._moment = moment
        try:
            yield
        finally:
            self._moment = None

    def number(self) -> int:
        """The next number that nothing had before."""
        found = int(self.store.fact(COUNTER) or 0) + 1
        self.store.remember(COUNTER, str(found))
        return found

    def new_id(self, length: int) -> str:
        """A new hexadecimal identifier: random to look at, the same for the same seed and history."""
        return hashlib.sha256(f"mailchimp:{self._seed}:{self.number()}".encode()).hexdigest()[:length]

    def lists(self) -> list[Json]:
        """All audiences, oldest first."""
        return self._documents("SELECT doc FROM mailchimp_lists ORDER BY seq")

    def list_(self, list_id: str) -> Json | None:
        """One audience."""
        return self._document("SELECT doc FROM mailchimp_lists WHERE id = ?", list_id)

    def put_list(self, doc: Json) -> None:
        """Insert or replace an audience."""
        self.execute(
            "INSERT INTO mailchimp_lists (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
            doc["id"],
            json.dumps(doc),
        )

    def fields(self, list_id: str) -> list[Json]:
        """The merge fields of an audience in the order in which they were made."""
        return self._documents("SELECT doc FROM mailchimp_fields WHERE list = ? ORDER BY merge_id", list_id)

    def put_field(self, list_id: str, doc: Json) -> None:
        """Insert or replace a merge field."""
        self.execute(
            "INSERT OR REPLACE INTO mailchimp_fields (list, merge_id, doc) VALUES (?, ?, ?)",
            list_id,
            doc["merge_id"],
            json.dumps(doc),
        )

    def remove_field(self, list_id: str, merge_id: int) -> None:
        """Take a merge field away; what members have in it stays unseen."""
        self.execute("DELETE FROM mailchimp_fields WHERE list = ? AND merge_id = ?", list_id, merge_id)

    def tag_names(self, list_id: str) -> dict[int, str]:
        """The audience's tags by id."""
        rows = self.rows("SELECT id, name FROM mailchimp_tags WHERE list = ? ORDER BY id", list_id)
        return {row["id"]: row["name"] for row in rows}

    def tag_id(self, list_id: str, name: str) -> int | None:
        """A tag's id by its name, whatever the case."""
        rows = self.rows("SELECT id FROM mailchimp_tags WHERE list = ? AND folded = ?", list_id, name.casefold())
        return int(rows[0]["id"]) if rows else None

    def make_tag(self, list_id: str, name: str) -> int:
        """A new tag."""
        sql = "INSERT INTO mailchimp_tags (list, name, folded) VALUES (?, ?, ?)"
        return int(self.execute(sql, list_id, name, name.casefold()).lastrowid or 0)

    def by_hash(self, list_id: str, hash_: str) -> Json | None:
        """A member by the MD5 of the address."""
        return self._document("SELECT doc FROM mailchimp_members WHERE list = ? AND hash = ?", list_id, hash_)

    def by_contact(self, list_id: str, contact_id: str) -> Json | None:
        """A member by the identifier that stays when the address changes."""
        sql = "SELECT doc FROM mailchimp_members WHERE list = ? AND contact_id = ?"
        return self._document(sql, list_id, contact_id)

    def put_member(self, list_id: str, doc: Json) -> None:
        """Insert or replace a member, found again by ``contact_id``."""
        changed = int(datetime.fromisoformat(doc["last_changed"]).timestamp())
        values = (list_id, doc["id"], doc["contact_id"], doc["status"], changed, json.dumps(doc))
        self.execute(
            "INSERT INTO mailchimp_members (list, hash, contact_id, status, changed, doc) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (list, contact_id) DO UPDATE SET hash = excluded.hash, status = excluded.status,"
            " changed = excluded.changed, doc = excluded.doc",
            *values,
        )

    def remove_member(self, list_id: str, doc: Json) -> None:
        """Take a member away altogether."""
        self.execute("DELETE FROM mailchimp_members WHERE list = ? AND hash = ?", list_id, doc["id"])

    def members(self, list_id: str, where: str, values: Sequence[Any], order: str, page: tuple[int, int]) -> list[Json]:
        """A page (count, offset) of the members that fit a condition."""
        sql = f"SELECT doc FROM mailchimp_members WHERE list = ?{where} ORDER BY {order} LIMIT ? OFFSET ?"
        return self._documents(sql, list_id, *values, *page)

    def count_members(self, list_id: str, where: str, values: Sequence[Any]) -> int:
        """How many members fit a condition."""
        rows = self.rows(f"SELECT count(*) AS n FROM mailchimp_members WHERE list = ?{where}", list_id, *values)
        return int(rows[0]["n"])

    def is_forgotten(self, list_id: str, hash_: str) -> bool:
        """Whether the address was permanently deleted."""
        return bool(self.rows("SELECT 1 FROM mailchimp_forgotten WHERE list = ? AND hash = ?", list_id, hash_))

    def forgotten(self) -> list[Json]:
        """All permanently deleted addresses, as their hashes."""
        rows = self.rows("SELECT list, hash FROM mailchimp_forgotten ORDER BY list, hash")
        return [{"list_id": row["list"], "id": row["hash"]} for row in rows]

    def set_forgotten(self, list_id: str, hash_: str, on: bool) -> None:
        """Remember that an address was permanently deleted, or that the person came back."""
        sql = "INSERT OR IGNORE INTO mailchimp_forgotten (list, hash) VALUES (?, ?)"
        self.execute(sql if on else "DELETE FROM mailchimp_forgotten WHERE list = ? AND hash = ?", list_id, hash_)

    def is_throttled(self, list_id: str, hash_: str) -> bool:
        """Whether the address signed up to too many audiences lately."""
        sql = "SELECT 1 FROM mailchimp_throttled WHERE list = ? AND hash = ? AND until > ?"
        return bool(self.rows(sql, list_id, hash_, self.now().timestamp()))

    def throttle(self, list_id: str, hash_: str, seconds: float) -> None:
        """Let sign-ups of an address be refused for so long."""
        until = self.now().timestamp() + seconds
        sql = "INSERT OR REPLACE INTO mailchimp_throttled (list, hash, until) VALUES (?, ?, ?)"
        self.execute(sql, list_id, hash_, until)

    def clear(self, kind: str) -> None:
        """Forget everything of a kind."""
        self.execute(f"DELETE FROM {_TABLES[kind]}")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self.store.lock:
            return self.store.connection.execute(sql, values).fetchall()

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """One change, inside the transaction of the call."""
        with self.store.transaction() as connection:
            return connection.execute(sql, values)

    def _documents(self, sql: str, *values: Any) -> list[Json]:
        return [json.loads(row["doc"]) for row in self.rows(sql, *values)]

    def _document(self, sql: str, *values: Any) -> Json | None:
        found = self._documents(sql, *values)
        return found[0] if found else None


def written(moment: datetime) -> str:
    """A moment as Mailchimp writes it: to the second, ``+00:00``."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()
