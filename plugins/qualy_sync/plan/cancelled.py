"""A payment that Qualy called off, and its document stands in the tool: voided, or credited. Pure.

Before anything was paid it is voided. Afterwards, or in a locked period, what is unpaid of it is credited, in a period
that is open, and applied to it. What was paid stays until Qualy refunds it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from qualy_sync.contracts.accounting import GONE, Ability, RemoteDocument, Status
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Group, Outcome

from .credits import Credit, plan_allocation, plan_credit
from .dates import local_day
from .decisions import under_way
from .posted import edited_there, is_edited, is_paid_at_all, plan_void
from .redating import lock_problem
from .standing import is_cancelled
from .subject import Subject
from .values import Key, Planned, Ruling, decision_on, frozen_values, taken_back

Plan = tuple[Ruling, list[Planned]]


def plan_cancelled(subject: Subject, link: Link) -> Plan:
    """What becomes of the booked document of a payment that was called off, and of its credit."""
    terms, known = subject.terms, subject.known
    remote = known.documents_by_id.get(link.remote_id)
    if taken_back(link) or (remote is not None and remote.status in GONE):
        voided = None if taken_back(link) else replace(link, facts=dict(link.facts) | {"gone": "voided"})
        return Ruling(terms.say(Code.VOIDED), link=voided), []
    if remote is None:
        return Ruling(terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id)), []
    credited = _note_key(subject) in known.links or _note_key(subject) in known.pending
    way = "credit_note" if credited else _way(subject, remote)
    if way == "hold":
        return Ruling(subject.trouble), []
    if way == "credit_note":
        return _credit(subject, link, remote)
    return _void(subject, link, remote), []


def _way(subject: Subject, remote: RemoteDocument) -> str:
    """By the settings for its case; what was never paid and is no longer open is credited."""
    rules = subject.terms.accounting.payments.cancelled
    if subject.receipts.money_moved or _receipt_under_way(subject) or is_paid_at_all(subject.known, remote):
        return rules.after_payment
    if lock_problem(subject.terms, remote.date, "document") is not None:
        return rules.locked
    return rules.before_payment


def _receipt_under_way(subject: Subject) -> bool:
    """A receipt of it is being applied, as far as is known."""
    return any((str(Leg.SETTLEMENT), one.id) in subject.known.pending for one in subject.transactions)


def _void(subject: Subject, link: Link, remote: RemoteDocument) -> Ruling:
    terms, known = subject.terms, subject.known
    steps = f"Void it in {terms.title} by hand, then decide theirs."
    if (gap := terms.cannot(Ability.VOID, "cancelled", steps)) is not None:
        return Ruling(gap)
    decision = decision_on(known, subject.invoice_key, subject.invoice_hash)
    if is_edited(known, link, remote) and not (decision is not None and decision.choice == "ours"):
        return Ruling(edited_there(terms, remote, None))
    return plan_void(terms, known, link, remote, subject.invoice_hash)


def _credit(subject: Subject, link: Link, remote: RemoteDocument) -> Plan:
    """What is unpaid of it is credited; it is in step once nothing of it is paid either."""
    terms, known = subject.terms, subject.known
    total = int(link.facts.get("total", remote.total))
    unpaid = total - min(applied(subject), total)
    if unpaid == 0:
        return Ruling(_paid_part(subject) or terms.say(Code.CREDITED)), []
    if remote.status in (Status.DRAFT, Status.SUBMITTED):
        return Ruling(terms.say(Code.AWAITING_APPROVAL, "", remote_id=remote.id)), []
    if _allocation_key(subject) not in known.links and remote.due != unpaid:
        return Ruling(_not_as_in_qualy(subject, remote, unpaid)), []
    credit = _credit_of(subject, remote, unpaid)
    note = _planned(subject, Leg.CREDIT_NOTE, credit, plan_credit(terms, known, credit))
    use = plan_allocation(terms, known, credit, subject.record.id, note)
    planned = [note, _planned(subject, Leg.ALLOCATION, credit, use)]
    return Ruling(_standing(subject, planned)), planned


def applied(subject: Subject) -> int:
    """What the tool should show as applied: the receipts, or, where those are not booked, what was refunded."""
    payments = subject.terms.accounting.payments
    if payments.mark_paid and payments.as_ == "invoice":
        return subject.receipts.received
    return subject.receipts.received - subject.receipts.net


def _standing(subject: Subject, planned: list[Planned]) -> Outcome:
    """What is said of the document itself: credited once both legs are in step, and nothing of it is paid."""
    for one in planned:
        if one.outcome is None or one.outcome.meaning.group is not Group.IN_STEP:
            return subject.terms.say(Code.WAITING_FOR, leg=str(one.leg), id=one.source_id)
    return _paid_part(subject) or subject.terms.say(Code.CREDITED)


def _paid_part(subject: Subject) -> Outcome | None:
    """Money that stays with us of a payment that was called off."""
    if subject.receipts.net <= 0:
        return None
    kept = Money(subject.receipts.net, subject.payment.currency)
    return subject.needs_decision(
        "cancelled and paid",
        f"It was cancelled in Qualy, and {kept} that was paid on it was not refunded.",
        "Refund it in Qualy, or book in the tool what becomes of the money and decide theirs.",
    )


def _not_as_in_qualy(subject: Subject, remote: RemoteDocument, unpaid: int) -> Outcome:
    """The tool shows another amount unpaid than Qualy: our own receipts may still be on their way."""
    key = (str(Leg.SETTLEMENT), "")
    for charge in subject.receipts.final:
        key = (str(Leg.SETTLEMENT), charge.id)
        if key not in subject.known.links:
            return subject.terms.say(Code.WAITING_FOR, leg=key[0], id=key[1])
    return subject.terms.say(
        Code.PAID_THERE,
        there=Money(remote.paid + remote.credited, remote.currency),
        total=Money(remote.total, remote.currency),
        ours=Money(remote.total - unpaid, remote.currency),
        remote_id=remote.id,
    )


def _credit_of(subject: Subject, remote: RemoteDocument, amount: int) -> Credit:
    key = _note_key(subject)
    fixed = frozen_values(subject.known, key, subject.invoice_hash)
    link = subject.known.links.get(key)
    day = str((link.facts if link else fixed).get("date") or "")
    return Credit(
        key=key,
        of=subject.invoice_key,
        contact=subject.terms.contact_key(Leg.CONTACT, subject.payment.contact, remote.currency),
        remote=remote,
        amount=amount,
        day=date.fromisoformat(day) if day else cancelled_on(subject),
        payment_id=subject.record.id,
        source_hash=subject.invoice_hash,
        status=Status(subject.terms.accounting.payments.invoice_status),
    )


def cancelled_on(subject: Subject) -> date:
    """The day Qualy shows (`canceledAt`), else the day extraction first saw it."""
    zone = subject.terms.organisation.zone
    moment = subject.payment.cancelled_at or subject.record.seen_at
    return local_day(moment, zone) if moment is not None else subject.day


def _note_key(subject: Subject) -> Key:
    return (str(Leg.CREDIT_NOTE), subject.record.id)


def _allocation_key(subject: Subject) -> Key:
    return (str(Leg.ALLOCATION), subject.record.id)


def _planned(subject: Subject, leg: Leg, credit: Credit, ruling: Ruling) -> Planned:
    return subject.planned(
        subject.record, leg, credit.source_hash, ruling, credit.amount, subject.payment.currency, credit.day
    )


def credited_and_back(subject: Subject) -> Outcome | None:
    """It was credited because it was called off, and is asked for again: a person undoes the credit first."""
    if _note_key(subject) not in subject.known.links:
        return None
    return subject.terms.say(Code.WAITING_FOR, leg=str(Leg.CREDIT_NOTE), id=subject.record.id)


def no_longer(subject: Subject, planned: list[Planned]) -> list[Planned]:
    """Legs of a credit that had an outcome once and are not asked for now: they say so, and stand where they stand."""
    known, said = subject.known, {one.key for one in planned}
    found: list[Planned] = []
    for leg in (Leg.CREDIT_NOTE, Leg.ALLOCATION):
        key: Key = (str(leg), subject.record.id)
        if key in said or (key not in known.shown and key not in known.links):
            continue
        found.append(_nothing(subject, leg, Ruling(_no_longer(subject, key))))
    return found


def _no_longer(subject: Subject, key: Key) -> Outcome:
    """What is said of a leg of the credit that is not asked for now."""
    terms, booked = subject.terms, key in subject.known.links
    if (waits := under_way(terms, subject.known, key)) is not None:
        return waits
    if is_cancelled(subject.trouble):
        return terms.say(Code.CREDITED) if booked else subject.invoice_first()
    if not booked:
        return terms.say(Code.NOTHING_DUE, why="it is not cancelled, or nothing of it has to be credited")
    return subject.needs_decision(
        "no longer cancelled",
        "It was credited because it was cancelled, and is no longer cancelled in Qualy.",
        f"Undo the credit in {terms.title} by hand, then decide theirs.",
    )


def _nothing(subject: Subject, leg: Leg, ruling: Ruling) -> Planned:
    currency = subject.payment.currency
    return subject.planned(subject.record, leg, subject.invoice_hash, ruling, 0, currency, subject.day)
