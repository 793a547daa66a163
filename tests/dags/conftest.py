from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.airflow_home import prepare

prepare()

from tests.airflow_fixtures import Api, airflow_db, api, dagbag  # noqa: E402, F401
from tests.dags.runs import Runs, store  # noqa: E402
from tests.dags.world import (  # noqa: E402
    Ending,
    World,
    as_environment,
    make_template,
    sync_without_airflow,
)

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.fixture(scope="session")
def runs(api: Api, dagbag: DagBag) -> Runs:
    """Runs of the project's DAGs, in this process."""
    store()
    return Runs(api.as_user("admin"), dagbag.dags)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world in which Qualy was read and Xero holds nothing of ours, to copy."""
    folder = tmp_path_factory.mktemp("world")
    make_template(folder)
    return folder


@pytest.fixture
def world(extracted: Path, tmp_path: Path) -> Iterator[World]:
    """A world of a test's own, which this process's tasks work on."""
    with as_environment(World.copied(extracted, tmp_path)) as found:
        yield found
    found.close()


@pytest.fixture(scope="session")
def undisturbed(extracted: Path, tmp_path_factory: pytest.TempPathFactory) -> Ending:
    """What one run leaves in which nothing goes wrong."""
    with as_environment(World.copied(extracted, tmp_path_factory.mktemp("undisturbed"))) as found:
        sync_without_airflow("sync_accounting/undisturbed")
        ending = found.ending()
    found.close()
    return ending
