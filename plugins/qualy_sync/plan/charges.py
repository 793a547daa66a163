"""The settlement legs of one payment: which of its transactions are applied to its invoice, and as how many. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from qualy_sync.contracts.accounting import NewSettlement
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Leg, Transaction
from qualy_sync.outcomes import Code, Group, Outcome

from .amounts import is_refund
from .dates import settlement_day
from .decisions import at_once, final_word
from .redating import lock_problem
from .refs import make_ref
from .refunds import plan_refund
from .reversals import plan_reversal
from .settlements import (
    Charge,
    Strangers,
    above_the_total,
    all_charges,
    charge_hash,
    hash_of_all,
    one_charge,
    plan_settlement,
    settlement_account,
    whole_ref,
)
from .standing import is_cancelled
from .subject import Subject, transaction_failure
from .values import Key, Planned, Ruling, Terms, fingerprint, taken_back

# What is said of an invoice that was called off, without its document as such being in question.
_OF_CANCELLED = frozenset({Code.WAITING_FOR, Code.NEEDS_DECISION, Code.CREDITED})


def plan_charges(subject: Subject, records: Sequence[Record], invoice: Planned) -> list[Planned]:
    """What becomes of a payment's transactions, in the order of their days."""
    strangers = _strangers(subject, records)
    whole = _whole(subject)
    planned: dict[str, Planned] = {}
    notes: list[Planned] = []
    for record in sorted(records, key=lambda one: _place(subject, whole, one)):
        if isinstance(record.noun, Transaction) and is_refund(record.noun):
            planned[record.id], *more = plan_refund(subject, record, record.noun, invoice)
            notes += more
            continue
        carrier = planned.get(whole.carrier) if whole is not None and record.id in whole.covered else None
        planned[record.id] = _plan(subject, record, invoice, strangers, whole, carrier)
    in_order = sorted(records, key=lambda one: _place(subject, None, one))
    return [*_within_due(subject, [planned[record.id] for record in in_order]), *notes]


def _strangers(subject: Subject, records: Sequence[Record]) -> Strangers:
    ids = [record.id for record in records]
    links = [link for one in ids if (link := subject.known.links.get((str(Leg.SETTLEMENT), one)))]
    refs = {make_ref(Leg.SETTLEMENT, one) for one in ids} | {whole_ref(subject.record.id)}
    return Strangers(refs | {link.ref for link in links}, {link.remote_id for link in links})


@dataclass(frozen=True, slots=True)
class Whole:
    """One settlement for several charges: booked, under way, or to be made (then `charge` is what to make).

    `carrier` is the charge that has the link; `covered` are the others.
    """

    carrier: str
    covered: frozenset[str]
    source_hash: str
    charge: Charge | None = None


def _whole(subject: Subject) -> Whole | None:
    """The settlement that stands for all charges, where there is one or should be one."""
    by_id = {transaction.id: transaction for transaction in subject.transactions}
    for transaction in subject.transactions:
        covers = _covers(subject, transaction.id)
        if covers:
            still = [by_id[one] for one in covers if one in by_id]
            return Whole(transaction.id, frozenset(covers) - {transaction.id}, hash_of_all(still))
    charge = _together(subject)
    if charge is None:
        return None
    return Whole(charge.carrier.id, frozenset(charge.covers) - {charge.carrier.id}, charge.source_hash, charge)


def _covers(subject: Subject, transaction_id: str) -> Sequence[str]:
    """The charges that a link, or an attempt that is under way, of this one stands for; empty where only for itself."""
    key: Key = (str(Leg.SETTLEMENT), transaction_id)
    link, frozen = subject.known.links.get(key), subject.known.frozen.get(key)
    if link is not None:
        return tuple(link.facts.get("covers", ()))
    if frozen is not None and key in subject.known.pending:
        return tuple(frozen.values.get("covers", ()))
    return ()


def _together(subject: Subject) -> Charge | None:
    """One settlement for all charges, where the settings say so, everything is paid and the charges allow it."""
    charges = [charge for charge in subject.receipts.final if charge.amount]
    if subject.terms.accounting.settlement.mode != "when_fully_paid" or subject.once_paid() is not True or not charges:
        return None
    keys = [(str(Leg.SETTLEMENT), charge.id) for charge in charges]
    known = subject.known
    if any(key in known.links or key in known.pending or key in known.decisions for key in keys):
        return None
    accounts = [settlement_account(subject.terms, charge) for charge in charges]
    codes = [account for account in accounts if isinstance(account, str)]
    if len(codes) != len(accounts):
        return None
    return all_charges(charges, [_day(subject, charge) for charge in charges], codes)


def _plan(
    subject: Subject,
    record: Record,
    invoice: Planned,
    strangers: Strangers,
    whole: Whole | None,
    carrier: Planned | None,
) -> Planned:
    """One transaction. `carrier` is what was planned of the charge that stands for this one too."""
    transaction = record.noun if isinstance(record.noun, Transaction) else None
    source_hash = fingerprint([record.hash]) if transaction is None else charge_hash(transaction)
    if whole is not None and whole.carrier == record.id:
        source_hash = whole.source_hash
    if carrier is not None:
        ruling = _covered(subject, record, source_hash, carrier)
    else:
        ruling = _ruling(subject, record, transaction, source_hash, invoice, strangers, whole)
    amount, currency = (transaction.amount, transaction.currency) if transaction else (0, "")
    return subject.planned(record, Leg.SETTLEMENT, source_hash, ruling, amount, currency, _booked_day(subject, record))


