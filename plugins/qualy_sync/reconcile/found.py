"""What a reconciliation can find, as values with a sentence for a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qualy_sync.model import Money


class Finding(StrEnum):
    """What is not as it should be."""

    NO_OUTCOME = "no_outcome"  # a record that nobody decided about
    NO_LINK = "no_link"
    MISSING_THERE = "missing_there"
    REMOVED_THERE = "removed_there"
    ARCHIVED_THERE = "archived_there"
    TOTAL = "total"
    NET = "net"
    TAX = "tax"
    CURRENCY = "currency"
    CONTACT = "contact"
    NUMBER = "number"
    DUE_DATE = "due_date"
    PAID = "paid"
    OUTSTANDING = "outstanding"
    CREDITED = "credited"
    AMOUNT = "amount"
    ACCOUNT = "account"
    DOCUMENT = "document"
    NOT_OURS = "not_ours"
    UNLINKED_THERE = "unlinked_there"
    DUPLICATE_THERE = "duplicate_there"
    LINKED_TWICE = "linked_twice"
    STATED_AMOUNT = "stated_amount"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree. `ours` and `theirs` in minor units of `currency`, where it is about money."""

    what: Finding
    leg: str
    source_id: str
    remote_id: str
    sentence: str
    currency: str = ""
    ours: int | None = None
    theirs: int | None = None


def money(minor: int, currency: str) -> str:
    """An amount in a sentence."""
    return str(Money(minor, currency)) if currency else str(minor)
