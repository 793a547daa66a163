"""`report`: the files of a run's report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from qualy_sync.ledger.runs import get_run
from qualy_sync.ledger.schema import report_files, runs
from qualy_sync.report import Context, make_report, store_report, write_copies

from ..desk import Desk
from .frame import AsJson, Debug, UsageProblem, book_of, open_desk, speaking

KINDS = ("accounting", "retry")  # runs that make a report


def report(
    run: Annotated[int | None, typer.Option("--run", metavar="N", help="The run; the newest one otherwise.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Where the files go.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a run's report: one page to read, and CSV files."""
    with speaking(as_json, debug) as output:
        desk = open_desk(output)
        number = run if run is not None else _newest(desk)
        if not _has_report(desk, number):
            make_for(desk, number)
        page = write_copies(desk.ledger, to or desk.reports, number).resolve()
        files = sorted(path.name for path in page.parent.iterdir() if not path.name.startswith("."))
        output.json({"run": number, "path": str(page), "files": files})
        output.say(str(page))


def _newest(desk: Desk) -> int:
    book = book_of(desk)
    with desk.ledger.reading() as connection:
        query = sa.select(sa.func.max(runs.c.id)).where(runs.c.book == book, runs.c.kind.in_(KINDS))
        found = connection.scalar(query)
    if found is None:
        raise UsageProblem("No run was made yet. Begin with: bin/qualy sync accounting")
    return int(found)


def _has_report(desk: Desk, number: int) -> bool:
    with desk.ledger.reading() as connection:
        query = sa.select(report_files.c.name).where(report_files.c.run == number).limit(1)
        return connection.execute(query).first() is not None


def make_for(desk: Desk, number: int) -> None:
    """Makes the report of a run and keeps it. Raises UsageProblem for a run that wrote into no book."""
    found = get_run(desk.ledger, number)
    if found is None or found.book is None:
        raise UsageProblem(f"There is no run {number} of the accounting sync.")
    work = desk.work(found, latest=True)
    now = desk.ledger.now()
    context = Context(title=work.tool.title, gaps=work.tool.gaps, payment_link=work.payment_link)
    store_report(desk.ledger, number, make_report(desk.ledger, found.book, number, now, context), now)
