from __future__ import annotations

from tests.airflow_home import prepare

prepare()

from tests.airflow_fixtures import airflow_db, api  # noqa: E402, F401
