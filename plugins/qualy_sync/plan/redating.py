"""Locked days: what they hold, and what an approver lets go on the first open day instead. Pure.

A redated step keeps its due date and what it was confirmed as; only what does not exist yet is ever redated.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from qualy_sync.contracts.accounting import NewContact, NewDocument, NewSettlement, What
from qualy_sync.outcomes import Code, Outcome

from .values import Ruling, Step, Terms

# The kinds of record that `next_open_day` knows.
KINDS = {
    What.INVOICE: "invoice",
    What.BILL: "bill",
    What.SETTLEMENT: "settlement",
    What.BILL_SETTLEMENT: "settlement",
    What.CREDIT_NOTE: "credit_note",
    What.SUPPLIER_CREDIT: "credit_note",
}


def lock_problem(terms: Terms, day: datetime.date, what: str) -> Outcome | None:
    """Whether a day is in a locked period (inclusive), which date, and in which accounting month."""
    lock = terms.organisation.lock_date
    if lock is None or day > lock:
        return None
    return terms.say(
        Code.LOCKED,
        f"{lock.isoformat()} {day:%Y-%m}",
        date=f"{day.isoformat()} ({what})",
        lock_date=lock.isoformat(),
        month=f"{day:%Y-%m}",
    )


def on_an_open_day(terms: Terms, step: Step, what: str, fixed: Mapping[str, Any] = {}) -> Ruling:
    """The step, if its day is open; on the first open day where somebody approved that; else held as locked.

    `what` is the date in words. `fixed` is what an earlier attempt at this content has fixed: a day that it was
    redated to stays, as long as that is open.
    """
    day = date.fromisoformat(str(step.facts["date"]))
    earlier = fixed.get("redated") and date.fromisoformat(str(fixed["date"]))
    held = lock_problem(terms, day, what)
    if earlier and lock_problem(terms, earlier, what) is None:
        return Ruling(step=_redated(terms, step, day, earlier, str(fixed["redated"]["approver"])))
    if held is None:
        return Ruling(step=step)
    approver = getattr(terms.accounting.next_open_day, KINDS.get(step.what, ""), None)
    lock = terms.organisation.lock_date
    if approver is None or lock is None:
        return Ruling(held, step)
    opened = lock + timedelta(days=1)
    if terms.today is None or opened > terms.today:
        return Ruling(held, step)
    return Ruling(step=_redated(terms, step, day, opened, approver))


def original_day(fixed: Mapping[str, Any]) -> date | None:
    """The day that a link or an earlier attempt fixed, as it was before any redating; None where there is none."""
    if "date" not in fixed:
        return None
    redated = fixed.get("redated")
    return date.fromisoformat(str(redated["from"] if redated else fixed["date"]))


def closed_meanwhile(terms: Terms, step: Step) -> Outcome | None:
    """Whether a step's own day was closed since it was planned."""
    if isinstance(step.new, NewContact) or "date" not in step.facts:
        return None
    return lock_problem(terms, date.fromisoformat(str(step.facts["date"])), "document")


def _redated(terms: Terms, step: Step, before: date, after: date, approver: str) -> Step:
    if not isinstance(step.new, NewDocument | NewSettlement):
        raise TypeError("only what is new, and has a date of its own, is redated")
    lock = terms.organisation.lock_date
    redated = {"from": before.isoformat(), "approver": approver, "lock_date": lock.isoformat() if lock else ""}
    facts = dict(step.facts) | {"date": after.isoformat(), "redated": redated}
    return replace(step, new=replace(step.new, date=after), facts=facts)
