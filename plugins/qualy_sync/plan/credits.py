"""Credits: what takes a document back in part or whole, and its application to what is unpaid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from qualy_sync.contracts.accounting import (
    GONE,
    Ability,
    Basis,
    Line,
    NewAllocation,
    RemoteAllocation,
    RemoteDocument,
    Status,
    Totals,
    What,
)
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Group, Outcome

from .decisions import ignored_by, under_way
from .documents import Draft, fit_totals, linked_document, plan_document
from .posted import scaled
from .redating import lock_problem
from .refs import make_ref
from .values import Key, Known, Planned, Ruling, Step, Terms, fingerprint, frozen_values, hold_back, link_of

BY_HAND = "Book the credit in {tool} by hand, then decide theirs."


@dataclass(frozen=True, slots=True)
class Credit:
    """What is to be credited of a document. `of` is the leg of that document, `remote` the document as it is there.

    `key` is the credit's own leg and Qualy id; `lines` are given where Qualy says which, else they are a share of
    the document's own lines.
    """

    key: Key
    of: Key
    contact: Key
    remote: RemoteDocument
    amount: int
    day: date
    payment_id: str
    source_hash: str
    status: Status
    lines: tuple[Line, ...] | None = None
    said: object = None  # what Qualy holds at the place of its own rate

    @property
    def what(self) -> What:
        return What.CREDIT_NOTE if self.remote.what is What.INVOICE else What.SUPPLIER_CREDIT


def plan_credit(terms: Terms, known: Known, credit: Credit) -> Ruling:
    """The credit note: what stands, what is in its way, or the step."""
    key = credit.key
    held = ignored_by(terms, known, key, credit.source_hash) or under_way(terms, known, key)
    if held is not None:
        return Ruling(held)
    if (link := known.links.get(key)) is not None:
        return Ruling(_standing(terms, known, credit, link))
    ability = Ability.CREDIT if credit.what is What.CREDIT_NOTE else Ability.SUPPLIER_CREDIT
    gap = terms.cannot(ability, "credit", BY_HAND.format(tool=terms.title))
    if gap is not None:
        return Ruling(gap)
    draft = _draft(terms, credit)
    if isinstance(draft, Outcome):
        return Ruling(draft)
    return plan_document(terms, known, draft, False)


def _standing(terms: Terms, known: Known, credit: Credit, link: Link) -> Outcome:
    if link.facts.get("total") != credit.amount:
        was = Money(int(link.facts.get("total", 0)), credit.remote.currency)
        now = Money(credit.amount, credit.remote.currency)
        return terms.say(
            Code.NEEDS_DECISION,
            "credit changed",
            problem=f"{was} was credited, Qualy's amount is {now} since.",
            steps=f"Make {terms.title} agree by hand, then decide theirs.",
        )
    stands = linked_document(terms, known, link)
    return terms.say(Code.CREDITED) if stands.meaning.group is Group.IN_STEP else stands


def _draft(terms: Terms, credit: Credit) -> Draft | Outcome:
    remote = credit.remote
    basis = remote.basis or Basis.EXCLUSIVE
    lines = credit.lines if credit.lines is not None else _lines(terms, credit, basis)
    if isinstance(lines, Outcome):
        return lines
    fitted = _fitted(terms, credit, lines, basis)
    if isinstance(fitted, Outcome):
        return fitted
    leg, source_id = credit.key
    return Draft(
        leg=Leg(leg),
        source_id=source_id,
        what=credit.what,
        qualy_number=None,
        contact=credit.contact,
        currency=remote.currency,
        date=credit.day,
        due_date=None,
        status=credit.status,
        basis=basis,
        lines=fitted[0],
        totals=fitted[1],
        payment_id=credit.payment_id,
        source_hash=credit.source_hash,
        own=credit.amount,
        of_id=remote.id,
        credits=credit.of,
        said=credit.said,
    )


def _fitted(
    terms: Terms, credit: Credit, lines: tuple[Line, ...], basis: Basis
) -> tuple[tuple[Line, ...], Totals] | Outcome:
    """Lines that come to the amount the tool's way. Where tax is on top, a cent may have to move."""
    currency, sales = credit.remote.currency, credit.what is What.CREDIT_NOTE
    computed = terms.totals(lines, basis, currency, terms.chart).total
    off = credit.amount - computed
    if off and basis is Basis.EXCLUSIVE and abs(off) <= len(lines):
        largest = max(range(len(lines)), key=lambda place: abs(lines[place].amount))
        line = lines[largest]
        moved = Line(line.description, line.amount + off, line.account, line.tax)
        tried = (*lines[:largest], moved, *lines[largest + 1 :])
        if terms.totals(tried, basis, currency, terms.chart).total == credit.amount:
            lines = tried
    return fit_totals(terms, lines, basis, currency, credit.amount, sales=sales)


def _lines(terms: Terms, credit: Credit, basis: Basis) -> tuple[Line, ...] | Outcome:
    """The document's own lines, whole or by `refund_lines`, with their accounts and tax codes."""
    remote = credit.remote
    if not remote.lines:
        return terms.say(Code.WAITING_FOR, leg=credit.of[0], id=credit.of[1])
    if credit.amount != remote.total and terms.accounting.payments.refund_lines == "hold":
        return terms.say(
            Code.NEEDS_DECISION,
            "refund lines",
            problem=f"{Money(credit.amount, remote.currency)} of {Money(remote.total, remote.currency)} is to be"
            " credited, and Qualy does not say of which items.",
            steps=f"Book the credit note in {terms.title} by hand and decide theirs, or set payments.refund_lines:"
            " proportional.",
        )
    amounts = scaled(remote.lines, credit.amount, remote.total)
    pairs = zip(remote.lines, amounts, strict=True)
    lines = tuple(Line(line.description, amount, line.account, line.tax) for line, amount in pairs)
    return tuple(line for line in lines if line.amount) or lines[:1]


