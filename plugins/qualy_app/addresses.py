"""Addresses inside Airflow's UI that the DAGs, the plugin, the pages and the command line agree on. Without Airflow."""

from __future__ import annotations

from urllib.parse import quote

PREFIX = "/qualy"
WEBHOOKS = "/webhooks"
REPORTS = f"{PREFIX}/reports/sync_accounting"


def run_page(dag_id: str, run_id: str) -> str:
    """The page of one run's report."""
    return f"{PREFIX}/runs/{quote(dag_id, safe='')}/{quote(run_id, safe='')}"
