"""The jobs of the CRM DAGs: what each task does. Every job may be repeated at any time, in any order."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qualy_sync.contracts.crm import Act
from qualy_sync.crm import gate, stages
from qualy_sync.crm.work import CrmProblem, CrmWork
from qualy_sync.ledger import inbox
from qualy_sync.ledger.books import find_book
from qualy_sync.ledger.cursors import get_cursor
from qualy_sync.ledger.inbox import Hint
from qualy_sync.ledger.runs import (
    Run,
    end_run,
    end_task,
    latest_pass,
    open_run,
    run_of,
    set_book,
    start_task,
    task_counts,
)
from qualy_sync.load.gate import confirm, offer
from qualy_sync.model import Leg

from .crm_desk import CrmDesk
from .jobs import waiting_on_leases
from .params import SyncParams
from .signals import RunProblem

Counts = dict[str, int]
HINTS_AT_ONCE = 5_000  # of one run; the rest has the next one
log = logging.getLogger("qualy_app")


def check(tool: str, dag_run: str, params: SyncParams, by_clock: bool, person: str = "") -> tuple[bool, Counts]:
    """Whether there is anything to do; reads what changed in the tool, and what somebody hinted at."""
    desk = CrmDesk(tool)
    if not desk.enabled:
        return False, {}
    if params.since is not None:
        raise RunProblem("`since` is for documents; customers are synced by what changed. Use `only`.")
    kind = "preview" if params.preview else tool
    run = open_run(
        desk.ledger,
        kind,
        dag_run=dag_run,
        params=params.as_json(),
        by_clock=by_clock,
        settings_version=desk.desk.settings.version,
    )
    with _task(desk, run, "check"):
        with desk.ledger.reading() as connection:
            read = latest_pass(connection)
        if not read:
            end_task(desk.ledger, run.id, "check", {})
            return False, {"extracted": 0}
        work = desk.read_account(run)
        told = hints(desk)
        counts = dict(stages.read(work, [hint.id for hint in told]))
        with desk.ledger.writing() as connection:  # only now: the mirror has them, and what was told since stays
            inbox.take_out(connection, tool, told)
        if params.confirm and not confirm(desk.ledger, work.book, params.confirm, person or dag_run):
            raise RunProblem(
                f"No preview was shown under the hash {params.confirm}. Run with `preview` first; its plan task prints"
                " the hash."
            )
        counts["calls"] = work.tool.quota.calls
        end_task(desk.ledger, run.id, "check", counts)
        return True, counts


def hints(desk: CrmDesk) -> list[Hint]:
    """Contacts that the tool's webhooks spoke of: changed, merged, archived or erased. See `webhooks`."""
    return inbox.waiting(desk.ledger, desk.tool_id, HINTS_AT_ONCE)


def plan(tool: str, dag_run: str) -> Counts:
    """Both sides merged, from the ledger alone. A preview shows and keeps nothing."""
    desk = CrmDesk(tool)
    run = _begun(desk, dag_run)
    with _task(desk, run, "plan"):
        params = SyncParams.parse(run.params)
        work = _work(desk, run)
        counts = preview(work) if params.preview else stages.plan(work)
        end_task(desk.ledger, run.id, "plan", counts)
        return counts


def write(tool: str, dag_run: str, try_number: int) -> Counts:
    """Everything that is due in the tool."""
    return _written(tool, dag_run, try_number, "write")


def into_qualy(tool: str, dag_run: str, try_number: int) -> Counts:
    """Everything that is due in Qualy, where that is switched on."""
    return _written(tool, dag_run, try_number, "into_qualy")


def list_troubles(tool: str, dag_run: str) -> list[int]:
    """Positions of everything that waits for a person, most records first."""
    from .todo import list_entries

    desk = CrmDesk(tool)
    run = run_of(desk.ledger, dag_run) if desk.enabled else None
    return [] if run is None or _silent(run) else list_entries(desk, run)


def to_do_label(tool: str, dag_run: str, position: int) -> str:
    from .todo import label

    desk = CrmDesk(tool)
    return label(desk, _begun(desk, dag_run), position)


def to_do(tool: str, dag_run: str, position: int, try_number: int) -> str:
    """Tells of a trouble the first time; tries its records again once it has told. See `todo`."""
    from .todo import act

    desk = CrmDesk(tool)
    with _telling(desk):
        return act(desk, _begun(desk, dag_run), position)


def report(tool: str, dag_run: str) -> Counts:
    """The run's report, made from the ledger, kept in it, and copied to a folder."""
    desk = CrmDesk(tool)
    run = _begun(desk, dag_run)
    if SyncParams.parse(run.params).preview:
        return {}
    page = make_report(desk, desk.work(run, latest=True))
    if not run.ended_at and all(done for _, done in task_counts(desk.ledger, run.id).values()):
        end_run(desk.ledger, run.id)
    return {"files": sum(not path.name.startswith(".") for path in page.parent.iterdir())}


