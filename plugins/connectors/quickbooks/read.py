"""QuickBooks' records as the contract's values. Pure; raises WrongShape where one is not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from connectors.quickbooks.fields import Row, day, minor, moment, needed, needed_minor, part, parts, reference, text
from connectors.quickbooks.lines import basis_of, lines_of
from connectors.quickbooks.names import KINDS, contact_id, marked
from qualy_sync.contracts.accounting import (
    Party,
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

PARTIES = ("Customer", "Vendor")
DOCUMENTS: Mapping[str, What] = MappingProxyType(
    {kind: what for what, kind in KINDS.items() if kind not in ("Payment", "BillPayment")}
)
# Of a payment: what it settles, and what credit it uses.
_SIDES = MappingProxyType(
    {
        "Payment": (("Invoice", What.INVOICE), "CreditMemo"),
        "BillPayment": (("Bill", What.BILL), "VendorCredit"),
    }
)


def records(kind: str, row: Row, us: bool) -> list[Remote]:
    """What one record of QuickBooks' is to us: one value, or one for each document that a payment settles."""
    if text(row, "status") == "Deleted":
        return [_deleted(kind, row)]
    if kind in PARTIES:
        return [_contact(kind, row)]
    return payment(kind, row) if kind in _SIDES else [document(DOCUMENTS[kind], row, us)]


def _contact(kind: str, row: Row) -> RemoteContact:
    """A customer or vendor. A customer has notes for our ref, a vendor an account number."""
    held = marked(text(row, "Notes" if kind == "Customer" else "AcctNum"))
    return RemoteContact(
        id=contact_id(kind, needed(row, "Id")),
        ref=held,
        name=text(row, "DisplayName"),
        email=normal_email(text(part(row, "PrimaryEmailAddr"), "Address")),
        active=row.get("Active") is not False,
        merged_into="",
        updated_at=moment(row),
        party=Party.CUSTOMER if kind == "Customer" else Party.SUPPLIER,
        currency=reference(row, "CurrencyRef"),
        version=text(row, "SyncToken"),
    )


def document(what: What, row: Row, us: bool) -> RemoteDocument:
    """An invoice, bill, credit memo, vendor credit or refund receipt.

    How much of an invoice was settled by money, and how much by credit, is told by payments alone: all counts as paid.
    """
    currency = needed(part(row, "CurrencyRef"), "value")
    total, tax = needed_minor(row, "TotalAmt", currency), minor(part(row, "TxnTaxDetail"), "TotalTax", currency)
    lines = lines_of(row, currency, us)
    due = 0 if what is What.REFUND else minor(row, "Balance", currency)
    credit = what in (What.CREDIT_NOTE, What.SUPPLIER_CREDIT)
    number = text(row, "DocNumber")
    # A voided one keeps its lines with nothing on them, and says so in words of the company's language.
    voided = total == 0 and not any(line.amount for line in lines)
    status = Status.VOIDED if voided else (Status.AUTHORISED if due else Status.PAID)
    kind = "Vendor" if what in (What.BILL, What.SUPPLIER_CREDIT) else "Customer"
    return RemoteDocument(
        id=needed(row, "Id"),
        what=what,
        ref=marked(text(row, "PrivateNote")) if what is What.INVOICE else number,
        number=number,
        contact_id=contact_id(kind, reference(row, f"{kind}Ref")),
        currency=currency,
        date=_day(row),
        due_date=day(row, "DueDate") if what in (What.INVOICE, What.BILL) else None,
        status=status,
        net=total - tax,
        tax=tax,
        total=total,
        paid=0 if credit else total - due,
        credited=total - due if credit else 0,
        due=due,
        updated_at=moment(row),
        version=text(row, "SyncToken"),
        basis=basis_of(row, us),
        lines=lines,
        rest=text_of_rate(row),
        pays_from=reference(row, "DepositToAccountRef") if what is What.REFUND else "",
    )


