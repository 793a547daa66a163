"""a fresh start ends a book"""

import sqlalchemy as sa
from alembic import op

from qualy_sync.ledger import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("books", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ended_at", schema.Utc(), nullable=True))
        batch_op.add_column(sa.Column("ended_by", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("ended_why", sa.Text(), nullable=True))
