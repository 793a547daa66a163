"""The suites: one JSON file for each kind of record under `expectations/`.

An expectation has Great Expectations' `type` and `kwargs`, and in `meta` our rule's name, the outcome code of a record
that breaks it, and the detail that fills the code's sentence. Columns are those of `frames`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qualy_sync.model import Kind
from qualy_sync.outcomes import Code

FOLDER = Path(__file__).parents[3] / "expectations"


class QualityError(Exception):
    """The suites cannot be used, or a rule could not be computed; the message says which."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation and what breaking it means."""

    name: str
    code: Code
    detail: Mapping[str, str]
    type: str
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Suite:
    """The rules for one kind of record."""

    name: str
    kind: Kind
    rules: tuple[Rule, ...]


def load_suites(folder: Path = FOLDER) -> tuple[list[Suite], str]:
    """All suites, and a hash over them. Raises QualityError, which names file and rule."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise QualityError(f"There are no suites in {folder.name}/; the data cannot be checked.")
    texts = [file.read_text(encoding="utf-8") for file in files]
    suites = [_suite(file.name, text) for file, text in zip(files, texts, strict=True)]
    return suites, hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _suite(file: str, text: str) -> Suite:
    try:
        given = json.loads(text)
        rules = tuple(_rule(each) for each in given["expectations"])
        suite = Suite(given["name"], Kind(given["kind"]), rules)
    except (ValueError, KeyError, TypeError) as error:
        raise QualityError(
            f"expectations/{file} is not a suite ({type(error).__name__}: {error}). It needs name, kind and"
            " expectations, each with type, kwargs, and meta with rule, code and detail."
        ) from error
    names = [rule.name for rule in suite.rules]
    if len(set(names)) < len(names):
        raise QualityError(f"expectations/{file} names a rule twice; each needs a name of its own.")
    return suite


def _rule(given: Mapping[str, Any]) -> Rule:
    meta = given["meta"]
    return Rule(meta["rule"], Code(meta["code"]), meta.get("detail", {}), given["type"], given["kwargs"])
