"""Calls and answers held against Xero's official OpenAPI document, for developers who have it at hand.

The environment variable ``QUALY_SPECS`` names a directory with ``xero/xero_accounting.yaml``
and ``xero/xero-identity.yaml`` (github.com/XeroAPI/Xero-OpenAPI).
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

DOCUMENT = "xero/xero_accounting.yaml"
IDENTITY = "xero/xero-identity.yaml"
BASE = "urn:xero"


def specification(document: str = DOCUMENT) -> Path | None:
    """Where a document is; None where it is not at hand."""
    folder = os.environ.get("QUALY_SPECS")
    path = Path(folder) / document if folder else None
    return path if path and path.is_file() else None


class Contract:
    """Which calls the document knows, and what they carry and answer."""

    def __init__(self, path: Path) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        self._document = document
        self._registry = Registry().with_resource(BASE, Resource.from_contents(document, DRAFT4))
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), template) for template in document["paths"]
        ]

    def problems(self, method: str, path: str, query: dict[str, str], body: Any, status: int, answer: Any) -> list[str]:
        """Everything in which one call, or its answer, is not as the document says."""
        operation, template = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in the document"]
        found = [f"{method} {path} has no parameter {name}" for name in set(query) - self._names(operation, template)]
        if body is not None:
            found += self._against(operation["requestBody"], body, f"{method} {path}: request")
        described = operation["responses"].get(str(status))
        if described is None:
            return [*found, f"{method} {path} does not answer {status}"]
        return found + self._against(described, answer, f"{method} {path}: {status}")

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any] | None, str]:
        plain = [template for pattern, template in self._paths if template == path]
        fitting = plain or [template for pattern, template in self._paths if pattern.fullmatch(path)]
        for template in fitting:
            operation = self._document["paths"][template].get(method.lower())
            if operation is not None:
                return operation, template
        return None, path

    def _names(self, operation: dict[str, Any], template: str) -> set[str]:
        given = [*operation.get("parameters", []), *self._document["paths"][template].get("parameters", [])]
        return {self._resolved(one)["name"] for one in given}

    def _against(self, described: dict[str, Any], value: Any, where: str) -> list[str]:
        described = self._resolved(described)
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return []
        listed = "items" in schema
        validator = self._validator(_key(schema["items"] if listed else schema))
        if listed and not isinstance(value, list):
            return [f"{where}: is no list"]
        return [
            f"{where}: {'/'.join(map(str, error.path))}: {error.message[:200]}"
            for one in (value if listed else [value])
            for error in validator.iter_errors(one)
        ]

    def _resolved(self, one: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in one:
            target: Any = self._document
            for part in one["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            one = target
        return one

    @cache  # noqa: B019 - one contract lives as long as the tests
    def _validator(self, reference: str) -> OAS30Validator:
        return OAS30Validator({"$ref": f"{BASE}{reference}"}, registry=self._registry)


def _key(schema: dict[str, Any]) -> str:
    if "$ref" not in schema:
        raise ValueError(f"The document describes a body in place, which this check does not read: {schema}")
    return str(schema["$ref"])
