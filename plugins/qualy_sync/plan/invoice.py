"""The invoice leg: a payment's document (a bill, where the settings say so). Pure.

Order of the questions: is it decided, linked or under way; is it excluded on purpose; do Qualy's own figures agree;
is everything mapped; what does the tool hold already; is the period open.
"""

from __future__ import annotations

from qualy_sync.contracts.accounting import Basis, Status, What
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Group, Outcome

from .amounts import Disagreement
from .dates import due_day
from .decisions import at_once
from .documents import Draft, currency_problem, fit_totals, plan_document
from .lines import document_lines
from .standing import is_over, is_unlisted
from .subject import ContactBlocked, Subject
from .values import Key, Planned, Ruling


def plan_invoice(subject: Subject, contact_blocked: ContactBlocked) -> Planned:
    """What becomes of a payment."""
    total = subject.total
    amount = total if isinstance(total, int) else sum(item.amount for item in subject.payment.items)
    ruling = _ruling(subject, contact_blocked)
    currency = subject.payment.currency
    return subject.planned(subject.record, Leg.INVOICE, subject.invoice_hash, ruling, amount, currency, subject.day)


def _ruling(subject: Subject, contact_blocked: ContactBlocked) -> Ruling:
    stands = at_once(subject.terms, subject.known, subject.record, Leg.INVOICE, subject.invoice_hash)
    if stands is not None:
        later = subject.booked and stands.meaning.group is Group.IN_STEP and is_over(subject.trouble)
        return Ruling(subject.trouble if later else stands)
    if subject.excluded is not None:
        return Ruling(subject.excluded)
    if is_over(subject.trouble) or is_unlisted(subject.trouble):
        return Ruling(subject.trouble)
    held = _money_problem(subject) or _waits_for_money(subject)
    return Ruling(held) if held is not None else _new(subject, contact_blocked)


def _money_problem(subject: Subject) -> Outcome | None:
    terms, total = subject.terms, subject.total
    if isinstance(total, Disagreement):
        return terms.say(Code.TOTALS_DISAGREE, "Qualy", problem=total.problem)
    if total < 0:
        return terms.say(Code.NEGATIVE_TOTAL, amount=Money(total, subject.payment.currency))
    return currency_problem(terms, subject.payment.currency, subject.day)


def _waits_for_money(subject: Subject) -> Outcome | None:
    """Where a payment gets its document only once it is fully paid."""
    if subject.terms.accounting.payments.when != "when_fully_paid":
        return None
    if subject.trouble is not None:
        return subject.trouble
    paid = subject.fully_paid()
    if isinstance(paid, Outcome):
        return paid
    return None if paid else subject.terms.say(Code.NOT_YET_PAID, status=subject.payment.status)


def _new(subject: Subject, contact_blocked: ContactBlocked) -> Ruling:
    terms, payment, accounting = subject.terms, subject.payment, subject.terms.accounting
    contact: Key = (str(Leg.CONTACT), payment.contact)
    if not subject.customer_there and contact not in subject.known.links:
        return Ruling(
            terms.say(Code.MALFORMED, "contact", field="contact", problem="names a customer that is not there")
        )
    lines = document_lines(terms, payment, subject.splits, subject.partner_names, subject.share_problems)
    if isinstance(lines, Outcome):
        return Ruling(lines)
    what = What(accounting.payments.as_)
    basis = Basis(accounting.payments.amounts)
    total = subject.total if isinstance(subject.total, int) else 0
    fitted = fit_totals(terms, lines, basis, payment.currency, total, sales=what is What.INVOICE)
    if isinstance(fitted, Outcome):
        return Ruling(fitted)
    due = due_day(payment.due_at, accounting, terms.organisation.zone) or subject.day
    draft = Draft(
        leg=Leg.INVOICE,
        source_id=subject.record.id,
        what=what,
        qualy_number=payment.number,
        contact=contact,
        currency=payment.currency,
        date=subject.day,
        due_date=max(due, subject.day),
        status=Status(accounting.payments.invoice_status),
        basis=basis,
        lines=fitted[0],
        totals=fitted[1],
        payment_id=payment.id,
        source_hash=subject.invoice_hash,
        own=total,
        said=subject.said_rate(payment),
        shares=subject.shared_items,
    )
    return plan_document(terms, subject.known, draft, contact_blocked(contact))