def make_report(desk: CrmDesk, work: CrmWork) -> Path:
    """Makes the report of a run, keeps it, and copies it to a folder; gives its page there."""
    from qualy_sync.report import Context, store_report, write_copies
    from qualy_sync.report.customers import make_customer_report

    now = desk.ledger.now()
    made = make_customer_report(
        desk.ledger, work.book, work.run, now, Context(title=work.tool.title, gaps=work.tool.gaps)
    )
    store_report(desk.ledger, work.run, made, now)
    return write_copies(desk.ledger, desk.desk.reports, work.run)


def backlog(tool: str, dag_run: str) -> bool:
    """Whether work is left that is due now. What carries a time, or waits for an extraction, waits for it."""
    desk = CrmDesk(tool)
    run = _begun(desk, dag_run)
    if _silent(run) or run.book is None:
        return False
    counts = task_counts(desk.ledger, run.id)
    written = [counts.get(name, ({}, True))[0] for name in ("write", "into_qualy")]
    if any("out_of_quota" in each for each in written):
        return False
    with desk.ledger.reading() as connection:
        newest = latest_pass(connection)
    planned = get_cursor(desk.ledger, f"planned:{run.book}") or {}
    newer = newest > int(planned.get("pin", newest))
    return newer or any("its_turn_next" in each for each in written) or inbox.count(desk.ledger, tool) > 0


def preview(work: CrmWork) -> Counts:
    """What would be written: offered for confirmation under a hash, and told in counts."""
    name, counts, _ = previewed(work)
    log.info("Nothing is written. To confirm exactly this plan, start a run with confirm: %s", name)
    return counts


def previewed(work: CrmWork) -> tuple[str, Counts, list[dict[str, Any]]]:
    """The hash that confirms what would be written, how much that is, and record by record which fields."""
    plans, news = stages.preview(work)
    creates = [one for one in plans if one.act is Act.CREATE]
    steps = [gate.step(Leg.CONTACT, one.person.id, one.person.email) for one in plans if one.act is not None]
    steps += [gate.step(Leg.CUSTOMER, one.id, one.email) for one in news]
    name = gate.plan_hash(steps)
    offer(work.ledger, work.book, name, steps)
    counts = {
        "created_there": len(creates),
        "updated_there": sum(one.act is Act.UPDATE for one in plans),
        "updated_in_qualy": sum(bool(one.to_qualy) for one in plans),
        "created_in_qualy": len(news),
    }
    rows: list[dict[str, Any]] = []
    for one in plans:
        if one.act is not None:
            what = f"{one.act} in {work.tool.title}"
            rows.append({"id": one.person.id, "what": what, "fields": sorted(one.to_tool)})
        if one.to_qualy:
            rows.append({"id": one.person.id, "what": "update in Qualy", "fields": sorted(one.to_qualy)})
    rows += [{"id": one.id, "what": "create in Qualy", "fields": []} for one in news]
    return name, {key: many for key, many in counts.items() if many}, rows


# -- shared -----------------------------------------------------------------------------------------------------------


def _written(tool: str, dag_run: str, try_number: int, name: str) -> Counts:
    desk = CrmDesk(tool)
    run = _begun(desk, dag_run)
    with _task(desk, run, name):
        counts: Counts = {}
        if not SyncParams.parse(run.params).preview:
            work = _work(desk, run, latest=try_number > 1)
            counts = stages.write(work) if name == "write" else stages.into_qualy(work)
            if work.tool.quota.calls:
                counts["calls"] = work.tool.quota.calls
        end_task(desk.ledger, run.id, name, counts)
        return counts


def _work(desk: CrmDesk, run: Run, *, latest: bool = False) -> CrmWork:
    return desk.work(run, latest=latest, only=frozenset(SyncParams.parse(run.params).only))


@contextmanager
def _task(desk: CrmDesk, run: Run, name: str) -> Iterator[None]:
    start_task(desk.ledger, run.id, name)
    with _telling(desk):
        yield


@contextmanager
def _telling(desk: CrmDesk) -> Iterator[None]:
    with waiting_on_leases(desk.ledger):
        try:
            yield
        except CrmProblem as problem:
            raise RunProblem(str(problem)) from problem


def _begun(desk: CrmDesk, dag_run: str) -> Run:
    run = run_of(desk.ledger, dag_run)
    if run is None:
        raise RunProblem("This run was never begun: clear its `check` task, with downstream.")
    if run.book is None and (found := find_book(desk.ledger, desk.tool_id)) is not None:
        set_book(desk.ledger, run.id, int(found.id))
        return run_of(desk.ledger, dag_run) or run
    return run


def _silent(run: Run) -> bool:
    """Previews and runs for some records announce nothing."""
    params = SyncParams.parse(run.params)
    return params.preview or bool(params.only)
