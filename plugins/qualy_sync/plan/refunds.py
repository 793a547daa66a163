"""Refunds: what Qualy gave back of a receipt. Pure.

Of money that was applied to the invoice: a credit note, then the money out of the account where the receipt went (or
one document that is both, where the tool wants it so). Where receipts are not booked, the invoice is unpaid in the
tool: then the credit is applied to it. What gives back a surplus gives back what was never booked.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from qualy_sync.contracts.accounting import (
    GONE,
    Ability,
    Basis,
    Line,
    NewRefund,
    RemoteDocument,
    RemoteSettlement,
    Status,
    What,
)
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Item, Leg, Money, Transaction
from qualy_sync.outcomes import Code, Group, Outcome

from .credits import Credit, by_hand_too, plan_allocation, plan_credit
from .dates import settlement_day
from .decisions import final_word, under_way
from .found import judge_document, judge_settlement
from .lines import document_lines
from .posted import scaled, settlement_there
from .rates import rated
from .redating import lock_problem
from .refs import make_ref
from .settlements import charge_hash
from .subject import Subject, transaction_failure
from .values import Key, Planned, Ruling, Step, fingerprint, frozen_values, hold_back, link_of

NOTE_LEGS = (Leg.CREDIT_NOTE, Leg.ALLOCATION)


def plan_refund(subject: Subject, record: Record, refund: Transaction, invoice: Planned) -> list[Planned]:
    """The refund's own leg (money given back) first, then those of its credit."""
    source_hash = charge_hash(refund)
    ruling, more = _ruling(subject, record, refund, source_hash, invoice)
    mine = _planned(subject, record, Leg.SETTLEMENT, source_hash, ruling, refund.amount, _day(subject, refund))
    return [mine, *more, *_no_longer(subject, record, source_hash, more)]


def _ruling(
    subject: Subject, record: Record, refund: Transaction, source_hash: str, invoice: Planned
) -> tuple[Ruling, list[Planned]]:
    terms, known = subject.terms, subject.known
    key: Key = (str(Leg.SETTLEMENT), record.id)
    final = final_word(terms, known, record, Leg.SETTLEMENT, source_hash)
    final = final or transaction_failure(terms, record)
    if final is not None:
        return Ruling(final), []
    booked = any((str(leg), record.id) in known.links for leg in (Leg.SETTLEMENT, *NOTE_LEGS))
    nothing = _not_a_refund(subject, record, refund, booked=booked) or _waits(subject, invoice)
    if nothing is not None:
        return Ruling(nothing), []
    remote = _document(subject)
    if remote is None:
        return Ruling(subject.invoice_first()), []
    charge = _receipt(subject, refund)
    if charge is None:
        why = "it names none" if not refund.ref else "it names one that is not there, or that is no receipt of it"
        return Ruling(terms.say(Code.REFUND_UNLINKED, "", problem=why)), []
    if not _receipts_are_booked(subject):
        return _applied(subject, record, refund, source_hash, remote)
    account = _account(subject, charge)
    if account is None:
        return Ruling(terms.say(Code.WAITING_FOR, leg=str(Leg.SETTLEMENT), id=charge.id)), []
    if terms.ways.refund_alone:
        return _alone(subject, record, refund, source_hash, remote, account), []
    credit = _credit(subject, record, refund, source_hash, remote)
    note = _of_credit(subject, record, Leg.CREDIT_NOTE, credit, plan_credit(terms, known, credit))
    planned = [note]
    note_link = known.links.get(credit.key) or note.link
    if (link := known.links.get(key)) is not None:
        return Ruling(_standing(subject, refund, link, note)), planned
    if note_link is None and not note.due:
        waits = terms.say(Code.WAITING_FOR, leg=str(Leg.CREDIT_NOTE), id=record.id)
        return Ruling(by_hand_too(terms, note, "the money given back") or waits), planned
    step = _step(subject, record, refund, source_hash, remote, account, note_link)
    return _give_back(subject, refund, step, note_link), planned


def _not_a_refund(subject: Subject, record: Record, refund: Transaction, *, booked: bool) -> Outcome | None:
    """Nothing was given back, not yet, or nothing that was ever booked."""
    terms, source = subject.terms, subject.terms.settings.source
    if record.gone:
        never = terms.say(Code.NOTHING_DUE, why="Qualy no longer has it, and it was never booked")
        return terms.say(Code.GONE_AT_SOURCE) if booked else never
    if terms.accounting.payments.as_ == "bill":
        return terms.say(Code.NEVER_SYNCED, setting="payments.as")
    if refund.status not in source.final_transaction_statuses:
        return _not_final(subject, refund, booked=booked)
    if subject.excluded is not None:
        return subject.excluded
    if refund.currency != subject.payment.currency:
        return subject.needs_decision(
            "other currency", "It gives back another currency.", "Book it by hand, then decide theirs."
        )
    if refund.amount == 0:
        return terms.say(Code.NOTHING_DUE, why="its amount is zero")
    return _of_surplus(subject, refund) if not booked else None


