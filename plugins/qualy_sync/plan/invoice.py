"""The invoice leg: a payment's document (a bill, where the settings say so). Pure.

Order of the questions: is it decided, linked or under way; is it excluded on purpose; do Qualy's own figures agree;
is everything mapped; what does the tool hold already; is the period open.
"""

from __future__ import annotations

from datetime import date

from qualy_sync.contracts.accounting import Ability, Basis, Status, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Outcome

from . import cancelled
from .amounts import Disagreement
from .changes import by_hand, plan_change
from .dates import due_day, invoice_day
from .decisions import at_once, final_word
from .documents import Draft, currency_problem, fit_totals, linked_document, plan_document
from .lines import document_lines
from .reapply import reapplies
from .standing import is_cancelled, is_over, is_unlisted
from .subject import ContactBlocked, Subject
from .values import Planned, Ruling, decision_on, going_on, record_failure, taken_back


def plan_invoice(subject: Subject, contact_blocked: ContactBlocked) -> list[Planned]:
    """What becomes of a payment: its document, and the credit of one that was called off."""
    total = subject.total
    amount = total if isinstance(total, int) else sum(item.amount for item in subject.payment.items)
    link = subject.known.links.get(subject.invoice_key)
    if link is not None:
        ruling, credits = _later(subject, link, contact_blocked)
    else:
        ruling, credits = _first(subject, contact_blocked), []
    currency = subject.payment.currency
    invoice = subject.planned(subject.record, Leg.INVOICE, subject.invoice_hash, ruling, amount, currency, subject.day)
    return [invoice, *credits, *cancelled.no_longer(subject, credits)]


def _later(subject: Subject, link: Link, contact_blocked: ContactBlocked) -> tuple[Ruling, list[Planned]]:
    """What stands in the tool already: called off, taken back and asked for again, changed, or as it was."""
    terms, known = subject.terms, subject.known
    final = final_word(terms, known, subject.record, Leg.INVOICE, subject.invoice_hash)
    if final is not None:
        return Ruling(final), []
    if is_cancelled(subject.trouble):
        return cancelled.plan_cancelled(subject, link)
    if is_over(subject.trouble) or is_unlisted(subject.trouble):
        return Ruling(subject.trouble), []
    if (waits := cancelled.credited_and_back(subject)) is not None:
        return Ruling(waits), []
    if taken_back(link):
        return _first(subject, contact_blocked, generation=link.generation + 1), []
    stands = linked_document(terms, known, link)
    decision = decision_on(known, subject.invoice_key, subject.invoice_hash)
    put_back = stands.code is Code.CHANGED_THERE and decision is not None and decision.choice == "ours"
    as_posted = link.source_hash == subject.invoice_hash and not put_back and not reapplies(terms, link)
    if stands.code is Code.REMOVED_THERE or as_posted:
        return Ruling(stands), []
    return _changed(subject, link, contact_blocked), []


def _changed(subject: Subject, link: Link, contact_blocked: ContactBlocked) -> Ruling:
    """A document follows Qualy, or says why not."""
    failure = record_failure(subject.terms, subject.record) or _money_problem(subject)
    if failure is not None:
        return Ruling(failure)
    if subject.total == 0:
        return Ruling(by_hand(subject.terms, "Its total is zero since it was changed in Qualy."))
    draft = _draft(subject, _day_now(subject, link))
    if isinstance(draft, Outcome):
        return Ruling(draft)
    return plan_change(subject.terms, subject.known, draft, link, contact_blocked(draft.contact))


def _day_now(subject: Subject, link: Link) -> date:
    """The document's date: as posted, unless the due date moved on which it hangs."""
    due = due_day(subject.payment.due_at, subject.terms.accounting, subject.terms.organisation.zone)
    if due is None or due.isoformat() == link.facts.get("due_at", link.facts.get("due_date")):
        return subject.day
    return invoice_day(subject.payment, subject.receipts, subject.terms.accounting, subject.terms.organisation.zone)


