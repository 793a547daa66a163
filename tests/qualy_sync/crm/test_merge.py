"""The merge of one field between two people who know nothing of each other, and a tool with habits of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_sync.contracts.crm import Form
from qualy_sync.crm.forms import normal, same
from qualy_sync.crm.merge import Agreed, Choice, Merged, Reason, Rule, Way, Wins, merge, merge_all

VALUES = {
    Form.TEXT: ["", " ", "Ana", " Ana", "Zoë", "Zoe\u0308", "O'Neill"],
    Form.EMAIL: ["", "ana@school.test", " Ana@School.TEST ", "ana+1@school.test"],
    Form.PHONE: ["", "+61 400 000 001", "+61400000001", "0061 400-000-001", "0400 000 001"],
    Form.NUMBER: ["", "10", "10.0", "010", "10.5", "ten"],
    Form.DATE: ["", "2026-03-04", "1772582400000", "2026-03-05", "soon"],
    Form.MOMENT: ["", "2026-03-04T00:00:00Z", "1772582400000", "2026-03-04T01:00:00+01:00", "2026-03-04T00:00:01Z"],
    Form.BOOL: ["", "true", "TRUE", "yes", "false"],
}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    return Rule(
        field="field",
        form=draw(st.sampled_from(sorted(VALUES))),
        way=draw(st.sampled_from(sorted(Way))),
        wins=draw(st.sampled_from(sorted(Wins))),
        erase=draw(st.booleans()),
        into_qualy=draw(st.booleans()),
    )


@dataclass
class Pair:
    """One field on both sides, and a tool that writes what it is given in its own way."""

    rule: Rule
    ours: str = ""
    theirs: str = ""
    base: Agreed | None = None
    reason: Reason | None = None
    writes: int = 0

    def run(self, choice: Choice | None = None) -> Merged:
        found = merge(self.rule, self.base, self.ours, self.theirs, choice)
        self.reason = found.reason
        if found.agreed is not None:
            self.base = found.agreed
        if found.to_tool is not None:
            self.theirs = habit(found.to_tool)
        if found.to_qualy is not None:
            self.ours = found.to_qualy
        if not found.quiet:
            self.writes += 1
            self.base = Agreed(self.ours, self.theirs)  # as answered, not as sent
        return found

    @property
    def in_step(self) -> bool:
        form = self.rule.form
        as_agreed = self.base is not None and same(form, self.ours, self.base.ours)
        return (as_agreed and same(form, self.theirs, self.base.theirs)) or same(form, self.ours, self.theirs)


def habit(text: str) -> str:
    """A tool that changes what it is told: lower case, and no blanks."""
    return text.lower().replace(" ", "")


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    rule = draw(rules())
    return Pair(rule, draw(values(rule.form)), draw(values(rule.form)))


def values(form: Form) -> st.SearchStrategy[str]:
    return st.sampled_from(VALUES[form]) | st.text(max_size=5)


@given(pairs(), st.data())
def test_no_loop_however_the_tool_writes_what_it_is_told(pair: Pair, data: st.DataObject) -> None:
    for _ in range(3):
        pair.run()
        settled = (pair.ours, pair.theirs)
        again = pair.run()
        assert again.quiet
        assert (pair.ours, pair.theirs) == settled
        assert pair.in_step or pair.reason is not None
        side = data.draw(st.sampled_from(["ours", "theirs"]))
        setattr(pair, side, data.draw(values(pair.rule.form)))


@given(pairs(), st.data())
def test_an_edit_of_one_side_is_never_lost(pair: Pair, data: st.DataObject) -> None:
    pair.rule = replace(pair.rule, way=Way.BOTH)
    pair.run(Choice.OURS if pair.rule.into_qualy else Choice.THEIRS)
    if not pair.in_step:
        return
    side = data.draw(st.sampled_from(["ours", "theirs"]))
    edit = data.draw(values(pair.rule.form))
    setattr(pair, side, edit)
    pair.run()
    assert same(pair.rule.form, getattr(pair, side), edit)
    other = pair.theirs if side == "ours" else pair.ours
    told = habit(edit.strip()) if side == "ours" else edit
    assert pair.in_step or pair.reason in (Reason.EMPTIED, Reason.HELD_BACK)
    if pair.writes > 1:
        assert same(pair.rule.form, other, told)


@given(rules(), st.data())
def test_which_side_was_edited_first_does_not_matter(rule: Rule, data: st.DataObject) -> None:
    """Both edited between two runs: what counts is the values, not the order of the clicks."""
    base = Agreed(data.draw(values(rule.form)), data.draw(values(rule.form)))
    ours, theirs = data.draw(values(rule.form)), data.draw(values(rule.form))
    found = merge(rule, base, ours, theirs)
    turned = merge(mirrored(rule), Agreed(base.theirs, base.ours), theirs, ours)
    if rule.into_qualy:
        assert (turned.to_qualy, turned.to_tool, turned.reason) == (found.to_tool, found.to_qualy, found.reason)


def mirrored(rule: Rule) -> Rule:
    ways = {Way.TO_TOOL: Way.TO_QUALY, Way.TO_QUALY: Way.TO_TOOL, Way.BOTH: Way.BOTH}
    wins = {Wins.QUALY: Wins.TOOL, Wins.TOOL: Wins.QUALY, Wins.ASK: Wins.ASK}
    return replace(rule, way=ways[rule.way], wins=wins[rule.wins], into_qualy=True)


@given(st.lists(rules(), min_size=1, max_size=5), st.randoms(), st.data())
def test_the_order_of_fields_does_not_matter(given_rules: list[Rule], random: object, data: st.DataObject) -> None:
    some = [replace(rule, field=f"f{number}") for number, rule in enumerate(given_rules)]
    ours = {rule.field: data.draw(values(rule.form)) for rule in some}
    theirs = {rule.field: data.draw(values(rule.form)) for rule in some}
    base = {rule.field: Agreed(data.draw(values(rule.form)), data.draw(values(rule.form))) for rule in some[::2]}
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge_all(shuffled, base, ours, theirs, {}) == merge_all(some, base, ours, theirs, {})


@given(pairs(), st.data())
def test_an_empty_value_never_erases_a_filled_one_unless_told(pair: Pair, data: st.DataObject) -> None:
    pair.rule = replace(pair.rule, erase=False)
    for _ in range(4):
        before = (pair.ours, pair.theirs)
        pair.run()
        for old, new in zip(before, (pair.ours, pair.theirs), strict=True):
            assert bool(normal(pair.rule.form, new)) >= bool(normal(pair.rule.form, old))
        setattr(pair, data.draw(st.sampled_from(["ours", "theirs"])), data.draw(values(pair.rule.form)))


@given(pairs(), st.sampled_from(sorted(Choice)))
def test_what_a_person_decided_is_done_and_asked_no_more(pair: Pair, choice: Choice) -> None:
    pair.rule = replace(pair.rule, way=Way.BOTH, wins=Wins.ASK, into_qualy=True)
    pair.base = Agreed("as it was", "as it was")
    wanted = pair.ours if choice is Choice.OURS else pair.theirs
    if merge(pair.rule, pair.base, pair.ours, pair.theirs).reason is not Reason.ASK:
        return
    pair.run()
    assert pair.reason is Reason.ASK
    pair.run(choice)
    assert same(pair.rule.form, pair.ours, wanted)
    assert pair.run().quiet
    assert pair.reason is None


@pytest.mark.parametrize(
    ("wins", "expected"),
    [
        (Wins.QUALY, Merged(to_tool="Ana")),
        (Wins.TOOL, Merged(to_qualy="Anna")),
        (Wins.ASK, Merged(reason=Reason.ASK)),
    ],
)
def test_changed_on_both_sides_goes_by_the_settings(wins: Wins, expected: Merged) -> None:
    rule = Rule("firstname", wins=wins)
    assert merge(rule, Agreed("An", "An"), "Ana", "Anna") == expected
    assert merge(rule, None, "Ana", "Anna") == expected


def test_the_first_time_the_filled_side_fills_the_empty_one() -> None:
    for wins in Wins:
        rule = Rule("phone", Form.PHONE, wins=wins, erase=True)
        assert merge(rule, None, "+61 400 000 001", "") == Merged(to_tool="+61 400 000 001")
        assert merge(rule, None, "", "+61 400 000 001") == Merged(to_qualy="+61 400 000 001")


def test_a_changed_email_is_not_written_into_qualy_unless_the_settings_say_so() -> None:
    rule = Rule("email", Form.EMAIL, into_qualy=False)
    base = Agreed("ana@school.test", "ana@school.test")
    assert merge(rule, base, "ana@school.test", "ana@home.test") == Merged(reason=Reason.HELD_BACK)
    assert merge(rule, base, "ana@work.test", "ana@school.test") == Merged(to_tool="ana@work.test")


def test_what_the_tool_makes_of_a_value_is_no_edit() -> None:
    rule = Rule("phone", Form.TEXT)
    assert merge(rule, Agreed("0400 000 001", "+61400000001"), "0400 000 001", "+61400000001").quiet


@pytest.mark.parametrize(
    ("form", "one", "other"),
    [
        (Form.EMAIL, " Ana@School.TEST", "ana@school.test"),
        (Form.NUMBER, "10", "10.0"),
        (Form.DATE, "1772582400000", "2026-03-04"),
        (Form.MOMENT, "1772582400000", "2026-03-04T00:00:00Z"),
        (Form.BOOL, "TRUE", "true"),
        (Form.PHONE, "+61 (400) 000-001", "+61400000001"),
        (Form.TEXT, "Zoe\u0308", "Zoë"),
    ],
)
def test_texts_that_mean_the_same_are_equal(form: Form, one: str, other: str) -> None:
    assert same(form, one, other)
    assert not same(form, one, "")
