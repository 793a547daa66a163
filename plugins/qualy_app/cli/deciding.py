"""`decide` and `ignore`: what only a person can say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from qualy_sync.ledger.decisions import decide as keep_decision
from qualy_sync.model import Leg
from qualy_sync.outcomes import MEANINGS, Code

from ..choices import NEEDS_ARGUMENT, as_written
from ..desk import Desk
from .customers import OfTool, book_of_tool, the_leg
from .frame import AsJson, By, Debug, Output, Reason, UsageProblem, book_of, open_desk, speaking
from .records import legs_of, legs_of_payment, people_of


def decide(
    record: Annotated[str, typer.Argument(metavar="ID", help="The Qualy id, as `outcomes` shows it.")],
    leg: Annotated[
        Leg, typer.Argument(metavar="LEG", help="contact, supplier, invoice, bill, settlement, credit_note, …")
    ],
    choice: Annotated[str, typer.Option("--as", metavar="CHOICE", help="ours, theirs, link:REMOTE_ID, separate, …")],
    by: By,
    reason: Reason,
    tool: OfTool = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Decide on one leg of one record; the choices depend on its outcome."""
    with speaking(as_json, debug) as output:
        _require(by=by, reason=reason)
        desk = open_desk(output)
        if tool:
            book, _ = book_of_tool(desk, tool)
            row = the_leg(desk, book, record, leg)
        else:
            book = book_of(desk)
            row = _the_leg(desk, book, record, leg)
        word, argument = _choice(row, choice)
        keep_decision(desk.ledger, book, row.leg, row.source_id, word, argument, by.strip(), reason.strip())
        _said(output, [row], word, argument)


def ignore(
    record: Annotated[str, typer.Argument(metavar="ID", help="A payment, or a part of one, by its Qualy id.")],
    reason: Reason,
    by: By,
    tool: OfTool = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Leave a record out, on purpose: every leg of it that is not in step and may be ignored."""
    with speaking(as_json, debug) as output:
        _require(by=by, reason=reason)
        desk = open_desk(output)
        book = book_of_tool(desk, tool)[0] if tool else book_of(desk)
        legs = legs_of(desk.ledger, book, record.strip()) if tool else legs_of_payment(desk, book, record)
        mine = [row for row in legs if "ignore" in MEANINGS[Code(row.code)].decisions]
        if not mine:
            codes = ", ".join(f"{row.leg}: {row.code}" for row in legs)
            raise UsageProblem(f"Nothing of {record} waits for a decision ({codes}), so that nothing is to be ignored.")
        for row in mine:
            keep_decision(desk.ledger, book, row.leg, row.source_id, "ignore", "", by.strip(), reason.strip())
        _said(output, mine, "ignore", "")


# -- shared


def _require(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise UsageProblem(f"--{name} is empty; decisions are kept with a name and a reason.")


def _the_leg(desk: Desk, book: int, record: str, leg: Leg) -> Any:
    legs = legs_of_payment(desk, book, record)
    found = [row for row in legs if row.leg == leg]
    if not found and leg in (Leg.CONTACT, Leg.SUPPLIER):
        found = people_of(desk.ledger, book, legs, str(leg))
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageProblem(f"{record} has no leg {leg}; it has: {', '.join(sorted({row.leg for row in legs}))}.")
    ids = ", ".join(row.source_id for row in found)
    raise UsageProblem(f"{record} has {len(found)} legs of this kind; name one by its own id: {ids}.")


def _choice(row: Any, given: str) -> tuple[str, str]:
    """The choice and its argument. Raises UsageProblem for one that this outcome does not offer."""
    word, _, argument = (part.strip() for part in given.partition(":"))
    allowed = MEANINGS[Code(row.code)].decisions
    offered = ", ".join(as_written(one) for one in allowed)
    if word not in allowed:
        choices = f"The choices are: {offered}." if allowed else "No decision is open on it."
        raise UsageProblem(f"{given!r} is not a choice for {row.code} ({row.leg} {row.source_id}). {choices}")
    if word == NEEDS_ARGUMENT and not argument:
        raise UsageProblem("link needs the id of the record in the tool: --as link:REMOTE_ID.")
    if word != NEEDS_ARGUMENT and argument:
        raise UsageProblem(f"{word} takes nothing behind a colon.")
    return word, argument


def _said(output: Output, rows: Sequence[Any], word: str, argument: str) -> None:
    choice = f"{word}:{argument}" if argument else word
    decided = [{"leg": row.leg, "id": row.source_id, "was": row.code, "choice": choice} for row in rows]
    output.json({"decided": decided})
    for one in decided:
        output.say(f"{one['leg']} {one['id']} ({one['was']}): {choice}.")
    output.say("It counts as long as Qualy's record stays as it is now. The next run acts on it; `retry` does so now.")
