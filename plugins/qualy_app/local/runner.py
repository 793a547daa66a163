"""What ``make run`` does, from an empty directory to a finished run and a page to look at."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from qualy_app.local import connections, core, environment, keys, leftovers, ports, webhooks
from qualy_app.local.airflow_api import AirflowApi, moment
from qualy_app.local.follow import Followed, Follower, Run
from qualy_app.local.places import Places
from qualy_app.local.rehearsals import REHEARSALS
from qualy_app.local.stack import Stack
from qualy_app.local.stamp import is_real
from qualy_app.local.trouble import Trouble

FIRST_DAG = "extract_qualy"
PARSE_LIMIT = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller decides; the defaults are those of a plain ``make run``."""

    tool: str = "xero"
    once: bool = False
    fresh: bool = False
    payments: int | None = None  # as many as the rehearsal of the tool has
    seed: int = 1


class Stopped(BaseException):
    """Ctrl-C, or a polite signal: not an Exception, so that nothing on the way takes it for an error."""


def run(wishes: Wishes, places: Places) -> int:
    """Returns the exit status: 0 when the run ended as its data says it should, 1 when it did not.

    Raises Trouble where something on this machine is in the way.
    """
    narrator = Narrator()
    connections.for_tool(wishes.tool, places)  # whether there is one, before anything is begun
    with leftovers.alone(places), interruptible():
        try:
            leftovers.end_leftovers(places, narrator.say)
            return Runner(wishes, places, narrator).run()
        except Stopped:
            narrator.say("Stopped.")
            return 0 if narrator.finished else 130


class Narrator:
    """Tells what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.finished = False

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._started:4.0f} s] {text}", flush=True)


class Runner:
    """One start, to its end. The steps are in ``run``, in their order."""

    def __init__(self, wishes: Wishes, places: Places, narrator: Narrator) -> None:
        self._wishes, self._places, self._narrator, self._say = wishes, places, narrator, narrator.say
        self._rehearsal = REHEARSALS[wishes.tool]
        self._payments = self._rehearsal.payments if wishes.payments is None else wishes.payments

    def run(self) -> int:
        self._make_room()
        made = keys.kept_or_made(self._places.secrets)
        wanted = connections.for_tool(self._wishes.tool, self._places, made.webhook)
        self._environment = environment.for_processes(self._places, made, settings=self._rehearsal.settings_file)
        os.environ.clear()  # the core, as far as it runs in this process, sees what it sees in a task
        os.environ.update(self._environment)
        self._write_files(made)
        stack = Stack(self._places, self._environment, self._say)
        api = AirflowApi(self._places.ui, "admin", made.admin_password)
        try:
            self._boot(stack, api, wanted)
            webhooks.register(self._places, made.webhook)
            followed = Follower(api, self._say, stack.revive).follow(Run(FIRST_DAG, api.trigger(FIRST_DAG)))
            status = self._tell(followed)
            self._say(f"Airflow: {self._places.ui}  (user admin, password {made.admin_password})")
            self._narrator.finished = True
            if not self._wishes.once:
                self._serve(stack)
            return status
        finally:
            api.close()
            self._end(stack)

    def _make_room(self) -> None:
        ports.require_free(self._places.port, purpose="Airflow's pages", option="PORT")
        ports.require_free(self._places.sandbox_port, purpose="the sandbox", option="SANDBOX_PORT")
        if self._wishes.fresh and self._places.state.exists():
            if is_real(self._places.ledger):
                ledger = self._places.shown(self._places.ledger)
                raise Trouble(
                    f"{ledger} holds the links to a real organisation; starting over would write everything to it a "
                    "second time. Move that file to a safe place first, or call make run without FRESH."
                )
            shutil.rmtree(self._places.state)
            self._say(f"Removed {self._places.shown(self._places.state)}/; starting over.")
        for directory in (self._places.airflow_home, self._places.reports, self._places.logs):
            directory.mkdir(parents=True, exist_ok=True)
        for log in self._places.logs.glob("*.log"):
            log.unlink()

    def _write_files(self, made: keys.Keys) -> None:
        keys.write_private(self._places.passwords, json.dumps({"admin": made.admin_password}))
        names = sorted(name for name in self._environment if name.startswith(("AIRFLOW", "QUALY_")))
        keys.write_private(self._places.env_file, environment.as_shell(self._environment, names))

    def _boot(self, stack: Stack, api: AirflowApi, wanted: dict[str, dict[str, Any]]) -> None:
        self._say("Starting the sandbox, preparing the databases ...")
        booted = datetime.now(UTC)
        migration = stack.migrate_airflow()
        stack.start_sandbox(self._payments, self._wishes.seed, self._rehearsal.profile)
        stack.wait_for_sandbox()
        core.prepare(self._environment)
        stack.finish_migration(migration)
        self._say(f"The sandbox is up at {self._places.sandbox}. Starting Airflow ...")
        stack.start_airflow(api)
        for connection_id, fields in wanted.items():
            api.upsert_connection(connection_id, fields)
        for name, fields in json.loads((self._places.root / "include" / "pools.json").read_text()).items():
            api.upsert_pool(name, fields)
        self._say("Airflow is up; reading the DAGs ...")
        for dag in self._parsed_dags(stack, api, booted):
            api.unpause(dag)

    def _parsed_dags(self, stack: Stack, api: AirflowApi, since: datetime) -> list[str]:
        """The ids of all DAGs, once Airflow has read every file in the state in which it is now."""
        expected = {path.stem for path in self._places.dags.glob("*.py") if not path.stem.startswith("_")}
        deadline = time.monotonic() + PARSE_LIMIT
        while True:
            errors = [error for error in api.import_errors() if (moment(error["timestamp"]) or since) >= since]
            if errors:
                named = "\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors)
                raise Trouble(f"Airflow could not read {len(errors)} DAG file(s):\n{named}")
            parsed = {dag["dag_id"] for dag in api.dags() if (moment(dag["last_parsed_time"]) or since) > since}
            if expected <= parsed and FIRST_DAG in parsed:
                return sorted(parsed)
            stack.require_alive()
            if time.monotonic() > deadline:
                missing = ", ".join(sorted((expected | {FIRST_DAG}) - parsed))
                raise Trouble(f"Airflow did not find {missing} in {self._places.shown(self._places.dags)}/.")
            time.sleep(0.5)

    def _tell(self, followed: Followed) -> int:
        surprises = core.surprises(self._environment)
        if followed.failed(FIRST_DAG):
            surprises.append(f"{FIRST_DAG} failed.")
        self._say("No work is due any more. What it came to:\n")
        print("\n".join(core.summary(self._environment)), end="\n\n", flush=True)
        if not surprises:
            self._say("Everything ended as the data says it should.")
            return 0
        self._say("Not everything ended as the data says it should: " + " ".join(surprises))
        return 1

    def _serve(self, stack: Stack) -> None:
        self._say("Serving until Ctrl-C.")
        while True:
            stack.revive()
            time.sleep(1.0)

    def _end(self, stack: Stack) -> None:
        self._say("Ending all processes ...")
        left = stack.end()
        if left:
            self._say(f"{left} processes would not end; the next make run will try again.")


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, a polite kill and a closed terminal all end the runner the same way, once; a background job's too."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)  # whoever presses Ctrl-C twice must not keep it from tidying up
        raise Stopped

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
