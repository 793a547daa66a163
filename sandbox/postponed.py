"""Calls whose connection was dropped and that are carried out later (``drop_then_commit``)."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp, Scope

from sandbox.answer import call
from sandbox.clock import Clock
from sandbox.store import Store


class Postponed:
    """Waiting calls, kept in the store so that a restart does not lose them.

    Nobody can see a difference before the next call comes in, so they are carried out at the start of that call and
    of every control call, in the order in which they fall due.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(self, service: str, scope: Scope, body: bytes, received: datetime, seconds: float) -> None:
        """Keep a call until the clock has moved on by ``seconds``."""
        kept = {
            "method": scope["method"],
            "path": scope["path"],
            "root_path": scope["root_path"],
            "query": base64.b64encode(scope["query_string"]).decode(),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "received": received.timestamp(),
        }
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO sandbox_postponed (service, due, scope, body) VALUES (?, ?, ?, ?)",
                (service, received.timestamp() + seconds, json.dumps(kept), body),
            )

    async def carry_out_due(self, app_of: Callable[[str], ASGIApp]) -> int:
        """Carry out all that is due by now; returns how many that were."""
        done = 0
        while (row := self._take_one()) is not None:
            kept = json.loads(row["scope"])
            scope: Scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "scheme": "http",
                "method": kept["method"],
                "path": kept["path"],
                "raw_path": kept["path"].encode(),
                "root_path": kept["root_path"],
                "query_string": base64.b64decode(kept["query"]),
                "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept["headers"]],
                "client": ("127.0.0.1", 0),
                "server": ("127.0.0.1", 0),
                "sandbox.received_at": datetime.fromtimestamp(kept["received"], UTC),
                "sandbox.faults": {"partial_after": None, "stale_reads": None},
            }
            await call(app_of(row["service"]), scope, row["body"])
            done += 1
        return done

    def _take_one(self) -> sqlite3.Row | None:
        now = self._clock.now().timestamp()
        with self._store.transaction() as connection:
            row: sqlite3.Row | None = connection.execute(
                "SELECT * FROM sandbox_postponed WHERE due <= ? ORDER BY due, number LIMIT 1", (now,)
            ).fetchone()
            if row is not None:
                connection.execute("DELETE FROM sandbox_postponed WHERE number = ?", (row["number"],))
        return row
