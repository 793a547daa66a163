"""`outcomes` and `explain`: what became of records, and of one payment in full."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.model import Leg, to_decimal
from qualy_sync.outcomes import MEANINGS, Code, Group, Outcome
from qualy_sync.report import Explanation
from qualy_sync.report import explain as explain_payment
from qualy_sync.report.explain import LegStory
from qualy_sync.report.troubles import spoken

from .. import choices
from ..desk import Desk
from .customers import OfTool, book_of_tool, explain_customer
from .frame import AsJson, Debug, Exit, Output, UsageProblem, book_of, open_desk, plain, speaking
from .records import payment_id, select

MOMENT = "%Y-%m-%d %H:%M"


def outcomes(
    code: Annotated[str, typer.Option("--code", help="One outcome, such as locked.")] = "",
    group: Annotated[str, typer.Option("--group", help="One group, such as held.")] = "",
    leg: Annotated[str, typer.Option("--leg", help="contact, supplier, invoice, bill or settlement.")] = "",
    payment: Annotated[str, typer.Option("--payment", metavar="ID", help="Of this payment.")] = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for a person.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")] = 100,
    tool: OfTool = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what became of records, by leg."""
    with speaking(as_json, debug) as output:
        wanted = tuple(_filters(code, group, leg, payment, waiting))
        desk = open_desk(output)
        book, title, tool = (*book_of_tool(desk, tool), tool) if tool else accounting_book(desk)
        where = sa.and_(current_outcomes.c.book == book, *wanted)
        order = (current_outcomes.c.since, current_outcomes.c.leg, current_outcomes.c.source_id)
        with desk.ledger.reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(current_outcomes).where(where)) or 0
            found = [
                _record(row, title, tool) for row in connection.execute(select(where).order_by(*order).limit(limit))
            ]
        output.json({"total": total, "shown": len(found), "outcomes": found})
        columns = ("leg", "Qualy id", "outcome", "amount", "since", "what it says", "what to do")
        output.table(columns, [_row(one) for one in found], right=("amount",))
        output.say(f"{len(found):,} of {total:,} shown." if len(found) < total else f"{total:,} in all.")


