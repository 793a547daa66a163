"""
# Customers to Mailchimp, one way

Brings customers into an audience of Mailchimp's, with tags, owners, teams and payment information. It runs when
customers or payments changed at Qualy, and 47 minutes past each hour by its own clock. Without `mailchimp.enabled` it
ends green at once.

| task | does |
|---|---|
| `check` | reads the connection, the audience's merge fields (ours are made), and who changed; once a day everybody |
| `plan` | compares every customer that changed with the member; calls nothing |
| `write` | few changes one by one, many in batches that Mailchimp does in its own time: values first, then tags |
| `list`, `to_do` | what waits for a person, one instance per trouble, named in words |
| `report` | makes the run's report (*Details, Report of this run*) |
| `backlog` | starts the next run when work is left that is due now |

**Consent.** The status of somebody who is there is never sent. Whoever unsubscribed, bounced, is under review, or was
archived or deleted is `consent_withdrawn`: accepted once, and left in peace on every later run, under whatever address
the customer has by then. That is no trouble, and turns nothing red.

**Green**: every customer is in step, left alone on purpose, or on the list. **Red `to_do`**: a new trouble; pink is
known. Clearing an instance tries exactly its records again. Clearing any other task, at any time, is harmless: a batch
that was begun is fetched, and what came to no answer is said once more. A batch that takes longer than
`mailchimp.pace.load_minutes` is fetched by a later run.

**Red `to_do` "stopped by the breaker"**: more people than `mailchimp.max_people_24h` would be written. Look at the
preview, and confirm it if it is right.

## Running it by hand

*Trigger* opens a form: **preview** shows in the log what would be written, and its hash; **only** takes Qualy ids;
**confirm** takes the hash.
"""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, dag

from qualy_app.sync_tasks import SyncTasks, form
from qualy_app.tasks import CUSTOMERS, MAILCHIMP_BACKLOG, PAYMENTS, defaults, hourly


@dag(
    schedule=AssetOrTimeSchedule(timetable=hourly(47), assets=CUSTOMERS | PAYMENTS | MAILCHIMP_BACKLOG),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="mailchimp"),
    params=form(only="Only these customers"),
    doc_md=__doc__,
    description="Customers from the ledger into an audience of Mailchimp's, one way",
    tags=["qualy", "customers"],
)
def sync_mailchimp():
    tasks = SyncTasks("crm_jobs", of=("mailchimp",))
    checked = tasks.check(nothing="Mailchimp is not set up, or nothing was read from Qualy yet.")
    planned = tasks.plan(nothing="Nothing changed.")
    written, listed = tasks.write(nothing="Nothing to write in Mailchimp."), tasks.list_troubles()

    checked >> planned >> written >> listed
    reported = tasks.end(listed)
    [written, listed, reported] >> tasks.backlog(MAILCHIMP_BACKLOG)


sync_mailchimp()
