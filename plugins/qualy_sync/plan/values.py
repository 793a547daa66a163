"""What a plan is made from, and what it is made of. Plain values: planning does no input or output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from qualy_sync.contracts.accounting import (
    Ability,
    Basis,
    Chart,
    Line,
    NewDocument,
    Organisation,
    Remote,
    RemoteAllocation,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Totals,
    Verb,
    Ways,
    What,
    Write,
)
from qualy_sync.ledger.attempts import Link, step_key
from qualy_sync.ledger.decisions import Decision
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Kind, Leg, Payment, Split, SplitIntent, Transaction
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import AccountingSettings, Settings

Key = tuple[str, ...]  # (leg, source id), and the variant where a record stands in the tool more than once
AS_CUSTOMER = "customer"  # of a partner's contacts, those for what it is sold
PARTY = {Kind.CUSTOMER: "customer", Kind.PARTNER: "partner"}
MOST_MERGES = 5  # of one contact after the other; more is a circle
LARGEST = 10**15  # minor units: more is a slip in any currency, and would not fit every database
ComputeTotals = Callable[[Sequence[Line], Basis, str, Chart], Totals]
ContactName = Callable[[str, str, str], str]
AsRead = Callable[[NewDocument], NewDocument]


def _as_sent(new: NewDocument) -> NewDocument:
    return new


@dataclass(frozen=True, slots=True)
class Span:
    """Days from one to another, both included."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for the whole run: settings, organisation, and the tool's own ways."""

    settings: Settings
    accounting: AccountingSettings
    organisation: Organisation
    chart: Chart
    tool: str
    title: str
    totals: ComputeTotals
    contact_name: ContactName
    taxes: Mapping[str, str]  # Qualy's taxes: id to name
    payment_link: str = ""  # where a payment is found in Qualy: a template with {id}
    today: date | None = None  # where the organisation is
    reapply: Span | None = None  # documents of these days are made out anew under the settings of now
    stop_writing: str = ""  # why nothing may be written in this run, if so
    as_read: AsRead = _as_sent
    ways: Ways = field(default_factory=lambda: Ways(reads={}, allocations_on_note=True))
    gaps: Mapping[Ability, str] = field(default_factory=dict)  # what the tool cannot do, and why

    def cannot(self, ability: Ability, thing: str, steps: str) -> Outcome | None:
        """What is to be said where the tool cannot do it: the reason, and what to do in the tool by hand."""
        if ability not in self.gaps:
            return None
        return self.say(Code.NEEDS_DECISION, thing, problem=self.gaps[ability], steps=steps)

    def can(self, ability: Ability) -> bool:
        """Whether the tool can do something: it can, unless a gap of its names it."""
        return ability not in self.gaps

    def variant(self, leg: Leg, currency: str, *, sold: bool = False) -> str:
        """Which of a person's contacts a document needs: that of its currency, where a contact has one for good.

        `sold`: it is a sale. A partner is a supplier; one who is invoiced is a customer as well, where those are apart.
        """
        named = currency if self.ways.currency_per_contact else ""
        if leg is not Leg.SUPPLIER or not self.ways.separate_parties:
            return named
        return f"{named} {AS_CUSTOMER}".strip() if sold else named or str(leg)

    def contact_key(self, leg: Leg, source_id: str, currency: str, *, sold: bool = False) -> Key:
        """The contact (or supplier) that a document in a currency hangs on."""
        return step_key(str(leg), source_id, self.variant(leg, currency, sold=sold))

    def say(self, code: Code, thing: str = "", /, **detail: object) -> Outcome:
        """An outcome with the tool's title in its sentence."""
        words = {name: str(value) for name, value in detail.items()}
        return Outcome(code, {"tool": self.title, "tool_id": self.tool} | words, thing)


