"""Troubles for a person: what many records wait for, in one sentence, with how many they are and how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.queries import rows
from qualy_sync.outcomes import MEANINGS, Actor, Code, Outcome

from . import words
from .escape import visible

LONGEST_LABEL = 240

# A trouble speaks of many records: where an outcome's sentence is about one record, this one is about all.
_OF_ALL: Mapping[Code, str] = {
    Code.MALFORMED: "Records from Qualy cannot be read",
    Code.BAD_AMOUNT: "Amounts are out of bounds",
    Code.NO_EMAIL: "No email in Qualy; records match by email",
    Code.BAD_EMAIL: "An email in Qualy is not an address",
    Code.AMBIGUOUS_EMAIL: "Several active contacts in {tool} have the same email",
    Code.SHARED_EMAIL: "Several Qualy records share an email",
    Code.NAME_DIFFERS: "The contact in {tool} with the same email has a clearly different name",
    Code.NO_TAX_ID: "There is no {number} in Qualy, which {tool} needs",
    Code.BAD_TAX_ID: "A tax number in Qualy is not a valid {number}",
    Code.SPLIT_UNCLEAR: "Splits cannot be booked: {problem}",
    Code.NO_RATE: "There is no exchange rate for {currency}",
    Code.TOTALS_DISAGREE: "Totals disagree",
    Code.NEGATIVE_TOTAL: "Totals are negative",
    Code.NUMBER_TAKEN: "Numbers belong to other documents in {tool}",
    Code.OVERPAID: "More was received than is due",
    Code.REFUND_UNLINKED: "Refunds do not say which receipt they give back",
    Code.REVERSED_AT_SOURCE: "Qualy took back what {tool} still has as paid",
    Code.LOCKED: "{tool} is locked to {lock_date}",
    Code.AWAITING_APPROVAL: "Documents are not approved in {tool} yet",
    Code.NEEDS_DECISION: "{problem}",
    Code.POSSIBLE_DUPLICATE: "{tool} may hold the same sale already",
    Code.GONE_AT_SOURCE: "Qualy no longer has what {tool} still has",
    Code.CHANGED_THERE: "Somebody changed it in {tool}",
    Code.PAID_THERE: "{tool} shows another amount paid than Qualy",
    Code.REMOVED_THERE: "Somebody voided, deleted or archived it in {tool}",
    Code.RECONCILED_THERE: "It is reconciled in {tool} and cannot be touched",
    Code.DUPLICATE_THERE: "{tool} holds it more than once",
    Code.LOCKED_THERE: "{tool} refused it as locked: {message}",
    Code.DUPLICATE_NAME: "{tool} already has contacts of these names",
    Code.ARCHIVED_CONTACT: "The contact is archived in {tool}",
    Code.INVALID: "{tool} refused it: {message}",
    Code.NOT_ALLOWED: "The connection may not do this in {tool}",
}
# The same where the outcome's own words name one record's amounts: told by the thing to mend.
_OF_THING: Mapping[tuple[Code, str], str] = {
    (Code.SPLIT_UNCLEAR, "sums"): "Splits cannot be booked: shares do not add up to their item",
}
_NOUNS = {
    "contact": "customer",
    "supplier": "partner",
    "invoice": "payment",
    "bill": "split",
    "settlement": "receipt",
    "pay_out": "pay-out",
    "credit_note": "credit note",
    "supplier_credit": "supplier credit",
    "allocation": "allocation",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to mend. `amounts` in minor units per currency; `known`: an earlier run did fail for it."""

    key: str
    code: Code
    sentence: str
    remedy: str
    records: int
    amounts: Mapping[str, int]
    first_at: datetime
    known: bool
    legs: Mapping[str, int] = field(default_factory=dict)
    months: tuple[str, ...] = ()

    @property
    def actor(self) -> Actor:
        return MEANINGS[self.code].actor

    @property
    def label(self) -> str:
        """*The tool is locked to 31 May 2026: 12 records, AUD 34,250.00 (8 invoices, 4 receipts)*."""
        money = words.amounts({currency: minor for currency, minor in self.amounts.items() if minor})
        counted = ", ".join(filter(None, (words.records(self.records), money)))
        legs = ", ".join(words.records(count, _NOUNS.get(leg, leg)) for leg, count in sorted(self.legs.items()))
        room = LONGEST_LABEL - len(counted) - len(legs) - 5
        return f"{_short(self.sentence, room)}: {counted} ({legs})"


