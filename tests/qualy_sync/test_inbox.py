"""What webhooks told waits in the ledger until it was read again, whoever reads, dies or comes late."""

from __future__ import annotations

import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import Hint, count, keep, take_out, waiting

PLENTY = 1_000


def hints(*ids: str, kind: str = "contacts") -> list[Hint]:
    return [Hint(kind, each) for each in ids]


def read(ledger: Ledger, *, tool: str = "qualy") -> list[Hint]:
    """A reader takes everything that waits, and keeps what it read."""
    found = waiting(ledger, tool, PLENTY)
    with ledger.writing() as connection:
        take_out(connection, tool, found)
    return found


def test_what_is_told_waits_once_and_in_the_order_in_which_it_came(any_ledger: Ledger) -> None:
    assert keep(any_ledger, "qualy", [hints("b")], PLENTY).turned
    assert not keep(any_ledger, "qualy", [hints("a"), hints("b", "b", "c")], PLENTY).turned
    assert [hint.id for hint in waiting(any_ledger, "qualy", PLENTY)] == ["b", "a", "c"]
    assert waiting(any_ledger, "hubspot", PLENTY) == []
    assert len(read(any_ledger)) == 3
    assert count(any_ledger, "qualy") == 0
    assert keep(any_ledger, "qualy", [hints("b")], PLENTY).turned, "empty before, so somebody has to be woken"


def test_what_changes_again_while_it_is_read_stays(any_ledger: Ledger) -> None:
    keep(any_ledger, "qualy", [hints("a", "b")], PLENTY)
    reading = waiting(any_ledger, "qualy", PLENTY)
    keep(any_ledger, "qualy", [hints("a")], PLENTY)  # after the record was fetched, for all one knows
    with any_ledger.writing() as connection:
        take_out(connection, "qualy", reading)
    assert [hint.id for hint in waiting(any_ledger, "qualy", PLENTY)] == ["a"]


def test_a_reader_who_comes_late_takes_out_nothing_that_was_told_since(any_ledger: Ledger) -> None:
    keep(any_ledger, "qualy", [hints("a")], PLENTY)
    late = waiting(any_ledger, "qualy", PLENTY)
    read(any_ledger)
    keep(any_ledger, "qualy", [hints("a")], PLENTY)
    with any_ledger.writing() as connection:
        take_out(connection, "qualy", late)
    assert count(any_ledger, "qualy") == 1


def test_a_full_inbox_refuses_a_delivery_as_a_whole_and_takes_what_it_knows(any_ledger: Ledger) -> None:
    kept = keep(any_ledger, "qualy", [hints("a", "b"), hints("c", "d"), hints("c"), hints("a", "b", "c")], most=3)
    assert kept.refused == {1}
    assert {hint.id for hint in waiting(any_ledger, "qualy", PLENTY)} == {"a", "b", "c"}
    assert keep(any_ledger, "qualy", [hints("d")], most=3).refused == {0}
    assert keep(any_ledger, "hubspot", [hints("d")], most=3).refused == set(), "each tool has a room of its own"


def test_the_same_told_in_two_places_at_once_is_told_once_and_turns_the_inbox_once(any_ledger: Ledger) -> None:
    turned: list[bool] = []

    def tell(ledger: Ledger) -> None:
        turned.extend(keep(ledger, "qualy", [hints("a", "b", "c")], PLENTY).turned for _ in range(5))
        ledger.close()

    tellers = [threading.Thread(target=tell, args=(Ledger(any_ledger.url),)) for _ in range(4)]
    for each in tellers:
        each.start()
    for each in tellers:
        each.join()
    assert len(turned) == 20
    assert turned.count(True) == 1
    assert count(any_ledger, "qualy") == 3


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("told"), st.lists(st.sampled_from("abcd"), max_size=3)),
        st.tuples(st.just("begun"), st.integers(1, 4)),
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("died"), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_whatever_happens_in_whatever_order_nothing_told_is_lost_before_it_was_read_after_it(
    ledger: Ledger, acts: list[tuple[str, object]]
) -> None:
    """A record is owed from each telling until a reading that began after it has ended."""
    read(ledger)
    owed: set[str] = set()
    reading: list[Hint] = []
    covered: set[str] = set()
    for act, what in acts:
        if act == "told":
            assert isinstance(what, list)
            keep(ledger, "qualy", [hints(*what)], PLENTY)
            owed |= set(what)
            covered -= set(what)
        elif act == "begun":
            assert isinstance(what, int)
            reading = waiting(ledger, "qualy", what)
            covered = {hint.id for hint in reading}
        elif act == "died":
            reading, covered = [], set()
        else:
            with ledger.writing() as connection:
                take_out(connection, "qualy", reading)
            owed -= covered
            reading, covered = [], set()
        assert {hint.id for hint in waiting(ledger, "qualy", PLENTY)} == owed
