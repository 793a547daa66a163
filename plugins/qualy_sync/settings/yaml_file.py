"""The settings file as plain values, and the line on which each of them stands.

A small, plain part of YAML: text, numbers, true and false, lists and keys. What people trip over (a code that YAML
takes for a number, a key that stands twice, a tab) is told as such instead of being read in some way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .problems import KeyPath, Problem, SettingsError, dotted

LARGEST_FILE = 512 * 1024  # bytes; a mapping of some thousand partners
MOST_VALUES = 50_000  # an alias counts each time: a small file can unfold into more than a machine holds
DEEPEST = 20

_CORE_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "timestamp", "map", "seq")
}
_TOO_DEEP = re.compile(rf"([\[{{]\s*){{{DEEPEST + 1}}}")  # ruamel takes minutes over such a file
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+|0[oxb][0-9A-Fa-f_]+")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")


@dataclass(slots=True)
class Document:
    """A settings file that could be read: its values, and where they stand."""

    file: str
    values: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)  # the line of the key (of the value, in a list), from 1
    written: dict[KeyPath, str] = field(default_factory=dict)  # plain scalars as they were written
    problems: list[Problem] = field(default_factory=list)
    spoiled: set[KeyPath] = field(default_factory=set)  # told already: no second mistake about these

    def line(self, path: KeyPath) -> int | None:
        """The line of a value, or of the nearest section around it that is in the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def spoil(self, path: KeyPath, line: int, sentence: str) -> None:
        self.problems.append(Problem(self.file, line, dotted(path), sentence))
        self.spoiled.add(path)


def read(path: Path) -> Document:
    """Reads the file. Raises SettingsError where there is nothing that could be read."""
    file = str(path)
    text = _text(path)
    try:
        if _TOO_DEEP.search(text):
            raise RecursionError
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise SettingsError([_syntax(file, text, error)]) from None
    except YAMLError as error:
        raise SettingsError([Problem(file, None, "", f"cannot be read as YAML: {_reason(error)}")]) from None
    except RecursionError:
        raise SettingsError([Problem(file, None, "", f"is nested deeper than {DEEPEST} levels")]) from None
    document = Document(file)
    if node is not None:
        document.values = _Unfolding(document).value(node, ())
    return document


def _text(path: Path) -> str:
    def refuse(sentence: str) -> SettingsError:
        return SettingsError([Problem(str(path), None, "", sentence)])

    if path.is_dir():
        raise refuse("is a directory; name the settings file in it, such as settings.yaml")
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise refuse("is not there; create it, or point QUALY_SETTINGS at your settings file") from None
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror}); mend its permissions, or name another file") from None
    if len(raw) > LARGEST_FILE:
        raise refuse(f"is larger than {LARGEST_FILE // 1024} KiB; that is not a settings file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        sentence = "holds a character that is not UTF-8; save the file with the encoding UTF-8"
        raise SettingsError([Problem(str(path), line, "", sentence)]) from None


def _reason(error: YAMLError) -> str:
    text = str(getattr(error, "reason", "") or getattr(error, "problem", "") or type(error).__name__)
    return text.splitlines()[0]


def _syntax(file: str, text: str, error: MarkedYAMLError) -> Problem:
    """A mistake of YAML's grammar. The line's content stays out of it: it may hold anything."""
    mark = error.problem_mark or error.context_mark
    number = mark.line + 1 if mark is not None else None
    lines = text.splitlines()
    for candidate in (number, number - 1 if number else None):
        if candidate and candidate <= len(lines) and "\t" in re.match(r"\s*", lines[candidate - 1]).group():  # type: ignore[union-attr]
            return Problem(file, candidate, "", "is indented with a tab; YAML wants spaces: put two for each level")
    if "single document" in str(error.context or ""):
        return Problem(file, number, "", "a second document begins (---); the settings are one document")
    problem = str(error.problem or error.context or "this is not YAML").splitlines()[0]
    return Problem(
        file,
        number,
        "",
        f"cannot be read as YAML: {problem}; look at the colons, quotes and indentation here and just above",
    )


class _Unfolding:
    """Turns ruamel's nodes into values, within limits, and notes where each of them stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.left = MOST_VALUES

    def value(self, node: Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.left -= 1
        if self.left < 0:
            raise self._stop(line, f"unfolds into more than {MOST_VALUES:,} values; write it without aliases (&, *)")
        if len(path) > DEEPEST:
            raise self._stop(line, f"is nested deeper than {DEEPEST} levels")
        self.document.lines.setdefault(path, line)
        if node.tag not in _CORE_TAGS:
            self.document.spoil(path, line, "carries a YAML tag (!); write the plain value")
            return None
        kinds: tuple[tuple[type[Node], Callable[[Any, KeyPath], Any]], ...] = (
            (MappingNode, self._mapping),
            (SequenceNode, self._sequence),
            (ScalarNode, self._scalar),
        )
        return next(read for kind, read in kinds if isinstance(node, kind))(node, path)

    def _stop(self, line: int, sentence: str) -> SettingsError:
        return SettingsError([Problem(self.document.file, line, "", sentence)])

    def _sequence(self, node: SequenceNode, path: KeyPath) -> list[Any]:
        return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value.strip() if isinstance(key_node, ScalarNode) else None
            if not key or (key_node.style is None and _NULL.fullmatch(key)):
                self.document.spoil(path, line, "a key here is empty, or is a list or a section; a key is a word")
            elif key == "<<" and key_node.style is None:
                self.document.spoil(path, line, "merging with << is not read here; write the keys out")
            elif key in values:
                first = self.document.lines[(*path, key)]
                self.document.spoil((*path, key), line, f"is there twice: on line {first} too; keep one of them")
            else:
                self.document.lines[(*path, key)] = line
                values[key] = self.value(value_node, (*path, key))
        return values

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        text: str = node.value
        if node.style is not None or (node.tag == "tag:yaml.org,2002:str" and _is_number(text)):
            return text
        self.document.written[path] = text
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text.lower() == "true"
        if _LEADING_ZERO.fullmatch(text):
            sentence = (
                f'found {text} without quotes, which YAML may read as another number; write "{text}" if it is a code'
            )
            self.document.spoil(path, node.start_mark.line + 1, sentence)
            return text
        if _INT.fullmatch(text):
            return int(text) if len(text) < 30 else text
        return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _is_number(text: str) -> bool:
    """Plain text that looks like a number and is tagged as text was tagged by hand: `!!str 090`."""
    return bool(_INT.fullmatch(text) or _DECIMAL.fullmatch(text))
