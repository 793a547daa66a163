"""One payment as the run sees it: what Qualy says about it, put together once, before any leg is ruled on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from qualy_sync.ledger.slices import Record
from qualy_sync.model import Leg, Partner, Payment, Source, Split, SplitIntent, Transaction
from qualy_sync.outcomes import Code, Group, Outcome

from .amounts import Disagreement, Receipts, is_fully_paid, sort_receipts, total_of, was_fully_paid
from .dates import invoice_day, moment_problem
from .decisions import kept_as_there
from .pay_outs import paid_out_day
from .reapply import reapplies
from .redating import original_day
from .shares import items_with_shares, share_problems
from .standing import exclusion, is_cancelled, trouble_of
from .values import (
    Key,
    Known,
    Planned,
    Ruling,
    Terms,
    fingerprint,
    frozen_values,
    month_of,
    record_failure,
    storable,
)

ContactBlocked = Callable[[Key], bool]


@dataclass(frozen=True, slots=True)
class Subject:
    """A readable payment with its splits and transactions.

    `day` is the document's date: as booked, as fixed by an earlier attempt, or by the rule; `meant_day` the same before
    an approver had it moved to an open day. `excluded` says why
    nothing is synced on purpose, `trouble` what of its later life a person has to look at. `splits` are those that
    can be read and that Qualy still has.
    """

    terms: Terms
    known: Known
    record: Record
    payment: Payment
    owner: str
    customer_there: bool
    partners: Mapping[str, Record]
    partner_names: Mapping[str, str]
    splits: tuple[Split, ...]
    share_problems: Mapping[str, str]
    shared_items: tuple[str, ...]
    pay_outs: tuple[SplitIntent, ...]
    transactions: tuple[Transaction, ...]
    receipts: Receipts
    total: int | Disagreement
    day: date
    meant_day: date
    invoice_hash: str
    excluded: Outcome | None
    trouble: Outcome | None

    @property
    def invoice_key(self) -> Key:
        return (str(Leg.INVOICE), self.record.id)

    @property
    def booked(self) -> bool:
        """The payment's document stands in the tool."""
        return self.invoice_key in self.known.links

    def fully_paid(self) -> bool | Outcome:
        """Whether everything was received; an outcome where Qualy's own figures do not agree."""
        if isinstance(self.total, Disagreement):
            return self.terms.say(Code.TOTALS_DISAGREE, "Qualy", problem=self.total.problem)
        paid = is_fully_paid(self.payment, self.receipts, self.total, self.terms.settings)
        if isinstance(paid, Disagreement):
            return self.terms.say(Code.TOTALS_DISAGREE, "paid", problem=paid.problem)
        return paid

    def once_paid(self) -> bool | Outcome:
        """The same; of what was given back or called off since: whether everything had been received before."""
        paid = self.fully_paid()
        over = bool(self.receipts.refunds) or is_cancelled(self.trouble)
        if not over or paid is True or not isinstance(self.total, int):
            return paid
        return was_fully_paid(self.receipts, self.total, self.terms.settings) or paid

    @property
    def surplus(self) -> int:
        """What was received above the total, minor units; refunds of it give back what was never booked."""
        return max(0, self.receipts.received - self.total) if isinstance(self.total, int) else 0

    def part_due(self, charge: Transaction) -> int:
        """How much of a final charge is due: what the charges before it left of the total."""
        if not isinstance(self.total, int):
            return charge.amount
        earlier = 0
        for one in self.receipts.final:
            if one.id == charge.id:
                break
            earlier += one.amount
        return max(0, min(charge.amount, self.total - earlier))

    def partner_name(self, split: Split) -> str:
        return self.partner_names.get(split.partnership, "")

    def said_rate(self, noun: Source) -> object:
        """What a record of Qualy's holds at the place of its own exchange rate."""
        place = self.terms.accounting.currencies.qualy_rate
        return noun.at(place) if place else None

    def partner(self, split: Split) -> Partner | None:
        record = self.partners.get(split.partnership)
        return record.noun if record is not None and isinstance(record.noun, Partner) else None

    def paid_out_day(self, split: Split) -> date | Outcome | None:
        """When the partner got this share, whole; None while it did not."""
        return paid_out_day(self.terms, split, self.splits, self.pay_outs)

    def needs_decision(self, thing: str, problem: str, steps: str) -> Outcome:
        return self.terms.say(Code.NEEDS_DECISION, thing, problem=problem, steps=steps)

    def invoice_first(self) -> Outcome:
        return self.terms.say(Code.WAITING_FOR, leg=str(Leg.INVOICE), id=self.record.id)

    def waits_for(self, invoice: Planned) -> Outcome | None:
        """Why what hangs on the payment's document cannot go yet: it is booked and in question, or not made out."""
        outcome = invoice.outcome
        if self.booked:
            return None if outcome is None or outcome.meaning.group is Group.IN_STEP else self.invoice_first()
        if invoice.step is not None or invoice.link is not None:
            return None
        left_out = outcome is not None and outcome.meaning.group is Group.EXCLUDED
        return outcome if left_out else self.invoice_first()

    def planned(
        self, record: Record, leg: Leg, source_hash: str, ruling: Ruling, amount: int, currency: str, day: date | None
    ) -> Planned:
        """The ruling as what is planned for the record, unless a person decided otherwise."""
        return planned_of(
            self.terms, self.known, record, leg, self.owner, self.record.id, source_hash, ruling, amount, currency, day
        )


