"""One payment explained: its legs, what was tried and when, what was sent, what came of it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.queries import first, rows
from qualy_sync.model import Kind, Money
from qualy_sync.outcomes import MEANINGS, Code, Outcome
from qualy_sync.plan.values import AS_CUSTOMER
from qualy_sync.worst_first import worst

from .escape import web_link
from .sent import element, redacted
from .troubles import spoken


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at writing a leg. `sent` is the element as it was sent, None where it is no longer kept."""

    committed_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    fate: str
    said: str
    ref: str
    sent: Any | None


@dataclass(frozen=True, slots=True)
class Event:
    """An outcome of the past, or a person's decision."""

    at: datetime
    what: str
    said: str


@dataclass(frozen=True, slots=True)
class LegStory:
    """One leg: what became of it, since when, and what to do."""

    leg: str
    source_id: str
    code: Code
    sentence: str
    remedy: str
    who_acts: str
    decisions: tuple[str, ...]
    amount: int
    currency: str
    month: str
    since: datetime
    retry_at: datetime | None
    remote_id: str
    ref: str
    number: str
    url: str
    notes: tuple[str, ...]  # what the settings' rules did: its rate and source, a day it was moved to, the settings
    attempts: tuple[Attempt, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A payment. `worst` is what the payment shows as a whole; None where nothing was decided about it yet."""

    payment_id: str
    number: str
    status: str
    currency: str
    amount: int | None
    source_url: str
    worst: Code | None
    legs: tuple[LegStory, ...]


def explain(
    ledger: Ledger, book: int, payment_id: str, *, tool: str = "", payment_link: str = "", personal: bool = False
) -> Explanation:
    """Explains a payment, named by its id, its document's number, or the id of a split or receipt of it.

    What was sent shows no names, emails or descriptions unless `personal`. Raises LookupError where nothing is known.
    """
    with ledger.reading() as connection:
        payment = _payment(connection, book, payment_id.strip())
        seen = first(connection, "explain.seen", kind=str(Kind.PAYMENT), id=payment)
        content: dict[str, Any] = seen.content if seen else {}
        people = [row.partner_id for row in rows(connection, "explain.partners_of", payment=payment)]
        people += [seen.contact_id] if seen and seen.contact_id else []
        found = list(rows(connection, "explain.legs", book=book, payment=payment, people=people or [""]))
        if not found and seen is None:
            raise LookupError(f"Nothing is known of {payment_id!r}: neither a payment nor a part of one.")
        legs = [_leg(ledger, connection, book, row, tool, personal) for row in found]
    order = {
        name: place
        for place, name in enumerate(
            (
                *("contact", "invoice", "settlement", "credit_note", "allocation"),
                *("supplier", "bill", "pay_out", "supplier_credit"),
            )
        )
    }
    amount = content.get("amount")
    link = payment_link.replace("{id}", payment) if payment.isascii() and payment.isalnum() else ""
    return Explanation(
        payment_id=payment,
        number=str(content.get("number") or ""),
        status=str(content.get("status") or ""),
        currency=str(content.get("currency") or "").upper(),
        amount=amount if isinstance(amount, int) else None,
        source_url=web_link(link),
        worst=worst([leg.code for leg in legs]) if legs else None,
        legs=tuple(sorted(legs, key=lambda leg: (order.get(leg.leg, 9), leg.source_id))),
    )


def _payment(connection: sa.Connection, book: int, given: str) -> str:
    if first(connection, "explain.seen", kind=str(Kind.PAYMENT), id=given) is not None:
        return given
    owner = first(connection, "explain.payment_of", book=book, id=given)
    if owner is not None:
        return str(owner.payment_id)
    numbered = first(connection, "explain.numbered", book=book, number=given.casefold())
    return str(numbered.id) if numbered is not None else given


def _leg(ledger: Ledger, connection: sa.Connection, book: int, row: Any, tool: str, personal: bool) -> LegStory:
    code = Code(row.code)
    tool_id = (row.trouble_key or "").partition(":")[0]
    kept = row.of_variant or row.detail or {}
    detail = spoken(kept, tool or kept.get("tool", "the tool"), tool_id)
    outcome = Outcome(code, detail)
    tries = rows(connection, "explain.attempts", book=book, leg=row.leg, ids=[row.source_id], variant=row.variant)
    return LegStory(
        leg=row.leg,
        source_id=row.source_id,
        code=code,
        sentence=outcome.sentence(),
        remedy=outcome.remedy(),
        who_acts=str(MEANINGS[code].actor),
        decisions=MEANINGS[code].decisions,
        amount=row.amount,
        currency=row.currency,
        month=row.month,
        since=row.since,
        retry_at=row.until_at,
        remote_id=row.remote_id or "",
        ref=row.ref or "",
        number=str((row.facts or {}).get("number") or ""),
        url=web_link(row.url or ""),
        notes=tuple(_notes(row, tool or "the tool")),
        attempts=tuple(_attempt(ledger, one, personal) for one in list(tries)),
        events=_events(connection, book, row.leg, row.source_id, tool),
    )


def _notes(row: Any, tool: str) -> Iterator[str]:
    facts: dict[str, Any] = row.facts or {}
    if row.variant:
        named = row.variant.removesuffix(AS_CUSTOMER).strip()
        what = "documents" if named == row.variant else "invoices to it"
        yield f"For {what} in {named}." if named else f"For {what}."
    if rate := facts.get("rate"):
        worth = f" {rate['value']}" if "value" in rate else ""
        source = tool if rate["source"] == "tool" else rate["source"]
        yield f"Exchange rate{worth} of {rate['date']}, from {source}."
    if paid := facts.get("paid_as"):
        yield f"Paid as {Money(int(paid[0]), str(paid[1]))}, which Qualy puts at {row.currency}."
    if moved := facts.get("redated"):
        yield (
            f"Dated {facts['date']} instead of {moved['from']}, since the books were locked to {moved['lock_date']};"
            f" {moved['approver']} approves that."
        )
    if row.settings_version:
        yield f"{'Linked' if row.code == Code.ADOPTED else 'Made'} under the settings {row.settings_version}."


def _attempt(ledger: Ledger, row: Any, personal: bool) -> Attempt:
    fate = row.step_fate or ("open, its fate is not known yet" if row.open else row.fate) or "not known"
    return Attempt(
        committed_at=row.committed_at,
        sent_at=row.last_sent_at,
        ended_at=row.ended_at,
        fate=str(fate),
        said=row.note or "",
        ref=row.ref,
        sent=_sent(ledger, row, personal),
    )


def _sent(ledger: Ledger, row: Any, personal: bool) -> Any | None:
    if not row.body:
        return None
    try:
        body = ledger.unseal(bytes(row.body))
    except LedgerError:
        return None
    found = element(body, (row.ref, row.sought))
    return found if personal or found is None else redacted(found)


def _events(connection: sa.Connection, book: int, leg: str, source_id: str, tool: str) -> tuple[Event, ...]:
    events: list[Event] = []
    for row in rows(connection, "explain.history", book=book, ids=[source_id]):
        if row.leg == leg:
            detail = spoken(row.detail or {}, tool or (row.detail or {}).get("tool", "the tool"), "")
            events.append(Event(row.at, row.code, Outcome(Code(row.code), detail).sentence()))
    for row in rows(connection, "explain.decided", book=book, ids=[source_id]):
        if row.leg == leg:
            choice = f"{row.choice}:{row.argument}" if row.argument else row.choice
            events.append(Event(row.at, f"decided {choice}", f"{row.who}: {row.reason}"))
    return tuple(sorted(events, key=lambda event: event.at))
