"""Where a payment stands: left out on purpose, or in a part of its life that a person has to look at. Pure."""

from __future__ import annotations

from datetime import date

from qualy_sync.ledger.slices import Record
from qualy_sync.model import Payment
from qualy_sync.outcomes import Code, Outcome

from .amounts import Disagreement, Receipts
from .values import Terms

CANCELLED = "cancelled"
REFUNDED = "refunded"


def exclusion(
    terms: Terms,
    record: Record,
    payment: Payment,
    receipts: Receipts,
    total: int | Disagreement,
    day: date,
    *,
    booked: bool,
) -> Outcome | None:
    """Excluded on purpose: by setting, by date, because nothing is or was ever due.

    What is booked already is past most of it: a setting applies to what is not created yet.
    """
    accounting, source = terms.accounting, terms.settings.source
    if accounting.payments.when == "never":
        return terms.say(Code.NEVER_SYNCED, setting="payments.when")
    if payment.status in source.cancelled_statuses and not receipts.money_moved and not booked:
        return _before_start(terms, day) or terms.say(Code.NOTHING_DUE, why="it was cancelled before anything was paid")
    if booked:
        return None
    if record.gone:
        return terms.say(Code.NOTHING_DUE, why="Qualy no longer has it, and it was never booked")
    if (early := _before_start(terms, day)) is not None:
        return early
    if payment.status in source.draft_statuses:
        return terms.say(Code.NOT_YET_PAID, status=payment.status)
    if total == 0:
        return terms.say(Code.NOTHING_DUE, why="its total is zero")
    return None


def _before_start(terms: Terms, day: date) -> Outcome | None:
    start = terms.accounting.start_date
    return terms.say(Code.BEFORE_START, date=day, start_date=start) if day < start else None


def trouble_of(terms: Terms, record: Record, payment: Payment, receipts: Receipts) -> Outcome | None:
    """Parts of a payment's later life that a person has to look at."""
    source, status = terms.settings.source, payment.status
    if record.gone:
        return _decision(terms, "gone", "Qualy no longer has its payment.", "Book it by hand, then decide theirs.")
    if status not in _listed(terms):
        return _decision(
            terms,
            f"status {status}",
            f"Qualy's status “{status}” is not listed in the settings.",
            "List it in the settings, under one of the lists of statuses of source.",
        )
    if status in source.cancelled_statuses:
        steps = f"Void or credit it in {terms.title} by hand, then decide theirs."
        return _decision(terms, CANCELLED, "It was cancelled in Qualy.", steps)
    if status in source.refunded_statuses and not receipts.refunds:
        return _decision(
            terms,
            REFUNDED,
            "Qualy says that it was refunded, and lists no refund.",
            "Record the refund in Qualy, or credit it by hand and decide theirs.",
        )
    return None


def is_over(trouble: Outcome | None) -> bool:
    """Cancelled, or refunded without a refund: the document as such is in question, not only its settlement."""
    return trouble is not None and trouble.thing in (CANCELLED, REFUNDED)


def is_cancelled(trouble: Outcome | None) -> bool:
    """Called off in Qualy."""
    return trouble is not None and trouble.thing == CANCELLED


def is_unlisted(trouble: Outcome | None) -> bool:
    """Nobody knows yet what the payment's status means."""
    return trouble is not None and trouble.thing.startswith("status ")


def _listed(terms: Terms) -> set[str]:
    source = terms.settings.source
    return {
        *source.paid_statuses,
        *source.open_statuses,
        *source.cancelled_statuses,
        *source.refunded_statuses,
        *source.draft_statuses,
    }


def _decision(terms: Terms, thing: str, problem: str, steps: str) -> Outcome:
    return terms.say(Code.NEEDS_DECISION, thing, problem=problem, steps=steps)
