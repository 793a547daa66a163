"""One settlement for all receipts of a payment: they are in step with it in the same run, however its answer came."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from qualy_sync.model import Leg
from tests.support.world import SETTINGS, World, object_id

PAYMENTS = "/api.xro/2.0/Payments"
RECEIPTS = [(str(Leg.SETTLEMENT), object_id(5, 10 + place)) for place in range(2)]  # of the payment paid in two parts


@pytest.fixture
def whole(make_world: Callable[..., World], tmp_path: Path) -> World:
    """A world whose payments are settled as a whole, once everything is paid."""
    text = SETTINGS.read_text()
    assert "mode: per_transaction" in text
    path = tmp_path / "settings.yaml"
    path.write_text(text.replace("mode: per_transaction", "mode: when_fully_paid"))
    return make_world(settings=path)


def codes(world: World) -> list[str]:
    return [world.outcomes()[key] for key in RECEIPTS]


def test_the_covered_receipt_is_paid_in_the_run_that_settles(whole: World) -> None:
    assert whole.run(), whole.problems
    assert codes(whole) == ["paid", "paid"]
    amounts = sorted(amount for _, amount, _, number in whole.ending().payments if number.endswith("1001"))
    assert amounts == ["1200.0"]


def test_it_shares_the_fate_of_a_settlement_without_an_answer(whole: World) -> None:
    whole.faults({"method": "PUT", "path": PAYMENTS, "do": "drop_after", "times": None})
    whole.run()
    assert sorted(codes(whole)) == ["unknown", "waiting_for"]
    whole.clear_faults()
    whole.pass_time(5 * 60)
    assert whole.run(), whole.problems
    assert codes(whole) == ["paid", "paid"]
    assert not whole.findings()
