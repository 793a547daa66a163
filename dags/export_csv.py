"""
# The ledger as CSV files

Writes customers, payments, splits and outcomes as CSV files, once a day, to the folder or object storage that
`csv.target` names. It needs nothing but Qualy: with no other tool connected it works all the same. What the columns
hold is in docs/csv-files.md.

| task | does |
|---|---|
| `check` | reads the parameters; ends the run green when the files are switched off or Qualy was never read |
| `export` | makes all files, then puts them in place, then `manifest.json` |

Where there is a manifest, every file that it names is there whole. While there is none, an export is being put in
place: wait for it.

**Green**: the files are there; the log has the rows of each. With `csv.content: changed`, no file when nothing changed.

**Red `export`**: the place cannot be written to; the last line of the log says why. Before the files are put in place,
nothing of the last export is touched. A full disk or storage that is away is tried again several times; a place that
may not be written to waits for you: correct the setting, or the connection that the address names.

**Clearing** any task, at any time, is harmless: the files are written anew, as things are then.

## Running it by hand

*Trigger* opens a form:

- **full**: everything, although the settings say `changed`.
- **since**: only what changed on or after this day, in a folder `since-DATE`; the daily export is not moved by it.
"""

from __future__ import annotations

from airflow.sdk import Param, dag, get_current_context, task

from qualy_app.params import ExportParams
from qualy_app.tasks import daily, defaults, log, tell, the_jobs, this_run

PARAMS = {
    "full": Param(
        False, type="boolean", title="Everything", description="Everything, although the settings say what changed."
    ),
    "since": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Changed since",
        description="Only what changed on or after this day. Empty: as the settings say.",
    ),
}


@task.short_circuit(show_return_value_in_logs=False)
def check() -> bool:
    context = get_current_context()
    with the_jobs() as jobs:
        due = jobs.export_due(this_run(), ExportParams.parse({**context["params"], **(context["dag_run"].conf or {})}))
    log.info("Going on." if due else "Switched off, or Qualy was never read: the run ends here.")
    return due


@task(show_return_value_in_logs=False)
def export() -> dict[str, int]:
    with the_jobs() as jobs:
        return tell(jobs.export_csv(this_run()), nothing="Nothing changed since the last export.")


@dag(
    schedule=daily(3, 30),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(pool="files"),
    params=PARAMS,
    doc_md=__doc__,
    description="Customers, payments, splits and outcomes from the ledger into CSV files",
    tags=["qualy", "csv"],
)
def export_csv():
    check() >> export()


export_csv()
