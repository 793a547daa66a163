"""What is agreed for one tool: which fields go which way, and what may be created where. Plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from qualy_sync.contracts.crm import Form, Property
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import CrmPace, SourceSettings

from .merge import Rule, Way
from .payments import PaymentFacts, amounts_text, payment_facts
from .people import Person


@dataclass(frozen=True, slots=True)
class Copied:
    """A field of Qualy's contact and the tool's field that it is copied to or from."""

    path: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Fact:
    """Something of ours that the tool is told: a field that only we write."""

    own: Property
    of: Callable[[Person, PaymentFacts], str]

    @property
    def rule(self) -> Rule:
        return Rule(self.own.name, self.own.form, Way.TO_TOOL, erase=True)


@dataclass(frozen=True, slots=True)
class FromTool:
    """Which of the tool's contacts become customers in Qualy, and how many a day."""

    property: str
    values: frozenset[str]
    most_per_day: int


@dataclass(frozen=True, slots=True)
class AudienceTerms:
    """For an audience: up to how many changes go one by one, how often what was handed over is asked about, and after
    how long it is given up."""

    direct_up_to: int
    poll: timedelta
    give_up: timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that the plan goes by. `into_qualy`: existing customers are changed; `creates`: contacts are made."""

    tool: str
    title: str
    key_field: str
    email_field: str
    copied: tuple[Copied, ...]
    facts: tuple[Fact, ...]
    source: SourceSettings
    settings_version: str
    pace: CrmPace
    max_changes: int
    vanish_share: Decimal = Decimal("0.05")
    creates: bool = True
    into_qualy: bool = False
    from_tool: FromTool | None = None
    tags: Callable[[Person, PaymentFacts], frozenset[str]] | None = None
    audience: AudienceTerms | None = None
    longest_text: int = 0  # bytes; a longer text is cut. 0: the tool takes any
    ages: timedelta = field(default=timedelta(seconds=60))  # how old a reading may be that is written upon

    @property
    def names(self) -> tuple[str, ...]:
        """The tool's fields that are read."""
        more = (self.from_tool.property,) if self.from_tool else ()
        every = (*(one.rule.field for one in self.copied), *(one.own.name for one in self.facts), *more)
        return tuple(dict.fromkeys((*every, self.key_field)))

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*(one.rule for one in self.copied), *(one.rule for one in self.facts))

    @property
    def two_ways(self) -> bool:
        """Whether anything of the tool's counts, so that its changes have to be read."""
        return self.from_tool is not None or any(one.rule.way is not Way.TO_TOOL for one in self.copied)

    def ours(self, person: Person, today: date) -> dict[str, str]:
        """Every value of a customer, by the tool's field."""
        facts = payment_facts(person.group, self.source, today)
        found = {one.rule.field: person.value(one.path) for one in self.copied}
        found |= {one.own.name: one.of(person, facts) for one in self.facts}
        return {name: cut(text, self.longest_text) for name, text in found.items()} if self.longest_text else found

    def wanted_tags(self, person: Person, today: date) -> frozenset[str] | None:
        """The tags of ours that a customer should have; None where the tool has none."""
        return self.tags(person, payment_facts(person.group, self.source, today)) if self.tags else None

    def say(self, code: Code, thing: str = "", **detail: str) -> Outcome:
        return Outcome(code, {"tool": self.title, "tool_id": self.tool} | detail, thing)


def own_properties(prefix: str, group: str, facts: Sequence[str]) -> tuple[Property, tuple[Fact, ...]]:
    """The property that carries Qualy's id, and those of the facts that were chosen."""
    key = Property(f"{prefix}id", "Qualy id", Form.TEXT, group, unique=True)
    return key, tuple(
        Fact(Property(f"{prefix}{name}", label, form, group), of)
        for chosen in dict.fromkeys(facts)
        for name, label, form, of in FACTS[chosen]
    )


def cut(text: str, longest: int) -> str:
    """`text` in at most so many bytes of UTF-8, whole characters."""
    return text.encode()[:longest].decode(errors="ignore").strip() if len(text.encode()) > longest else text


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _names(names: Sequence[str]) -> str:
    return "; ".join(names)


FACTS: Mapping[str, tuple[tuple[str, str, Form, Callable[[Person, PaymentFacts], str]], ...]] = {
    "number": (("number", "Qualy number", Form.TEXT, lambda one, _: one.number),),
    "owners": (
        ("owners", "Qualy owners", Form.TEXT, lambda one, _: _names(one.owners)),
        ("owner_emails", "Qualy owners' emails", Form.TEXT, lambda one, _: _names(one.owner_emails)),
    ),
    "teams": (("teams", "Qualy teams", Form.TEXT, lambda one, _: _names(one.teams)),),
    "tags": (("tags", "Qualy tags", Form.TEXT, lambda one, _: _names(one.tags)),),
    "payments": (
        ("payments", "Qualy payments", Form.NUMBER, lambda _, facts: str(facts.count)),
        ("paid", "Qualy amounts paid", Form.TEXT, lambda _, facts: amounts_text(facts.paid)),
        ("due", "Qualy amounts due", Form.TEXT, lambda _, facts: amounts_text(facts.due)),
        ("overdue", "Qualy amounts overdue", Form.TEXT, lambda _, facts: amounts_text(facts.overdue)),
        ("last_paid", "Qualy last payment", Form.DATE, lambda _, facts: _day(facts.last_paid)),
        ("next_due", "Qualy next due date", Form.DATE, lambda _, facts: _day(facts.next_due)),
    ),
}


def fingerprint(value: Any) -> str:
    """A hash of plain values, whatever their order in mappings."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
