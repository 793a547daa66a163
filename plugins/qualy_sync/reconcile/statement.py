"""The totals statement: what Qualy says, and where every cent of it is. Pure.

Per kind, currency and accounting month: Qualy = booked + draft + held + excluded + ignored + refused + unknown. What is
booked is what the tool shows, not what was sent; a cent that no column explains stays in the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qualy_sync.outcomes import MEANINGS, Code, Group


class Column(StrEnum):
    """Where an amount of Qualy's is."""

    BOOKED = "booked"
    DRAFT = "draft"
    HELD = "held"
    EXCLUDED = "excluded"
    IGNORED = "ignored"
    REFUSED = "refused"
    UNKNOWN = "unknown"


COLUMNS: tuple[Column, ...] = tuple(Column)

_OF_GROUP: Mapping[Group, Column] = {
    Group.EXCLUDED: Column.EXCLUDED,
    Group.HELD: Column.HELD,
    Group.FOUND: Column.HELD,  # found otherwise there: it waits for a decision
    Group.REFUSED: Column.REFUSED,
    Group.UNSETTLED: Column.UNKNOWN,
}
_TAKEN_BACK = frozenset({Code.VOIDED, Code.REMOVED, Code.CREDITED})


@dataclass(frozen=True, slots=True)
class Position:
    """One record for the statement; amounts in minor units.

    `own` is Qualy's amount. `there` is what of it the tool shows, None where it shows nothing. `code` is None for a
    record without an outcome. `accepted`: a person decided to keep what the tool has, whatever Qualy says.
    """

    kind: str
    currency: str
    month: str
    code: Code | None
    own: int
    there: int | None = None
    draft: bool = False
    accepted: bool = False
    excluded: int = 0  # what of a booked record is left out on purpose


@dataclass(slots=True)
class Line:
    """One line of the statement: amounts in minor units of one currency, and how many records stand behind them."""

    kind: str
    currency: str
    month: str
    records: int = 0
    qualy: int = 0
    amounts: dict[Column, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    counts: dict[Column, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))

    @property
    def difference(self) -> int:
        """What no column explains. Anything but 0 is an error of ours or a change of theirs."""
        return self.qualy - sum(self.amounts.values())

    @property
    def waiting(self) -> int:
        """Records that are neither booked nor left out on purpose."""
        return sum(self.counts[column] for column in (Column.DRAFT, Column.HELD, Column.REFUSED, Column.UNKNOWN))

    def add(self, other: Line) -> None:
        """Adds a line of the same currency. Raises ValueError for another one: currencies are never summed."""
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} cannot be added to {self.currency}")
        self.records += other.records
        self.qualy += other.qualy
        for column in COLUMNS:
            self.amounts[column] += other.amounts[column]
            self.counts[column] += other.counts[column]


def column_of(code: Code) -> Column | None:
    """The column of what is not in the tool; None for a record that should be."""
    if code is Code.IGNORED:
        return Column.IGNORED
    if code in _TAKEN_BACK:
        return Column.EXCLUDED
    return _OF_GROUP.get(MEANINGS[code].group)


def statement(positions: Iterable[Position]) -> list[Line]:
    """The lines, by kind, currency and month."""
    lines: dict[tuple[str, str, str], Line] = {}
    for position in positions:
        key = (position.kind, position.currency, position.month)
        line = lines.get(key)
        if line is None:
            line = lines[key] = Line(*key)
        _place(line, position)
    return [lines[key] for key in sorted(lines)]


def by_currency(lines: Iterable[Line]) -> list[Line]:
    """The same over all months, by kind and currency."""
    sums: dict[tuple[str, str], Line] = {}
    for line in lines:
        total = sums.setdefault((line.kind, line.currency), Line(line.kind, line.currency, ""))
        total.add(line)
    return [sums[key] for key in sorted(sums)]


def _place(line: Line, position: Position) -> None:
    line.records += 1
    line.qualy += position.own
    here = Column.DRAFT if position.draft else Column.BOOKED
    column = column_of(position.code) if position.code is not None else None
    if position.accepted and column is None:
        line.amounts[Column.IGNORED] += position.own - (position.there or 0)
    line.amounts[Column.EXCLUDED] += position.excluded
    if position.there is not None:
        line.amounts[here] += position.there
    if column is not None:
        line.amounts[column] += position.own - (position.there or 0)
        line.counts[column] += 1
    elif position.there is not None:
        line.counts[here] += 1
