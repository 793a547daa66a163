"""What invoices and bills have in common once their lines are known: totals, dates, number, locks. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from qualy_sync.contracts.accounting import (
    CREDITS,
    GONE,
    Ability,
    Basis,
    Line,
    NewDocument,
    RemoteDocument,
    Status,
    Totals,
    What,
    owned_hash,
)
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.decisions import Decision
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Outcome

from .found import copies_of, judge_document, twins
from .mapping import account, known_tax
from .rates import rate_problem, rated
from .redating import on_an_open_day, original_day
from .refs import looks_like_ref, make_number, make_ref
from .values import Key, Known, Ruling, Step, Terms, decision_on, fingerprint, frozen_values, hold_back, link_of

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
    due_date: datetime.date | None
    status: Status
    basis: Basis
    lines: tuple[Line, ...]
    totals: Totals
    payment_id: str
    source_hash: str
    own: int  # Qualy's amount of the record, minor units: a bill's total need not be its split's amount
    said: object = None  # what Qualy's record holds at the place of its own exchange rate
    shares: tuple[str, ...] = ()  # items whose lines came of their splits
    generation: int = 1  # rises where it is posted anew after it was voided
    of_id: str = ""  # of a credit: the document that is credited
    credits: Key | None = None  # of a credit: the leg of that document
    due_at: datetime.date | None = None  # as Qualy says it; `due_date` is never before the document's own

    @property
    def key(self) -> Key:
        return (str(self.leg), self.source_id)


def fit_totals(
    terms: Terms, lines: tuple[Line, ...], basis: Basis, currency: str, total: int, *, sales: bool
) -> tuple[tuple[Line, ...], Totals] | Outcome:
    """Lines whose total, computed the tool's way, is Qualy's; a difference within `rounding` gets a line of its own."""
    if (held := _below_zero(terms, lines, currency)) is not None:
        return held
    computed = terms.totals(lines, basis, currency, terms.chart)
    if computed.total == total:
        return lines, computed
    difference = total - computed.total
    if abs(difference) <= terms.accounting.rounding.cents:
        line = _rounding_line(terms, difference, sales=sales)
        if isinstance(line, Outcome):
            return line
        with_line = terms.totals((*lines, line), basis, currency, terms.chart)
        if with_line.total == total:
            return (*lines, line), with_line
    problem = f"{terms.title} would make it {Money(computed.total, currency)}, Qualy says {Money(total, currency)}"
    return terms.say(Code.TOTALS_DISAGREE, "tool", problem=problem)


def _below_zero(terms: Terms, lines: tuple[Line, ...], currency: str) -> Outcome | None:
    """A tool without negative lines takes a discount as less of the same account, and nothing below zero of any."""
    if terms.can(Ability.NEGATIVE_LINES):
        return None
    for code in dict.fromkeys(line.account for line in lines):
        amount = sum(line.amount for line in lines if line.account == code)
        if amount < 0:
            name = terms.chart.accounts[code].name
            return terms.say(
                Code.NEEDS_DECISION,
                f"below zero {code}",
                problem=f"“{name}” would come to {Money(amount, currency)}. {terms.gaps[Ability.NEGATIVE_LINES]}",
                steps="Map the discount to the account of what it is for, or enter it by hand and decide theirs.",
            )
    return None


def _rounding_line(terms: Terms, difference: int, *, sales: bool) -> Line | Outcome:
    rounding = terms.accounting.rounding
    code = account(terms, rounding.account, "Rounding")
    if isinstance(code, Outcome):
        return code
    tax = known_tax(terms, rounding.tax, "Rounding", sales=sales)
    return tax if isinstance(tax, Outcome) else Line("Rounding", difference, code, tax)


def currency_problem(terms: Terms, currency: str, day: datetime.date) -> Outcome | None:
    """Whether the organisation can book this currency."""
    if currency not in terms.chart.currencies:
        return terms.say(Code.CURRENCY_NOT_ENABLED, currency, currency=currency)
    return rate_problem(terms, currency, day)


def plan_document(terms: Terms, known: Known, draft: Draft, contact_blocked: bool) -> Ruling:
    """Look first: what is there already with our ref or number; then what is in the way; then the step."""
    decision = decision_on(known, (str(draft.leg), draft.source_id), draft.source_hash)
    step = _step(terms, known, draft)
    if decision is not None and decision.choice == "link":
        return _decided_link(terms, known, step, decision)
    with_ref = known.documents_by_ref.get(step.ref, ())
    found = [document for document in with_ref if document.id not in known.linked_documents]
    if found:
        return _found(terms, step, found, decision)
    if with_ref:
        return Ruling(_anothers(terms, with_ref[0]))
    if (taken := _number_taken(terms, known, step)) is not None:
        return Ruling(taken, step)
    if (held := hold_back(terms, known, step)) is not None:
        return Ruling(held, step)
    if contact_blocked:
        return Ruling(terms.say(Code.WAITING_FOR, leg=draft.contact[0], id=draft.contact[1]), step)
    if (other := _other_currency(terms, known, draft)) is not None:
        return Ruling(other, step)
    if decision is None or decision.choice != "separate":
        twin = _look_alike(terms, known, step)
        if twin is not None:
            return Ruling(twin, step)
    what = "credit note" if step.what in CREDITS else "document"
    fixed = frozen_values(known, draft.key, draft.source_hash)
    return rated(terms, on_an_open_day(terms, step, what, fixed), draft.said, fixed=fixed)


def _other_currency(terms: Terms, known: Known, draft: Draft) -> Outcome | None:
    """The contact that we linked is of another currency since: the tool would refuse it, or take the contact's."""
    link = known.links.get(draft.contact) if terms.ways.currency_per_contact else None
    contact = known.contacts_by_id.get(known.after_merges(link.remote_id)) if link is not None else None
    if contact is None or contact.currency in ("", draft.currency):
        return None
    return terms.say(
        Code.NEEDS_DECISION,
        f"contact in {contact.currency}",
        problem=f"Its contact {contact.id} is in {contact.currency} there, and this is in {draft.currency}.",
        steps=f"Link the contact to one in {draft.currency} (decide link:CONTACT_ID on it), or book this by hand and"
        " decide ignore.",
    )


