"""What an answer, or what was found after a lost one, means for a step: its outcome, and the link to keep.

Of a create: the record with our ref. Of everything else: the record that was to be changed, as it is now.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import (
    GONE,
    Declined,
    EachAnswer,
    Remote,
    RemoteAllocation,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Verb,
    What,
    owned_hash,
)
from qualy_sync.ledger import mirror
from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.cursors import get_cursor
from qualy_sync.model import Money
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Step, Terms
from qualy_sync.plan.documents import link_to
from qualy_sync.plan.found import judge_contact, judge_document, judge_settlement
from qualy_sync.plan.settlements import settlement_link
from qualy_sync.plan.values import link_of

from .work import Work

# What a step is closed as once it is known to be done; the breaker counts these.
DONE_AS = {Verb.CREATE: "created", Verb.CHANGE: "changed", Verb.VOID: "voided", Verb.REMOVE: "removed"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look after a lost answer says: `done`, `again` (as if nothing had happened), or something else there."""

    fate: str
    outcome: Outcome | None = None
    link: Link | None = None


def find_steps(work: Work, steps: Sequence[Step], since: datetime, each_answer: EachAnswer) -> dict[str, list[Remote]]:
    """What the tool holds of these steps, by their refs; completely, or it raises.

    Creates are looked for by what they are sought by, everything else is read by its id. `since` is on our clock. The
    tool's may be behind it: so the search begins no later than where the last reading ended, which is a time of the
    tool's own, and what that reading brought is looked at too. It may take many calls: `each_answer` renews the lease.
    """
    found: dict[str, list[Remote]] = {}
    for what in sorted({step.what for step in steps}):
        mine = [step for step in steps if step.what is what]
        sought = [step for step in mine if step.verb is Verb.CREATE and not _on_note(work, step)]
        if sought:
            _put(found, sought, _by_ref(work, what, sought, since, each_answer))
        read = [step for step in mine if step.verb is not Verb.CREATE]
        if read:
            _by_id(work, what, read, found, each_answer)
    _allocations(
        work, [step for step in steps if step.verb is Verb.CREATE and _on_note(work, step)], found, each_answer
    )
    return found


def _on_note(work: Work, step: Step) -> bool:
    return step.what is What.ALLOCATION and work.tool.ways.allocations_on_note


def _by_ref(work: Work, what: What, steps: Sequence[Step], since: datetime, each_answer: EachAnswer) -> list[Remote]:
    cursor = get_cursor(work.ledger, f"mirror:{work.book}:{work.tool.ways.reads.get(what, what)}")
    start = min(since, datetime.fromisoformat(cursor["since"])) if cursor else None
    fresh = list(work.tool.find(what, [step.sought for step in steps], start, each_answer))
    with work.ledger.reading() as connection:
        known = _in_mirror(connection, work.book, [step.ref for step in steps])
    ids = {remote.id for remote in fresh}
    return fresh + [remote for remote in known if remote.id not in ids]


def _put(found: dict[str, list[Remote]], steps: Sequence[Step], remotes: Sequence[Remote]) -> None:
    refs = {step.ref for step in steps}
    for remote in remotes:
        if remote.ref in refs:
            found.setdefault(remote.ref, []).append(remote)


def _by_id(
    work: Work, what: What, steps: Sequence[Step], found: dict[str, list[Remote]], each_answer: EachAnswer
) -> None:
    ids = [str(step.seen["remote_id"]) for step in steps]
    by_id = {one.id: one for one in work.tool.by_id(what, ids, each_answer)}
    for step in steps:
        remote = by_id.get(str(step.seen["remote_id"]))
        if remote is not None:
            found[step.ref] = [remote]


def _allocations(work: Work, steps: Sequence[Step], found: dict[str, list[Remote]], each_answer: EachAnswer) -> None:
    """An allocation without a ref is seen on its credit note: the one to this document."""
    if not steps:
        return
    for what in (What.CREDIT_NOTE, What.SUPPLIER_CREDIT):
        notes = [str(step.facts["note_id"]) for step in steps if _note_kind(step) is what]
        for note in work.tool.by_id(what, notes, each_answer) if notes else ():
            with work.ledger.writing() as connection:
                mirror.put(connection, work.book, [note])
            for step in steps:
                if isinstance(note, RemoteDocument) and note.id == step.facts["note_id"]:
                    mine = [one for one in note.allocations if one.document_id == step.facts["document_id"]]
                    found.setdefault(step.ref, []).extend(mine)


