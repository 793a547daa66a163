"""Where the sandbox keeps what it holds: one SQLite database, in a file or in memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FRAME_SCHEMA = """
CREATE TABLE IF NOT EXISTS sandbox_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sandbox_faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    action TEXT NOT NULL, remaining INTEGER NOT NULL, skip INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sandbox_calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, at TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, query TEXT NOT NULL, status INTEGER, fault TEXT, records INTEGER NOT NULL,
    idempotency_key TEXT, body_sha256 TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sandbox_calls_service ON sandbox_calls (service, number);
CREATE TABLE IF NOT EXISTS sandbox_postponed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, due REAL NOT NULL, scope TEXT NOT NULL,
    body BLOB NOT NULL);
"""


class Store:
    """One SQLite connection that every service shares, with one re-entrant lock around it.

    A file is flushed on each commit, so a sandbox that is killed continues where it was. Services create their own
    tables, each with the service's name in front.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._depth = 0
        self.connection = sqlite3.connect(
            ":memory:" if path is None else path, check_same_thread=False, isolation_level=None, timeout=2
        )
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        if path is not None:
            self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # one sandbox per file: much is in memory
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(FRAME_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is committed together, or not at all. Nested uses join the outermost one."""
        with self.lock:
            if self._depth == 0:
                self.connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self.connection
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self.connection.execute("COMMIT")

    def fact(self, name: str) -> str | None:
        """One remembered value of the frame or of a service (by convention ``service.name``)."""
        with self.lock:
            row = self.connection.execute("SELECT value FROM sandbox_facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def remember(self, name: str, value: str) -> None:
        """Keep a small value under a name."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO sandbox_facts (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the database; nothing is lost, since every change was committed when it was made."""
        with self.lock:
            self.connection.close()
