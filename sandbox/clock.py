"""The sandbox's clock: real time plus an offset, so that a test can live through days in an instant."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sandbox.store import Store

OFFSET = "clock.offset_seconds"


class Clock:
    """Aware UTC time. The offset is kept in the store, so a sandbox that starts again keeps its time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = float(store.fact(OFFSET) or 0)

    @property
    def offset_seconds(self) -> float:
        """How far the sandbox is ahead of the machine's clock."""
        return self._offset

    def now(self) -> datetime:
        """The moment it is in the sandbox."""
        return datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=self._offset)

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds (a negative number moves back)."""
        self._move_to(self._offset + seconds)

    def set(self, moment: datetime) -> None:
        """Make it ``moment`` (aware) in the sandbox; from there the clock runs on.

        Raises ValueError for a moment without a time zone.
        """
        if moment.tzinfo is None:
            raise ValueError("The sandbox clock needs a moment with a time zone, such as 2026-07-15T00:00:00Z.")
        self._move_to(moment.timestamp() - time.time())

    def _move_to(self, offset: float) -> None:
        self._offset = offset
        self._store.remember(OFFSET, repr(offset))
