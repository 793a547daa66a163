"""What only a look from the tool's side, or over all records at once, can find: strays, twins, lost contacts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger.queries import first, rows
from qualy_sync.model import Leg, at
from qualy_sync.plan.refs import looks_like_ref

from .found import Difference, Finding, money


def strays(
    connection: sa.Connection, book: int, prefix: str, paid_as_there: Collection[str] = ()
) -> Iterator[Difference]:
    """Documents and settlements that carry a mark of ours, or are on our invoices, and that no record stands for.

    `paid_as_there`: payments whose settlements a person decided to leave as they are in the tool.
    """
    for row in rows(connection, "reconcile.foreign_documents", book=book, prefix=prefix):
        if looks_like_ref(row.ref) or looks_like_ref(row.number):
            sentence = f"A live {row.what} carries our reference {row.ref or row.number}, but nothing is linked to it."
        elif _numbered_by_us(row.number, prefix):
            sentence = f"Invoice {row.number} is numbered like ours, but nothing is linked to it."
        else:
            continue
        yield Difference(Finding.UNLINKED_THERE, row.what, "", row.id, sentence, row.currency, None, row.total)
    yield from _stray_settlements(connection, book, paid_as_there)


def twins(connection: sa.Connection, book: int) -> Iterator[Difference]:
    """Two live records in the tool with one reference of ours, and one that stands for two of ours."""
    for query in ("twin_documents", "twin_settlements"):
        for row in rows(connection, f"reconcile.{query}", book=book):
            if looks_like_ref(row.ref):
                owner = first(connection, "reconcile.owner_of_ref", book=book, ref=row.ref)
                leg, source_id = (owner.leg, owner.source_id) if owner else ("", "")
                sentence = f"The tool holds it {row.times} times under {row.ref}: {row.one} and {row.other}."
                yield Difference(Finding.DUPLICATE_THERE, leg, source_id, row.one, sentence)
    for row in rows(connection, "reconcile.linked_twice", book=book):
        sentence = f"One record in the tool stands for {row.times} of Qualy's: {row.one} and {row.other}."
        yield Difference(Finding.LINKED_TWICE, row.leg, row.one, row.remote_id, sentence)


def lost_contacts(connection: sa.Connection, book: int) -> Iterator[Difference]:
    """Linked contacts that are gone or archived. One that was merged into a live one is fine."""
    for row in rows(connection, "reconcile.contacts", book=book):
        if row.there is None:
            sentence = "The contact is no longer found in the tool."
            yield Difference(Finding.MISSING_THERE, row.leg, row.source_id, row.remote_id, sentence)
        elif not row.active and not (row.merged_into and row.target_active):
            sentence = "The contact was archived in the tool."
            yield Difference(Finding.ARCHIVED_THERE, row.leg, row.source_id, row.remote_id, sentence)


def stated_amounts(connection: sa.Connection, book: int, pin: int, settled_amount: str = "") -> Iterator[Difference]:
    """Amounts that Qualy states and that the outcomes do not carry: read from the source rows, one by one.

    `settled_amount`: the place where Qualy says what money in another currency was worth in its payment's own.
    """
    for row in rows(connection, "reconcile.stated_amounts", book=book, pin=pin):
        stated = stated_amount(row.content)
        if stated is not None and stated[1] != row.currency and row.leg == Leg.SETTLEMENT and settled_amount:
            worth = at(row.content, settled_amount)
            stated = (worth, row.currency) if isinstance(worth, int) else stated
        if stated is not None and stated != (row.amount, row.currency):
            amount, currency = stated
            here, there = money(amount, currency), money(row.amount, row.currency)
            sentence = f"Qualy states {here}; the outcome was made for {there}."
            yield Difference(Finding.STATED_AMOUNT, row.leg, row.source_id, "", sentence, currency, amount, row.amount)


def stated_amount(content: Mapping[str, Any]) -> tuple[int, str] | None:
    """Amount and currency as a record of Qualy's states them; None where it does not, and they are derived."""
    amount, currency = content.get("amount"), content.get("currency")
    if isinstance(amount, int) and not isinstance(amount, bool) and isinstance(currency, str):
        return amount, currency.strip().upper()
    return None


def _stray_settlements(connection: sa.Connection, book: int, paid_as_there: Collection[str]) -> Iterator[Difference]:
    allowed = {row.payment_id: row.amount for row in rows(connection, "reconcile.settled_by_others", book=book)}
    on_invoice: dict[str, list[Any]] = {}
    for row in rows(connection, "reconcile.foreign_settlements", book=book):
        if looks_like_ref(row.ref):
            sum_there = money(row.amount, row.currency)
            sentence = f"A live settlement of {sum_there} carries our reference {row.ref}, but nothing is linked to it."
            yield _stray(Finding.UNLINKED_THERE, row, sentence)
        elif row.payment_id is not None and row.payment_id not in paid_as_there:
            on_invoice.setdefault(row.payment_id, []).append(row)
    for payment, found in on_invoice.items():
        if sum(row.amount for row in found) != allowed.get(payment, 0):
            for row in found:
                sentence = f"{money(row.amount, row.currency)} was applied to our invoice in the tool, not by us."
                yield _stray(Finding.NOT_OURS, row, sentence)


def _stray(what: Finding, row: Any, sentence: str) -> Difference:
    return Difference(what, "settlement", row.payment_id or "", row.id, sentence, row.currency, None, row.amount)


def _numbered_by_us(number: str, prefix: str) -> bool:
    rest = number[len(prefix) :].partition("-")[0]
    return bool(prefix) and number.upper().startswith(prefix.upper()) and rest.isascii() and rest.isdigit()
