"""The bill leg: what a split owes to a partner; or our invoice for what the partner owes us. Pure."""

from __future__ import annotations

from datetime import date

from qualy_sync.contracts.accounting import Basis, Status, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Item, Leg, Money, Split
from qualy_sync.outcomes import Code, Outcome

from .amounts import completing_charge
from .changes import plan_change
from .dates import due_day, settlement_day
from .decisions import at_once, final_word
from .documents import Draft, currency_problem, fit_totals, linked_document, plan_document
from .lines import share_lines
from .mapping import role_of
from .reapply import reapplies
from .reduced import after_refund, called_off, no_credit, plan_reduced, surplus_only, take_back
from .shares import payable
from .subject import ContactBlocked, Subject
from .values import Planned, Ruling, decision_on, fingerprint, record_failure, taken_back


def plan_bill(subject: Subject, record: Record, invoice: Planned, contact_blocked: ContactBlocked) -> list[Planned]:
    """What becomes of a split, given what becomes of its payment's document: its bill, and a credit of that."""
    split = record.noun if isinstance(record.noun, Split) else None
    source_hash = split_hash(record)
    day = _day(subject, record)
    link = subject.known.links.get((str(Leg.BILL), record.id))
    credits: list[Planned] = []
    if link is not None and split is not None:
        ruling, credits = _later(subject, record, split, source_hash, link, day, invoice, contact_blocked)
    else:
        ruling = _ruling(subject, record, split, source_hash, invoice, day, contact_blocked)
    amount, currency = (split.amount, split.currency) if split else (0, "")
    bill = subject.planned(record, Leg.BILL, source_hash, ruling, amount, currency, day)
    return [bill, *credits, *no_credit(subject, record, source_hash, credits)]


def _later(
    subject: Subject,
    record: Record,
    split: Split,
    source_hash: str,
    link: Link,
    day: date,
    invoice: Planned,
    contact_blocked: ContactBlocked,
) -> tuple[Ruling, list[Planned]]:
    """A bill that stands in the tool: called off with its payment, changed with its split, or as it was."""
    terms, known = subject.terms, subject.known
    final = final_word(terms, known, record, Leg.BILL, source_hash)
    if final is not None:
        return Ruling(final), []
    off = called_off(subject, split)
    if off:
        return take_back(subject, record, source_hash, link, off), []
    if taken_back(link):
        held = _excluded(subject, split) or _not_paid_yet(subject, split) or _held(subject, split, invoice)
        if held is not None:
            return Ruling(held), []
        return _new(subject, record, split, source_hash, day, contact_blocked, link.generation + 1), []
    stands = linked_document(terms, known, link)
    if stands.code is Code.REMOVED_THERE:
        return Ruling(stands), []
    credit = plan_reduced(subject, record, split, source_hash, link)
    if credit is not None:
        return credit
    decision = decision_on(known, (str(Leg.BILL), record.id), source_hash)
    put_back = stands.code is Code.CHANGED_THERE and decision is not None and decision.choice == "ours"
    if link.source_hash == source_hash and not put_back and not reapplies(terms, link):
        return Ruling(after_refund(subject, link, split) or stands), []
    held = record_failure(terms, record) or _excluded(subject, split) or _shares_held(subject, split)
    if held is not None:
        return Ruling(held), []
    draft = _draft(subject, record, split, source_hash, day)
    if isinstance(draft, Outcome):
        return Ruling(draft), []
    return plan_change(terms, known, draft, link, contact_blocked(draft.contact)), []


def _shares_held(subject: Subject, split: Split) -> Outcome | None:
    problem = subject.share_problems.get(split.item) or subject.share_problems.get(split.id)
    return subject.terms.say(Code.SPLIT_UNCLEAR, "sums", problem=problem) if problem else None


def split_hash(record: Record) -> str:
    """What of a split matters to its bill."""
    split = record.noun
    if not isinstance(split, Split):
        return fingerprint([record.hash])
    due = split.due_at.isoformat() if split.due_at else None
    return fingerprint([split.type, split.currency, split.amount, split.partnership, split.item, split.tax, due])


