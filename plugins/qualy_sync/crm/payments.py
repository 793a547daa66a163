"""What a customer's payments say in short: how many, how much per currency, when last, when next. Pure.

Amounts are Qualy's own: what was received are its final transactions, what is due is what it says is outstanding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date

from qualy_sync.ledger.slices import Group, Record
from qualy_sync.model import Payment, Transaction, to_decimal
from qualy_sync.settings import SourceSettings


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """Sums in minor units per currency; days in UTC. `count` leaves drafts and cancelled payments out."""

    count: int = 0
    paid: Mapping[str, int] = field(default_factory=dict)
    due: Mapping[str, int] = field(default_factory=dict)
    overdue: Mapping[str, int] = field(default_factory=dict)
    last_paid: date | None = None
    next_due: date | None = None


def payment_facts(group: Group, settings: SourceSettings, today: date) -> PaymentFacts:
    """The facts of one customer. What cannot be read, or is gone at Qualy, is left out."""
    paid: dict[str, int] = {}
    due: dict[str, int] = {}
    overdue: dict[str, int] = {}
    received: list[date] = []
    coming: list[date] = []
    count = 0
    left_out = (*settings.draft_statuses, *settings.cancelled_statuses)
    for record, payment in _payments(group.payments):
        money = [one for one in _transactions(group.transactions.get(record.id, ())) if _is_final(one, settings)]
        for one in money:
            _add(paid, one.currency, one.amount)
        received += [one.created_at.astimezone(UTC).date() for one in money if one.amount > 0]
        if payment.status in left_out:
            continue
        count += 1
        if payment.status not in settings.open_statuses:
            continue
        left = _outstanding(payment, sum(one.amount for one in money if one.currency == payment.currency))
        if left <= 0:
            continue
        _add(due, payment.currency, left)
        if payment.due_at is None:
            continue
        day = payment.due_at.astimezone(UTC).date()
        if day < today:
            _add(overdue, payment.currency, left)
        else:
            coming.append(day)
    return PaymentFacts(count, paid, due, overdue, max(received, default=None), min(coming, default=None))


def amounts_text(amounts: Mapping[str, int]) -> str:
    """`AUD 1200.00; JPY 500`, currencies in order; "" where there is nothing."""
    return "; ".join(
        f"{currency} {to_decimal(amount, currency)}" for currency, amount in sorted(amounts.items()) if amount
    )


def _payments(records: Iterable[Record]) -> Iterable[tuple[Record, Payment]]:
    return ((one, one.noun) for one in records if isinstance(one.noun, Payment) and not one.gone)


def _transactions(records: Iterable[Record]) -> Iterable[Transaction]:
    return (one.noun for one in records if isinstance(one.noun, Transaction) and not one.gone)


def _is_final(one: Transaction, settings: SourceSettings) -> bool:
    return one.status in settings.final_transaction_statuses


def _outstanding(payment: Payment, received: int) -> int:
    if payment.due is not None:
        return payment.due
    total = payment.amount if payment.amount is not None else sum(item.amount for item in payment.items)
    return total - received


def _add(sums: dict[str, int], currency: str, amount: int) -> None:
    sums[currency] = sums.get(currency, 0) + amount