@dataclass(frozen=True, slots=True)
class Pending:
    """An open attempt at a step: sent, and its fate unknown; `overdue` where it has been for longer than allowed."""

    until: datetime
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Frozen:
    """What an earlier attempt at a step has fixed for good: dates, number, name."""

    values: Mapping[str, Any]
    fate: str | None
    source_hash: str
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """The tool refused exactly this content: it is not sent again before something about it changed.

    `lock_date` is what the organisation was locked to then.
    """

    outcome: Outcome
    content_hash: str
    lock_date: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger and the mirror know about the records of a slice."""

    links: Mapping[Key, Link] = field(default_factory=dict)
    pending: Mapping[Key, Pending] = field(default_factory=dict)
    frozen: Mapping[Key, Frozen] = field(default_factory=dict)
    decisions: Mapping[Key, Decision] = field(default_factory=dict)
    refused_names: Mapping[Key, frozenset[str]] = field(default_factory=dict)  # contact names the tool refused
    refusals: Mapping[Key, Refusal] = field(default_factory=dict)
    shared: Mapping[tuple[Kind, str], int] = field(default_factory=dict)  # (kind, email) → how many
    contacts_by_id: Mapping[str, RemoteContact] = field(default_factory=dict)
    contacts_by_ref: Mapping[str, tuple[RemoteContact, ...]] = field(default_factory=dict)
    contacts_by_email: Mapping[str, tuple[RemoteContact, ...]] = field(default_factory=dict)
    contacts_by_name: Mapping[str, tuple[RemoteContact, ...]] = field(default_factory=dict)
    contact_links: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)  # remote id → who is linked to it
    documents_by_id: Mapping[str, RemoteDocument] = field(default_factory=dict)
    documents_by_ref: Mapping[str, tuple[RemoteDocument, ...]] = field(default_factory=dict)
    documents_by_number: Mapping[str, tuple[RemoteDocument, ...]] = field(default_factory=dict)
    documents_by_contact: Mapping[str, tuple[RemoteDocument, ...]] = field(default_factory=dict)
    settlements_by_ref: Mapping[str, tuple[RemoteSettlement, ...]] = field(default_factory=dict)
    settlements_by_document: Mapping[str, tuple[RemoteSettlement, ...]] = field(default_factory=dict)
    linked_documents: frozenset[str] = frozenset()  # remote ids of documents that a link already stands for
    allocations_by_ref: Mapping[str, tuple[RemoteAllocation, ...]] = field(default_factory=dict)
    variants: Mapping[Key, frozenset[str]] = field(default_factory=dict)  # record → contacts it has, or was to have
    shown: frozenset[Key] = frozenset()  # legs that have an outcome although not every record of their kind has them

    def after_merges(self, contact_id: str) -> str:
        """The contact that stands for this one since somebody merged it into another; itself where nobody did."""
        for _ in range(MOST_MERGES):
            contact = self.contacts_by_id.get(contact_id)
            if contact is None or not contact.merged_into:
                break
            contact_id = contact.merged_into
        return contact_id


@dataclass(frozen=True, slots=True)
class Step:
    """Something to write: one element of a batch.

    `new` is complete but for remote ids of what it hangs on (`needs`: a leg that has to be linked first); a step
    planned once that is linked has them. `verb` is what is done; of all but a create, `seen` says what was there
    before (`remote_id`, `version`, `owned`: the hash of the fields that we own) and `facts` what will be.
    `content_hash` covers what would be written without remote ids, lock state, generation or
    frozen number, so that a confirmation names the same step however it is sliced.
    """

    what: What
    leg: Leg
    source_id: str
    ref: str
    sought: str
    new: Write
    source_hash: str
    content_hash: str
    amount: int = 0
    currency: str = ""
    generation: int = 1
    variant: str = ""
    needs: Key | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    verb: Verb = Verb.CREATE
    batch_keys: frozenset[str] = frozenset()  # no two elements of one batch may share one (contacts: email, name)

    @property
    def key(self) -> Key:
        return step_key(str(self.leg), self.source_id, self.variant)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say of one leg: an outcome at once, a step to take, or both: a step that is held.

    `link` is a link to keep without any write (found in the tool, or decided by a person).
    """

    outcome: Outcome | None = None
    step: Step | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to become of one leg of one record: an outcome at once, a step to take, or a step that is held.

    `link` is a link to keep without any write (found in the tool, or decided by a person). A record that stands in the
    tool more than once has one of these per `variant`; its leg shows the worst of them.
    """

    kind: Kind
    leg: Leg
    source_id: str
    owner: str
    payment_id: str | None
    amount: int
    currency: str
    month: str
    source_hash: str
    outcome: Outcome | None = None
    step: Step | None = None
    link: Link | None = None
    retry_at: datetime | None = None
    variant: str = ""

    @property
    def due(self) -> bool:
        """There is something to write, and nothing is in its way."""
        return self.step is not None and self.outcome is None

    @property
    def key(self) -> Key:
        return step_key(str(self.leg), self.source_id, self.variant)


def record_of(key: Key) -> Key:
    """The (leg, source id) that a key is about: what outcomes and decisions are kept by."""
    return key[:2]


def variants_in(*keyed: Iterable[Key]) -> dict[Key, frozenset[str]]:
    """The variants that these keys name, by record."""
    found: dict[Key, set[str]] = {}
    for key in (key for some in keyed for key in some):
        if len(key) > 2:
            found.setdefault(record_of(key), set()).add(key[2])
    return {key: frozenset(some) for key, some in found.items()}


def fingerprint(value: object) -> str:
    """A short, stable hash of plain values (dates and decimals as text)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def month_of(day: date | None) -> str:
    """The accounting month of a day, YYYY-MM."""
    return f"{day:%Y-%m}" if day else ""


