"""A mistake in the settings file, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what was found and what is allowed."""

    file: str
    line: int | None
    key: str
    sentence: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        text = f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


class SettingsError(Exception):
    """The settings cannot be used. Tells every mistake, one a line, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        count = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        super().__init__("\n".join([f"The settings cannot be used: {count}.", *map(str, self.problems)]))


def nearest(word: str, words: Iterable[str]) -> str:
    """`; did you mean X?` where one of the words is close, else nothing."""
    known = {entry.lower(): entry for entry in words}
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.7)
    return f"; did you mean {known[close[0]]}?" if close else ""


def dotted(path: KeyPath) -> str:
    """A path as people read it: `accounting.items.Tuition.role`, `accounting.splits.map[0].account`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