def _first(subject: Subject, contact_blocked: ContactBlocked, generation: int = 1) -> Ruling:
    """What is not in the tool: for the first time, or anew after it was voided."""
    if generation == 1:
        stands = at_once(subject.terms, subject.known, subject.record, Leg.INVOICE, subject.invoice_hash)
        if stands is not None:
            return Ruling(stands)
    elif (failure := record_failure(subject.terms, subject.record)) is not None:
        return Ruling(failure)
    if subject.excluded is not None:
        return Ruling(subject.excluded)
    if (over := _over_before_it_began(subject)) is not None:
        return Ruling(over)
    held = _money_problem(subject) or _waits_for_money(subject)
    if held is not None:
        return Ruling(held)
    draft = _draft(subject, subject.day, generation)
    if isinstance(draft, Outcome):
        return Ruling(draft)
    ruling = plan_document(subject.terms, subject.known, draft, contact_blocked(draft.contact))
    return going_on(ruling) if is_cancelled(subject.trouble) else ruling


def _over_before_it_began(subject: Subject) -> Outcome | None:
    """Why what is over is not booked at all.

    What was paid and then cancelled is, as if both had been heard of one by one, unless the tool could not credit
    afterwards what is unpaid of it.
    """
    if not is_cancelled(subject.trouble) or not subject.receipts.received:
        return subject.trouble if is_over(subject.trouble) or is_unlisted(subject.trouble) else None
    total = subject.total if isinstance(subject.total, int) else 0
    if cancelled.applied(subject) >= total:
        return None
    steps = f"Book what was paid in {subject.terms.title} by hand if it is wanted there, then decide ignore."
    sales = subject.terms.accounting.payments.as_ == "invoice"
    return subject.terms.cannot(Ability.CREDIT if sales else Ability.SUPPLIER_CREDIT, "cancelled", steps)


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
    paid = subject.once_paid()
    if paid is True:
        return None
    if subject.trouble is not None:
        return subject.trouble
    if subject.receipts.refunds:
        return subject.needs_decision(
            "refunded first",
            "It was refunded before all of it was paid, so that it had no invoice.",
            f"Book it in {subject.terms.title} by hand if it is wanted there, then decide ignore.",
        )
    if isinstance(paid, Outcome):
        return paid
    return subject.terms.say(Code.NOT_YET_PAID, status=subject.payment.status)


def _draft(subject: Subject, day: date, generation: int = 1) -> Draft | Outcome:
    """The document as Qualy and the settings make it now, or why it cannot be made."""
    terms, payment, accounting = subject.terms, subject.payment, subject.terms.accounting
    contact = terms.contact_key(Leg.CONTACT, payment.contact, payment.currency)
    if not subject.customer_there and contact not in subject.known.links:
        return terms.say(Code.MALFORMED, "contact", field="contact", problem="names a customer that is not there")
    lines = document_lines(terms, payment, subject.splits, subject.partner_names, subject.share_problems)
    if isinstance(lines, Outcome):
        return lines
    what = What(accounting.payments.as_)
    basis = Basis(accounting.payments.amounts)
    total = subject.total if isinstance(subject.total, int) else 0
    fitted = fit_totals(terms, lines, basis, payment.currency, total, sales=what is What.INVOICE)
    if isinstance(fitted, Outcome):
        return fitted
    due = due_day(payment.due_at, accounting, terms.organisation.zone)
    return Draft(
        leg=Leg.INVOICE,
        source_id=subject.record.id,
        what=what,
        qualy_number=payment.number,
        contact=contact,
        currency=payment.currency,
        date=day,
        due_date=max(due or day, day),
        due_at=due,
        status=Status(accounting.payments.invoice_status),
        basis=basis,
        lines=fitted[0],
        totals=fitted[1],
        payment_id=payment.id,
        source_hash=subject.invoice_hash,
        own=total,
        said=subject.said_rate(payment),
        shares=subject.shared_items,
        generation=generation,
    )
