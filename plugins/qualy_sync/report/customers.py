"""The report of a run that kept customers in step with a CRM or audience tool: a page, and lists as CSV.

No value of anybody's stands in it: which record, which field, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup

from qualy_sync.contracts.accounting import Gap
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.crm_schema import crm_differences, crm_links
from qualy_sync.ledger.schema import books, current_outcomes, outcomes, run_counts, runs
from qualy_sync.outcomes import MEANINGS, Actor, Code, Group, Outcome

from . import csv_files, render_html
from .make import Report
from .troubles import spoken, troubles_in
from .words import number

MOST_ROWS = 500
LEGS = {"contact": "Customers", "customer": "New in Qualy"}
REASONS = {
    "ask": "changed on both sides; a person is to decide",
    "emptied": "emptied on one side; the other side's value stays",
    "held_back": "it would change something in Qualy that the settings leave alone",
    "refused": "the other side does not take the value",
    "taken": "another contact there has the value, and only one may",
    "later": "the other side takes the address only after a day",
}
RECORD_COLUMNS = ("leg", "id", "group", "outcome", "who_acts", "reason", "remedy", "since")
DIFFERENCE_COLUMNS = ("qualy_id", "contact_id", "field", "reason", "since")


@dataclass(frozen=True, slots=True)
class Line:
    """One record that is not in step."""

    leg: str
    id: str
    code: Code
    reason: str
    remedy: str
    since: datetime


def make_customer_report(
    ledger: Ledger, book: int, run: int, now: datetime, title: str, gaps: Sequence[Gap] = ()
) -> Report:
    """Makes a run's report from the ledger, in one consistent view. Raises LookupError for an unknown book."""
    with ledger.reading() as connection:
        head = connection.execute(sa.select(books).where(books.c.id == book)).first()
        if head is None:
            raise LookupError(f"The ledger has no book {book}.")
        this = connection.execute(sa.select(runs).where(runs.c.id == run)).first()
        counted = connection.execute(
            sa.select(current_outcomes.c.code, current_outcomes.c.leg, sa.func.count())
            .where(current_outcomes.c.book == book)
            .group_by(current_outcomes.c.code, current_outcomes.c.leg)
        ).all()
        tasks = connection.execute(sa.select(run_counts).where(run_counts.c.run == run).order_by(run_counts.c.at)).all()
        lines = list(_lines(connection, book, title, head.tool))
        unequal = list(_unequal(connection, book))
        troubles = troubles_in(connection, book, title, run)
    counts: dict[Group, dict[str, int]] = {group: dict.fromkeys(LEGS, 0) for group in Group}
    for code, leg, many in counted:
        counts[MEANINGS[Code(code)].group][leg] = counts[MEANINGS[Code(code)].group].get(leg, 0) + many
    page = render_html.environment().get_template("customers.html.j2")
    by_reason: dict[str, int] = {}
    for row in unequal:
        by_reason[row["reason"]] = by_reason.get(row["reason"], 0) + 1
    html = page.render(
        head=head,
        run=run,
        title=title,
        made_at=now,
        started_at=this.started_at if this else now,
        settings_version=this.settings_version if this else "",
        counts=counts,
        legs=LEGS,
        groups=list(Group),
        tasks=[(row.task, _said(row.counts)) for row in tasks],
        troubles=troubles,
        actors=[actor for actor in Actor if actor is not Actor.NOBODY],
        lines=lines[:MOST_ROWS],
        more=max(len(lines) - MOST_ROWS, 0),
        unequal=unequal[:MOST_ROWS],
        by_reason=by_reason,
        reasons=REASONS,
        gaps=gaps,
        style=Markup(render_html.asset("style.css")),
        meanings=MEANINGS,
    )
    files = dict(
        (
            csv_files.write("waiting.csv", RECORD_COLUMNS, (_record(one) for one in lines)),
            csv_files.write(
                "differences.csv", DIFFERENCE_COLUMNS, ([row[name] for name in DIFFERENCE_COLUMNS] for row in unequal)
            ),
        )
    )
    return Report(html.encode(), files)


def _lines(connection: sa.Connection, book: int, title: str, tool: str) -> Iterator[Line]:
    """Everything that is not in step, who waits for a person first."""
    found = connection.execute(
        sa.select(current_outcomes, outcomes.c.detail, outcomes.c.thing)
        .join(outcomes, outcomes.c.id == current_outcomes.c.outcome)
        .where(current_outcomes.c.book == book)
        .order_by(current_outcomes.c.trouble_key.is_(None), current_outcomes.c.since, current_outcomes.c.source_id)
    )
    for row in found:
        code = Code(row.code)
        if MEANINGS[code].group is Group.IN_STEP:
            continue
        outcome = Outcome(code, spoken(row.detail or {}, title, tool), row.thing)
        yield Line(row.leg, row.source_id, code, outcome.sentence(), outcome.remedy(), row.since)


def _unequal(connection: sa.Connection, book: int) -> Iterator[dict[str, Any]]:
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
        yield {
            "qualy_id": row.source_id,
            "contact_id": row.remote_id or "",
            "field": row.field or "(the whole record)",
            "reason": row.reason,
            "since": row.since.isoformat(timespec="seconds"),
        }


def _record(one: Line) -> list[str]:
    meaning = MEANINGS[one.code]
    since = one.since.isoformat(timespec="seconds")
    return [one.leg, one.id, str(meaning.group), str(one.code), str(meaning.actor), one.reason, one.remedy, since]


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number(many)}" for name, many in counts.items()) or "nothing to do"