def _not_final(subject: Subject, refund: Transaction, *, booked: bool) -> Outcome:
    terms, source = subject.terms, subject.terms.settings.source
    if booked:
        there = Money(abs(refund.amount), refund.currency)
        return terms.say(Code.REVERSED_AT_SOURCE, "", status=refund.status, problem=f"{there}, given back")
    if refund.status in source.failed_transaction_statuses:
        return terms.say(Code.NOTHING_DUE, why="the refund failed")
    if refund.status in source.pending_transaction_statuses:
        return terms.say(Code.NOT_YET_PAID, status=refund.status)
    return subject.needs_decision(
        f"transaction status {refund.status}",
        f"Qualy's status “{refund.status}” of a refund is not final, and means nothing by itself.",
        "List it in the settings, under one of the lists of transaction statuses of source.",
    )


def _of_surplus(subject: Subject, refund: Transaction) -> Outcome | None:
    """What gives back more than was due gives back what was never booked; the first refunds do."""
    left = subject.surplus
    for one in subject.receipts.refunds:
        take = min(abs(one.amount), left)
        if one.id != refund.id:
            left -= take
            continue
        if take == abs(one.amount):
            return subject.terms.say(
                Code.NOTHING_DUE, why="it gives back what was above the total, which is not booked"
            )
        if take:
            return subject.needs_decision(
                "refund of a surplus",
                f"{Money(take, one.currency)} of it gives back what was above the total, the rest what was due.",
                f"Book the rest in {subject.terms.title} by hand, then decide theirs.",
            )
    return None


def _waits(subject: Subject, invoice: Planned) -> Outcome | None:
    """The invoice is not there, or in question; one that was called off or credited is not."""
    outcome = invoice.outcome
    if outcome is not None and outcome.code is Code.IGNORED:
        return outcome
    if not subject.booked:
        return subject.waits_for(invoice) or subject.invoice_first()
    return None


def _document(subject: Subject) -> RemoteDocument | None:
    link = subject.known.links.get(subject.invoice_key)
    remote = subject.known.documents_by_id.get(link.remote_id) if link else None
    return remote if remote is not None and remote.status not in GONE else None


def _receipt(subject: Subject, refund: Transaction) -> Transaction | None:
    """The charge of the same payment that it gives back."""
    return next((one for one in subject.transactions if one.id == refund.ref and one.amount > 0), None)


def _receipts_are_booked(subject: Subject) -> bool:
    return subject.terms.accounting.payments.mark_paid


def _account(subject: Subject, charge: Transaction) -> str | None:
    """Where the receipt that is given back was applied from, as booked."""
    links = [subject.known.links.get((str(Leg.SETTLEMENT), one.id)) for one in subject.transactions]
    mine = subject.known.links.get((str(Leg.SETTLEMENT), charge.id))
    carriers = [link for link in links if link is not None and charge.id in link.facts.get("covers", ())]
    for link in (mine, *carriers):
        if link is None:
            continue
        there = settlement_there(subject.known, link)
        return there.account if there is not None and there.account else str(link.facts.get("account") or "") or None
    return None


# -- the credit ----------------------------------------------------------------------------------------------------


def _credit(subject: Subject, record: Record, refund: Transaction, source_hash: str, remote: RemoteDocument) -> Credit:
    key: Key = (str(Leg.CREDIT_NOTE), record.id)
    link = subject.known.links.get(key)
    fixed = link.facts if link else frozen_values(subject.known, key, source_hash)
    return Credit(
        key=key,
        of=subject.invoice_key,
        contact=subject.terms.contact_key(Leg.CONTACT, subject.payment.contact, remote.currency),
        remote=remote,
        amount=abs(refund.amount),
        day=date.fromisoformat(str(fixed["date"])) if "date" in fixed else _day(subject, refund),
        payment_id=subject.record.id,
        source_hash=source_hash,
        status=Status(subject.terms.accounting.payments.invoice_status),
        lines=_given_lines(subject, refund),
        said=subject.said_rate(refund),
    )


