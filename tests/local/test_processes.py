"""Ending everything that was started, and finding what an earlier start left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from qualy_app.local import processes
from qualy_app.local.leftovers import alone, end_leftovers
from qualy_app.local.places import Places
from qualy_app.local.processes import Started
from qualy_app.local.trouble import Trouble

# Like an Airflow worker with a task: the child is a process group of its own and does not listen to polite requests.
WORKER_WITH_TASK = """
import os, signal, subprocess, sys
task = subprocess.Popen([sys.executable, "-c", '''
import os, signal, time
os.setpgid(0, 0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("working", flush=True)
time.sleep(600)
'''], stdout=subprocess.PIPE)
task.stdout.readline()
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(state=tmp_path / "xero", port=1, sandbox_port=2)
    places.state.mkdir()
    return places


@pytest.fixture
def worker(places: Places) -> Iterator[Started]:
    log = places.logs / "scheduler.log"
    command = [sys.executable, "-c", WORKER_WITH_TASK]
    started = processes.start("scheduler", command, environment=os.environ, log=log, cwd=places.root)
    with subprocess.Popen(
        ["tail", f"--pid={started.session.id}", "-f", "-n", "+1", log], stdout=subprocess.PIPE
    ) as tail:
        assert tail.stdout
        assert tail.stdout.readline() == b"ready\n"
        tail.kill()
    yield started
    processes.end([started.session], patience=0.1)
    started.popen.wait()


def test_a_component_is_ended_with_its_tasks_though_they_are_groups_of_their_own(worker: Started) -> None:
    members = worker.session.members()
    assert len({os.getpgid(member.pid) for member in members}) == 2

    assert processes.end([worker.session], patience=0.2) == 0
    assert worker.session.members() == []
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in members)


def test_a_task_is_found_after_its_worker_was_killed(worker: Started) -> None:
    os.kill(worker.session.id, signal.SIGKILL)
    worker.popen.wait()
    assert len(worker.session.members()) == 1


def test_a_later_process_with_the_same_id_is_left_alone(worker: Started) -> None:
    namesake = replace(worker.session, created=worker.session.created - 3600)
    assert namesake.members() == []
    assert processes.end([namesake], patience=0.1) == 0
    assert worker.ended() is None


@pytest.mark.full
def test_the_next_start_names_and_ends_what_a_killed_runner_left(places: Places, worker: Started) -> None:
    processes.remember(places.processes, [worker.session])
    told: list[str] = []
    end_leftovers(places, told.append)
    assert len(told) == 1
    assert told[0].startswith("Left over from an earlier start, ending now: scheduler (2 processes, since ")
    assert worker.session.members() == []

    end_leftovers(places, told.append)
    assert len(told) == 1


@pytest.mark.parametrize("text", ["", "[{", '[{"name": "scheduler"}]', "7"])
def test_a_record_that_was_cut_short_stops_nobody(places: Places, text: str) -> None:
    places.processes.write_text(text)
    end_leftovers(places, lambda told: pytest.fail(told))


def test_a_second_runner_for_the_same_tool_is_told_of_the_first(places: Places) -> None:
    told = r"at work in .*xero already: stop it with Ctrl-C"
    with alone(places), pytest.raises(Trouble, match=told), alone(places):
        pytest.fail("two at a time")
    with alone(places):
        assert places.lock.exists()
