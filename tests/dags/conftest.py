from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow_home import prepare

prepare()

from tests.airflow_fixtures import airflow_db, api, dagbag, runs  # noqa: E402, F401
from tests.dags.world import (  # noqa: E402
    Ending,
    World,
    as_environment,
    make_template,
    sync_without_airflow,
)


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
