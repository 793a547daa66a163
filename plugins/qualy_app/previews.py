"""Previews: the exact documents that would be written, and the hash that confirms them."""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
import sqlalchemy as sa

from qualy_sync.contracts.accounting import (
    Change,
    NewAllocation,
    NewDocument,
    NewRefund,
    NewSettlement,
    Remove,
    Void,
)
from qualy_sync.ledger.engine import db_now, upsert
from qualy_sync.ledger.schema import report_files
from qualy_sync.load import Work, preview
from qualy_sync.load.gate import offer, plan_hash
from qualy_sync.model import Leg, to_decimal
from qualy_sync.plan import Planned

log = logging.getLogger("qualy_sync.load")

TEMPLATES = Path(__file__).parent / "templates"
MOST_ROWS = 2000
COLUMNS = (
    "leg",
    "does",
    "qualy_id",
    "ref",
    "number",
    "date",
    "due_date",
    "currency",
    "amount",
    "account",
    "tax",
    "held_as",
)


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
    planned = _asked_for(work, tuple(preview(work)))
    name, steps = plan_hash(planned)
    offer(work.ledger, work.book, name, steps)
    return Preview(name, planned)


def _asked_for(work: Work, planned: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """Where some records were asked for: of contacts, those that their documents need."""
    if work.filter.everything:
        return planned
    people = (Leg.CONTACT, Leg.SUPPLIER)
    needed = {one.step.needs for one in planned if one.leg not in people and one.step is not None}
    only = work.filter.only
    return tuple(one for one in planned if one.leg not in people or one.key in needed or one.source_id in only)


def keep_preview(work: Work) -> dict[str, int]:
    """A preview for Airflow: the hash in the log, the documents as a file of the run."""
    made = make_preview(work)
    log.info("Nothing is written. To confirm exactly this plan, start a run with confirm: %s", made.hash)
    files = {"preview.csv": ("text/csv; charset=utf-8", as_csv(made))}
    files["report.html"] = ("text/html; charset=utf-8", as_html(made, work.tool.title))
    with work.ledger.writing() as connection:
        now = db_now(connection)
        rows = [
            {"run": work.run, "name": name, "media_type": media, "content": content, "made_at": now}
            for name, (media, content) in files.items()
        ]
        upsert(connection, report_files, rows, keys=("run", "name"))
    return made.counts()


def as_csv(made: Preview) -> bytes:
    """One row per line of a document, settlement or contact (without names and emails)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for one in made.planned:
        writer.writerows(_rows(one))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def as_html(made: Preview, title: str) -> bytes:
    """The same as a page; of a very large plan its beginning."""
    rows = [row for one in made.planned for row in _rows(one)]
    page = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True).get_template("preview.html")
    text = page.render(
        hash=made.hash,
        title=title,
        counts=made.counts(),
        columns=COLUMNS,
        rows=rows[:MOST_ROWS],
        left=max(len(rows) - MOST_ROWS, 0),
    )
    return text.encode()


def _rows(one: Planned) -> Iterator[dict[str, str]]:
    step = one.step
    if step is None:
        return
    common = {
        "leg": str(one.leg),
        "does": str(step.verb),
        "qualy_id": one.source_id,
        "ref": step.ref,
        "currency": one.currency,
        "held_as": str(one.outcome.code) if one.outcome else "",
    }
    new = step.new.new if isinstance(step.new, Change) else step.new
    if isinstance(new, NewDocument):
        due = new.due_date.isoformat() if new.due_date else ""
        dates = {"number": new.number, "date": new.date.isoformat(), "due_date": due}
        for line in new.lines:
            amount = str(to_decimal(line.amount, new.currency))
            yield common | dates | {"amount": amount, "account": line.account, "tax": line.tax}
    elif isinstance(new, NewSettlement | NewRefund):
        amount = str(to_decimal(new.amount, new.currency))
        yield common | {"date": new.date.isoformat(), "amount": amount, "account": new.account}
    elif isinstance(new, NewAllocation):
        yield common | {"date": new.date.isoformat(), "amount": str(to_decimal(new.amount, new.currency))}
    elif isinstance(new, Void):
        there = new.there
        amount = str(to_decimal(there.total, there.currency))
        yield common | {"number": there.number, "date": there.date.isoformat(), "amount": amount}
    elif isinstance(new, Remove):
        amount = str(to_decimal(new.there.amount, new.there.currency))
        yield common | {"date": new.there.date.isoformat(), "amount": amount, "account": new.there.account}
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
