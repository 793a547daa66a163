"""The log of calls: what came in and what was answered, never bodies or tokens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.answer import records_carried
from sandbox.store import Store

NEWEST_KEPT = 200_000
TRIMMED_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in."""

    service: str
    at: datetime
    method: str
    path: str
    query: str
    idempotency_key: str | None
    body: bytes


class CallLog:
    """Every call to every service, the newest 200,000."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, call: Call, status: int | None, fault: str | None) -> None:
        """Note a call when it is over; ``status`` is what the client saw, None for no answer."""
        row = (
            call.service,
            call.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            call.method,
            call.path,
            call.query,
            status,
            fault,
            records_carried(call.body),
            call.idempotency_key,
            hashlib.sha256(call.body).hexdigest(),
        )
        with self._store.transaction() as connection:
            number = connection.execute(
                "INSERT INTO sandbox_calls (service, at, method, path, query, status, fault, records, idempotency_key,"
                " body_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
            if number is not None and number % TRIMMED_EVERY == 0:
                connection.execute("DELETE FROM sandbox_calls WHERE number <= ?", (number - NEWEST_KEPT,))

    def of(self, service: str) -> list[dict[str, Any]]:
        """All noted calls of one service, oldest first."""
        with self._store.lock:
            rows = self._store.connection.execute(
                "SELECT number, at, method, path, query, status, fault, records, idempotency_key, body_sha256"
                " FROM sandbox_calls WHERE service = ? ORDER BY number",
                (service,),
            ).fetchall()
        return [dict(row) for row in rows]

    def clear(self, service: str) -> int:
        """Forget them; returns how many there were."""
        with self._store.transaction() as connection:
            return connection.execute("DELETE FROM sandbox_calls WHERE service = ?", (service,)).rowcount
