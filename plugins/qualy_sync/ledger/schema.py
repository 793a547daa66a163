"""Every table of the ledger. What each one remembers is said beside it.

Schema changes are Alembic migrations (include/sql/migrations); a test compares the two.
"""

from __future__ import annotations

import sqlalchemy as sa

from qualy_sync.model import Leg

from .columns import Counter, Json, JsonOrNull, Key, Utc, table

# What is kept of records is keyed by leg, then id: a look by ids alone names every leg, or it reads the whole table.
LEGS = tuple(str(leg) for leg in Leg)


def _book() -> sa.Column[int]:
    return sa.Column("book", sa.Integer, sa.ForeignKey("books.id"), nullable=False)


# -- the ledger itself --------------------------------------------------------------------------------------------

# stamp (stand-in or real), the tests' clock offset
meta = table("meta", sa.Column("key", sa.String(50), primary_key=True), sa.Column("value", sa.Text, nullable=False))

# one Qualy tenant kept in step with one organisation (or account) of one tool; of each role, at most one not ended
books = table(
    "books",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("tenant", Key, nullable=False),
    sa.Column("tool", sa.String(30), nullable=False),
    sa.Column("organisation", Key, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("pinned_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    sa.Column("ended_by", Key),
    sa.Column("ended_why", sa.Text),
    sa.Column("role", sa.String(20), nullable=False, server_default="accounting"),  # or crm: one of each tool
    sa.UniqueConstraint("tenant", "tool", "organisation"),
)

# who may write to a tool, refresh a token or extract; the epoch rises with each holder
leases = table(
    "leases",
    sa.Column("name", Key, primary_key=True),
    sa.Column("holder", Key, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
)

# how far a reader got
cursors = table(
    "cursors",
    sa.Column("name", Key, primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
)

# OAuth tokens, encrypted; `intent_at` marks a refresh whose answer is not stored yet
tokens = table(
    "tokens",
    sa.Column("connection", Key, primary_key=True),
    sa.Column("seed_hash", sa.String(64), nullable=False),
    sa.Column("token", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
    sa.Column("intent_at", Utc),
    sa.Column("updated_at", Utc, nullable=False),
)

settings_versions = table(
    "settings_versions",
    sa.Column("version", sa.String(64), primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("first_at", Utc, nullable=False),
)

# -- the source ---------------------------------------------------------------------------------------------------

# one extraction; its rows are visible to runs that pin it or a later one, once it is complete
passes = table(
    "passes",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("completed_at", Utc),
    sa.Column("checked_at", Utc),
    sa.Column("sweep", sa.Boolean, nullable=False, default=False),
    sa.Column("counts", Json, nullable=False, default=dict),
)

# every version of every source record: valid from one pass until another
source_rows = table(
    "source_rows",
    sa.Column("kind", sa.String(30), primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("valid_from", sa.Integer, primary_key=True),
    sa.Column("valid_to", sa.Integer),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", Utc),
    sa.Column("final", sa.Boolean, nullable=False, default=False),
    sa.Column("payment_id", Key),
    sa.Column("contact_id", Key),
    sa.Column("partner_id", Key),
    sa.Column("email", sa.String(320), nullable=False, default=""),
    sa.Column("problem", Json),  # {"field", "problem"} where the record cannot be read
    sa.Index("ix_source_rows_current", "kind", "valid_to", "id"),
    sa.Index("ix_source_rows_payment", "payment_id", "kind"),
    sa.Index("ix_source_rows_contact", "kind", "contact_id"),
    sa.Index("ix_source_rows_partner", "partner_id", "kind"),
    sa.Index("ix_source_rows_email", "kind", "email"),
    sa.Index("ix_source_rows_from", "valid_from"),
)

# what is known of each source record apart from its content
source_seen = table(
    "source_seen",
    sa.Column("kind", sa.String(30), primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("first_seen_at", Utc, nullable=False),
    sa.Column("last_sweep", sa.Integer, nullable=False, default=0),  # the last sweep that saw it
    sa.Column("missed", sa.Integer, nullable=False, default=0),  # complete sweeps in a row that did not
)

# current failures of data-quality rules: ids, rule, code; never the values
quality_failures = table(
    "quality_failures",
    sa.Column("kind", sa.String(30), primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("rule", sa.String(100), primary_key=True),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Column("pass_number", sa.Integer, nullable=False),
)

# what each expectation found in one pass, in counts
quality_results = table(
    "quality_results",
    sa.Column("pass_number", sa.Integer, primary_key=True),
    sa.Column("suite", sa.String(100), primary_key=True),
    sa.Column("rule", sa.String(100), primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
)

# -- the tool, as last read ---------------------------------------------------------------------------------------

# organisation, chart and the like, as JSON
facts = table(
    "facts",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("read_at", Utc, nullable=False),
)

mirror_contacts = table(
    "mirror_contacts",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("ref", sa.String(100), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.String(300), nullable=False),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("merged_into", Key, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("party", sa.String(20), nullable=False, server_default="any"),
    sa.Column("currency", sa.String(3), nullable=False, server_default=""),
    sa.Column("version", sa.String(100), nullable=False, server_default=""),
    sa.Column("document", sa.String(50), nullable=False, server_default=""),
    sa.Index("ix_mirror_contacts_ref", "book", "ref"),
    sa.Index("ix_mirror_contacts_email", "book", "email"),
    sa.Index("ix_mirror_contacts_name", "book", "name_key"),
)

mirror_documents = table(
    "mirror_documents",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("ref", sa.String(300), nullable=False),
    sa.Column("number", sa.String(300), nullable=False),
    sa.Column("number_key", sa.String(300), nullable=False),
    sa.Column("contact_id", Key, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("due_date", sa.Date),
    sa.Column("status", sa.String(20), nullable=False),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("net", "tax", "total", "paid", "credited", "due")),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("url", sa.Text, nullable=False, default=""),
    sa.Column("version", sa.String(100), nullable=False, server_default=""),
    sa.Column("basis", sa.String(20)),  # None where no reading showed the lines
    sa.Column("lines", JsonOrNull),
    sa.Column("rest", sa.Text, nullable=False, server_default=""),
    sa.Column("pays_from", Key, nullable=False, server_default=""),
    sa.Index("ix_mirror_documents_ref", "book", "ref"),
    sa.Index("ix_mirror_documents_number", "book", "number_key"),
    sa.Index("ix_mirror_documents_like", "book", "contact_id", "currency", "total"),
)

mirror_settlements = table(
    "mirror_settlements",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("ref", sa.String(300), nullable=False),
    sa.Column("document_id", Key, nullable=False),
    sa.Column("account", Key, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("reconciled", sa.Boolean),  # None: the tool cannot tell
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("of", sa.String(20), nullable=False, server_default="invoice"),
    sa.Column("version", sa.String(100), nullable=False, server_default=""),
    sa.Index("ix_mirror_settlements_ref", "book", "ref"),
    sa.Index("ix_mirror_settlements_document", "book", "document_id"),
)

mirror_allocations = table(
    "mirror_allocations",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("ref", sa.String(300), nullable=False),
    sa.Column("note_id", Key, nullable=False),
    sa.Column("document_id", Key, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Index("ix_mirror_allocations_note", "book", "note_id"),
    sa.Index("ix_mirror_allocations_document", "book", "document_id"),
    sa.Index("ix_mirror_allocations_ref", "book", "ref"),
)

# -- what was written ---------------------------------------------------------------------------------------------

# which remote record stands for which leg
links = table(
    "links",
    sa.Column("id", Counter, primary_key=True),
    _book(),
    sa.Column("leg", sa.String(20), nullable=False),
    sa.Column("source_id", Key, nullable=False),
    sa.Column("variant", sa.String(20), nullable=False, default=""),
    sa.Column("generation", sa.Integer, nullable=False, default=1),
    sa.Column("remote_id", Key, nullable=False),
    sa.Column("ref", sa.String(50), nullable=False),
    sa.Column("how", sa.String(20), nullable=False),  # created, adopted, decided
    sa.Column("source_hash", sa.String(64), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("facts", Json, nullable=False),  # what was agreed: number, date, account, currency, total, …
    sa.Column("settings_version", sa.String(64), nullable=False),
    sa.Column("linked_at", Utc, nullable=False),
    sa.UniqueConstraint("book", "leg", "source_id", "variant"),
    sa.Index("ix_links_remote", "book", "remote_id"),
)

# one batched call: committed before it is sent, its body encrypted and expiring
attempts = table(
    "attempts",
    sa.Column("id", Counter, primary_key=True),
    _book(),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("key", sa.String(128), nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary),
    sa.Column("body_hash", sa.String(64), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("committed_at", Utc, nullable=False),
    sa.Column("first_sent_at", Utc),
    sa.Column("last_sent_at", Utc),
    sa.Column("ended_at", Utc),
    sa.Column("fate", sa.String(30)),  # answered, not_sent, rejected, unknown; None: the process went away
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Index("ix_attempts_open", "book", "ended_at"),
)

# the steps of a call. At most one open per step: this index, not a pool, forbids two sends
attempt_steps = table(
    "attempt_steps",
    sa.Column("id", Counter, primary_key=True),
    sa.Column("attempt", sa.BigInteger, sa.ForeignKey("attempts.id"), nullable=False),
    _book(),
    sa.Column("leg", sa.String(20), nullable=False),
    sa.Column("source_id", Key, nullable=False),
    sa.Column("variant", sa.String(20), nullable=False, default=""),
    sa.Column("generation", sa.Integer, nullable=False, default=1),
    sa.Column("what", sa.String(20), nullable=False, server_default=""),
    sa.Column("verb", sa.String(10), nullable=False, server_default="create"),
    sa.Column("ref", sa.String(50), nullable=False),
    sa.Column("sought", sa.String(100), nullable=False),  # what the tool is searched by
    sa.Column("source_hash", sa.String(64), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("settings_version", sa.String(64), nullable=False),
    sa.Column("frozen", Json, nullable=False),  # date, number, account, contact, currency, total: fixed for good
    sa.Column("seen", Json, nullable=False),  # what was there before: amount due, …
    sa.Column("amount", sa.BigInteger, nullable=False, default=0),
    sa.Column("currency", sa.String(3), nullable=False, default=""),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("fate", sa.String(30)),
    sa.Column(
        "ticket", Key, nullable=False, server_default=""
    ),  # the tool took it, and answers later when asked by this
    sa.Column("absent_at", Utc),  # first complete search that found nothing, where two are asked for
    sa.Column("at", Utc, nullable=False),
    sa.Index(
        "uq_attempt_steps_one_open",
        "book",
        "leg",
        "source_id",
        "variant",
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    ),
    sa.Index("ix_attempt_steps_step", "book", "leg", "source_id"),
    sa.Index("ix_attempt_steps_attempt", "attempt"),
    sa.Index("ix_attempt_steps_at", "book", "at"),
)

# -- what became of it --------------------------------------------------------------------------------------------

runs = table(
    "runs",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(30), nullable=False),  # extract, accounting, preview
    sa.Column("dag_run", sa.String(300), unique=True),  # "dag_id/run_id" where Airflow runs it
    sa.Column("book", sa.Integer),
    sa.Column("pin", sa.Integer, nullable=False, default=0),
    sa.Column("params", Json, nullable=False),
    sa.Column("by_clock", sa.Boolean, nullable=False, default=False),
    sa.Column("settings_version", sa.String(64), nullable=False, default=""),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
)

# what each task of a run did, in counts; a repeated task replaces its own
run_counts = table(
    "run_counts",
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("task", sa.String(50), primary_key=True),
    sa.Column("counts", Json, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

# append-only; a row only when code, content or settings version changes
outcomes = table(
    "outcomes",
    sa.Column("id", Counter, primary_key=True),
    _book(),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("leg", sa.String(20), nullable=False),
    sa.Column("source_id", Key, nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Column("thing", sa.String(300), nullable=False, default=""),
    sa.Column("source_hash", sa.String(64), nullable=False),
    sa.Column("settings_version", sa.String(64), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_outcomes_record", "book", "leg", "source_id"),
    sa.Index("ix_outcomes_run", "run"),
)

# the one current outcome of each (record, leg), with what the tables of a report are made of
current_outcomes = table(
    "current_outcomes",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("leg", sa.String(20), primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("owner", Key, nullable=False, default=""),  # the customer whose group of records it is planned with
    sa.Column("outcome", sa.BigInteger, nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("trouble_key", sa.String(400)),
    sa.Column("payment_id", Key),
    sa.Column("amount", sa.BigInteger, nullable=False, default=0),
    sa.Column("currency", sa.String(3), nullable=False, default=""),
    sa.Column("month", sa.String(7), nullable=False, default=""),  # accounting month, YYYY-MM
    sa.Column("source_hash", sa.String(64), nullable=False),
    sa.Column("settings_version", sa.String(64), nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Column("checked_run", sa.Integer, nullable=False),
    sa.Column("retry_at", Utc),
    sa.Column("attention", sa.Boolean, nullable=False, default=False),  # plan it again although nothing changed
    sa.Index("ix_current_outcomes_trouble", "book", "trouble_key"),
    sa.Index("ix_current_outcomes_payment", "book", "payment_id"),
    sa.Index("ix_current_outcomes_code", "book", "code"),
    sa.Index("ix_current_outcomes_run", "book", "checked_run"),
    sa.Index("ix_current_outcomes_attention", "book", "attention", "owner"),
)

# of a record that stands in the tool more than once (a contact per currency): the outcome of each; the worst is the
# record's
variant_outcomes = table(
    "variant_outcomes",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("leg", sa.String(20), primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("variant", sa.String(20), primary_key=True),
    sa.Column("owner", Key, nullable=False, default=""),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Column("thing", sa.String(300), nullable=False, default=""),
    sa.Index("ix_variant_outcomes_code", "book", "code", "leg", "owner"),
)

# a trouble is known once an earlier run's instance did fail for it
troubles = table(
    "troubles",
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(400), primary_key=True),
    sa.Column("first_at", Utc, nullable=False),
    sa.Column("failed_run", sa.Integer),
    sa.Column("failed_at", Utc),
)

# the list of one Airflow run: entries keep their positions, new ones are appended
trouble_list = table(
    "trouble_list",
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(400), nullable=False),  # "" in the last slot: everything else
    sa.Column("fresh", sa.Boolean, nullable=False),
    sa.Column("shown_at", Utc),
    sa.UniqueConstraint("run", "key"),
)

# what a person decided, bound to the content it was decided on; append-only
decisions = table(
    "decisions",
    sa.Column("id", Counter, primary_key=True),
    _book(),
    sa.Column("leg", sa.String(20), nullable=False),
    sa.Column("source_id", Key, nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("choice", sa.String(20), nullable=False),
    sa.Column("argument", Key, nullable=False, default=""),
    sa.Column("by", Key, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("source_hash", sa.String(64), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_decisions_record", "book", "leg", "source_id"),
)

# a confirmed plan: the hash names the set; a standing one covers everything, for stand-ins only
confirmations = table(
    "confirmations",
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("standing", sa.Boolean, nullable=False, default=False),
    sa.Column("by", Key, nullable=False, default=""),
    sa.Column("confirmed_at", Utc),  # None: offered by a preview, not confirmed
    sa.Column("offered_at", Utc, nullable=False),
)

confirmation_steps = table(
    "confirmation_steps",
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("leg", sa.String(20), primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("content_hash", sa.String(64), primary_key=True),
)

# what reconciliation found, document by document, as at one cut-off; replaced by each reconciliation
differences = table(
    "differences",
    sa.Column("id", Counter, primary_key=True),
    _book(),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("leg", sa.String(20), nullable=False, default=""),
    sa.Column("source_id", Key, nullable=False, default=""),
    sa.Column("remote_id", Key, nullable=False, default=""),
    sa.Column("currency", sa.String(3), nullable=False, default=""),
    sa.Column("ours", sa.BigInteger),
    sa.Column("theirs", sa.BigInteger),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Index("ix_differences_run", "book", "run"),
)

# reports as made; files on disk are copies
report_files = table(
    "report_files",
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Utc, nullable=False),
)