def _day(subject: Subject, record: Record) -> date:
    """The bill's date: as booked; else of the pay-out, of the charge that completed the payment, or the invoice's."""
    link = subject.known.links.get((str(Leg.BILL), record.id))
    if link is not None and "date" in link.facts:
        return date.fromisoformat(str(link.facts["date"]))
    accounting = subject.terms.accounting
    when = _when(subject, record.noun) if isinstance(record.noun, Split) else accounting.splits.when
    if when == "when_paid_out" and isinstance(record.noun, Split):
        paid_out = subject.paid_out_day(record.noun)
        return paid_out if isinstance(paid_out, date) else subject.meant_day
    if when == "when_customer_paid" and subject.fully_paid() is True:
        charge = completing_charge(subject.receipts)
        if charge is not None:
            return settlement_day(charge, accounting, subject.terms.organisation.zone)
    return subject.meant_day


def _ruling(
    subject: Subject,
    record: Record,
    split: Split | None,
    source_hash: str,
    invoice: Planned,
    day: date,
    contact_blocked: ContactBlocked,
) -> Ruling:
    stands = at_once(subject.terms, subject.known, record, Leg.BILL, source_hash)
    if stands is not None or split is None:
        return Ruling(stands or subject.terms.say(Code.MALFORMED))
    held = _excluded(subject, split) or _not_paid_yet(subject, split) or _held(subject, split, invoice)
    return Ruling(held) if held is not None else _new(subject, record, split, source_hash, day, contact_blocked)


def _owed_to_us(subject: Subject, split: Split) -> bool:
    return payable(subject.terms, split, subject.partner_name(split)) == "owed_to_us"


def _when(subject: Subject, split: Split) -> str:
    """What a partner owes us is never paid out: it is due once the customer has paid."""
    when = subject.terms.accounting.splits.when
    return "when_customer_paid" if when == "when_paid_out" and _owed_to_us(subject, split) else when


def _excluded(subject: Subject, split: Split) -> Outcome | None:
    """Not a bill at all: by setting, by whose share it is, because nothing is due."""
    terms = subject.terms
    if terms.accounting.splits.when == "never":
        return terms.say(Code.NEVER_SYNCED, setting="splits.when")
    direction = payable(terms, split, subject.partner_name(split))
    if isinstance(direction, Outcome):
        return direction
    if direction == "own":
        return _own_share(subject, split)
    if subject.excluded is not None and subject.excluded.code is not Code.NEVER_SYNCED:
        return subject.excluded
    if split.amount == 0 and split.item not in subject.share_problems:
        return terms.say(Code.NOTHING_DUE, why="its amount is zero")
    if direction == "owed_to_us" and terms.accounting.splits.owed_to_us == "hold":
        return subject.needs_decision(
            "owed to us",
            "The partner owes us this share.",
            f"Set splits.owed_to_us: invoice, or invoice it in {terms.title} by hand and decide ignore.",
        )
    return terms.say(Code.NEGATIVE_TOTAL, amount=Money(split.amount, split.currency)) if split.amount < 0 else None


def _own_share(subject: Subject, split: Split) -> Outcome:
    """Ours makes no document; but it says so where the whole item went to a liability that no bill takes out again."""
    problem = subject.share_problems.get(split.item)
    item = _item(subject, split)
    if problem and item is not None and role_of(subject.terms, item) == "agent_on_bill":
        return subject.terms.say(Code.SPLIT_UNCLEAR, "sums", problem=problem)
    return subject.terms.say(Code.OWN_SHARE)


def _not_paid_yet(subject: Subject, split: Split) -> Outcome | None:
    when = _when(subject, split)
    if when == "when_paid_out":
        paid_out = subject.trouble or subject.paid_out_day(split)
        return subject.terms.say(Code.NOT_YET_PAID, status=split.status) if paid_out is None else _unless_day(paid_out)
    if when != "when_customer_paid":
        return None
    if subject.trouble is not None:
        return subject.trouble
    if subject.receipts.refunds and not surplus_only(subject):
        return subject.needs_decision(
            "refunded before the bill",
            "The payment was refunded before the partner's share had its bill.",
            "Book the share by hand if it is owed, then decide ignore.",
        )
    paid = subject.fully_paid()
    if isinstance(paid, Outcome):
        return paid
    return None if paid else subject.terms.say(Code.NOT_YET_PAID, status=subject.payment.status)


def _unless_day(found: date | Outcome) -> Outcome | None:
    return found if isinstance(found, Outcome) else None


