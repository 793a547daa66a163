"""One record of ours beside what the tool has of it. Pure: rows in, differences out.

A row is a row of the queries `documents` and `settlements` of include/sql/reconcile.sql.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from qualy_sync.contracts.accounting import GONE, Status, What
from qualy_sync.outcomes import MEANINGS, Code, Group

from .found import Difference, Finding, money
from .statement import Position

DRAFTS = frozenset({Status.DRAFT, Status.SUBMITTED})
_NOUN = {
    "invoice": "invoice",
    "bill": "bill",
    "settlement": "receipt",
    "pay_out": "pay-out",
    "credit_note": "credit note",
    "supplier_credit": "supplier credit",
}
_MONEY = frozenset({"settlement", "pay_out"})
# A person's, or nobody's, business: what the tool has of these records is not ours to prove.
_LET_GO = frozenset({Code.IGNORED, Code.VOIDED, Code.REMOVED})
# In step by themselves, although no link says so.
_NO_LINK_NEEDED = frozenset({Code.CREDITED, Code.VOIDED, Code.REMOVED})


def position(row: Any, *, accepted: bool = False) -> Position:
    """The row's place in the totals statement. `accepted`: a person decided to keep what the tool has."""
    live = row.there is not None and row.status not in GONE
    code = Code(row.code)
    if row.leg == "settlement" and row.covered:
        there = row.amount if live else None
    else:
        there = booked(row, row.there_amount if row.leg in _MONEY else row.total) if live else None
    part = bool((row.facts or {}).get("part")) and live
    return Position(
        kind=row.kind,
        currency=row.currency,
        month=row.month,
        code=code,
        own=row.amount,
        there=there,
        accepted=accepted,
        draft=live and row.leg not in _MONEY and row.status in DRAFTS,
        excluded=row.amount - (there or 0) if part and MEANINGS[code].group is Group.IN_STEP else 0,
    )


def booked(row: Any, shown: int) -> int:
    """How much of the record the tool shows, in Qualy's terms: the amount agreed on, moved by what changed there.

    A bill's total need not be its split's amount (tax on top, a commission line): so what counts is how far the tool
    is from the total that was agreed on. Of a record that changed since, that is its amount of then: whatever its
    outcome says, the rest of its amount is not there.
    """
    facts: Mapping[str, Any] = row.facts or {}
    if row.leg in _MONEY and facts.get("part"):
        return int(shown)  # of a receipt that was more than is due, what is applied
    agreed = facts.get("amount" if row.leg in _MONEY else "total", row.amount)
    if row.leg in _MONEY and row.given_back and row.amount < 0:
        shown, agreed = -shown, -int(facts.get("amount", -row.amount))
    if row.leg == "invoice":
        shown -= row.credited_off
    if row.link_hash == row.source_hash or facts.get("covers"):
        return int(row.amount + (shown - agreed))
    return int(facts.get("own", agreed) + (shown - agreed))


def document(row: Any, merged: Mapping[str, str], *, paid_as_there: bool = False) -> Iterator[Difference]:
    """What disagrees about one invoice or bill.

    `merged` maps a contact there to the one it was merged into. `paid_as_there`: a person decided to keep the
    payments that the tool has.
    """
    if Code(row.code) in _LET_GO:
        return
    if row.remote_id is None:
        yield from _without_link(row)
        return
    if row.there is None or row.status in GONE:
        yield _lost(row)
        return
    facts: Mapping[str, Any] = row.facts or {}
    yield from _amounts(row, facts)
    yield from _particulars(row, facts, merged)
    if row.what == What.INVOICE and not paid_as_there:  # bills are paid in the tool, by people
        yield from _paid(row)


