"""The bodies of what is written. Pure.

A body is an envelope: for each element our ref, what is done to which kind, and the entity as it goes on the wire, also
with what only the company can say (rates of tax and exchange), which `connectors.quickbooks.complete` adds before it is
packed. Elements have short ids of our own, by which the answer is matched: the SDK's are too long to be remembered by
QuickBooks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.quickbooks.facts import account_of, item_of
from connectors.quickbooks.fields import encode
from connectors.quickbooks.lines import MODES, changed_rows, description, is_same, line_row
from connectors.quickbooks.names import (
    KINDS,
    LONGEST_PART,
    LONGEST_TEXT,
    clean,
    contact_name,
    kind_of_party,
    mark,
    party_of,
)
from connectors.shared.answers import loads
from qualy_sync.contracts.accounting import (
    SALES,
    Basis,
    Change,
    Line,
    NewAllocation,
    NewContact,
    NewDocument,
    NewRefund,
    NewSettlement,
    Rate,
    RemoteContact,
    RemoteDocument,
    Remove,
    Status,
    Void,
    What,
    Write,
    kind_of,
)
from qualy_sync.model import to_decimal
from qualy_sync.outcomes import Code

MOST = 30
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a body, taken apart. `target` is the document that money or credit goes to.

    `refused` is why it is not sent (our code and a sentence): nothing of what it is would be kept as it was meant.
    """

    ref: str
    verb: str  # create, update, void, delete
    what: What
    kind: str
    entity: Json
    target: str = ""
    refused: tuple[Code, str] | None = None


def elements(batch: Sequence[Write]) -> list[Item]:
    """What is meant, before the company was asked.

    Raises ValueError for a batch that is empty or too large, and for removals, which QuickBooks is not asked for.
    """
    if not 1 <= len(batch) <= MOST:
        raise ValueError(f"A batch for QuickBooks has 1 to {MOST} elements, not {len(batch)}.")
    if len({element.ref for element in batch}) != len(batch):
        raise ValueError("Two elements of a batch have the same ref.")
    return [_item(element) for element in batch]


def body(items: Sequence[Item]) -> bytes:
    """The envelope of complete elements."""
    return encode([_packed(item) for item in items]).encode()


def wire(going: Mapping[str, Item]) -> bytes:
    """What is transmitted: the elements by their short ids."""
    return encode({"BatchItemRequest": [_request(bid, item) for bid, item in going.items()]}).encode()


def going(items: Sequence[Item]) -> dict[str, Item]:
    """The elements that are sent, by their short ids: the others are refused before."""
    return {str(place): item for place, item in enumerate(items, start=1) if item.refused is None}


def items(sent: bytes) -> list[Item]:
    """The elements of a body."""
    return [
        Item(
            one["ref"],
            one["verb"],
            What(one["what"]),
            one["kind"],
            one["entity"],
            one["target"],
            (Code(one["refused"][0]), one["refused"][1]) if one["refused"] else None,
        )
        for one in loads(sent)
    ]


def _request(bid: str, item: Item) -> Json:
    operation = {"void": "update"}.get(item.verb, item.verb)
    options = {"optionsData": "void"} if item.verb == "void" else {}
    return {"bId": bid, "operation": operation, **options, item.kind: item.entity}


def _packed(item: Item) -> Json:
    return {
        "ref": item.ref,
        "verb": item.verb,
        "what": str(item.what),
        "kind": item.kind,
        "entity": item.entity,
        "target": item.target,
        "refused": [str(item.refused[0]), item.refused[1]] if item.refused else None,
    }


