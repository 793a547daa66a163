"""Bills marked paid when their partner was paid out: one settlement per pay-out of Qualy's. Pure.

A split intent settles the bill of its split and never makes it. Its date is that of the pay-out, its account the one
that pay-outs in its currency leave from. A pay-out that Qualy set back to unpaid is taken back as a receipt is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from qualy_sync.contracts.accounting import Ability, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Leg, Money, Split, SplitIntent, Transaction
from qualy_sync.outcomes import Code, Group, Outcome

from .dates import local_day
from .decisions import at_once, final_word
from .pay_outs import is_paid_out, split_of
from .redating import lock_problem
from .refs import make_ref
from .reversals import reverse
from .settlements import Charge, Strangers, account_problem, plan_settlement
from .shares import payable
from .subject import Subject
from .values import Key, Planned, Ruling, Terms, fingerprint, taken_back

Bills = Mapping[str, Planned]  # by split id


def plan_pay_outs(subject: Subject, records: Sequence[Record], bills: Bills) -> list[Planned]:
    """What becomes of a payment's pay-outs, in the order of their days."""
    in_order = sorted(records, key=lambda one: (_day(subject, one) or date.max, one.id))
    strangers = _strangers(subject, records)
    planned = [_plan(subject, record, bills, strangers) for record in in_order]
    return _within_due(subject, planned)


def pay_out_hash(record: Record) -> str:
    """What of a pay-out matters to its settlement."""
    intent = record.noun
    if not isinstance(intent, SplitIntent):
        return fingerprint([record.hash])
    paid_at = intent.paid_at.isoformat() if intent.paid_at else None
    return fingerprint([intent.split, intent.partnership, intent.amount, intent.currency, intent.status, paid_at])


def _plan(subject: Subject, record: Record, bills: Bills, strangers: Strangers) -> Planned:
    intent = record.noun if isinstance(record.noun, SplitIntent) else None
    source_hash = pay_out_hash(record)
    ruling = _ruling(subject, record, intent, source_hash, bills, strangers)
    amount, currency = (intent.amount or 0, intent.currency or "") if intent else (0, "")
    day = _booked_day(subject, record) or subject.day
    return subject.planned(record, Leg.PAY_OUT, source_hash, ruling, amount, currency, day)


def _ruling(
    subject: Subject,
    record: Record,
    intent: SplitIntent | None,
    source_hash: str,
    bills: Bills,
    strangers: Strangers,
) -> Ruling:
    terms = subject.terms
    link = subject.known.links.get((str(Leg.PAY_OUT), record.id))
    if link is None and (off := switched_off(terms)) is not None:
        return Ruling(off)
    if link is not None and intent is not None and (back := _set_back(subject, intent, link)) is not None:
        return _reversed(subject, record, intent, source_hash, link, back)
    again = link is not None and bool(taken_back(link))
    if again and (final := final_word(terms, subject.known, record, Leg.PAY_OUT, source_hash)) is not None:
        return Ruling(final)
    stands = None if again else at_once(terms, subject.known, record, Leg.PAY_OUT, source_hash)
    if stands is not None or intent is None:
        return Ruling(stands or terms.say(Code.MALFORMED), link=_marked(subject, intent, link))
    if (excluded := _excluded(subject, intent)) is not None:
        return Ruling(excluded)
    split = split_of(intent, subject.splits)
    if split is None:
        return Ruling(_unclear(subject, "Qualy's pay-out belongs to no split that it has."))
    bill = bills.get(split.id)
    held = _held(subject, intent, split) or _waits_for(subject, split, bill)
    if held is not None:
        return Ruling(held)
    account = _account(subject, intent)
    if isinstance(account, Outcome):
        return Ruling(account)
    charge = _charge(subject, intent, account, source_hash, link.generation + 1 if link is not None else 1)
    key: Key = (str(Leg.BILL), split.id)
    ruling = plan_settlement(terms, subject.known, charge, key, strangers, _bill_lock(subject, key))
    ruling = _remembering(subject, split, ruling)
    if ruling.outcome is None and key not in subject.known.links:
        return replace(ruling, outcome=_bill_to_come(subject, split, bill))
    return ruling


