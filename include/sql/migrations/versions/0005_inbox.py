"""inbox"""

import sqlalchemy as sa
from alembic import op

from qualy_sync.ledger import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("tool", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("received_at", schema.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("tool", "kind", "record_id", name=op.f("pk_inbox")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_order", ["tool", "received_at"], unique=False)
