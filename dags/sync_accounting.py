"""
# Qualy to the accounting tool

Puts contacts, then invoices and bills, then paid marks into the accounting tool, for every payment and split that is
due by the settings. It runs when Qualy's data changed, and 17 minutes past each hour by its own clock, so that held
records are tried again even while Qualy is away.

| task | does |
|---|---|
| `check` | reads the parameters, the connection and what is due; ends the run green when nothing is |
| `plan` | compares what should be there with what was last sent, and with the organisation's lock dates |
| `contacts`, `documents`, `settlements` | write, each attempt noted before it is sent |
| `reconcile` | compares both sides, to the cent |
| `list` | lists the open troubles |
| `to_do` | one instance per trouble, named in words |
| `report` | makes the run's report (*Details, Report of this run*; or *Browse, Qualy reports*) |
| `backlog` | starts the next run when work is left that is due now |

## What the colours of `to_do` mean

- **Red**: a *new* trouble. Its log says what it is, how many records, what they sum to, what to do and where to click.
  Nothing else stopped for it: all other records went through.
- **Pink** (skipped): a trouble that an earlier run already told you about, with its age. It does not turn the run red.
- **Green**: nothing is left of it.

## When you have done what it says: clear it

Clear the instance (select it, *Clear task instance*, downstream left on). It tries exactly its records again, after
reading the lock dates anew, and the report is made again. What still cannot go turns red again and says why. A pink one
is cleared the same way. You may also just wait: every run by the clock tries what may have become possible.

*Mark as success* settles nothing: only the tool's answer, or `bin/qualy ignore ID --reason TEXT --by NAME`, does.

Clearing any other task, at any time and in any order, is harmless: what was sent is never sent twice. When a task above
`to_do` is red, read the last lines of its log. *Connect again*: `bin/qualy connect TOOL`. A setting: the file, line and
key are named. Otherwise the machine's trouble was tried six times: clear it with downstream, or wait for the next run.

## Running it by hand

*Trigger* opens a form:

- **preview**: the report shows exactly what would be written; nothing is.
- **only**: these Qualy ids alone, separated by commas.
- **since**: only documents and receipts dated on this day or later, and the contacts they need.
- **confirm**: the first run against an organisation, one on a new or restored ledger, and one that the breaker
  stopped, write nothing until you have looked at a preview and give its hash here.

Preview, only and since announce no trouble and move no cursor.
"""

from __future__ import annotations

import logging

from airflow.sdk import AssetOrTimeSchedule, Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from qualy_app.links import ReportLink
from qualy_app.params import SyncParams
from qualy_app.signals import KnownTrouble, NeedsPerson
from qualy_app.tasks import (
    BACKLOG,
    CUSTOMERS,
    PAYMENTS,
    SPLITS,
    defaults,
    hourly,
    log,
    name_instance,
    tell,
    tell_text,
    the_jobs,
    this_run,
    this_try,
)

WHOLE_POOL = 4  # all slots of the pool: while one load writes, nothing else does

PARAMS = {
    "preview": Param(
        False, type="boolean", title="Preview", description="Show what would be written, and write nothing."
    ),
    "only": Param(
        None,
        type=["null", "string"],
        title="Only these payments",
        description="Qualy ids, separated by commas. Empty: all.",
    ),
    "since": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Dated since",
        description="Only documents and receipts dated on this day or later. Empty: everything that is due.",
    ),
    "confirm": Param(
        None,
        type=["null", "string"],
        title="Confirm a preview",
        description="The hash that the preview shows. Empty: nothing is confirmed.",
    ),
}


@task.short_circuit(show_return_value_in_logs=False)
def check() -> bool:
    context = get_current_context()
    run = context["dag_run"]
    with the_jobs() as jobs:
        params = SyncParams.parse({**context["params"], **(run.conf or {})})
        by_hand = f"Airflow run {this_run()}" if run.run_type == "manual" else ""
        due, counts = jobs.check(this_run(), params, by_clock=run.run_type != "asset_triggered", person=by_hand)
    tell(counts, nothing="Looked at what is due.")
    log.info("Going on." if due else "Nothing is due: the run ends here.")
    return due