def payment(kind: str, row: Row) -> list[Remote]:
    """What a payment does: money or credit applied to documents, each a value with an id of its own.

    The first has the payment's id, the others that id and the document's. A payment without lines is one that settles
    nothing: on account, its line dropped, or (with no money either) voided.
    """
    (settles, of), uses = _SIDES[kind]
    currency = needed(part(row, "CurrencyRef"), "value")
    applied = [_applied(one, currency) for one in parts(row, "Line")]
    notes = [note for name, note, _ in applied if name == uses]
    credits = [amount for name, _, amount in applied if name == uses]
    found: list[Remote] = []
    for name, document_id, amount in applied:
        if name != settles:
            continue
        left = amount
        for place, note in enumerate(notes):
            used = min(left, credits[place])
            if used:
                found.append(_allocation(row, kind, _id(row, found, document_id), note, document_id, used))
                credits[place], left = credits[place] - used, left - used
        if left:
            found.append(_settlement(row, kind, _id(row, found, document_id), document_id, left, of))
    if not found:
        total = minor(row, "TotalAmt", currency)
        found.append(_settlement(row, kind, needed(row, "Id"), "", total, of))
    return found


def _applied(line: Row, currency: str) -> tuple[str, str, int]:
    links = parts(line, "LinkedTxn")
    link = links[0] if links else {}
    return text(link, "TxnType"), text(link, "TxnId"), minor(line, "Amount", currency)


def _id(row: Row, before: Sequence[Remote], document_id: str) -> str:
    own = needed(row, "Id")
    return f"{own}:{document_id}" if before else own


def _settlement(row: Row, kind: str, id_: str, document_id: str, amount: int, of: What) -> RemoteSettlement:
    account = (
        reference(row, "DepositToAccountRef")
        if kind == "Payment"
        else reference(part(row, "CheckPayment"), "BankAccountRef")
        or reference(part(row, "CreditCardPayment"), "CCAccountRef")
    )
    return RemoteSettlement(
        id=id_,
        ref=text(row, "PaymentRefNum" if kind == "Payment" else "DocNumber"),
        document_id=document_id,
        account=account,
        currency=needed(part(row, "CurrencyRef"), "value"),
        amount=amount,
        date=_day(row),
        status=Status.AUTHORISED if amount else Status.VOIDED,
        reconciled=True if _deposited(row) else None,
        updated_at=moment(row),
        of=of,
        version=text(row, "SyncToken"),
    )


def _deposited(row: Row) -> bool:
    """Part of a bank deposit: then QuickBooks lets nobody change it. Whether it is reconciled no API tells."""
    return any(text(one, "TxnType") == "Deposit" for one in parts(row, "LinkedTxn"))


def _allocation(row: Row, kind: str, id_: str, note_id: str, document_id: str, amount: int) -> RemoteAllocation:
    return RemoteAllocation(
        id=id_,
        ref=text(row, "PaymentRefNum" if kind == "Payment" else "DocNumber"),
        note_id=note_id,
        document_id=document_id,
        currency=needed(part(row, "CurrencyRef"), "value"),
        amount=amount,
        date=_day(row),
        status=Status.AUTHORISED,
        updated_at=moment(row),
    )


def text_of_rate(row: Row) -> str:
    """The document's rate, which goes back with a change of it."""
    value = row.get("ExchangeRate")
    return "" if value in (None, "") else str(value)


def _deleted(kind: str, row: Row) -> Remote:
    """All that is told of a deleted record is which one it was."""
    id_, at = needed(row, "Id"), moment(row)
    if kind in PARTIES:
        party = Party.CUSTOMER if kind == "Customer" else Party.SUPPLIER
        return RemoteContact(contact_id(kind, id_), "", "", "", False, "", at, party)
    if kind in _SIDES:
        of = _SIDES[kind][0][1]
        return RemoteSettlement(id_, "", "", "", "", 0, at.date(), Status.DELETED, None, at, of)
    return gone(DOCUMENTS[kind], id_, at)


def gone(what: What, id_: str, at: datetime) -> RemoteDocument:
    """A deleted document."""
    return RemoteDocument(
        id=id_,
        what=what,
        ref="",
        number="",
        contact_id="",
        currency="",
        date=at.date(),
        due_date=None,
        status=Status.DELETED,
        net=0,
        tax=0,
        total=0,
        paid=0,
        credited=0,
        due=0,
        updated_at=at,
    )


def _day(row: Row) -> date:
    found = day(row, "TxnDate")
    if found is None:
        raise WrongShape("QuickBooks answered a record without TxnDate.")
    return found
