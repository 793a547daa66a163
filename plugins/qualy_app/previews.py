"""Previews: the exact documents that would be written, and the hash that confirms them."""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from qualy_sync.contracts.accounting import NewDocument, NewSettlement
from qualy_sync.ledger.engine import db_now, upsert
from qualy_sync.ledger.schema import report_files
from qualy_sync.load import Work, preview
from qualy_sync.load.gate import offer, plan_hash
from qualy_sync.model import to_decimal
from qualy_sync.plan import Planned

log = logging.getLogger("qualy_sync.load")

COLUMNS = ("leg", "qualy_id", "ref", "number", "date", "due_date", "currency", "amount", "account", "tax", "held_as")


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be written, and the hash that names it."""

    hash: str
    planned: tuple[Planned, ...]

    def counts(self) -> dict[str, int]:
        legs = Counter(str(one.leg) for one in self.planned if one.due)
        held = sum(1 for one in self.planned if not one.due)
        return {f"would_write_{leg}": number for leg, number in sorted(legs.items())} | {"held": held}


def make_preview(work: Work) -> Preview:
    """Plans everything without keeping it, and offers the plan for confirmation."""
    planned = tuple(preview(work))
    name, steps = plan_hash(planned)
    offer(work.ledger, work.book, name, steps)
    return Preview(name, planned)


def keep_preview(work: Work) -> dict[str, int]:
    """A preview for Airflow: the hash in the log, the documents as a file of the run."""
    made = make_preview(work)
    log.info("Nothing is written. To confirm exactly this plan, start a run with confirm: %s", made.hash)
    with work.ledger.writing() as connection:
        row = {
            "run": work.run,
            "name": "preview.csv",
            "media_type": "text/csv; charset=utf-8",
            "content": as_csv(made),
            "made_at": db_now(connection),
        }
        upsert(connection, report_files, row, keys=("run", "name"))
    return made.counts()


def as_csv(made: Preview) -> bytes:
    """One row per line of a document, settlement or contact (without names and emails)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for one in made.planned:
        writer.writerows(_rows(one))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _rows(one: Planned) -> Iterator[dict[str, str]]:
    step = one.step
    if step is None:
        return
    common = {
        "leg": str(one.leg),
        "qualy_id": one.source_id,
        "ref": step.ref,
        "currency": one.currency,
        "held_as": str(one.outcome.code) if one.outcome else "",
    }
    new = step.new
    if isinstance(new, NewDocument):
        dates = {"number": new.number, "date": new.date.isoformat(), "due_date": new.due_date.isoformat()}
        for line in new.lines:
            amount = str(to_decimal(line.amount, new.currency))
            yield common | dates | {"amount": amount, "account": line.account, "tax": line.tax}
    elif isinstance(new, NewSettlement):
        amount = str(to_decimal(new.amount, new.currency))
        yield common | {"date": new.date.isoformat(), "amount": amount, "account": new.account}
    else:
        yield common


def newest_offer(connection: sa.Connection, book: int) -> str | None:
    """The hash of the newest preview."""
    from qualy_sync.ledger.schema import confirmations

    found: str | None = connection.scalar(
        sa.select(confirmations.c.hash)
        .where(confirmations.c.book == book, ~confirmations.c.standing)
        .order_by(confirmations.c.offered_at.desc())
        .limit(1)
    )
    return found
