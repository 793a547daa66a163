"""Bodies that change, void, remove and allocate, and how their elements are recognised in an answer. Pure.

Such a body is an envelope: what is done, our ref of each record by its id in Xero, and the elements as they go on the
wire. Xero takes changes and voids of documents in batches (POST), removals and allocations one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.shared.answers import loads
from connectors.xero.fields import same
from connectors.xero.lines import matched, rest_of
from connectors.xero.read import COLLECTION, ID_FIELD
from connectors.xero.write import BASIS, LONGEST, clean, currency_rate, description, encode, line_item
from qualy_sync.contracts.accounting import (
    CREDITS,
    Change,
    NewAllocation,
    NewContact,
    NewDocument,
    RemoteContact,
    RemoteDocument,
    Remove,
    Status,
    Void,
    What,
    Write,
    kind_of,
    verb_of,
)
from qualy_sync.model import to_decimal


@dataclass(frozen=True, slots=True)
class Job:
    """A body that does not create, taken apart. `refs` are ours by the id of the record (in small letters)."""

    do: str
    what: What
    refs: Mapping[str, str]
    elements: list[dict[str, Any]]

    @property
    def wire(self) -> bytes:
        """What goes on the wire for a batch."""
        return encode({COLLECTION[self.what]: self.elements}).encode()


def body(batch: Sequence[Write]) -> bytes:
    """Raises ValueError for an empty or a mixed batch."""
    jobs = {("allocate" if isinstance(one, NewAllocation) else str(verb_of(one)), _family(one)) for one in batch}
    if len(jobs) != 1:
        raise ValueError("One call to Xero does one thing to records of one kind.")
    ((do, what),) = jobs
    if do in ("remove", "allocate") and len(batch) != 1:
        raise ValueError("Xero takes removals and allocations one by one.")
    refs = {_target(one): one.ref for one in batch}
    if len(refs) != len(batch):
        raise ValueError("One record is in the batch twice.")
    return encode({"do": do, "what": str(what), "refs": refs, "elements": [_element(one) for one in batch]}).encode()


def job(sent: bytes) -> Job | None:
    """The body as a job, None for one that creates."""
    content = loads(sent)
    if not isinstance(content, dict) or "do" not in content:
        return None
    return Job(content["do"], What(content["what"]), content["refs"], content["elements"])


def _family(element: Write) -> What:
    """One kind for all that shares an address."""
    what = kind_of(element)
    if what is What.BILL:
        return What.INVOICE
    return What.CREDIT_NOTE if what in CREDITS else what


def _target(element: Write) -> str:
    if isinstance(element, NewAllocation):
        return same(element.note_id)
    if isinstance(element, Change | Void | Remove):
        return same(element.there.id)
    raise ValueError("A record that is created has no id.")


def _element(element: Write) -> dict[str, Any]:
    if isinstance(element, Change):
        if isinstance(element.new, NewDocument) and isinstance(element.there, RemoteDocument):
            return _changed_document(element.new, element.there)
        if isinstance(element.new, NewContact) and isinstance(element.there, RemoteContact):
            return _changed_contact(element.new, element.there)
        raise ValueError("A record is changed into one of its own kind.")
    if isinstance(element, Void):
        gone = "VOIDED" if element.there.status in (Status.AUTHORISED, Status.PAID) else "DELETED"
        return {ID_FIELD[element.there.what]: element.there.id, "Status": gone}
    if isinstance(element, Remove):
        return {"PaymentID": element.there.id, "Status": "DELETED"}
    if isinstance(element, NewAllocation):
        return {
            "CreditNoteID": element.note_id,
            "Amount": to_decimal(element.amount, element.currency),
            "Date": element.date.isoformat(),
            "Invoice": {"InvoiceID": element.document_id},
        }
    raise ValueError("A record that is created is no change.")


def as_read(new: NewDocument) -> NewDocument:
    """A document as it reads back: texts are cleaned; a credit note has no due date."""
    lines = tuple(replace(line, description=description(line)) for line in new.lines)
    return replace(new, lines=lines, due_date=None if new.what in CREDITS else new.due_date)


def _changed_document(new: NewDocument, there: RemoteDocument) -> dict[str, Any]:
    """Only what differs is sent, so that all else stays as it is."""
    new = as_read(new)
    fields: dict[str, Any] = {ID_FIELD[there.what]: there.id}
    if new.contact_id != there.contact_id:
        fields["Contact"] = {"ContactID": new.contact_id}
    if new.date != there.date:
        fields["Date"] = new.date.isoformat()
    if new.due_date is not None and new.due_date != there.due_date:
        fields["DueDate"] = new.due_date.isoformat()
    if not _same_lines(new, there):
        fields["LineAmountTypes"] = BASIS[new.basis]
        pairs = zip(new.lines, matched(new.lines, there.lines or ()), strict=True)
        fields["LineItems"] = [rest_of(line) | line_item(one, new.currency) for one, line in pairs]
        if there.rest and new.date == there.date:  # a change of lines was seen to reset a foreign document's rate
            fields["CurrencyRate"] = loads(there.rest.encode())
    fields |= currency_rate(new.rate)  # of its new day, where the tool does not fill it in
    if len(fields) == 1:
        fields["Date"] = new.date.isoformat()  # nothing differs: what is there is said once more
    return fields


def _same_lines(new: NewDocument, there: RemoteDocument) -> bool:
    if there.lines is None or there.basis is not new.basis:
        return False
    return [(one.description, one.amount, one.account, one.tax) for one in new.lines] == [
        (one.description, one.amount, one.account, one.tax) for one in there.lines
    ]


def _changed_contact(new: NewContact, there: RemoteContact) -> dict[str, Any]:
    fields = {
        "ContactID": there.id,
        "Name": clean(new.name, LONGEST["name"]),
        "EmailAddress": new.email.strip(),
        "FirstName": clean(new.first_name, LONGEST["name"]),
        "LastName": clean(new.last_name, LONGEST["name"]),
    }
    return {name: value for name, value in fields.items() if value}
