"""The jobs: what each task of the DAGs does. Every job may be repeated at any time, in any order.

A task's first try works on what the run pinned when it began; a later try on what is known now. What a job says is
told by its counts, and by the exceptions in `signals`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.attempts import open_attempts
from qualy_sync.ledger.cursors import get_cursor
from qualy_sync.ledger.engine import set_meta
from qualy_sync.ledger.leases import LeaseHeld, LeaseLost
from qualy_sync.ledger.runs import (
    Run,
    end_run,
    end_task,
    last_full_run,
    latest_pass,
    open_run,
    run_of,
    set_book,
    start_task,
    task_counts,
)
from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.load import GROUPS, Filter, plan_run
from qualy_sync.load import RunProblem as CoreProblem
from qualy_sync.load import load as load_group
from qualy_sync.load.gate import STANDING, confirm, open_gate
from qualy_sync.outcomes import Code

from .desk import STANDING_META, Desk, recent
from .events import gathered, note_quota
from .params import ExportParams, SyncParams
from .signals import RunProblem, WaitUntil

Counts = dict[str, int]

FULL_RUN_KEPT = 45  # minutes: a run by the clock stops after `check` if a full one ended less than this ago
FULL_RUN_DUE = 24 * 60


def prepare_local(environment: Mapping[str, str]) -> None:
    """Makes a local ledger ready for a stand-in: schema, and the standing confirmation that only stand-ins accept."""
    desk = Desk(environment)
    desk.ledger.migrate()
    with desk.ledger.writing() as connection:
        set_meta(connection, STANDING_META, STANDING)


# -- extract_qualy


def extract(dag_run: str, try_number: int, by_event: bool = False) -> Counts:
    """Qualy into the ledger: first what webhooks spoke of; then what is new or changed, unless a webhook alone asked.

    See `extracting`.
    """
    from .extracting import read_source

    desk = Desk()
    run = open_run(desk.ledger, "extract", dag_run=dag_run)
    with _task(desk, run, "extract"):
        counts = read_source(desk, by_event=by_event)
        end_task(desk.ledger, run.id, "extract", counts)
        return counts


def quality(dag_run: str) -> Counts:
    """The data-quality suites over what changed."""
    from qualy_sync.quality import QualityError, check_quality

    desk = Desk()
    run = open_run(desk.ledger, "extract", dag_run=dag_run)
    with _task(desk, run, "quality"):
        try:
            checked = check_quality(desk.ledger, desk.settings)
        except QualityError as error:
            raise RunProblem(str(error)) from error
        if checked.too_many_failures:
            worst = sorted(checked.rules.items(), key=lambda rule: -rule[1])[:5]
            raise RunProblem(
                f"{checked.failing:,} records fail a data-quality rule, {checked.share:.1%} of all: more than"
                " quality.max_failing_share allows. Nothing is written until that changes. Most: "
                + "; ".join(f"{rule} ({many:,})" for rule, many in worst)
                + ". Look at Qualy; if the data are right, raise the share in the settings."
            )
        counts = checked.counts()
        end_task(desk.ledger, run.id, "quality", counts)
        return counts


def publish(dag_run: str) -> Counts:
    """The end of a pass: from here on it is announced."""
    desk = Desk()
    run = open_run(desk.ledger, "extract", dag_run=dag_run)
    with _task(desk, run, "publish"):
        end_task(desk.ledger, run.id, "publish", {})
        end_run(desk.ledger, run.id)
        return {}


def again(dag_run: str) -> bool:
    """Whether webhooks wait that came while this run worked, or made it leave a complete reading for the next one."""
    from .extracting import is_left

    desk = Desk()
    run = open_run(desk.ledger, "extract", dag_run=dag_run)
    return is_left(desk, task_counts(desk.ledger, run.id).get("extract", ({}, True))[0])


# -- sync_accounting


def check(dag_run: str, params: SyncParams, by_clock: bool, person: str = "") -> tuple[bool, Counts]:
    """Whether there is anything to do; reads the tool where this run is a full one.

    `person`: who started it by hand; they always get a full run.
    """
    desk = Desk()
    if desk.settings.accounting is None:
        return False, {}
    kind = "preview" if params.preview else "accounting"
    run = open_run(
        desk.ledger,
        kind,
        dag_run=dag_run,
        params=params.as_json(),
        by_clock=by_clock,
        settings_version=desk.settings.version,
    )
    with _task(desk, run, "check"):
        if not run.pin:
            end_task(desk.ledger, run.id, "check", {})
            return False, {"extracted": 0}
        full = _is_full(desk, run)
        asked = params != SyncParams()
        begun = "plan" in task_counts(desk.ledger, run.id)
        if (
            by_clock
            and not person
            and not asked
            and not begun
            and _nothing_due(desk, run)
            and recent(desk.ledger, _last_full(desk), FULL_RUN_KEPT)
        ):
            end_task(desk.ledger, run.id, "check", {})
            return False, {}
        by_event = not by_clock and not person and not asked and not begun
        if by_event and _waits_for_clock(desk):
            end_task(desk.ledger, run.id, "check", {})
            return False, {"events_gathered": 1}
        work = desk.read_tool(run) if full else desk.work(run)
        note_quota(work)
        set_book(desk.ledger, run.id, work.book)
        if params.confirm and not confirm(desk.ledger, work.book, params.confirm, person or dag_run):
            raise RunProblem(
                f"No preview was shown under the hash {params.confirm}. Run with `preview` first; its plan task and its"
                " report print the hash."
            )
        counts = {"calls": work.tool.quota.calls, "full": int(full and not params.only and params.since is None)}
        end_task(desk.ledger, run.id, "check", counts)
        return True, counts


def plan(dag_run: str) -> Counts:
    """What is to be written, and what is held and why. A preview shows and keeps nothing."""
    desk = Desk()
    run = _begun(desk, dag_run)
    with _task(desk, run, "plan"):
        params = SyncParams.parse(run.params)
        work = desk.work(run, only=_filter(params))
        if params.preview:
            from .previews import keep_preview

            counts = keep_preview(work)
        elif work.filter.everything:
            counts = plan_run(work).counts()
        else:
            from qualy_sync.load.retrying import plan_only

            counts = plan_only(work)
        end_task(desk.ledger, run.id, "plan", counts)
        return counts


def load(dag_run: str, leg: str, try_number: int) -> Counts:
    """Writes one group of legs: contacts, documents or settlements."""
    if leg not in GROUPS:
        raise ValueError(f"there is no load of {leg!r}")
    desk = Desk()
    run = _begun(desk, dag_run)
    params = SyncParams.parse(run.params)
    with _task(desk, run, leg):
        counts: Counts = {}
        if not params.preview:
            work = desk.work(run, latest=try_number > 1, only=_filter(params))
            counts = load_group(work, leg)
            if leg == "settlements" and not _its_turn(desk.ledger, work.book):
                open_gate(desk.ledger, work.book)
            if work.tool.quota.calls:
                counts["calls"] = work.tool.quota.calls
            note_quota(work)
        end_task(desk.ledger, run.id, leg, counts)
        return counts


def reconcile(dag_run: str) -> Counts:
    """Both sides compared, to the cent, against a fresh reading where this run read or wrote anything."""
    from qualy_sync.reconcile import reconcile as compare

    desk = Desk()
    run = _begun(desk, dag_run)
    with _task(desk, run, "reconcile"):
        params = SyncParams.parse(run.params)
        counts: Counts = {}
        if not params.preview:
            work = desk.work(run, latest=True)
            wrote = any(task_counts(desk.ledger, run.id).get(group, ({}, True))[0] for group in GROUPS)
            if wrote:
                desk.refresh(work)
            full = run.by_clock or wrote
            counts = dict(compare(desk.ledger, work.book, run.id, desk.ledger.now(), full=full))
        end_task(desk.ledger, run.id, "reconcile", counts)
        return counts


def list_troubles(dag_run: str) -> list[int]:
    """Positions of everything that waits for a person, most records first."""
    from .todo import list_entries

    desk = Desk()
    run = run_of(desk.ledger, dag_run) if desk.settings.accounting is not None else None
    if run is None or _silent(run):
        return []
    return list_entries(desk, run)


def to_do_label(dag_run: str, position: int) -> str:
    from .todo import label

    desk = Desk()
    return label(desk, _begun(desk, dag_run), position)


def to_do(dag_run: str, position: int, try_number: int) -> str:
    """Tells of a trouble the first time; tries its records again once it has told. See `todo`."""
    from .todo import act

    desk = Desk()
    with waiting_on_leases(desk.ledger):
        return act(desk, _begun(desk, dag_run), position)


def report(dag_run: str) -> Counts:
    """The run's report, made from the ledger, kept in it, and copied to a folder."""
    from qualy_sync.report import Context, make_report, store_report, write_copies

    desk = Desk()
    run = _begun(desk, dag_run)
    params = SyncParams.parse(run.params)
    if params.preview:
        return {}
    work = desk.work(run, latest=True)
    now = desk.ledger.now()
    context = Context(title=work.tool.title, gaps=work.tool.gaps, payment_link=work.payment_link)
    made = make_report(desk.ledger, work.book, run.id, now, context)
    store_report(desk.ledger, run.id, made, now)
    write_copies(desk.ledger, desk.reports, run.id)
    if not run.ended_at and all(done for _, done in task_counts(desk.ledger, run.id).values()):
        end_run(desk.ledger, run.id)
    return {"files": len(made.all_files())}


