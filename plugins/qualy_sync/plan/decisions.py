"""What people decided, and what stands already: asked before any rule is. Pure."""

from __future__ import annotations

from qualy_sync.contracts.accounting import GONE
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.decisions import Decision
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Leg
from qualy_sync.outcomes import MEANINGS, Code, Group, Outcome

from .documents import linked_document
from .found import copies_of, twins
from .posted import settlement_there
from .values import Key, Known, Ruling, Terms, decision_on, record_failure, unsettled


def final_word(terms: Terms, known: Known, record: Record, leg: Leg, source_hash: str) -> Outcome | None:
    """What ends every question, also about a leg that stands in the tool: ignored, under way, gone, unreadable."""
    key = (str(leg), record.id)
    held = ignored_by(terms, known, key, source_hash) or under_way(terms, known, key)
    if held is not None or key not in known.links:
        return held
    if record.noun is None:
        return record_failure(terms, record) or terms.say(Code.MALFORMED)
    return terms.say(Code.GONE_AT_SOURCE) if record.gone else None


def at_once(
    terms: Terms, known: Known, record: Record, leg: Leg, source_hash: str, failure: Outcome | None = None
) -> Outcome | None:
    """What is settled before any rule is asked: under way, ignored, booked already, gone, unreadable.

    A decision on what is under way counts once its fate is known. `failure` is a reason, beside the record's own, why
    it cannot be used.
    """
    key = (str(leg), record.id)
    if (waiting := under_way(terms, known, key)) is not None:
        return waiting
    if (ignored := ignored_by(terms, known, key, source_hash)) is not None:
        return ignored
    if (link := known.links.get(key)) is not None:
        return _linked(terms, known, record, leg, source_hash, link)
    if record.gone:
        return terms.say(Code.NOTHING_DUE, why="Qualy no longer has it, and it was never booked")
    return record_failure(terms, record) or failure


def ignored_by(terms: Terms, known: Known, key: Key, source_hash: str) -> Outcome | None:
    """The person who said that this content is to be left alone."""
    decision = decision_on(known, key, source_hash)
    if decision is None or decision.choice != "ignore":
        return None
    return terms.say(Code.IGNORED, by=decision.by, reason=decision.reason)


def under_way(terms: Terms, known: Known, key: Key) -> Outcome | None:
    """Sent, and its fate is not known yet."""
    pending = known.pending.get(key)
    return unsettled(terms, pending) if pending else None


def _linked(terms: Terms, known: Known, record: Record, leg: Leg, source_hash: str, link: Link) -> Outcome:
    """What is to be said of a leg that stands in the tool."""
    if record.noun is None:
        return record_failure(terms, record) or terms.say(Code.MALFORMED)
    if record.gone:
        return terms.say(Code.GONE_AT_SOURCE)
    if link.source_hash != source_hash:
        return terms.say(
            Code.NEEDS_DECISION,
            "changed after posting",
            problem="It was changed in Qualy after it was booked.",
            steps=f"Make {terms.title} agree by hand, then decide theirs.",
        )
    return (
        _linked_settlement(terms, known, link)
        if leg in (Leg.SETTLEMENT, Leg.PAY_OUT)
        else linked_document(terms, known, link)
    )


def _linked_settlement(terms: Terms, known: Known, link: Link) -> Outcome:
    there = settlement_there(known, link)
    if there is not None and there.status in GONE:
        return terms.say(Code.REMOVED_THERE, "", remote_id=link.remote_id)
    if copies := copies_of(link, known):
        return twins(terms, [link.remote_id, *copies])
    ours = bool(link.ref) and link.how == "created"
    by_ref = any(one.id == link.remote_id for one in known.settlements_by_ref.get(link.ref, ()))
    return terms.say(Code.PAID if ours or by_ref else Code.SETTLED_THERE)


def kept_as_there(terms: Terms, known: Known, key: Key, source_hash: str, ruling: Ruling) -> Ruling:
    """The ruling, unless a person decided to keep what the tool has (`theirs`) on this content and for this reason.

    What is under way is not decided on: first it has to be known what the tool has.
    """
    outcome = ruling.outcome
    if key in known.pending or outcome is None or "theirs" not in outcome.meaning.decisions:
        return ruling
    decision = decision_on(known, key, source_hash)
    if decision is None or decision.choice != "theirs" or not _is_about(decision, outcome):
        return ruling
    accepted = Code.SETTLED_THERE if key[0] in (Leg.SETTLEMENT, Leg.PAY_OUT) else Code.ADOPTED
    if key[0] in (Leg.CREDIT_NOTE, Leg.SUPPLIER_CREDIT, Leg.ALLOCATION):
        accepted = Code.CREDITED  # by hand
    return Ruling(terms.say(accepted), link=ruling.link)


def _is_about(decision: Decision, outcome: Outcome) -> bool:
    """A decision on one trouble does not settle the next; deciding it once more, after it was settled, does no harm."""
    if decision.code == outcome.code:
        return True
    return decision.code in MEANINGS and MEANINGS[Code(decision.code)].group is Group.IN_STEP
