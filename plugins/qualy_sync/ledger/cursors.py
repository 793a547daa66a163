"""Cursors: how far a reader got."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .engine import Ledger, db_now, upsert
from .schema import cursors


def get_cursor(ledger: Ledger, name: str) -> dict[str, Any] | None:
    with ledger.reading() as connection:
        found: dict[str, Any] | None = connection.scalar(sa.select(cursors.c.value).where(cursors.c.name == name))
        return found


def put_cursor(connection: sa.Connection, name: str, value: dict[str, Any]) -> None:
    upsert(connection, cursors, {"name": name, "value": value, "updated_at": db_now(connection)}, keys=("name",))
