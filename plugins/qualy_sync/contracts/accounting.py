"""What an accounting tool must offer, its limits as data, and the values that cross the border.

A connector translates and transports, and decides nothing. Amounts are integers in minor units; dates are calendar
dates in the organisation's time zone; moments are aware UTC.
"""

from __future__ import annotations

import datetime as calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from qualy_sync.outcomes import Code


class What(StrEnum):
    """The kinds of thing that are written, in the order they have to be."""

    CONTACT = "contact"
    INVOICE = "invoice"
    BILL = "bill"
    SETTLEMENT = "settlement"


class Basis(StrEnum):
    """Whether line amounts hold their tax."""

    INCLUSIVE = "tax_inclusive"
    EXCLUSIVE = "tax_exclusive"


class Status(StrEnum):
    """A document's or settlement's status, in words that every tool's can be put into."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"


GONE = frozenset({Status.VOIDED, Status.DELETED})


# -- what the tool is ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What the tool can bear: records per call by kind, and the times of the write protocol.

    `replay` is how long the same key and bytes may be sent again from the first send on (zero: never). `settle` is Q:
    how long after the last send a complete search that finds nothing is believed. `two_absences` names kinds for
    which that search has to find nothing twice, the second time at least `settle` after the first.
    """

    per_call: Mapping[What, int]
    replay: timedelta
    settle: timedelta
    two_absences: frozenset[What] = frozenset()
    reads_per_page: int = 1000


@dataclass(frozen=True, slots=True)
class Organisation:
    """The one organisation a connection reaches. Lock dates are inclusive.

    `closed_until` is the user's own closing date, from the settings; no connector fills it.
    """

    id: str
    name: str
    base_currency: str
    zone: ZoneInfo
    country: str
    period_lock: date | None = None
    year_end_lock: date | None = None
    stand_in: bool = False
    closed_until: date | None = None

    @property
    def lock_date(self) -> date | None:
        """The latest of them: dates on or before it are locked."""
        dates = [day for day in (self.period_lock, self.year_end_lock, self.closed_until) if day]
        return max(dates) if dates else None


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart. `kind` is the tool's word in lower case; `takes_payments`: settlements may use it."""

    code: str
    name: str
    kind: str
    active: bool
    takes_payments: bool
    liability: bool
    income: bool
    expense: bool
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A tax code. `rate` in units of one ten-thousandth of a percent (10 % = 100_000), so that no float is needed."""

    code: str
    name: str
    rate: int
    active: bool
    sales: bool
    purchases: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """What documents may refer to. `posts_behind_lock`: the connection's user could post into a locked period."""

    accounts: Mapping[str, Account]
    taxes: Mapping[str, TaxCode]
    currencies: frozenset[str]
    posts_behind_lock: bool | None = None


# -- what is written ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to create. `ref` is the key that the tool carries (WRITE-PROTOCOL: 19 to 21 characters)."""

    ref: str
    name: str
    email: str
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: `amount` in minor units with or without tax by the document's basis; negative lines are discounts."""

    description: str
    amount: int
    account: str
    tax: str


@dataclass(frozen=True, slots=True)
class NewDocument:
    """An invoice or bill to create. `contact_id` is the tool's id; `number` is what people read (bills: the ref)."""

    what: What
    ref: str
    number: str
    contact_id: str
    currency: str
    date: calendar.date
    due_date: calendar.date
    status: Status
    basis: Basis
    lines: tuple[Line, ...]
    link: str = ""


@dataclass(frozen=True, slots=True)
class NewSettlement:
    """Money to apply to a document. `amount` in minor units of the document's currency."""

    ref: str
    document_id: str
    account: str
    date: calendar.date
    amount: int
    currency: str


New = NewContact | NewDocument | NewSettlement


@dataclass(frozen=True, slots=True)
class Totals:
    """Net, tax and total of a document, minor units."""

    net: int
    tax: int
    total: int


