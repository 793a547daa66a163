"""The ledger's table for what webhooks tell: which records to read again. It holds ids, never what was sent."""

from __future__ import annotations

import sqlalchemy as sa

from .columns import Key, Utc, table

# records that a service said have changed, until they were read again; a record stands there once
inbox = table(
    "inbox",
    sa.Column("tool", sa.String(30), primary_key=True),
    sa.Column("kind", sa.String(40), primary_key=True),
    sa.Column("record_id", Key, primary_key=True),
    sa.Column("mark", sa.BigInteger, nullable=False),  # of the last webhook: another one while it is read counts again
    sa.Column("received_at", Utc, nullable=False),  # of the first one
    sa.Index("ix_inbox_order", "tool", "received_at"),
)
