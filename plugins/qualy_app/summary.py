"""What a run came to, in lines for a terminal, and whether it ended the way its data says it should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.queries import first
from qualy_sync.outcomes import MEANINGS, Code, Group
from qualy_sync.reconcile import Column, Line, by_currency, completeness, pin_of, totals
from qualy_sync.report import trouble_labels, words
from qualy_sync.report.gather import by_group, counts
from qualy_sync.report.make import newest_copy
from qualy_sync.report.render_html import KINDS, LEGS
from qualy_sync.report.values import Count

from .tools import TOOLS

# What a run that went through leaves behind for nobody, whatever the data: work that is still due, or our own mistake.
UNFINISHED = frozenset(
    {Code.UNKNOWN, Code.UNREACHABLE, Code.OUT_OF_QUOTA, Code.RECONNECT, Code.ITS_TURN, Code.NOT_CONFIRMED}
    | {Code.MASS_CHANGE, Code.DUPLICATE_THERE, Code.CHANGED_THERE, Code.INVALID, Code.NOT_ALLOWED}
)


def lines(ledger_url: str, tool: str = "") -> list[str]:
    """The summary of the newest run: outcomes, totals on both sides, what waits for whom, where the report is."""
    ledger = Ledger(ledger_url)
    try:
        return list(_lines(ledger, tool))
    finally:
        ledger.close()


def as_expected(ledger_url: str) -> bool:
    """Whether every record has one outcome, both sides agree, and nothing is left to do but what people have to."""
    ledger = Ledger(ledger_url)
    try:
        return not surprises(ledger)
    finally:
        ledger.close()


def surprises(ledger: Ledger) -> list[str]:
    """What did not end the way it should, in sentences."""
    with ledger.reading() as connection:
        run = first(connection, "report.newest_run")
        if run is None:
            return ["No accounting run was made."]
        found = counts(connection, "by_code", book=run.book)
        unexplained = [
            line for line in by_currency(totals(connection, run.book, pin_of(connection, run.id))) if line.difference
        ]
        differences = _differences(connection, run.book)
    proof = completeness(ledger, run.book, run.id)
    said = [] if found else ["No record has an outcome."]
    if not proof.proved:
        said.append(proof.sentence())
    said += [f"{words.amount(line.difference, line.currency)} of {_kind(line)} is unexplained." for line in unexplained]
    if differences:
        said.append(f"Reconciliation found {words.records(differences, 'difference')}.")
    for code in sorted({count.code for count in found} & UNFINISHED):
        number = sum(count.records for count in found if count.code is code)
        said.append(f"{words.records(number)} ended as {code}.")
    return said


def _lines(ledger: Ledger, tool: str) -> Iterator[str]:
    with ledger.reading() as connection:
        run = first(connection, "report.newest_run")
        if run is None:
            yield "No accounting run was made yet."
            return
        found = counts(connection, "by_code", book=run.book)
        statement = by_currency(totals(connection, run.book, pin_of(connection, run.id)))
        differences = _differences(connection, run.book)
        path = newest_copy(connection, run.book)
    title = tool or TOOLS[run.tool].title
    yield f"Outcomes after run {run.id}"
    yield from _groups(found)
    yield ""
    yield f"Totals, Qualy and {title}"
    yield from _totals(statement, title)
    yield f"  Document by document: {words.records(differences, 'difference')}"
    yield f"  {completeness(ledger, run.book, run.id).sentence()}"
    yield ""
    yield from _waiting(ledger, run, title)
    if path:
        yield ""
        yield f"Report: {path}"


def _groups(found: Sequence[Count]) -> Iterator[str]:
    table = by_group(list(found))
    for group in Group:
        legs = [f"{words.number(table[group][leg])} {name.lower()}" for leg, name in LEGS.items() if table[group][leg]]
        if legs:
            yield f"  {str(group).capitalize():<24}{sum(table[group].values()):>8,}   {', '.join(legs)}"


def _totals(statement: Sequence[Line], title: str) -> Iterator[str]:
    table: list[tuple[str, ...]] = [("", "Qualy", title, "held or refused", "left out", "unknown", "difference")]
    for line in statement:
        in_tool = line.amounts[Column.BOOKED] + line.amounts[Column.DRAFT]
        held = line.amounts[Column.HELD] + line.amounts[Column.REFUSED]
        out = line.amounts[Column.EXCLUDED] + line.amounts[Column.IGNORED]
        unknown = line.amounts[Column.UNKNOWN]
        sums = (line.qualy, in_tool, held, out, unknown, line.difference)
        table.append(
            (f"{_kind(line)} {line.currency}".strip(), *(words.bare(amount, line.currency) for amount in sums))
        )
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    for row in table:
        cells = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"  {row[0]:<{widths[0]}}  {'  '.join(cells)}"


def _waiting(ledger: Ledger, run: Any, title: str) -> Iterator[str]:
    troubles = trouble_labels(ledger, run.book, title, run.id)
    if not troubles:
        yield "Nothing waits for a person."
        return
    yield "What waits for a person"
    for trouble in troubles:
        yield f"  {trouble.label}"
        yield f"      {MEANINGS[trouble.code].actor}: {trouble.remedy}"


def _differences(connection: sa.Connection, book: int) -> int:
    found = first(connection, "report.difference_count", book=book)
    return int(found.records) if found else 0


def _kind(line: Line) -> str:
    return KINDS.get(line.kind, line.kind)