def _given_lines(subject: Subject, refund: Transaction) -> tuple[Line, ...] | None:
    """The items that Qualy names on the refund, as lines; None where it names none that come to its amount."""
    given: Any = (refund.model_extra or {}).get("items")
    if not isinstance(given, list) or not given:
        return None
    try:
        items = tuple(Item.model_validate(one) for one in given)
    except ValidationError:
        return None
    items = tuple(item.model_copy(update={"amount": abs(item.amount)}) for item in items)
    if sum(item.amount for item in items) != abs(refund.amount):
        return None
    payment = subject.payment.model_copy(update={"items": items})
    lines = document_lines(subject.terms, payment, (), subject.partner_names, {})
    return None if isinstance(lines, Outcome) else lines


def _applied(
    subject: Subject, record: Record, refund: Transaction, source_hash: str, remote: RemoteDocument
) -> tuple[Ruling, list[Planned]]:
    """Receipts are not booked, so the invoice is unpaid there: the credit is applied to it, and no money moves."""
    credit = _credit(subject, record, refund, source_hash, remote)
    note = _of_credit(subject, record, Leg.CREDIT_NOTE, credit, plan_credit(subject.terms, subject.known, credit))
    use = plan_allocation(subject.terms, subject.known, credit, record.id, note)
    planned = [note, _of_credit(subject, record, Leg.ALLOCATION, credit, use)]
    return Ruling(subject.terms.say(Code.NEVER_SYNCED, setting="payments.mark_paid")), planned


def _of_credit(subject: Subject, record: Record, leg: Leg, credit: Credit, ruling: Ruling) -> Planned:
    return _planned(subject, record, leg, credit.source_hash, ruling, credit.amount, credit.day)


# -- the money -----------------------------------------------------------------------------------------------------


def _step(
    subject: Subject,
    record: Record,
    refund: Transaction,
    source_hash: str,
    remote: RemoteDocument,
    account: str,
    note: Link | None,
) -> Step:
    key: Key = (str(Leg.SETTLEMENT), record.id)
    fixed = frozen_values(subject.known, key, source_hash)
    day = date.fromisoformat(fixed["date"]) if "date" in fixed else _day(subject, refund)
    ref, amount, note_id = make_ref(Leg.SETTLEMENT, record.id), abs(refund.amount), note.remote_id if note else ""
    lines = remote.lines or ()
    shares = scaled(lines, amount, remote.total) if lines and remote.total else []
    given = _given_lines(subject, refund)
    own = tuple(
        Line(line.description, share, line.account, line.tax) for line, share in zip(lines, shares, strict=False)
    )
    new = NewRefund(
        ref=ref,
        note_id=note_id,
        contact_id=remote.contact_id,
        account=account,
        date=day,
        amount=amount,
        currency=refund.currency,
        basis=remote.basis or Basis.EXCLUSIVE,
        lines=given or own,
    )
    return Step(
        what=What.REFUND,
        leg=Leg.SETTLEMENT,
        source_id=record.id,
        ref=ref,
        sought=ref,
        new=new,
        source_hash=source_hash,
        content_hash=fingerprint(["refund", subject.invoice_key, account, day, amount, refund.currency]),
        amount=amount,
        currency=refund.currency,
        needs=subject.invoice_key if subject.terms.ways.refund_alone else (str(Leg.CREDIT_NOTE), record.id),
        facts={
            "what": str(What.REFUND),
            "date": day.isoformat(),
            "account": account,
            "amount": amount,
            "total": amount,
            "currency": refund.currency,
            "document_id": note_id,
            "contact_id": remote.contact_id,
            "refund": True,
        },
    )


def _give_back(subject: Subject, refund: Transaction, step: Step, note: Link | None) -> Ruling:
    """The money out of the account: found there, in the way, or the step."""
    terms, known, said = subject.terms, subject.known, subject.said_rate(refund)
    steps = f"Pay it out in {terms.title} by hand, then decide theirs."
    if (gap := terms.cannot(Ability.REFUND, "refund", steps)) is not None:
        return Ruling(gap)
    if (found := _found(subject, step)) is not None:
        return found
    if (held := hold_back(terms, known, step)) is not None:
        return Ruling(held, step)
    there = known.documents_by_id.get(note.remote_id) if note else None
    if there is not None and there.status in (Status.DRAFT, Status.SUBMITTED):
        return Ruling(terms.say(Code.AWAITING_APPROVAL, "", remote_id=there.id), step)
    if there is not None and there.due < step.amount:
        used = Money(there.paid + there.credited, there.currency)
        total, ours = Money(there.total, there.currency), Money(step.amount, there.currency)
        return Ruling(terms.say(Code.PAID_THERE, there=used, total=total, ours=ours, remote_id=there.id), step)
    day = date.fromisoformat(str(step.facts["date"]))
    fixed = frozen_values(known, (str(Leg.SETTLEMENT), refund.id), step.source_hash)
    return rated(terms, Ruling(lock_problem(terms, day, "refund"), step), said, refund, fixed)


