"""What Qualy says about a payment's money: its total, what was received, whether it is fully paid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from qualy_sync.model import Money, Payment, Transaction
from qualy_sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Receipts:
    """The transactions of one payment, sorted by what they mean."""

    final: tuple[Transaction, ...] = ()
    pending: tuple[Transaction, ...] = ()
    failed: tuple[Transaction, ...] = ()
    disputed: tuple[Transaction, ...] = ()
    refunds: tuple[Transaction, ...] = ()  # final ones
    foreign: tuple[Transaction, ...] = ()  # in another currency than the payment
    unknown: tuple[Transaction, ...] = ()

    @property
    def received(self) -> int:
        """Final charges, minor units."""
        return sum(transaction.amount for transaction in self.final)

    @property
    def money_moved(self) -> bool:
        """Whether anything was ever received for good, in whatever currency, or is disputed."""
        return bool(self.final or self.refunds or self.foreign or self.disputed)

    @property
    def net(self) -> int:
        """Final charges less final refunds."""
        return self.received - sum(abs(transaction.amount) for transaction in self.refunds)


def is_refund(transaction: Transaction) -> bool:
    """Qualy: refunds carry a negative amount and `transactionType` refund; either is enough."""
    return transaction.type == "refund" or transaction.amount < 0


def sort_receipts(payment: Payment, transactions: Sequence[Transaction], settings: Settings) -> Receipts:
    """Sorts transactions by their status, in the order of their days; one that is not listed is never money."""
    source = settings.source
    field = settings.accounting.settlement.date_field if settings.accounting else "createdAt"
    found: dict[str, list[Transaction]] = {name: [] for name in Receipts.__dataclass_fields__}
    for transaction in sorted(transactions, key=lambda one: (one.moment(field), one.created_at, one.id)):
        if transaction.status in source.final_transaction_statuses:
            if transaction.currency != payment.currency:
                found["foreign"].append(transaction)
            else:
                found["refunds" if is_refund(transaction) else "final"].append(transaction)
        elif transaction.status in source.pending_transaction_statuses:
            found["pending"].append(transaction)
        elif transaction.status in source.failed_transaction_statuses:
            found["failed"].append(transaction)
        elif transaction.status in source.disputed_transaction_statuses:
            found["disputed"].append(transaction)
        else:
            found["unknown"].append(transaction)
    return Receipts(**{name: tuple(values) for name, values in found.items()})


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two of Qualy's own figures differ."""

    problem: str


def total_of(payment: Payment, receipts: Receipts, *, inclusive: bool, called_off: bool = False) -> int | Disagreement:
    """Qualy's total: `amount`; else `due` and net receipts; else the sum of the items, if they hold their tax.

    Two that are there and differ are a disagreement. What is due counts only while nothing was overpaid, refunded,
    called off or received in another currency, since then it no longer adds up to the total.
    """
    candidates: dict[str, int] = {}
    if payment.amount is not None:
        candidates["amount"] = payment.amount
    plain = not receipts.refunds and not receipts.foreign and not called_off
    if payment.due is not None and plain and not (payment.due <= 0 and _overpaid(payment, receipts)):
        candidates["due plus receipts"] = payment.due + receipts.net
    if inclusive and payment.items:
        candidates["sum of the items"] = sum(item.amount for item in payment.items)
    if not candidates:
        return Disagreement("Qualy gives no total")
    (first, total), *rest = candidates.items()
    for name, value in rest:
        if value != total:
            currency = payment.currency
            return Disagreement(f"{first} is {Money(total, currency)}, {name} is {Money(value, currency)}")
    return total


def _overpaid(payment: Payment, receipts: Receipts) -> bool:
    total = payment.amount if payment.amount is not None else sum(item.amount for item in payment.items)
    return receipts.net > total


def is_fully_paid(payment: Payment, receipts: Receipts, total: int, settings: Settings) -> bool | Disagreement:
    """Status in `paid_statuses`, and final charges less refunds equal to the total. Disagreement where they differ."""
    says_paid = payment.status in settings.source.paid_statuses
    is_paid = receipts.net == total
    if says_paid == is_paid:
        return says_paid
    return Disagreement(
        f"its status is “{payment.status}”, but {Money(receipts.net, payment.currency)} of"
        f" {Money(total, payment.currency)} was received"
    )


def was_fully_paid(receipts: Receipts, total: int, settings: Settings) -> bool:
    """Whether final charges less refunds came to the total at some time, whatever was given back since."""
    field = settings.accounting.settlement.date_field if settings.accounting else "createdAt"
    moves = sorted((*receipts.final, *receipts.refunds), key=lambda one: (one.moment(field), one.created_at, one.id))
    net = accumulate(-abs(one.amount) if is_refund(one) else one.amount for one in moves)
    return any(sum_so_far == total for sum_so_far in net)


def completing_charge(receipts: Receipts) -> Transaction | None:
    """The charge that completed the payment: the last final one that brought money."""
    return next((charge for charge in reversed(receipts.final) if charge.amount), None)
