"""How a job tells whoever runs it (a DAG's task, the command line) what should happen next.

Light on purpose: DAG files and the retry policy import it in every process.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class NeedsPerson(Exception):
    """Somebody must act: the text is the whole of what they need. The task turns red and is not tried again."""


class KnownTrouble(Exception):
    """A trouble that an earlier run already told of: the task is pink, the run is not red for it."""


class RunProblem(Exception):
    """The run cannot go on (reconnect, wrong organisation, settings). The text has the remedy; a retry has no use."""


class WaitUntil(Exception):
    """Nothing can be done before a moment: another holds the lease, or a sent record is unknown until then.

    `now` is the time on the clock that `until` was reckoned by, where that is not this machine's.
    """

    def __init__(self, until: datetime, text: str = "", now: datetime | None = None) -> None:
        self.until = until
        self.now = now
        super().__init__(text or f"Waiting until {until.astimezone(UTC):%d %B %Y, %H:%M:%S} UTC.")

    def delay(self) -> timedelta:
        """How long from now; never negative."""
        now = self.now or datetime.now(UTC)
        return max(self.until - now, timedelta(0))
