"""Following exactly the runs that come of one: those that its asset events led to, and theirs, until none is open."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from qualy_app.local.airflow_api import AirflowApi, Silent

TELL_EVERY = 5.0  # seconds between two words about the same run, unless its state changes
OVER = {"success", "failed"}
SILENCE_PATIENCE = 120.0  # seconds without an answer, in which a killed API server is up again
PENDING_PATIENCE = 20.0  # seconds for the scheduler to make a run of an event, once nothing else runs there


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run, by the two names that Airflow knows it by."""

    dag: str
    id: str


@dataclass(slots=True)
class Followed:
    """What is known so far: the state of each followed run, in the order in which they were found."""

    states: dict[Run, str] = field(default_factory=dict)

    @property
    def open(self) -> list[Run]:
        return [run for run, state in self.states.items() if state not in OVER]

    def failed(self, dag: str) -> bool:
        return any(state == "failed" for run, state in self.states.items() if run.dag == dag)


class Follower:
    """Asks Airflow again and again; tells how far they are."""

    def __init__(self, api: AirflowApi, say: Callable[[str], None], check: Callable[[], None]) -> None:
        self._api, self._say, self._check = api, say, check
        self._told: dict[Run, tuple[str, float]] = {}
        self._consumers: dict[int, list[str]] = {}

    def follow(self, first: Run, *, every: float = 1.0) -> Followed:
        """Returns when every followed run is over and none of their events is still to lead to a run."""
        followed = Followed({first: "queued"})
        self._consumers = self._api.consumers()
        quiet_since: float | None = None
        heard = time.monotonic()
        while True:
            self._check()
            try:
                pending = self._look(followed)
                busy = bool(followed.open) or any(self._api.active_runs(dag) for dag in pending)
                heard = time.monotonic()
            except Silent:
                if time.monotonic() - heard > SILENCE_PATIENCE:
                    raise
                busy, pending = True, set()
            if busy:
                quiet_since = None
            elif not pending:
                return followed
            else:
                quiet_since = quiet_since or time.monotonic()
                if time.monotonic() - quiet_since > PENDING_PATIENCE:
                    self._say(
                        f"No run came of the last events for {', '.join(sorted(pending))}; its clock will see to it."
                    )
                    return followed
            time.sleep(every)

    def _look(self, followed: Followed) -> set[str]:
        """Brings the states up to date and adds the runs found on the way; returns the DAGs that owe a run."""
        pending: set[str] = set()
        for run in list(followed.states):
            if followed.states[run] not in OVER:
                followed.states[run] = self._api.run(run.dag, run.id)["state"]
                self._tell(run, followed.states[run])
            found, owed = self._led_to(run)
            for successor in found:
                followed.states.setdefault(successor, "queued")
            pending |= owed
        return pending

    def _led_to(self, run: Run) -> tuple[list[Run], set[str]]:
        events = self._api.events_of(run.dag, run.id)
        if events is None:
            return [], set().union(*self._consumers.values())
        found: list[Run] = []
        owed: set[str] = set()
        for event in events:
            made = [Run(each["dag_id"], each["run_id"]) for each in event["created_dagruns"]]
            found += made
            owed |= set(self._consumers.get(event["asset_id"], [])) - {each.dag for each in made}
        return found, owed

    def _tell(self, run: Run, state: str) -> None:
        said, when = self._told.get(run, ("", 0.0))
        if said == state and (state in OVER or time.monotonic() - when < TELL_EVERY):
            return
        self._told[run] = (state, time.monotonic())
        counts = Counter(task["state"] or "waiting" for task in self._api.tasks(run.dag, run.id))
        self._say(f"{run.dag}: {state}" + (f" ({_counted(counts)})" if counts else ""))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(counts.items()))
