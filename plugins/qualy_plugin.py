"""What Airflow loads: the run reports' pages and where they appear in its menus, the webhooks' addresses, a clock."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from qualy_app.addresses import PREFIX, REPORTS, WEBHOOKS
from qualy_app.polling import Polling
from qualy_web import webhooks
from qualy_web.app import create_app


class QualyPlugin(AirflowPlugin):
    name = "qualy"
    fastapi_apps = [  # noqa: RUF012 - Airflow's form
        {"app": create_app(), "url_prefix": PREFIX, "name": "Qualy reports"},
        {"app": webhooks.create_app(), "url_prefix": WEBHOOKS, "name": "Qualy webhooks"},
    ]
    external_views = [  # noqa: RUF012 - Airflow's form
        {
            "name": "Qualy reports",
            "href": REPORTS,
            "url_route": "qualy-reports",
            "destination": "nav",
            "category": "browse",
        },
        {
            "name": "Qualy report",
            "href": f"{PREFIX}/runs/{{DAG_ID}}/{{RUN_ID}}",
            "url_route": "qualy-report",
            "destination": "dag_run",
        },
    ]
    timetables = [Polling]  # noqa: RUF012 - Airflow's form
