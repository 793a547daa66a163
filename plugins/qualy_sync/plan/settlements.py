"""The settlement leg: money applied to an invoice, one per charge (or one for all). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from qualy_sync.contracts.accounting import GONE, NewSettlement, RemoteDocument, RemoteSettlement, Status, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.decisions import Decision
from qualy_sync.model import Leg, Money, Transaction
from qualy_sync.outcomes import Code, Outcome

from .found import judge_settlement
from .rates import rated
from .redating import on_an_open_day, original_day
from .refs import WHOLE_PAYMENT, looks_like_ref, make_ref
from .values import Key, Known, Ruling, Step, Terms, decision_on, fingerprint, frozen_values, hold_back, link_of


@dataclass(frozen=True, slots=True)
class Charge:
    """One amount to settle: a charge, or all charges of a payment together (then `carrier` is the last of them)."""

    carrier: Transaction
    amount: int
    day: date
    account: str
    ref: str
    source_hash: str
    generation: int = 1  # rises where it is applied anew after it was taken back
    covers: tuple[str, ...] = ()  # ids of the charges that one settlement stands for, where it is more than its own
    leg: Leg = Leg.SETTLEMENT
    of: What = What.INVOICE  # what is settled
    said: object = None  # what Qualy's record holds at the place of its own exchange rate

    @property
    def what(self) -> What:
        return What.SETTLEMENT if self.of is What.INVOICE else What.BILL_SETTLEMENT


def settlement_account(terms: Terms, transaction: Transaction) -> str | Outcome:
    """Where the money of a method arrived, in the document's currency."""
    settings = terms.accounting.settlement
    method, currency = transaction.method, transaction.currency
    if method in settings.money_not_moved:
        code = settings.money_not_moved[method]
        if code == "hold":
            return terms.say(
                Code.NEEDS_DECISION,
                f"money not moved {method}",
                problem=f"Qualy did not move this money ({method}).",
                steps=f"Settle it in {terms.title} by hand and decide theirs, or name an account under"
                " settlement.money_not_moved.",
            )
    else:
        code = settings.accounts.get(method, {}).get(currency, "")
    what = f"Method {method or '(none)'} in {currency}"
    return account_problem(terms, code, currency, f"{method} {currency}", what) or code


def account_problem(terms: Terms, code: str, currency: str, thing: str, what: str) -> Outcome | None:
    """Why an account cannot take settlements in a currency: it is not there, takes none, or has another currency."""
    account = terms.chart.accounts.get(code)
    if account is None or not account.active:
        return terms.say(Code.UNMAPPED_ACCOUNT, thing, what=what, account=code or "none named")
    if not account.takes_payments:
        return terms.say(Code.UNMAPPED_ACCOUNT, thing, what=what, account=f"{code}, which takes no payments")
    has = account.currency or terms.organisation.base_currency  # one that names none is kept in the base currency
    if has != currency:
        return terms.say(Code.UNMAPPED_ACCOUNT, thing, what=what, account=f"{code}, an account in {has}")
    return None


def one_charge(transaction: Transaction, amount: int, day: date, account: str, generation: int = 1) -> Charge:
    """The settlement of one charge, or of the part of it that is due."""
    return Charge(
        carrier=transaction,
        amount=amount,
        day=day,
        account=account,
        ref=make_ref(Leg.SETTLEMENT, transaction.id, generation),
        source_hash=charge_hash(transaction),
        generation=generation,
    )


def all_charges(charges: Sequence[Transaction], days: Sequence[date], accounts: Sequence[str]) -> Charge | None:
    """One settlement for a whole payment, where all charges share account and accounting month; else None."""
    if len(set(accounts)) != 1 or len({f"{day:%Y-%m}" for day in days}) != 1:
        return None
    carrier = charges[-1]
    return Charge(
        carrier=carrier,
        amount=sum(charge.amount for charge in charges),
        day=max(days),
        account=accounts[0],
        ref=whole_ref(carrier.payment),
        source_hash=hash_of_all(charges),
        covers=tuple(sorted(charge.id for charge in charges)),
    )


