"""A report is made from the ledger, kept in it, and copied to files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from qualy_sync.ledger import Ledger, schema
from qualy_sync.ledger.engine import get_meta, set_meta
from qualy_sync.reconcile import pin_of

from . import csv_files, gather, page, render_html
from .values import Context

PAGE = "report.html"
KEEP_LISTS = 10  # newest reports of a book that keep the list of all outcomes; it is as long as the books
_MEDIA = {".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".zip": "application/zip"}


@dataclass(frozen=True, slots=True)
class Report:
    """One run's report: the page, and the CSV files that go with it by name."""

    html: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)

    def all_files(self) -> dict[str, bytes]:
        return {PAGE: self.html, **self.files}


def make_report(ledger: Ledger, book: int, run: int, now: datetime, context: Context | None = None) -> Report:
    """Makes a run's report from the ledger, in one consistent view. Raises LookupError for an unknown book."""
    context = context or Context()
    with ledger.reading() as connection:
        story = gather.story(connection, book, run, now, context)
        pin = pin_of(connection, run)

        def listed(without: tuple[str, ...]) -> gather.Listed:
            return gather.listed(connection, book, story.head, context, pin, without)

        shown = list(islice(listed(gather.FINE), page.MOST_ROWS))
        found = list(islice(gather.differences(connection, book), render_html.MOST_DIFFERENCES))
        zone = story.head.zone
        files = dict(
            (
                csv_files.write("totals.csv", csv_files.TOTAL_COLUMNS, csv_files.totals(story.lines)),
                csv_files.write("waiting.csv", csv_files.RECORD_COLUMNS, csv_files.records(listed(gather.FINE), zone)),
                csv_files.write(
                    "differences.csv",
                    csv_files.DIFFERENCE_COLUMNS,
                    csv_files.differences(gather.differences(connection, book)),
                ),
                csv_files.write("to_recode.csv", csv_files.RECODE_COLUMNS, csv_files.to_recode(story.to_recode)),
                csv_files.write("outcomes.csv", csv_files.RECORD_COLUMNS, csv_files.records(listed(()), zone)),
            )
        )
    return Report(render_html.render(story, shown, gather.not_in_step(story.counts), found, list(files)), files)


def store_report(ledger: Ledger, run: int, report: Report, now: datetime) -> None:
    """Keeps a report in the ledger; one that was made before for the run is replaced."""
    table = schema.report_files
    rows = [
        {"run": run, "name": name, "media_type": _MEDIA[Path(name).suffix], "content": content, "made_at": now}
        for name, content in report.all_files().items()
    ]
    with ledger.writing() as connection:
        connection.execute(sa.delete(table).where(table.c.run == run))
        connection.execute(sa.insert(table), rows)
        _forget_lists(connection, run)


def write_copies(ledger: Ledger, folder: Path, run: int) -> Path:
    """Copies a kept report to `folder/run-N/`, each file at once or not at all. Gives the page's path.

    Raises LookupError for a run without a report.
    """
    table = schema.report_files
    with ledger.reading() as connection:
        rows = list(connection.execute(sa.select(table.c.name, table.c.content).where(table.c.run == run)))
    if not rows:
        raise LookupError(f"Run {run} has no report.")
    place = folder / f"run-{run}"
    place.mkdir(parents=True, exist_ok=True)
    for row in rows:
        _replace(place / row.name, bytes(row.content))
    with ledger.writing() as connection:
        set_meta(connection, _copy_of(_book_of(connection, run)), str((place / PAGE).resolve()))
    return place / PAGE


def newest_copy(connection: sa.Connection, book: int) -> str | None:
    """Where the page of a book's newest report was copied to."""
    return get_meta(connection, _copy_of(book))


def _copy_of(book: int) -> str:
    return f"report_copy:{book}"


def _book_of(connection: sa.Connection, run: int) -> int:
    return int(connection.execute(sa.select(schema.runs.c.book).where(schema.runs.c.id == run)).scalar_one() or 0)


def _forget_lists(connection: sa.Connection, run: int) -> None:
    """Drops the long lists of older runs of the same book and kind; each book's are counted by themselves."""
    table, runs = schema.report_files, schema.runs
    this = runs.alias("this")
    alike = sa.select(runs.c.id).join(this, sa.and_(this.c.book == runs.c.book, this.c.kind == runs.c.kind))
    mine = table.c.run.in_(alike.where(this.c.id == run))
    newest = sa.select(table.c.run).where(table.c.name == PAGE, mine).order_by(table.c.run.desc()).limit(KEEP_LISTS)
    kept = [row.run for row in connection.execute(newest)]
    lists = table.c.name.in_(["outcomes.csv", "outcomes.csv.zip"])
    connection.execute(sa.delete(table).where(lists, mine, table.c.run < min([*kept, run])))


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
