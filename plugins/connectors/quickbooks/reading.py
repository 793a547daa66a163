"""What is read of a company, and how: statements of the query language, and change data capture.

One call asks several statements at once where it may (a batch of queries), each page together with the count that
proves it complete: a page may be shorter than asked for, and nothing warns of a cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from connectors.pages import Part, walk, watched
from connectors.quickbooks.fields import Row, parts, text
from qualy_sync.contracts.accounting import EachAnswer, Remote
from qualy_sync.contracts.errors import WrongShape

PAGE = 1000
VALUES_PER_STATEMENT = 100
LOOK_BACK = timedelta(days=29)  # change data capture reaches 30 days back
MOST_CHANGES = 1000  # in one answer, of all kinds together
NEAR_END = 800
# Only the active are listed unless one asks otherwise.
LISTS = frozenset({"Customer", "Vendor", "Account", "Item", "TaxCode", "TaxRate", "CompanyCurrency"})
ALL = MappingProxyType({kind: "Active IN (true, false)" for kind in LISTS})
ALONE = frozenset({"CompanyInfo", "Preferences"})  # one record each, which is neither counted nor sorted

Ask = Callable[[Sequence[str]], Sequence[Row]]
Parse = Callable[[str, Row], Sequence[Remote]]


def quoted(value: str) -> str:
    """A value inside a statement. The SDK escapes quotes alone, so that a backslash would end the value."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def stamp(moment: datetime) -> str:
    """A moment with its offset: one without is read in the company's zone, or in none that is documented."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def statement(
    kind: str, conditions: Sequence[str] = (), *, order: str = "Id", start: int = 1, count: bool = False
) -> str:
    """A page of a kind, or the number of all its records."""
    every = [*conditions, ALL[kind]] if kind in ALL else list(conditions)
    where = f" WHERE {' AND '.join(every)}" if every else ""
    if count:
        return f"SELECT COUNT(*) FROM {kind}{where}"
    return f"SELECT * FROM {kind}{where} ORDERBY {order} STARTPOSITION {start} MAXRESULTS {PAGE}"


def page_of(response: Row, kind: str) -> list[Row]:
    """The records of an answer; an empty one has nothing in it at all."""
    return parts(response, kind)


def count_of(response: Row) -> int:
    """The number that a COUNT gave."""
    found = response.get("totalCount")
    if isinstance(found, bool) or not isinstance(found, int):
        raise WrongShape("QuickBooks answered a count without totalCount.")
    return found


class Lists:
    """Whole lists and what changed in them, through one way to ask."""

    def __init__(self, ask: Ask, parse: Parse) -> None:
        self._ask = ask
        self._parse = parse

    def everything(self, kinds: Sequence[str]) -> dict[str, list[Row]]:
        """All records of some short lists, active or not. Raises WrongShape where a list does not hold still."""
        return dict(zip(kinds, self._whole([(kind, []) for kind in kinds]), strict=True))

    def changed(
        self, kinds: Sequence[str], since: datetime | None, each_answer: EachAnswer
    ) -> Iterator[Sequence[Remote]]:
        """Pages of what changed since, in the order of change, each kind to its end."""
        first = _First(self._ask, kinds)
        for kind in kinds:
            yield from walk(watched(_Pages(self._ask, self._parse, kind, first), each_answer), since)

    def where(self, kind: str, name: str, values: Sequence[str]) -> list[Row]:
        """Records whose field has one of some values. Raises WrongShape rather than giving a part."""
        wanted = list(dict.fromkeys(value for value in values if value))
        asked = [
            (kind, [f"{name} IN ({', '.join(map(quoted, wanted[at : at + VALUES_PER_STATEMENT]))})"])
            for at in range(0, len(wanted), VALUES_PER_STATEMENT)
        ]
        return [row for rows in self._whole(asked) for row in rows]

    def _whole(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[Row]]:
        """All records of some kinds under some conditions, each read until it has as many as QuickBooks counts."""
        found: list[list[Row]] = [[] for _ in wanted]
        unfinished = list(range(len(wanted)))
        while unfinished:
            asked = []
            for place in unfinished:
                kind, conditions = wanted[place]
                if kind in ALONE:
                    asked.append(f"SELECT * FROM {kind}")
                    continue
                asked.append(statement(kind, conditions, start=len(found[place]) + 1))
                asked.append(statement(kind, conditions, count=True))
            answers = iter(self._ask(asked))
            still = []
            for place in unfinished:
                kind, _ = wanted[place]
                page = page_of(next(answers), kind)
                whole = 1 if kind in ALONE else count_of(next(answers))
                found[place] += page
                if len(found[place]) >= whole:
                    continue
                if not page:
                    raise WrongShape(f"QuickBooks gave {len(found[place])} of {whole} records of {kind}.")
                still.append(place)
            unfinished = still
        return found


class _First:
    """The first pages of all kinds, asked for in one call when the first of them is wanted."""

    def __init__(self, ask: Ask, kinds: Sequence[str]) -> None:
        self._ask = ask
        self._kinds = kinds
        self._found: dict[tuple[str, datetime | None], tuple[Row, Row]] | None = None

    def take(self, kind: str, start: datetime | None) -> tuple[Row, Row] | None:
        if self._found is None:
            asked = [one for each in self._kinds for one in _page_and_count(each, start, 1)]
            answers = self._ask(asked)
            self._found = {
                (each, start): (answers[2 * place], answers[2 * place + 1]) for place, each in enumerate(self._kinds)
            }
        return self._found.pop((kind, start), None)


class _Pages:
    """The pages of one kind from a moment on, in the order of last change."""

    def __init__(self, ask: Ask, parse: Parse, kind: str, first: _First) -> None:
        self._ask = ask
        self._parse = parse
        self._kind = kind
        self._first = first
        self._before = 0  # rows of this stretch that were given already

    def __call__(self, start: datetime | None, page: int) -> Part:
        if page == 1:
            self._before = 0
        taken = self._first.take(self._kind, start) if page == 1 else None
        rows_of, count = taken or tuple(self._ask(_page_and_count(self._kind, start, self._before + 1)))
        rows = page_of(rows_of, self._kind)
        self._before += len(rows)
        records = [record for row in rows for record in self._parse(self._kind, row)]
        return Part(records, not rows or self._before >= count_of(count))


def _page_and_count(kind: str, start: datetime | None, position: int) -> list[str]:
    conditions = [f"MetaData.LastUpdatedTime >= {quoted(stamp(start))}"] if start is not None else []
    order = "MetaData.LastUpdatedTime"
    return [
        statement(kind, conditions, order=order, start=position),
        statement(kind, conditions, count=True),
    ]


def captured(content: Any, kinds: Sequence[str]) -> list[tuple[str, Row]]:
    """The records of an answer of change data capture, deleted ones among them. Raises WrongShape."""
    responses = content.get("CDCResponse") if isinstance(content, dict) else None
    if not isinstance(responses, list) or not responses or not isinstance(responses[0], dict):
        raise WrongShape("QuickBooks answered changes without CDCResponse.")
    return [
        (kind, row)
        for response in parts(responses[0], "QueryResponse")
        for kind in kinds
        for row in parts(response, kind)
    ]


def is_gone(row: Row) -> bool:
    """Deleted: all that is told is which record it was."""
    return text(row, "status") == "Deleted"
