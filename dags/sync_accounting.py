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

from airflow.sdk import AssetOrTimeSchedule, Param, TriggerRule, dag, task

from qualy_app.sync_tasks import SyncTasks, form, only_if_begun
from qualy_app.tasks import (
    BACKLOG,
    CUSTOMERS,
    PAYMENTS,
    SPLITS,
    defaults,
    hourly,
    tell,
    the_jobs,
    this_run,
    this_try,
)

WHOLE_POOL = 4  # all slots of the pool: while one load writes, nothing else does

SINCE = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Dated since",
    description="Only documents and receipts dated on this day or later. Empty: everything that is due.",
)


@task(show_return_value_in_logs=False)
def load(leg: str) -> dict[str, int]:
    with the_jobs() as jobs:
        return tell(jobs.load(this_run(), leg, this_try()), nothing="Nothing to write.")


@task(trigger_rule=TriggerRule.ALL_DONE, show_return_value_in_logs=False)
def reconcile() -> dict[str, int]:
    only_if_begun()
    with the_jobs() as jobs:
        return tell(jobs.reconcile(this_run()), nothing="Nothing was compared in this run.")


@dag(
    schedule=AssetOrTimeSchedule(timetable=hourly(17), assets=PAYMENTS | SPLITS | CUSTOMERS | BACKLOG),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="accounting"),
    params=form(only="Only these payments", since=SINCE),
    doc_md=__doc__,
    description="Contacts, invoices, bills and paid marks from the ledger into the accounting tool",
    tags=["qualy", "accounting"],
)
def sync_accounting():
    tasks = SyncTasks("jobs", lists_unbegun=True)
    checked, planned = tasks.check(nothing="Looked at what is due."), tasks.plan(nothing="Everything is in step.")
    contacts, documents, settlements = (
        load.override(task_id=leg, pool_slots=WHOLE_POOL)(leg) for leg in ("contacts", "documents", "settlements")
    )
    reconciled, listed = reconcile(), tasks.list_troubles()

    checked >> planned >> contacts >> documents >> settlements >> reconciled >> listed
    reported = tasks.end(listed)
    [settlements, reconciled, listed, reported] >> tasks.backlog(BACKLOG)


sync_accounting()
