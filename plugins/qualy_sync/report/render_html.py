"""The report as one HTML file: no request leaves it, it works without script, and it prints."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from qualy_sync.outcomes import Actor, Group
from qualy_sync.reconcile import COLUMNS, Line, by_currency

from . import charts, sentences, words
from .books import AGES
from .escape import script_json, visible, web_link
from .gather import by_group
from .values import Disagreement, Head, Story, Waiting

TEMPLATES = Path(__file__).parent / "templates"
IN_PAGE = 200  # rows of the list that are in the page itself; they print, and show without script
MOST_ROWS = 5000  # rows that the page carries at all; every one is in waiting.csv
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
_GROUP_CLASS = {
    Group.IN_STEP: "good",
    Group.EXCLUDED: "quiet",
    Group.HELD: "held",
    Group.FOUND: "found",
    Group.REFUSED: "refused",
    Group.UNSETTLED: "unsettled",
}
_COLUMN_CLASS = {
    "booked": "good", "draft": "draft", "held": "held", "excluded": "quiet", "ignored": "quiet", "refused": "refused",
    "unknown": "unsettled",
}  # fmt: skip
_AMOUNT = re.compile(r"\b([A-Z]{3}) (?=-?\d)")
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
    page = environment().get_template("report.html.j2")
    script = asset("search.js")
    html = page.render(
        story=story,
        head=story.head,
        counts=by_group(list(story.counts)),
        groups=[(group, _GROUP_CLASS[group]) for group in Group],
        legs=LEGS,
        one=ONE,
        kinds=KINDS,
        columns=COLUMNS,
        column_class=_COLUMN_CLASS,
        sums=by_currency(story.lines),
        months=_months(story.lines),
        states=_STATES,
        ages=AGES,
        lead=sentences.lead(story),
        verdict=sentences.verdict(story),
        actors=[actor for actor in Actor if actor is not Actor.NOBODY],
        status_chart=_status_chart(story),
        money_charts=_money_charts(story.lines),
        rows=waiting[:IN_PAGE],
        more=[row_values(one, story.head) for one in waiting[IN_PAGE:MOST_ROWS]],
        carried=min(len(waiting), MOST_ROWS),
        waits=waits,
        differences=differences[:MOST_DIFFERENCES],
        files=files,
        style=Markup(asset("style.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        age=lambda since: words.age(since, story.head.made_at),
        moment=lambda value: words.moment(value, story.head.zone),
    )
    return html.encode()


def row_values(one: Waiting, head: Head) -> list[str]:
    """A row of the list as the page's script builds it; the template writes the same cells."""
    return [
        ONE.get(one.leg, one.leg),
        one.number,
        one.source_id,
        one.source_url,
        one.tool_url,
        visible(one.reason),
        visible(one.remedy),
        str(one.actor),
        str(one.group),
        _GROUP_CLASS[one.group],
        words.amount(one.amount, one.currency) if one.currency else "",
        words.age(one.since, head.made_at),
        words.month(one.month) if one.month else "",
        str(one.code),
    ]


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
    classes = {str(group): _GROUP_CLASS[group] for group in Group}
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


@cache
def environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.filters.update(
        bare=words.bare,
        money=words.amount,
        moneys=words.amounts,
        number=words.number,
        records=words.records,
        day=words.day,
        month=words.month,
        link=web_link,
        json=script_json,
    )
    return found


def _shown(value: Any) -> Any:
    """Whatever the template writes: text without anything hidden in it, and no line break inside an amount.

    Jinja escapes it for HTML afterwards.
    """
    if isinstance(value, (Markup, datetime)) or not isinstance(value, str):
        return value
    return _AMOUNT.sub("\\1\u00a0", visible(value))


@cache
def asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
