"""The tasks and the form that the DAGs of every sync share, whichever tool they write to.

A DAG file makes them inside its `@dag` function, gives them its own words, and puts them in order. The tasks have no
docstrings, since Airflow shows those in place of the runbook. Light on purpose, as `tasks` is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from airflow.sdk import Asset, Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from .links import ReportLink
from .params import SyncParams
from .signals import KnownTrouble, NeedsPerson
from .tasks import log, name_instance, tell, tell_text, the_jobs, this_run, this_try


def form(only: str, **more: Param) -> dict[str, Param]:
    """The form of *Trigger*, as `SyncParams` reads it; `only` is the title of the field for ids, `more` follows it."""
    return {
        "preview": Param(
            False, type="boolean", title="Preview", description="Show what would be written, and write nothing."
        ),
        "only": Param(
            None,
            type=["null", "string"],
            title=only,
            description="Qualy ids, separated by commas. Empty: all.",
        ),
        **more,
        "confirm": Param(
            None,
            type=["null", "string"],
            title="Confirm a preview",
            description="The hash that the preview shows. Empty: nothing is confirmed.",
        ),
    }


def only_if_begun() -> None:
    """Ends a task as skipped where `check` did not let the run begin: nothing was due, or it is red itself."""
    if get_current_context()["ti"].xcom_pull(task_ids="check") is not True:
        raise AirflowSkipException("The run did not begin: see `check`.")


@dataclass(frozen=True, slots=True)
class SyncTasks:
    """Makes the tasks of one sync; each method adds one to the DAG that is being defined (`end` adds two).

    `nothing` is what a task's log says when it has no counts to tell.
    """

    jobs: str
    """The module with the jobs: `jobs` (accounting) or `crm_jobs` (customers)."""
    of: tuple[str, ...] = ()
    """What each job takes before the run: the tool, where several tools share the jobs."""
    lists_unbegun: bool = False
    """Whether `list` and `backlog` also work where `check` did not let the run begin."""

    def check(self, nothing: str) -> Any:
        """Reads what was asked for and what is due; ends the run green when nothing is."""

        @task.short_circuit(show_return_value_in_logs=False)
        def check() -> bool:
            context = get_current_context()
            run = context["dag_run"]
            with the_jobs(self.jobs) as jobs:
                params = SyncParams.parse({**context["params"], **(run.conf or {})})
                by_hand = f"Airflow run {this_run()}" if run.run_type == "manual" else ""
                by_clock = run.run_type != "asset_triggered"
                due, counts = jobs.check(*self.of, this_run(), params, by_clock=by_clock, person=by_hand)
            tell(counts, nothing=nothing)
            log.info("Going on." if due else "Nothing is due: the run ends here.")
            return due

        return check()

    def plan(self, nothing: str) -> Any:
        """Works out what to write; calls nothing."""

        @task(show_return_value_in_logs=False)
        def plan() -> dict[str, int]:
            with the_jobs(self.jobs) as jobs:
                return tell(jobs.plan(*self.of, this_run()), nothing=nothing)

        return plan()

    def write(self, nothing: str) -> Any:
        """Customers alone: writes to the tool."""

        @task(show_return_value_in_logs=False)
        def write() -> dict[str, int]:
            with the_jobs(self.jobs) as jobs:
                return tell(jobs.write(*self.of, this_run(), this_try()), nothing=nothing)

        return write()

    def list_troubles(self) -> Any:
        """`list`: the positions of the open troubles, which `to_do` is mapped over."""

        @task(task_id="list", trigger_rule=TriggerRule.ALL_DONE, show_return_value_in_logs=False)
        def list_troubles() -> list[int]:
            if not self.lists_unbegun:
                only_if_begun()
            with the_jobs(self.jobs) as jobs:
                positions = jobs.list_troubles(*self.of, this_run())
            tell({"troubles": len(positions)})
            return positions

        return list_troubles()

    def end(self, listed: Any) -> Any:
        """`to_do`, one instance per trouble that was listed, and below them `report`, which is given back."""
        # A teardown decides nothing about a run's colour: below red to-dos, a report that went well leaves the run red.
        reported = self._report()
        reported.operator.operator_extra_links = (ReportLink(),)
        reported.as_teardown()
        self._to_do(listed) >> reported
        return reported

    def backlog(self, outlet: Asset) -> Any:
        """Emits `outlet`, and so starts the next run, when work is left that is due now.

        Put it below whatever may die: that leaves it undone, and so the run red, even with an empty list.
        """

        @task(trigger_rule=TriggerRule.NONE_FAILED, outlets=[outlet], show_return_value_in_logs=False)
        def backlog() -> None:
            if not self.lists_unbegun:
                only_if_begun()
            with the_jobs(self.jobs) as jobs:
                due_now = jobs.backlog(*self.of, this_run())
            if not due_now:
                raise AirflowSkipException("No work is left that is due now.")
            log.info("Work is left that is due now: the next run starts.")

        return backlog()

    def _to_do(self, listed: Any) -> Any:
        @task(map_index_template="{{ label }}", show_return_value_in_logs=False)
        def to_do(position: int) -> None:
            try:
                with the_jobs(self.jobs) as jobs:
                    label = name_instance(jobs.to_do_label(*self.of, this_run(), position))
                    done = jobs.to_do(*self.of, this_run(), position, this_try())
                    tell_text(done or "Nothing left.", logging.INFO)
            except NeedsPerson as trouble:
                tell_text(str(trouble))
                raise AirflowFailException(f"{label}. What to do stands above.") from None
            except KnownTrouble as trouble:
                tell_text(str(trouble))
                text = "Known since an earlier run. Clear this task to try its records again."
                raise AirflowSkipException(text) from None

        return to_do.expand(position=listed)

    def _report(self) -> Any:
        @task(show_return_value_in_logs=False)
        def report() -> dict[str, int]:
            only_if_begun()
            with the_jobs(self.jobs) as jobs:
                return tell(jobs.report(*self.of, this_run()))

        return report()