# -- what is there ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RemoteContact:
    """A contact as the tool has it. `ref` is the number that we gave it, empty for somebody else's."""

    id: str
    ref: str
    name: str
    email: str
    active: bool
    merged_into: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteDocument:
    """An invoice or bill as the tool has it; amounts in minor units. `ref` and `number` as the tool carries them."""

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


@dataclass(frozen=True, slots=True)
class RemoteSettlement:
    """Money applied to a document, as the tool has it."""

    id: str
    ref: str
    document_id: str
    account: str
    currency: str
    amount: int
    date: calendar.date
    status: Status
    reconciled: bool
    updated_at: datetime


Remote = RemoteContact | RemoteDocument | RemoteSettlement


# -- what a write gives back --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """The element was created; `remote` is how the tool answered it."""

    ref: str
    remote: Remote


@dataclass(frozen=True, slots=True)
class Declined:
    """The element was refused and nothing was saved. `message` is the tool's own words, `code` our word for it.

    Codes: locked_there, duplicate_name, archived_contact, invalid, not_allowed, number_taken, currency_not_enabled,
    unmapped_account, unmapped_tax, awaiting_approval, paid_there (more than is due).
    """

    ref: str
    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A well-formed answer: one result per matched element. Refs that were sent and are not in it are unknown."""

    results: tuple[Done | Declined, ...]


@dataclass(frozen=True, slots=True)
class RejectedWhole:
    """A well-formed refusal of the whole batch (400): read back at once, then halve."""

    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was done: no connection, 401, 403, 404, 429. `error` says which, with its remedy and time."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Sent, with no readable answer: the fate of every element is unknown."""

    why: str


Reply = Answered | RejectedWhole | NotSent | Unanswered


@dataclass(slots=True)
class Quota:
    """What the tool's last answer said is left; None where it said nothing."""

    minute: int | None = None
    day: int | None = None
    wait_until: datetime | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the tool cannot do, said by `check` before the first write and by every report."""

    subject: str
    sentence: str


class AccountingTool(Protocol):
    """One accounting tool, bound to one connection. Reads raise `contracts.errors`; writes answer with a `Reply`."""

    id: str
    title: str
    limits: Limits
    gaps: Sequence[Gap]
    quota: Quota

    def organisation(self) -> Organisation:
        """The organisation and its lock dates, read now (one call)."""
        ...

    def chart(self) -> Chart:
        """Accounts, tax codes, enabled currencies, and what the connection may do."""
        ...

    def changed(self, what: What, since: datetime | None) -> Iterator[Sequence[Remote]]:
        """Pages of everything that changed since (or everything), every status. INVOICE gives bills too."""
        ...

    def find(self, what: What, refs: Sequence[str], since: datetime | None) -> Sequence[Remote]:
        """Records by our reference, every status: completely or not at all (raises).

        `since` bounds the search where the tool can only be searched by change (it starts before the first send).
        """
        ...

    def by_id(self, what: What, remote_ids: Sequence[str]) -> Sequence[Remote]:
        """Records by the tool's id, every status."""
        ...

    def body(self, batch: Sequence[New]) -> bytes:
        """The exact body of one batched create; all elements of one kind (invoices and bills may be mixed)."""
        ...

    def send(self, what: What, body: bytes, key: str) -> Reply:
        """Sends a body once, byte for byte, under an idempotency key. Never repeats by itself."""
        ...

    def totals(self, lines: Sequence[Line], basis: Basis, currency: str, chart: Chart) -> Totals:
        """Net, tax and total as the tool will compute them. Pure."""
        ...

    def contact_name(self, name: str, email: str, suffix: str = "") -> str:
        """`name` as the tool accepts it (length, characters), with a suffix that survives. Pure."""
        ...

    def document_url(self, remote_id: str, what: What) -> str:
        """Where a person finds the document in the tool."""
        ...


class TokenSource(Protocol):
    """Gives a valid access token; knows how to be told that one was refused."""

    def access_token(self) -> str: ...

    def refused(self, token: str) -> None:
        """The tool answered 401 to this token: the next call gives a fresh one or raises Reconnect."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection points, as plain values. `secret` values never appear in a repr."""

    url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    login: str = ""
    password: str = field(default="", repr=False)
