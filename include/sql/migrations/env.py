"""Alembic's way into the ledger: `Ledger.migrate` hands over a connection with its transaction open."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from qualy_sync.ledger import columns, crm_schema, inbox_schema, schema

TABLES = (schema, crm_schema, inbox_schema)  # importing them is what fills the one metadata


def render(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Names the ledger's own column types in a generated migration."""
    if kind == "type" and isinstance(item, schema.Utc):
        return "schema.Utc()"
    if kind == "type" and isinstance(item, sa.JSON):
        return "schema.Json"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=columns.metadata,
    render_as_batch=True,
    render_item=render,
)
context.run_migrations()
