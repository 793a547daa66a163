"""Both sides compared, to the cent: a reconciliation, and the positions that the totals statement is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger, schema
from qualy_sync.ledger.queries import first, rows
from qualy_sync.model import LEG_OF, Kind
from qualy_sync.outcomes import MEANINGS, Group

from . import compare, sweep
from .completeness import Completeness, pin_of, prove
from .found import Difference, Finding
from .statement import Line, Position, statement

IN_STEP = tuple(str(code) for code, meaning in MEANINGS.items() if meaning.group is Group.IN_STEP)
_MONEY = (Kind.PAYMENT, Kind.SPLIT, Kind.TRANSACTION, Kind.SPLIT_INTENT)


def reconcile(ledger: Ledger, book: int, run: int, now: datetime, full: bool) -> dict[str, int]:
    """Compares every document and settlement with the mirror, and replaces the book's differences by what it finds.

    Costs no call: the mirror is the fresh read of this run. `full` reads every source record's own amount as well;
    otherwise what the last full reconciliation found there stands. Gives counts: what was compared, and each finding.
    """
    with ledger.reading() as connection:
        pin = pin_of(connection, run)
        found = list(differences(connection, book, run, pin, full))
        proof = prove(connection, book, pin)
    found.extend(_without_outcome(proof))
    with ledger.writing() as connection:
        _replace(connection, book, run, found, full)
        kept = list(connection.execute(_counts(book)))
    counts = {"outcomes": proof.outcomes, "differences": sum(row[1] for row in kept), "complete": int(proof.proved)}
    return counts | {str(row[0]): int(row[1]) for row in kept}


def totals(connection: sa.Connection, book: int, pin: int) -> list[Line]:
    """The totals statement of a book: payments, splits and transactions, by currency and accounting month."""
    return statement(positions(connection, book, pin))


def positions(connection: sa.Connection, book: int, pin: int) -> Iterator[Position]:
    """Every record with an amount; those without an outcome too, at the amount that Qualy states."""
    accepted = _accepted(connection, book)
    for row in document_rows(connection, book):
        yield compare.position(row, accepted=(row.leg, row.source_id) in accepted)
    for row in settlement_rows(connection, book):
        yield compare.position(row, accepted=(row.leg, row.source_id) in accepted)
    for kind in _MONEY:
        query = rows(connection, "reconcile.unplaced", book=book, kind=str(kind), leg=str(LEG_OF[kind]), pin=pin)
        for row in query:
            amount, currency = sweep.stated_amount(row.content) or (0, "")
            yield Position(kind=str(kind), currency=currency, month="", code=None, own=amount)


def document_rows(connection: sa.Connection, book: int, legs: tuple[str, ...] = ("invoice", "bill")) -> Iterator[Any]:
    """Each payment and split (or credit), what was agreed on, and what the tool has."""
    return rows(connection, "reconcile.documents", book=book, in_step=IN_STEP, legs=legs)


def settlement_rows(connection: sa.Connection, book: int) -> Iterator[Any]:
    """Each receipt, what was agreed on, and what the tool has."""
    return rows(connection, "reconcile.settlements", book=book)


def differences(connection: sa.Connection, book: int, run: int, pin: int, full: bool) -> Iterator[Difference]:
    """Everything that does not agree, document by document, in both directions."""
    merged = {row.id: row.merged_into for row in rows(connection, "reconcile.merged_contacts", book=book)}
    accepted = _accepted(connection, book)
    paid_as_there = {payment for (leg, _), payment in accepted.items() if leg == "settlement" and payment}
    for row in document_rows(connection, book, ("invoice", "bill", "credit_note", "supplier_credit")):
        if (row.leg, row.source_id) not in accepted:
            yield from compare.document(row, merged, paid_as_there=row.source_id in paid_as_there)
    for row in settlement_rows(connection, book):
        if (row.leg, row.source_id) not in accepted:
            yield from compare.settlement(row)
    yield from sweep.lost_contacts(connection, book)
    yield from sweep.strays(connection, book, _number_prefix(connection, run), paid_as_there)
    yield from sweep.twins(connection, book)
    if full:
        yield from sweep.stated_amounts(connection, book, pin, _settled_amount(connection, run))


def _accepted(connection: sa.Connection, book: int) -> dict[tuple[str, str], str | None]:
    """Where a person decided to keep what the tool has: (leg, Qualy id), with the payment it belongs to."""
    return {(row.leg, row.source_id): row.payment_id for row in rows(connection, "reconcile.accepted", book=book)}


def _number_prefix(connection: sa.Connection, run: int) -> str:
    return str((_accounting(connection, run).get("payments") or {}).get("number_prefix", ""))


def _settled_amount(connection: sa.Connection, run: int) -> str:
    return str((_accounting(connection, run).get("currencies") or {}).get("settled_amount") or "")


def _accounting(connection: sa.Connection, run: int) -> dict[str, Any]:
    """The run's settings of the accounting tool, as they were kept."""
    found = first(connection, "reconcile.settings", run=run)
    return (found.value if found else {}).get("accounting") or {}


def _without_outcome(proof: Completeness) -> Iterator[Difference]:
    for leg, source_id in proof.missing.named:
        sentence = "Read from Qualy, and nothing was decided about it."
        yield Difference(Finding.NO_OUTCOME, leg, source_id, "", sentence)


def _replace(connection: sa.Connection, book: int, run: int, found: list[Difference], full: bool) -> None:
    table = schema.differences
    old = sa.delete(table).where(table.c.book == book)
    if not full:
        old = old.where(table.c.what != str(Finding.STATED_AMOUNT))
    connection.execute(old)
    connection.execute(sa.update(table).where(table.c.book == book).values(run=run))
    if found:
        values = [
            {name: getattr(one, name) for name in Difference.__dataclass_fields__}
            | {"book": book, "run": run, "what": str(one.what)}
            for one in found
        ]
        connection.execute(sa.insert(table), values)


def _counts(book: int) -> sa.Select[tuple[str, int]]:
    table = schema.differences
    return sa.select(table.c.what, sa.func.count()).where(table.c.book == book).group_by(table.c.what)
