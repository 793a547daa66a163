"""What is there: the tool's records as last read."""

from __future__ import annotations

import datetime as calendar
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .kinds import Basis, Party, Status, What


@dataclass(frozen=True, slots=True)
class RemoteContact:
    """A contact as the tool has it. `ref` is the number that we gave it, empty for somebody else's.

    `currency` only where a contact has one for good; `document` is its tax number, digits and letters alone.
    """

    id: str
    ref: str
    name: str
    email: str
    active: bool
    merged_into: str
    updated_at: datetime
    party: Party = Party.ANY
    currency: str = ""
    version: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class RemoteLine:
    """A line as the tool has it; `amount` in minor units of the document's basis.

    `rest` is the connector's own: whatever it needs to send the line back with the fields that we do not own exactly
    as they are (the line's id, tracking, class, …), as text. Nobody else reads it.
    """

    description: str
    amount: int
    account: str
    tax: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class RemoteAllocation:
    """Credit of a credit note applied to a document. `ref` where the tool carries one (else empty)."""

    id: str
    ref: str
    note_id: str
    document_id: str
    currency: str
    amount: int
    date: calendar.date
    status: Status
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteDocument:
    """A document as the tool has it; amounts in minor units. `ref` and `number` as the tool carries them.

    Of a credit, `credited` is what was allocated, `paid` what was given back, `due` what is left of it. A refund
    receipt (`Ways.refund_alone`) is a document of the kind REFUND, all paid. `version` is what the tool's own
    compare-and-set asks for (empty where it has none); `lines` and `basis` are what it holds, None where this
    reading did not show them; `rest` is the connector's own, like a line's. `allocations` are complete for credits
    of tools with `Ways.allocations_on_note`. `pays_from` is the account of a refund receipt.
    """

    id: str
    what: What
    ref: str
    number: str
    contact_id: str
    currency: str
    date: calendar.date
    due_date: calendar.date | None
    status: Status
    net: int
    tax: int
    total: int
    paid: int
    credited: int
    due: int
    updated_at: datetime
    url: str = ""
    version: str = ""
    basis: Basis | None = None
    lines: tuple[RemoteLine, ...] | None = None
    rest: str = ""
    allocations: tuple[RemoteAllocation, ...] = ()
    pays_from: str = ""


@dataclass(frozen=True, slots=True)
class RemoteSettlement:
    """Money applied to a document, as the tool has it.

    `of` is the kind of that document: INVOICE or BILL; CREDIT_NOTE or SUPPLIER_CREDIT where money was given back of
    one. One payment in the tool that settles several documents is one of these per document, each with an id of its
    own that `by_id` understands. `reconciled`: None where the tool cannot tell.
    """

    id: str
    ref: str
    document_id: str
    account: str
    currency: str
    amount: int
    date: calendar.date
    status: Status
    reconciled: bool | None
    updated_at: datetime
    of: What = What.INVOICE
    version: str = ""


Remote = RemoteContact | RemoteDocument | RemoteSettlement | RemoteAllocation


class _Line(Protocol):
    @property
    def description(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def account(self) -> str: ...
    @property
    def tax(self) -> str: ...


class Owned(Protocol):
    """A document's fields that are ours: whatever else it has is somebody else's and stays as it is."""

    @property
    def contact_id(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def date(self) -> calendar.date: ...
    @property
    def due_date(self) -> calendar.date | None: ...


def owned_hash(document: Owned, lines: tuple[_Line, ...]) -> str:
    """The hash of the fields that we own: contact, currency, dates, and the lines in their order.

    Computed the same way of what was sent (as `AccountingTool.as_read` says it reads back) and of what is there, so
    that an edit in the tool is told from an edit of Qualy's. Number, ref and status are not in it.
    """
    rows = [[line.description, line.amount, line.account, line.tax] for line in lines]
    due = document.due_date.isoformat() if document.due_date else ""
    content = [document.contact_id, document.currency, document.date.isoformat(), due, rows]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
