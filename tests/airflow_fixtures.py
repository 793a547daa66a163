"""What the tests of DAGs and pages stand on: Airflow's database, its web server with our plugin, the DAG files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.airflow_home import PASSWORD, ROOT, prepare
from tests.dags.runs import Runs, store

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from starlette.testclient import TestClient


class Api:
    """Airflow's own web server, in this process, as different visitors see it."""

    def __init__(self, anonymous: TestClient) -> None:
        self.anonymous = anonymous

    def as_user(self, name: str) -> httpx.Client:
        """The client of somebody who logged in."""
        from starlette.testclient import TestClient

        answer = self.anonymous.post("/auth/token", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return TestClient(self.anonymous.app, headers={"Authorization": f"Bearer {answer.json()['access_token']}"})


@pytest.fixture(scope="session")
def airflow_db() -> Path:
    """Airflow's home, with its database made and the pools of include/pools.json in it."""
    import json

    from airflow.models.pool import Pool
    from airflow.utils.db import initdb

    home = prepare()
    initdb()
    for name, pool in json.loads((ROOT / "include" / "pools.json").read_text()).items():
        Pool.create_or_update_pool(name, pool["slots"], pool["description"], pool["include_deferred"])
    return home


@pytest.fixture(scope="session")
def api(airflow_db: Path) -> Iterator[Api]:
    """Airflow's web server with our plugin loaded the way Airflow loads it."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    with TestClient(create_app(apps="core")) as client:
        yield Api(client)


@pytest.fixture(scope="session")
def dagbag() -> DagBag:
    """The DAG files as Airflow reads them."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(ROOT / "dags")


@pytest.fixture(scope="session")
def runs(api: Api, dagbag: DagBag) -> Runs:
    """Runs of the project's DAGs, in this process."""
    store()
    return Runs(api.as_user("admin"), dagbag.dags)
