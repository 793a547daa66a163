"""When Airflow tries a task again: for the machine's troubles, never for a refused record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from .signals import KnownTrouble, NeedsPerson, RunProblem, WaitUntil

if TYPE_CHECKING:
    from airflow.sdk import Context

# Another's lease ends, and a sent record becomes known, at a moment; a second past it both are over.
MARGIN = timedelta(seconds=1)


class TroubleDecides(RetryPolicy):
    """A wait that carries a time is waited for exactly; what needs a person fails at once; the rest is default."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        if isinstance(exception, WaitUntil):
            return RetryDecision.retry(exception.delay() + MARGIN, reason=str(exception))
        if isinstance(exception, NeedsPerson | KnownTrouble | RunProblem):
            return RetryDecision.fail("A person is needed; trying again would not help.")
        return RetryDecision.default()
