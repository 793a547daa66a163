"""Calls and answers held against Conta Azul's official OpenAPI documents, for developers who have them at hand.

The environment variable ``QUALY_SPECS`` names a directory with ``contaazul/conta-azul-*-openapi.yml`` (published on
developers.contaazul.com). There is none about people.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

DOCUMENTS = tuple(f"contaazul/conta-azul-{name}-openapi.yml" for name in ("financial", "acquittance", "protocol"))
# Where the real service was seen to do otherwise than its documents say, the stand-in does as it was seen to do.
SEEN_OTHERWISE = re.compile("does not answer 40[49]|has no parameter data_criacao_(de|ate)|buscar: 200: totais/")


def specifications() -> list[Path]:
    """Where the documents are; none where one is not at hand."""
    folder = os.environ.get("QUALY_SPECS")
    paths = [Path(folder) / name for name in DOCUMENTS] if folder else []
    return paths if all(path.is_file() for path in paths) else []


def described(path: str) -> bool:
    """Whether there is a document about it: there is none about people."""
    return path.startswith("/v1/") and not path.startswith("/v1/pessoas")


class Contract:
    """Which calls the documents know, and what they carry and answer."""

    def __init__(self, paths: list[Path]) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._operations: list[tuple[re.Pattern[str], dict[str, Any], str]] = []
        self._registry: Registry[Any] = Registry()
        for number, path in enumerate(paths):
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
            base = f"urn:conta-azul-{number}"
            self._registry = self._registry.with_resource(base, Resource.from_contents(document, DRAFT4))
            for template, operations in document["paths"].items():
                pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template))
                self._operations.append((pattern, operations, f"{base}#/paths/{_pointer(template)}"))

    def problems(self, method: str, path: str, names: set[str], body: Any, status: int, answer: Any) -> list[str]:
        """Everything in which one call, or its answer, is not as the documents say."""
        verb = method.lower()
        found = next(
            ((ops, where) for pattern, ops, where in self._operations if pattern.fullmatch(path) and verb in ops), None
        )
        if found is None:
            return [f"{method} {path} is not in the documents"]
        operation, where = found[0][verb], f"{found[1]}/{verb}"
        known = {one["name"] for one in (*operation.get("parameters", []), *found[0].get("parameters", []))}
        problems = [f"{method} {path} has no parameter {name}" for name in sorted(names - known)]
        if body is not None:
            problems += self._against(operation["requestBody"], f"{where}/requestBody", body, f"{method} {path}")
        if str(status) not in operation["responses"]:
            problems.append(f"{method} {path} does not answer {status}")
        else:
            described = operation["responses"][str(status)]
            problems += self._against(described, f"{where}/responses/{status}", answer, f"{method} {path}: {status}")
        return [one for one in problems if not SEEN_OTHERWISE.search(one)]

    def _against(self, described: dict[str, Any], where: str, value: Any, call: str) -> list[str]:
        if "application/json" not in described.get("content", {}):
            return []
        validator = OAS30Validator({"$ref": f"{where}/content/application~1json/schema"}, registry=self._registry)
        return [
            f"{call}: {'/'.join(map(str, error.path))}: {error.message[:200]}"
            for error in validator.iter_errors(without_nulls(value))
        ]


def without_nulls(value: Any) -> Any:
    """A field that is null counts as one that is not there; the documents hardly ever say which of both they mean."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def _pointer(name: str) -> str:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return escaped.replace("{", "%7B").replace("}", "%7D")
