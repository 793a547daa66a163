"""Money that Qualy took back: a charge that is no longer final, and its settlement stands in the tool. Pure.

By `settlement.reversal` our own settlement is removed, if it is not reconciled and its period is open; anything else
is `reversed_at_source`, a person's. What was removed stays removed; it is applied anew if the charge is final again.
"""

from __future__ import annotations

from dataclasses import replace

from qualy_sync.contracts.accounting import GONE, Ability, RemoteSettlement, Remove, Verb, What
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg, Money, Transaction
from qualy_sync.outcomes import Code, Outcome

from .posted import settlement_there
from .redating import lock_problem
from .subject import Subject
from .values import Known, Ruling, Step, Terms, fingerprint, hold_back, taken_back


def plan_reversal(subject: Subject, transaction: Transaction, source_hash: str, link: Link) -> Ruling:
    """What becomes of the settlement of a charge that is no longer final."""
    terms, known = subject.terms, subject.known
    money = str(Money(int(link.facts.get("amount", transaction.amount)), transaction.currency))
    return reverse(terms, known, Leg.SETTLEMENT, transaction.id, source_hash, link, transaction.status, money)


def reverse(
    terms: Terms, known: Known, leg: Leg, source_id: str, source_hash: str, link: Link, status: str, money: str
) -> Ruling:
    """The same for any settlement: of a charge, or of a bill whose split is no longer paid out."""
    remote = settlement_there(known, link)
    if taken_back(link) or (remote is not None and remote.status in GONE):
        gone = None if taken_back(link) else replace(link, facts=dict(link.facts) | {"gone": "removed"})
        return Ruling(terms.say(Code.REMOVED), link=gone)
    if remote is None:
        return Ruling(terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id))
    if (kept := _why_kept(terms, link, remote)) is not None:
        problem = f"{money}, {kept}"
        return Ruling(terms.say(Code.REVERSED_AT_SOURCE, "", status=status, problem=problem, remote_id=remote.id))
    step = Step(
        what=_what(remote, leg),
        leg=leg,
        source_id=source_id,
        ref=link.ref,
        sought=remote.id,
        new=Remove(link.ref, remote),
        source_hash=source_hash,
        content_hash=fingerprint(["remove", str(leg), source_id, link.generation, remote.amount]),
        amount=remote.amount,
        currency=remote.currency,
        generation=link.generation,
        variant=link.variant,
        seen={"remote_id": remote.id, "version": remote.version, "amount": remote.amount, "how": link.how},
        facts=dict(link.facts) | {"gone": "removed"},
        verb=Verb.REMOVE,
    )
    return Ruling(hold_back(terms, known, step), step)


def _what(remote: RemoteSettlement, leg: Leg) -> What:
    return What.SETTLEMENT if remote.of is What.INVOICE else What.BILL_SETTLEMENT


def _why_kept(terms: Terms, link: Link, remote: RemoteSettlement) -> str | None:
    """Why a person has to take it back; None where we may."""
    if terms.accounting.settlement.reversal == "hold":
        return "and the settings leave that to a person"
    if link.how != "created" or link.facts.get("covers"):
        return "which is not a payment of ours for this receipt alone"
    if Ability.REMOVE_SETTLEMENT in terms.gaps:
        return terms.gaps[Ability.REMOVE_SETTLEMENT]
    if remote.reconciled is not False:
        return "and it is reconciled" if remote.reconciled else "and nobody can tell whether it is reconciled"
    locked: Outcome | None = lock_problem(terms, remote.date, "settlement")
    return f"and {remote.date.isoformat()} is locked" if locked is not None else None
