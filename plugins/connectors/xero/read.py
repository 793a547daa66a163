"""Xero's records as the contract's values. Pure; raises WrongShape where one is not understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType

from connectors.xero.fields import Row, day, minor, moment, needed, needed_minor, number, part, parts, text
from connectors.xero.lines import basis, lines
from qualy_sync.contracts.accounting import (
    Remote,
    RemoteAllocation,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Status,
    What,
)
from qualy_sync.contracts.errors import WrongShape
from qualy_sync.model import normal_email

COLLECTION: Mapping[What, str] = MappingProxyType(
    {
        What.CONTACT: "Contacts",
        What.INVOICE: "Invoices",
        What.BILL: "Invoices",
        What.CREDIT_NOTE: "CreditNotes",
        What.SUPPLIER_CREDIT: "CreditNotes",
        What.SETTLEMENT: "Payments",
        What.BILL_SETTLEMENT: "Payments",
        What.REFUND: "Payments",
        What.ALLOCATION: "Allocations",
    }
)
ID_FIELD: Mapping[What, str] = MappingProxyType(
    {
        What.CONTACT: "ContactID",
        What.INVOICE: "InvoiceID",
        What.BILL: "InvoiceID",
        What.CREDIT_NOTE: "CreditNoteID",
        What.SUPPLIER_CREDIT: "CreditNoteID",
        What.SETTLEMENT: "PaymentID",
        What.BILL_SETTLEMENT: "PaymentID",
        What.REFUND: "PaymentID",
        What.ALLOCATION: "AllocationID",
    }
)
TYPES: Mapping[str, What] = MappingProxyType(
    {
        "ACCREC": What.INVOICE,
        "ACCPAY": What.BILL,
        "ACCRECCREDIT": What.CREDIT_NOTE,
        "ACCPAYCREDIT": What.SUPPLIER_CREDIT,
    }
)

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
    if what not in (What.INVOICE, What.BILL):
        raise WrongShape("Xero answered a document that is neither an invoice nor a bill.")
    currency = needed(row, "CurrencyCode")
    updated_at = moment(row, "UpdatedDateUTC")
    status = _status(row)
    total = needed_minor(row, "Total", currency)
    paid = minor(row, "AmountPaid", currency) or 0
    credited = minor(row, "AmountCredited", currency) or 0
    due = minor(row, "AmountDue", currency)
    number = text(row, "InvoiceNumber")
    return RemoteDocument(
        id=needed(row, "InvoiceID"),
        what=what,
        ref=number if what is What.BILL else text(row, "Reference"),
        number=number,
        contact_id=text(part(row, "Contact"), "ContactID"),
        currency=currency,
        date=_date(row, status, updated_at),
        due_date=day(row, "DueDate"),
        status=status,
        net=needed_minor(row, "SubTotal", currency),
        tax=needed_minor(row, "TotalTax", currency),
        total=total,
        paid=paid,
        credited=credited,
        due=total - paid - credited if due is None else due,
        updated_at=updated_at,
        basis=basis(row),
        lines=lines(row, currency),
        rest=_rate(row),
    )


def credit_note(row: Row) -> RemoteDocument:
    """A credit note, to a customer or from a supplier. Its number is its ref; it shows all its allocations."""
    what = TYPES.get(needed(row, "Type"))
    if what not in (What.CREDIT_NOTE, What.SUPPLIER_CREDIT):
        raise WrongShape("Xero answered a credit note of a type that it does not document.")
    currency = needed(row, "CurrencyCode")
    updated_at = moment(row, "UpdatedDateUTC")
    status = _status(row)
    note_id = needed(row, "CreditNoteID")
    allocations = tuple(
        _allocation(one, note_id, currency, updated_at) for one in parts(row, "Allocations") if not _deleted(one)
    )
    total = needed_minor(row, "Total", currency)
    credited = sum(one.amount for one in allocations)
    left = minor(row, "RemainingCredit", currency)
    paid = sum(needed_minor(one, "Amount", currency) for one in parts(row, "Payments"))
    if status in (Status.VOIDED, Status.DELETED):
        left = paid = credited = 0
    return RemoteDocument(
        id=note_id,
        what=what,
        ref=text(row, "CreditNoteNumber"),
        number=text(row, "CreditNoteNumber"),
        contact_id=text(part(row, "Contact"), "ContactID"),
        currency=currency,
        date=_date(row, status, updated_at),
        due_date=None,
        status=status,
        net=needed_minor(row, "SubTotal", currency),
        tax=needed_minor(row, "TotalTax", currency),
        total=total,
        paid=paid,
        credited=credited,
        due=total - paid - credited if left is None else left,
        updated_at=updated_at,
        basis=basis(row),
        lines=lines(row, currency),
        rest=_rate(row),
        allocations=allocations,
    )


def _allocation(row: Row, note_id: str, currency: str, updated_at: datetime) -> RemoteAllocation:
    invoice_id = needed(part(row, "Invoice"), "InvoiceID")
    return RemoteAllocation(
        # Older records of Xero's have no AllocationID: one note allocates to one document once.
        id=text(row, "AllocationID") or f"{note_id}:{invoice_id}",
        ref="",
        note_id=note_id,
        document_id=invoice_id,
        currency=currency,
        amount=needed_minor(row, "Amount", currency),
        date=_date(row, Status.AUTHORISED, updated_at),
        status=Status.AUTHORISED,
        updated_at=updated_at,
    )


def allocation(note: RemoteDocument, allocation_id: str) -> RemoteAllocation:
    """One of a note's allocations. Raises WrongShape where the note does not show it."""
    found = next((one for one in note.allocations if one.id == allocation_id), None)
    if found is None:
        raise WrongShape("Xero answered an allocation that its credit note does not show.")
    return found


