"""A partner's share after its bill was made: called off with its payment, or made smaller after a refund. Pure.

A bill that nobody paid follows in place. One that was paid, or lies in a locked period, is credited by the supplier,
only if the payment was refunded and Qualy made the share smaller; otherwise it is held.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from qualy_sync.contracts.accounting import GONE, Ability, RemoteDocument, Status, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Leg, Money, Split
from qualy_sync.outcomes import Code, Group, Outcome

from .credits import Credit, plan_allocation, plan_credit
from .dates import settlement_day
from .decisions import under_way
from .posted import edited_there, is_edited, is_paid_at_all, plan_void
from .redating import lock_problem
from .standing import is_cancelled
from .subject import Subject
from .values import Key, Planned, Ruling, decision_on, frozen_values, taken_back

CREDIT_LEGS = (Leg.SUPPLIER_CREDIT, Leg.ALLOCATION)


def surplus_only(subject: Subject) -> bool:
    """Every refund gave back only what was received above the total."""
    return sum(abs(one.amount) for one in subject.receipts.refunds) <= subject.surplus


def called_off(subject: Subject, split: Split) -> str:
    """Why a bill is no longer wanted, empty where it is."""
    if is_cancelled(subject.trouble) and not subject.receipts.money_moved:
        return "Its payment was cancelled in Qualy before anything was paid."
    return "Its amount is zero in Qualy since." if split.amount == 0 else ""


def take_back(subject: Subject, record: Record, source_hash: str, link: Link, why: str) -> Ruling:
    """Voids a bill that is no longer wanted, if nobody paid or touched it and its period is open."""
    terms, known = subject.terms, subject.known
    remote = known.documents_by_id.get(link.remote_id)
    if taken_back(link) or (remote is not None and remote.status in GONE):
        voided = None if taken_back(link) else replace(link, facts=dict(link.facts) | {"gone": "voided"})
        return Ruling(terms.say(Code.VOIDED), link=voided)
    if remote is None:
        return Ruling(terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id))
    steps = f"Void or credit the bill in {terms.title} by hand, then decide theirs."
    if is_paid_at_all(known, remote):
        return Ruling(subject.needs_decision("bill no longer owed", f"{why} The bill was paid already.", steps))
    if (gap := terms.cannot(Ability.VOID, "bill no longer owed", steps)) is not None:
        return Ruling(gap)
    decision = decision_on(known, (str(Leg.BILL), record.id), source_hash)
    if is_edited(known, link, remote) and not (decision is not None and decision.choice == "ours"):
        return Ruling(edited_there(terms, remote, None))
    ruling = plan_void(terms, known, link, remote, source_hash)
    return Ruling(ruling.outcome or lock_problem(terms, remote.date, "bill"), ruling.step)


def after_refund(subject: Subject, link: Link, split: Split) -> Outcome | None:
    """A refund, and the partner's share is as it was: a person says whether it is still owed."""
    if not subject.receipts.refunds or surplus_only(subject):
        return None
    return subject.needs_decision(
        "share after refund",
        "The payment was refunded, and Qualy did not make the partner's share smaller.",
        "If the partner gives something back, make the split smaller in Qualy; if not, decide theirs.",
    )


def plan_reduced(
    subject: Subject, record: Record, split: Split, source_hash: str, link: Link
) -> tuple[Ruling, list[Planned]] | None:
    """The credit of a bill whose share became smaller after a refund; None where the bill itself may still follow."""
    terms, known = subject.terms, subject.known
    remote = known.documents_by_id.get(link.remote_id)
    posted = int(link.facts.get("own", 0))
    less = posted - split.amount
    key: Key = (str(Leg.SUPPLIER_CREDIT), record.id)
    if remote is None or less <= 0 or not subject.receipts.refunds or surplus_only(subject):
        return None
    credited = key in known.links or key in known.pending
    if not credited and not is_paid_at_all(known, remote) and lock_problem(terms, remote.date, "bill") is None:
        return None
    amount = less if posted == remote.total else (remote.total * less + posted // 2) // posted
    credit = _credit(subject, record, key, remote, amount, source_hash)
    note = _planned(subject, record, Leg.SUPPLIER_CREDIT, credit, plan_credit(terms, known, credit))
    planned = [note]
    applies = (str(Leg.ALLOCATION), record.id) in known.links or remote.due >= amount
    if applies:
        use = plan_allocation(terms, known, credit, record.id, note)
        planned.append(_planned(subject, record, Leg.ALLOCATION, credit, use))
    for one in planned:
        if one.outcome is None or one.outcome.meaning.group is not Group.IN_STEP:
            return Ruling(terms.say(Code.WAITING_FOR, leg=str(one.leg), id=one.source_id)), planned
    return Ruling(terms.say(Code.CREDITED)), planned


def _credit(
    subject: Subject, record: Record, key: Key, remote: RemoteDocument, amount: int, source_hash: str
) -> Credit:
    split = record.noun
    if not isinstance(split, Split):
        raise TypeError("a bill is a split's")
    link = subject.known.links.get(key)
    fixed = link.facts if link else frozen_values(subject.known, key, source_hash)
    day = str(fixed.get("date") or "")
    refund = subject.receipts.refunds[-1]
    return Credit(
        key=key,
        of=(str(Leg.BILL), record.id),
        contact=subject.terms.contact_key(
            Leg.SUPPLIER, split.partnership, remote.currency, sold=remote.what is What.INVOICE
        ),
        remote=remote,
        amount=amount,
        day=date.fromisoformat(day)
        if day
        else settlement_day(refund, subject.terms.accounting, subject.terms.organisation.zone),
        payment_id=subject.record.id,
        source_hash=source_hash,
        status=Status(subject.terms.accounting.splits.bill_status),
    )


def _planned(subject: Subject, record: Record, leg: Leg, credit: Credit, ruling: Ruling) -> Planned:
    currency = credit.remote.currency
    return subject.planned(record, leg, credit.source_hash, ruling, credit.amount, currency, credit.day)


def no_credit(subject: Subject, record: Record, source_hash: str, planned: list[Planned]) -> list[Planned]:
    """Legs of a credit that had an outcome once and are not asked for now."""
    known, said, terms = subject.known, {one.key for one in planned}, subject.terms
    found: list[Planned] = []
    for leg in CREDIT_LEGS:
        key: Key = (str(leg), record.id)
        if key in said or (key not in known.shown and key not in known.links):
            continue
        if (waits := under_way(terms, known, key)) is not None:
            outcome = waits
        elif key in known.links:
            amount = Money(int(known.links[key].facts.get("total", 0)), str(known.links[key].facts.get("currency", "")))
            outcome = subject.needs_decision(
                "credit no longer due",
                f"{amount} of the bill was credited, and Qualy's share is no longer smaller.",
                f"Undo the credit in {terms.title} by hand, then decide theirs.",
            )
        else:
            outcome = terms.say(Code.NOTHING_DUE, why="nothing of the bill has to be credited")
        found.append(subject.planned(record, leg, source_hash, Ruling(outcome), 0, "", subject.day))
    return found
