"""What invoices and bills have in common once their lines are known: totals, dates, number, locks. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from qualy_sync.contracts.accounting import (
    GONE,
    Basis,
    Line,
    NewDocument,
    RemoteDocument,
    Status,
    Totals,
    What,
)
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.decisions import Decision
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Outcome

from .found import judge_document
from .refs import looks_like_ref, make_number, make_ref
from .values import Key, Known, Step, Terms, fingerprint, hold_back

LOOK_ALIKE_DAYS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as Qualy and the settings make it, before anything that the tool holds is looked at."""

    leg: Leg
    source_id: str
    what: What
    qualy_number: int | None
    contact: Key  # the leg that has to be linked first
    currency: str
    date: datetime.date
    due_date: datetime.date
    status: Status
    basis: Basis
    lines: tuple[Line, ...]
    totals: Totals
    payment_id: str
    source_hash: str


def fit_totals(
    terms: Terms, lines: tuple[Line, ...], basis: Basis, currency: str, total: int
) -> tuple[tuple[Line, ...], Totals] | Outcome:
    """Lines whose total, computed the tool's way, is Qualy's; a difference within `rounding` gets a line of its own."""
    computed = terms.totals(lines, basis, currency, terms.chart)
    if computed.total == total:
        return lines, computed
    difference = total - computed.total
    rounding = terms.accounting.rounding
    if abs(difference) <= rounding.cents and rounding.account and rounding.tax:
        fitted = (*lines, Line("Rounding", difference, rounding.account, rounding.tax))
        computed = terms.totals(fitted, basis, currency, terms.chart)
        if computed.total == total:
            return fitted, computed
    problem = f"{terms.title} would make it {Money(computed.total, currency)}, Qualy says {Money(total, currency)}"
    return terms.say(Code.TOTALS_DISAGREE, "tool", problem=problem)


def currency_problem(terms: Terms, currency: str, day: datetime.date) -> Outcome | None:
    """Whether the organisation can book this currency."""
    if currency not in terms.chart.currencies:
        return terms.say(Code.CURRENCY_NOT_ENABLED, currency, currency=currency)
    if currency != terms.organisation.base_currency and terms.accounting.currencies.rates is None:
        return terms.say(Code.NO_RATE, currency, currency=currency, date=day.isoformat())
    return None


def lock_problem(terms: Terms, day: datetime.date, what: str) -> Outcome | None:
    """Whether a day is in a locked period (inclusive), which date, and in which accounting month."""
    lock = terms.organisation.lock_date
    if lock is None or day > lock:
        return None
    return terms.say(
        Code.LOCKED,
        f"{lock.isoformat()} {day:%Y-%m}",
        date=f"{day.isoformat()} ({what})",
        lock_date=lock.isoformat(),
        month=f"{day:%Y-%m}",
    )


def plan_document(
    terms: Terms, known: Known, draft: Draft, contact_blocked: bool
) -> tuple[Outcome | None, Step | None, Link | None]:
    """Look first: what is there already with our ref or number; then what is in the way; then the step."""
    key = (str(draft.leg), draft.source_id)
    decision = _valid(known.decisions.get(key), draft.source_hash)
    step = _step(terms, known, draft, decision)
    if decision is not None and decision.choice == "link":
        return _decided_link(terms, known, step, decision, draft)
    found = tuple(
        document for document in known.documents_by_ref.get(step.ref, ()) if document.id not in known.linked_documents
    )
    if found:
        judged = judge_document(terms, found, dict(step.facts) | {"contact_id": _linked_contact(known, step)})
        if isinstance(judged, Outcome):
            return judged, None, None
        return terms.say(Code.ADOPTED), None, link_to(terms, step, judged, "adopted")
    if (taken := _number_taken(terms, known, step)) is not None:
        return taken, step, None
    if (held := hold_back(terms, known, step)) is not None:
        return held, step, None
    if contact_blocked:
        return terms.say(Code.WAITING_FOR, leg=draft.contact[0], id=draft.contact[1]), step, None
    if decision is None or decision.choice != "separate":
        twin = _look_alike(terms, known, step, draft)
        if twin is not None:
            return twin, step, None
    return lock_problem(terms, draft.date, "document"), step, None


def _valid(decision: Decision | None, source_hash: str) -> Decision | None:
    return decision if decision is not None and decision.source_hash == source_hash else None


