"""A document whose content changed in Qualy after it was posted: it follows, where that is still possible. Pure.

It follows in place if it is unpaid, its period is open (old and new date), and nobody touched it in the tool, judged
by the fields that we own. Otherwise it is held with what to do, or shown as changed there with both sides.
"""

from __future__ import annotations

from qualy_sync.contracts.accounting import Ability, Change, NewDocument, RemoteDocument, Verb
from qualy_sync.ledger.attempts import Link
from qualy_sync.outcomes import Code, Outcome

from .documents import Draft, content_hash, document_facts, link_to, new_document
from .posted import before, edited_there, hash_there, hash_wanted, is_edited, is_paid_at_all
from .rates import rated
from .redating import lock_problem
from .values import Known, Ruling, Step, Terms, decision_on, hold_back

CHANGED = "changed after posting"


def plan_change(terms: Terms, known: Known, draft: Draft, link: Link, contact_blocked: bool) -> Ruling:
    """What becomes of a document that is linked and is to be as the draft says."""
    remote = known.documents_by_id.get(link.remote_id)
    if remote is None:
        return Ruling(terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id))
    if draft.contact not in known.links or contact_blocked:
        return Ruling(terms.say(Code.WAITING_FOR, leg=draft.contact[0], id=draft.contact[1]))
    new = new_document(terms, known, draft, link.ref, str(link.facts.get("number", "")), draft.date, draft.due_date)
    step = _step(terms, known, draft, link, remote, new)
    if hash_there(known, link, remote) == step.facts["owned"]:
        return Ruling(terms.say(Code.UPDATED), link=link_to(terms, step, remote, link.how))
    decision = decision_on(known, draft.key, draft.source_hash)
    wants_ours = decision is not None and decision.choice == "ours"
    if is_edited(known, link, remote) and not wants_ours:
        return Ruling(edited_there(terms, remote, new))
    held = _held(terms, known, link, remote, new) or hold_back(terms, known, step)
    ruling = Ruling(held, step)
    # Where the day stays, so does the rate: the tool keeps what it has. A new day has its own.
    return ruling if new.date == remote.date else rated(terms, ruling, draft.said, fixed=link.facts)


def _step(terms: Terms, known: Known, draft: Draft, link: Link, remote: RemoteDocument, new: NewDocument) -> Step:
    facts = document_facts(terms, draft, new) | {"owned": hash_wanted(terms, new), "changed": True}
    if "rate" in link.facts and link.facts.get("date") == new.date.isoformat():
        facts["rate"] = link.facts["rate"]
    return Step(
        what=remote.what,
        leg=draft.leg,
        source_id=draft.source_id,
        ref=link.ref,
        sought=remote.id,
        new=Change(link.ref, remote, new),
        source_hash=draft.source_hash,
        content_hash=content_hash(draft, new, "change"),
        amount=draft.totals.total,
        currency=draft.currency,
        generation=link.generation,
        variant=link.variant,
        needs=draft.contact,
        seen=before(link, remote),
        facts=facts,
        verb=Verb.CHANGE,
    )


def _held(terms: Terms, known: Known, link: Link, remote: RemoteDocument, new: NewDocument) -> Outcome | None:
    """Why it cannot follow in place."""
    if remote.what is not new.what or remote.currency != new.currency:
        return by_hand(terms, "Its kind or its currency changed in Qualy after it was booked.")
    if is_paid_at_all(known, remote):
        return by_hand(terms, "It was changed in Qualy after something was paid or credited on it.")
    locked = lock_problem(terms, remote.date, "document") or lock_problem(terms, new.date, "document, its new date")
    return locked or _not_able(terms, link, remote, new)


def _not_able(terms: Terms, link: Link, remote: RemoteDocument, new: NewDocument) -> Outcome | None:
    """What the tool cannot change: everything but the due date, or that too."""
    steps = f"Make {terms.title} agree by hand, then decide theirs."
    if not _only_due_date(terms, remote, new):
        return terms.cannot(Ability.CHANGE_DOCUMENT, CHANGED, steps)
    return terms.cannot(Ability.CHANGE_DUE_DATE, CHANGED, steps)


def _only_due_date(terms: Terms, remote: RemoteDocument, new: NewDocument) -> bool:
    read = terms.as_read(new)
    lines = [(one.description, one.amount, one.account, one.tax) for one in read.lines]
    there = [(one.description, one.amount, one.account, one.tax) for one in remote.lines or ()]
    return (read.contact_id, read.date, lines) == (remote.contact_id, remote.date, there)


def by_hand(terms: Terms, problem: str) -> Outcome:
    """It cannot follow by itself."""
    return terms.say(
        Code.NEEDS_DECISION,
        CHANGED,
        problem=problem,
        steps=f"Make {terms.title} agree by hand (undo what was paid, or book a credit note), then decide theirs.",
    )
