"""`decide`, `ignore` and `retry`: what only a person can set going."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from qualy_sync.ledger.decisions import decide as keep_decision
from qualy_sync.ledger.runs import end_run, open_run, set_book
from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.load import Work, waits_until
from qualy_sync.load.retrying import records_of
from qualy_sync.load.retrying import retry as try_again
from qualy_sync.model import Leg
from qualy_sync.outcomes import MEANINGS, Code, Group
from qualy_sync.reconcile import reconcile
from qualy_sync.report import trouble_labels, write_copies

from ..choices import NEEDS_ARGUMENT, as_written
from ..desk import Desk
from ..pages import TERMINAL
from .customers import OfTool, book_of_tool, the_leg
from .frame import AsJson, By, Debug, Exit, Output, Reason, UsageProblem, book_of, open_desk, speaking, told
from .records import legs_of, payment_id, people_of
from .reporting import make_for
from .syncing import trouble_as_json


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
        legs = legs_of(desk.ledger, book, record.strip()) if tool else _legs(desk, book, record)
        mine = [row for row in legs if "ignore" in MEANINGS[Code(row.code)].decisions]
        if not mine:
            codes = ", ".join(f"{row.leg}: {row.code}" for row in legs)
            raise UsageProblem(f"Nothing of {record} waits for a decision ({codes}), so that nothing is to be ignored.")
        for row in mine:
            keep_decision(desk.ledger, book, row.leg, row.source_id, "ignore", "", by.strip(), reason.strip())
        _said(output, mine, "ignore", "")


def retry(
    records: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Qualy ids.")] = None,
    trouble: Annotated[str, typer.Option("--trouble", metavar="KEY", help="Everything under this trouble.")] = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Everything that waits for a person.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Try records again now, and only those; then say what is left."""
    with speaking(as_json, debug) as output:
        if sum((bool(records), bool(trouble), waiting)) != 1:
            raise UsageProblem("Name what to try again: one or more ids, or --trouble KEY, or --waiting.")
        desk = open_desk(output)
        book = book_of(desk)
        keys = _keys(desk, book, records or [], trouble)
        if not keys:
            output.json({"run": None, "records": 0, "counts": {}, "unknown_until": None, "left": [], "report": None})
            output.say("Nothing to try again: all of it is in step.")
            return
        _retry(output, desk, book, keys)


# -- shared


def _require(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise UsageProblem(f"--{name} is empty; decisions are kept with a name and a reason.")


def _legs(desk: Desk, book: int, record: str) -> list[Any]:
    prefix = desk.accounting.payments.number_prefix
    return legs_of(desk.ledger, book, payment_id(desk.ledger, record, prefix))


def _the_leg(desk: Desk, book: int, record: str, leg: Leg) -> Any:
    legs = _legs(desk, book, record)
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


def _keys(desk: Desk, book: int, records: Sequence[str], trouble: str) -> list[tuple[str, str]]:
    if records:
        rows = [row for record in records for row in _legs(desk, book, record)]
        return sorted({(row.leg, row.source_id) for row in rows if _may_be_tried(row.code)})
    where = current_outcomes.c.trouble_key == trouble if trouble else current_outcomes.c.trouble_key.is_not(None)
    with desk.ledger.reading() as connection:
        found = connection.execute(
            sa.select(current_outcomes.c.leg, current_outcomes.c.source_id).where(
                current_outcomes.c.book == book, where
            )
        )
        keys = sorted((row.leg, row.source_id) for row in found)
    if trouble and not keys:
        known = ", ".join(one.key for one in trouble_labels(desk.ledger, book, desk.wiring.title)) or "none"
        raise UsageProblem(f"No record is under the trouble {trouble[:100]!r}. Open troubles: {known}.")
    return keys


def _may_be_tried(code: str) -> bool:
    return MEANINGS[Code(code)].group is not Group.IN_STEP


def _did(counts: Mapping[str, int]) -> str:
    """What became of them, in words: what was sent, and the legs that could follow, too."""
    codes = {str(code) for code in Code}
    did = [f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(counts.items()) if name in codes]
    return ": " + ", ".join(did) if did else "; nothing was sent"


def _compare(desk: Desk, work: Work) -> Path:
    """Both sides compared after what was written, and the report of this run: its page."""
    desk.refresh(work)
    reconcile(desk.ledger, work.book, work.run, desk.ledger.now(), full=False)
    make_for(desk, work.run)
    return write_copies(desk.ledger, desk.reports, work.run).resolve()


def _retry(output: Output, desk: Desk, book: int, keys: Sequence[tuple[str, str]]) -> None:
    run = open_run(
        desk.ledger, "retry", dag_run=f"{TERMINAL}/{uuid.uuid4().hex}", settings_version=desk.settings.version
    )
    set_book(desk.ledger, run.id, book)
    desk.first_contact()
    work = desk.work(run, book=book, latest=True)
    try:
        counts = try_again(work, keys)
    except Exception as stopped:
        try:
            _compare(desk, work)
        except Exception as failed:
            stopped.add_note(f"Both sides could not be compared and reported either: {told(failed)[1]}")
        raise
    finally:
        end_run(desk.ledger, run.id)
    page = _compare(desk, work)
    until = waits_until(work, keys)
    troubles = trouble_labels(desk.ledger, book, desk.wiring.title)
    tried = set(keys)
    left = [one for one in troubles if tried & {(row.leg, row.source_id) for row in records_of(work, one.key)}]
    output.json(
        {
            "run": run.id,
            "records": len(keys),
            "counts": counts,
            "unknown_until": until.isoformat() if until else None,
            "left": [trouble_as_json(one) for one in left],
            "report": str(page),
        }
    )
    output.say(f"{len(keys):,} tried{_did(counts)}.")
    if until is not None:
        output.say(f"Some were sent and not answered: they are read back after {until:%H:%M:%S} UTC; retry then.")
    for one in left:
        output.say(f"Still open: {one.label}")
        output.say(f"    {one.actor}: {one.remedy}")
    output.say(f"Report: {page}")
    if left or until is not None:
        raise typer.Exit(int(Exit.WAITS))
