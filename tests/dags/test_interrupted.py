"""A process that is killed, and several at once: nothing is lost and nothing is there twice."""

from __future__ import annotations

import re

import pytest

from tests.dags.runs import Runs
from tests.dags.world import Ending, World

SYNC = "sync_accounting"
LOAD = "import sys; from qualy_app import jobs; jobs.load(sys.argv[1], sys.argv[2], 1)"
A_RUN = """
import sys, time
from qualy_app import jobs
from qualy_app.params import SyncParams
from qualy_app.signals import WaitUntil

def done(job, *given):
    while True:
        try:
            return job(*given)
        except WaitUntil as wait:
            time.sleep(min(wait.delay().total_seconds(), 0.3))

run = sys.argv[1]
done(jobs.check, run, SyncParams(), False)
done(jobs.plan, run)
for leg in ("contacts", "documents", "settlements"):
    done(jobs.load, run, leg, 1)
done(jobs.reconcile, run)
"""


def test_a_load_killed_in_mid_call_is_told_of_and_heals_when_it_is_cleared(
    runs: Runs, world: World, undisturbed: Ending
) -> None:
    run = runs.start(SYNC)
    runs.work(SYNC, run, until=lambda task, _: task == "documents")
    world.hold("Invoices")
    process = world.process("-c", LOAD, f"{SYNC}/{run}", "documents")
    world.until_held()
    process.kill()
    process.wait()
    world.release()
    runs.kill(SYNC, run, "documents", for_good=True)
    runs.work(SYNC, run)

    assert runs.state(SYNC, run) == "failed"
    states = runs.states(SYNC, run)
    assert states["settlements"] == "upstream_failed"
    assert {states[task] for task in ("reconcile", "list", "report")} == {"success"}
    assert next(iter(runs.to_do(SYNC, run).items())) == ("The run stopped at documents", "failed")

    world.free_leases()
    runs.clear(SYNC, run, "documents")
    runs.work(SYNC, run)

    states = runs.states(SYNC, run)
    assert {states[task] for task in ("documents", "settlements", "reconcile", "list", "report")} == {"success"}
    assert states["to_do[0]"] == "success"
    assert world.ending() == undisturbed


@pytest.mark.full
def test_what_another_process_is_writing_is_waited_for_and_lost_by_nobody(
    runs: Runs, world: World, undisturbed: Ending, caplog: pytest.LogCaptureFixture
) -> None:
    """Two runs and the command line at once; the command line holds the lease in the middle of a call."""
    both = [runs.start(SYNC), runs.start(SYNC, by_event=True)]
    for run in both:
        runs.work(SYNC, run, until=lambda task, _: task == "documents")
    world.hold("Invoices")
    process = world.process("-m", "qualy_app.cli", "sync", "accounting")
    world.until_held()
    for run in both:
        tried = iter((False, True))
        runs.work(SYNC, run, until=lambda task, _, tried=tried: task == "documents" and next(tried))
        assert len(runs.tried(SYNC, run, "documents")) == 2, "the first try ended, and the second is about to begin"
    assert len(re.findall("is being worked on by .* it will be free by", caplog.text)) == 2

    world.release()
    assert process.wait(timeout=120) == 1, "done, and some records wait for a person"
    for run in both:
        runs.work(SYNC, run)
        assert runs.states(SYNC, run)["documents"] == "success"
    assert world.ending() == undisturbed


@pytest.mark.full
def test_three_processes_that_truly_run_at_once_leave_what_one_leaves(world: World, undisturbed: Ending) -> None:
    processes = [world.process("-c", A_RUN, f"{SYNC}/{name}") for name in ("first", "second")]
    terminal = world.process("-m", "qualy_app.cli", "sync", "accounting")

    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    # Somebody at a terminal is told that another writes, and does not wait: 3. Done, with some waiting: 1.
    assert terminal.wait(timeout=300) in (1, 3)
    assert world.ending() == undisturbed
