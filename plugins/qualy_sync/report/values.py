"""What a report says, as plain values. Amounts in minor units; nothing here is formatted yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from qualy_sync.contracts.accounting import Gap
from qualy_sync.outcomes import Actor, Code, Group
from qualy_sync.reconcile import Completeness, Line

from .rules import Rules
from .troubles import Trouble


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller knows and the ledger does not: the tool's title, what it cannot do, where payments are found.

    `payment_link` is a template with {id}, an http or https address; empty where Qualy has no such page.
    """

    title: str = ""
    gaps: Sequence[Gap] = ()
    payment_link: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Whose books, as at when, under which rules."""

    tool: str
    organisation: str
    organisation_id: str
    base_currency: str
    country: str
    zone: ZoneInfo
    period_lock: date | None
    year_end_lock: date | None
    closed_until: date | None
    stand_in: bool
    settings_version: str
    run: int
    started_at: datetime | None
    made_at: datetime
    tool_read_at: datetime | None
    source_read_at: datetime | None

    @property
    def lock_date(self) -> date | None:
        """The latest of the lock dates, the user's own included: days up to it are locked."""
        days = [day for day in (self.period_lock, self.year_end_lock, self.closed_until) if day]
        return max(days) if days else None

    @property
    def today(self) -> date:
        return self.made_at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Count:
    """Records of one leg with one outcome, and how much they are in one currency."""

    leg: str
    code: Code
    currency: str
    records: int
    amount: int


@dataclass(slots=True)
class Agreed:
    """Booked documents of one kind and currency: what was agreed on, and what the tool shows."""

    kind: str
    currency: str
    documents: int = 0
    ours: dict[str, int] = field(default_factory=dict)
    theirs: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, ours: int, theirs: int) -> None:
        self.ours[name] = self.ours.get(name, 0) + ours
        self.theirs[name] = self.theirs.get(name, 0) + theirs


@dataclass(frozen=True, slots=True)
class Month:
    """Whether an accounting month can be closed, and what stands in the way."""

    month: str
    state: str  # locked, closable, open, running
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into an accounting month since the last report."""

    month: str
    leg: str
    currency: str
    how: str
    records: int
    amount: int
    behind_lock: bool


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Outstanding on our invoices in one currency, by days overdue."""

    currency: str
    documents: int
    by_age: Mapping[str, int]

    @property
    def amount(self) -> int:
        return sum(self.by_age.values())


@dataclass(frozen=True, slots=True)
class Balance:
    """One account in one currency. Clearing: what settlements brought. Pass-through: in by invoices, out by bills."""

    account: str
    name: str
    currency: str
    came: int
    went: int
    by_month: Mapping[str, int]

    @property
    def balance(self) -> int:
        return self.came - self.went


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Booked invoices whose partners' bills are not, in one currency."""

    currency: str
    invoices: int
    bills: int
    amount: int
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToRecode:
    """A document that posts to a suspense account until somebody recodes it in the tool. `amount`: net, on those."""

    leg: str
    source_id: str
    number: str
    accounts: tuple[str, ...]
    currency: str
    amount: int
    date: date
    tool_url: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record that is not in step."""

    leg: str
    source_id: str
    payment_id: str
    number: str
    code: Code
    group: Group
    actor: Actor
    reason: str
    remedy: str
    currency: str
    amount: int
    month: str
    since: datetime
    source_url: str
    tool_url: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference that the reconciliation found."""

    what: str
    leg: str
    source_id: str
    remote_id: str
    currency: str
    ours: int | None
    theirs: int | None
    sentence: str
    tool_url: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the page tells, apart from the long lists."""

    head: Head
    counts: Sequence[Count]
    done: Sequence[Count]
    troubles: Sequence[Trouble]
    lines: Sequence[Line]
    agreed: Sequence[Agreed]
    months: Sequence[Month]
    written: Sequence[Written]
    since: datetime | None
    unpaid: Sequence[Unpaid]
    unbilled: Sequence[Unbilled]
    clearing: Sequence[Balance]
    to_recode: Sequence[ToRecode]
    pass_through: Sequence[Balance] | None  # None: the documents do not say which accounts they post to
    proof: Completeness
    differences: int
    gaps: Sequence[Gap]
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, slots=True)
class UnequalField:
    """A field of a customer that is not the same on both sides; `reason` is a word of the merge."""

    qualy_id: str
    contact_id: str
    field: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class CustomerStory:
    """A run over customers, without its long lists. `tasks`: what each task counted; `unequal`: fields by reason."""

    head: Head
    counts: Sequence[Count]
    tasks: Mapping[str, Mapping[str, int]]
    troubles: Sequence[Trouble]
    unequal: Mapping[str, int]
    gaps: Sequence[Gap]
