"""What a run did and what needs whom, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from qualy_sync.outcomes import MEANINGS, Actor, Code, Group
from qualy_sync.reconcile import by_currency

from . import words
from .troubles import Trouble
from .values import Count, Story

_DID = (
    (Code.CREATED, "created"),
    (Code.UPDATED, "updated"),
    (Code.PAID, "marked paid"),
    (Code.ADOPTED, "found and linked"),
    (Code.SETTLED_THERE, "found settled by somebody else"),
    (Code.CREDITED, "credited or gave back"),
    (Code.VOIDED, "voided"),
    (Code.REMOVED, "took back"),
)
_NOUNS = {
    "contact": "customer contact",
    "supplier": "partner contact",
    "invoice": "invoice",
    "bill": "bill",
    "settlement": "receipt",
    "pay_out": "pay-out",
    "credit_note": "credit note",
    "supplier_credit": "supplier credit",
    "allocation": "allocation",
}


def lead(story: Story) -> list[str]:
    """The first lines of a report."""
    return [_did(story), stands(story.counts), needs(story.troubles), _agrees(story), story.proof.sentence()]


def verdict(story: Story) -> tuple[str, str]:
    """One line on top, and its colour: good, held or refused."""
    if story.differences or not story.proof.proved or any(line.difference for line in story.lines):
        return "The books do not agree yet", "refused"
    said, colour = state(story.counts, story.troubles)
    return said if colour == "good" else f"In agreement; {said[0].lower()}{said[1:]}", colour


def state(counts: Sequence[Count], troubles: Sequence[Trouble]) -> tuple[str, str]:
    """Whether anything waits, and its colour: good or held."""
    people = sum(trouble.records for trouble in troubles)
    if people:
        return f"{words.records(people)} {'waits' if people == 1 else 'wait'} for a person", "held"
    if any(MEANINGS[count.code].group not in (Group.IN_STEP, Group.EXCLUDED) for count in counts):
        return "The rest goes on by itself", "held"
    return "Everything is in step", "good"


def did(counts: Sequence[Count]) -> list[str]:
    """*created 12 invoices (AUD 3,000.00) and 3 bills*, and so on: one phrase for each thing done."""
    parts = []
    for code, verb in _DID:
        objects = []
        for leg, noun in _NOUNS.items():
            here = [count for count in counts if count.code is code and count.leg == leg]
            if here:
                money = words.amounts({count.currency: count.amount for count in here if count.amount})
                some = words.records(sum(count.records for count in here), noun)
                objects.append(some + (f" ({money})" if money else ""))
        if objects:
            parts.append(f"{verb} {words.listing(objects)}")
    return parts


def _did(story: Story) -> str:
    parts = did(story.done)
    if not parts:
        return f"This run wrote nothing into {story.head.tool}: nothing had changed that could be written."
    return f"In {story.head.tool}, this run {'; it '.join(parts)}."


def stands(counts: Sequence[Count]) -> str:
    """How many records are in step, left out on purpose, or neither."""
    groups: Counter[Group] = Counter()
    for count in counts:
        groups[MEANINGS[count.code].group] += count.records
    total = sum(groups.values())
    rest = total - groups[Group.IN_STEP] - groups[Group.EXCLUDED]
    return (
        f"Of {words.records(total)}, {words.number(groups[Group.IN_STEP])} are in step,"
        f" {words.number(groups[Group.EXCLUDED])} are left out on purpose, and {words.number(rest)} are not in step."
    )


def needs(troubles: Sequence[Trouble]) -> str:
    """Who has to do how many things."""
    by_actor: Counter[Actor] = Counter()
    things: Counter[Actor] = Counter()
    for trouble in troubles:
        by_actor[trouble.actor] += trouble.records
        things[trouble.actor] += 1
    if not by_actor:
        return "Nobody has to do anything."
    parts = [
        f"{_who(actor)} for {words.records(things[actor], 'thing')} ({words.records(by_actor[actor])})"
        for actor in (Actor.FINANCE, Actor.QUALY_ADMIN, Actor.DATA_ENGINEER)
        if by_actor[actor]
    ]
    return f"Waiting for people: {words.listing(parts)}."


def _who(actor: Actor) -> str:
    return f"the {actor}" if actor is not Actor.FINANCE else "finance"


def _agrees(story: Story) -> str:
    tool = story.head.tool
    unexplained = [line for line in by_currency(story.lines) if line.difference]
    if not unexplained and not story.differences:
        currencies = sorted({line.currency for line in story.lines if line.currency})
        return f"Qualy and {tool} agree to the cent in {words.listing(currencies)}." if currencies else ""
    said = [f"{words.amount(line.difference, line.currency)} unexplained" for line in unexplained]
    if story.differences:
        said.append(f"{words.records(story.differences, 'difference')} document by document")
    return f"Qualy and {tool} do not agree: {words.listing(said)}."
