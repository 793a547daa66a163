"""What a CRM or audience tool must offer, its limits as data, and the values that cross the border.

A contact is what it says: `values`, text by the tool's own name of the field, "" where it says nothing. A connector
translates and transports, and decides nothing: which side wins, who is matched with whom and what is never touched is
the core's to say. Replies to writes use the words of `contracts.accounting`: answered, not sent, unanswered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from qualy_sync.contracts.accounting import Declined, Gap, NotSent, Quota, RejectedWhole, Unanswered

Values = Mapping[str, str]


class Act(StrEnum):
    """The two ways of writing. A tool never decides between them by itself."""

    CREATE = "create"
    UPDATE = "update"


class Form(StrEnum):
    """What the text of a field stands for: two texts of one meaning are equal (" A@x.org" and "a@x.org")."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    BOOL = "bool"


# -- what the tool is ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CrmLimits:
    """What the tool can bear: records per write and per read by key, and the times of the write protocol.

    `settle` is Q: how long after the last send a clean read that finds nothing is believed. `index_lag`: what was
    written so shortly ago may be missing from `changed`, so that each window overlaps the one before.
    """

    per_write: int
    per_read: int
    settle: timedelta
    index_lag: timedelta = timedelta(0)
    longest_text: int = 65536


@dataclass(frozen=True, slots=True)
class Account:
    """The one account (portal, audience) that a connection reaches.

    `contact_page`: where a person finds a contact, an address with {id}; "" for a stand-in, which has no such page.
    """

    id: str
    name: str
    stand_in: bool = False
    contact_page: str = ""


@dataclass(frozen=True, slots=True)
class Property:
    """A field of the tool's contacts. `options`: the only values it takes, where it is a choice."""

    name: str
    label: str
    form: Form = Form.TEXT
    group: str = ""
    unique: bool = False
    writable: bool = True
    options: frozenset[str] = frozenset()


# -- what is there ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as the tool has it, with the values that were asked for.

    `emails` are every address that leads to it, lower-cased, its own first. `was` are ids that were merged into it.
    `tags` and `standing` (the tool's word for a member's consent) are empty where a tool has none.
    """

    id: str
    values: Values
    emails: tuple[str, ...]
    updated_at: datetime
    archived: bool = False
    was: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    standing: str = ""

    @property
    def email(self) -> str:
        """Its own address, "" where it has none."""
        return self.emails[0] if self.emails else ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A hint: this contact changed at this moment of the tool's time (None where it does not say when)."""

    id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page, and where the next one begins ("": it was the last)."""

    contacts: tuple[Contact, ...]
    after: str


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """A page, and where the next one begins ("": it was the last)."""

    changed: tuple[Changed, ...]
    after: str


# -- what is written ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to create. `ref` is what the answer is matched by: Qualy's id, unique in a batch.

    `values` hold no empty ones. `tags_on` are given besides, where the tool has tags.
    """

    ref: str
    email: str
    values: Values
    tags_on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """Changed values of a contact, those alone; "" empties a field. `id` is the tool's."""

    ref: str
    id: str
    email: str
    values: Values
    tags_on: frozenset[str] = frozenset()
    tags_off: frozenset[str] = frozenset()


Write = NewContact | Change


@dataclass(frozen=True, slots=True)
class Done:
    """The contact was written; `contact` is how the tool answered it, with every value that was sent.

    `created` is False where a create found the contact there.
    """

    ref: str
    contact: Contact
    created: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """A well-formed answer: one result per matched element. Refs that were sent and are not in it are unknown, or,
    for changes, contacts that are no longer there under that id: they are read again.

    Codes of `Declined`: duplicate_there (the address or the ref belongs to another contact), removed_there,
    invalid, consent_withdrawn, not_allowed, unreachable (busy, later).
    """

    results: tuple[Done | Declined, ...]


Reply = Answered | RejectedWhole | NotSent | Unanswered


class CrmTool(Protocol):
    """One CRM or audience tool, bound to one connection. Reads raise `contracts.errors`; writes answer a `Reply`."""

    id: str
    title: str
    email_field: str
    key_field: str
    limits: CrmLimits
    gaps: Sequence[Gap]
    quota: Quota

    def account(self) -> Account:
        """The account, read now (one call)."""
        ...

    def properties(self) -> Mapping[str, Property]:
        """Every field that contacts have there, by name."""
        ...

    def create_properties(self, wanted: Sequence[Property]) -> None:
        """Makes fields that are not there, in their group. Raises Refused where the connection may not."""
        ...

    def contacts(self, names: Sequence[str], *, archived: bool = False, after: str = "") -> ContactPage:
        """One page of the whole list, with these values. `archived`: those in the recycle bin instead."""
        ...

    def changed(self, since: datetime, *, after: str = "") -> ChangedPage:
        """One page of the contacts that changed since (the tool's time). It is a hint, and may lag by
        `limits.index_lag`: they are read again. Contacts that were archived or erased are not among them."""
        ...

    def by_id(self, ids: Sequence[str], names: Sequence[str], *, archived: bool = False) -> Sequence[Contact]:
        """Contacts by the tool's ids; one that was merged away is answered by the one that it went into (`was`). What
        is not there is left out."""
        ...

    def by_email(self, emails: Sequence[str], names: Sequence[str]) -> Sequence[Contact]:
        """Contacts by any of their addresses; what is not there is left out."""
        ...

    def by_key(self, refs: Sequence[str], names: Sequence[str]) -> Sequence[Contact]:
        """Contacts by the ref that they carry; what is not there is left out."""
        ...

    def body(self, act: Act, batch: Sequence[Write]) -> bytes:
        """The exact body of one batched write."""
        ...

    def send(self, act: Act, body: bytes) -> Reply:
        """Sends a body once, byte for byte. Never repeats by itself."""
        ...


# -- writing customers in Qualy -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as Qualy answered it, raw."""

    id: str
    content: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """Qualy kept it; `customer` is how it answered, None where it answered nothing but success."""

    customer: Customer | None


class CustomerWriter(Protocol):
    """Writes customers in Qualy, one at a time, where the settings name the paths (its public pages do not)."""

    def create(self, content: Mapping[str, object]) -> Saved | Declined | NotSent | Unanswered:
        """Creates a customer. Sent once, never repeated."""
        ...

    def update(self, record_id: str, content: Mapping[str, object]) -> Saved | Declined | NotSent | Unanswered:
        """Changes the named fields of a customer. Sent once, never repeated."""
        ...
