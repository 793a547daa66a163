"""kill -9 at each named point of the write protocol: what was sent is known, what was not is sent, once."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

from qualy_sync.model import Leg
from tests.support.world import Ending, World, killed_in

POINTS = ("attempt_committed", "answered", "result_committed")
# The batches of a first run in the small world: three of contacts, four of documents, three of settlements.
BATCHES = {"contacts, first": 1, "suppliers": 3, "documents, first": 4, "documents, third": 6, "settlements, first": 8,
           "settlements, second": 9}  # fmt: skip
CASES = [(point, batch) for batch in BATCHES for point in POINTS]
SHORT = [
    ("attempt_committed", "contacts, first"),
    ("answered", "documents, first"),
    ("attempt_committed", "documents, third"),
    ("answered", "settlements, second"),
    ("result_committed", "settlements, first"),
]


def kill(world: World, point: str, batch: int) -> None:
    """A run in a process of its own, which kills itself when it comes to that point of that batch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.world"])
    process = context.Process(target=killed_in, args=(world.sandbox.url, world.url, point, batch))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert process.pid != os.getpid()


def and_then(world: World, undisturbed: Ending) -> None:
    """Later runs; the first one comes at once, while the dead process still holds the lease."""
    assert not world.run()
    assert "LeaseHeld" in world.problems[-1]
    world.run_until_quiet()
    assert world.ending() == undisturbed
    assert not world.findings()


@pytest.mark.parametrize(("point", "batch"), SHORT)
def test_a_killed_run_is_finished_by_the_next_ones(world: World, undisturbed: Ending, point: str, batch: str) -> None:
    kill(world, point, BATCHES[batch])
    and_then(world, undisturbed)


@pytest.mark.parametrize("again", ["attempt_committed", "answered"])
def test_a_successor_that_is_killed_as_well_changes_nothing(world: World, undisturbed: Ending, again: str) -> None:
    kill(world, "attempt_committed", BATCHES["documents, first"])
    world.pass_time(120)
    kill(world, again, 1)
    and_then(world, undisturbed)


def test_absence_is_believed_only_after_q_from_the_take_over(world: World) -> None:
    """The dead process may be frozen instead: what it holds in its hands may still go out."""
    kill(world, "attempt_committed", BATCHES["documents, first"])
    held = [(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps]
    world.pass_time(30 * 60)
    assert world.run(), world.problems
    assert [(step.leg, step.source_id) for one in world.open_attempts() for step in one.steps] == held
    assert [leg for leg, _ in held] == [Leg.INVOICE, Leg.BILL]
    assert {world.outcomes()[key] for key in held} == {"unknown"}


@pytest.mark.full
@pytest.mark.parametrize(("point", "batch"), CASES)
def test_every_point_of_every_kind_of_batch(world: World, undisturbed: Ending, point: str, batch: str) -> None:
    kill(world, point, BATCHES[batch])
    and_then(world, undisturbed)


@pytest.mark.full
@pytest.mark.parametrize(("point", "batch"), CASES)
def test_every_point_of_every_kind_of_batch_on_postgresql(
    pg_world: World, undisturbed: Ending, point: str, batch: str
) -> None:
    kill(pg_world, point, BATCHES[batch])
    and_then(pg_world, undisturbed)