def planned_of(
    terms: Terms,
    known: Known,
    record: Record,
    leg: Leg,
    owner: str,
    payment_id: str,
    source_hash: str,
    ruling: Ruling,
    amount: int,
    currency: str,
    day: date | None,
) -> Planned:
    key = (str(leg), record.id)
    ruling = kept_as_there(terms, known, key, source_hash, ruling)
    pending = known.pending.get(key)
    return Planned(
        kind=record.kind,
        leg=leg,
        source_id=record.id,
        owner=owner,
        payment_id=payment_id,
        amount=storable(amount),
        currency=currency,
        month=month_of(day),
        source_hash=source_hash,
        outcome=ruling.outcome,
        step=ruling.step,
        link=ruling.link,
        retry_at=pending.until if pending else None,
    )


def look_at(
    terms: Terms,
    known: Known,
    record: Record,
    payment: Payment,
    split_records: Sequence[Record],
    transaction_records: Sequence[Record],
    partners: Mapping[str, Record],
    owner: str,
    customer_there: bool,
    pay_out_records: Sequence[Record] = (),
) -> Subject:
    """Puts together what Qualy says. Records that cannot be used are left out here and say so on their own leg."""
    names = {one.id: one.noun.name for one in partners.values() if isinstance(one.noun, Partner)}
    alive = [one for one in split_records if not one.gone]
    splits = tuple(one.noun for one in alive if isinstance(one.noun, Split) and one.problem is None)
    unusable = any(record_failure(terms, one) is not None for one in alive)
    transactions = tuple(
        one.noun
        for one in transaction_records
        if isinstance(one.noun, Transaction) and not one.gone and transaction_failure(terms, one) is None
    )
    receipts = sort_receipts(payment, transactions, terms.settings)
    inclusive = terms.accounting.payments.amounts == "tax_inclusive"
    called_off = payment.status in terms.settings.source.cancelled_statuses
    total = total_of(payment, receipts, inclusive=inclusive, called_off=called_off)
    shared = _shared_items(terms, known, payment)
    invoice_hash = _invoice_hash(payment, splits, shared)
    fixed = _fixed(known, payment, invoice_hash)
    by_rule = invoice_day(payment, receipts, terms.accounting, terms.organisation.zone)
    day = date.fromisoformat(str(fixed["date"])) if "date" in fixed else by_rule
    booked = (str(Leg.INVOICE), payment.id) in known.links
    return Subject(
        terms=terms,
        known=known,
        record=record,
        payment=payment,
        owner=owner,
        customer_there=customer_there,
        partners=partners,
        partner_names=names,
        splits=splits,
        share_problems=share_problems(terms, payment, splits, names, unusable),
        shared_items=shared,
        pay_outs=tuple(one.noun for one in pay_out_records if isinstance(one.noun, SplitIntent) and not one.gone),
        transactions=transactions,
        receipts=receipts,
        total=total,
        day=day,
        meant_day=original_day(fixed) or by_rule,
        invoice_hash=invoice_hash,
        excluded=exclusion(terms, record, payment, receipts, total, day, booked=booked),
        trouble=trouble_of(terms, record, payment, receipts),
    )


def transaction_failure(terms: Terms, record: Record) -> Outcome | None:
    """Why a transaction cannot be used: as every record, or because the day of its settlement cannot be told."""
    failure = record_failure(terms, record)
    if failure is not None or not isinstance(record.noun, Transaction):
        return failure
    field = moment_problem(record.noun, terms.accounting)
    return terms.say(Code.MALFORMED, field, field=field, problem="is not a point in time") if field else None


def _shared_items(terms: Terms, known: Known, payment: Payment) -> tuple[str, ...]:
    """Items whose lines depend on their splits: as booked, as fixed by an earlier attempt, or by the settings.

    A changed setting is no change of content, so what was booked keeps the sense that it was booked in.
    """
    key = (str(Leg.INVOICE), payment.id)
    if (link := known.links.get(key)) is not None and not reapplies(terms, link):
        return tuple(link.facts.get("shares", ()))
    if (frozen := known.frozen.get(key)) is not None and "shares" in frozen.values:
        return tuple(frozen.values["shares"])
    return tuple(items_with_shares(terms, payment))


def _invoice_hash(payment: Payment, splits: Sequence[Split], shared: Sequence[str]) -> str:
    """What of a payment matters to its document: not its status, not its links, not when it was touched."""
    items = [[item.id, item.name, item.description, item.category, item.amount] for item in payment.items]
    due = payment.due_at.isoformat() if payment.due_at else None
    content: list[object] = [payment.contact, payment.currency, payment.tax, payment.amount, due, items]
    shares = sorted(
        [split.item, split.id, split.type, split.partnership, split.currency, split.amount]
        for split in splits
        if split.item in shared
    )
    return fingerprint([*content, shares] if shares else content)


def _fixed(known: Known, payment: Payment, invoice_hash: str) -> Mapping[str, Any]:
    """What is booked of the document, or fixed by an earlier attempt at it."""
    key = (str(Leg.INVOICE), payment.id)
    link = known.links.get(key)
    return link.facts if link is not None else frozen_values(known, key, invoice_hash)
