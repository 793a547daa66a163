"""The benchmark itself runs, and its bars on calls hold for a small agency; nothing here depends on time."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import main
from tests.bench.tools import TOOLS


@pytest.mark.full
def test_a_first_sync_and_quiet_runs_stay_within_the_calls_they_may_take(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--quick", "--tools", "xero"])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "first sync of 100 payments with 100 splits" in told
    assert "by the clock, nothing changed: 5 (bar 8), of these writes: 0" in told
    assert "by an event, nothing changed:  0" in told
    assert "first sync of 100 customers into an empty audience" in told
    assert "nothing changed, first run after it: 1, second: 1" in told


@pytest.mark.parametrize("many", ["100", pytest.param("1000", marks=pytest.mark.full)])
def test_customers_and_hubspot_stay_within_the_calls_they_may_take(
    capsys: pytest.CaptureFixture[str], many: str
) -> None:
    status = main(["--parts", "contacts", "--payments", many])
    told = capsys.readouterr().out
    assert status == 0, told
    assert f"first sync of {int(many):,} customers into an empty account" in told
    assert f"into an account that has {int(many):,} of them" in told
    assert told.count("second: 2, third: 2 (bar 3)") == 2
    assert told.count(" 0 more were made") == 2, "the least possible, both times"


@pytest.mark.parametrize(
    ("tool", "payments", "calls"),
    [("xero", 1000, 81 + 11), ("xero", 50, 5 + 10), ("conta_azul", 1000, 4020 + 21), ("conta_azul", 50, 220 + 21)],
)
def test_the_least_possible_is_full_batches_and_the_looks_that_the_protocol_asks_for(
    tool: str, payments: int, calls: int
) -> None:
    assert TOOLS[tool].least(payments) == calls
