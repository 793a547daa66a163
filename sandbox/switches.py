"""Open questions about a service, each a switch with its default; the answers in force are kept in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.store import Store

NUMBER = "a number from 0"
TEXT = "a text"

Known = Mapping[str, tuple[Any, tuple[Any, ...]]]
"""Name: the default, and the values that may be set. ``NUMBER`` and ``TEXT`` among them stand for any such."""


class Switches:
    """The readings of one service's documents."""

    def __init__(self, store: Store, fact: str, known: Known) -> None:
        self._store = store
        self._fact = fact
        self._known = known
        self._set: dict[str, Any] = json.loads(store.fact(fact) or "{}")

    def __getitem__(self, name: str) -> Any:
        return self._set.get(name, self._known[name][0])

    def all(self) -> dict[str, Any]:
        """Each reading with its value."""
        return {name: self[name] for name in self._known}

    def set(self, given: dict[str, Any]) -> dict[str, Any]:
        """Switch some. Raises ValueError and names what is known and allowed; then nothing changes."""
        for name, value in given.items():
            if name not in self._known:
                raise ValueError(f"There is no reading {name!r}, only {', '.join(self._known)}.")
            choices = self._known[name][1]
            if not _allowed(value, choices):
                raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}.")
        self._set |= given
        self._store.remember(self._fact, json.dumps(self._set))
        return self.all()


def _allowed(value: Any, choices: tuple[Any, ...]) -> bool:
    if NUMBER in choices and isinstance(value, int | float) and not isinstance(value, bool):
        return value >= 0
    if TEXT in choices and isinstance(value, str):
        return bool(value)
    return any(value == one and type(value) is type(one) for one in choices if one not in (NUMBER, TEXT))
