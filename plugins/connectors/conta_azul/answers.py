"""What became of each element that was sent. Reads back what an answer does not show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from connectors.conta_azul.caller import Caller
from connectors.conta_azul.classify import code_of, content, message
from connectors.conta_azul.read import Pairs, instalment, person, protocol_of, settlement
from connectors.conta_azul.write import FINANCE, PEOPLE, Element
from connectors.shared.answers import Heard
from qualy_sync.contracts.accounting import (
    Accepted,
    Answered,
    Conflict,
    Declined,
    Done,
    NotSent,
    RemoteSettlement,
    Reply,
    Result,
    Skipped,
    Status,
    Unanswered,
    Verb,
    What,
)
from qualy_sync.contracts.errors import AnswerLost, Refused, ToolError
from qualy_sync.outcomes import Code

SETTLED = frozenset({What.SETTLEMENT, What.BILL_SETTLEMENT})


def reply_to(caller: Caller, pairs: Pairs, sent: Sequence[Element], heard: Sequence[Heard | ToolError]) -> Reply:
    """The reply to a body: whole where nothing was done at all, else one result for each that is plain."""
    results: list[Result] = []
    for element, one in zip(sent, heard, strict=True):
        result = _result(caller, pairs, element, one)
        if result is not None:
            results.append(result)
    if not results:
        return Unanswered("Conta Azul gave no readable answer to any of these calls.")
    skipped = [one.error for one in results if isinstance(one, Skipped)]
    if len(skipped) == len(sent):
        return NotSent(skipped[0])
    return Answered(tuple(results))


def _result(caller: Caller, pairs: Pairs, element: Element, heard: Heard | ToolError) -> Result | None:
    """None where its fate is unknown: no whole answer, a 5xx, or one that cannot be read."""
    if isinstance(heard, AnswerLost):
        return None
    if isinstance(heard, ToolError):
        return Skipped(element.ref, heard)
    refused = caller.refusal(heard, f"{element.request.method} {_place(element)}")
    if refused is not None:
        return Skipped(element.ref, refused)
    if 400 <= heard.status < 500:
        return _refused(element, heard)
    if not 200 <= heard.status < 300:
        return None
    try:
        return _DONE[element.verb](caller, pairs, element, heard)
    except ToolError:
        return None  # it was done, or it seems so: looking tells


def _refused(element: Element, heard: Heard) -> Result | None:
    """A refusal of this element alone. None where the words are not Conta Azul's: a page of whatever is between."""
    if heard.status == 409:
        return Conflict(element.ref, message(heard))
    if heard.status == 404 and element.verb is Verb.CREATE and element.what not in SETTLED:
        return Skipped(element.ref, Refused(f"Conta Azul has nothing there ({_place(element)})."))
    if heard.status == 404:
        return Declined(element.ref, Code.REMOVED_THERE, "Conta Azul has no such record any more.")
    if content(heard) is None:
        return None
    said = message(heard)
    return Declined(element.ref, code_of(said), said)


def _place(element: Element) -> str:
    """The address without the ids in it: a message is compared and grouped."""
    return element.request.path.split("/parcelas/")[0]


def _created(caller: Caller, _pairs: Pairs, element: Element, heard: Heard) -> Result | None:
    found = content(heard)
    if found is None:
        return None
    if element.what is What.CONTACT:
        return Done(element.ref, person(found))
    if element.what in (What.INVOICE, What.BILL):
        ticket = protocol_of(found)
        return Accepted(element.ref, ticket) if ticket else None
    of = What(element.there["of"])
    return Done(element.ref, settlement(found, element.there["document_id"], of, caller.now()))


def _changed(caller: Caller, pairs: Pairs, element: Element, _heard: Heard) -> Result | None:
    """A PATCH answers with less than the record (people: with nothing), and drops what it does not know."""
    facts = element.there
    if element.what is What.CONTACT:
        there = caller.one(f"{PEOPLE}/{facts['id']}")
        return Done(element.ref, person(there)) if there is not None else None
    there = caller.one(f"{FINANCE}/parcelas/{facts['id']}")
    return Done(element.ref, instalment(there, facts["contact_id"], pairs)) if there is not None else None


def _removed(caller: Caller, _pairs: Pairs, element: Element, _heard: Heard) -> Result | None:
    """Gone is what is not there any more; a DELETE answers with nothing."""
    facts = element.there
    if caller.one(f"{FINANCE}/parcelas/baixa/{facts['id']}") is not None:
        return None
    return Done(element.ref, _as_deleted(caller, facts))


def _as_deleted(caller: Caller, facts: dict[str, Any]) -> RemoteSettlement:
    return RemoteSettlement(
        id=facts["id"],
        ref=facts["ref"],
        document_id=facts["document_id"],
        account=facts["account"],
        currency="BRL",
        amount=facts["amount"],
        date=date.fromisoformat(facts["date"]),
        status=Status.DELETED,
        reconciled=False,
        updated_at=caller.now(),
        of=What(facts["of"]),
        version=facts["version"],
    )


_DONE: dict[Verb, Callable[[Caller, Pairs, Element, Heard], Result | None]] = {
    Verb.CREATE: _created,
    Verb.CHANGE: _changed,
    Verb.REMOVE: _removed,
}
