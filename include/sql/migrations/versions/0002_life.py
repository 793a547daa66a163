"""the whole life of a payment: versions, lines and allocations in the mirror; what a step does, and its ticket"""

import sqlalchemy as sa
from alembic import op

from qualy_sync.ledger import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("mirror_contacts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("party", sa.String(length=20), nullable=False, server_default="any"))
        batch_op.add_column(sa.Column("currency", sa.String(length=3), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("version", sa.String(length=100), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("document", sa.String(length=50), nullable=False, server_default=""))
    with op.batch_alter_table("mirror_documents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.String(length=100), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("basis", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("lines", schema.JsonOrNull, nullable=True))
        batch_op.add_column(sa.Column("rest", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("pays_from", sa.String(length=200), nullable=False, server_default=""))
    with op.batch_alter_table("mirror_settlements", schema=None) as batch_op:
        batch_op.alter_column("reconciled", existing_type=sa.Boolean(), nullable=True)
        batch_op.add_column(sa.Column("of", sa.String(length=20), nullable=False, server_default="invoice"))
        batch_op.add_column(sa.Column("version", sa.String(length=100), nullable=False, server_default=""))
    with op.batch_alter_table("attempt_steps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("what", sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("verb", sa.String(length=10), nullable=False, server_default="create"))
        batch_op.add_column(sa.Column("ticket", sa.String(length=200), nullable=False, server_default=""))
    op.create_table(
        "mirror_allocations",
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("ref", sa.String(length=300), nullable=False),
        sa.Column("note_id", sa.String(length=200), nullable=False),
        sa.Column("document_id", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("updated_at", schema.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("book", "id", name=op.f("pk_mirror_allocations")),
    )
    with op.batch_alter_table("mirror_allocations", schema=None) as batch_op:
        batch_op.create_index("ix_mirror_allocations_note", ["book", "note_id"], unique=False)
        batch_op.create_index("ix_mirror_allocations_document", ["book", "document_id"], unique=False)
        batch_op.create_index("ix_mirror_allocations_ref", ["book", "ref"], unique=False)
