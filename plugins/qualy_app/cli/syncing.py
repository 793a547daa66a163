"""`extract` and `sync accounting`: the stages of the DAGs, one after the other, without Airflow."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from qualy_sync.ledger.runs import run_of, task_counts
from qualy_sync.ledger.schema import attempts, confirmations
from qualy_sync.load import GROUPS, Filter
from qualy_sync.report import trouble_labels

from .. import jobs
from ..desk import Desk
from ..pages import TERMINAL
from ..params import SyncParams
from ..signals import RunProblem
from .frame import (
    NOT_COMPARED,
    AsJson,
    By,
    Debug,
    Exit,
    Output,
    UsageProblem,
    open_desk,
    reported_all_the_same,
    speaking,
)
from .previewing import show_preview

STAGES = ("plan", *GROUPS, "reconcile", "report")


def extract(as_json: AsJson = False, debug: Debug = False) -> None:
    """Read Qualy into the ledger: what is new or changed, and the data-quality checks over it."""
    with speaking(as_json, debug) as output:
        open_desk(output, migrate=True)
        name = _run_name()
        with _progress(output, 3) as stage:
            stage("Reading Qualy")
            counts = {"extract": jobs.extract(name, 1)}
            stage("Checking what was read")
            counts["quality"] = jobs.quality(name)
            stage("Done")
            jobs.publish(name)
        output.json({"counts": counts})
        read = counts["extract"]
        output.say(f"Read from Qualy: {read.get('changes', 0):,} new or changed records (pass {read.get('pass')}).")


def sync_accounting(
    preview: Annotated[bool, typer.Option("--preview", help="Show what would be written, and write nothing.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="This Qualy id; repeatable.")] = None,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="Documents dated then or later.")] = "",
    confirm: Annotated[str, typer.Option("--confirm", metavar="HASH", help="What a preview printed.")] = "",
    by: By = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Plan, write, reconcile and report, on what was last read from Qualy."""
    with speaking(as_json, debug) as output:
        asked = {"preview": preview, "only": list(only or ()), "since": since, "confirm": confirm}
        params = SyncParams.parse(asked)
        if params.confirm and not by.strip():
            raise UsageProblem("A confirmation is somebody's: add --by with your name.")
        if params.confirm and params.preview:
            raise UsageProblem("Either --preview or --confirm: a preview prints the hash that confirms it.")
        desk = open_desk(output, migrate=True)
        if desk.settings.accounting is None:
            output.json({"run": None, "wrote": False, "tasks": {}, "waiting": [], "report": None})
            output.say("The settings name no accounting tool (accounting.tool: none). There is nothing to do.")
            return
        if params.confirm:
            _require_offer(desk, params.confirm)
        name = _run_name()
        person = by.strip() or "command line"
        if params.preview:
            _preview(output, desk, name, params, person)
        else:
            _sync(output, desk, name, params, person)


def _require_offer(desk: Desk, name: str) -> None:
    with desk.ledger.reading() as connection:
        found = connection.execute(sa.select(confirmations.c.hash).where(confirmations.c.hash == name)).first()
    if found is None:
        raise UsageProblem(
            f"No preview was shown under the hash {name[:60]!r}. Call `sync accounting --preview`; it prints the hash."
        )


def _preview(output: Output, desk: Desk, name: str, params: SyncParams, person: str) -> None:
    from ..previews import make_preview

    with _progress(output, 2) as stage:
        stage(f"Reading {desk.wiring.title}")
        _begin(name, params, person)
        stage("Planning")
        run = run_of(desk.ledger, name)
        assert run is not None  # `check` opened it
        work = desk.work(run, only=Filter(only=frozenset(params.only), since=params.since))
        made = make_preview(work)
    show_preview(output, work, made)


def _sync(output: Output, desk: Desk, name: str, params: SyncParams, person: str) -> None:
    with _progress(output, len(STAGES) + 1) as stage:
        stage(f"Reading {desk.wiring.title}")
        _begin(name, params, person)
        with reported_all_the_same(lambda: _compare(name, stage), NOT_COMPARED):
            stage("Planning")
            jobs.plan(name)
            for group in GROUPS:
                stage(f"Writing {group}")
                jobs.load(name, group, 1)
        _compare(name, stage)
    _tell(output, desk, name)


def _compare(name: str, stage: Callable[[str], None]) -> None:
    try:
        stage("Comparing both sides")
        jobs.reconcile(name)
    finally:
        stage("Writing the report")
        jobs.report(name)


def _begin(name: str, params: SyncParams, person: str) -> None:
    go_on, counts = jobs.check(name, params, by_clock=True, person=person)
    if not go_on and "extracted" in counts:
        raise RunProblem("Nothing was read from Qualy yet. Begin with: bin/qualy extract")


def _tell(output: Output, desk: Desk, name: str) -> None:
    from qualy_sync.report.make import newest_copy

    from .. import summary

    run = run_of(desk.ledger, name)
    assert run is not None
    book = run.book
    assert book is not None
    waiting = trouble_labels(desk.ledger, book, desk.wiring.title, run.id)
    tasks = {task: counts for task, (counts, _) in task_counts(desk.ledger, run.id).items()}
    with desk.ledger.reading() as connection:
        path = newest_copy(connection, book)
        sent = connection.execute(sa.select(attempts.c.id).where(attempts.c.run == run.id).limit(1)).first()
    output.json(
        {
            "run": run.id,
            "wrote": sent is not None,
            "tasks": tasks,
            "waiting": [trouble_as_json(one) for one in waiting],
            "report": path,
        }
    )
    for line in summary.lines(desk.ledger.url, desk.wiring.title):
        output.say(line)
    if waiting:
        raise typer.Exit(int(Exit.WAITS))


def trouble_as_json(trouble: Any) -> dict[str, Any]:
    """One trouble, with keys that stay."""
    return {
        "trouble": trouble.key,
        "code": str(trouble.code),
        "label": trouble.label,
        "records": trouble.records,
        "amounts_minor": dict(trouble.amounts),
        "who_acts": str(trouble.actor),
        "remedy": trouble.remedy,
    }


def _run_name() -> str:
    return f"{TERMINAL}/{uuid.uuid4().hex}"


@contextmanager
def _progress(output: Output, stages: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, nothing elsewhere; gives the function that names the next stage."""
    from rich.console import Console

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    quiet = not output.on_a_terminal
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=stages)
        begun = False

        def stage(name: str) -> None:
            nonlocal begun
            bar.update(task, description=name, advance=1 if begun else 0)
            begun = True

        yield stage
