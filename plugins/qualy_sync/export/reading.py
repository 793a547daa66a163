"""Reading the tables from the ledger, row by row, as at one place in its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import chain

import sqlalchemy as sa

from qualy_sync.ledger.queries import CHUNK
from qualy_sync.ledger.runs import latest_pass
from qualy_sync.ledger.schema import books, outcomes, passes, source_rows, source_seen
from qualy_sync.ledger.slices import GONE_AFTER, visible
from qualy_sync.model import Kind
from qualy_sync.report import csv_files, gather
from qualy_sync.report.csv_files import Cell
from qualy_sync.report.values import Context

from . import tables as made
from .tables import COLUMNS, NOBODY, Found, Party, Table

Make = Callable[[Found, Party], Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the ledger's history: the newest complete and checked extraction pass, and the newest outcome."""

    extraction: int
    outcome: int


BEGINNING = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """What an export holds: records as they are at `until`, of those that changed after `after`."""

    after: Position
    until: Position

    @property
    def full(self) -> bool:
        return self.after == BEGINNING


def position(connection: sa.Connection) -> Position:
    """The newest place."""
    return Position(latest_pass(connection), int(connection.scalar(sa.select(sa.func.max(outcomes.c.id))) or 0))


def position_before(connection: sa.Connection, day: date) -> Position:
    """The place at the beginning of a day, UTC."""
    moment = datetime.combine(day, time(), UTC)
    last_pass = sa.select(sa.func.max(passes.c.number)).where(passes.c.completed_at < moment)
    last_outcome = sa.select(sa.func.max(outcomes.c.id)).where(outcomes.c.at < moment)
    return Position(int(connection.scalar(last_pass) or 0), int(connection.scalar(last_outcome) or 0))


def tables(
    connection: sa.Connection, span: Span, now: datetime, titles: Mapping[str, str], payment_link: str = ""
) -> list[Table]:
    """The tables, to be read before the connection's transaction ends. `titles` are names of tools by their ids."""
    return [
        Table("customers", COLUMNS["customers"], _customers(connection, span)),
        Table("payments", COLUMNS["payments"], _with(connection, span, Kind.PAYMENT, Kind.CUSTOMER, made.payment)),
        Table("splits", COLUMNS["splits"], _with(connection, span, Kind.SPLIT, Kind.PARTNER, made.split)),
        Table("outcomes", COLUMNS["outcomes"], _outcomes(connection, span, now, titles, payment_link)),
    ]


def _customers(connection: sa.Connection, span: Span) -> Iterator[Sequence[Cell]]:
    for found, _ in chain.from_iterable(_chunks(connection, span, Kind.CUSTOMER)):
        yield made.customer(found)


def _with(connection: sa.Connection, span: Span, kind: Kind, others: Kind, make: Make) -> Iterator[Sequence[Cell]]:
    """Rows of a kind, with the party of another kind that each of them names."""
    for chunk in _chunks(connection, span, kind):
        parties = _parties(connection, span.until.extraction, others, {other for _, other in chunk if other})
        for found, other in chunk:
            yield make(found, parties.get(other, NOBODY))


def _outcomes(
    connection: sa.Connection, span: Span, now: datetime, titles: Mapping[str, str], payment_link: str
) -> Iterator[Sequence[Cell]]:
    """Of every book that the ledger has: each record's outcome as it is now."""
    for book in connection.execute(sa.select(books.c.id, books.c.tool).order_by(books.c.id)).all():
        context = Context(title=titles.get(book.tool, ""), payment_link=payment_link)
        head = gather.head_of(connection, book.id, 0, now, context)
        found = gather.listed(connection, book.id, head, context, span.until.extraction, (), span.after.outcome)
        for row in csv_files.records(found, made.UTC):
            yield head.tool, head.organisation, *row


def _chunks(connection: sa.Connection, span: Span, kind: Kind) -> Iterator[list[tuple[Found, str]]]:
    """Records of a kind in the order of their ids, with the id of the party that they name."""
    party = source_rows.c.contact_id if kind is Kind.PAYMENT else source_rows.c.partner_id
    query = (
        _records(span.until.extraction, kind)
        .add_columns(party.label("party"))
        .where(source_rows.c.valid_from > span.after.extraction)
        .order_by(source_rows.c.id)
        .execution_options(yield_per=CHUNK)
    )
    for rows in connection.execute(query).partitions():
        yield [(_found(row), row.party or "") for row in rows]


def _parties(connection: sa.Connection, pin: int, kind: Kind, ids: Iterable[str]) -> dict[str, Party]:
    wanted = sorted(ids)
    found: dict[str, Party] = {}
    for start in range(0, len(wanted), 400):
        query = _records(pin, kind).where(source_rows.c.id.in_(wanted[start : start + 400]))
        found |= {row.id: made.party(_found(row)) for row in connection.execute(query)}
    return found


def _records(pin: int, kind: Kind) -> sa.Select[tuple[object, ...]]:
    seen = sa.and_(source_seen.c.kind == source_rows.c.kind, source_seen.c.id == source_rows.c.id)
    columns = (source_rows.c.id, source_rows.c.content, source_rows.c.email, source_rows.c.problem)
    return (
        sa.select(*columns, sa.func.coalesce(source_seen.c.missed, 0).label("missed"))
        .join(source_seen, seen, isouter=True)
        .where(visible(pin), source_rows.c.kind == kind)
    )


def _found(row: sa.Row[tuple[object, ...]]) -> Found:
    return Found(row.id, row.content, row.email, row.problem or None, int(row.missed) >= GONE_AFTER)
