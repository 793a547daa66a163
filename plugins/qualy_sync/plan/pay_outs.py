"""When a partner was paid out: Qualy's split intents, by the split that they pay. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from qualy_sync.model import Money, Split, SplitIntent
from qualy_sync.outcomes import Code, Outcome

from .dates import local_day
from .values import Terms


@dataclass(frozen=True, slots=True)
class PayOut:
    """Money that went to a partner for a split. `day` is None where Qualy does not say when."""

    intent: SplitIntent
    day: date | None


def split_of(intent: SplitIntent, splits: Sequence[Split]) -> Split | None:
    """The split that an intent pays: the one it names; else the only one of its partner, amount and currency."""
    if intent.split is not None:
        return next((split for split in splits if split.id == intent.split), None)
    alike = [
        split
        for split in splits
        if (split.partnership, split.amount, split.currency) == (intent.partnership, intent.amount, intent.currency)
    ]
    return alike[0] if len(alike) == 1 else None


def pay_outs_of(
    terms: Terms, split: Split, splits: Sequence[Split], intents: Sequence[SplitIntent]
) -> tuple[PayOut, ...]:
    """What was paid out of a split, in order of days; one that is under way is not paid out."""
    zone = terms.organisation.zone
    paid = [
        PayOut(intent, local_day(intent.paid_at, zone) if intent.paid_at else None)
        for intent in intents
        if is_paid_out(terms, intent) and split_of(intent, splits) is split
    ]
    return tuple(sorted(paid, key=lambda one: (one.day or date.max, one.intent.id)))


def is_paid_out(terms: Terms, intent: SplitIntent) -> bool:
    return intent.status in terms.settings.source.paid_split_statuses


def paid_out_day(
    terms: Terms, split: Split, splits: Sequence[Split], intents: Sequence[SplitIntent]
) -> date | Outcome | None:
    """The day on which a split was paid out whole; None while it is not; an outcome where Qualy is not clear."""
    paid = pay_outs_of(terms, split, splits, intents)
    if any(one.intent.currency != split.currency for one in paid):
        return _unclear(terms, "it was paid out in another currency")
    amount = sum(one.intent.amount or 0 for one in paid)
    if amount > split.amount:
        there = Money(amount, split.currency)
        return _unclear(terms, f"{there} were paid out of {Money(split.amount, split.currency)}")
    if amount < split.amount or not paid:
        if split.status in terms.settings.source.paid_split_statuses:
            return _unclear(terms, "Qualy says that it is paid, and shows no pay-out of its whole amount")
        return None
    if any(one.day is None for one in paid):
        return _unclear(terms, "Qualy does not say on which day it was paid out")
    return paid[-1].day


def _unclear(terms: Terms, problem: str) -> Outcome:
    return terms.say(
        Code.NEEDS_DECISION,
        "pay-out unclear",
        problem=f"The pay-out is not clear: {problem}.",
        steps=f"Correct the pay-out in Qualy, or book the share in {terms.title} by hand and decide theirs.",
    )
