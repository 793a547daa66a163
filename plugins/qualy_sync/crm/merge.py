"""The three-way merge of one field: what both sides said when they last agreed, and what each says now. Pure.

Changed on one side: copied. Changed on both: the rule decides, or a person does. An empty value never erases a filled
one unless the rule says so. What was last agreed is kept as a pair, since a tool may write a value in its own way:
what it then says is no edit. Time stamps play no part: they move without an edit, and are not comparable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from qualy_sync.contracts.crm import Form

from .forms import same


class Way(StrEnum):
    """Which way a field is copied."""

    BOTH = "both"
    TO_TOOL = "to_tool"
    TO_QUALY = "to_qualy"


class Wins(StrEnum):
    """Who wins where both sides changed a field."""

    QUALY = "qualy"
    TOOL = "tool"
    ASK = "ask"


class Reason(StrEnum):
    """Why a field is left unequal: each one is listed with it."""

    ASK = "ask"  # changed on both sides, and a person is to say which one counts
    EMPTIED = "emptied"  # emptied on one side; the other side's value is not erased
    HELD_BACK = "held_back"  # it would change something in Qualy that the settings leave alone
    REFUSED = "refused"  # the other side does not take the value
    TAKEN = "taken"  # another contact there has the value, and only one may


class Choice(StrEnum):
    """What a person decided for a field."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is kept in step. `field` is the tool's name of it.

    `erase`: an empty value may erase a filled one. `into_qualy`: an existing value in Qualy may be changed.
    """

    field: str
    form: Form = Form.TEXT
    way: Way = Way.BOTH
    wins: Wins = Wins.QUALY
    erase: bool = False
    into_qualy: bool = True


@dataclass(frozen=True, slots=True)
class Agreed:
    """What each side said when they last agreed."""

    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What is to be written where (None: nothing), and why the sides stay unequal if they do.

    `agreed` is what to remember at once: a write is remembered when it was answered, with what was answered.
    """

    to_tool: str | None = None
    to_qualy: str | None = None
    agreed: Agreed | None = None
    reason: Reason | None = None

    @property
    def quiet(self) -> bool:
        return self.to_tool is None and self.to_qualy is None


def merge(rule: Rule, base: Agreed | None, ours: str, theirs: str, choice: Choice | None = None) -> Merged:
    """What becomes of a field. `base` is None before the first agreement; `choice` decides where both changed."""
    if same(rule.form, ours, theirs):
        return Merged(agreed=Agreed(ours, theirs))
    ours_moved = base is None or not same(rule.form, ours, base.ours)
    theirs_moved = base is None or not same(rule.form, theirs, base.theirs)
    if not ours_moved and not theirs_moved:
        return Merged(agreed=base)
    if rule.way is Way.TO_TOOL:
        return _to_tool(rule, ours, theirs)
    if rule.way is Way.TO_QUALY:
        return _to_qualy(rule, ours, theirs)
    if ours_moved and theirs_moved:
        return _both_moved(rule, base, ours, theirs, choice)
    return _to_tool(rule, ours, theirs) if ours_moved else _to_qualy(rule, ours, theirs)


def merge_all(
    rules: Iterable[Rule],
    base: Mapping[str, Agreed],
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    choices: Mapping[str, Choice],
) -> dict[str, Merged]:
    """Every field of one pair of records; none looks at another."""
    return {
        rule.field: merge(
            rule,
            base.get(rule.field),
            ours.get(rule.field, ""),
            theirs.get(rule.field, ""),
            choices.get(rule.field),
        )
        for rule in rules
    }


def _both_moved(rule: Rule, base: Agreed | None, ours: str, theirs: str, choice: Choice | None) -> Merged:
    if choice is not None:
        return _take(replace(rule, erase=True), ours, theirs, choice)  # whoever chose saw that a side is empty
    one_is_empty = not ours.strip() or not theirs.strip()
    if one_is_empty and (base is None or not rule.erase):
        return _to_tool(rule, ours, theirs) if ours.strip() else _to_qualy(rule, ours, theirs)
    if rule.wins is Wins.ASK:
        return Merged(reason=Reason.ASK)
    return _take(rule, ours, theirs, Choice.OURS if rule.wins is Wins.QUALY else Choice.THEIRS)


def _take(rule: Rule, ours: str, theirs: str, choice: Choice) -> Merged:
    return _to_tool(rule, ours, theirs) if choice is Choice.OURS else _to_qualy(rule, ours, theirs)


def _to_tool(rule: Rule, ours: str, theirs: str) -> Merged:
    if not ours.strip() and not rule.erase:
        return Merged(reason=Reason.EMPTIED)
    return Merged(to_tool=ours.strip())


def _to_qualy(rule: Rule, ours: str, theirs: str) -> Merged:
    if not theirs.strip() and not rule.erase:
        return Merged(reason=Reason.EMPTIED)
    if not rule.into_qualy:
        return Merged(reason=Reason.HELD_BACK)
    return Merged(to_qualy=theirs.strip())
