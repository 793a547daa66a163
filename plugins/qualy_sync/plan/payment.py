"""One payment with all its legs: its document, the bills of its splits, the settlements of its transactions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from qualy_sync.ledger.slices import Record
from qualy_sync.model import LEG_OF, Leg, Payment, Split, SplitIntent, Transaction
from qualy_sync.outcomes import Code

from .bill_settlements import pay_out_hash, plan_pay_outs
from .bills import plan_bill, split_hash
from .charges import plan_charges
from .decisions import at_once, under_way
from .foreign import in_own_currency
from .invoice import plan_invoice
from .settlements import charge_hash
from .subject import ContactBlocked, look_at, planned_of
from .values import Known, Planned, Ruling, Terms, fingerprint, record_failure


def plan_payment(
    terms: Terms,
    known: Known,
    record: Record,
    split_records: tuple[Record, ...],
    transaction_records: tuple[Record, ...],
    partners: Mapping[str, Record],
    owner: str,
    contact_blocked: ContactBlocked,
    *,
    customer_there: bool = True,
    pay_out_records: tuple[Record, ...] = (),
) -> list[Planned]:
    """Everything that becomes of a payment, its splits and its transactions: one `Planned` each, more for credits."""
    payment = record.noun
    if not isinstance(payment, Payment) or record.problem is not None:
        return _unreadable(terms, known, record, (*split_records, *transaction_records, *pay_out_records), owner)
    transaction_records = tuple(in_own_currency(terms, payment, one) for one in transaction_records)
    subject = look_at(
        terms,
        known,
        record,
        payment,
        split_records,
        transaction_records,
        partners,
        owner,
        customer_there,
        pay_out_records,
    )
    invoice, *credits = plan_invoice(subject, contact_blocked)
    bills = [one for record in split_records for one in plan_bill(subject, record, invoice, contact_blocked)]
    pay_outs = plan_pay_outs(subject, pay_out_records, {one.source_id: one for one in bills if one.leg is Leg.BILL})
    return [invoice, *credits, *bills, *plan_charges(subject, transaction_records, invoice), *pay_outs]


def _unreadable(terms: Terms, known: Known, record: Record, children: tuple[Record, ...], owner: str) -> list[Planned]:
    """A payment that cannot be read makes nothing; what stands in the tool of it, and of its parts, is still told."""
    failure = record_failure(terms, record) or terms.say(Code.MALFORMED)
    link = known.links.get((str(Leg.INVOICE), record.id))
    facts = link.facts if link is not None else {}
    day = date.fromisoformat(str(facts["date"])) if "date" in facts else None
    amount, currency = int(facts.get("own", 0)), str(facts.get("currency", ""))
    source_hash = fingerprint([record.hash])
    stands = at_once(terms, known, record, Leg.INVOICE, source_hash) or failure
    planned = [
        planned_of(
            terms, known, record, Leg.INVOICE, owner, record.id, source_hash, Ruling(stands), amount, currency, day
        )
    ]
    planned += [_child(terms, known, record, child, owner) for child in children]
    return planned + [one for each in (record, *children) for one in _credits(terms, known, record, each, owner)]


def _credits(terms: Terms, known: Known, payment: Record, record: Record, owner: str) -> list[Planned]:
    """Legs of a credit that a record had once: they wait for what it is a credit of."""
    found = []
    for leg in (Leg.CREDIT_NOTE, Leg.SUPPLIER_CREDIT, Leg.ALLOCATION):
        key = (str(leg), record.id)
        if key in known.shown or key in known.links:
            waits = under_way(terms, known, key) or terms.say(Code.WAITING_FOR, leg=str(Leg.INVOICE), id=payment.id)
            source_hash = fingerprint([record.hash])
            found.append(
                planned_of(terms, known, record, leg, owner, payment.id, source_hash, Ruling(waits), 0, "", None)
            )
    return found


def _child(terms: Terms, known: Known, payment: Record, record: Record, owner: str) -> Planned:
    leg, noun = LEG_OF[record.kind], record.noun
    if isinstance(noun, Transaction):
        source_hash = charge_hash(noun)
    else:
        source_hash = split_hash(record) if leg is Leg.BILL else pay_out_hash(record)
    stands = at_once(terms, known, record, leg, source_hash)
    ruling = Ruling(stands or terms.say(Code.WAITING_FOR, leg=str(Leg.INVOICE), id=payment.id))
    amount, currency = 0, ""
    if isinstance(noun, Split | Transaction | SplitIntent):
        amount, currency = noun.amount or 0, noun.currency or ""
    link = known.links.get((str(leg), record.id))
    day = date.fromisoformat(str(link.facts["date"])) if link is not None and "date" in link.facts else None
    return planned_of(terms, known, record, leg, owner, payment.id, source_hash, ruling, amount, currency, day)
