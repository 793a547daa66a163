"""
# Extract from Qualy

Brings payments, splits and customers from Qualy into the ledger, checks them, and says that it did. Every hour (or
every few minutes: `webhooks.poll_minutes`), whenever you trigger it, and at once when a webhook of Qualy came in. It
writes nothing to any tool.

| task | does |
|---|---|
| `extract` | reads what webhooks told of; then what changed (at night, everything), unless a webhook started the run |
| `quality` | checks every row that came; a failing row is held with its reason, the rest goes on |
| `publish` | tells the DAGs of the tools that there is something to look at |
| `again` | starts the next run where webhooks came meanwhile; else it is skipped |

**Green**: the pass is complete. The number of new, changed and held rows is in each task's log.

**Red `extract`**: Qualy could not be read to the end. What was read is kept but does not count until a pass is
complete, so nothing half-read reaches the books. The last line of the log says what to do: for a wrong or revoked key,
correct the connection `qualy` (*Admin, Connections*); for an outage, nothing, the next hour tries again.

**Red `quality`**: more rows failed than the settings allow (`quality.max_failing_share`). Nothing is written from this
pass. Look at the counts per rule in the log first: a change at Qualy usually fails one rule for all rows.

**Clearing** any task, at any time, is harmless: a pass is taken up where it stopped. A webhook only says what to read,
and stays in the ledger's inbox until it was read.
"""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from qualy_app.polling import polling
from qualy_app.tasks import (
    CUSTOMERS,
    PAYMENTS,
    QUALY_HINTS,
    SPLITS,
    by_event,
    defaults,
    log,
    tell,
    the_jobs,
    this_run,
    this_try,
)


@task(show_return_value_in_logs=False)
def extract() -> dict[str, int]:
    with the_jobs() as jobs:
        return tell(jobs.extract(this_run(), this_try(), by_event()), nothing="Nothing changed at Qualy.")


@task(show_return_value_in_logs=False)
def quality() -> dict[str, int]:
    with the_jobs() as jobs:
        return tell(jobs.quality(this_run()), nothing="Every row passed.")


@task(outlets=[PAYMENTS, SPLITS, CUSTOMERS], show_return_value_in_logs=False)
def publish() -> dict[str, int]:
    with the_jobs() as jobs:
        counts = tell(jobs.publish(this_run()), nothing="The pass is complete; nothing in it is new.")
    log.info("Told the DAGs of the tools to look at the ledger.")
    return counts


@task(outlets=[QUALY_HINTS], show_return_value_in_logs=False)
def again() -> None:
    with the_jobs() as jobs:
        is_left = jobs.again(this_run())
    if not is_left:
        raise AirflowSkipException("No webhook waits.")
    log.info("Webhooks wait: the next run starts.")


@dag(
    schedule=AssetOrTimeSchedule(timetable=polling(0), assets=QUALY_HINTS),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="qualy"),
    doc_md=__doc__,
    description="Payments, splits and customers from Qualy into the ledger",
    tags=["qualy", "extract"],
)
def extract_qualy():
    extract() >> quality() >> publish() >> again()


extract_qualy()