def _covered(subject: Subject, record: Record, source_hash: str, carrier: Planned) -> Ruling:
    """A charge that another one's settlement stands for shares its fate."""
    key = (str(Leg.SETTLEMENT), record.id)
    if key in subject.known.links or key in subject.known.pending or record.gone or record.noun is None:
        stands = at_once(subject.terms, subject.known, record, Leg.SETTLEMENT, source_hash)
        if stands is not None:
            return Ruling(stands)
    if carrier.outcome is not None and carrier.outcome.meaning.group is Group.IN_STEP:
        return Ruling(subject.terms.say(carrier.outcome.code))
    return Ruling(subject.terms.say(Code.WAITING_FOR, leg=str(Leg.SETTLEMENT), id=carrier.source_id))


def _ruling(
    subject: Subject,
    record: Record,
    transaction: Transaction | None,
    source_hash: str,
    invoice: Planned,
    strangers: Strangers,
    whole: Whole | None,
) -> Ruling:
    terms, known = subject.terms, subject.known
    failure = transaction_failure(terms, record)
    link = known.links.get((str(Leg.SETTLEMENT), record.id))
    if link is not None and transaction is not None and not _is_final(terms, transaction):
        final = final_word(terms, known, record, Leg.SETTLEMENT, source_hash)
        return Ruling(final) if final is not None else plan_reversal(subject, transaction, source_hash, link)
    again = link is not None and bool(taken_back(link))
    stands = at_once(terms, known, record, Leg.SETTLEMENT, source_hash, failure)
    if transaction is None or (stands is not None and not again):
        return Ruling(_all_of_it(subject, transaction, link, stands) or terms.say(Code.MALFORMED))
    if again and (final := final_word(terms, known, record, Leg.SETTLEMENT, source_hash)) is not None:
        return Ruling(final)
    no_money = _not_money(subject, transaction) or _not_settled(subject, invoice)
    if no_money is not None:
        return Ruling(no_money)
    charge = whole.charge if whole is not None and whole.carrier == record.id else None
    if charge is None:
        account = settlement_account(subject.terms, transaction)
        if isinstance(account, Outcome):
            return Ruling(account)
        part = subject.part_due(transaction)
        if part == 0:
            return Ruling(_above(subject, transaction, 0))
        generation = link.generation + 1 if link is not None else 1
        charge = replace(
            one_charge(transaction, part, _day(subject, transaction), account, generation),
            said=subject.said_rate(transaction),
        )
    lock = _invoice_lock(subject)
    ruling = plan_settlement(subject.terms, subject.known, charge, subject.invoice_key, strangers, lock)
    if ruling.outcome is None and not subject.booked:
        return replace(ruling, outcome=_document_to_come(subject, invoice))
    return ruling


def _is_final(terms: Terms, transaction: Transaction) -> bool:
    return transaction.status in terms.settings.source.final_transaction_statuses


def _all_of_it(
    subject: Subject, transaction: Transaction | None, link: Link | None, stands: Outcome | None
) -> Outcome | None:
    """A charge of which only the part that was due is applied: the rest is held until Qualy gives it back."""
    if transaction is None or link is None or stands is None or stands.meaning.group is not Group.IN_STEP:
        return stands
    applied = int(link.facts.get("amount", transaction.amount))
    if applied >= transaction.amount or link.facts.get("covers"):
        return stands
    return _above(subject, transaction, applied) if link.facts.get("part") else stands


def _above(subject: Subject, transaction: Transaction, applied: int) -> Outcome:
    """What of a charge is more than is due: overpaid, unless refunds gave all of it back since."""
    given_back = sum(abs(one.amount) for one in subject.receipts.refunds)
    if given_back >= subject.surplus:
        if applied:
            return subject.terms.say(Code.PAID)
        return subject.terms.say(Code.NOTHING_DUE, why="it was more than is due, and was given back")
    return subject.terms.say(Code.OVERPAID, "", problem=above_the_total(transaction, applied))


def _not_money(subject: Subject, transaction: Transaction) -> Outcome | None:
    """A transaction that no setting and no payment could ever make a settlement of, or not yet."""
    terms, source = subject.terms, subject.terms.settings.source
    if not terms.accounting.payments.mark_paid:
        return terms.say(Code.NEVER_SYNCED, setting="payments.mark_paid")
    if terms.accounting.payments.as_ == "bill":
        return terms.say(Code.NEVER_SYNCED, setting="payments.as")
    if transaction.status in source.failed_transaction_statuses:
        return subject.excluded or terms.say(Code.NOTHING_DUE, why="the charge failed")
    if subject.excluded is not None:
        return _excluded(subject, subject.excluded, transaction)
    trouble = None if is_cancelled(subject.trouble) else subject.trouble  # what was paid of it is money all the same
    if transaction.status not in source.final_transaction_statuses and (
        trouble is None or transaction.status in source.disputed_transaction_statuses
    ):
        return _not_final(subject, transaction)
    if trouble is not None:
        return trouble
    if transaction.currency != subject.payment.currency:
        return subject.needs_decision(
            "other currency",
            "It was paid in another currency than it is due in.",
            "Settle it by hand, then decide theirs.",
        )
    return terms.say(Code.NOTHING_DUE, why="its amount is zero") if transaction.amount == 0 else None


