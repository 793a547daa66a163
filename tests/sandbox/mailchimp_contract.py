"""Calls and answers held against the schemas of Mailchimp's own specification, where a developer has them.

The environment variable ``QUALY_SPECS`` names a directory with ``mailchimp/index.json``, ``mailchimp/delta.json`` and
``mailchimp/schemas-3.0.41/`` (one JSON Schema per operation and direction).
"""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

FOLDER = "mailchimp"
_DELTAS_OF_MEMBERS = ("getListsIdMembersId.out", "putListsIdMembersId.out", "patchListsIdMembersId.out",
                      "postListsIdMembers.out")  # fmt: skip


def specification() -> Path | None:
    """Where the schemas are; None where they are not at hand."""
    folder = os.environ.get("QUALY_SPECS")
    path = Path(folder) / FOLDER if folder else None
    return path if path and (path / "index.json").is_file() else None


class Contract:
    """Which calls the specification knows, and what they carry and answer."""

    def __init__(self, folder: Path) -> None:
        self._schemas = {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in (folder / "schemas-3.0.41").glob("*.json")
        }
        self._operations: list[tuple[str, re.Pattern[str], str]] = []
        for stem, (method, template, _) in json.loads((folder / "index.json").read_text(encoding="utf-8")).items():
            self._operations.append((method, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), stem))
        changes = json.loads((folder / "delta.json").read_text(encoding="utf-8"))["changes"]
        self.new_fields = {name for name in changes["getListsIdMembersId.out"] if "." not in name}

    def problems(self, method: str, path: str, query: dict[str, str], body: Any, status: int, answer: Any) -> list[str]:
        """Everything in which one call, or its answer, is not as the specification says."""
        for known, pattern, stem in self._operations:
            if known == method and pattern.fullmatch(path):
                return self._of(stem, query, body, status, answer)
        return [f"{method} {path} is not in the specification"]

    def _of(self, stem: str, query: dict[str, str], body: Any, status: int, answer: Any) -> list[str]:
        incoming = self._schemas[f"{stem}.in"]["properties"]
        found = [f"{stem} has no parameter {name}" for name in set(query) - set(incoming)]
        if body is not None and "requestBody" in incoming:
            found += _against(incoming["requestBody"], body, f"{stem}: request")
        if status != 200:
            return found
        schema = self._schemas[f"{stem}.out"]
        new = self.new_fields if f"{stem}.out" in _DELTAS_OF_MEMBERS else set()
        found += [f"{stem}: answer has {name}" for name in _unknown(schema, answer, new)]
        return found + _against(schema, answer, f"{stem}: {status}")


def _against(schema: Any, value: Any, where: str) -> list[str]:
    validator = Draft7Validator(_clean(copy.deepcopy(schema)))
    return [
        f"{where}: {'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(value)
    ]


def _unknown(schema: Any, answer: Any, new: set[str]) -> set[str]:
    """Fields at the top of an answer that neither the schemas of 2021 nor the changes since then have."""
    return set(answer) - set(schema.get("properties", {})) - new


def _clean(schema: Any) -> Any:
    """The files mark required parameters by ``required: true``, which JSON Schema does not know; formats are loose.

    A date that is not set is an empty text. Values of merge fields are texts in the files, but numbers and addresses
    in real answers.
    """
    if isinstance(schema, dict):
        if isinstance(schema.get("required"), bool):
            del schema["required"]
        schema.pop("format", None)
        if isinstance(schema.get("merge_fields"), dict):
            schema["merge_fields"].pop("additionalProperties", None)
        for value in schema.values():
            _clean(value)
    elif isinstance(schema, list):
        for value in schema:
            _clean(value)
    return schema
