"""The settlement leg: money applied to an invoice, one per charge (or one for all). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from qualy_sync.contracts.accounting import NewSettlement, RemoteDocument, RemoteSettlement, Status, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg, Money, Transaction
from qualy_sync.outcomes import Code, Outcome

from .documents import lock_problem
from .found import judge_settlement
from .refs import WHOLE_PAYMENT, make_ref
from .values import Key, Known, Step, Terms, fingerprint, hold_back


@dataclass(frozen=True, slots=True)
class Charge:
    """One amount to settle: a charge, or all charges of a payment together (then `carrier` is the last of them)."""

    carrier: Transaction
    amount: int
    day: date
    account: str
    ref: str
    source_hash: str


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
    account = terms.chart.accounts.get(code)
    what = f"Method {method or '(none)'} in {currency}"
    if account is None or not account.active:
        return terms.say(Code.UNMAPPED_ACCOUNT, f"{method} {currency}", what=what, account=code or "none named")
    if not account.takes_payments:
        return terms.say(
            Code.UNMAPPED_ACCOUNT, f"{method} {currency}", what=what, account=f"{code}, which takes no payments"
        )
    if account.currency and account.currency != currency:
        return terms.say(
            Code.UNMAPPED_ACCOUNT,
            f"{method} {currency}",
            what=what,
            account=f"{code}, an account in {account.currency}",
        )
    return account.code


def one_charge(transaction: Transaction, day: date, account: str) -> Charge:
    """The settlement of one charge."""
    return Charge(
        carrier=transaction,
        amount=transaction.amount,
        day=day,
        account=account,
        ref=make_ref(Leg.SETTLEMENT, transaction.id),
        source_hash=charge_hash(transaction),
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
        ref=make_ref(Leg.SETTLEMENT, carrier.payment, letter=WHOLE_PAYMENT),
        source_hash=fingerprint([charge_hash(charge) for charge in charges]),
    )


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
        ]
    )


def plan_settlement(
    terms: Terms, known: Known, charge: Charge, invoice: Key, consumed: set[str], *, contains_lock: Outcome | None
) -> tuple[Outcome | None, Step | None, Link | None]:
    """Look first, then what is due, then the step. `consumed` collects settlements of others that stand for charges."""
    key = (str(Leg.SETTLEMENT), charge.carrier.id)
    step = _step(known, charge, invoice)
    document_link = known.links.get(invoice)
    decision = known.decisions.get(key)
    decided = decision.choice if decision is not None and decision.source_hash == charge.source_hash else ""
    if document_link is not None:
        found = known.settlements_by_ref.get(charge.ref, ())
        if found:
            judged = judge_settlement(terms, found, dict(step.facts) | {"document_id": document_link.remote_id})
            if isinstance(judged, Outcome):
                return judged, None, None
            return terms.say(Code.PAID), None, settlement_link(terms, step, judged, "adopted")
        document = known.documents_by_id.get(document_link.remote_id)
        if document is not None:
            outcome, link = _look_at_document(terms, known, charge, step, document, consumed, decided)
            if outcome is not None:
                return outcome, None, link
    if (held := hold_back(terms, known, step)) is not None:
        return held, step, None
    locked = lock_problem(terms, charge.day, "settlement")
    if locked is None and terms.accounting.payments.settle_locked_invoice == "hold":
        locked = contains_lock
    return locked, step, None


def _step(known: Known, charge: Charge, invoice: Key) -> Step:
    document = known.links.get(invoice)
    frozen = known.frozen.get((str(Leg.SETTLEMENT), charge.carrier.id))
    day, account = charge.day, charge.account
    if frozen is not None and frozen.source_hash == charge.source_hash and "date" in frozen.values:
        day, account = date.fromisoformat(frozen.values["date"]), str(frozen.values["account"])
    currency = charge.carrier.currency
    document_id = document.remote_id if document else ""
    remote = known.documents_by_id.get(document_id)
    return Step(
        what=What.SETTLEMENT,
        leg=Leg.SETTLEMENT,
        source_id=charge.carrier.id,
        ref=charge.ref,
        sought=charge.ref,
        new=NewSettlement(
            ref=charge.ref, document_id=document_id, account=account, date=day, amount=charge.amount, currency=currency
        ),
        source_hash=charge.source_hash,
        content_hash=fingerprint([invoice, account, day, charge.amount, currency]),
        amount=charge.amount,
        currency=currency,
        needs=invoice,
        seen={"due": remote.due} if remote else {},
        facts={
            "date": day.isoformat(),
            "account": account,
            "amount": charge.amount,
            "currency": currency,
            "document_id": document_id,
        },
    )


def _look_at_document(
    terms: Terms,
    known: Known,
    charge: Charge,
    step: Step,
    document: RemoteDocument,
    consumed: set[str],
    decided: str,
) -> tuple[Outcome | None, Link | None]:
    """What the document in the tool says about this charge, before anything is sent."""
    if decided == "theirs":
        return terms.say(Code.SETTLED_THERE), None
    if document.status in (Status.DRAFT, Status.SUBMITTED):
        return terms.say(Code.AWAITING_APPROVAL, "", remote_id=document.id), None
    if document.status in (Status.VOIDED, Status.DELETED):
        return terms.say(Code.REMOVED_THERE, "", remote_id=document.id), None
    others = _settlements_of_others(known, document)
    for other in others:
        if other.amount == charge.amount and other.id not in consumed:
            consumed.add(other.id)
            return terms.say(Code.SETTLED_THERE, remote_id=other.id), settlement_link(terms, step, other, "adopted")
    strange = sum(other.amount for other in others if other.id not in consumed) + document.credited
    if charge.amount > document.due or (strange and decided != "ours"):
        return (
            terms.say(
                Code.PAID_THERE,
                there=Money(document.paid + document.credited, document.currency),
                total=Money(document.total, document.currency),
                ours=Money(charge.amount, charge.carrier.currency),
                remote_id=document.id,
            ),
            None,
        )
    return None, None


def _settlements_of_others(known: Known, document: RemoteDocument) -> list[RemoteSettlement]:
    """Live settlements of a document that no link of ours stands for, and that carry no ref of ours."""
    ours = {link.remote_id for (leg, _), link in known.links.items() if leg == Leg.SETTLEMENT}
    refs = {link.ref for (leg, _), link in known.links.items() if leg == Leg.SETTLEMENT}
    return sorted(
        (
            settlement
            for settlement in known.settlements_by_document.get(document.id, ())
            if settlement.status is not Status.DELETED and settlement.id not in ours and settlement.ref not in refs
        ),
        key=lambda settlement: (settlement.date, settlement.id),
    )


def settlement_link(terms: Terms, step: Step, remote: RemoteSettlement, how: str) -> Link:
    """The link that says: this remote settlement stands for this charge."""
    return Link(
        leg=str(Leg.SETTLEMENT),
        source_id=step.source_id,
        variant="",
        generation=step.generation,
        remote_id=remote.id,
        ref=step.ref,
        how=how,
        source_hash=step.source_hash,
        content_hash=step.content_hash,
        facts=dict(step.facts) | {"document_id": remote.document_id},
        settings_version=terms.settings.version,
        linked_at=remote.updated_at,
    )
