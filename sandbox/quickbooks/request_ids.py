"""``requestid``: the first answer is given again. How long it is remembered, nobody says; it can be switched."""

from __future__ import annotations

import hashlib

from sandbox.clock import Clock
from sandbox.quickbooks.answers import Answer, Refused
from sandbox.quickbooks.readings import Readings
from sandbox.store import Store
from sandbox.turns import Turns

LONGEST, LONGEST_OF_BATCH, LONGEST_BID = 50, 36, 10
_SCHEMA = """
CREATE TABLE IF NOT EXISTS quickbooks_request_ids (
    id TEXT PRIMARY KEY, request TEXT NOT NULL, at REAL NOT NULL, status INTEGER NOT NULL, type TEXT NOT NULL,
    body BLOB NOT NULL);
"""


def fingerprint(path: str, body: bytes) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(path.encode() + b"\n" + body).hexdigest()


class RequestIds:
    """The answers by request id, for the one company."""

    def __init__(self, store: Store, clock: Clock, readings: Readings) -> None:
        self._store = store
        self._clock = clock
        self._readings = readings
        self.turn = Turns().turn
        with store.lock:
            store.connection.executescript(_SCHEMA)

    def recall(self, id_: str, request: str) -> Answer | None:
        """The remembered answer, or None for an id that is new. Raises Refused."""
        seconds = self._readings["requestid_seconds"]
        oldest = 0 if seconds is None else self._clock.now().timestamp() - seconds
        with self._store.lock:
            sql = "SELECT * FROM quickbooks_request_ids WHERE id = ? AND at > ?"
            row = self._store.connection.execute(sql, (id_, oldest)).fetchone()
        if row is None:
            return None
        if row["request"] != request and self._readings["requestid_other_body"] == "2130":
            raise Refused("2130", "The request id was used with another request", "requestid")
        return Answer(row["status"], bytes(row["body"]), row["type"])

    def remember(self, id_: str, request: str, answer: Answer) -> None:
        """Keep an answer, in the same transaction as what the call did."""
        if answer.status != 200 and not self._readings["requestid_remembers_faults"]:
            return
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO quickbooks_request_ids (id, request, at, status, type, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (id_, request, self._clock.now().timestamp(), answer.status, answer.content_type, answer.body),
            )