def settlement(row: Row) -> RemoteSettlement:
    """A payment. Those on credit notes, prepayments and overpayments come too; they name what they paid."""
    document_id, currency, of = _target(row)
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
        of=of,
    )


PARSERS: Mapping[What, Callable[[Row], Remote]] = MappingProxyType(
    {
        What.CONTACT: contact,
        What.INVOICE: document,
        What.BILL: document,
        What.CREDIT_NOTE: credit_note,
        What.SUPPLIER_CREDIT: credit_note,
        What.SETTLEMENT: settlement,
        What.BILL_SETTLEMENT: settlement,
        What.REFUND: settlement,
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


def _date(row: Row, status: Status, updated_at: datetime) -> date:
    """A draft that arrived by email may have no date yet; anything that was approved has one."""
    found = day(row, "Date")
    if found is None and status in {Status.AUTHORISED, Status.PAID}:
        raise WrongShape("Xero answered a record without Date.")
    return found or updated_at.date()


def _rate(row: Row) -> str:
    rate = number(row, "CurrencyRate")
    return "" if rate is None else f"{rate:f}"


def _deleted(row: Row) -> bool:
    return row.get("IsDeleted") in (True, "true")


def _target(row: Row) -> tuple[str, str, What]:
    for name, id_field in _TARGETS:
        target = part(row, name)
        if target:
            return needed(target, id_field), needed(target, "CurrencyCode"), _paid_kind(row, name, target)
    raise WrongShape("Xero answered a payment that names no document.")


def _paid_kind(row: Row, name: str, target: Row) -> What:
    """What a payment was applied to: by the document's type, else by the payment's own (ACCPAYPAYMENT, …)."""
    known = TYPES.get(text(target, "Type"))
    if known is not None:
        return known
    purchase = text(row, "PaymentType").startswith(("ACCPAY", "AP"))
    if name == "Invoice":
        return What.BILL if purchase else What.INVOICE
    return What.SUPPLIER_CREDIT if purchase else What.CREDIT_NOTE
