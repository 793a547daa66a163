"""Filters by equality: three ways to write one into an address, and the same filter applied here.

Qualy documents the text `status[0]=due&status[1]=paid-partial` and not how it is put into the address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

Pairs = list[tuple[str, str]]
STYLES = ("A", "B", "C")
NOBODY = "0" * 24  # an id that no object has


def written(only: Mapping[str, Sequence[str]], style: str) -> Pairs:
    """The query pairs of a filter: A one nested text, B bare, C bracketed. No pairs for any other style."""
    bare = [(f"{name}[{place}]", value) for name, values in only.items() for place, value in enumerate(values)]
    if style == "A":
        return [("filter", urlencode(bare, safe="[]"))]
    if style == "B":
        return bare
    if style == "C":
        return [
            (f"filter[{name}][{place}]", value) for name, values in only.items() for place, value in enumerate(values)
        ]
    return []


def matches(row: Mapping[str, Any], only: Mapping[str, Sequence[str]]) -> bool:
    """Whether a row has one of the wanted values in each named field."""
    return all(_value(row, name) in values for name, values in only.items())


def _value(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row.get("_id") if isinstance(row, Mapping) else row
