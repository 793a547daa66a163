"""What a tool and its organisation are: limits, ways, gaps, lock dates, chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from .kinds import Ability, Verb, What

ALONE: tuple[frozenset[What], ...] = (frozenset({What.INVOICE, What.BILL}),)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the tool can bear: elements per batch by kind, and the times of the write protocol.

    `per_call` counts elements of one batch (one `send`) by kind; a kind that is missing goes one by one. `changes`
    is the same for changes, voids and removals. A tool whose API takes one element per request gives the number of
    requests that it may have in flight: `send` then makes one request per element, all at once, and answers when
    each of them was (see `AccountingTool.send`).

    `together` names the kinds that may share a batch (a kind in none goes alone); `mixes_verbs`: creates and changes
    may share one too.

    `replay` is how long the same key and bytes may be sent again from the first send on; zero: the tool gives no such
    guard, a body is sent once and then looked for, never sent again.

    `settle` is Q: how long after the last send a complete search that finds nothing is believed; `settle_by` where a
    kind needs longer. `two_absences` names kinds for which that search has to find nothing twice, the second time at
    least Q after the first. Where the tool answers with tickets (`Accepted`), `ticket_after` is how long after the
    send single tickets are asked for what a search did not find.
    """

    per_call: Mapping[What, int]
    replay: timedelta
    settle: timedelta
    settle_by: Mapping[What, timedelta] = field(default_factory=lambda: MappingProxyType({}))
    two_absences: frozenset[What] = frozenset()
    changes: Mapping[What, int] = field(default_factory=lambda: MappingProxyType({}))
    together: Sequence[frozenset[What]] = ALONE
    mixes_verbs: bool = False
    ticket_after: timedelta = timedelta(seconds=90)
    reads_per_page: int = 1000

    def q(self, what: What) -> timedelta:
        """Q of a kind."""
        return max(self.settle, self.settle_by.get(what, self.settle))

    def most(self, what: What, verb: Verb = Verb.CREATE) -> int:
        """How many elements one batch may have."""
        return max(1, (self.per_call if verb is Verb.CREATE else self.changes).get(what, 1))

    def company(self, what: What, verb: Verb = Verb.CREATE) -> str:
        """Elements for which this is the same may share a batch."""
        kinds = next((sorted(some) for some in self.together if what in some), [what])
        return f"{kinds[0]}:{'any' if self.mixes_verbs else verb}"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a tool goes about things where tools differ. The plan asks these, never who the tool is.

    `reads`: by which kind's `changed` the records of each kind come (several kinds may come by one); a kind that is
    missing is one that the tool does not have. `separate_parties`: customers and suppliers are records of two kinds;
    a person who is both has two, with two names (names are unique across both). `currency_per_contact`: a contact has
    one currency for good, so that links of contacts are per currency (`NewContact.currency`,
    `RemoteContact.currency`; the link's variant). `refund_alone`: money given back is one document with lines
    (`NewRefund.lines`) and no credit note goes with it; else a credit note is made first and the refund names it
    (`NewRefund.note_id`). `allocations_on_note`: an allocation has no ref in the tool and is seen on its credit note
    alone (`RemoteDocument.allocations` is then complete), else it is found by its ref. `asks_document`: contacts
    carry a tax number and the kind of person. `latin_1`: countries whose organisations
    keep no text outside Latin-1.
    """

    reads: Mapping[What, What]
    separate_parties: bool = False
    currency_per_contact: bool = False
    refund_alone: bool = False
    allocations_on_note: bool = False
    asks_document: bool = False
    latin_1: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the tool cannot do, said by `check` before the first write and by every report.

    `ability` names what the core must not ask of it; None where the sentence is only for people.
    """

    subject: str
    sentence: str
    ability: Ability | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """The one organisation a connection reaches. Lock dates are inclusive.

    `closed_until` is the lock that the user's settings name; a connector leaves it empty, the core fills it in.
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
    """What a mapping may name, by the tool's code or id: an account (or category), or an item that posts to one.

    `kind` is the tool's word in lower case; `takes_payments`: settlements may use it. Of an item that lines post
    through, the flags are those of the account it posts to, and `posts_to` is that account as people read it.
    `sales`, `purchases`: lines of such documents may name it.
    """

    code: str
    name: str
    kind: str
    active: bool
    takes_payments: bool
    liability: bool
    income: bool
    expense: bool
    currency: str | None = None
    sales: bool = True
    purchases: bool = True
    posts_to: str = ""


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


@dataclass(slots=True)
class Quota:
    """What the tool's last answer said is left; None where it said nothing."""

    minute: int | None = None
    day: int | None = None
    wait_until: datetime | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection points, as plain values. `secret` values never appear in a repr."""

    url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    login: str = ""
    password: str = field(default="", repr=False)
