"""Airflow's retries are for the machine's troubles; a wait that carries a time is waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import RetryAction
from hypothesis import given
from hypothesis import strategies as st

from qualy_app.params import ParamsError
from qualy_app.retry import MARGIN, TroubleDecides
from qualy_app.signals import KnownTrouble, NeedsPerson, RunProblem, WaitUntil

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
policy = TroubleDecides()


@given(wait=st.timedeltas(timedelta(0), timedelta(days=2)), try_number=st.integers(1, 9))
def test_a_lease_held_by_another_is_waited_for_to_its_end_and_no_longer(wait: timedelta, try_number: int) -> None:
    decision = policy.evaluate(WaitUntil(NOON + wait, "the lease is bin/qualy's", now=NOON), try_number, 5)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == wait + MARGIN
    assert decision.reason == "the lease is bin/qualy's"


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    decision = policy.evaluate(WaitUntil(NOON - timedelta(hours=1), now=NOON), 1, 5)
    assert decision.retry_delay == MARGIN


def test_a_wait_is_reckoned_by_this_machines_clock_where_no_other_is_named() -> None:
    decision = policy.evaluate(WaitUntil(datetime.now(UTC) + timedelta(hours=1)), 1, 5)
    assert decision.retry_delay is not None
    assert timedelta(minutes=59) < decision.retry_delay <= timedelta(hours=1) + MARGIN


@pytest.mark.parametrize("refusal", [NeedsPerson, KnownTrouble, RunProblem, ParamsError])
def test_what_needs_a_person_is_never_tried_again_by_itself(refusal: type[Exception]) -> None:
    assert policy.evaluate(refusal("the key was revoked"), 1, 5).action is RetryAction.FAIL


@pytest.mark.parametrize("fault", [OSError("disk"), ConnectionError("reset"), MemoryError(), KeyError("x")])
def test_a_fault_of_the_machine_is_tried_again_the_usual_way(fault: BaseException) -> None:
    assert policy.evaluate(fault, 1, 5).action is RetryAction.DEFAULT