def _found(terms: Terms, step: Step, found: list[RemoteDocument], decision: Decision | None) -> Ruling:
    """Documents with our ref and no link: ours, if they agree; as they are there, if a person said so."""
    judged = judge_document(terms, found, step.facts)
    if not isinstance(judged, Outcome):
        return Ruling(terms.say(Code.ADOPTED), link=link_to(terms, step, judged, "adopted"))
    live = [document for document in found if document.status not in GONE]
    if decision is not None and decision.choice == "theirs" and len(live) == 1:
        return Ruling(judged, link=link_to(terms, step, live[0], "decided"))
    return Ruling(judged)


def _anothers(terms: Terms, document: RemoteDocument) -> Outcome:
    """Our own document, which a person linked to another record: a second one would be there beside it."""
    return terms.say(
        Code.NEEDS_DECISION,
        "its document is another's",
        problem=f"The document in {terms.title} that carries its reference ({document.id}) stands for another record.",
        steps="If it is booked by that document, decide theirs; if not, book it by hand and decide theirs.",
    )


def _document(step: Step) -> NewDocument:
    if not isinstance(step.new, NewDocument):
        raise TypeError("this step makes no document")
    return step.new


def _step(terms: Terms, known: Known, draft: Draft) -> Step:
    """The step, with what an earlier attempt has fixed: number, dates."""
    ref = make_ref(draft.leg, draft.source_id, draft.generation)
    fixed = frozen_values(known, draft.key, draft.source_hash)
    day = original_day(fixed) or draft.date
    due = draft.due_date
    if due is not None and fixed.get("due_date"):
        due = datetime.date.fromisoformat(fixed["due_date"])
    new = new_document(terms, known, draft, ref, _number(terms, known, draft, ref), day, due)
    return Step(
        what=draft.what,
        leg=draft.leg,
        source_id=draft.source_id,
        ref=ref,
        sought=new.number,
        new=new,
        source_hash=draft.source_hash,
        content_hash=content_hash(draft, new),
        amount=draft.totals.total,
        currency=draft.currency,
        generation=draft.generation,
        needs=draft.contact,
        facts=document_facts(terms, draft, new),
    )


def new_document(
    terms: Terms, known: Known, draft: Draft, ref: str, number: str, day: datetime.date, due: datetime.date | None
) -> NewDocument:
    """The document as it is to be, complete but for the contact's id where that is not linked yet."""
    contact_link = known.links.get(draft.contact)
    return NewDocument(
        what=draft.what,
        ref=ref,
        number=number,
        contact_id=known.after_merges(contact_link.remote_id) if contact_link else "",
        currency=draft.currency,
        date=day,
        due_date=due,
        status=draft.status,
        basis=draft.basis,
        lines=draft.lines,
        link=terms.payment_link.replace("{id}", quote(draft.payment_id, safe="")),
        of_id=draft.of_id,
    )


def content_hash(draft: Draft, new: NewDocument, verb: str = "") -> str:
    """What would be written, without remote ids, ref and number."""
    content = [str(draft.what), draft.contact, draft.currency, new.date, new.due_date, draft.status, draft.basis]
    lines = [[line.description, line.amount, line.account, line.tax] for line in draft.lines]
    parts = [[*content, draft.totals.total], lines]
    return fingerprint([*parts, verb] if verb else parts)


def document_facts(terms: Terms, draft: Draft, new: NewDocument) -> dict[str, Any]:
    """What is agreed of a document: fixed with the attempt, kept with the link."""
    facts: dict[str, Any] = {
        "what": str(draft.what),
        "number": new.number,
        "date": new.date.isoformat(),
        "contact_id": new.contact_id,
        "currency": draft.currency,
        "net": draft.totals.net,
        "tax": draft.totals.tax,
        "total": draft.totals.total,
        "own": draft.own,
        "accounts": _by_account(terms, draft),
        "shares": list(draft.shares),
    }
    if new.due_date is not None:
        facts["due_date"] = new.due_date.isoformat()
    if draft.due_at is not None:
        facts["due_at"] = draft.due_at.isoformat()
    if draft.of_id:
        facts["of_id"] = draft.of_id
    return facts | _to_recode(terms, draft)