@task(show_return_value_in_logs=False)
def plan() -> dict[str, int]:
    with the_jobs() as jobs:
        return tell(jobs.plan(this_run()), nothing="Everything is in step.")


@task(show_return_value_in_logs=False)
def load(leg: str) -> dict[str, int]:
    with the_jobs() as jobs:
        return tell(jobs.load(this_run(), leg, this_try()), nothing="Nothing to write.")


@task(trigger_rule=TriggerRule.ALL_DONE, show_return_value_in_logs=False)
def reconcile() -> dict[str, int]:
    only_if_begun()
    with the_jobs() as jobs:
        return tell(jobs.reconcile(this_run()), nothing="Nothing was compared in this run.")


@task(task_id="list", trigger_rule=TriggerRule.ALL_DONE, show_return_value_in_logs=False)
def list_troubles() -> list[int]:
    with the_jobs() as jobs:
        positions = jobs.list_troubles(this_run())
    tell({"troubles": len(positions)})
    return positions


@task(map_index_template="{{ label }}", show_return_value_in_logs=False)
def to_do(position: int) -> None:
    try:
        with the_jobs() as jobs:
            label = name_instance(jobs.to_do_label(this_run(), position))
            tell_text(jobs.to_do(this_run(), position, this_try()) or "Nothing left.", logging.INFO)
    except NeedsPerson as trouble:
        tell_text(str(trouble))
        raise AirflowFailException(f"{label}. What to do stands above.") from None
    except KnownTrouble as trouble:
        tell_text(str(trouble))
        raise AirflowSkipException("Known since an earlier run. Clear this task to try its records again.") from None


@task(show_return_value_in_logs=False)
def report() -> dict[str, int]:
    only_if_begun()
    with the_jobs() as jobs:
        return tell(jobs.report(this_run()))


@task(trigger_rule=TriggerRule.NONE_FAILED, outlets=[BACKLOG], show_return_value_in_logs=False)
def backlog() -> None:
    with the_jobs() as jobs:
        due_now = jobs.backlog(this_run())
    if not due_now:
        raise AirflowSkipException("No work is left that is due now.")
    log.info("Work is left that is due now: the next run starts.")


def only_if_begun() -> None:
    """Ends a task as skipped where `check` did not let the run begin: nothing was due, or it is red itself."""
    if get_current_context()["ti"].xcom_pull(task_ids="check") is not True:
        raise AirflowSkipException("The run did not begin: see `check`.")


@dag(
    schedule=AssetOrTimeSchedule(timetable=hourly(17), assets=PAYMENTS | SPLITS | CUSTOMERS | BACKLOG),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="accounting"),
    params=PARAMS,
    doc_md=__doc__,
    description="Contacts, invoices, bills and paid marks from the ledger into the accounting tool",
    tags=["qualy", "accounting"],
)
def sync_accounting():
    contacts, documents, settlements = (
        load.override(task_id=leg, pool_slots=WHOLE_POOL)(leg) for leg in ("contacts", "documents", "settlements")
    )
    reconciled, listed = reconcile(), list_troubles()
    check() >> plan() >> contacts >> documents >> settlements >> reconciled >> listed

    # A teardown decides nothing about a run's colour: below red to-dos, a report that went well leaves the run red.
    reported = report()
    reported.operator.operator_extra_links = (ReportLink(),)  # type: ignore[attr-defined]  # a plain XComArg has it
    reported.as_teardown()
    to_do.expand(position=listed) >> reported

    # Whatever died above leaves this undone, and so the run red, even with an empty list.
    [settlements, reconciled, listed, reported] >> backlog()


sync_accounting()
