"""a contact per currency"""

import sqlalchemy as sa
from alembic import op

from qualy_sync.ledger import schema

revision = "0006"
down_revision = "0005"

# Contacts have one currency for good only where the mirror shows one: their links are of that currency from now on.
BY_CURRENCY = """
UPDATE links
SET variant = (SELECT m.currency FROM mirror_contacts m WHERE m.book = links.book AND m.id = links.remote_id)
WHERE leg IN ('contact', 'supplier') AND variant = ''
  AND EXISTS (SELECT 1 FROM mirror_contacts m
              WHERE m.book = links.book AND m.id = links.remote_id AND m.currency <> '')
"""


def upgrade() -> None:
    op.create_table(
        "variant_outcomes",
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("leg", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.String(length=200), nullable=False),
        sa.Column("variant", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", schema.Json, nullable=False),
        sa.Column("thing", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("book", "leg", "source_id", "variant", name=op.f("pk_variant_outcomes")),
    )
    with op.batch_alter_table("variant_outcomes", schema=None) as batch_op:
        batch_op.create_index("ix_variant_outcomes_code", ["book", "code", "leg", "owner"], unique=False)
    op.execute(BY_CURRENCY)
