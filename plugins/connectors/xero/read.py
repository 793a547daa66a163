"""Xero's records as the contract's values. Pure; raises WrongShape where one is not understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from connectors.xero.fields import Row, day, minor, moment, needed, needed_minor, part, rows, text
from qualy_sync.contracts.accounting import Remote, RemoteContact, RemoteDocument, RemoteSettlement, Status, What
from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import normal_email

COLLECTION: Mapping[What, str] = MappingProxyType(
    {
        What.CONTACT: "Contacts",
        What.INVOICE: "Invoices",
        What.BILL: "Invoices",
        What.SETTLEMENT: "Payments",
    }
)
ID_FIELD: Mapping[What, str] = MappingProxyType(
    {
        What.CONTACT: "ContactID",
        What.INVOICE: "InvoiceID",
        What.BILL: "InvoiceID",
        What.SETTLEMENT: "PaymentID",
    }
)
TYPES: Mapping[str, What] = MappingProxyType({"ACCREC": What.INVOICE, "ACCPAY": What.BILL})

# What a payment was applied to: the part of the answer that names it, and the id inside.
_TARGETS = (
    ("Invoice", "InvoiceID"),
    ("CreditNote", "CreditNoteID"),
    ("Prepayment", "PrepaymentID"),
    ("Overpayment", "OverpaymentID"),
)


def contact(row: Row) -> RemoteContact:
    """A contact. Archived ones and those under a privacy request are not active."""
    return RemoteContact(
        id=needed(row, "ContactID"),
        ref=text(row, "ContactNumber"),
        name=text(row, "Name"),
        email=normal_email(text(row, "EmailAddress")),
        active=needed(row, "ContactStatus") == "ACTIVE",
        merged_into=text(row, "MergedToContactID"),
        updated_at=moment(row, "UpdatedDateUTC"),
    )


def document(row: Row) -> RemoteDocument:
    """An invoice or a bill. A bill has no Reference in Xero, so its number is its ref."""
    what = TYPES.get(needed(row, "Type"))
    if what is None:
        raise WrongShape("Xero answered a document that is neither an invoice nor a bill.")
    currency = needed(row, "CurrencyCode")
    updated_at = moment(row, "UpdatedDateUTC")
    status = _status(row)
    total = needed_minor(row, "Total", currency)
    paid = minor(row, "AmountPaid", currency) or 0
    credited = minor(row, "AmountCredited", currency) or 0
    due = minor(row, "AmountDue", currency)
    number = text(row, "InvoiceNumber")
    date = day(row, "Date")
    if date is None:
        date = _undated(status, updated_at).date()
    return RemoteDocument(
        id=needed(row, "InvoiceID"),
        what=what,
        ref=number if what is What.BILL else text(row, "Reference"),
        number=number,
        contact_id=text(part(row, "Contact"), "ContactID"),
        currency=currency,
        date=date,
        due_date=day(row, "DueDate"),
        status=status,
        net=needed_minor(row, "SubTotal", currency),
        tax=needed_minor(row, "TotalTax", currency),
        total=total,
        paid=paid,
        credited=credited,
        due=total - paid - credited if due is None else due,
        updated_at=updated_at,
    )


def line_accounts(row: Row) -> tuple[str, frozenset[str]]:
    """A document's id, and the codes of the accounts on its lines. A line of text alone has none."""
    codes = (text(line, "AccountCode") for line in rows(row, "LineItems"))
    return needed(row, "InvoiceID"), frozenset(code for code in codes if code)


def settlement(row: Row) -> RemoteSettlement:
    """A payment. Those on credit notes, prepayments and overpayments come too; they name what they paid."""
    document_id, currency = _target(row)
    account = part(row, "Account")
    date = day(row, "Date")
    if date is None:
        raise WrongShape("Xero answered a record without Date.")
    return RemoteSettlement(
        id=needed(row, "PaymentID"),
        ref=text(row, "Reference"),
        document_id=document_id,
        account=text(account, "Code") or text(account, "AccountID"),
        currency=currency,
        amount=needed_minor(row, "Amount", currency),
        date=date,
        status=_status(row),
        reconciled=row.get("IsReconciled") in (True, "true"),
        updated_at=moment(row, "UpdatedDateUTC"),
    )


PARSERS: Mapping[What, Callable[[Row], Remote]] = MappingProxyType(
    {
        What.CONTACT: contact,
        What.INVOICE: document,
        What.BILL: document,
        What.SETTLEMENT: settlement,
    }
)


def search_key(record: Remote) -> str:
    """What a record is searched by: an invoice's number, everything else's ref."""
    if isinstance(record, RemoteDocument) and record.what is What.INVOICE:
        return record.number
    return record.ref


def _status(row: Row) -> Status:
    try:
        return Status(needed(row, "Status").lower())
    except ValueError:
        raise WrongShape("Xero answered a Status that it does not document.") from None


def _undated(status: Status, updated_at: datetime) -> datetime:
    """A draft that arrived by email may have no date yet; anything that was approved has one."""
    if status in {Status.AUTHORISED, Status.PAID}:
        raise WrongShape("Xero answered a record without Date.")
    return updated_at


def _target(row: Row) -> tuple[str, str]:
    for name, id_field in _TARGETS:
        target = part(row, name)
        if target:
            return needed(target, id_field), needed(target, "CurrencyCode")
    raise WrongShape("Xero answered a payment that names no document.")