def trouble_labels(ledger: Ledger, book: int, tool: str, run: int | None = None) -> list[Trouble]:
    """Every open trouble, most records first. `tool` is its title; what failed in `run` itself is not known yet."""
    with ledger.reading() as connection:
        return troubles_in(connection, book, tool, run)


def troubles_in(connection: sa.Connection, book: int, tool: str, run: int | None = None) -> list[Trouble]:
    """The same inside a transaction."""
    parts: dict[str, list[Any]] = {}
    for row in rows(connection, "troubles.open", book=book):
        parts.setdefault(row.trouble_key, []).append(row)
    remembered = {row.key: row for row in rows(connection, "troubles.remembered", book=book)}
    since = {row.trouble_key: row.since for row in rows(connection, "troubles.oldest", book=book)}
    samples = {key: min(row.outcome for row in found) for key, found in parts.items()}
    details = details_of(connection, list(samples.values()))
    found = []
    for key, group in parts.items():
        detail, thing = details.get(samples[key], ({}, ""))
        memory = remembered.get(key)
        failed = memory.failed_run if memory and memory.failed_at else None
        found.append(
            _trouble(
                key,
                group,
                spoken(detail, tool, key.partition(":")[0]) | {"thing": thing},
                first_at=memory.first_at if memory else since[key],
                known=failed is not None and failed != run,
            )
        )
    return _told_apart(sorted(found, key=lambda trouble: (-trouble.records, trouble.key)))


def details_of(connection: sa.Connection, outcomes: list[int]) -> dict[int, tuple[dict[str, str], str]]:
    """Detail and thing per outcome id."""
    found: dict[int, tuple[dict[str, str], str]] = {}
    for start in range(0, len(outcomes), 500):
        for row in rows(connection, "troubles.details", ids=outcomes[start : start + 500]):
            found[row.id] = (row.detail or {}, row.thing)
    return found


def spoken(detail: Mapping[str, Any], tool: str, tool_id: str) -> dict[str, str]:
    """An outcome's detail as it is put into sentences: dates in words, nothing hidden, the tool by its title."""
    said = {name: words.days_in_words(visible(str(value))) for name, value in detail.items()}
    return said | {"tool": tool, "tool_id": tool_id}


def _trouble(key: str, group: list[Any], detail: dict[str, str], *, first_at: datetime, known: bool) -> Trouble:
    code = Code(group[0].code)
    outcome = Outcome(code, detail)
    of_all = _OF_THING.get((code, detail.get("thing", ""))) or _OF_ALL.get(code)
    sentence = of_all.format_map(_Gaps(detail)) if of_all else outcome.sentence()
    amounts: Counter[str] = Counter()
    legs: Counter[str] = Counter()
    for row in group:
        legs[row.leg] += row.records
        if row.currency:
            amounts[row.currency] += row.amount
    return Trouble(
        key=key,
        code=code,
        sentence=sentence.strip().removesuffix("."),
        remedy=outcome.remedy(),
        records=sum(legs.values()),
        amounts=dict(amounts),
        first_at=first_at,
        known=known,
        legs=dict(legs),
        months=tuple(sorted({row.month for row in group if row.month})),
    )


def _told_apart(found: list[Trouble]) -> list[Trouble]:
    """Troubles that would read the same name their month: one lock date holds records of several."""
    same = Counter(trouble.sentence for trouble in found)
    return [
        replace(trouble, sentence=f"{trouble.sentence} ({', '.join(map(words.month, trouble.months))})")
        if same[trouble.sentence] > 1 and trouble.months
        else trouble
        for trouble in found
    ]


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


class _Gaps(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"
