"""The closed vocabulary: every code says one thing, in a full sentence, to somebody, at a place of its own."""

from __future__ import annotations

from itertools import permutations
from string import Formatter

import pytest

from qualy_sync.outcomes import MEANINGS, Actor, Code, Group, Outcome, Retry, meaning
from qualy_sync.worst_first import WORST_FIRST, worst

# Everything that an outcome's detail may hold: ids, codes, dates, amounts, sentences of ours. No personal data.
KNOWN_FIELDS = {
    "account", "amount", "by", "category", "count", "currency", "date", "field", "fields", "id", "leg", "limit",
    "lock_date", "message", "number", "other", "ours", "party", "problem", "reason", "remote_id", "remote_ids",
    "setting", "start_date",
    "status", "steps", "tax", "there", "tool", "tool_id", "total", "until", "what", "why",
}  # fmt: skip
DECISIONS = {"ours", "theirs", "link", "separate", "ignore", "again"}
EVERY = pytest.mark.parametrize("code", list(Code))


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_every_code_has_one_meaning_and_one_rank() -> None:
    assert set(MEANINGS) == set(Code)
    assert len(WORST_FIRST) == len(set(WORST_FIRST)) == len(Code)
    assert set(WORST_FIRST) == set(Code)


@EVERY
def test_a_code_tells_what_happened_in_words_that_its_detail_can_fill(code: Code) -> None:
    told = meaning(code)
    assert fields(told.sentence) | fields(told.remedy) <= KNOWN_FIELDS
    filled = Outcome(code, {name: "x" for name in KNOWN_FIELDS})
    assert filled.sentence()
    assert "{" not in filled.sentence() + filled.remedy()
    assert "…" not in filled.sentence() + filled.remedy()


@EVERY
def test_a_trouble_names_who_acts_and_what_to_do(code: Code) -> None:
    told = meaning(code)
    assert bool(told.remedy) == told.waits_for_a_person
    assert set(told.decisions) <= DECISIONS
    assert told.waits_for_a_person or not told.decisions
    key = Outcome(code, {}, "thing").trouble_key("xero")
    assert key == (f"xero:{code}:thing" if told.actor is not Actor.NOBODY else None)


@EVERY
def test_a_remedy_names_only_decisions_that_are_offered(code: Code) -> None:
    told = meaning(code)
    named = {word for word in DECISIONS if f"decide {word}" in told.remedy.lower()}
    assert named <= set(told.decisions)


@EVERY
def test_what_is_in_step_or_left_out_asks_nobody(code: Code) -> None:
    told = meaning(code)
    if told.group in (Group.IN_STEP, Group.EXCLUDED):
        assert told.actor is Actor.NOBODY
    if told.group in (Group.FOUND, Group.REFUSED):
        assert told.actor is not Actor.NOBODY
    if told.group is Group.IN_STEP:
        assert told.retry is Retry.SETTLED


def test_what_carries_a_time_names_it() -> None:
    timed = {code for code in Code if meaning(code).retry is Retry.AT_TIME}
    assert timed == {Code.UNKNOWN, Code.OUT_OF_QUOTA}
    assert all("until" in fields(meaning(code).sentence) for code in timed)


def test_a_gap_in_the_detail_never_breaks_a_sentence() -> None:
    assert Outcome(Code.LOCKED).sentence() == "Dated …; … is locked to …."


def test_exactly_these_turn_red_for_every_new_record() -> None:
    red = {code for code in Code if meaning(code).red_for_each}
    assert red == {Code.INVALID, Code.CHANGED_THERE, Code.DUPLICATE_THERE}


@pytest.mark.parametrize(
    ("codes", "shown"),
    [
        ([Code.CREATED, Code.LOCKED], Code.LOCKED),
        ([Code.PAID, Code.CREATED, Code.NOT_YET_PAID], Code.NOT_YET_PAID),
        ([Code.WAITING_FOR, Code.UNKNOWN], Code.UNKNOWN),
        ([Code.DUPLICATE_THERE, Code.UNKNOWN, Code.INVALID], Code.DUPLICATE_THERE),
        ([Code.UNCHANGED], Code.UNCHANGED),
    ],
)
def test_a_record_shows_its_worst_leg_in_whatever_order_they_come(codes: list[Code], shown: Code) -> None:
    assert {worst(list(order)) for order in permutations(codes)} == {shown}


def test_the_rank_goes_from_what_was_written_wrongly_to_what_is_right() -> None:
    place = {code: number for number, code in enumerate(WORST_FIRST)}
    trouble = [place[code] for code in Code if meaning(code).waits_for_a_person]
    quiet = [place[code] for code in Code if meaning(code).group in (Group.IN_STEP, Group.EXCLUDED)]
    assert max(trouble) < min(quiet)


def test_no_codes_have_no_worst() -> None:
    with pytest.raises(ValueError, match="empty"):
        worst([])
