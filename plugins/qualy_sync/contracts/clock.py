"""The clock port: every rule about time asks it, so that a test can move time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, aware and in UTC, to the microsecond."""

    def now(self) -> datetime: ...