def _held(subject: Subject, split: Split, invoice: Planned) -> Outcome | None:
    terms = subject.terms
    if problem := subject.share_problems.get(split.item) or subject.share_problems.get(split.id):
        return terms.say(Code.SPLIT_UNCLEAR, "sums", problem=problem)
    if subject.trouble is not None:
        return subject.trouble
    not_moved = terms.accounting.settlement.money_not_moved
    not_ours = any(charge.method in not_moved for charge in subject.receipts.final)
    if not_ours and not _owed_to_us(subject, split):
        return subject.needs_decision(
            "split of money not moved",
            "Qualy did not move this payment's money, so it may have paid the partner already.",
            "Book the share by hand if it is owed, then decide ignore.",
        )
    sold = _owed_to_us(subject, split)
    supplier = terms.contact_key(Leg.SUPPLIER, split.partnership, split.currency, sold=sold)
    if supplier not in subject.known.links and split.partnership not in subject.partners:
        return terms.say(
            Code.MALFORMED, "partnership", field="partnership", problem="names a partner that is not there"
        )
    return _invoice_first(subject, invoice)


def _invoice_first(subject: Subject, invoice: Planned) -> Outcome | None:
    """A bill goes on its own once its payment's document is made out, and waits while that one is in question."""
    if subject.terms.accounting.payments.when == "never":
        failed = record_failure(subject.terms, subject.record) is not None
        return subject.invoice_first() if failed else None
    outcome = invoice.outcome
    if outcome is not None and outcome.code is Code.IGNORED:
        return subject.needs_decision(
            "invoice ignored",
            "The invoice of its payment is ignored.",
            "Book the share by hand if it is owed, then decide ignore.",
        )
    return subject.waits_for(invoice)


def _new(
    subject: Subject,
    record: Record,
    split: Split,
    source_hash: str,
    day: date,
    contact_blocked: ContactBlocked,
    generation: int = 1,
) -> Ruling:
    terms, accounting = subject.terms, subject.terms.accounting
    if day < accounting.start_date:
        return Ruling(terms.say(Code.BEFORE_START, date=day, start_date=accounting.start_date))
    draft = _draft(subject, record, split, source_hash, day, generation)
    if isinstance(draft, Outcome):
        return Ruling(draft)
    return plan_document(terms, subject.known, draft, contact_blocked(draft.contact))


def _draft(
    subject: Subject, record: Record, split: Split, source_hash: str, day: date, generation: int = 1
) -> Draft | Outcome:
    """The bill as Qualy and the settings make it now, or why it cannot be made."""
    terms, accounting = subject.terms, subject.terms.accounting
    if (problem := currency_problem(terms, split.currency, day)) is not None:
        return problem
    item = _item(subject, split)
    if item is None:
        raise ValueError("a split without an item is held before")
    what = What.INVOICE if _owed_to_us(subject, split) else What.BILL
    sales = what is What.INVOICE
    lines = share_lines(terms, item, split, subject.partner(split), sales=sales)
    if isinstance(lines, Outcome):
        return lines
    basis = Basis(accounting.splits.amounts)
    # Without tax, Qualy's amount is the net: the total is whatever the tool's tax makes of it.
    total = terms.totals(lines, basis, split.currency, terms.chart).total if basis is Basis.EXCLUSIVE else split.amount
    fitted = fit_totals(terms, lines, basis, split.currency, total, sales=sales)
    if isinstance(fitted, Outcome):
        return fitted
    due = due_day(split.due_at, accounting, terms.organisation.zone) or day
    contact = terms.contact_key(Leg.SUPPLIER, split.partnership, split.currency, sold=sales)
    return Draft(
        leg=Leg.BILL,
        source_id=record.id,
        what=what,
        qualy_number=None,
        contact=contact,
        currency=split.currency,
        date=day,
        due_date=max(due, day),
        status=Status(accounting.payments.invoice_status if sales else accounting.splits.bill_status),
        basis=basis,
        lines=fitted[0],
        totals=fitted[1],
        payment_id=subject.record.id,
        source_hash=source_hash,
        own=split.amount,
        said=subject.said_rate(split) or subject.said_rate(subject.payment),
        generation=generation,
    )


def _item(subject: Subject, split: Split) -> Item | None:
    return next((item for item in subject.payment.items if item.id == split.item), None)
