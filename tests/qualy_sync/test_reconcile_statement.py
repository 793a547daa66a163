"""The totals statement: every cent of Qualy's is in one column, or in the difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_sync.outcomes import MEANINGS, Code, Group
from qualy_sync.reconcile import Column, Line, Position, by_currency, statement

AMOUNTS = st.integers(min_value=-(10**12), max_value=10**12)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    own = draw(AMOUNTS)
    return Position(
        kind=draw(st.sampled_from(["payment-intents", "payment-splits", "transactions"])),
        currency=draw(st.sampled_from(["AUD", "USD", "JPY", ""])),
        month=draw(st.sampled_from(["", "2026-05", "2026-06"])),
        code=draw(st.sampled_from([*Code, None])),
        own=own,
        there=draw(st.one_of(st.none(), st.just(own), AMOUNTS)),
        draft=draw(st.booleans()),
        accepted=draw(st.booleans()),
    )


def _should_be_there(position: Position) -> bool:
    taken_back = position.code in (Code.VOIDED, Code.REMOVED, Code.CREDITED)
    in_step = position.code is not None and MEANINGS[position.code].group is Group.IN_STEP
    return position.code is None or (in_step and not taken_back)


@given(st.lists(positions(), max_size=40))
def test_what_the_columns_do_not_explain_is_exactly_what_misses_in_the_tool(given_positions: list[Position]) -> None:
    lines = statement(given_positions)
    unexplained = sum(
        position.own - (position.there or 0)
        for position in given_positions
        if _should_be_there(position) and not position.accepted
    )
    assert sum(line.difference for line in lines) == unexplained
    assert all(line.qualy == sum(line.amounts.values()) + line.difference for line in lines)
    assert sum(line.records for line in lines) == len(given_positions)


@given(st.lists(positions(), max_size=40))
def test_a_line_holds_the_records_of_its_own_currency_only(given_positions: list[Position]) -> None:
    for line in by_currency(statement(given_positions)):
        mine = [one for one in given_positions if (one.kind, one.currency) == (line.kind, line.currency)]
        assert line.records == len(mine)
        assert line.qualy == sum(one.own for one in mine)


@given(st.lists(positions(), max_size=40), st.randoms())
def test_the_order_of_the_records_does_not_matter(given_positions: list[Position], random: object) -> None:
    shuffled = list(given_positions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert statement(shuffled) == statement(given_positions)


def test_two_currencies_are_never_added() -> None:
    line = Line("payment-intents", "AUD", "2026-05")
    with pytest.raises(ValueError, match="USD cannot be added to AUD"):
        line.add(Line("payment-intents", "USD", "2026-05"))


@pytest.mark.parametrize(
    ("code", "there", "draft", "column"),
    [
        (Code.CREATED, 5000, False, Column.BOOKED),
        (Code.CREATED, 5000, True, Column.DRAFT),
        (Code.LOCKED, None, False, Column.HELD),
        (Code.PAID_THERE, None, False, Column.HELD),
        (Code.BEFORE_START, None, False, Column.EXCLUDED),
        (Code.IGNORED, None, False, Column.IGNORED),
        (Code.INVALID, None, False, Column.REFUSED),
        (Code.UNKNOWN, None, False, Column.UNKNOWN),
    ],
)
def test_where_an_amount_stands(code: Code, there: int | None, draft: bool, column: Column) -> None:
    [line] = statement([Position("payment-intents", "AUD", "2026-05", code, 5000, there, draft)])
    assert {name: value for name, value in line.amounts.items() if value} == {column: 5000}
    assert line.counts[column] == 1
    assert line.difference == 0


def test_a_record_that_changed_after_posting_is_booked_as_it_is_there_and_held_for_the_rest() -> None:
    [line] = statement([Position("payment-intents", "AUD", "2026-05", Code.NEEDS_DECISION, 12_000, 10_000)])
    assert line.amounts[Column.BOOKED] == 10_000
    assert line.amounts[Column.HELD] == 2_000
    assert line.difference == 0


def test_a_record_without_an_outcome_is_a_difference() -> None:
    [line] = statement([Position("payment-intents", "AUD", "", None, 7_700)])
    assert line.difference == 7_700
