"""One stand-in and one ledger, brought in step from a terminal; tests that change them make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox
from tests.cli.terminal import Terminal, environment, wide_open


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Sandbox]:
    with wide_open() as started:
        yield started


@pytest.fixture(scope="session")
def terminal(stand_in: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(environment(stand_in, tmp_path_factory.mktemp("terminal")))


@pytest.fixture(scope="session")
def extracted(terminal: Terminal) -> Terminal:
    return terminal.extract()


@pytest.fixture(scope="session")
def synced(extracted: Terminal) -> Terminal:
    """Previewed, confirmed, written."""
    return extracted.confirm()