def backlog(dag_run: str) -> bool:
    """Whether work is left that is due now. What carries a time waits for the clock."""
    desk = Desk()
    run = _begun(desk, dag_run)
    if _silent(run):
        return False
    counts = task_counts(desk.ledger, run.id)
    if any("out_of_quota" in counts.get(group, ({}, True))[0] for group in GROUPS):
        return False
    made_progress = any(counts.get(group, ({}, True))[0].get("its_turn_next") for group in GROUPS)
    newer = _newer_pass(desk, run)
    return bool(newer or (made_progress and run.book is not None and _its_turn(desk.ledger, run.book)))


# -- export_csv


def export_due(dag_run: str, params: ExportParams) -> bool:
    """Whether files are to be written: they are switched on, and Qualy was read at least once."""
    desk = Desk()
    if not desk.settings.csv.enabled:
        return False
    return bool(open_run(desk.ledger, "export", dag_run=dag_run, params=params.as_json()).pin)


def export_csv(dag_run: str) -> Counts:
    """Customers, payments, splits and outcomes as CSV files, as they are now."""
    from .exports import export

    desk = Desk()
    run = run_of(desk.ledger, dag_run)
    if run is None:
        raise RunProblem("This run was never begun: clear its `check` task, with downstream.")
    with _task(desk, run, "export"):
        made = export(desk, ExportParams.parse(run.params))
        end_task(desk.ledger, run.id, "export", made.counts())
        end_run(desk.ledger, run.id)
        return made.counts()