def settlement(row: Any) -> Iterator[Difference]:
    """What disagrees about one receipt or pay-out."""
    if Code(row.code) in _LET_GO or row.covered:
        return
    if row.remote_id is None:
        yield from _without_link(row)
        return
    if row.there is None or row.status in GONE:
        yield _lost(row)
        return
    facts: Mapping[str, Any] = row.facts or {}
    yield from _money(row, Finding.AMOUNT, facts.get("amount", row.amount), row.there_amount)
    yield from _word(row, Finding.CURRENCY, "its currency", facts.get("currency", row.currency), row.there_currency)
    yield from _word(row, Finding.ACCOUNT, "its account", facts.get("account"), row.account)
    paid = ("invoice", row.document) if row.leg == "settlement" else ("bill", facts.get("document_id"))
    if row.given_back:  # of a credit note; a refund that is a document of its own gives back of none
        paid = ("credit note", facts.get("document_id"))
    yield from _word(row, Finding.DOCUMENT, f"the {paid[0]} that it pays", paid[1], row.document_id)


def _without_link(row: Any) -> Iterator[Difference]:
    code = Code(row.code)
    if MEANINGS[code].group is Group.IN_STEP and code not in _NO_LINK_NEEDED:
        sentence = f"The {_NOUN[row.leg]} counts as in step, but nothing in the tool is linked to it."
        yield _difference(row, Finding.NO_LINK, sentence, row.amount, None)


def _lost(row: Any) -> Difference:
    noun = _NOUN[row.leg]
    if row.there is None:
        return _difference(row, Finding.MISSING_THERE, f"The {noun} is no longer found in the tool.", row.amount, None)
    return _difference(row, Finding.REMOVED_THERE, f"The {noun} was {row.status} in the tool.", row.amount, None)


def _amounts(row: Any, facts: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _word(row, Finding.CURRENCY, "its currency", facts.get("currency", row.currency), row.there_currency)
    yield from _money(row, Finding.TOTAL, facts.get("total"), row.total)
    yield from _money(row, Finding.NET, facts.get("net"), row.net)
    yield from _money(row, Finding.TAX, facts.get("tax"), row.tax)


def _particulars(row: Any, facts: Mapping[str, Any], merged: Mapping[str, str]) -> Iterator[Difference]:
    contact = facts.get("contact_id")
    theirs = row.contact_id
    if contact and merged.get(contact, contact) != merged.get(theirs, theirs):
        yield _difference(row, Finding.CONTACT, f"The {_NOUN[row.leg]} names another contact in the tool.")
    yield from _word(row, Finding.NUMBER, "its number", facts.get("number"), row.number)
    yield from _word(row, Finding.DUE_DATE, "its due date", facts.get("due_date"), _iso(row.due_date))


def _paid(row: Any) -> Iterator[Difference]:
    if row.paid != row.settled:
        ours, theirs = money(row.settled, row.currency), money(row.paid, row.currency)
        sentence = f"The tool shows {theirs} paid on the invoice, our receipts come to {ours}."
        yield _difference(row, Finding.PAID, sentence, row.settled, row.paid)
    if row.credited != row.applied_by_us:
        other = money(row.credited - row.applied_by_us, row.currency)
        sentence = f"{other} of the invoice was credited in the tool, not by us."
        yield _difference(row, Finding.CREDITED, sentence, row.applied_by_us, row.credited)
    outstanding = row.total - row.paid - row.credited
    if row.due != outstanding:
        ours, theirs = money(outstanding, row.currency), money(row.due, row.currency)
        sentence = f"The tool shows {theirs} outstanding where total less paid and credited is {ours}."
        yield _difference(row, Finding.OUTSTANDING, sentence, outstanding, row.due)


def _money(row: Any, what: Finding, ours: int | None, theirs: int) -> Iterator[Difference]:
    if ours is not None and ours != theirs:
        noun, here, there = _NOUN[row.leg], money(ours, row.currency), money(theirs, row.there_currency)
        sentence = f"The {noun}'s {what} is {there} in the tool; {here} was agreed."
        yield _difference(row, what, sentence, ours, theirs)


def _word(row: Any, what: Finding, named: str, ours: str | None, theirs: str) -> Iterator[Difference]:
    if ours and ours != theirs:
        sentence = f"Of the {_NOUN[row.leg]}, {named} is {theirs or 'empty'} in the tool; {ours} was agreed."
        yield _difference(row, what, sentence)


def _difference(
    row: Any, what: Finding, sentence: str, ours: int | None = None, theirs: int | None = None
) -> Difference:
    remote = row.remote_id or ""
    return Difference(what, row.leg, row.source_id, remote, sentence, row.currency, ours, theirs)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
