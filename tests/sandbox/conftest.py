"""One stand-in for each file of tests, and the same as good as new for each test: `xero`, `books`, and so on.

`shared_xero` and its like are for tests that generate many cases, which no fixture is made anew for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest


def _shared(service: str) -> Any:
    @pytest.fixture(scope="module", name=f"shared_{service}")
    def shared() -> Iterator[Any]:
        """A client of a sandbox with that service alone; its SDK is loaded where it is used."""
        clients = importlib.import_module(f"tests.sandbox.{service}_client")
        with getattr(clients, f"{service}_sandbox")() as client:
            yield client

    return shared


def _as_new(name: str, service: str) -> Any:
    @pytest.fixture(name=name)
    def as_new(request: pytest.FixtureRequest) -> Any:
        """The same, as at the start and without anything in it."""
        return request.getfixturevalue(f"shared_{service}").reset()

    return as_new


shared_xero, xero = _shared("xero"), _as_new("xero", "xero")
shared_quickbooks, books = _shared("quickbooks"), _as_new("books", "quickbooks")
shared_conta_azul, conta_azul = _shared("conta_azul"), _as_new("conta_azul", "conta_azul")
shared_hubspot, hubspot = _shared("hubspot"), _as_new("hubspot", "hubspot")
shared_mailchimp, chimp = _shared("mailchimp"), _as_new("chimp", "mailchimp")