def _note_kind(step: Step) -> What:
    return What.SUPPLIER_CREDIT if step.facts.get("of") == What.BILL else What.CREDIT_NOTE


def _in_mirror(connection: sa.Connection, book: int, refs: Sequence[str]) -> list[Remote]:
    return [
        *mirror.contacts_by(connection, book, "ref", refs),
        *mirror.documents_by(connection, book, "ref", refs),
        *mirror.settlements_by(connection, book, "ref", refs),
        *mirror.allocations_by(connection, book, "ref", refs),
    ]


# -- creates -------------------------------------------------------------------------------------------------------


def judge_answer(terms: Terms, step: Step, remote: Remote, how: str) -> tuple[Outcome, Link]:
    """A record that the tool says it made, or changed. It is linked in any case; if it is not as sent, that is said."""
    if step.verb is not Verb.CREATE:
        seen = judge_effect(terms, step, [remote])
        outcome = seen.outcome or terms.say(
            Code.CHANGED_THERE, "", problem="it is as it was before", remote_id=remote.id
        )
        return outcome, seen.link or _link(terms, step, remote, how)
    judged = _as_sent(terms, step, [remote])
    if isinstance(judged, Outcome):
        return judged, _link(terms, step, remote, how)
    return _made(terms, step, how), _link(terms, step, remote, how)


def judge_found(terms: Terms, step: Step, found: Sequence[Remote]) -> tuple[Outcome, Link | None]:
    """Records that were found by our ref after a lost answer: one that agrees is ours and is linked as created."""
    judged = _as_sent(terms, step, found)
    if isinstance(judged, Outcome):
        return judged, None
    return judge_answer(terms, step, judged, "created")


def _as_sent(terms: Terms, step: Step, found: Sequence[Remote]) -> Remote | Outcome:
    contacts = [one for one in found if isinstance(one, RemoteContact)]
    documents = [one for one in found if isinstance(one, RemoteDocument)]
    settlements = [one for one in found if isinstance(one, RemoteSettlement)]
    if contacts:
        return judge_contact(terms, contacts)
    if documents:
        return judge_document(terms, documents, step.facts)
    if settlements:
        return judge_settlement(terms, settlements, step.facts)
    return _judge_allocation(terms, step, [one for one in found if isinstance(one, RemoteAllocation)])


def _judge_allocation(terms: Terms, step: Step, found: Sequence[RemoteAllocation]) -> RemoteAllocation | Outcome:
    live = [one for one in found if one.status not in GONE]
    if len(live) != 1:
        ids = ", ".join(sorted(one.id for one in live))
        return terms.say(Code.DUPLICATE_THERE if live else Code.REMOVED_THERE, "", count=len(live), remote_ids=ids)
    ours = int(step.facts["amount"])
    if live[0].amount != ours:
        there, here = Money(live[0].amount, live[0].currency), Money(ours, live[0].currency)
        return terms.say(Code.CHANGED_THERE, "", problem=f"{there} is applied there, {here} here", remote_id=live[0].id)
    return live[0]


def _made(terms: Terms, step: Step, how: str) -> Outcome:
    if step.facts.get("refund") or step.what in (What.CREDIT_NOTE, What.SUPPLIER_CREDIT, What.ALLOCATION):
        return terms.say(Code.CREDITED)
    if above := step.facts.get("part"):
        return terms.say(Code.OVERPAID, "", problem=above)
    if step.what in (What.SETTLEMENT, What.BILL_SETTLEMENT):
        return terms.say(Code.PAID)
    return terms.say(Code.CREATED if how == "created" else Code.ADOPTED)


def _link(terms: Terms, step: Step, remote: Remote, how: str) -> Link:
    if isinstance(remote, RemoteContact):
        return link_of(terms, step, remote, how, dict(step.facts) | {"contact_id": remote.id})
    if isinstance(remote, RemoteDocument):
        return link_to(terms, step, remote, how)
    if isinstance(remote, RemoteSettlement):
        return settlement_link(terms, step, remote, how)
    return link_of(terms, step, remote, how, step.facts)


# -- changes, voids, removals --------------------------------------------------------------------------------------


