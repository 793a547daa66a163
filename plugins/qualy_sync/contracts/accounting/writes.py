"""What is written: the elements of a batch. Each has a ref, by which its result is told."""

from __future__ import annotations

import datetime as calendar
from dataclasses import dataclass
from decimal import Decimal

from .kinds import Basis, Party, Person, Status, Verb, What
from .remotes import RemoteContact, RemoteDocument, RemoteSettlement


@dataclass(frozen=True, slots=True)
class Rate:
    """Base units per one foreign unit, where it comes from (`tool`, `table`, `qualy`), and its day."""

    value: Decimal
    source: str
    date: calendar.date


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to create. `ref` is the key that the tool carries (WRITE-PROTOCOL: 19 to 21 characters).

    `party` is what it is needed for; a tool with one kind of record may make it both at once. `currency` is set only
    for tools with `Ways.currency_per_contact`; `document`, `person` and `country` (ISO 3166, two letters) only for
    those with `Ways.asks_document`.
    """

    ref: str
    name: str
    email: str
    first_name: str = ""
    last_name: str = ""
    party: Party = Party.CUSTOMER
    currency: str = ""
    document: str = ""
    person: Person | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: `amount` in minor units with or without tax by the document's basis; negative lines are discounts.

    `account` is what the mapping names: a key of `Chart.accounts`.
    """

    description: str
    amount: int
    account: str
    tax: str


@dataclass(frozen=True, slots=True)
class NewDocument:
    """An invoice, bill or credit to create. `contact_id` is the tool's id; `number` is what people read.

    Of bills and credits the number is the ref; credits have no due date. Amounts of credits are positive: the kind
    says which way they go; `of_id` is then the id of the document that is credited, for tools that want to know.
    `rate` is None in the base currency, and where the tool fills it in.
    """

    what: What
    ref: str
    number: str
    contact_id: str
    currency: str
    date: calendar.date
    due_date: calendar.date | None
    status: Status
    basis: Basis
    lines: tuple[Line, ...]
    link: str = ""
    rate: Rate | None = None
    of_id: str = ""


@dataclass(frozen=True, slots=True)
class NewSettlement:
    """Money to apply to an invoice or bill (`of`). `amount` in minor units of the document's currency."""

    ref: str
    document_id: str
    account: str
    date: calendar.date
    amount: int
    currency: str
    of: What = What.INVOICE
    contact_id: str = ""
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class NewRefund:
    """Money to give back. With `note_id`: of that credit note. Without: a document with `lines` of its own.

    `lines` and `basis` are always those of what is given back, so that a tool with `Ways.refund_alone` can use them.
    """

    ref: str
    note_id: str
    contact_id: str
    account: str
    date: calendar.date
    amount: int
    currency: str
    basis: Basis
    lines: tuple[Line, ...]
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class NewAllocation:
    """Credit of a note to apply to the unpaid part of a document of the same contact and currency."""

    ref: str
    note_id: str
    document_id: str
    contact_id: str
    date: calendar.date
    amount: int
    currency: str
    of: What = What.INVOICE


@dataclass(frozen=True, slots=True)
class Change:
    """The fields that we own brought to `new`; `there` is the record as it was read just before.

    Whatever of `there` we do not own goes back as it is, or is not sent at all, whichever leaves it as it was. The
    tool's own compare-and-set is used with `there.version`, where there is one. The number is never changed.
    """

    ref: str
    there: RemoteDocument | RemoteContact
    new: NewDocument | NewContact


@dataclass(frozen=True, slots=True)
class Void:
    """A document of ours to be voided (deleted, where it is a draft or the tool has only that)."""

    ref: str
    there: RemoteDocument


@dataclass(frozen=True, slots=True)
class Remove:
    """A settlement of ours to be taken back, so that its document is open again."""

    ref: str
    there: RemoteSettlement


New = NewContact | NewDocument | NewSettlement | NewRefund | NewAllocation
Write = New | Change | Void | Remove


def verb_of(element: Write) -> Verb:
    """What an element does."""
    if isinstance(element, Change):
        return Verb.CHANGE
    if isinstance(element, Void):
        return Verb.VOID
    return Verb.REMOVE if isinstance(element, Remove) else Verb.CREATE


def kind_of(element: Write) -> What:
    """What an element is about."""
    if isinstance(element, NewDocument):
        return element.what
    if isinstance(element, NewSettlement):
        return What.SETTLEMENT if element.of is What.INVOICE else What.BILL_SETTLEMENT
    if isinstance(element, Remove):
        return What.SETTLEMENT if element.there.of is What.INVOICE else What.BILL_SETTLEMENT
    if isinstance(element, Change | Void):
        return element.there.what if isinstance(element.there, RemoteDocument) else What.CONTACT
    if isinstance(element, NewRefund):
        return What.REFUND
    return What.ALLOCATION if isinstance(element, NewAllocation) else What.CONTACT


@dataclass(frozen=True, slots=True)
class Totals:
    """Net, tax and total of a document, minor units."""

    net: int
    tax: int
    total: int
