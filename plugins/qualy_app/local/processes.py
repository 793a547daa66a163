"""Starting processes in sessions of their own, and ending everything that came of them.

Each Airflow task is a process group of its own, so ending a component's group would miss its tasks; all of them
share the component's session. A session outlives its leader, so it is also how left-overs are found.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

CLOCK_SLACK = 2.0  # seconds; start times read at different moments differ by rounding


@dataclass(frozen=True, slots=True)
class Session:
    """A started component: its leader's process id is the session's id; ``created`` tells it from a later namesake."""

    name: str
    id: int
    created: float

    def members(self) -> list[psutil.Process]:
        """Its living processes, the leader's own and all that came of it."""
        leader = _process(self.id)
        if (
            leader
            and abs(leader.create_time() - self.created) > CLOCK_SLACK
            and leader.status() != psutil.STATUS_ZOMBIE
        ):
            return []  # the id has been given to somebody else's process since
        return [process for process in psutil.process_iter() if self._holds(process)]

    def _holds(self, process: psutil.Process) -> bool:
        try:
            return (
                os.getsid(process.pid) == self.id
                and process.create_time() >= self.created - CLOCK_SLACK
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except (psutil.Error, OSError):
            return False

    @property
    def since(self) -> str:
        return datetime.fromtimestamp(self.created, UTC).astimezone().strftime("%H:%M:%S on %d %b")


def start(name: str, command: list[str], *, environment: Mapping[str, str], log: Path, cwd: Path) -> Started:
    """Begins ``command`` in a session of its own; what it says goes to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        popen = subprocess.Popen(
            command, env=dict(environment), cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    leader = _process(popen.pid)
    return Started(Session(name, popen.pid, leader.create_time() if leader else time.time()), popen, log)


@dataclass(frozen=True, slots=True)
class Started:
    """A session that this very process began, so that it can also be asked how it ended."""

    session: Session
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def name(self) -> str:
        return self.session.name

    def ended(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self.popen.poll()


def end(sessions: Iterable[Session], *, patience: float = 6.0) -> int:
    """Ends every process of those sessions: asks the leaders first, then insists. Returns how many are left (0)."""
    remaining = list(sessions)
    for session in remaining:
        _signal([process for process in session.members() if process.pid == session.id], signal.SIGTERM)
    if _gone(remaining, patience):
        return 0
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        _signal([process for session in remaining for process in session.members()], how)
        if _gone(remaining, 2.0):
            return 0
    return sum(len(session.members()) for session in remaining)


def _gone(sessions: list[Session], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while any(session.members() for session in sessions):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _signal(processes: list[psutil.Process], how: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            process.send_signal(how)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def remember(path: Path, sessions: Iterable[Session]) -> None:
    """Written at each start of a component, so that the next runner knows what an interrupted one left behind."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps([asdict(session) for session in sessions], indent=2))
    beside.replace(path)


def remembered(path: Path) -> list[Session]:
    """What the file says; nothing where it is missing or was cut short."""
    try:
        return [Session(**entry) for entry in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []
