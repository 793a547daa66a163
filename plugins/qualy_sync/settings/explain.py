"""Pydantic's errors, told as somebody who edits a YAML file needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from .catalogue import allowed, keys_at, schema_at, unknown_key
from .problems import KeyPath, Problem, dotted, nearest
from .yaml_file import Document

_SHOWN = 60


def explain(document: Document, errors: Iterable[ErrorDetails]) -> list[Problem]:
    """One problem for each mistake; what the file's reader has told already is left out."""
    problems: dict[tuple[KeyPath, str], Problem] = {}
    for error in errors:
        path = _path(document, error)
        if any(path[:length] in document.spoiled for length in range(len(path) + 1)):
            continue
        sentence = _sentence(document, path, error)
        problems.setdefault((path, sentence), Problem(document.file, document.line(path), dotted(path), sentence))
    return list(problems.values())


def _path(document: Document, error: ErrorDetails) -> KeyPath:
    """The part of pydantic's location that stands in the file; a missing key is named though it does not."""
    path: KeyPath = ()
    for part in error["loc"]:
        if (*path, part) in document.lines or error["type"] == "missing":
            path = (*path, part)
    return path


def _sentence(document: Document, path: KeyPath, error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "missing":
        return f"is missing; allowed: {_allowed(path)}"
    if kind == "extra_forbidden" or error["loc"][-1] == "[key]":
        return _unknown(path, error)
    if kind == "refused":
        return str(error["ctx"]["sentence"])
    found = error["input"]
    if kind == "string_type" and path in document.written and not isinstance(found, (bool, type(None))):
        text = document.written[path]
        return f'found the number {text}; a code or name is text, in quotes: "{text}"'
    if found is None:
        return f"is empty; allowed: {_allowed(path)}"
    close = nearest(found, _choices(path)) if isinstance(found, str) else ""
    return f"found {_shown(found)}; allowed: {_allowed(path)}{close}{_hint(kind, found)}"


def _unknown(path: KeyPath, error: ErrorDetails) -> str:
    name = str(path[-1]) if path else ""
    if error["type"] == "refused":
        return str(error["ctx"]["sentence"])
    around = path[:-1]
    special = unknown_key(around, name)
    known = keys_at(around)
    close = nearest(name, known)
    if special and not close:
        return special
    return f"is not a setting here{close}; known here: {', '.join(known)}"


def _allowed(path: KeyPath) -> str:
    node = schema_at(path)
    return allowed(node) if node else "nothing"


def _choices(path: KeyPath) -> list[str]:
    return [value for value in (schema_at(path) or {}).get("enum", ()) if isinstance(value, str)]


def _hint(kind: str, found: Any) -> str:
    if kind == "bool_type" and isinstance(found, str) and found.lower() in {"yes", "no", "on", "off", "true", "false"}:
        return f"; write {'true' if found.lower() in {'yes', 'on', 'true'} else 'false'}, without quotes"
    if kind == "tuple_type" and isinstance(found, str):
        return f"; write [{found}]"
    if kind in {"int_type", "decimal_type", "is_instance_of"} and isinstance(found, str):
        return "; write digits alone, without quotes or separators"
    return ""


def _shown(found: Any) -> str:
    """A value as it was found, short, and without anything that a terminal would act upon."""
    if isinstance(found, Mapping):
        return "a section"
    if isinstance(found, (list, tuple)):
        return "a list"
    if isinstance(found, bool):
        return "true" if found else "false"
    text = repr(found) if isinstance(found, str) else str(found)
    text = text.encode("ascii", "backslashreplace").decode() if not text.isprintable() else text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