def explain(
    record: Annotated[str, typer.Argument(metavar="ID", help="A payment's Qualy id or number, or a part of one.")],
    personal: Annotated[bool, typer.Option("--personal", help="Show names, emails and texts that were sent.")] = False,
    tool: OfTool = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Tell of one payment: its legs, attempts, what was sent, what the tool said, what to do.

    With --tool: of one customer, and what both sides say.
    """
    with speaking(as_json, debug) as output:
        desk = open_desk(output)
        if tool:
            explain_customer(output, desk, tool, record, personal=personal)
            return
        found = explain_payment(
            desk.ledger,
            book_of(desk),
            payment_id(desk.ledger, record, desk.accounting.payments.number_prefix),
            tool=desk.wiring.title,
            payment_link=desk.settings.source.payment_link or "",
            personal=personal,
        )
        output.json(_explanation(found))
        _tell(output, found)
        if any(MEANINGS[leg.code].waits_for_a_person for leg in found.legs):
            raise typer.Exit(int(Exit.WAITS))


# -- outcomes


def _filters(code: str, group: str, leg: str, payment: str, waiting: bool) -> Iterable[sa.ColumnElement[bool]]:
    column = current_outcomes.c
    if code:
        yield column.code == _one_of(code, Code, "an outcome")
    if group:
        short = {name.value.split(",")[0].split(" by ")[0]: name for name in Group}
        named = short.get(group.lower()) or _one_of(group, Group, "a group")
        yield column.code.in_([str(one) for one, meaning in MEANINGS.items() if meaning.group == named])
    if leg:
        yield column.leg == _one_of(leg, Leg, "a leg")
    if payment:
        yield sa.or_(column.payment_id == payment, column.source_id == payment)
    if waiting:
        yield column.trouble_key.is_not(None)


def _one_of(given: str, names: type[StrEnum], what: str) -> str:
    known = [str(one) for one in names]
    if given in known:
        return given
    near = difflib.get_close_matches(given, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageProblem(f"{given[:60]!r} is not {what}.{hint} There are: {'; '.join(known)}.")


def accounting_book(desk: Desk) -> tuple[int, str, str]:
    return book_of(desk), desk.wiring.title, desk.accounting.tool


def _record(row: Any, title: str, tool: str) -> dict[str, Any]:
    code = Code(row.code)
    outcome = Outcome(code, spoken(row.detail or {}, title, tool), row.thing)
    return {
        "leg": row.leg,
        "id": row.source_id,
        "payment": row.payment_id,
        "code": str(code),
        "group": str(MEANINGS[code].group),
        "amount": str(to_decimal(row.amount, row.currency)) if row.currency else None,
        "currency": row.currency or None,
        "month": row.month or None,
        "since": row.since.isoformat(),
        "retry_at": row.retry_at.isoformat() if row.retry_at else None,
        "sentence": outcome.sentence(),
        "remedy": outcome.remedy(),
        "who_acts": str(MEANINGS[code].actor),
        "decisions": list(MEANINGS[code].decisions),
        "trouble": row.trouble_key,
    }


def _row(one: dict[str, Any]) -> list[str]:
    amount = f"{one['currency']} {one['amount']}" if one["currency"] else ""
    return [one["leg"], one["id"], one["code"], amount, one["since"][:10], one["sentence"], one["remedy"]]


# -- explain


def _explanation(found: Explanation) -> dict[str, Any]:
    content: dict[str, Any] = plain(found)
    content["amount"] = _decimal(found.amount, found.currency)
    for told, leg in zip(content["legs"], found.legs, strict=True):
        told["amount"] = _decimal(leg.amount, leg.currency)
        told["waits_for_a_person"] = MEANINGS[leg.code].waits_for_a_person
    return content


def _decimal(amount: int | None, currency: str) -> str | None:
    return str(to_decimal(amount, currency)) if amount is not None and currency else None


def _tell(output: Output, found: Explanation) -> None:
    amount = _decimal(found.amount, found.currency)
    head = f"Payment {found.payment_id}" + (f", number {found.number}" if found.number else "")
    output.say(
        f"{head}: {found.status or 'status unknown'} in Qualy" + (f", {found.currency} {amount}" if amount else "")
    )
    if found.source_url:
        output.say(found.source_url)
    output.say(_as_a_whole(found))
    for leg in found.legs:
        output.say()
        _tell_leg(output, leg)


def _as_a_whole(found: Explanation) -> str:
    if found.worst is None:
        return "Nothing was planned for it yet."
    fine = sum(MEANINGS[leg.code].group in (Group.IN_STEP, Group.EXCLUDED) for leg in found.legs)
    if fine == len(found.legs):
        return f"All of its {fine} legs are in step, or left out on purpose."
    waiting = sum(MEANINGS[leg.code].waits_for_a_person for leg in found.legs)
    return (
        f"{fine} of {len(found.legs)} legs are in step, or left out on purpose; {waiting} wait for a person. The worst:"
        f" {found.worst}."
    )


def _tell_leg(output: Output, leg: LegStory) -> None:
    amount = _decimal(leg.amount, leg.currency)
    output.say(f"{leg.leg} {leg.source_id}" + (f"  {leg.currency} {amount}" if amount else ""), style="bold")
    output.say(f"  {leg.code} since {leg.since:{MOMENT}} UTC. {leg.sentence}")
    if leg.retry_at:
        output.say(f"  Tried again not before {leg.retry_at:{MOMENT}} UTC.")
    if leg.remedy:
        output.say(f"  To do ({leg.who_acts}): {leg.remedy}")
    if leg.decisions:
        output.say(f"  Or decide: {choices.command(leg.decisions, leg.source_id, leg.leg)}")
    if leg.remote_id:
        output.say(f"  There as {leg.number or leg.ref or leg.remote_id} {leg.url}".rstrip())
    for note in leg.notes:
        output.say(f"  {note}")
    if [event.what for event in leg.events] != [leg.code]:  # else it is what was just said
        for event in leg.events:
            output.say(f"  {event.at:{MOMENT}}  {event.what}: {event.said}")
    for attempt in leg.attempts:
        output.say(
            f"  {attempt.committed_at:{MOMENT}}  tried under {attempt.ref}: {attempt.fate}. {attempt.said}".rstrip()
        )
        if attempt.sent is not None:
            output.say(f"      sent {json.dumps(attempt.sent, ensure_ascii=False, default=str)}")
