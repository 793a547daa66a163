"""The completeness proof: every record ever extracted has one outcome, and every link one live record or a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.queries import first, rows
from qualy_sync.model import LEG_OF
from qualy_sync.outcomes import Code

NAMED = 100
# In step with a record of the tool that a link has to name.
LINKED = (Code.CREATED, Code.UPDATED, Code.UNCHANGED, Code.PAID, Code.ADOPTED)

Record = tuple[str, str]  # leg, Qualy id


@dataclass(frozen=True, slots=True)
class Found:
    """How many, and the first of them by (leg, Qualy id)."""

    count: int
    named: tuple[Record, ...]

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True, slots=True)
class Completeness:
    """`missing`: extracted, without an outcome. `never_seen`: an outcome of nothing. `outdated`: made from another
    content than the snapshot's. `unlinked`: in step, without a link. `stray_links`: a link of nothing."""

    outcomes: int
    missing: Found
    never_seen: Found
    outdated: Found
    unlinked: Found
    stray_links: Found

    @property
    def proved(self) -> bool:
        return not (self.missing or self.never_seen or self.outdated or self.unlinked or self.stray_links)

    def sentence(self) -> str:
        """The proof in words."""
        if self.proved:
            return f"Every record ever read from Qualy has exactly one outcome: {self.outcomes:,} of {self.outcomes:,}."
        parts = (
            (self.missing, "without an outcome"),
            (self.never_seen, "with an outcome, never read from Qualy"),
            (self.outdated, "whose outcome was made from an older content"),
            (self.unlinked, "in step, with no link to the tool"),
            (self.stray_links, "linked, without an outcome"),
        )
        said = [f"{found.count:,} {words} (first: {found.named[0][1]})" for found, words in parts if found]
        return "The proof fails: " + "; ".join(said) + "."


def completeness(ledger: Ledger, book: int, run: int = 0) -> Completeness:
    """The proof, as of the snapshot that a run works on (0: the last complete one)."""
    with ledger.reading() as connection:
        return prove(connection, book, pin_of(connection, run))


def prove(connection: sa.Connection, book: int, pin: int) -> Completeness:
    """The proof inside a transaction."""
    legs = {row.leg: row.records for row in rows(connection, "reconcile.outcomes_of_legs", book=book)}
    codes = [str(code) for code in LINKED]

    def listed(name: str, **parameters: object) -> Found:
        return _found(
            lambda: ((row.leg, row.source_id) for row in rows(connection, f"reconcile.{name}", book=book, **parameters))
        )

    return Completeness(
        outcomes=sum(legs.values()),
        missing=_found(lambda: _missing(connection, book, pin)),
        never_seen=listed("never_seen"),
        outdated=listed("outdated", pin=pin),
        unlinked=listed("in_step_without_link", linked=codes),
        stray_links=listed("links_without_outcome"),
    )


def pin_of(connection: sa.Connection, run: int) -> int:
    """The source snapshot of a run; the last complete one where it has none."""
    found = first(connection, "reconcile.pin", run=run)
    return int(found.pin) if found else 0


def _missing(connection: sa.Connection, book: int, pin: int) -> Iterator[Record]:
    for kind, leg in LEG_OF.items():
        query = rows(connection, "reconcile.without_outcome", book=book, kind=str(kind), leg=str(leg), pin=pin)
        for row in query:
            yield str(leg), row.id


def _found(records: Callable[[], Iterator[Record]]) -> Found:
    named: list[Record] = []
    count = 0
    for record in records():
        count += 1
        if len(named) < NAMED:
            named.append(record)
    return Found(count, tuple(named))
