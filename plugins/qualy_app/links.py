"""Addresses inside Airflow's UI that the DAGs, the plugin and the pages agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PREFIX = "/qualy"
WEBHOOKS = "/webhooks"
REPORTS = f"{PREFIX}/reports/sync_accounting"


def run_page(dag_id: str, run_id: str) -> str:
    """The page of one run's report."""
    return f"{PREFIX}/runs/{quote(dag_id, safe='')}/{quote(run_id, safe='')}"


class ReportLink(BaseOperatorLink):
    """A button at the `report` task that opens the report of its run."""

    name = "Report of this run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        return run_page(ti_key.dag_id, ti_key.run_id)
