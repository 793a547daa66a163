"""What tests of one connector share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.conta_azul_client import ContaAzulClient, conta_azul_sandbox
from tests.support.conta_azul_connection import Connected


@pytest.fixture(scope="session")
def conta_azul_client() -> Iterator[ContaAzulClient]:
    with conta_azul_sandbox() as client:
        yield client


@pytest.fixture
def conta_azul(conta_azul_client: ContaAzulClient) -> Connected:
    """An empty company that refuses every misspelt name, and a tool that is connected to it."""
    client = conta_azul_client.reset()
    client.reading(strict_names=True)
    return Connected(client)
