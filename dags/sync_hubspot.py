"""
# Customers, Qualy and HubSpot, both ways

Keeps customers in step with HubSpot's contacts: what changed on one side is copied to the other, what changed on both
goes by the settings, field by field. It runs when customers or payments changed at Qualy, when a webhook of HubSpot's
says that a contact changed, and 37 minutes past each hour by its own clock (more often by `webhooks.poll_minutes`).
Without `hubspot.enabled` it ends green at once.

| task | does |
|---|---|
| `check` | reads the connection, HubSpot's properties, and what changed there; once a day the whole list |
| `plan` | merges both sides field by field against what they last agreed on; calls nothing |
| `write` | writes to HubSpot, each attempt noted before it is sent |
| `into_qualy` | writes to Qualy, where the settings switched that on |
| `list`, `to_do` | what waits for a person, one instance per trouble, named in words |
| `report` | makes the run's report (*Details, Report of this run*) |
| `backlog` | starts the next run when work is left that is due now |

The colours of `to_do`, and what clearing it does, are those of `sync_accounting`: red is new, pink is known, green is
settled; clearing tries exactly its records again. Clearing any other task, at any time, is harmless.

A field that both sides changed and whose rule is `ask` waits as *changed in Qualy and in HubSpot*:
`bin/qualy decide ID contact --tool hubspot --as ours` (Qualy's) or `theirs` (HubSpot's). Deleting is never copied: a
contact that was archived in HubSpot is not made again, and one that was erased for privacy never is.

## Running it by hand

*Trigger* opens a form: **preview** shows in the log what would be written, and its hash; **only** takes Qualy ids;
**confirm** takes the hash. Customers are created in Qualy only once the first plan was confirmed.
"""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, dag, task

from qualy_app.polling import polling
from qualy_app.sync_tasks import SyncTasks, form
from qualy_app.tasks import (
    CUSTOMERS,
    HUBSPOT,
    HUBSPOT_BACKLOG,
    PAYMENTS,
    defaults,
    tell,
    the_jobs,
    this_run,
    this_try,
)

TOOL = "hubspot"
JOBS = "crm_jobs"


@task(show_return_value_in_logs=False)
def into_qualy() -> dict[str, int]:
    with the_jobs(JOBS) as jobs:
        return tell(jobs.into_qualy(TOOL, this_run(), this_try()), nothing="Nothing to write in Qualy.")


@dag(
    schedule=AssetOrTimeSchedule(timetable=polling(37), assets=CUSTOMERS | PAYMENTS | HUBSPOT | HUBSPOT_BACKLOG),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="hubspot"),
    params=form(only="Only these customers"),
    doc_md=__doc__,
    description="Customers between Qualy and HubSpot, both ways",
    tags=["qualy", "customers"],
)
def sync_hubspot():
    tasks = SyncTasks(JOBS, of=(TOOL,))
    checked = tasks.check(nothing="HubSpot is not set up, or nothing was read from Qualy yet.")
    planned = tasks.plan(nothing="Nothing changed on either side.")
    written, in_qualy = tasks.write(nothing="Nothing to write in HubSpot."), into_qualy()
    listed = tasks.list_troubles()

    checked >> planned >> written >> in_qualy >> listed
    reported = tasks.end(listed)
    [in_qualy, listed, reported] >> tasks.backlog(HUBSPOT_BACKLOG)


sync_hubspot()
