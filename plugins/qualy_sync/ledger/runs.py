"""Runs: one row for each time somebody or something ran the sync, with counts per task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from .engine import Ledger, db_now, upsert
from .schema import passes, run_counts, runs, settings_versions


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `pin` is the extraction pass whose rows it works on; 0 before the first complete one."""

    id: int
    kind: str
    dag_run: str | None
    book: int | None
    pin: int
    params: Mapping[str, Any]
    by_clock: bool
    settings_version: str
    started_at: datetime
    ended_at: datetime | None


def latest_pass(connection: sa.Connection) -> int:
    """The last extraction pass that is complete and whose data quality was checked; 0 before the first."""
    ready = (passes.c.completed_at.is_not(None), passes.c.checked_at.is_not(None))
    return int(connection.scalar(sa.select(sa.func.max(passes.c.number)).where(*ready)) or 0)


def newest_complete_pass(connection: sa.Connection) -> int:
    """The last complete extraction pass, checked or not: what the data-quality check looks at; 0 before the first."""
    return int(
        connection.scalar(sa.select(sa.func.max(passes.c.number)).where(passes.c.completed_at.is_not(None))) or 0
    )


def open_run(
    ledger: Ledger,
    kind: str,
    *,
    dag_run: str | None = None,
    book: int | None = None,
    params: Mapping[str, Any] | None = None,
    by_clock: bool = False,
    settings_version: str = "",
) -> Run:
    """The run of this Airflow run, opened by whoever comes first; a new one where Airflow is not involved."""
    with ledger.writing() as connection:
        if dag_run is not None:
            found = connection.execute(sa.select(runs).where(runs.c.dag_run == dag_run)).first()
            if found is not None:
                return Run(**found._mapping)
        row = connection.execute(
            sa.insert(runs)
            .values(
                kind=kind,
                dag_run=dag_run,
                book=book,
                pin=latest_pass(connection),
                params=dict(params or {}),
                by_clock=by_clock,
                settings_version=settings_version,
                started_at=db_now(connection),
            )
            .returning(runs)
        ).one()
        return Run(**row._mapping)


def get_run(ledger: Ledger, run: int) -> Run | None:
    with ledger.reading() as connection:
        row = connection.execute(sa.select(runs).where(runs.c.id == run)).first()
    return Run(**row._mapping) if row else None


def run_of(ledger: Ledger, dag_run: str) -> Run | None:
    with ledger.reading() as connection:
        row = connection.execute(sa.select(runs).where(runs.c.dag_run == dag_run)).first()
    return Run(**row._mapping) if row else None


def set_book(ledger: Ledger, run: int, book: int) -> None:
    with ledger.writing() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run).values(book=book))


def end_run(ledger: Ledger, run: int) -> None:
    with ledger.writing() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run).values(ended_at=db_now(connection)))


def start_task(ledger: Ledger, run: int, task: str) -> None:
    """Notes that a task began; one that dies is found by its missing end."""
    with ledger.writing() as connection:
        row = {"run": run, "task": task, "counts": {}, "done": False, "at": db_now(connection)}
        upsert(connection, run_counts, row, keys=("run", "task"))


def end_task(ledger: Ledger, run: int, task: str, counts: Mapping[str, int]) -> None:
    with ledger.writing() as connection:
        row = {"run": run, "task": task, "counts": dict(counts), "done": True, "at": db_now(connection)}
        upsert(connection, run_counts, row, keys=("run", "task"))


def task_counts(ledger: Ledger, run: int) -> dict[str, tuple[dict[str, int], bool]]:
    """Per task: its counts, and whether it came to its end."""
    with ledger.reading() as connection:
        rows = connection.execute(sa.select(run_counts).where(run_counts.c.run == run)).all()
    return {row.task: (row.counts, row.done) for row in rows}


def last_full_run(ledger: Ledger, book: int) -> Run | None:
    """The newest accounting run that read the tool, as its check counted, and went through to its end."""
    with ledger.reading() as connection:
        found = connection.execute(
            sa.select(runs, run_counts.c.counts)
            .join(run_counts, sa.and_(run_counts.c.run == runs.c.id, run_counts.c.task == "check"))
            .where(runs.c.book == book, runs.c.kind == "accounting", runs.c.ended_at.is_not(None))
            .order_by(runs.c.ended_at.desc())
            .execution_options(yield_per=20)
        )
        for row in found:
            if row.counts.get("full"):
                return Run(**{name: row._mapping[name] for name in Run.__dataclass_fields__})
    return None


def keep_settings(ledger: Ledger, version: str, content: Mapping[str, Any]) -> None:
    """Remembers the settings that a version stands for, so that each document can name them."""
    with ledger.writing() as connection:
        row = {"version": version, "content": dict(content), "first_at": db_now(connection)}
        if (
            connection.execute(
                sa.select(settings_versions.c.version).where(settings_versions.c.version == version)
            ).first()
            is None
        ):
            connection.execute(sa.insert(settings_versions).values(row))