def switched_off(terms: Terms) -> Outcome | None:
    """The setting because of which no pay-out settles anything."""
    splits = terms.accounting.splits
    if not splits.mark_paid:
        return terms.say(Code.NEVER_SYNCED, setting="splits.mark_paid")
    return terms.say(Code.NEVER_SYNCED, setting="splits.when") if splits.when == "never" else None


# -- set back to unpaid --------------------------------------------------------------------------------------------


def _set_back(subject: Subject, intent: SplitIntent, link: Link) -> str | None:
    """The status because of which a booked pay-out is none any more; None where it stands.

    Either the pay-out itself is no longer paid, or its split, which said so once, says something else since.
    """
    if not is_paid_out(subject.terms, intent):
        return intent.status or "not paid out"
    split = split_of(intent, subject.splits)
    if split is None or _says_paid(subject, split) or not link.facts.get("split_paid"):
        return None
    return split.status or "not paid out"


def _reversed(
    subject: Subject, record: Record, intent: SplitIntent, source_hash: str, link: Link, status: str
) -> Ruling:
    terms, known = subject.terms, subject.known
    final = final_word(terms, known, record, Leg.PAY_OUT, source_hash)
    if final is not None:
        return Ruling(final)
    amount = int(link.facts.get("amount", intent.amount or 0))
    money = str(Money(amount, str(link.facts.get("currency", intent.currency or ""))))
    return reverse(terms, known, Leg.PAY_OUT, record.id, source_hash, link, status, money)


def _marked(subject: Subject, intent: SplitIntent | None, link: Link | None) -> Link | None:
    """The link, once its split says that it is paid: only then can it be set back."""
    split = split_of(intent, subject.splits) if intent is not None else None
    if link is None or split is None or link.facts.get("split_paid") or not _says_paid(subject, split):
        return None
    return replace(link, facts=dict(link.facts) | {"split_paid": True})


def _remembering(subject: Subject, split: Split, ruling: Ruling) -> Ruling:
    """The ruling, whose link will know that its split says it is paid."""
    if ruling.step is None or not _says_paid(subject, split):
        return ruling
    return replace(ruling, step=replace(ruling.step, facts=dict(ruling.step.facts) | {"split_paid": True}))


def _says_paid(subject: Subject, split: Split) -> bool:
    return split.status in subject.terms.settings.source.paid_split_statuses


def _excluded(subject: Subject, intent: SplitIntent) -> Outcome | None:
    """No settlement on purpose, or not yet."""
    terms = subject.terms
    if (off := switched_off(terms)) is not None:
        return off
    if not is_paid_out(terms, intent):
        return terms.say(Code.NOT_YET_PAID, status=intent.status or "not paid out")
    return terms.say(Code.NOTHING_DUE, why="its amount is zero") if intent.amount == 0 else None


def _held(subject: Subject, intent: SplitIntent, split: Split) -> Outcome | None:
    terms = subject.terms
    direction = payable(terms, split, subject.partner_name(split))
    if isinstance(direction, Outcome):
        return direction
    if direction == "own":
        return terms.say(Code.OWN_SHARE)
    if not terms.can(Ability.SETTLE_BILLS):
        return subject.needs_decision(
            "bill settlements",
            f"{terms.title} cannot mark a bill paid from outside.",
            f"Pay the bill in {terms.title} and decide theirs, or set splits.mark_paid: false.",
        )
    if direction == "owed_to_us":
        return _unclear(subject, "A share that the partner owes us was paid out.")
    if intent.amount is None or intent.currency is None:
        return _unclear(subject, "Qualy does not say how much was paid out.")
    if intent.amount < 0:
        return _unclear(subject, f"The pay-out is negative: {Money(intent.amount, intent.currency)}.")
    if intent.currency != split.currency:
        return _unclear(subject, f"A share in {split.currency} was paid out in {intent.currency}.")
    if intent.paid_at is None:
        return _unclear(subject, "Qualy does not say on which day it was paid out.")
    return None


def _waits_for(subject: Subject, split: Split, bill: Planned | None) -> Outcome | None:
    """Why nothing hangs on the bill: there is none on purpose, or it is in question."""
    first = subject.terms.say(Code.WAITING_FOR, leg=str(Leg.BILL), id=split.id)
    if bill is None:
        return first
    outcome = bill.outcome
    if bill.key in subject.known.links:
        return None if outcome is None or outcome.meaning.group is Group.IN_STEP else first
    if bill.step is not None or bill.link is not None:
        return None
    left_out = outcome is not None and outcome.meaning.group is Group.EXCLUDED
    return outcome if left_out else first


