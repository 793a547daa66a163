"""Making a world, new or from a state file."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sandbox.clock import Clock
from sandbox.population import PROFILES, Population
from sandbox.service import World
from sandbox.store import Store

REMEMBERED = "world"
DEFAULT_SEED = 1
DEFAULT_PAYMENTS = 500
DEFAULT_PROFILE = "au"
MOST_PAYMENTS = 1_000_000


class StateFileTrouble(Exception):
    """The state file cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a new world is to be like; None stands for the default."""

    seed: int | None = None
    today: date | None = None
    payments: int | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What a world was made with; the state file remembers it."""

    seed: int
    today: date
    payments: int
    profile: str


def make_world(wishes: Wishes, state: Path | None) -> tuple[World, str | None]:
    """A world, and a sentence for the reader where a state file decided otherwise than asked.

    Raises StateFileTrouble where the file is no state of a sandbox or another sandbox has it open, ValueError for an
    unknown profile or a number of payments out of range.
    """
    store = _open(state)
    remembered = store.fact(REMEMBERED)
    clock = Clock(store)
    note = None
    if remembered is None:
        made = _checked(wishes)
        if wishes.today is not None:
            _start_on(clock, wishes.today)
        store.remember(REMEMBERED, json.dumps(asdict(made), default=str))
    else:
        facts = json.loads(remembered)
        made = Made(facts["seed"], date.fromisoformat(facts["today"]), facts["payments"], facts["profile"])
        kept = ", ".join(f"{name} {value}" for name, value in facts.items())
        note = f"{state} holds a sandbox already and continues with what it was made with: {kept}."
    population = Population(seed=made.seed, profile=made.profile, today=made.today, payments=made.payments)
    return World(clock, store, made.seed, made.today, made.profile, made.payments, population), note


def _checked(wishes: Wishes) -> Made:
    profile = wishes.profile or DEFAULT_PROFILE
    if profile not in PROFILES:
        raise ValueError(f"There is no profile {profile!r}, only {', '.join(PROFILES)}.")
    payments = DEFAULT_PAYMENTS if wishes.payments is None else wishes.payments
    if not 0 <= payments <= MOST_PAYMENTS:
        raise ValueError(f"The sandbox holds from 0 to {MOST_PAYMENTS:,} payments.")
    seed = DEFAULT_SEED if wishes.seed is None else wishes.seed
    return Made(seed, wishes.today or datetime.now(UTC).date(), payments, profile)


def _start_on(clock: Clock, today: date) -> None:
    """Move the clock by whole days, so that it is ``today`` in the sandbox too."""
    clock.advance((today - clock.now().date()).days * 86_400)


def _open(state: Path | None) -> Store:
    if state is not None and not state.parent.is_dir():
        raise StateFileTrouble(f"There is no directory {state.parent} for the state file; create it first.")
    try:
        return Store(state)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StateFileTrouble(
                f"Another sandbox has the state file {state} open. End it, or name another file with --state."
            ) from error
        raise StateFileTrouble(f"The state file {state} cannot be opened: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise StateFileTrouble(
            f"{state} is not the state file of a sandbox. Name another file with --state, or move it away."
        ) from error
