"""The columns that the suites look at: what a record says, put into numbers, codes and truths. Pure.

No names and no addresses: an email is there or not, and valid or not. Money stays in whole minor units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from qualy_sync.model import (
    Customer,
    Kind,
    Partner,
    Payment,
    Source,
    Split,
    SplitIntent,
    Transaction,
    exponent,
    normal_email,
)
from qualy_sync.settings import QualitySettings

MOST = 2**62  # larger amounts are cut to this: it is above every ceiling, and a frame's column can hold it

Columns = dict[str, Any]
_NO_AMOUNT: Columns = {"currency": None, "largest_amount": 0, "ceiling": 0}


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of other records: ids that exist, payments that splits belong to, and the sums of their items."""

    customers: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    payments: frozenset[str] = frozenset()
    payment: Mapping[str, Payment] = field(default_factory=dict)
    shared: Mapping[tuple[str, str], int] = field(default_factory=dict)


def columns_of(kind: Kind, record: Source, around: Around, settings: QualitySettings) -> Columns:
    """The columns of one readable record, with its id."""
    return {"id": record.id, **_COLUMNS[kind](record, around, settings)}


def _of_customer(record: Any, _: Around, __: QualitySettings) -> Columns:
    customer: Customer = record
    return _email(customer.email)


def _of_partner(record: Any, _: Around, __: QualitySettings) -> Columns:
    partner: Partner = record
    return _email(partner.email)


def _of_payment(record: Any, around: Around, settings: QualitySettings) -> Columns:
    payment: Payment = record
    amounts = [item.amount for item in payment.items]
    return {
        **_amounts(payment.currency, [*amounts, sum(amounts), payment.amount or 0, payment.due or 0], settings),
        "created_year": payment.created_at.year,
        "due_year": payment.due_at.year if payment.due_at else None,
        "contact_exists": payment.contact in around.customers,
    }


def _of_split(record: Any, around: Around, settings: QualitySettings) -> Columns:
    split: Split = record
    payment = around.payment.get(split.payment)
    items = {item.id: item.amount for item in payment.items} if payment else {}
    return {
        **_amounts(split.currency, [split.amount], settings),
        "due_year": split.due_at.year if split.due_at else None,
        "payment_exists": split.payment in around.payments,
        "partner_exists": split.partnership in around.partners,
        "item_exists": split.item in items if payment else None,
        "same_currency": split.currency == payment.currency if payment else None,
        "within_item": _within(items.get(split.item), around.shared.get((split.payment, split.item), 0)),
    }


def _of_transaction(record: Any, around: Around, settings: QualitySettings) -> Columns:
    transaction: Transaction = record
    return {
        **_amounts(transaction.currency, [transaction.amount], settings),
        "created_year": transaction.created_at.year,
        "payment_exists": transaction.payment in around.payments,
    }


def _of_pay_out(record: Any, around: Around, settings: QualitySettings) -> Columns:
    intent: SplitIntent = record
    known = _amounts(intent.currency, [intent.amount or 0], settings) if intent.currency else _NO_AMOUNT
    return {**known, "payment_exists": intent.payment in around.payments if intent.payment else None}


def _email(email: str | None) -> Columns:
    address = normal_email(email)
    return {"has_email": bool(address), "email_is_valid": _is_address(address) if address else None}


def _is_address(address: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _amounts(currency: str, amounts: list[int], settings: QualitySettings) -> Columns:
    largest = max(abs(amount) for amount in amounts)
    return {
        "currency": currency,
        "largest_amount": min(largest, MOST),
        "ceiling": min(_ceiling(settings, currency), MOST - 1),
    }


@cache
def _digits(currency: str) -> int:
    return int(10 ** exponent(currency))


def _ceiling(settings: QualitySettings, currency: str) -> int:
    return settings.ceiling(currency) * _digits(currency)


def _within(item: int | None, shared: int) -> bool | None:
    """Whether the splits of an item fit into it; a discount's are negative, and so is it."""
    if item is None:
        return None
    return shared <= item if item >= 0 else shared >= item


_COLUMNS: Mapping[Kind, Callable[[Any, Around, QualitySettings], Columns]] = {
    Kind.CUSTOMER: _of_customer,
    Kind.PARTNER: _of_partner,
    Kind.PAYMENT: _of_payment,
    Kind.SPLIT: _of_split,
    Kind.TRANSACTION: _of_transaction,
    Kind.SPLIT_INTENT: _of_pay_out,
}
