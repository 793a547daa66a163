"""The report of a run that kept customers in step with a CRM or audience tool: a page, and lists as CSV.

No value of anybody's stands in it: which record, which field, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.crm_schema import crm_differences, crm_links
from qualy_sync.ledger.queries import first
from qualy_sync.ledger.schema import run_counts

from . import csv_files, gather, render_customers
from .escape import web_link
from .make import Report
from .troubles import troubles_in
from .values import Context, CustomerStory, Head, UnequalField, Waiting

NEW_IN_QUALY = "customer"  # the leg whose records are known by the tool's id alone
DIFFERENCE_COLUMNS = ("qualy_id", "contact_id", "field", "reason", "since")
"""Columns of differences.csv: a field that is not equal on both sides, and why."""


def make_customer_report(ledger: Ledger, book: int, run: int, now: datetime, context: Context) -> Report:
    """Makes a run's report from the ledger, in one consistent view. Raises LookupError for an unknown book."""
    with ledger.reading() as connection:
        fact = first(connection, "report.fact", book=book, name="account")
        account: dict[str, Any] = fact.value if fact else {}
        head = gather.head_of(connection, book, run, now, context)
        head = replace(head, stand_in=bool(account.get("stand_in")))
        waiting = list(_waiting(connection, book, head, context, account.get("contact_page") or ""))
        unequal = list(_unequal(connection, book))
        story = CustomerStory(
            head=head,
            counts=gather.counts(connection, "by_code", book=book),
            tasks=_tasks(connection, run),
            troubles=troubles_in(connection, book, head.tool, run),
            unequal=Counter(one.reason for one in unequal),
            gaps=context.gaps,
        )
    files = dict(
        (
            csv_files.write("waiting.csv", csv_files.RECORD_COLUMNS, csv_files.records(waiting, head.zone)),
            csv_files.write("differences.csv", DIFFERENCE_COLUMNS, _cells(unequal)),
        )
    )
    return Report(render_customers.render(story, waiting, unequal, list(files)), files)


def _waiting(connection: sa.Connection, book: int, head: Head, context: Context, page: str) -> Iterator[Waiting]:
    """Every record that is not in step, with its page in the tool where there is one."""
    linked = _linked(connection, book)
    for one in gather.listed(connection, book, head, context, 0, gather.FINE):
        known = one.source_id if one.leg == NEW_IN_QUALY else linked.get(one.source_id)
        yield replace(one, tool_url=web_link(page.replace("{id}", quote(known, safe="")))) if known else one


def _linked(connection: sa.Connection, book: int) -> dict[str, str]:
    """The tool's ids by Qualy's."""
    found = connection.execute(sa.select(crm_links.c.source_id, crm_links.c.remote_id).where(crm_links.c.book == book))
    return {row.source_id: row.remote_id for row in found if row.remote_id}


def _tasks(connection: sa.Connection, run: int) -> dict[str, dict[str, int]]:
    """What each task of the run counted."""
    found = connection.execute(
        sa.select(run_counts.c.task, run_counts.c.counts).where(run_counts.c.run == run).order_by(run_counts.c.at)
    )
    return {row.task: row.counts or {} for row in found}


def _unequal(connection: sa.Connection, book: int) -> Iterator[UnequalField]:
    """Fields that are not equal, each with its reason."""
    found = connection.execute(
        sa.select(crm_differences, crm_links.c.remote_id)
        .outerjoin(
            crm_links,
            sa.and_(crm_links.c.book == crm_differences.c.book, crm_links.c.source_id == crm_differences.c.source_id),
        )
        .where(crm_differences.c.book == book)
        .order_by(crm_differences.c.reason, crm_differences.c.source_id, crm_differences.c.field)
    )
    for row in found:
        yield UnequalField(row.source_id, row.remote_id or "", row.field or "(the whole record)", row.reason, row.since)


def _cells(unequal: Iterable[UnequalField]) -> Iterator[list[str]]:
    for one in unequal:
        yield [one.qualy_id, one.contact_id, one.field, one.reason, one.since.isoformat(timespec="seconds")]