def _number(terms: Terms, known: Known, draft: Draft, ref: str) -> str:
    """What people read: fixed by the first attempt, unless exactly that number turned out to be somebody else's."""
    if draft.what is not What.INVOICE:
        return ref
    frozen = known.frozen.get(draft.key)
    same = frozen is not None and frozen.generation == draft.generation
    if frozen is not None and same and "number" in frozen.values and frozen.fate != Code.NUMBER_TAKEN:
        return str(frozen.values["number"])
    return make_number(terms.accounting.payments.number_prefix, draft.qualy_number, ref, draft.generation)


def _by_account(terms: Terms, draft: Draft) -> dict[str, int]:
    """What each account gets: net of tax, also where the lines hold it."""
    sums: dict[str, int] = {}
    for line in draft.lines:
        net = terms.totals([line], draft.basis, draft.currency, terms.chart).net
        sums[line.account] = sums.get(line.account, 0) + net
    return sums


def _to_recode(terms: Terms, draft: Draft) -> dict[str, list[str]]:
    """The suspense accounts that a document uses: it is listed until somebody recodes it in the tool."""
    suspense = {mapped.account for mapped in terms.accounting.items.values() if mapped.suspense}
    used = sorted(suspense & {line.account for line in draft.lines})
    return {"suspense": used} if used else {}


def _number_taken(terms: Terms, known: Known, step: Step) -> Outcome | None:
    """Our number on somebody else's invoice. Bills may share numbers; ours is the ref anyway."""
    if step.what is not What.INVOICE:
        return None
    for document in known.documents_by_number.get(step.sought.casefold(), ()):
        if document.what is What.INVOICE and document.ref != step.ref:
            return terms.say(Code.NUMBER_TAKEN, step.sought, number=step.sought, remote_id=document.id)
    return None


def _look_alike(terms: Terms, known: Known, step: Step) -> Outcome | None:
    """A document of somebody else's that may be the same sale."""
    new = _document(step)
    near = timedelta(days=LOOK_ALIKE_DAYS)
    for document in known.documents_by_contact.get(new.contact_id, ()):
        alike = (
            document.what is new.what
            and document.currency == new.currency
            and document.total == step.amount
            and abs(document.date - new.date) <= near
            and document.status not in GONE
            and document.id not in known.linked_documents
            and not looks_like_ref(document.ref)
        )
        if alike:
            return terms.say(Code.POSSIBLE_DUPLICATE, "", remote_id=document.id, date=document.date.isoformat())
    return None


def _decided_link(terms: Terms, known: Known, step: Step, decision: Decision) -> Ruling:
    remote = known.documents_by_id.get(decision.argument)
    usable = (
        remote is not None
        and remote.status not in GONE
        and remote.what is step.what
        and remote.currency == step.currency
        and remote.id not in known.linked_documents
    )
    if remote is not None and usable:
        return Ruling(terms.say(Code.ADOPTED), link=link_to(terms, step, remote, "decided"))
    return Ruling(
        terms.say(
            Code.NEEDS_DECISION,
            f"link {decision.argument}",
            problem=f"The document {decision.argument} that was decided on cannot stand for this one.",
            steps=f"Decide link:ID with a live {step.what} in {step.currency} that stands for no other record.",
        )
    )


def link_to(terms: Terms, step: Step, remote: RemoteDocument, how: str) -> Link:
    """The link that says: this remote document stands for this step. One that we did not make counts as it is there."""
    facts: dict[str, Any] = dict(step.facts) | {"contact_id": remote.contact_id}
    if how != "created":
        facts |= {"net": remote.net, "tax": remote.tax, "total": remote.total, "number": remote.number}
        facts |= {"date": remote.date.isoformat()}
        facts |= {"due_date": remote.due_date.isoformat()} if remote.due_date else {}
    if remote.lines is not None:
        facts["owned"] = owned_hash(remote, remote.lines)
    return link_of(terms, step, remote, how, facts)


def linked_document(terms: Terms, known: Known, link: Link) -> Outcome:
    """What is to be said of a document that is linked, from the mirror: gone, changed, there twice, or in step."""
    remote = known.documents_by_id.get(link.remote_id)
    if remote is not None:
        judged = judge_document(terms, [remote], _agreed(known, link, remote))
        if isinstance(judged, Outcome):
            return judged
        if copies := copies_of(link, known):
            return twins(terms, [link.remote_id, *copies])
    if link.facts.get("changed"):
        return terms.say(Code.UPDATED)
    return terms.say(Code.CREATED if link.how == "created" else Code.ADOPTED)


def _agreed(known: Known, link: Link, remote: RemoteDocument) -> Mapping[str, Any]:
    """The facts of a link; a contact that was merged into another one is that other one since."""
    agreed = dict(link.facts) | {"what": None}
    if known.after_merges(str(agreed.get("contact_id", ""))) == remote.contact_id:
        agreed["contact_id"] = remote.contact_id
    return agreed
