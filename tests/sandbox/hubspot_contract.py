"""Calls and answers held against what the official SDK 12.0.0 speaks, for developers who have that at hand.

The environment variable ``QUALY_SPECS`` names a directory with ``hubspot/contract-sdk-12.0.0.json``: operations
(method, path, query, body model, status -> model) and models (fields with types, required fields, enumerations).
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

DOCUMENT = "hubspot/contract-sdk-12.0.0.json"
LIST = re.compile(r"list\[(.+)\]")
MAPPING = re.compile(r"dict\[str, (.+)\]")
PLAIN: dict[str, Any] = {"str": str, "int": int, "bool": bool}


def specification() -> Path | None:
    """Where the document is; None where it is not at hand."""
    folder = os.environ.get("QUALY_SPECS")
    path = Path(folder) / DOCUMENT if folder else None
    return path if path and path.is_file() else None


class Contract:
    """Which calls the SDK makes, and what they carry and get."""

    def __init__(self, path: Path) -> None:
        self._areas = json.loads(path.read_text(encoding="utf-8"))["areas"]
        self._operations = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", operation["path"].rstrip("/"))), operation, area)
            for area, described in self._areas.items()
            for operation in sorted(described["operations"], key=lambda one: one["path"].count("{"))
        ]

    def problems(self, method: str, path: str, query: set[str], body: Any, status: int, answer: Any) -> list[str]:
        """Everything in which one call, or its answer, is not as the document says."""
        where = f"{method} {path}"
        found = [(o, area) for p, o, area in self._operations if p.fullmatch(path.rstrip("/")) and o["http"] == method]
        if not found:
            return [f"{where} is not in the document"]
        operation, area = found[0]
        problems = [f"{where} has no parameter {name}" for name in sorted(query - set(operation["query"]))]
        if operation["body_model"] is not None:
            problems += self._against(area, operation["body_model"], body, f"{where}: request")
        if status >= 400:
            return problems + self._against(area, "Error", answer, f"{where}: {status}")
        if str(status) not in operation["responses"]:
            return [*problems, f"{where} does not answer {status}"]
        model = operation["responses"][str(status)]
        if model is None:
            return problems + ([] if answer is None else [f"{where}: {status} has a body"])
        return problems + self._against(area, model, answer, f"{where}: {status}")

    def _against(self, area: str, model: str, value: Any, where: str) -> list[str]:
        described = self._areas[area]["models"][model]
        if not isinstance(value, dict):
            return [f"{where}: {model} is no object"]
        problems = [f"{where}: {model} lacks {name}" for name in described["required"] if value.get(name) is None]
        for name, kind in described["fields"].items():
            if value.get(name) is None:
                continue
            problems += self._typed(area, kind, value[name], f"{where}: {model}.{name}")
            allowed = described.get("enums", {}).get(name)
            if allowed and value[name] not in allowed:
                problems.append(f"{where}: {model}.{name} is {value[name]!r}")
        return problems

    def _typed(self, area: str, kind: str, value: Any, where: str) -> list[str]:
        listed, mapped = LIST.fullmatch(kind), MAPPING.fullmatch(kind)
        if listed or mapped:
            if not isinstance(value, list if listed else dict):
                return [f"{where} is no {kind}"]
            inner = str((listed or mapped)[1])  # type: ignore[index]
            elements = value if listed else [one for one in value.values() if one is not None]
            return [problem for one in elements for problem in self._typed(area, inner, one, where)]
        if kind in PLAIN:
            right = isinstance(value, PLAIN[kind]) and (kind != "int" or not isinstance(value, bool))
            return [] if right else [f"{where} is no {kind}: {value!r}"]
        if kind == "datetime":
            return [] if _is_moment(value) else [f"{where} is no moment: {value!r}"]
        return [] if kind == "object" else self._against(area, kind, value, where)


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
