"""Money that was paid in another currency than its payment is due in. Pure.

It counts only where Qualy gives both amounts: what was paid, and what that was worth in the payment's own currency.
Then the receipt is what it was worth, and keeps what was paid.
"""

from __future__ import annotations

from dataclasses import replace

from qualy_sync.ledger.slices import Record
from qualy_sync.model import Payment, Transaction

from .values import LARGEST, Terms


def in_own_currency(terms: Terms, payment: Payment, record: Record) -> Record:
    """The transaction in its payment's currency, where Qualy says what it was worth; else as it is."""
    transaction, place = record.noun, terms.accounting.currencies.settled_amount
    if not isinstance(transaction, Transaction) or transaction.currency == payment.currency or place is None:
        return record
    worth = transaction.at(place)
    if not isinstance(worth, int) or isinstance(worth, bool) or abs(worth) > LARGEST or not worth:
        return record
    if (worth < 0) != (transaction.amount < 0) or not transaction.amount:
        return record
    paid = (transaction.amount, transaction.currency)
    return replace(
        record,
        noun=transaction.model_copy(update={"amount": worth, "currency": payment.currency, "paid_as": paid}),
    )
