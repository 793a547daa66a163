"""Worlds with an audience: one pair of stand-ins for a whole session, a ledger of its own for each test."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.support.audience_world import AudienceWorld

MakeAudience = Callable[..., AudienceWorld]


@pytest.fixture(scope="session")
def audience_stand_ins() -> Iterator[Sandbox]:
    with Sandbox.start(payments=1, services=["qualy", "mailchimp"]) as sandbox:
        yield sandbox


@pytest.fixture
def make_audience(audience_stand_ins: Sandbox, migrated_file: Path, tmp_path: Path) -> Iterator[MakeAudience]:
    """`make_audience(customers, members, settings=…, confirmed=…)` gives a world that has begun."""
    made: list[AudienceWorld] = []

    def make(
        customers: list[Any],
        members: list[Any] | None = None,
        *,
        confirmed: bool = True,
        kinds: dict[str, Any] | None = None,
        **more: Any,
    ) -> AudienceWorld:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        url = f"sqlite:///{shutil.copy(migrated_file, folder / 'ledger.db')}"
        made.append(AudienceWorld(audience_stand_ins, url, **more))
        return made[-1].begin(customers, members, confirmed=confirmed, **(kinds or {}))

    yield make
    for each in made:
        each.ledger.close()