def _bill_to_come(subject: Subject, split: Split, bill: Planned | None) -> Outcome | None:
    """Why a settlement of a bill that is not booked yet could not follow at once."""
    if bill is None or not bill.due:
        return subject.terms.say(Code.WAITING_FOR, leg=str(Leg.BILL), id=split.id)
    if subject.terms.accounting.splits.bill_status != "authorised":
        return subject.terms.say(Code.AWAITING_APPROVAL)
    return None


def _account(subject: Subject, intent: SplitIntent) -> str | Outcome:
    terms, currency = subject.terms, intent.currency or ""
    code = terms.accounting.splits.payout_accounts.get(currency, "")
    problem = account_problem(terms, code, currency, f"pay-outs {currency}", f"Pay-outs in {currency}")
    return problem or code


def _charge(subject: Subject, intent: SplitIntent, account: str, source_hash: str, generation: int) -> Charge:
    day, amount = _day_of(subject, intent) or subject.day, intent.amount or 0
    carrier = Transaction(
        id=intent.id,
        payment=subject.record.id,
        amount=amount,
        currency=intent.currency or "",
        type="pay-out",
        status=intent.status,
        created_at=intent.paid_at or subject.payment.created_at,
    )
    return Charge(
        carrier=carrier,
        amount=amount,
        day=day,
        account=account,
        ref=make_ref(Leg.PAY_OUT, intent.id, generation),
        source_hash=source_hash,
        generation=generation,
        leg=Leg.PAY_OUT,
        of=What.BILL,
        said=subject.said_rate(intent),
    )


def _bill_lock(subject: Subject, bill: Key) -> Outcome | None:
    """Whether the booked bill lies in a locked period, by the date that it has there."""
    link = subject.known.links.get(bill)
    document = subject.known.documents_by_id.get(link.remote_id) if link else None
    return lock_problem(subject.terms, document.date, "document") if document else None


def _strangers(subject: Subject, records: Sequence[Record]) -> Strangers:
    ids = [record.id for record in records]
    links = [link for one in ids if (link := subject.known.links.get((str(Leg.PAY_OUT), one)))]
    refs = {make_ref(Leg.PAY_OUT, one) for one in ids}
    return Strangers(refs | {link.ref for link in links}, {link.remote_id for link in links})


def _within_due(subject: Subject, planned: Sequence[Planned]) -> list[Planned]:
    """No more than is due on a bill goes in one go: what would exceed it waits for the fresh reading."""
    left: dict[Key, int] = {}
    kept: list[Planned] = []
    for one in planned:
        if not one.due or one.step is None or one.step.needs is None:
            kept.append(one)
            continue
        bill = one.step.needs
        link = subject.known.links.get(bill)
        document = subject.known.documents_by_id.get(link.remote_id) if link else None
        due = left.get(bill, document.due if document else one.step.amount)
        if one.step.amount > due:
            kept.append(replace(one, outcome=subject.terms.say(Code.ITS_TURN, why="another settlement goes first")))
            continue
        seen = {"due": due} if document else dict(one.step.seen)
        kept.append(replace(one, step=replace(one.step, seen=seen)))
        left[bill] = due - one.step.amount
    return kept


def _booked_day(subject: Subject, record: Record) -> date | None:
    """The day as booked, else as Qualy says it."""
    link = subject.known.links.get((str(Leg.PAY_OUT), record.id))
    if link is not None and "date" in link.facts:
        return date.fromisoformat(str(link.facts["date"]))
    return _day(subject, record)


def _day(subject: Subject, record: Record) -> date | None:
    return _day_of(subject, record.noun) if isinstance(record.noun, SplitIntent) else None


def _day_of(subject: Subject, intent: SplitIntent) -> date | None:
    return local_day(intent.paid_at, subject.terms.organisation.zone) if intent.paid_at else None


def _unclear(subject: Subject, problem: str) -> Outcome:
    title = subject.terms.title
    return subject.needs_decision(
        "pay-out unclear", problem, f"Correct it in Qualy, or pay the bill in {title} by hand and decide theirs."
    )
