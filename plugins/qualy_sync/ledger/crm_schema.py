"""The ledger's tables for CRM and audience tools. A book is one account of one tool, as for accounting.

They hold what the two-way merge hangs on: who is linked with whom, what each side said at the last agreement, what
waits for a person field by field, and whom nobody may ever create again.
"""

from __future__ import annotations

import sqlalchemy as sa

from .columns import Json, Key, Utc, table

# the tool's contacts as last read: for matching without calls, and to see what is gone
crm_contacts = table(
    "crm_contacts",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("ref", Key, nullable=False),  # Qualy's id, where the contact carries one
    sa.Column("values", Json, nullable=False),  # of the fields that are synced
    sa.Column("tags", Json, nullable=False),
    sa.Column("standing", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # here, archived, gone
    sa.Column("read_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("sweep", sa.Integer, nullable=False),  # the last whole reading that saw it
    sa.Column("dirty", sa.Boolean, nullable=False),  # changed since it was last merged
    sa.Index("ix_crm_contacts_email", "book", "email"),
    sa.Index("ix_crm_contacts_ref", "book", "ref"),
    sa.Index("ix_crm_contacts_dirty", "book", "dirty", "id"),
    sa.Index("ix_crm_contacts_sweep", "book", "sweep"),
)

# every address that leads to a contact, its own and further ones
crm_addresses = table(
    "crm_addresses",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(320), primary_key=True),
    sa.Column("contact_id", Key, primary_key=True),
    sa.Index("ix_crm_addresses_contact", "book", "contact_id"),
)

# which contact stands for which customer; a customer has one, and a contact stands for one
crm_links = table(
    "crm_links",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("remote_id", Key, nullable=False),
    sa.Column("email", sa.String(320), nullable=False),  # as at the last agreement
    sa.Column("how", sa.String(20), nullable=False),  # created, adopted, decided, created_in_qualy
    sa.Column("state", sa.String(20), nullable=False),  # linked, shared, archived, erased, withdrawn
    sa.Column("content_hash", sa.String(64), nullable=False),  # of what both sides said when last in step
    sa.Column("facts", Json, nullable=False),
    sa.Column("linked_at", Utc, nullable=False),
    sa.Column("synced_at", Utc, nullable=False),
    sa.Index(
        "uq_crm_links_one_customer",
        "book",
        "remote_id",
        unique=True,
        sqlite_where=sa.text("state = 'linked'"),
        postgresql_where=sa.text("state = 'linked'"),
    ),
    sa.Index("ix_crm_links_remote", "book", "remote_id"),
)

# what each side said of a field when they last agreed: the base of the three-way merge
crm_values = table(
    "crm_values",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("field", sa.String(100), primary_key=True),
    sa.Column("ours", sa.Text, nullable=False),
    sa.Column("theirs", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

# fields that are not equal, each with its reason: what `ask` waits for, and what is left alone on purpose
crm_differences = table(
    "crm_differences",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("field", sa.String(100), primary_key=True),
    sa.Column("reason", sa.String(30), nullable=False),  # the words of crm.merge.Reason
    sa.Column("ours", sa.Text, nullable=False),
    sa.Column("theirs", sa.Text, nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Index("ix_crm_differences_reason", "book", "reason"),
)

# whom nobody may create again; by hash, so that it can leave the ledger. The file beside it is the same list
crm_suppressed = table(
    "crm_suppressed",
    sa.Column("tool", sa.String(30), primary_key=True),
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("reason", sa.String(40), nullable=False),  # erased, forgotten, withdrawn
    sa.Column("at", Utc, nullable=False),
)
