"""Which day a document or settlement has: calendar days in the organisation's time zone. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from qualy_sync.model import Payment, Transaction
from qualy_sync.settings import AccountingSettings

from .amounts import Receipts


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day of an event where the organisation is. At the calendar's very ends, where no zone fits: the UTC day."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


def due_day(moment: datetime | None, accounting: AccountingSettings, zone: ZoneInfo) -> date | None:
    """The day of a due time, read in `due_zone`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).date() if accounting.due_zone == "utc" else local_day(moment, zone)


def invoice_day(payment: Payment, receipts: Receipts, accounting: AccountingSettings, zone: ZoneInfo) -> date:
    """The invoice's date by the setting `payments.invoice_date`; a payment without due date is dated when created."""
    created = local_day(payment.created_at, zone)
    rule = accounting.payments.invoice_date
    if rule == "created":
        return created
    due = due_day(payment.due_at, accounting, zone) or created
    if rule == "due":
        return due
    first = [settlement_day(charge, accounting, zone) for charge in receipts.final]
    return min([due, *first])


def settlement_day(transaction: Transaction, accounting: AccountingSettings, zone: ZoneInfo) -> date:
    """The day of a settlement: the transaction's field named by the setting, else its creation."""
    return local_day(transaction.moment(accounting.settlement.date_field), zone)


def moment_problem(transaction: Transaction, accounting: AccountingSettings) -> str | None:
    """The field that should date a settlement and holds no point in time, if so."""
    field = accounting.settlement.date_field
    given = (transaction.model_extra or {}).get(field)
    if given is None:
        return None
    try:
        transaction.moment(field)
    except (ValueError, OverflowError):
        return field
    return None if isinstance(given, str) else field
