"""Idempotency keys: the first answer is remembered for six minutes, whatever it was."""

from __future__ import annotations

import hashlib
import json

from sandbox.clock import Clock
from sandbox.store import Store
from sandbox.turns import Turns
from sandbox.xero.answers import Answer

KEY_LENGTH = 128
WINDOW_SECONDS = 6 * 60
METHODS = frozenset({"POST", "PUT", "PATCH"})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS xero_keys (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, at REAL NOT NULL, status INTEGER NOT NULL, type TEXT NOT NULL,
    body BLOB NOT NULL, headers TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS xero_keys_at ON xero_keys (at);
"""


class DifferentRequest(Exception):
    """The key was used with another method, address or body."""


def fingerprint(method: str, address: str, body: bytes) -> str:
    """What makes two requests the same to Xero."""
    return hashlib.sha256(b"\n".join((method.encode(), address.encode(), body))).hexdigest()


class RememberedAnswers:
    """The answers by key. The six minutes count from the first call."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.turn = Turns().turn
        with store.lock:
            store.connection.executescript(_SCHEMA)

    def recall(self, key: str, request: str) -> Answer | None:
        """The remembered answer, or None for a key that is new (again). Raises DifferentRequest."""
        with self._store.lock:
            sql = "SELECT * FROM xero_keys WHERE key = ? AND at > ?"
            row = self._store.connection.execute(sql, (key, self._now() - WINDOW_SECONDS)).fetchone()
        if row is None:
            return None
        if row["request"] != request:
            raise DifferentRequest(key)
        return Answer(row["status"], bytes(row["body"]), row["type"], json.loads(row["headers"]))

    def remember(self, key: str, request: str, answer: Answer, at: float) -> None:
        """Keep the answer to a call that began at ``at``, in the same transaction as what the call did."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM xero_keys WHERE at <= ?", (self._now() - WINDOW_SECONDS,))
            connection.execute(
                "INSERT OR REPLACE INTO xero_keys (key, request, at, status, type, body, headers)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key, request, at, answer.status, answer.content_type, answer.body, json.dumps(answer.headers)),
            )

    def _now(self) -> float:
        return self._clock.now().timestamp()
