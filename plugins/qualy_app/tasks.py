"""What the tasks of the DAGs share: assets, defaults, how they find their run and tell what they did.

Light on purpose: DAG files import it whenever they are read.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from .retry import TroubleDecides
from .signals import RunProblem, WaitUntil

CUSTOMERS = Asset("qualy_customers", uri="qualy://ledger/customers")
PAYMENTS = Asset("qualy_payments", uri="qualy://ledger/payments")
SPLITS = Asset("qualy_splits", uri="qualy://ledger/splits")
QUALY_HINTS = Asset("qualy_hints", uri="qualy://ledger/qualy-hints")  # webhooks wait: see `webhooks`
HUBSPOT = Asset("hubspot_contacts", uri="qualy://ledger/hubspot-contacts")
HUBSPOT_BACKLOG = Asset("hubspot_backlog", uri="qualy://ledger/hubspot-backlog")
MAILCHIMP_BACKLOG = Asset("mailchimp_backlog", uri="qualy://ledger/mailchimp-backlog")
BACKLOG = Asset("accounting_backlog", uri="qualy://ledger/accounting-backlog")

Counts = Mapping[str, int]
ON_ONE_MACHINE = {"LocalExecutor", "SequentialExecutor"}

log = logging.getLogger("airflow.task")


def defaults(pool: str) -> dict[str, Any]:
    """The `default_args` of a DAG: retries are for the machine's troubles, soon at first and then more slowly.

    The time limit is far beyond what a task takes; it ends one that hangs, which would keep every later run waiting.
    """
    return {
        "owner": "qualy-sync",
        "pool": pool,
        "retries": 5,
        "retry_delay": timedelta(seconds=5),  # Airflow waits for up to twice as long
        "retry_exponential_backoff": 3.0,
        "max_retry_delay": timedelta(minutes=5),
        "retry_policy": TroubleDecides(),
        "execution_timeout": timedelta(hours=3),
    }


def hourly(minute: int) -> CronTriggerTimetable:
    """Each hour at this minute, UTC; never for a time that was past when the DAG was unpaused.

    Airflow's own default makes up for the last few minutes, and that run would come beside the one started by hand.
    """
    return CronTriggerTimetable(f"{minute} * * * *", timezone="UTC", run_immediately=timedelta(0))


def daily(hour: int, minute: int) -> CronTriggerTimetable:
    """Each day at this time, UTC; never for a time that was past when the DAG was unpaused."""
    return CronTriggerTimetable(f"{minute} {hour} * * *", timezone="UTC", run_immediately=timedelta(0))


def this_run() -> str:
    """The run the current task belongs to, as the ledger names it."""
    run = get_current_context()["dag_run"]
    return f"{run.dag_id}/{run.run_id}"


def by_event() -> bool:
    """Whether an asset's event started the current run, and neither the clock nor a person."""
    return get_current_context()["dag_run"].run_type == "asset_triggered"


def this_try() -> int:
    return get_current_context()["ti"].try_number


def name_instance(label: str) -> str:
    """Gives the current mapped instance its name in the UI: what `map_index_template="{{ label }}"` shows."""
    context: dict[str, Any] = get_current_context()  # type: ignore[assignment]  # a plain dict, beyond its typed keys
    context["label"] = label
    return label


@contextmanager
def the_jobs(of: str = "jobs") -> Iterator[Any]:
    """The module `jobs` (or `crm_jobs`), imported only here, in the task's own process, since it pulls heavy packages
    with it.

    What ends the run or makes it wait is told in the open part of the log; a run's problem is not tried again.
    """
    from qualy_sync.ledger import LedgerError

    jobs = importlib.import_module(f"{__package__}.{of}")

    try:
        _refuse_shared_sqlite()
        yield jobs
    except (RunProblem, LedgerError) as problem:
        tell_text(str(problem))
        raise AirflowFailException("The run cannot go on. What to do stands above.") from None
    except WaitUntil as wait:
        tell_text(str(wait))
        raise


def _refuse_shared_sqlite() -> None:
    """A SQLite file belongs to one machine; an executor that spreads tasks over several needs PostgreSQL."""
    from airflow.configuration import conf

    named = {name.rpartition(":")[2].rpartition(".")[2].strip() for name in conf.get("core", "executor").split(",")}
    if os.environ.get("QUALY_LEDGER_URL", "").startswith("sqlite") and not named <= ON_ONE_MACHINE:
        raise RunProblem(
            f"The ledger is a SQLite file, and {', '.join(sorted(named - ON_ONE_MACHINE))} runs tasks on several"
            " machines, which would each write a file of their own. Point QUALY_LEDGER_URL at PostgreSQL."
        )


def tell(counts: Counts, nothing: str = "Nothing to do.") -> dict[str, int]:
    """Logs what a task did, one line per count; gives the counts back."""
    for name, number in counts.items():
        log.info("%s: %s", name.replace("_", " "), f"{number:,}")
    if not counts:
        log.info("%s", nothing)
    return dict(counts)


def tell_text(text: str, level: int = logging.WARNING) -> None:
    """Logs a text line by line, so that it stands in the open part of the log, as it was written."""
    for line in text.splitlines():
        log.log(level, "%s", line)