def _item(element: Write) -> Item:
    if isinstance(element, Remove):
        raise ValueError("QuickBooks does not tell which payments are reconciled: none is taken back.")
    if isinstance(element, Change):
        return _changed(element)
    if isinstance(element, Void):
        return _voided(element)
    what, make = kind_of(element), "create"
    if isinstance(element, NewContact):
        return Item(element.ref, make, what, kind_of_party(element.party), _contact(element))
    if isinstance(element, NewDocument):
        return Item(element.ref, make, what, KINDS[what], _document(element), refused=_impossible(element))
    if isinstance(element, NewRefund):
        refused = _no_item(element.lines)
        return Item(element.ref, make, what, KINDS[what], _refund(element), refused=refused)
    if isinstance(element, NewSettlement):
        paid = _settlement(element)
        return Item(element.ref, make, what, KINDS[what], paid, target=element.document_id)
    kind = "Payment" if element.of is What.INVOICE else "BillPayment"
    return Item(element.ref, make, what, kind, _allocation(element), target=element.document_id)


def _impossible(new: NewDocument) -> tuple[Code, str] | None:
    if new.status is not Status.AUTHORISED:
        return Code.INVALID, "QuickBooks has no drafts: set invoice_status and bill_status to authorised."
    return _no_item(new.lines) if new.what in SALES else None


def _no_item(lines: Sequence[Line]) -> tuple[Code, str] | None:
    plain = next((line.account for line in lines if not item_of(line.account)), None)
    if plain is None:
        return None
    return Code.UNMAPPED_ACCOUNT, f"{plain}, an account: a line of a sale posts through an item, such as 204>61"


# -- what is created ----------------------------------------------------------------------------------------------


def _contact(new: NewContact) -> Json:
    vendor = kind_of_party(new.party) == "Vendor"
    fields: Json = _person(new) | ({"AcctNum": mark(new.ref)} if vendor else {"Notes": mark(new.ref)})
    if new.currency:
        fields["CurrencyRef"] = {"value": new.currency}
    return fields


def _person(new: NewContact) -> Json:
    names = {
        "DisplayName": contact_name(new.name, new.email),
        "GivenName": clean(new.first_name, LONGEST_PART),
        "FamilyName": clean(new.last_name, LONGEST_PART),
    }
    fields: Json = {name: value for name, value in names.items() if value}
    if new.email.strip():
        fields["PrimaryEmailAddr"] = {"Address": new.email.strip()}
    return fields


def _document(new: NewDocument) -> Json:
    fields: Json = _party(new.contact_id) | {
        "DocNumber": new.number if new.what is What.INVOICE else new.ref,
        "TxnDate": new.date.isoformat(),
    }
    if new.due_date is not None and new.what in (What.INVOICE, What.BILL):
        fields["DueDate"] = new.due_date.isoformat()
    note = f"{mark(new.ref)} {new.link}" if new.link else mark(new.ref)
    fields |= _money(new.currency, new.rate) | {"PrivateNote": clean(note, LONGEST_TEXT)}
    return fields | _lines(new.lines, new.currency, new.basis, new.what in SALES)


def _refund(new: NewRefund) -> Json:
    return (
        _party(new.contact_id)
        | {"DocNumber": new.ref, "TxnDate": new.date.isoformat()}
        | _money(new.currency, new.rate)
        | {"DepositToAccountRef": {"value": new.account}, "PrivateNote": mark(new.ref)}
        | _lines(new.lines, new.currency, new.basis, True)
    )


def _settlement(new: NewSettlement) -> Json:
    customer = new.of is What.INVOICE
    amount = to_decimal(new.amount, new.currency)
    account = {"value": new.account}
    how: Json = (
        {"PaymentRefNum": new.ref, "DepositToAccountRef": account}
        if customer
        else {"DocNumber": new.ref, "PayType": "Check", "CheckPayment": {"BankAccountRef": account}}
    )
    return (
        _party(new.contact_id)
        | {"TotalAmt": amount, "TxnDate": new.date.isoformat()}
        | _money(new.currency, new.rate)
        | how
        | {"Line": [_applied(amount, new.document_id, KINDS[new.of])]}
    )