def _step(terms: Terms, known: Known, draft: Draft, decision: Decision | None) -> Step:
    """The step, with what an earlier attempt has fixed: number, dates."""
    key = (str(draft.leg), draft.source_id)
    ref = make_ref(draft.leg, draft.source_id)
    number = ref
    if draft.what is What.INVOICE:
        number = make_number(terms.accounting.payments.number_prefix, draft.qualy_number, ref)
    day, due = draft.date, draft.due_date
    frozen = known.frozen.get(key)
    if frozen is not None and frozen.source_hash == draft.source_hash and "date" in frozen.values:
        number = str(frozen.values["number"])
        day, due = (
            datetime.date.fromisoformat(frozen.values["date"]),
            datetime.date.fromisoformat(frozen.values["due_date"]),
        )
    contact_link = known.links.get(draft.contact)
    new = NewDocument(
        what=draft.what,
        ref=ref,
        number=number,
        contact_id=contact_link.remote_id if contact_link else "",
        currency=draft.currency,
        date=day,
        due_date=due,
        status=draft.status,
        basis=draft.basis,
        lines=draft.lines,
        link=terms.payment_link.format(id=draft.payment_id) if terms.payment_link else "",
    )
    content = [str(draft.what), draft.contact, draft.currency, day, due, draft.status, draft.basis, draft.totals.total]
    lines = [[line.description, line.amount, line.account, line.tax] for line in draft.lines]
    return Step(
        what=draft.what,
        leg=draft.leg,
        source_id=draft.source_id,
        ref=ref,
        sought=number,
        new=new,
        source_hash=draft.source_hash,
        content_hash=fingerprint([content, lines]),
        amount=draft.totals.total,
        currency=draft.currency,
        needs=draft.contact,
        facts={
            "what": str(draft.what),
            "number": number,
            "date": day.isoformat(),
            "due_date": due.isoformat(),
            "contact_id": new.contact_id,
            "currency": draft.currency,
            "net": draft.totals.net,
            "tax": draft.totals.tax,
            "total": draft.totals.total,
            "accounts": _by_account(draft.lines),
        },
    )


def _by_account(lines: tuple[Line, ...]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.account] = sums.get(line.account, 0) + line.amount
    return sums


def _linked_contact(known: Known, step: Step) -> str:
    link = known.links.get(step.needs) if step.needs else None
    return link.remote_id if link else ""


def _number_taken(terms: Terms, known: Known, step: Step) -> Outcome | None:
    """Our number on somebody else's invoice. Bills may share numbers; ours is the ref anyway."""
    if step.what is not What.INVOICE:
        return None
    for document in known.documents_by_number.get(step.sought.casefold(), ()):
        if document.what is What.INVOICE and document.ref != step.ref:
            return terms.say(Code.NUMBER_TAKEN, step.sought, number=step.sought, remote_id=document.id)
    return None


def _look_alike(terms: Terms, known: Known, step: Step, draft: Draft) -> Outcome | None:
    contact = _linked_contact(known, step)
    near = timedelta(days=LOOK_ALIKE_DAYS)
    for document in known.documents_by_contact.get(contact, ()):
        alike = (
            document.what is draft.what
            and document.currency == draft.currency
            and document.total == draft.totals.total
            and abs(document.date - draft.date) <= near
            and document.status not in GONE
            and document.id not in known.linked_documents
            and not looks_like_ref(document.ref)
        )
        if alike:
            return terms.say(Code.POSSIBLE_DUPLICATE, "", remote_id=document.id, date=document.date.isoformat())
    return None


def _decided_link(
    terms: Terms, known: Known, step: Step, decision: Decision, draft: Draft
) -> tuple[Outcome | None, Step | None, Link | None]:
    remote = known.documents_by_id.get(decision.argument)
    if remote is None or remote.status in GONE or remote.currency != draft.currency:
        return (
            terms.say(
                Code.NEEDS_DECISION,
                f"link {decision.argument}",
                problem=f"The document {decision.argument} that was decided on cannot stand for this one.",
                steps=f"Decide link:ID with a live document of {terms.title} in {draft.currency}.",
            ),
            None,
            None,
        )
    return terms.say(Code.ADOPTED), None, link_to(terms, step, remote, "decided")


def link_to(terms: Terms, step: Step, remote: RemoteDocument, how: str) -> Link:
    """The link that says: this remote document stands for this step."""
    facts: Mapping[str, Any] = dict(step.facts) | {"contact_id": remote.contact_id}
    if how != "created":
        facts = dict(facts) | {"net": remote.net, "tax": remote.tax, "total": remote.total, "number": remote.number}
    return Link(
        leg=str(step.leg),
        source_id=step.source_id,
        variant=step.variant,
        generation=step.generation,
        remote_id=remote.id,
        ref=step.ref,
        how=how,
        source_hash=step.source_hash,
        content_hash=step.content_hash,
        facts=facts,
        settings_version=terms.settings.version,
        linked_at=remote.updated_at,
    )


def with_contact(step: Step, contact_id: str) -> Step:
    """The step with its contact filled in."""
    if not isinstance(step.new, NewDocument):
        raise TypeError("only a document has a contact")
    new = replace(step.new, contact_id=contact_id)
    return replace(step, new=new, facts=dict(step.facts) | {"contact_id": contact_id})


def linked_document(terms: Terms, known: Known, link: Link) -> Outcome:
    """What is to be said of a document that is linked, from the mirror: gone, not as agreed, or in step."""
    remote = known.documents_by_id.get(link.remote_id)
    if remote is not None:
        judged = judge_document(terms, [remote], dict(link.facts) | {"what": None})
        if isinstance(judged, Outcome):
            return judged
    return terms.say(Code.CREATED if link.how == "created" else Code.ADOPTED)
