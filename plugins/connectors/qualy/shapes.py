"""The shapes of Qualy's answers. The shape of a list is not documented, so what is accepted is a closed set.

Accepted: a bare list; `data` as a list; `data` as an object that holds one list. Anything else is refused loudly: a
missing list is never "no rows".
"""

from __future__ import annotations

import json
import math
from typing import Any

from qualy_sync.contracts.errors import WrongShape

_USUAL = ("docs", "items", "results")


def read_json(body: bytes) -> Any:
    """The document in `body`. Raises ValueError. Numbers that JSON does not have stay text, so no sum meets them."""
    try:
        return json.loads(body, parse_constant=str, parse_float=_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def rows_of(document: Any, path: str) -> list[Any]:
    """The elements of a list answer, as they came. Raises WrongShape."""
    if isinstance(document, list):
        return document
    found = document.get("data") if isinstance(document, dict) else None
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        names = [name for name, value in found.items() if isinstance(value, list)]
        if len(names) > 1:
            own = path.rstrip("/").rpartition("/")[2]
            names = [name for name in names if name in (*_USUAL, own, _camel(own))]
        if len(names) == 1:
            chosen: list[Any] = found[names[0]]
            return chosen
    raise WrongShape(
        f"Qualy's answer to GET {path} is not a list in any known form ({described(document)}). Nothing was concluded"
        " from it. Compare the answer with Qualy's API reference and ask Qualy support whether it changed."
    )


def object_of(document: Any, path: str) -> dict[str, Any]:
    """A single object, under `data` or bare. Raises WrongShape."""
    if isinstance(document, dict):
        found = document.get("data", document)
        if isinstance(found, dict):
            return found
    raise WrongShape(f"Qualy's answer to GET {path} is not an object ({described(document)}).")


def described(document: Any) -> str:
    """A document by its outer form, without any of its values."""
    if not isinstance(document, dict):
        return _kind(document)
    names = [name if name.isidentifier() and len(name) <= 30 else "…" for name in list(document)[:8]]
    inside = "; ".join(f"{shown}: {_kind(value)}" for shown, value in zip(names, document.values(), strict=False))
    return f"an object with {inside}" if inside else "an empty object"


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _camel(name: str) -> str:
    head, *rest = name.split("-")
    return head + "".join(part.capitalize() for part in rest)
