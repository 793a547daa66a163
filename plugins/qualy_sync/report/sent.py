"""What was sent for one record: its element of a batched body, with people's names and addresses hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(hidden)"
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")
_PERSONAL = re.compile(r"name|email|phone|address|contactperson|description", re.IGNORECASE)
_NOT_PERSONAL = re.compile(r"^(account|tax|currency|brand).*name$", re.IGNORECASE)


def element(body: bytes, keys: tuple[str, ...]) -> Any | None:
    """The innermost list entry of a JSON body that carries one of the keys; None where there is none.

    Numbers with decimals come as text, digit by digit as they were sent.
    """
    try:
        found = _search(json.loads(body, parse_float=str), frozenset(key for key in keys if key))
    except ValueError:
        return None
    return found


def redacted(value: Any) -> Any:
    """The same without what says who somebody is."""
    if isinstance(value, Mapping):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return _EMAIL.sub(HIDDEN, value) if isinstance(value, str) else value


def _hidden(key: str, value: Any) -> Any:
    personal = _PERSONAL.search(key) and not _NOT_PERSONAL.match(key)
    if personal and isinstance(value, str):
        return HIDDEN if value else value
    return redacted(value)


def _search(value: Any, keys: frozenset[str]) -> Any | None:
    if isinstance(value, Mapping):
        for inner in value.values():
            if (found := _search(inner, keys)) is not None:
                return found
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, Mapping) and _carries(entry, keys):
                return entry
    return None


def _carries(value: Any, keys: frozenset[str]) -> bool:
    if isinstance(value, Mapping):
        return any(_carries(inner, keys) for inner in value.values())
    if isinstance(value, list):
        return any(_carries(inner, keys) for inner in value)
    return isinstance(value, str) and value in keys
