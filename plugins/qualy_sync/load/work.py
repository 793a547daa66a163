"""What a run works with: the ledger, the tool, the settings, and the ports that tests replace."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import sqlalchemy as sa

from qualy_sync.contracts import errors
from qualy_sync.contracts.accounting import AccountingTool, What
from qualy_sync.ledger import Ledger
from qualy_sync.ledger import books as keeping
from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.ledger.slices import tax_names
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Planned, Span, Terms
from qualy_sync.plan.values import record_of
from qualy_sync.settings import AccountingSettings, Settings

log = logging.getLogger("qualy_sync.load")

# Which legs each of the three loads writes, and as what.
GROUPS: Mapping[str, tuple[Leg, ...]] = {
    "contacts": (Leg.CONTACT, Leg.SUPPLIER),
    "documents": (Leg.INVOICE, Leg.BILL, Leg.CREDIT_NOTE, Leg.SUPPLIER_CREDIT),
    "settlements": (Leg.SETTLEMENT, Leg.PAY_OUT, Leg.ALLOCATION),
}
WRITES: Mapping[str, tuple[What, ...]] = {
    "contacts": (What.CONTACT,),
    "documents": (What.INVOICE, What.BILL, What.CREDIT_NOTE, What.SUPPLIER_CREDIT),
    "settlements": (What.SETTLEMENT, What.BILL_SETTLEMENT, What.REFUND, What.ALLOCATION),
}
# What has to be looked at before each load writes; credits only where something is credited, or once was.
_LOOKS: Mapping[str, tuple[What, ...]] = {
    "contacts": (What.CONTACT,),
    "documents": (What.INVOICE, What.BILL),
    "settlements": (What.INVOICE, What.BILL, What.SETTLEMENT, What.BILL_SETTLEMENT, What.REFUND),
}
_CREDITS = (What.CREDIT_NOTE, What.SUPPLIER_CREDIT, What.ALLOCATION)
CREDIT_LEGS = (Leg.CREDIT_NOTE, Leg.SUPPLIER_CREDIT, Leg.ALLOCATION)


class RunProblem(Exception):
    """The run cannot go on; the message says why and what to do. Nothing was sent that is not remembered."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a run may touch: all, some by Qualy id (`only`), what is dated from a day on, or exact steps."""

    only: frozenset[str] = frozenset()
    since: date | None = None
    keys: frozenset[Key] | None = None

    def allows(self, planned: Planned) -> bool:
        if self.keys is not None and record_of(planned.key) not in self.keys:
            return False
        if self.only and planned.leg is not Leg.SUPPLIER:
            # A contact is written for any payment that is asked for; a supplier for any bill that is planned.
            related = planned.leg is Leg.CONTACT or bool({planned.source_id, planned.payment_id} & self.only)
            if not related and planned.owner not in self.only:
                return False
        if self.since is not None and planned.step is not None:
            day = planned.step.facts.get("date")
            return day is None or str(day) >= self.since.isoformat()
        return True

    def pick(self, planned: Iterable[Planned]) -> list[Planned]:
        """Those that the run may touch. From a day on, a contact is made for what is dated so, and for nothing else."""
        mine = [one for one in planned if self.allows(one)]
        if self.since is None:
            return mine
        needed = {one.step.needs for one in mine if one.step is not None}
        return [one for one in mine if one.leg is not Leg.CONTACT or one.step is None or one.key in needed]

    @property
    def everything(self) -> bool:
        return not self.only and self.since is None and self.keys is None


@dataclass(slots=True)
class Work:
    """One run's tools. `sleep` waits; `checkpoint` is called at each named point of the write protocol.

    `closing` reads the closing date of the settings anew, since somebody may set it while a run works.
    """

    ledger: Ledger
    tool: AccountingTool
    settings: Settings
    accounting: AccountingSettings
    book: int
    run: int
    pin: int
    payment_link: str = ""
    sleep: Callable[[float], None] = time.sleep
    checkpoint: Callable[[str], None] = lambda name: None
    filter: Filter = field(default_factory=Filter)
    stop_writing: str = ""
    again: bool = False  # a person asked for a further try of what the tool refused
    closing: Callable[[], date | None] | None = None
    reapply: Span | None = None

    def closed_until(self) -> date | None:
        """The user's own closing date as it is now."""
        return self.closing() if self.closing is not None else self.accounting.closed_until

    def settle(self, what: What) -> timedelta:
        """Q of the write protocol: how long after the last send a complete search that finds nothing is believed."""
        return max(self.tool.limits.q(what), timedelta(minutes=self.accounting.pace.settle_minutes))

    @property
    def longest_settle(self) -> timedelta:
        """The longest Q of any kind."""
        return max(self.settle(what) for what in What)

    @property
    def replay(self) -> timedelta:
        """How long after the first send the tool surely still remembers a key."""
        return min(self.tool.limits.replay, timedelta(minutes=self.accounting.pace.resend_minutes))

    def terms(self) -> Terms:
        """The terms as the ledger knows them now. Raises RunProblem before the organisation was ever read."""
        organisation = keeping.get_organisation(self.ledger, self.book)
        chart = keeping.get_chart(self.ledger, self.book)
        if organisation is None or chart is None:
            raise RunProblem("The organisation was never read; run the check task first.")
        return Terms(
            settings=self.settings,
            accounting=self.accounting,
            organisation=replace(organisation, closed_until=self.closed_until()),
            reapply=self.reapply,
            today=self.ledger.now().astimezone(organisation.zone).date(),
            chart=chart[0],
            tool=self.tool.id,
            title=self.tool.title,
            totals=self.tool.totals,
            contact_name=self.tool.contact_name,
            taxes=tax_names(self.ledger, self.pin),
            payment_link=self.payment_link,
            stop_writing=self.stop_writing,
            as_read=self.tool.as_read,
            ways=self.tool.ways,
            gaps={gap.ability: gap.sentence for gap in self.tool.gaps if gap.ability is not None},
        )

    def reads(self, group: str) -> tuple[What, ...]:
        """What is read before a load writes: the kinds that the tool is asked for."""
        kinds = _LOOKS[group] + (_CREDITS if group != "contacts" and self._credits() else ())
        return self._asked_for(kinds)

    @property
    def everything(self) -> tuple[What, ...]:
        """All kinds that the tool is asked for."""
        return self._asked_for(tuple(What))

    def _asked_for(self, kinds: tuple[What, ...]) -> tuple[What, ...]:
        reads = self.tool.ways.reads
        return tuple(dict.fromkeys(reads[what] for what in kinds if what in reads))

    def _credits(self) -> bool:
        legs = [str(leg) for leg in CREDIT_LEGS]
        query = sa.select(current_outcomes.c.leg).where(
            current_outcomes.c.book == self.book, current_outcomes.c.leg.in_(legs)
        )
        with self.ledger.reading() as connection:
            return connection.execute(query.limit(1)).first() is not None


def tool_problem(error: errors.ToolError) -> Code:
    """The outcome of records that were not sent because of this error."""
    if isinstance(error, errors.OutOfQuota):
        return Code.OUT_OF_QUOTA
    if isinstance(error, errors.Reconnect):
        return Code.RECONNECT
    if isinstance(error, errors.Refused):
        return Code.NOT_ALLOWED
    return Code.UNREACHABLE
