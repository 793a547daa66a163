"""Refs and numbers: what a lost answer is settled by."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_sync.load import GROUPS
from qualy_sync.model import Leg
from qualy_sync.plan.refs import WHOLE_PAYMENT, looks_like_ref, make_number, make_ref

IDS = st.one_of(st.text("0123456789abcdef", min_size=24, max_size=24), st.text(min_size=1, max_size=60))
WRITTEN = [leg for legs in GROUPS.values() for leg in legs]  # into an accounting tool
LEGS = st.sampled_from(WRITTEN)


@given(st.lists(st.tuples(LEGS, IDS), unique=True, max_size=30), st.integers(1, 36))
def test_refs_are_unique_short_and_plain(keys: list[tuple[Leg, str]], generation: int) -> None:
    refs = {make_ref(leg, source_id, generation) for leg, source_id in keys}
    assert len(refs) == len(keys)
    assert all(re.fullmatch(r"[0-9A-Z]{20,21}", ref) and looks_like_ref(ref) for ref in refs)
    assert all(len(ref) == (20 if generation == 1 else 21) for ref in refs)


@given(IDS)
def test_one_settlement_for_a_whole_payment_has_a_letter_of_its_own(payment: str) -> None:
    whole = make_ref(Leg.SETTLEMENT, payment, letter=WHOLE_PAYMENT)
    assert whole not in {make_ref(leg, payment) for leg in WRITTEN}
    assert looks_like_ref(whole)


def test_a_ref_is_the_same_for_ever() -> None:
    ref = make_ref(Leg.INVOICE, "66a1b2c3d4e5f60718293a4b")
    assert (ref[0], int(ref[1:], 36)) == ("I", 0x66A1B2C3D4E5F60718293A4B)


@pytest.mark.parametrize("generation", [0, 37, -1])
def test_generations_have_bounds(generation: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        make_ref(Leg.INVOICE, "x", generation)


@pytest.mark.parametrize(
    ("prefix", "number", "generation", "made"),
    [
        ("Q-", 1001, 1, "Q-1001"),
        ("Q-", 0, 1, "Q-0"),
        ("Q-", 1001, 2, "Q-1001-2"),
        ("Q-", None, 1, "REF"),
        ("Q-", -3, 1, "REF"),
        ("ABCDEFGHIJKL", 123_456_789, 1, "ABCDEFGHIJKL123456789"),
        ("ABCDEFGHIJKL", 1_234_567_890, 1, "REF"),
        ("ABCDEFGHIJKL", 123_456_789, 2, "REF"),
    ],
)
def test_the_number_that_people_read(prefix: str, number: int | None, generation: int, made: str) -> None:
    assert make_number(prefix, number, "REF", generation) == made


@given(st.text("ABC-", min_size=1, max_size=12), st.integers(-5, 10**15), st.integers(1, 36))
def test_a_number_never_exceeds_what_every_tool_takes(prefix: str, number: int, generation: int) -> None:
    ref = make_ref(Leg.INVOICE, "x", generation)
    assert len(make_number(prefix, number, ref, generation)) <= 21
