"""Clearing is harmless: whatever is cleared, alone or with all below it, in whatever order."""

from __future__ import annotations

import random

import pytest

from tests.dags.runs import Runs
from tests.dags.world import World

SYNC, EXTRACT = "sync_accounting", "extract_qualy"
TASKS = ["check", "plan", "contacts", "documents", "settlements", "reconcile", "list", "to_do", "report", "backlog"]


@pytest.mark.full
def test_every_task_cleared_alone_from_the_last_to_the_first(runs: Runs, world: World) -> None:
    run = runs.run(SYNC)
    before, attempted, entries = world.ending(), world.attempted(), runs.to_do(SYNC, run)

    for task in reversed(TASKS):
        runs.clear(SYNC, run, task, downstream=False)
        runs.work(SYNC, run)

    assert world.ending() == before
    assert world.attempted() == attempted
    assert runs.to_do(SYNC, run) == entries


@pytest.mark.full
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_task_cleared_in_any_order_with_and_without_what_is_below_it(runs: Runs, world: World, seed: int) -> None:
    chance = random.Random(seed)
    several = [runs.run(SYNC), runs.run(SYNC)]
    before, attempted = world.ending(), world.attempted()
    for _ in range(12):
        run, task, downstream = chance.choice(several), chance.choice(TASKS), chance.random() < 0.6
        runs.clear(SYNC, run, task, downstream=downstream)
        runs.work(SYNC, run)
        assert world.ending() == before, (task, downstream)
        assert world.attempted() == attempted, (task, downstream)


@pytest.mark.full
def test_every_task_of_the_extraction_cleared_after_the_sync_has_used_it(runs: Runs, world: World) -> None:
    extraction = runs.run(EXTRACT)
    runs.run(SYNC)
    before = world.ending()
    for task in ("publish", "extract", "quality"):
        for downstream in (False, True):
            runs.clear(EXTRACT, extraction, task, downstream=downstream)
            assert runs.work(EXTRACT, extraction) == "success"
    runs.run(SYNC)
    assert world.ending() == before