def _allocation(new: NewAllocation) -> Json:
    """A payment of nothing that joins a document and a credit."""
    customer = new.of is What.INVOICE
    amount = to_decimal(new.amount, new.currency)
    credit = What.CREDIT_NOTE if customer else What.SUPPLIER_CREDIT
    how: Json = {"PaymentRefNum": new.ref} if customer else {"DocNumber": new.ref, "PayType": "Check"}
    lines = [_applied(amount, new.document_id, KINDS[new.of]), _applied(amount, new.note_id, KINDS[credit])]
    return (
        _party(new.contact_id)
        | {"TotalAmt": 0, "TxnDate": new.date.isoformat()}
        | _money(new.currency, None)
        | how
        | {"Line": lines}
    )


def _party(remote_id: str) -> Json:
    kind, number = party_of(remote_id)
    return {f"{kind}Ref": {"value": number}}


def _money(currency: str, rate: Rate | None) -> Json:
    fields: Json = {"CurrencyRef": {"value": currency}}
    return fields if rate is None else fields | {"ExchangeRate": rate.value}


def _lines(lines: Sequence[Line], currency: str, basis: Basis, sale: bool) -> Json:
    return {
        "GlobalTaxCalculation": MODES[basis],
        "Line": [line_row(line, currency, basis, sale) for line in lines],
    }


def _applied(amount: Any, document_id: str, kind: str) -> Json:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": document_id, "TxnType": kind}]}


# -- what is changed ----------------------------------------------------------------------------------------------


def _changed(element: Change) -> Item:
    """A sparse update: what is not named stays as it is. The SyncToken is the tool's own compare-and-set."""
    there, new = element.there, element.new
    if isinstance(there, RemoteContact) and isinstance(new, NewContact):
        kind, number = party_of(there.id)
        entity = {"Id": number, "SyncToken": there.version, "sparse": True} | _person(new)
        return Item(element.ref, "update", What.CONTACT, kind, entity)
    if not isinstance(there, RemoteDocument) or not isinstance(new, NewDocument):
        raise ValueError("A record is changed into one of its own kind.")
    sale = there.what in SALES
    new = as_read(new)
    entity = {"Id": there.id, "SyncToken": there.version, "sparse": True} | _party(new.contact_id)
    entity |= {"TxnDate": new.date.isoformat(), "CurrencyRef": {"value": there.currency}}
    if new.due_date is not None:
        entity["DueDate"] = new.due_date.isoformat()
    rate = str(new.rate.value) if new.rate is not None else there.rest if new.date == there.date else ""
    if rate:
        entity["ExchangeRate"] = loads(rate.encode())
    there_lines = there.lines or ()
    same = len(there_lines) == len(new.lines) and all(map(is_same, new.lines, there_lines))
    if not same:
        rows = changed_rows(new.lines, there_lines, new.currency, new.basis, sale)
        entity |= {"GlobalTaxCalculation": MODES[new.basis], "Line": rows}
    refused = _no_item(new.lines) if sale else None
    return Item(element.ref, "update", there.what, KINDS[there.what], entity, refused=refused)


def _voided(element: Void) -> Item:
    """An invoice is voided and stays; of the others QuickBooks knows only that they are deleted."""
    there = element.there
    entity: Json = {"Id": there.id, "SyncToken": there.version}
    verb = "void" if there.what is What.INVOICE else "delete"
    return Item(element.ref, verb, there.what, KINDS[there.what], entity | ({"sparse": True} if verb == "void" else {}))


def as_read(new: NewDocument) -> NewDocument:
    """A document as it reads back: texts are cleaned, bills name accounts, credits have no due date."""
    sale = new.what in SALES
    lines = tuple(
        replace(line, description=description(line), account=line.account if sale else account_of(line.account))
        for line in new.lines
    )
    return replace(new, lines=lines, due_date=new.due_date if new.what in (What.INVOICE, What.BILL) else None)