def storable(amount: int) -> int:
    """An amount as outcomes keep it: one beyond belief counts nothing (it is held as `bad_amount`)."""
    return amount if abs(amount) <= LARGEST else 0


def record_failure(terms: Terms, record: Record) -> Outcome | None:
    """Why a record as such cannot be used: unreadable, it failed a data-quality rule, or a sum beyond belief."""
    if record.problem is not None or record.noun is None:
        problem = record.problem or {"field": "record", "problem": "cannot be read"}
        return terms.say(Code.MALFORMED, problem.get("field", ""), **problem)
    for failure in record.failures:
        return terms.say(
            Code(failure.code), failure.rule, **{"field": failure.rule, "problem": failure.rule, **failure.detail}
        )
    if any(storable(amount) != amount for amount in _amounts(record)):
        return terms.say(Code.BAD_AMOUNT, "beyond belief", problem="more than any currency has")
    return None


def _amounts(record: Record) -> list[int]:
    noun = record.noun
    if isinstance(noun, Payment):
        stated = [amount for amount in (noun.amount, noun.due) if amount is not None]
        items = [item.amount for item in noun.items]
        return [*stated, *items, sum(items)]
    if isinstance(noun, SplitIntent):
        return [noun.amount or 0]
    return [noun.amount] if isinstance(noun, Split | Transaction) else []


def decision_on(known: Known, key: Key, source_hash: str) -> Decision | None:
    """The newest decision about a leg, if it was made on its present content."""
    decision = known.decisions.get(record_of(key))
    return decision if decision is not None and decision.source_hash == source_hash else None


def frozen_values(known: Known, key: Key, source_hash: str) -> Mapping[str, Any]:
    """What an earlier attempt at this content has fixed; empty where there was none."""
    frozen = known.frozen.get(key)
    return frozen.values if frozen is not None and frozen.source_hash == source_hash else {}


def hold_back(terms: Terms, known: Known, step: Step) -> Outcome | None:
    """Why a step that could go is not sent: nothing may be written in this run, or the tool refused just this."""
    if terms.stop_writing:
        return terms.say(Code.MASS_CHANGE, "run", problem=terms.stop_writing)
    refusal = known.refusals.get(step.key)
    if refusal is None or refusal.content_hash != step.content_hash:
        return None
    if refusal.outcome.code is Code.LOCKED_THERE and refusal.lock_date != str(terms.organisation.lock_date):
        return None
    return refusal.outcome


def unsettled(terms: Terms, pending: Pending) -> Outcome:
    """What an open attempt says: unknown, and a person's after `give_up_hours` (write protocol, rule 12)."""
    if not pending.overdue:
        return terms.say(Code.UNKNOWN, until=f"{pending.until:%Y-%m-%d %H:%M} UTC")
    hours = terms.accounting.pace.give_up_hours
    return terms.say(
        Code.NEEDS_DECISION,
        "unanswered",
        problem=f"It was sent over {hours} hours ago, and nothing since tells whether {terms.title} has it.",
        steps=f"Find out whether {terms.title} can be read (bin/qualy check), and look for it there; once {terms.title}"
        " tells, this settles by itself.",
    )


def going_on(ruling: Ruling) -> Ruling:
    """The ruling on a record that is to be looked at once more as soon as it stands, although nothing changes."""
    step, link = ruling.step, ruling.link
    if step is not None:
        step = replace(step, facts=dict(step.facts) | {"goes_on": True})
    if link is not None:
        link = replace(link, facts=dict(link.facts) | {"goes_on": True})
    return replace(ruling, step=step, link=link)


def goes_on(link: Link | None) -> bool:
    """Whether what a link stands for is to be looked at once more now that it stands."""
    return link is not None and bool(link.facts.get("goes_on"))


def taken_back(link: Link) -> str:
    """How what a link stands for was taken back by us: `voided` or `removed`; empty where it was not."""
    return str(link.facts.get("gone", ""))


def link_of(
    terms: Terms,
    step: Step,
    remote: Remote,
    how: str,
    facts: Mapping[str, Any],
) -> Link:
    """The link that says: this remote record stands for this step, and `facts` were agreed."""
    return Link(
        leg=str(step.leg),
        source_id=step.source_id,
        variant=step.variant,
        generation=step.generation,
        remote_id=remote.id,
        ref=step.ref,
        how=how,
        source_hash=step.source_hash,
        content_hash=step.content_hash,
        facts=facts,
        settings_version=terms.settings.version,
        linked_at=remote.updated_at,
    )
