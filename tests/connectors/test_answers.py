"""What connectors read in any answer: exact numbers, what is left of a limit, how long they are asked to wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shared.answers import Heard, count, loads, retry_after

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """This machine stands in New Zealand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        yield
    time.tzset()


@given(seconds=st.integers(0, 10**12))
def test_seconds_are_waited_out_up_to_a_limit(seconds: int) -> None:
    assert retry_after(f" {seconds} ", NOW, DAY) == NOW + min(timedelta(seconds=min(seconds, 10**6)), DAY)


@pytest.mark.parametrize("written", ["Wed, 15 Jul 2026 12:00:30 GMT", "Wed, 15 Jul 2026 12:00:30 -0000",
                                     format_datetime(NOW + timedelta(seconds=30))])  # fmt: skip
@pytest.mark.usefixtures("elsewhere")
def test_a_date_is_waited_for_wherever_this_machine_stands(written: str) -> None:
    assert retry_after(written, NOW, DAY) == NOW + timedelta(seconds=30)
    assert retry_after("Wed, 15 Jul 2099 12:00:30 GMT", NOW, DAY) == NOW + DAY


@pytest.mark.parametrize("written", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Jul 2026 12:00:30 GMT"])
def test_what_cannot_be_read_says_nothing(written: str) -> None:
    assert retry_after(written, NOW, DAY) is None


def test_numbers_are_exact_and_what_json_does_not_have_is_refused() -> None:
    assert loads(b"[100.10, 3]") == [Decimal("100.10"), 3]
    for content in (b"[NaN]", b"[Infinity]", b"{"):
        with pytest.raises(ValueError):  # noqa: PT011 - broken JSON is this
            loads(content)
    assert count(Heard(200, {"left": " 7 "}, b""), "left") == 7
    for unreadable in ("few", "²", "9" * 5_000):
        assert count(Heard(200, {"left": unreadable}, b""), "left") is None
