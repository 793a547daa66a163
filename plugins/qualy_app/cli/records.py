"""Finding what a person names: a payment, a part of one, a customer, a partner, or a document's number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.queries import rows
from qualy_sync.ledger.schema import current_outcomes, outcomes, source_rows
from qualy_sync.model import Kind

from ..desk import Desk


def payment_id(ledger: Ledger, given: str, prefix: str) -> str:
    """The id of the payment with this number (Qualy's, or a document's with the prefix); else what was given."""
    given = given.strip()
    digits = given.removeprefix(prefix).removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        return given
    number = source_rows.c.content["number"].as_integer()
    query = sa.select(source_rows.c.id).where(
        source_rows.c.kind == Kind.PAYMENT, source_rows.c.valid_to.is_(None), number == int(digits)
    )
    with ledger.reading() as connection:
        found = connection.scalars(query.limit(2)).all()
    return str(found[0]) if len(found) == 1 else given


def legs_of(ledger: Ledger, book: int, given: str) -> list[sa.Row[Any]]:
    """The legs of one record: a payment's own ones, or those of exactly the split, receipt, customer or partner.

    Raises LookupError where nothing is known under that id or number.
    """
    with ledger.reading() as connection:
        found = _rows(connection, book, _own(given))
    if not found:
        raise LookupError(f"Nothing is known of {given[:60]!r}: it is no Qualy id of a planned record, and no number.")
    return found


def legs_of_payment(desk: Desk, book: int, given: str) -> list[sa.Row[Any]]:
    """As `legs_of`, in accounting, where a record may also be named by its document's number."""
    return legs_of(desk.ledger, book, payment_id(desk.ledger, given, desk.accounting.payments.number_prefix))


def people_of(ledger: Ledger, book: int, legs: Sequence[sa.Row[Any]], leg: str) -> list[sa.Row[Any]]:
    """The customer's `contact` or the partners' `supplier` leg behind some legs of payments."""
    with ledger.reading() as connection:
        if leg == "contact":
            ids = sorted({row.owner for row in legs if row.owner})
        else:
            payments = sorted({row.payment_id or row.source_id for row in legs})
            found = [list(rows(connection, "explain.partners_of", payment=payment)) for payment in payments]
            ids = sorted({row.partner_id for some in found for row in some})
        return _rows(
            connection, book, sa.and_(current_outcomes.c.leg == leg, current_outcomes.c.source_id.in_(ids or [""]))
        )


def select(where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Current outcomes with their detail."""
    return (
        sa.select(current_outcomes, outcomes.c.detail, outcomes.c.thing)
        .join(outcomes, outcomes.c.id == current_outcomes.c.outcome)
        .where(where)
    )


def _own(given: str) -> sa.ColumnElement[bool]:
    return sa.or_(current_outcomes.c.source_id == given, current_outcomes.c.payment_id == given)


def _rows(connection: sa.Connection, book: int, where: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
    order = (current_outcomes.c.leg, current_outcomes.c.source_id)
    return list(connection.execute(select(sa.and_(current_outcomes.c.book == book, where)).order_by(*order)))