def above_the_total(transaction: Transaction, applied: int) -> str:
    """What is said of a receipt of which only a part, or nothing, is due."""
    above = Money(transaction.amount - applied, transaction.currency)
    part = f"; {Money(applied, transaction.currency)} of it is applied" if applied else ""
    return f"{above} is above the total{part}"


def whole_ref(payment_id: str) -> str:
    """The ref of one settlement for a whole payment."""
    return make_ref(Leg.SETTLEMENT, payment_id, letter=WHOLE_PAYMENT)


def hash_of_all(charges: Sequence[Transaction]) -> str:
    """What of some charges matters to the one settlement that stands for them."""
    return fingerprint(sorted([charge.id, charge_hash(charge)] for charge in charges))


def charge_hash(transaction: Transaction) -> str:
    """What of a transaction matters to its settlement."""
    return fingerprint(
        [
            transaction.amount,
            transaction.currency,
            transaction.type,
            transaction.method,
            transaction.status,
            transaction.payment,
            *(transaction.paid_as or ()),
        ]
    )


@dataclass(slots=True)
class Strangers:
    """How settlements of others are told from ours on one invoice; each of theirs stands for at most one charge."""

    refs: Collection[str]  # what the settlements of this payment's charges carry, or would carry
    taken: set[str]  # remote ids of settlements that stand for a charge already


def plan_settlement(
    terms: Terms, known: Known, charge: Charge, invoice: Key, strangers: Strangers, invoice_lock: Outcome | None
) -> Ruling:
    """Look first, then what is due, then the step. `invoice_lock`: the invoice itself lies in a locked period."""
    decision = decision_on(known, (str(charge.leg), charge.carrier.id), charge.source_hash)
    step = _step(known, charge, invoice)
    if (there := _what_is_there(terms, known, charge, step, invoice, strangers, decision)) is not None:
        return there
    if (held := hold_back(terms, known, step)) is not None:
        return Ruling(held, step)
    fixed = frozen_values(known, (str(charge.leg), charge.carrier.id), charge.source_hash)
    ruling = rated(terms, on_an_open_day(terms, step, "settlement", fixed), charge.said, charge.carrier, fixed)
    if ruling.outcome is None and terms.accounting.payments.settle_locked_invoice == "hold":
        return replace(ruling, outcome=invoice_lock)
    return ruling


def _step(known: Known, charge: Charge, invoice: Key) -> Step:
    """The step, with the date that an earlier attempt has fixed."""
    document = known.links.get(invoice)
    document_id = document.remote_id if document else ""
    remote = known.documents_by_id.get(document_id)
    fixed = frozen_values(known, (str(charge.leg), charge.carrier.id), charge.source_hash)
    day = original_day(fixed) or charge.day
    currency = charge.carrier.currency
    facts = {
        "date": day.isoformat(),
        "account": charge.account,
        "amount": charge.amount,
        "currency": currency,
        "document_id": document_id,
    }
    if charge.carrier.paid_as is not None and not charge.covers:
        facts["paid_as"] = list(charge.carrier.paid_as)
    if not charge.covers and charge.amount != charge.carrier.amount:
        facts["part"] = above_the_total(charge.carrier, charge.amount)  # the rest of it is more than is due
    return Step(
        what=charge.what,
        leg=charge.leg,
        source_id=charge.carrier.id,
        ref=charge.ref,
        sought=charge.ref,
        new=NewSettlement(
            ref=charge.ref,
            document_id=document_id,
            account=charge.account,
            date=day,
            amount=charge.amount,
            currency=currency,
            of=charge.of,
            contact_id=str(document.facts.get("contact_id", "")) if document else "",
        ),
        source_hash=charge.source_hash,
        content_hash=fingerprint([invoice, charge.account, day, charge.amount, currency]),
        amount=charge.amount,
        currency=currency,
        generation=charge.generation,
        needs=invoice,
        seen={"due": remote.due} if remote else {},
        facts=facts | ({"covers": list(charge.covers)} if charge.covers else {}),
    )


