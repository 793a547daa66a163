"""The endpoints of the accounting API: which address does what, and which scope opens it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.xero import attachments, contacts, documents, items, payments
from sandbox.xero.answers import Answer, Refused, Stop, not_found, validation
from sandbox.xero.books import Books
from sandbox.xero.listing import read_list, read_one
from sandbox.xero.request import Call, Wording, Work, one_element, run_batch
from sandbox.xero.scopes import ATTACHMENTS, CONTACTS, INVOICES, PAYMENTS, SETTINGS
from sandbox.xero.wire import ms_moment

Handler = Callable[[Books, Call, str, str], Answer]

_WORDINGS = {
    "Contacts": Wording("Contacts", "ContactID", "HasValidationErrors"),
    "Invoices": Wording("Invoices", "InvoiceID", "HasErrors"),
    "CreditNotes": Wording("CreditNotes", "CreditNoteID", "HasErrors"),
    "Payments": Wording("Payments", "PaymentID", "HasValidationErrors"),
    "BatchPayments": Wording("BatchPayments", "BatchPaymentID", "HasValidationErrors"),
    "Items": Wording("Items", "ItemID", "HasValidationErrors"),
}
_SCOPES = {
    "Organisation": SETTINGS,
    "Accounts": SETTINGS,
    "TaxRates": SETTINGS,
    "Currencies": SETTINGS,
    "TrackingCategories": SETTINGS,
    "BrandingThemes": SETTINGS,
    "Items": SETTINGS,
    "Contacts": CONTACTS,
    "Invoices": INVOICES,
    "CreditNotes": INVOICES,
    "Payments": PAYMENTS,
    "BatchPayments": PAYMENTS,
}
_ACTIONS = (
    "AttachFilesIntoInvoice", "CreateApprovedBill", "CreateApprovedInvoice", "CreateBillPayment", "CreateDraftBill",
    "CreateDraftInvoice", "CreateInvoicePayment", "UseMulticurrency",
)  # fmt: skip
_NOTE_LENGTH = 2500


@dataclass(frozen=True, slots=True)
class Route:
    """One found address."""

    scope: str
    handler: Handler
    kind: str
    rest: str


def find_route(method: str, path: str) -> Route | None:
    """The route of a call; None where Xero has nothing there."""
    parts = path.strip("/").split("/")
    kind = next((name for name in _SCOPES if name.lower() == parts[0].lower()), None)
    if kind is None:
        return None
    tail = "/".join(parts[1:])
    for pattern, methods, kinds, handler in _ROUTES:
        if method in methods and (not kinds or kind in kinds) and re.fullmatch(pattern, tail, re.IGNORECASE):
            return Route(ATTACHMENTS if handler in _ATTACHING else _SCOPES[kind], handler, kind, tail)
    return None


def _list(books: Books, call: Call, kind: str, rest: str) -> Answer:
    return read_list(call, kind, books.render)


def _actions(books: Books, call: Call, kind: str, rest: str) -> Answer:
    actions = [{"Name": name, "Status": "ALLOWED"} for name in _ACTIONS]
    adviser = "ALLOWED" if books.company.adviser else "NOT-ALLOWED"
    actions.append({"Name": "ApproveTransactionsBeforePeriodLockDate", "Status": adviser})
    return call.answer({"Actions": actions})


def _one(books: Books, call: Call, kind: str, rest: str) -> Answer:
    return read_one(call, kind, _found(books, kind, rest), books.render)


def _put(books: Books, call: Call, kind: str, rest: str) -> Answer:
    return run_batch(call, _WORDINGS[kind], _writer(books, call, kind, "create"), _echo(kind), call.elements(kind))


def _post(books: Books, call: Call, kind: str, rest: str) -> Answer:
    return run_batch(call, _WORDINGS[kind], _writer(books, call, kind, "upsert"), _echo(kind), call.elements(kind))


def _post_one(books: Books, call: Call, kind: str, rest: str) -> Answer:
    kept = _found(books, kind, rest)
    wording = _WORDINGS[kind]
    element = call.elements(kind)[0] | {wording.id_field: kept[wording.id_field]}
    return one_element(wording, call, _writer(books, call, kind, "upsert"), _echo(kind), element)


def _delete_payment(books: Books, call: Call, kind: str, rest: str) -> Answer:
    kept = _found(books, kind, rest)
    rules = books.payments if kind == "Payments" else books.batch_payments

    def work(element: dict[str, Any]) -> dict[str, Any]:
        if element.get("Status") != "DELETED":
            raise Refused("The Status of a payment can only be changed to DELETED.")
        return books.render.one(kind, rules.delete(kept))

    def repeat(element: dict[str, Any]) -> dict[str, Any]:
        return books.render.one(kind, kept)

    return one_element(_WORDINGS[kind], call, work, repeat, call.elements(kind)[0])


def _allocate(books: Books, call: Call, kind: str, rest: str) -> Answer:
    note = _found(books, kind, rest.split("/")[0])
    wording = Wording("Allocations", "AllocationID", "HasValidationErrors")

    def work(element: dict[str, Any]) -> dict[str, Any]:
        return books.credit_notes.allocate(note, element)

    return run_batch(call, wording, work, payments.echo, call.elements("Allocations"))


def _remove_allocation(books: Books, call: Call, kind: str, rest: str) -> Answer:
    note_id, _, allocation_id = rest.split("/")
    try:
        removed = books.credit_notes.remove_allocation(_found(books, kind, note_id), allocation_id.lower())
    except Refused as refused:
        errors = [{"Message": message} for message in refused.messages]
        return validation([{"AllocationID": allocation_id, "ValidationErrors": errors}])
    return not_found() if removed is None else call.answer(removed)


def _notes(books: Books, call: Call, kind: str, rest: str) -> Answer:
    kept = _found(books, kind, rest.split("/")[0])
    return call.answer({"HistoryRecords": books.company.records.notes(kind, kept[_WORDINGS[kind].id_field])})


def _add_notes(books: Books, call: Call, kind: str, rest: str) -> Answer:
    kept = _found(books, kind, rest.split("/")[0])

    def work(element: dict[str, Any]) -> dict[str, Any]:
        details = element.get("Details")
        if not isinstance(details, str) or not details or len(details) > _NOTE_LENGTH:
            raise Refused(f"Details must have between 1 and {_NOTE_LENGTH} characters.")
        now = ms_moment(books.company.clock.now())
        note = {"Details": details, "Changes": "Note", "User": "System Generated", "DateUTC": now}
        books.company.records.add_note(kind, kept[_WORDINGS[kind].id_field], note)
        return note

    wording = Wording("HistoryRecords", "HistoryRecordID", "HasValidationErrors")
    return run_batch(call, wording, work, lambda element: {}, call.elements("HistoryRecords"))


def _email(books: Books, call: Call, kind: str, rest: str) -> Answer:
    invoice = _found(books, kind, rest.split("/")[0])
    contact = books.company.records.get("Contacts", invoice["Contact"]["ContactID"]) or {}
    if (
        invoice["Type"] != "ACCREC"
        or invoice["Status"] not in ("AUTHORISED", "PAID")
        or not contact.get("EmailAddress")
    ):
        message = "Only approved sales invoices whose contact has an email address can be sent."
        return validation([{"InvoiceID": invoice["InvoiceID"], "ValidationErrors": [{"Message": message}]}])
    books.company.records.put(kind, invoice | {"SentToContact": True}, touch=not invoice["Payments"])
    return Answer(204, b"")


def _found(books: Books, kind: str, key: str) -> dict[str, Any]:
    doc = books.find(kind, key)
    if doc is None:
        raise Stop(not_found())
    return doc


def _writer(books: Books, call: Call, kind: str, verb: str) -> Work:
    decimals = 4 if call.query.get("unitdp") == "4" else 2

    def work(element: dict[str, Any]) -> dict[str, Any]:
        rules: Any = books.rules[kind]
        if kind in ("Invoices", "CreditNotes"):
            made = getattr(rules, verb)(element, decimals)
        else:
            made = getattr(rules, verb if kind in ("Contacts", "Items") else "create")(element)
        return dict(books.render.one(kind, made, decimals))

    return work


def _echo(kind: str) -> Work:
    if kind in ("Invoices", "CreditNotes"):
        form = documents.INVOICE if kind == "Invoices" else documents.CREDIT_NOTE
        return lambda element: documents.echo(form, element)
    if kind == "Contacts":
        return contacts.echo
    return items.echo if kind == "Items" else payments.echo


_NOTED = ("Contacts", "Invoices", "CreditNotes", "Payments", "BatchPayments", "Items")
_WRITABLE = tuple(_WORDINGS)
_SINGLE = tuple(kind for kind in _SCOPES if kind not in ("Organisation", "Currencies"))
_ATTACHED = ("Accounts", "Contacts", "Invoices", "CreditNotes")
_ATTACHING = (attachments.listed, attachments.content, attachments.attach)
_READS = ("GET", "HEAD")
_ROUTES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], Handler], ...] = (
    ("", _READS, (), _list),
    ("Actions", _READS, ("Organisation",), _actions),
    ("", ("PUT",), _WRITABLE, _put),
    ("", ("POST",), _WRITABLE, _post),
    (r"[^/]+", _READS, _SINGLE, _one),
    (r"[^/]+", ("POST",), ("Contacts", "Invoices", "CreditNotes", "Items"), _post_one),
    (r"[^/]+", ("POST",), ("Payments", "BatchPayments"), _delete_payment),
    (r"[^/]+/Allocations", ("PUT",), ("CreditNotes",), _allocate),
    (r"[^/]+/Allocations/[^/]+", ("DELETE",), ("CreditNotes",), _remove_allocation),
    (r"[^/]+/History", _READS, _NOTED, _notes),
    (r"[^/]+/History", ("PUT",), _NOTED, _add_notes),
    (r"[^/]+/Attachments", _READS, _ATTACHED, attachments.listed),
    (r"[^/]+/Attachments/.+", _READS, _ATTACHED, attachments.content),
    (r"[^/]+/Attachments/.+", ("PUT", "POST"), _ATTACHED, attachments.attach),
    (r"[^/]+/Email", ("POST",), ("Invoices",), _email),
)
