"""What a write gives back: the reply to a batch, and the fate of each element that was matched."""

from __future__ import annotations

from dataclasses import dataclass

from qualy_sync.contracts.errors import ToolError
from qualy_sync.outcomes import Code

from .remotes import Remote


@dataclass(frozen=True, slots=True)
class Done:
    """The element was done; `remote` is how the tool answered it (status VOIDED or DELETED of what was taken away).

    A tool that answers a change, void or removal with less than the record is read by id before this is said, or the
    element is left out (unknown).
    """

    ref: str
    remote: Remote


@dataclass(frozen=True, slots=True)
class Accepted:
    """The tool took the element and will make it later; `ticket` is what it can be asked by (`outcome_of`)."""

    ref: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The element was refused and nothing was saved. `message` is the tool's own words, `code` our word for it.

    Codes: locked_there, duplicate_name, archived_contact, invalid, not_allowed, number_taken, currency_not_enabled,
    unmapped_account, unmapped_tax, awaiting_approval, paid_there (more than is due, or money on what is to be
    changed or voided), reconciled_there, removed_there (the record to be changed is not there any more).
    """

    ref: str
    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """The record is not as it was read (the version moved); nothing was saved. It is read and compared first."""

    ref: str
    message: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """This element was surely not sent, or refused before anything was done (429, no connection), unlike others."""

    ref: str
    error: ToolError


Result = Done | Accepted | Declined | Conflict | Skipped


@dataclass(frozen=True, slots=True)
class Answered:
    """A well-formed answer: one result per matched element. Refs that were sent and are not in it are unknown."""

    results: tuple[Result, ...]


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


# -- what became of what was accepted ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pending:
    """The tool has not made it yet: it is never sent again while this is so."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The tool says that it did not make it, and why; nothing was saved."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Made:
    """The tool says that it made it; `remote` is what it made, None where that could not be found: a person looks."""

    remote: Remote | None


Fate = Pending | Failed | Made
