"""What every report is made with: one HTML file that no request leaves, that works without script, and that prints."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from qualy_sync.outcomes import Actor, Group

from . import words
from .escape import script_json, visible, web_link
from .values import Head, Waiting

TEMPLATES = Path(__file__).parent / "templates"
IN_PAGE = 200  # rows of the list that are in the page itself; they print, and show without script
MOST_ROWS = 5000  # rows that the page carries at all; every one is in waiting.csv
GROUP_CLASS = {
    Group.IN_STEP: "good",
    Group.EXCLUDED: "quiet",
    Group.HELD: "held",
    Group.FOUND: "found",
    Group.REFUSED: "refused",
    Group.UNSETTLED: "unsettled",
}
_AMOUNT = re.compile(r"\b([A-Z]{3}) (?=-?\d)")


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of a page: its first rows, how many there are in all, a record's name by leg, the files beside it.

    `amounts`: whether the records are about money.
    """

    head: Head
    rows: Sequence[Waiting]
    waits: int
    one: Mapping[str, str]
    files: Sequence[str]
    amounts: bool = True


def render(template: str, listed: Listed, **values: Any) -> bytes:
    """The page of a template, with the list and everything that all of them need."""
    script = asset("search.js")
    html = (
        _environment()
        .get_template(template)
        .render(
            head=listed.head,
            listed=listed,
            rows=listed.rows[:IN_PAGE],
            carried=min(len(listed.rows), MOST_ROWS),
            more=[_row(one, listed) for one in listed.rows[IN_PAGE:MOST_ROWS]],
            one=listed.one,
            groups=[(group, GROUP_CLASS[group]) for group in Group],
            actors=[actor for actor in Actor if actor is not Actor.NOBODY],
            style=Markup(asset("style.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            age=lambda since: words.age(since, listed.head.made_at),
            moment=lambda value: words.moment(value, listed.head.zone),
            **values,
        )
    )
    return html.encode()


def _row(one: Waiting, listed: Listed) -> list[str]:
    """A row of the list as the page's script builds it; the template writes the same cells."""
    return [
        listed.one.get(one.leg, one.leg),
        one.number,
        one.source_id,
        one.source_url,
        one.tool_url,
        visible(one.reason),
        visible(one.remedy),
        str(one.actor),
        str(one.group),
        GROUP_CLASS[one.group],
        words.amount(one.amount, one.currency) if one.currency else "",
        words.age(one.since, listed.head.made_at),
        words.month(one.month) if one.month else "",
        str(one.code),
    ]


@cache
def _environment() -> jinja2.Environment:
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