def judge_effect(terms: Terms, step: Step, found: Sequence[Remote]) -> Seen:
    """What became of the record that was to be changed (write protocol, rule 11)."""
    remote = found[0] if found else None
    gone = remote is None or getattr(remote, "status", None) in GONE
    if step.verb in (Verb.VOID, Verb.REMOVE):
        if gone:
            outcome = terms.say(Code.VOIDED if step.verb is Verb.VOID else Code.REMOVED)
            return Seen("done", outcome, _kept(terms, step, remote))
        return _untouched(terms, step, remote)
    if remote is None or gone:
        return Seen("moved", terms.say(Code.REMOVED_THERE, "", remote_id=str(step.seen["remote_id"])))
    if isinstance(remote, RemoteContact):
        return _changed_contact(terms, step, remote)
    if isinstance(remote, RemoteDocument) and _owned(remote) == step.facts.get("owned"):
        judged = judge_document(terms, [remote], dict(step.facts) | {"what": None})
        outcome = judged if isinstance(judged, Outcome) else terms.say(Code.UPDATED)
        return Seen("done", outcome, _kept(terms, step, remote))
    return _untouched(terms, step, remote)


def _owned(remote: RemoteDocument) -> str:
    return owned_hash(remote, remote.lines) if remote.lines is not None else ""


def _untouched(terms: Terms, step: Step, remote: Remote | None) -> Seen:
    """As it was before: again. Anything else was done by somebody else."""
    seen = step.seen
    same = remote is not None and getattr(remote, "version", "") == seen.get("version", "")
    if isinstance(remote, RemoteDocument):
        same = same and _owned(remote) == seen.get("owned", "") and not (remote.paid or remote.credited)
    if isinstance(remote, RemoteSettlement):
        same = same and remote.amount == seen.get("amount", remote.amount)
    if same:
        return Seen("again")
    problem = "it is neither as it was before nor as it was to be"
    return Seen("moved", terms.say(Code.CHANGED_THERE, "", problem=problem, remote_id=str(seen.get("remote_id", ""))))


def _changed_contact(terms: Terms, step: Step, remote: RemoteContact) -> Seen:
    """A contact is changed for its name and email."""
    there = {"name": remote.name, "email": remote.email}
    wanted = {name: step.facts[name] for name in ("name", "email") if name in step.facts}
    if all(there[name] == value for name, value in wanted.items()):
        return Seen("done", terms.say(Code.UPDATED), _kept(terms, step, remote))
    before = {name: step.seen[name] for name in ("name", "email") if name in step.seen}
    if all(there[name] == value for name, value in before.items()):
        return Seen("again")
    problem = "it is neither as it was before nor as it was to be"
    return Seen("moved", terms.say(Code.CHANGED_THERE, "", problem=problem, remote_id=remote.id))


def _kept(terms: Terms, step: Step, remote: Remote | None) -> Link:
    """The link of a record that stays the same one; its facts are what is agreed now."""
    facts: dict[str, Any] = dict(step.facts)
    if step.verb is Verb.CHANGE and isinstance(remote, RemoteDocument):
        facts |= {"contact_id": remote.contact_id, "owned": _owned(remote)}
    return Link(
        leg=str(step.leg),
        source_id=step.source_id,
        variant=step.variant,
        generation=step.generation,
        remote_id=str(step.seen["remote_id"]),
        ref=step.ref,
        how=str(step.seen.get("how", "created")),
        source_hash=step.source_hash,
        content_hash=step.content_hash,
        facts=facts,
        settings_version=terms.settings.version,
        linked_at=remote.updated_at if remote is not None else _long_ago(),
    )


def _long_ago() -> datetime:
    return datetime.fromisoformat("2000-01-01T00:00:00+00:00")


# -- refusals ------------------------------------------------------------------------------------------------------


def refusal(terms: Terms, step: Step, declined: Declined) -> Outcome:
    """What is said of an element that the tool refused."""
    return terms.say(
        declined.code,
        without_variables(declined.message),
        message=declined.message,
        number=step.sought,
        currency=step.currency,
        what="A line",
        account=declined.message,
        tax=declined.message,
        remote_id=str(step.seen.get("remote_id") or step.facts.get("contact_id", "")),
        there="more",
        total="what is due",
        ours=str(step.amount),
        problem=declined.message,
    )


def without_variables(message: str) -> str:
    """A tool's message without the parts that differ from record to record: numbers, quoted values, ids."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"|“[^”]*”", "…", message)
    text = re.sub(r"\b[0-9A-Fa-f-]{16,}\b|\d+([.,]\d+)*", "…", text)
    return " ".join(text.split())[:200]
