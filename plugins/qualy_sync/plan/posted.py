"""What stands in the tool beside what was agreed when it was posted: edited there or not, paid or not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from qualy_sync.contracts.accounting import (
    GONE,
    NewDocument,
    RemoteDocument,
    RemoteLine,
    RemoteSettlement,
    Status,
    Verb,
    Void,
    owned_hash,
)
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Leg, Money
from qualy_sync.outcomes import Code, Outcome

from .values import Known, Ruling, Step, Terms, fingerprint, hold_back


def hash_there(known: Known, link: Link, remote: RemoteDocument) -> str | None:
    """The hash of the fields that we own as they are there; None where the lines were not read.

    A contact that was merged into another one is that other one since: that is no edit of the document.
    """
    if remote.lines is None:
        return None
    agreed = str(link.facts.get("contact_id", ""))
    contact = known.contacts_by_id.get(agreed)
    if contact is not None and contact.merged_into and contact.merged_into == remote.contact_id:
        return owned_hash(replace(remote, contact_id=agreed), remote.lines)
    return owned_hash(remote, remote.lines)


def hash_wanted(terms: Terms, new: NewDocument) -> str:
    """The hash of the fields that we own, as they will read back."""
    read = terms.as_read(new)
    return owned_hash(read, read.lines)


def is_edited(known: Known, link: Link, remote: RemoteDocument) -> bool:
    """Whether somebody changed a field of ours since it was posted, by the fields, not by the version."""
    posted, there = link.facts.get("owned"), hash_there(known, link, remote)
    if posted and there is not None:
        return bool(posted != there)
    facts = link.facts
    agreed = (facts.get("total"), facts.get("currency"), facts.get("date"))
    return agreed != (remote.total, remote.currency, remote.date.isoformat())


def edited_there(terms: Terms, remote: RemoteDocument, new: NewDocument | None) -> Outcome:
    """Both sides, for the person who decides."""
    problem = f"there it is {_shown(remote, remote.lines or ())}"
    if new is not None:
        problem += f"; Qualy's is {_shown(new, new.lines)}"
    return terms.say(Code.CHANGED_THERE, "", problem=problem, remote_id=remote.id)


def _shown(document: RemoteDocument | NewDocument, lines: Sequence[Any]) -> str:
    """A document in a few words, without names of people."""
    total = sum(line.amount for line in lines)
    listed = ", ".join(f"{Money(line.amount, document.currency)} to {line.account} ({line.tax})" for line in lines[:6])
    more = f" and {len(lines) - 6} more" if len(lines) > 6 else ""
    return f"dated {document.date.isoformat()}, {Money(total, document.currency)} in lines: {listed or 'none'}{more}"


def is_paid_at_all(known: Known, remote: RemoteDocument) -> bool:
    """Whether any money or credit was applied to it."""
    if remote.paid or remote.credited or remote.status is Status.PAID:
        return True
    return any(one.status not in GONE for one in known.settlements_by_document.get(remote.id, ()))


def settlement_there(known: Known, link: Link) -> RemoteSettlement | None:
    """The settlement that a link stands for, as it was last read."""
    document_id = str(link.facts.get("document_id", ""))
    there = (*known.settlements_by_document.get(document_id, ()), *known.settlements_by_ref.get(link.ref, ()))
    return next((one for one in there if one.id == link.remote_id), None)


def before(link: Link, remote: RemoteDocument) -> dict[str, Any]:
    """What was there before a step, so that a lost answer can be told from nothing having happened."""
    return {
        "remote_id": remote.id,
        "version": remote.version,
        "owned": owned_hash(remote, remote.lines) if remote.lines is not None else "",
        "how": link.how,
        "total": remote.total,
    }


def plan_void(terms: Terms, known: Known, link: Link, remote: RemoteDocument, source_hash: str) -> Ruling:
    """Voids a document of ours that nobody touched."""
    step = Step(
        what=remote.what,
        leg=Leg(link.leg),
        source_id=link.source_id,
        ref=link.ref,
        sought=remote.id,
        new=Void(link.ref, remote),
        source_hash=source_hash,
        content_hash=fingerprint(["void", link.leg, link.source_id, link.generation, remote.total]),
        amount=remote.total,
        currency=remote.currency,
        generation=link.generation,
        variant=link.variant,
        seen=before(link, remote),
        facts=dict(link.facts) | {"gone": "voided"},
        verb=Verb.VOID,
    )
    return Ruling(hold_back(terms, known, step), step)


def scaled(lines: Sequence[RemoteLine], part: int, whole: int) -> list[int]:
    """The amounts of some lines, scaled to part/whole; their sum is exactly the sum's own share, rounded half up.

    Cents go to the lines with the largest remainders, the earlier line first.
    """
    total = sum(line.amount for line in lines)
    wanted = _rounded(total * part, whole)
    floors = [(line.amount * part) // whole for line in lines]
    rests = [(line.amount * part) % whole for line in lines]
    missing = wanted - sum(floors)
    order = sorted(range(len(lines)), key=lambda place: (-rests[place], place))
    for place in order[:missing]:
        floors[place] += 1
    return floors


def _rounded(value: int, by: int) -> int:
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value) + by) // (2 * by))
