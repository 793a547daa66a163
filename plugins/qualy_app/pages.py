"""What the web pages read: runs that made a report, and the reports' files, straight from the ledger."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.schema import report_files, runs

REPORT = "report.html"
MOST_RUNS = 200
COMMAND_LINE = "sync_accounting"
"""Runs of the command line belong to no DAG run; who may read this DAG's runs may read them."""
BY_THE_WAY = ("preview", "retry", "reapply")
"""Kinds of runs that no DAG is named for."""
TERMINAL = "command_line"
"""What stands in place of a DAG's id in the name of a run that a terminal started."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run that made a report."""

    run: int
    kind: str
    dag_run: str | None
    """"dag_id/run_id"; None: the command line ran it."""
    by_clock: bool
    started_at: datetime
    ended_at: datetime | None
    files: tuple[str, ...]
    """Names of the files beside the report itself."""

    @property
    def title(self) -> str:
        if self.dag_run is None or self.dag_run.startswith(f"{TERMINAL}/"):
            started_by = "command line"
        elif "/manual__" in self.dag_run:
            started_by = "started by hand"
        else:
            started_by = "by the clock" if self.by_clock else "on new data"
        return f"Preview, {started_by}" if self.kind == "preview" else started_by.capitalize()


@dataclass(frozen=True, slots=True)
class File:
    """One file of a report."""

    name: str
    media_type: str
    content: bytes


def dags_with_reports() -> list[str]:
    """The DAGs whose own runs made a report, by name. Raises LedgerError."""
    made = runs.c.id.in_(sa.select(report_files.c.run).where(report_files.c.name == REPORT))
    query = sa.select(runs.c.kind).where(made, runs.c.kind.not_in(BY_THE_WAY)).distinct()
    with _ledger().reading() as connection:
        return sorted(f"sync_{kind}" for kind in connection.scalars(query))


def reports(dag_id: str) -> list[RunPage]:
    """The latest runs of a DAG that made a report, newest first. Raises LedgerError."""
    return _pages(_of_dag(dag_id))


def report_of(dag_id: str, run_id: str) -> RunPage | None:
    """The run of that DAG run, if it made a report. Raises LedgerError."""
    found = _pages(runs.c.dag_run == f"{dag_id}/{run_id}")
    return found[0] if found else None


def report_run(dag_id: str, run: int) -> RunPage | None:
    """The run with that number, if it belongs to the DAG and made a report. Raises LedgerError."""
    found = _pages(sa.and_(_of_dag(dag_id), runs.c.id == run))
    return found[0] if found else None


def file(dag_id: str, run: int, name: str) -> File | None:
    """One file of a run that belongs to the DAG. Raises LedgerError."""
    query = (
        sa.select(report_files.c.name, report_files.c.media_type, report_files.c.content)
        .join(runs, runs.c.id == report_files.c.run)
        .where(_of_dag(dag_id), runs.c.id == run, report_files.c.name == name)
    )
    with _ledger().reading() as connection:
        row = connection.execute(query).one_or_none()
    return File(row.name, row.media_type, bytes(row.content)) if row else None


def _pages(which: sa.ColumnElement[bool]) -> list[RunPage]:
    with_report = sa.select(report_files.c.run).where(report_files.c.name == REPORT)
    query = sa.select(runs).where(which, runs.c.id.in_(with_report)).order_by(runs.c.id.desc()).limit(MOST_RUNS)
    with _ledger().reading() as connection:
        found = connection.execute(query).all()
        beside: dict[int, list[str]] = {row.id: [] for row in found}
        names = sa.select(report_files.c.run, report_files.c.name).where(
            report_files.c.run.in_(beside), report_files.c.name != REPORT
        )
        for run, name in connection.execute(names.order_by(report_files.c.name)):
            beside[run].append(name)
    return [
        RunPage(
            run=row.id,
            kind=row.kind,
            dag_run=row.dag_run,
            by_clock=row.by_clock,
            started_at=row.started_at,
            ended_at=row.ended_at,
            files=tuple(beside[row.id]),
        )
        for row in found
    ]


def _of_dag(dag_id: str) -> sa.ColumnElement[bool]:
    own = runs.c.dag_run.startswith(f"{dag_id}/", autoescape=True)
    terminal = runs.c.dag_run.startswith(f"{TERMINAL}/", autoescape=True)
    return sa.or_(own, runs.c.dag_run.is_(None), terminal) if dag_id == COMMAND_LINE else own


def _ledger() -> Ledger:
    url = os.environ.get("QUALY_LEDGER_URL")
    if not url:
        raise LedgerError("QUALY_LEDGER_URL is not set for the API server, so that it cannot find the reports.")
    return _opened(url, os.getpid())


@lru_cache(maxsize=2)
def _opened(url: str, _process: int) -> Ledger:
    return Ledger(url)