def _what_is_there(
    terms: Terms,
    known: Known,
    charge: Charge,
    step: Step,
    invoice: Key,
    strangers: Strangers,
    decision: Decision | None,
) -> Ruling | None:
    """What the tool holds already: our own settlement, somebody else's, or an invoice that takes none."""
    link = known.links.get(invoice)
    if link is None:
        return None
    if decision is not None and decision.choice == "link":
        return _decided_link(terms, known, step, decision)
    if found := known.settlements_by_ref.get(charge.ref, ()):
        judged = judge_settlement(terms, found, step.facts)
        if isinstance(judged, Outcome):
            return Ruling(judged)
        return Ruling(terms.say(Code.PAID), link=settlement_link(terms, step, judged, "adopted"))
    document = known.documents_by_id.get(link.remote_id)
    if document is None:  # nothing is applied to what was not read
        return Ruling(terms.say(Code.WAITING_FOR, leg=invoice[0], id=invoice[1]), step)
    return _look_at_document(terms, known, charge, step, document, strangers, decision)


def _look_at_document(
    terms: Terms,
    known: Known,
    charge: Charge,
    step: Step,
    document: RemoteDocument,
    strangers: Strangers,
    decision: Decision | None,
) -> Ruling | None:
    """What the document in the tool says about this charge, before anything is sent."""
    if document.status in (Status.DRAFT, Status.SUBMITTED):
        return Ruling(terms.say(Code.AWAITING_APPROVAL, "", remote_id=document.id))
    if document.status in GONE:
        return Ruling(terms.say(Code.REMOVED_THERE, "", remote_id=document.id))
    others = _settlements_of_others(known, document, strangers)
    for other in others:
        if other.amount == charge.amount and not looks_like_ref(other.ref):
            strangers.taken.add(other.id)
            outcome = terms.say(Code.SETTLED_THERE, remote_id=other.id)
            return Ruling(outcome, link=settlement_link(terms, step, other, "adopted"))
    strange = sum(other.amount for other in others) + document.credited
    ours = decision is not None and decision.choice == "ours"
    if charge.amount <= document.due and (not strange or ours):
        return None
    return Ruling(
        terms.say(
            Code.PAID_THERE,
            there=Money(document.paid + document.credited, document.currency),
            total=Money(document.total, document.currency),
            ours=Money(charge.amount, charge.carrier.currency),
            remote_id=document.id,
        )
    )


def _settlements_of_others(known: Known, document: RemoteDocument, strangers: Strangers) -> list[RemoteSettlement]:
    """Live settlements of a document that stand for no charge yet, and carry no ref of ours."""
    return sorted(
        (
            settlement
            for settlement in known.settlements_by_document.get(document.id, ())
            if settlement.status not in GONE
            and settlement.id not in strangers.taken
            and settlement.ref not in strangers.refs
        ),
        key=lambda settlement: (settlement.date, settlement.id),
    )


def _decided_link(terms: Terms, known: Known, step: Step, decision: Decision) -> Ruling:
    """The settlement that a person chose among several."""
    document_id = str(step.facts["document_id"])
    there = (*known.settlements_by_ref.get(step.ref, ()), *known.settlements_by_document.get(document_id, ()))
    for settlement in there:
        if settlement.id == decision.argument and settlement.status not in GONE:
            return Ruling(terms.say(Code.PAID), link=settlement_link(terms, step, settlement, "decided"))
    return Ruling(
        terms.say(
            Code.NEEDS_DECISION,
            f"link {decision.argument}",
            problem=f"The settlement {decision.argument} that was decided on cannot stand for this one.",
            steps=f"Decide link:ID with a live settlement of this invoice in {terms.title}.",
        )
    )


def settlement_link(terms: Terms, step: Step, remote: RemoteSettlement, how: str) -> Link:
    """The link that says: this remote settlement stands for this charge. One that we did not make counts as it is."""
    facts = dict(step.facts) | {"document_id": remote.document_id}
    if how != "created":
        facts |= {"account": remote.account, "date": remote.date.isoformat(), "amount": remote.amount}
    return link_of(terms, step, remote, how, facts)
