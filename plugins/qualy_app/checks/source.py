"""Currencies that are met, both readings of a due time on real rows, and lock dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Chart, Organisation
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import source_rows
from qualy_sync.model import Kind
from qualy_sync.settings import AccountingSettings

from .findings import Finding, Level
from .rules import met_currencies

SAMPLE = 2000  # newest payments that are looked at
EXAMPLES = 3


def currency_findings(
    ledger: Ledger, accounting: AccountingSettings, organisation: Organisation, chart: Chart, title: str
) -> Iterator[Finding]:
    """Which currencies Qualy's payments have, and whether the tool and the settings know them."""
    base = organisation.base_currency
    yield Finding(Level.OK, "currency", f"The base currency is {base}; enabled: {', '.join(sorted(chart.currencies))}.")
    met = met_currencies(ledger)
    for one in met:
        if one not in chart.currencies and one != base:
            yield Finding(
                Level.WARNING, "currency", f"Qualy has payments in {one}, which is not enabled in {title}: held."
            )
    foreign = [one for one in met if one != base and one in chart.currencies]
    if foreign and accounting.currencies.rates is None:
        yield Finding(
            Level.PROBLEM,
            "currency",
            f"Qualy has payments in {', '.join(foreign)}, and accounting.currencies.rates is not set: they are held.",
        )


def due_zone_findings(ledger: Ledger, accounting: AccountingSettings, organisation: Organisation) -> Iterator[Finding]:
    """Both readings of `dueAt` on real rows, since Qualy does not say which one it means."""
    due = source_rows.c.content["dueAt"].as_string()
    query = (
        sa.select(source_rows.c.id, due.label("due"))
        .where(source_rows.c.kind == Kind.PAYMENT, source_rows.c.valid_to.is_(None), due.is_not(None))
        .order_by(source_rows.c.id.desc())
        .limit(SAMPLE)
    )
    with ledger.reading() as connection:
        rows = [(row.id, moment) for row in connection.execute(query) if (moment := _moment(row.due))]
    zone = organisation.zone
    differing = [
        (record, moment) for record, moment in rows if moment.astimezone(UTC).date() != moment.astimezone(zone).date()
    ]
    if not rows:
        return
    chosen = f"accounting.due_zone is {accounting.due_zone}"
    if not differing:
        yield Finding(
            Level.OK,
            "due dates",
            f"{chosen}; the {len(rows):,} newest due payments have the same day in UTC and {zone}.",
        )
        return
    shown = "; ".join(
        f"{record}: {moment.astimezone(UTC):%H:%M} UTC is {moment.astimezone(UTC):%d %B} in UTC,"
        f" {moment.astimezone(zone):%d %B} in {zone}"
        for record, moment in differing[:EXAMPLES]
    )
    yield Finding(
        Level.BY_HAND,
        "due dates",
        f"{chosen}. Of {len(rows):,} due payments {len(differing):,} fall on another day in the other reading. Compare"
        f" with the due date that Qualy shows: {shown}.",
    )


def lock_findings(organisation: Organisation, chart: Chart, title: str) -> Iterator[Finding]:
    """The lock date, and whether the connection's user is bound by it."""
    day = organisation.lock_date
    locked = f"Locked to {day:%d %B %Y}, that day included." if day else "Nothing is locked."
    yield Finding(Level.OK, "lock dates", locked)
    if chart.posts_behind_lock:
        yield Finding(
            Level.WARNING,
            "lock dates",
            f"The connection's user may post behind the lock date, so that {title} would not refuse it. Our own check"
            " holds such records; better connect as a user who may not.",
        )


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