# -- shared


@contextmanager
def _task(desk: Desk, run: Run, name: str) -> Iterator[None]:
    """Notes the beginning of a task, and turns what the core raises into what Airflow should do."""
    start_task(desk.ledger, run.id, name)
    with waiting_on_leases(desk.ledger):
        yield


@contextmanager
def waiting_on_leases(ledger: Ledger) -> Iterator[None]:
    try:
        yield
    except LeaseHeld as held:
        raise WaitUntil(held.until, str(held), now=ledger.now()) from None
    except LeaseLost as lost:
        raise WaitUntil(ledger.now(), str(lost), now=ledger.now()) from None
    except (CoreProblem, LedgerError) as problem:
        raise RunProblem(str(problem)) from problem
    except ToolError as error:
        raise _for_airflow(error, ledger) from error


def _for_airflow(error: ToolError, ledger: Ledger) -> Exception:
    """Errors that pass by themselves are tried again by Airflow; the others need a person."""
    from qualy_sync.contracts import errors

    if isinstance(error, errors.OutOfQuota) and error.until is not None:
        return WaitUntil(error.until, str(error), now=ledger.now())
    if isinstance(error, errors.Reconnect | errors.Refused | errors.WrongShape):
        return RunProblem(str(error))
    return error


def _begun(desk: Desk, dag_run: str) -> Run:
    run = run_of(desk.ledger, dag_run)
    if run is None:
        raise RunProblem("This run was never begun: clear its `check` task, with downstream.")
    return run


def _silent(run: Run) -> bool:
    """Previews and runs for some records announce nothing."""
    params = SyncParams.parse(run.params)
    return params.preview or bool(params.only) or params.since is not None


def _filter(params: SyncParams) -> Filter:
    return Filter(only=frozenset(params.only), since=params.since)


def _last_full(desk: Desk) -> Run | None:
    from qualy_sync.ledger.books import find_book

    book = find_book(desk.ledger, desk.accounting.tool)
    return last_full_run(desk.ledger, int(book.id)) if book else None


def _is_full(desk: Desk, run: Run) -> bool:
    """The clock's runs are full, and the first one of a day whoever started it."""
    return run.by_clock or not recent(desk.ledger, _last_full(desk), FULL_RUN_DUE)


def _waits_for_clock(desk: Desk) -> bool:
    """What an event brought is left to the hourly run, since the day's calls run low."""
    from qualy_sync.ledger.books import find_book

    book = find_book(desk.ledger, desk.accounting.tool)
    return book is not None and gathered(desk.ledger, int(book.id), desk.accounting)


def _nothing_due(desk: Desk, run: Run) -> bool:
    from qualy_sync.ledger.books import find_book

    book = find_book(desk.ledger, desk.accounting.tool)
    if book is None:
        return False
    planned = get_cursor(desk.ledger, f"planned:{book.id}") or {}
    if planned.get("pin") != run.pin or planned.get("settings") != desk.settings.version:
        return False
    return not _its_turn(desk.ledger, int(book.id)) and not open_attempts(desk.ledger, int(book.id))


def _its_turn(ledger: Ledger, book: int) -> bool:
    with ledger.reading() as connection:
        where = (current_outcomes.c.book == book, current_outcomes.c.code == Code.ITS_TURN)
        return connection.execute(sa.select(current_outcomes.c.leg).where(*where).limit(1)).first() is not None


def _newer_pass(desk: Desk, run: Run) -> bool:
    """An extraction ended while this run worked: its event may have come before anybody listened."""
    with desk.ledger.reading() as connection:
        newest = latest_pass(connection)
    planned = get_cursor(desk.ledger, f"planned:{run.book}") or {}
    return newest > int(planned.get("pin", newest))
