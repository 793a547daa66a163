"""What it means that a record with our ref is there already (write protocol, rule 8). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qualy_sync.contracts.accounting import GONE, RemoteContact, RemoteDocument, RemoteSettlement
from qualy_sync.ledger.attempts import Link
from qualy_sync.model import Money
from qualy_sync.outcomes import Code, Outcome

from .values import Known, Terms, decision_on


def stands_as_agreed(facts: Mapping[str, Any], remote: RemoteDocument | RemoteSettlement) -> bool:
    """Whether a linked record is still there, and still what the facts of its link say. False: plan it again."""
    if remote.status in GONE:
        return False
    if isinstance(remote, RemoteSettlement):
        there = {"amount": remote.amount, "document_id": remote.document_id}
    else:
        there = {"total": remote.total, "currency": remote.currency, "contact_id": remote.contact_id}
    return all(str(facts[name]) == str(value) for name, value in there.items() if facts.get(name))


def judge_contact(terms: Terms, found: Sequence[RemoteContact]) -> RemoteContact | Outcome:
    """The one live contact that carries our ref, or what is wrong."""
    if len(found) > 1:
        return twins(terms, [contact.id for contact in found])
    if not found[0].active:
        return terms.say(Code.ARCHIVED_CONTACT, "", remote_id=found[0].id)
    return found[0]


def judge_document(
    terms: Terms, found: Sequence[RemoteDocument], agreed: Mapping[str, Any]
) -> RemoteDocument | Outcome:
    """`agreed` holds what we meant: what, contact_id, currency, total (minor units); empty values are not compared."""
    live = [document for document in found if document.status not in GONE]
    if len(live) > 1:
        return twins(terms, [document.id for document in live])
    if not live:
        return terms.say(Code.REMOVED_THERE, "", remote_id=found[0].id)
    document = live[0]
    currency = str(agreed.get("currency") or document.currency)
    for name, ours, theirs in (
        ("kind", agreed.get("what"), str(document.what)),
        ("contact", agreed.get("contact_id"), document.contact_id),
        ("currency", agreed.get("currency"), document.currency),
    ):
        if ours and ours != theirs:
            return terms.say(
                Code.CHANGED_THERE,
                "",
                problem=f"its {name} is {theirs} there, {ours} here",
                remote_id=document.id,
            )
    total = agreed.get("total")
    if total is not None and int(total) != document.total:
        return terms.say(
            Code.CHANGED_THERE,
            "",
            problem=f"its total is {Money(document.total, currency)} there, {Money(int(total), currency)} here",
            remote_id=document.id,
        )
    return document


def judge_settlement(
    terms: Terms, found: Sequence[RemoteSettlement], agreed: Mapping[str, Any]
) -> RemoteSettlement | Outcome:
    """`agreed` holds document_id and amount (minor units)."""
    live = [settlement for settlement in found if settlement.status not in GONE]
    if len(live) > 1:
        return twins(terms, [settlement.id for settlement in live])
    if not live:
        return terms.say(Code.REMOVED_THERE, "", remote_id=found[0].id)
    settlement = live[0]
    if agreed.get("document_id") and agreed["document_id"] != settlement.document_id:
        return terms.say(Code.CHANGED_THERE, "", problem="it is applied to another document", remote_id=settlement.id)
    if int(agreed["amount"]) != settlement.amount:
        there, ours = Money(settlement.amount, settlement.currency), Money(int(agreed["amount"]), settlement.currency)
        return terms.say(
            Code.CHANGED_THERE,
            "",
            problem=f"its amount is {there} there, {ours} here",
            remote_id=settlement.id,
        )
    return settlement


def copies_of(link: Link, known: Known) -> list[str]:
    """Ids of other live records that carry the ref of a linked one, unless a person said which of them is ours."""
    decision = decision_on(known, (link.leg, link.source_id), link.source_hash)
    if decision is not None and (decision.choice, decision.argument) == ("link", link.remote_id):
        return []
    documents, settlements = known.documents_by_ref.get(link.ref, ()), known.settlements_by_ref.get(link.ref, ())
    live = {one.id for one in documents if one.status not in GONE}
    live |= {one.id for one in settlements if one.status not in GONE}
    return sorted(live - {link.remote_id})


def twins(terms: Terms, ids: Sequence[str]) -> Outcome:
    """Several live records stand for one of ours."""
    text = ", ".join(sorted(ids))
    return terms.say(Code.DUPLICATE_THERE, "", count=len(ids), remote_ids=text)
