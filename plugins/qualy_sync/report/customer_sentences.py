"""What a run did for customers, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from . import sentences, words
from .values import CustomerStory

REASONS = {
    "ask": "changed on both sides; a person is to decide",
    "emptied": "emptied on one side; the other side's value stays",
    "held_back": "it would change something in Qualy that the settings leave alone",
    "refused": "the other side does not take the value",
    "taken": "another contact there has the value, and only one may",
    "later": "the other side takes the address only after a day",
}
"""Why a field is not equal, by the words of the merge."""

_IN_TOOL = {
    "created": "created",
    "updated": "updated",
    "adopted": "found and linked",
    "moved": "moved to their new address",
}
_IN_QUALY = {"created_in_qualy": "created", "updated_in_qualy": "updated"}
_NOT_ANSWERED = ("unknown", "unreachable", "still_unknown")


def lead(story: CustomerStory) -> list[str]:
    """The first lines of a report."""
    said = [_did(story), sentences.stands(story.counts), sentences.needs(story.troubles), _fields(story)]
    return [*said, _open(story), _calls(story)]


def verdict(story: CustomerStory) -> tuple[str, str]:
    """One line on top, and its colour: good or held."""
    return sentences.state(story.counts, story.troubles)


def _did(story: CustomerStory) -> str:
    there = _things(story.tasks.get("write", {}), _IN_TOOL, "contact")
    here = _things(story.tasks.get("into_qualy", {}), _IN_QUALY, "customer")
    parts = [f"in {story.head.tool} it {there}"] if there else []
    parts += [f"in Qualy it {here}"] if here else []
    if not parts:
        return "This run wrote nothing: nothing had changed that could be written."
    return f"What this run did: {'; '.join(parts)}."


def _things(counts: Mapping[str, int], verbs: Mapping[str, str], noun: str) -> str:
    done = [f"{verb} {words.records(counts[name], noun)}" for name, verb in verbs.items() if counts.get(name)]
    return words.listing(done)


def _fields(story: CustomerStory) -> str:
    many = sum(story.unequal.values())
    if not many:
        return "Every field of every linked customer is the same on both sides."
    return f"{words.records(many, 'field')} {'is' if many == 1 else 'are'} not the same on both sides; why is below."


def _open(story: CustomerStory) -> str:
    many = sum(counts.get(name, 0) for counts in story.tasks.values() for name in _NOT_ANSWERED)
    return f"{words.records(many)} got no clear answer; the next run settles that by looking." if many else ""


def _calls(story: CustomerStory) -> str:
    many = sum(counts.get("calls", 0) for counts in story.tasks.values())
    return f"It took {words.records(many, 'call')} to {story.head.tool}." if many else ""