def _excluded(subject: Subject, excluded: Outcome, transaction: Transaction) -> Outcome:
    """Money for a payment of which nothing is booked: on purpose, unless nothing was due and yet somebody paid."""
    final = transaction.status in subject.terms.settings.source.final_transaction_statuses
    if excluded.code is not Code.NOTHING_DUE or not final or transaction.amount == 0:
        return excluded
    return subject.needs_decision(
        "money that was not due",
        f"Money moved, but nothing was booked for its payment: {excluded.detail['why']}.",
        f"Book it in {subject.terms.title} by hand, then decide theirs.",
    )


def _not_final(subject: Subject, transaction: Transaction) -> Outcome:
    source, status = subject.terms.settings.source, transaction.status
    if status in source.disputed_transaction_statuses:
        return subject.needs_decision(
            "disputed", "A charge is disputed.", "Wait for the dispute, or book it by hand and decide theirs."
        )
    if status in source.pending_transaction_statuses:
        return subject.terms.say(Code.NOT_YET_PAID, status=status)
    return subject.needs_decision(
        f"transaction status {status}",
        f"Qualy's status “{status}” of a transaction is not listed in the settings.",
        "List it in the settings, under one of the lists of transaction statuses of source.",
    )


def _not_settled(subject: Subject, invoice: Planned) -> Outcome | None:
    """Money that is there, and yet is not applied: not all is paid, or the invoice is in question."""
    if subject.terms.accounting.settlement.mode == "when_fully_paid" and not is_cancelled(subject.trouble):
        paid = subject.once_paid()
        if isinstance(paid, Outcome):
            return paid
        if not paid:
            return subject.terms.say(Code.NOT_YET_PAID, status=subject.payment.status)
    outcome = invoice.outcome
    if outcome is not None and outcome.code is Code.IGNORED:
        return outcome
    if subject.booked and is_cancelled(subject.trouble) and outcome is not None and outcome.code in _OF_CANCELLED:
        return None  # what was received is applied first: the rest of the invoice is credited after that
    return subject.waits_for(invoice)


def _document_to_come(subject: Subject, invoice: Planned) -> Outcome | None:
    """Why a settlement of an invoice that is not booked yet could not follow at once."""
    if not invoice.due:
        return subject.invoice_first()
    if subject.terms.accounting.payments.invoice_status != "authorised":
        return subject.terms.say(Code.AWAITING_APPROVAL)
    return None


def _invoice_lock(subject: Subject) -> Outcome | None:
    """Whether the booked invoice lies in a locked period, by the date that it has there."""
    link = subject.known.links.get(subject.invoice_key)
    if link is None:
        return None
    document = subject.known.documents_by_id.get(link.remote_id)
    return lock_problem(subject.terms, document.date if document else subject.day, "document")


def _within_due(subject: Subject, planned: list[Planned]) -> list[Planned]:
    """No more than what is due is sent in one go: what would exceed it waits for the fresh reading."""
    link = subject.known.links.get(subject.invoice_key)
    document = subject.known.documents_by_id.get(link.remote_id) if link else None
    if document is None:
        return planned
    left = document.due
    kept: list[Planned] = []
    for one in planned:
        if not one.due or one.step is None or not isinstance(one.step.new, NewSettlement):
            kept.append(one)
        elif one.step.amount > left:
            kept.append(replace(one, outcome=subject.terms.say(Code.ITS_TURN, why="another settlement goes first")))
        else:
            kept.append(replace(one, step=replace(one.step, seen={"due": left})))
            left -= one.step.amount
    return kept


def _day(subject: Subject, transaction: Transaction) -> date:
    return settlement_day(transaction, subject.terms.accounting, subject.terms.organisation.zone)


def _booked_day(subject: Subject, record: Record) -> date:
    """The day of a settlement as booked, else as the settings read it."""
    link: Link | None = subject.known.links.get((str(Leg.SETTLEMENT), record.id))
    if link is not None and "date" in link.facts:
        return date.fromisoformat(str(link.facts["date"]))
    if not isinstance(record.noun, Transaction) or transaction_failure(subject.terms, record) is not None:
        return subject.day
    return _day(subject, record.noun)


def _place(subject: Subject, whole: Whole | None, record: Record) -> tuple[int, date, str, str]:
    """In order of their days; the one that stands for others first, since their fate is its own."""
    first = whole is not None and whole.carrier == record.id
    noun = record.noun
    created = noun.created_at.isoformat() if isinstance(noun, Transaction) else ""
    return (0 if first else 1, _booked_day(subject, record), created, record.id)
