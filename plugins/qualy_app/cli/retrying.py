"""`retry`: records that wait, tried again now; in accounting or, by `--tool`, in a customer tool."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from qualy_sync.ledger.runs import end_run, open_run, set_book
from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.load.retrying import records_of
from qualy_sync.outcomes import MEANINGS, Code, Group
from qualy_sync.reconcile import reconcile
from qualy_sync.report import trouble_labels, write_copies

from ..crm_desk import CrmDesk
from ..crm_jobs import make_report
from ..desk import Desk
from ..pages import TERMINAL
from ..todo import AnyDesk
from .customers import OfTool, book_of_tool
from .frame import (
    NOT_COMPARED,
    AsJson,
    Debug,
    Exit,
    Output,
    UsageProblem,
    book_of,
    open_desk,
    reported_all_the_same,
    speaking,
)
from .records import legs_of, legs_of_payment
from .reporting import make_for
from .syncing import trouble_as_json

Key = tuple[str, str]  # leg and Qualy id (of a contact that becomes a customer: the tool's)
IN_QUALY = {"created_in_qualy", "updated_in_qualy"}


def retry(
    records: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Qualy ids.")] = None,
    trouble: Annotated[str, typer.Option("--trouble", metavar="KEY", help="Everything under this trouble.")] = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Everything that waits for a person.")] = False,
    tool: OfTool = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Try records again now, and only those; then say what is left."""
    with speaking(as_json, debug) as output:
        if sum((bool(records), bool(trouble), waiting)) != 1:
            raise UsageProblem("Name what to try again: one or more ids, or --trouble KEY, or --waiting.")
        desk, book = _opened(open_desk(output), tool)
        keys = _keys(desk, book, records or [], trouble)
        if not keys:
            output.json({"run": None, "records": 0, "counts": {}, "unknown_until": None, "left": [], "report": None})
            output.say("Nothing to try again: all of it is in step.")
            return
        _retry(output, desk, book, keys)


def _opened(desk: Desk, tool: str) -> tuple[AnyDesk, int]:
    """The desk of the tool that is meant, and its book. Raises UsageProblem and RunProblem."""
    if not tool:
        return desk, book_of(desk)
    book, title = book_of_tool(desk, tool)
    crm = CrmDesk(tool, desk)
    if not crm.enabled:
        raise UsageProblem(f"The settings leave {title} off ({tool}.enabled: false). There is nothing to try again.")
    return crm, book


def _keys(desk: AnyDesk, book: int, records: Sequence[str], trouble: str) -> list[Key]:
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


def _legs(desk: AnyDesk, book: int, record: str) -> list[sa.Row[Any]]:
    if isinstance(desk, CrmDesk):
        return legs_of(desk.ledger, book, record.strip())
    return legs_of_payment(desk, book, record)


def _may_be_tried(code: str) -> bool:
    return MEANINGS[Code(code)].group is not Group.IN_STEP


def _retry(output: Output, desk: AnyDesk, book: int, keys: Sequence[Key]) -> None:
    settings = (desk.desk if isinstance(desk, CrmDesk) else desk).settings
    run = open_run(desk.ledger, "retry", dag_run=f"{TERMINAL}/{uuid.uuid4().hex}", settings_version=settings.version)
    set_book(desk.ledger, run.id, book)
    desk.first_contact()
    work = desk.work(run, book=book, latest=True)
    try:
        with reported_all_the_same(lambda: _report(desk, work), NOT_COMPARED):
            counts = desk.retry(work, keys)
    finally:
        end_run(desk.ledger, run.id)
    page = _report(desk, work)
    _tell(output, desk, work, keys, counts, page)


def _report(desk: AnyDesk, work: Any) -> Path:
    """The report of this run: its page. In accounting, both sides are compared before, after what was written."""
    if isinstance(desk, CrmDesk):
        return make_report(desk, work).resolve()
    desk.refresh(work)
    reconcile(desk.ledger, work.book, work.run, desk.ledger.now(), full=False)
    make_for(desk, work.run)
    return write_copies(desk.ledger, desk.reports, work.run).resolve()


def _tell(output: Output, desk: AnyDesk, work: Any, keys: Sequence[Key], counts: Mapping[str, int], page: Path) -> None:
    until = desk.waits_until(work, keys)
    tried = set(keys)
    troubles = trouble_labels(desk.ledger, work.book, desk.wiring.title)
    left = [one for one in troubles if tried & {(row.leg, row.source_id) for row in records_of(work, one.key)}]
    output.json(
        {
            "run": work.run,
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


def _did(counts: Mapping[str, int]) -> str:
    """What became of them, in words: what was sent, and the legs that could follow, too."""
    codes = {str(code) for code in Code} | IN_QUALY
    did = [f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(counts.items()) if name in codes]
    return ": " + ", ".join(did) if did else "; nothing was sent"
