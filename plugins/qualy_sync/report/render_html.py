"""The report on the books as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from qualy_sync.outcomes import Group
from qualy_sync.reconcile import COLUMNS, Line, by_currency

from . import charts, page, sentences, words
from .books import AGES
from .gather import by_group
from .values import Disagreement, Story, Waiting

MOST_DIFFERENCES = 500

LEGS = {
    "contact": "Customers",
    "supplier": "Partners",
    "invoice": "Payments",
    "bill": "Splits",
    "settlement": "Receipts",
    "pay_out": "Pay-outs",
    "credit_note": "Credit notes",
    "supplier_credit": "Supplier credits",
    "allocation": "Allocations",
}
ONE = {
    "contact": "Customer",
    "supplier": "Partner",
    "invoice": "Payment",
    "bill": "Split",
    "settlement": "Receipt",
    "pay_out": "Pay-out",
    "credit_note": "Credit note",
    "supplier_credit": "Supplier credit",
    "allocation": "Allocation",
}
KINDS = {
    "payment-intents": "Payments",
    "payment-splits": "Splits",
    "transactions": "Receipts",
    "split-intents": "Pay-outs",
}
_COLUMN_CLASS = {
    "booked": "good", "draft": "draft", "held": "held", "excluded": "quiet", "ignored": "quiet", "refused": "refused",
    "unknown": "unsettled",
}  # fmt: skip
_STATES = {
    "locked": "Locked",
    "closable": "Yes",
    "open": "Not yet",
    "running": "Still running",
}


def render(
    story: Story, waiting: Sequence[Waiting], waits: int, differences: Sequence[Disagreement], files: Sequence[str]
) -> bytes:
    """The page. `waiting` and `differences` are the first of them, `waits` how many wait in all."""
    return page.render(
        "report.html.j2",
        page.Listed(story.head, waiting, waits, ONE, files),
        story=story,
        counts=by_group(list(story.counts)),
        legs=LEGS,
        kinds=KINDS,
        columns=COLUMNS,
        column_class=_COLUMN_CLASS,
        sums=by_currency(story.lines),
        months=_months(story.lines),
        states=_STATES,
        ages=AGES,
        lead=sentences.lead(story),
        verdict=sentences.verdict(story),
        status_chart=_status_chart(story),
        money_charts=_money_charts(story.lines),
        differences=differences[:MOST_DIFFERENCES],
    )


def _months(lines: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    ordered = sorted(lines, key=lambda line: (line.month, line.kind, line.currency))
    found = [(month, list(group)) for month, group in groupby(ordered, key=lambda line: line.month)]
    return [entry for entry in reversed(found) if entry[0]] + [entry for entry in found if not entry[0]]


def _status_chart(story: Story) -> Markup:
    table = by_group(list(story.counts))
    bars = [
        charts.Bar(name, {str(group): table[group][leg] for group in Group}, _part(table, leg))
        for leg, name in LEGS.items()
        if any(table[group][leg] for group in Group)
    ]
    classes = {str(group): page.GROUP_CLASS[group] for group in Group}
    told = "; ".join(f"{bar.label}: " + ", ".join(f"{n} {name}" for name, n in bar.parts.items() if n) for bar in bars)
    return charts.shares("What became of the records", told, bars, classes)


def _part(table: Mapping[Group, Mapping[str, int]], leg: str) -> str:
    total = sum(table[group].get(leg, 0) for group in Group)
    done = table[Group.IN_STEP].get(leg, 0) + table[Group.EXCLUDED].get(leg, 0)
    return f"{words.number(done)} of {words.number(total)} done"


def _money_charts(lines: Iterable[Line]) -> list[tuple[str, Markup]]:
    """Payments by month, one chart per currency; the four with the most records."""
    payments = [line for line in lines if line.kind == "payment-intents" and line.month and line.currency]
    by: dict[str, list[Line]] = {}
    for line in payments:
        by.setdefault(line.currency, []).append(line)
    chosen = sorted(by, key=lambda currency: (-sum(line.records for line in by[currency]), currency))[:4]
    drawn = []
    for currency in chosen:
        bars = [
            charts.Bar(
                words.short_month(line.month),
                {str(column): line.amounts[column] for column in COLUMNS},
                words.amount(line.qualy, currency),
            )
            for line in sorted(by[currency], key=lambda line: line.month)[-12:]
        ]
        told = "; ".join(f"{bar.label} {bar.note}" for bar in bars)
        drawn.append((currency, charts.lengths(f"Payments by month, {currency}", told, bars, _COLUMN_CLASS)))
    return drawn
