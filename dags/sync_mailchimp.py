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

import logging

from airflow.sdk import AssetOrTimeSchedule, Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from qualy_app.links import ReportLink
from qualy_app.params import SyncParams
from qualy_app.signals import KnownTrouble, NeedsPerson
from qualy_app.tasks import (
    CUSTOMERS,
    MAILCHIMP_BACKLOG,
    PAYMENTS,
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

TOOL = "mailchimp"
JOBS = "crm_jobs"

PARAMS = {
    "preview": Param(
        False, type="boolean", title="Preview", description="Show what would be written, and write nothing."
    ),
    "only": Param(
        None,
        type=["null", "string"],
        title="Only these customers",
        description="Qualy ids, separated by commas. Empty: all.",
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
    with the_jobs(JOBS) as jobs:
        params = SyncParams.parse({**context["params"], **(run.conf or {})})
        by_hand = f"Airflow run {this_run()}" if run.run_type == "manual" else ""
        due, counts = jobs.check(TOOL, this_run(), params, by_clock=run.run_type != "asset_triggered", person=by_hand)
    tell(counts, nothing="Mailchimp is not set up, or nothing was read from Qualy yet.")
    log.info("Going on." if due else "Nothing is due: the run ends here.")
    return due


@task(show_return_value_in_logs=False)
def plan() -> dict[str, int]:
    with the_jobs(JOBS) as jobs:
        return tell(jobs.plan(TOOL, this_run()), nothing="Nothing changed.")


@task(show_return_value_in_logs=False)
def write() -> dict[str, int]:
    with the_jobs(JOBS) as jobs:
        return tell(jobs.write(TOOL, this_run(), this_try()), nothing="Nothing to write in Mailchimp.")


@task(task_id="list", trigger_rule=TriggerRule.ALL_DONE, show_return_value_in_logs=False)
def list_troubles() -> list[int]:
    only_if_begun()
    with the_jobs(JOBS) as jobs:
        positions = jobs.list_troubles(TOOL, this_run())
    tell({"troubles": len(positions)})
    return positions


@task(map_index_template="{{ label }}", show_return_value_in_logs=False)
def to_do(position: int) -> None:
    try:
        with the_jobs(JOBS) as jobs:
            label = name_instance(jobs.to_do_label(TOOL, this_run(), position))
            tell_text(jobs.to_do(TOOL, this_run(), position, this_try()) or "Nothing left.", logging.INFO)
    except NeedsPerson as trouble:
        tell_text(str(trouble))
        raise AirflowFailException(f"{label}. What to do stands above.") from None
    except KnownTrouble as trouble:
        tell_text(str(trouble))
        raise AirflowSkipException("Known since an earlier run. Clear this task to try its records again.") from None


@task(show_return_value_in_logs=False)
def report() -> dict[str, int]:
    only_if_begun()
    with the_jobs(JOBS) as jobs:
        return tell(jobs.report(TOOL, this_run()))


@task(trigger_rule=TriggerRule.NONE_FAILED, outlets=[MAILCHIMP_BACKLOG], show_return_value_in_logs=False)
def backlog() -> None:
    only_if_begun()
    with the_jobs(JOBS) as jobs:
        due_now = jobs.backlog(TOOL, this_run())
    if not due_now:
        raise AirflowSkipException("No work is left that is due now.")
    log.info("Work is left that is due now: the next run starts.")


def only_if_begun() -> None:
    """Ends a task as skipped where `check` did not let the run begin: nothing was due, or it is red itself."""
    if get_current_context()["ti"].xcom_pull(task_ids="check") is not True:
        raise AirflowSkipException("The run did not begin: see `check`.")


@dag(
    schedule=AssetOrTimeSchedule(timetable=hourly(47), assets=CUSTOMERS | PAYMENTS | MAILCHIMP_BACKLOG),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="mailchimp"),
    params=PARAMS,
    doc_md=__doc__,
    description="Customers from the ledger into an audience of Mailchimp's, one way",
    tags=["qualy", "customers"],
)
def sync_mailchimp():
    written, listed = write(), list_troubles()
    check() >> plan() >> written >> listed

    # A teardown decides nothing about a run's colour: below red to-dos, a report that went well leaves the run red.
    reported = report()
    reported.operator.operator_extra_links = (ReportLink(),)  # type: ignore[attr-defined]  # a plain XComArg has it
    reported.as_teardown()
    to_do.expand(position=listed) >> reported

    # Whatever died above leaves this undone, and so the run red, even with an empty list.
    [written, listed, reported] >> backlog()


sync_mailchimp()
