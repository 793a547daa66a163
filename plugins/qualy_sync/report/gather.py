"""What a report tells, read from the ledger: queries in, plain values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from qualy_sync.ledger.queries import first, rows
from qualy_sync.outcomes import MEANINGS, Code, Group, Outcome
from qualy_sync.reconcile import pin_of, prove, totals

from . import books, months
from .escape import web_link
from .rules import rules
from .troubles import spoken, troubles_in
from .values import Context, Count, Disagreement, Head, Story, Waiting

IN_STEP = tuple(str(code) for code, meaning in MEANINGS.items() if meaning.group is Group.IN_STEP)
FINE = tuple(str(code) for code, meaning in MEANINGS.items() if meaning.group in (Group.IN_STEP, Group.EXCLUDED))
_CHUNK = 500
Listed = Iterator[Waiting]


def story(connection: sa.Connection, book: int, run: int, now: datetime, context: Context) -> Story:
    """Everything but the long lists."""
    head = head_of(connection, book, run, now, context)
    pin = pin_of(connection, run)
    lines = totals(connection, book, pin)
    previous = first(connection, "report.previous_report", book=book, run=run)
    since = previous.made_at if previous else None
    found = next(rows(connection, "report.difference_count", book=book)).records
    chart = first(connection, "report.fact", book=book, name="chart")
    agreed, pass_through = books.documents(connection, book, chart.value if chart else {})
    proof = prove(connection, book, pin)
    return Story(
        head=head,
        counts=counts(connection, "by_code", book=book),
        done=counts(connection, "done", book=book, run=run),
        troubles=troubles_in(connection, book, head.tool, run),
        lines=lines,
        agreed=agreed,
        months=months.months(lines, head, found, proof),
        written=months.written(connection, book, since or datetime(1970, 1, 1, tzinfo=UTC), head.lock_date),
        since=since,
        unpaid=books.unpaid(connection, book, head.today),
        unbilled=books.unbilled(connection, book, IN_STEP, FINE),
        clearing=books.clearing(connection, book, chart.value if chart else {}),
        to_recode=books.to_recode(connection, book),
        pass_through=pass_through,
        proof=proof,
        differences=found,
        gaps=context.gaps,
        rules=rules(connection, book, since, chart.value if chart else {}),
    )


def head_of(connection: sa.Connection, book: int, run: int, now: datetime, context: Context) -> Head:
    """Whose books these are. Raises LookupError for a book that the ledger does not have."""
    kept = first(connection, "report.book", book=book)
    if kept is None:
        raise LookupError(f"The ledger has no book {book}; nothing was synced yet.")
    fact = first(connection, "report.fact", book=book, name="organisation")
    value: dict[str, Any] = fact.value if fact else {}
    this = first(connection, "report.run", run=run)
    source = first(connection, "report.pass", pin=pin_of(connection, run))
    return Head(
        tool=context.title or kept.tool.replace("_", " ").title(),
        organisation=value.get("name") or kept.name,
        organisation_id=kept.organisation,
        base_currency=value.get("base_currency") or "",
        country=value.get("country") or "",
        zone=ZoneInfo(value.get("zone") or "UTC"),
        period_lock=_day(value.get("period_lock")),
        year_end_lock=_day(value.get("year_end_lock")),
        closed_until=_day(value.get("closed_until")),
        stand_in=bool(value.get("stand_in")),
        settings_version=this.settings_version if this else "",
        run=run,
        started_at=this.started_at if this else None,
        made_at=now,
        tool_read_at=fact.read_at if fact else None,
        source_read_at=source.completed_at if source else None,
    )


def counts(connection: sa.Connection, query: str, **parameters: Any) -> list[Count]:
    """Records by leg, code and currency."""
    return [
        Count(row.leg, Code(row.code), row.currency, row.records, row.amount)
        for row in rows(connection, f"report.{query}", **parameters)
    ]


def listed(
    connection: sa.Connection,
    book: int,
    head: Head,
    context: Context,
    pin: int,
    without: tuple[str, ...],
    after: int = 0,
) -> Listed:
    """Every record except those with one of some outcomes; who waits for a person comes first, then the oldest.

    `after`: only those whose outcome is newer than this one of the history.
    """
    chunk: list[Any] = []
    for row in rows(connection, "report.outcomes", book=book, without=without or ("",), after=after):
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield from _told(connection, chunk, head, context, pin)
            chunk = []
    yield from _told(connection, chunk, head, context, pin)


def differences(connection: sa.Connection, book: int) -> Iterator[Disagreement]:
    """What the last reconciliation found."""
    for row in rows(connection, "report.differences", book=book):
        yield Disagreement(
            row.what,
            row.leg,
            row.source_id,
            row.remote_id,
            row.currency,
            row.ours,
            row.theirs,
            row.sentence,
            web_link(row.url or ""),
        )


def not_in_step(found: Sequence[Count]) -> int:
    """How many records are neither in step nor left out on purpose."""
    return sum(count.records for count in found if str(count.code) not in FINE)


def by_group(found: list[Count]) -> dict[Group, Counter[str]]:
    """Records per group and leg."""
    table: dict[Group, Counter[str]] = {group: Counter() for group in Group}
    for count in found:
        table[MEANINGS[count.code].group][count.leg] += count.records
    return table


def _told(connection: sa.Connection, chunk: list[Any], head: Head, context: Context, pin: int) -> Iterator[Waiting]:
    unnumbered = {row.payment_id for row in chunk if row.payment_id and not row.number}
    numbers = {
        row.id: str(row.content.get("number") or "")
        for row in (rows(connection, "report.payment_numbers", ids=unnumbered, pin=pin) if unnumbered else ())
    }
    for row in chunk:
        code = Code(row.code)
        tool_id = (row.trouble_key or "").partition(":")[0]
        outcome = Outcome(code, spoken(row.detail or {}, head.tool, tool_id))
        meaning = MEANINGS[code]
        yield Waiting(
            leg=row.leg,
            source_id=row.source_id,
            payment_id=row.payment_id or "",
            number=row.number or numbers.get(row.payment_id, ""),
            code=code,
            group=meaning.group,
            actor=meaning.actor,
            reason=outcome.sentence(),
            remedy=outcome.remedy(),
            currency=row.currency,
            amount=row.amount,
            month=row.month,
            since=row.since,
            source_url=_payment_url(context.payment_link, row.payment_id),
            tool_url=web_link(row.url or ""),
        )


def _payment_url(template: str, payment_id: str | None) -> str:
    # An id is text from outside: anything but plain characters makes no address.
    if not template or not payment_id or not payment_id.isascii() or not payment_id.isalnum():
        return ""
    return web_link(template.replace("{id}", payment_id))


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