def _found(subject: Subject, step: Step) -> Ruling | None:
    """Our refund, there already without a link."""
    terms, known = subject.terms, subject.known
    payments = known.settlements_by_ref.get(step.ref, ())
    receipts = [one for one in known.documents_by_ref.get(step.ref, ()) if one.what is What.REFUND]
    judged: RemoteSettlement | RemoteDocument | Outcome
    if payments:
        judged = judge_settlement(terms, payments, step.facts)
    elif receipts:
        judged = judge_document(terms, receipts, step.facts)
    else:
        return None
    if isinstance(judged, Outcome):
        return Ruling(judged)
    return Ruling(terms.say(Code.CREDITED), link=link_of(terms, step, judged, "adopted", step.facts))


def _alone(
    subject: Subject, record: Record, refund: Transaction, source_hash: str, remote: RemoteDocument, account: str
) -> Ruling:
    """One document that credits and gives back. A part of an invoice needs `refund_lines`, as a credit note does."""
    terms, known = subject.terms, subject.known
    link = known.links.get((str(Leg.SETTLEMENT), record.id))
    if link is not None:
        return Ruling(_standing(subject, refund, link, None))
    amount = abs(refund.amount)
    whole = amount == remote.total or _given_lines(subject, refund) is not None
    if not whole and terms.accounting.payments.refund_lines == "hold":
        return Ruling(
            subject.needs_decision(
                "refund lines",
                f"{Money(amount, remote.currency)} of {Money(remote.total, remote.currency)} was given back, and Qualy"
                " does not say of which items.",
                f"Book the refund in {terms.title} by hand and decide theirs, or set payments.refund_lines:"
                " proportional.",
            )
        )
    if not remote.lines:
        return Ruling(subject.invoice_first())
    step = _step(subject, record, refund, source_hash, remote, account, None)
    return _give_back(subject, refund, step, None)


def _standing(subject: Subject, refund: Transaction, link: Link, note: Planned | None) -> Outcome:
    """What is said of a refund that is booked."""
    terms, known = subject.terms, subject.known
    there = settlement_there(known, link) or known.documents_by_id.get(link.remote_id)
    if there is not None and there.status in GONE:
        return terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id)
    if note is not None and (note.outcome is None or note.outcome.meaning.group is not Group.IN_STEP):
        return terms.say(Code.WAITING_FOR, leg=str(Leg.CREDIT_NOTE), id=note.source_id)
    given_back = int(link.facts.get("amount", abs(refund.amount)))
    if given_back != abs(refund.amount):
        was, now = Money(given_back, refund.currency), Money(abs(refund.amount), refund.currency)
        return subject.needs_decision(
            "refund changed",
            f"{was} was given back there, Qualy's refund is {now} since.",
            f"Make {terms.title} agree by hand, then decide theirs.",
        )
    return terms.say(Code.CREDITED)


def _planned(
    subject: Subject, record: Record, leg: Leg, source_hash: str, ruling: Ruling, amount: int, day: date
) -> Planned:
    return subject.planned(record, leg, source_hash, ruling, amount, subject.payment.currency, day)


def _day(subject: Subject, refund: Transaction) -> date:
    link = subject.known.links.get((str(Leg.SETTLEMENT), refund.id))
    if link is not None and "date" in link.facts:
        return date.fromisoformat(str(link.facts["date"]))
    return settlement_day(refund, subject.terms.accounting, subject.terms.organisation.zone)


def _no_longer(subject: Subject, record: Record, source_hash: str, planned: list[Planned]) -> list[Planned]:
    """Legs of its credit that had an outcome once and are not asked for now: what is booked waits with the refund."""
    known, said = subject.known, {one.key for one in planned}
    found: list[Planned] = []
    for leg in NOTE_LEGS:
        key: Key = (str(leg), record.id)
        if key in said or (key not in known.shown and key not in known.links):
            continue
        if (waits := under_way(subject.terms, known, key)) is not None:
            outcome = waits
        elif key in known.links:
            outcome = subject.terms.say(Code.WAITING_FOR, leg=str(Leg.SETTLEMENT), id=record.id)
        else:
            outcome = subject.terms.say(Code.NOTHING_DUE, why="the refund needs no credit now")
        found.append(_planned(subject, record, leg, source_hash, Ruling(outcome), 0, subject.day))
    return found
