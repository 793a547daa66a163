"""Faults that a test asks for: what they are, which call they meet, and how they are kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sandbox.store import Store

PLAIN = ("drop_before", "drop_after", "garbage", "truncate", "reorder", "hold")
WITH_SECONDS = ("drop_then_commit", "delay", "stale_reads")
WITH_NUMBER = ("partial_after", "status", "status_after", "page", "omit_element")
STATUSES = ("status", "status_after", "page")
KNOWN = ", ".join([*PLAIN, *(f"{a}:SECONDS" for a in WITH_SECONDS), *(f"{a}:N" for a in WITH_NUMBER)])
ENDLESS = -1


class AnswerLost(Exception):
    """Raised by a service that did part of a call (``partial_after``): the frame drops the connection."""


@dataclass(frozen=True, slots=True)
class Action:
    """One ``do``: its name, and its number where it has one (seconds, a status, an element)."""

    name: str
    number: float = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of ``POST /control/faults/{service}``; ``times`` -1 is endless."""

    method: str
    path: str
    do: str
    times: int = 1
    after: int = 0


def parse_action(do: str) -> Action:
    """Read ``drop_after`` or ``delay:2.5``. ValueError names the known ones."""
    name, colon, number = do.partition(":")
    try:
        if name in PLAIN and not colon:
            return Action(name)
        if name in WITH_SECONDS and float(number) >= 0:
            return Action(name, float(number))
        if name in WITH_NUMBER and number.isdigit():
            value = int(number)
            if name not in STATUSES or 200 <= value <= 599:
                return Action(name, value)
    except ValueError:
        pass
    raise ValueError(f"{do!r} is no fault that the sandbox knows. Known: {KNOWN}.")


def parse_fault(given: Any) -> Fault:
    """Check one fault as it came in. ValueError says what is wrong with it."""
    if not isinstance(given, dict) or "do" not in given:
        raise ValueError('A fault is an object such as {"method": "POST", "path": "/v1/", "do": "drop_after"}.')
    unknown = set(given) - {"method", "path", "do", "times", "after"}
    if unknown:
        raise ValueError(f"A fault has method, path, do, times and after, but no {', '.join(sorted(unknown))}.")
    parse_action(str(given["do"]))
    times = given.get("times", 1)
    after = given.get("after", 0)
    times = ENDLESS if times is None else times
    if not isinstance(times, int) or not isinstance(after, int) or times < ENDLESS or times == 0 or after < 0:
        raise ValueError("times is a number from 1, or null for always; after is a number from 0.")
    return Fault(str(given.get("method", "*")).upper(), str(given.get("path", "/")), str(given["do"]), times, after)


class FaultBook:
    """The faults that are waiting, per service, in the order in which they were asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, service: str, faults: list[Fault]) -> None:
        """Add to those that wait already."""
        rows = [(service, f.method, f.path, f.do, f.times, f.after) for f in faults]
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT INTO sandbox_faults (service, method, path, action, remaining, skip) VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def waiting(self, service: str) -> list[dict[str, Any]]:
        """What still waits, with the times that are left."""
        return [asdict(fault) for _, fault in self._rows(service)]

    def clear(self, service: str) -> int:
        """Take all of them away; returns how many there were."""
        with self._store.transaction() as connection:
            return connection.execute("DELETE FROM sandbox_faults WHERE service = ?", (service,)).rowcount

    def take(self, service: str, method: str, path: str) -> Fault | None:
        """The fault that this call meets, if any; it then has one time less."""
        with self._store.transaction() as connection:
            for number, fault in self._rows(service):
                if fault.method not in ("*", method) or not path.startswith(fault.path):
                    continue
                if fault.after > 0:
                    connection.execute("UPDATE sandbox_faults SET skip = skip - 1 WHERE number = ?", (number,))
                    continue
                if fault.times == 1:
                    connection.execute("DELETE FROM sandbox_faults WHERE number = ?", (number,))
                elif fault.times != ENDLESS:
                    connection.execute(
                        "UPDATE sandbox_faults SET remaining = remaining - 1 WHERE number = ?", (number,)
                    )
                return fault
        return None

    def _rows(self, service: str) -> list[tuple[int, Fault]]:
        with self._store.lock:
            rows = self._store.connection.execute(
                "SELECT * FROM sandbox_faults WHERE service = ? ORDER BY number", (service,)
            ).fetchall()
        return [
            (row["number"], Fault(row["method"], row["path"], row["action"], row["remaining"], row["skip"]))
            for row in rows
        ]
