"""What an audience tool (newsletters, campaigns) must offer beyond a CRM tool.

A member's standing is the person's consent, and theirs alone: no write here can carry it but for somebody new. Few
writes are sent one by one (`send` of `contracts.crm`), many are handed over at once and done by the tool in its own
time, in no promised order: so a body that is started holds at most one operation per member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from qualy_sync.contracts.accounting import NotSent, RejectedWhole, Unanswered

from .crm import Answered, ContactPage, CrmTool


@dataclass(frozen=True, slots=True)
class Started:
    """The tool took the operations in, and answers under this ticket later."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the operations of a ticket are. `results` is where their answers are, for a short time."""

    ticket: str
    finished: bool
    operations: int
    done: int
    failed: int
    results: str = field(default="", repr=False)

    @property
    def all_went_well(self) -> bool:
        return self.finished and self.failed == 0 and self.done == self.operations


class AudienceTool(CrmTool, Protocol):
    """One audience. Consent refusals are `Declined` with consent_withdrawn; such members are left in peace."""

    withdrawn: frozenset[str]
    """Standings of members who said no, or cannot be reached any more: nothing is ever written to them."""
    per_start: int
    """Most operations of one `start`."""

    def changed_contacts(
        self, since: datetime | None, names: Sequence[str], *, archived: bool = False, after: str = ""
    ) -> ContactPage:
        """One page of the members that changed since (the tool's time), whole. `archived`: those alone."""
        ...

    def start(self, body: bytes) -> Started | RejectedWhole | NotSent | Unanswered:
        """Hands a body (of `body`) over, to be done in the tool's own time."""
        ...

    def progress(self, tickets: Sequence[str]) -> Mapping[str, Progress]:
        """How far these are, in as few calls as can be; what the tool no longer knows is left out."""
        ...

    def results(self, body: bytes, progress: Progress) -> Answered:
        """What became of each write of a finished body. Raises `contracts.errors`; what it leaves out is unknown."""
        ...