# -- allocations ---------------------------------------------------------------------------------------------------


def by_hand_too(terms: Terms, note: Planned, what: str) -> Outcome | None:
    """A credit that a person booked by hand, or let go: what follows from it is theirs as well."""
    settled = note.outcome is not None and note.link is None
    if note.outcome is None or not settled or note.outcome.meaning.group not in (Group.IN_STEP, Group.EXCLUDED):
        return None
    return terms.say(
        Code.NEEDS_DECISION,
        "credit by hand",
        problem=f"Its credit note was left to a person, so {what} is too.",
        steps=f"Book it in {terms.title} by hand, then decide theirs.",
    )


def plan_allocation(terms: Terms, known: Known, credit: Credit, source_id: str, note: Planned) -> Ruling:
    """A credit applied to what is unpaid of its document."""
    key: Key = (str(Leg.ALLOCATION), source_id)
    held = ignored_by(terms, known, key, credit.source_hash) or under_way(terms, known, key)
    if held is not None:
        return Ruling(held)
    note_link = known.links.get(credit.key) or note.link
    if (link := known.links.get(key)) is not None:
        return Ruling(_standing_allocation(terms, known, link))
    gap = terms.cannot(Ability.ALLOCATE, "allocate", f"Apply the credit in {terms.title} by hand, then decide theirs.")
    if gap is not None:
        return Ruling(gap)
    step = _allocation(known, credit, key, note_link)
    if note_link is None:
        waits = terms.say(Code.WAITING_FOR, leg=credit.key[0], id=credit.key[1])
        return Ruling(None if note.due else by_hand_too(terms, note, "its application") or waits, step)
    if (found := _found(terms, known, step, note_link, credit)) is not None:
        return found
    problem = _no_room(terms, known, credit, note_link) or hold_back(terms, known, step)
    return Ruling(problem or lock_problem(terms, credit.day, "allocation"), step)


def _allocation(known: Known, credit: Credit, key: Key, note: Link | None) -> Step:
    note_id = note.remote_id if note else ""
    day = date.fromisoformat(str(note.facts["date"])) if note else credit.day
    fixed = frozen_values(known, key, credit.source_hash)
    day = date.fromisoformat(fixed["date"]) if "date" in fixed else day
    ref = make_ref(Leg.ALLOCATION, key[1])
    remote = credit.remote
    return Step(
        what=What.ALLOCATION,
        leg=Leg.ALLOCATION,
        source_id=key[1],
        ref=ref,
        sought=ref,
        new=NewAllocation(
            ref=ref,
            note_id=note_id,
            document_id=remote.id,
            contact_id=remote.contact_id,
            date=day,
            amount=credit.amount,
            currency=remote.currency,
            of=remote.what,
        ),
        source_hash=credit.source_hash,
        content_hash=fingerprint(["allocation", credit.key, credit.of, day, credit.amount, remote.currency]),
        currency=remote.currency,
        needs=credit.key,
        seen={"remote_id": note_id, "due": remote.due},
        facts={
            "date": day.isoformat(),
            "amount": credit.amount,
            "currency": remote.currency,
            "note_id": note_id,
            "document_id": remote.id,
            "of": str(remote.what),
        },
    )


def allocations_there(known: Known, ref: str, note_id: str, document_id: str) -> Sequence[RemoteAllocation]:
    """Live allocations of a note to a document, and those with our ref."""
    note = known.documents_by_id.get(note_id)
    on_note = [one for one in (note.allocations if note else ()) if one.document_id == document_id]
    by_id = {one.id: one for one in (*on_note, *known.allocations_by_ref.get(ref, ()))}
    return [one for one in by_id.values() if one.status not in GONE]


def _found(terms: Terms, known: Known, step: Step, note: Link, credit: Credit) -> Ruling | None:
    there = allocations_there(known, step.ref, note.remote_id, credit.remote.id)
    if not there:
        return None
    same = [one for one in there if one.amount == credit.amount]
    if len(there) == 1 and same:
        link = link_of(terms, step, same[0], "adopted", dict(step.facts) | {"note_id": same[0].note_id})
        return Ruling(terms.say(Code.CREDITED), link=link)
    problem = f"{len(there)} allocations of the credit are there, with other amounts"
    return Ruling(terms.say(Code.CHANGED_THERE, "", problem=problem, remote_id=note.remote_id))


def _no_room(terms: Terms, known: Known, credit: Credit, note: Link) -> Outcome | None:
    """The credit was used, or the document paid, by somebody else."""
    remote, there = credit.remote, known.documents_by_id.get(note.remote_id)
    if there is None or (there.lines is None and there.total == 0):
        return terms.say(Code.WAITING_FOR, leg=credit.key[0], id=credit.key[1])
    if there.status in (Status.DRAFT, Status.SUBMITTED) or remote.status in (Status.DRAFT, Status.SUBMITTED):
        return terms.say(Code.AWAITING_APPROVAL, "", remote_id=remote.id)
    if there.due >= credit.amount and remote.due >= credit.amount:
        return None
    return terms.say(
        Code.PAID_THERE,
        there=Money(remote.paid + remote.credited, remote.currency),
        total=Money(remote.total, remote.currency),
        ours=Money(credit.amount, remote.currency),
        remote_id=remote.id,
    )


def _standing_allocation(terms: Terms, known: Known, link: Link) -> Outcome:
    facts = link.facts
    there = allocations_there(known, link.ref, str(facts.get("note_id", "")), str(facts.get("document_id", "")))
    if not any(one.id == link.remote_id for one in there):
        return terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id)
    return terms.say(Code.CREDITED)
