"""Charts as inline SVG: no script, a title and a description for those who do not see them, colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from . import words
from .escape import visible

WIDTH, BAR, GAP, LABEL, NOTE = 520, 16, 9, 86, 140


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is called, and its parts by name (none negative)."""

    label: str
    parts: Mapping[str, int]
    note: str = ""

    @property
    def total(self) -> int:
        return sum(max(value, 0) for value in self.parts.values())


def shares(title: str, description: str, bars: Sequence[Bar], classes: Mapping[str, str]) -> Markup:
    """Bars of one length each, so that a small kind's troubles show beside a large one's."""
    return _chart(title, description, bars, classes, {bar.label: bar.total for bar in bars})


def lengths(title: str, description: str, bars: Sequence[Bar], classes: Mapping[str, str]) -> Markup:
    """Bars on one scale."""
    longest = max((bar.total for bar in bars), default=0)
    return _chart(title, description, bars, classes, {bar.label: longest for bar in bars})


def _chart(
    title: str, description: str, bars: Sequence[Bar], classes: Mapping[str, str], full: Mapping[str, int]
) -> Markup:
    height = len(bars) * (BAR + GAP)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_text(f"{title}. {description}")}"'
        f' preserveAspectRatio="xMinYMin meet"><title>{_text(title)}</title><desc>{_text(description)}</desc>'
    ]
    for place, bar in enumerate(bars):
        parts.append(_bar(bar, place * (BAR + GAP), full[bar.label], classes))
    parts.append("</svg>")
    return Markup("".join(parts))


def _bar(bar: Bar, top: int, full: int, classes: Mapping[str, str]) -> str:
    note_room = NOTE if bar.note else 0
    room = WIDTH - LABEL - note_room
    middle = top + BAR * 0.78
    drawn = [f'<text x="0" y="{middle:.1f}">{_text(bar.label)}</text>']
    left = float(LABEL)
    for name, value in bar.parts.items():
        if value <= 0 or not full:
            continue
        width = max(value / full * room, 1.5)
        shown = _text(f"{bar.label}: {name} {words.number(value)}" if not bar.note else f"{bar.label}: {name}")
        drawn.append(
            f'<rect class="{classes[name]}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}">'
            f"<title>{shown}</title></rect>"
        )
        left += width
    if bar.note:
        drawn.append(f'<text class="note" x="{WIDTH}" y="{middle:.1f}" text-anchor="end">{_text(bar.note)}</text>')
    return "".join(drawn)


def _text(value: str) -> str:
    return str(escape(visible(value)))
