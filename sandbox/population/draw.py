"""Deterministic draws and ids: the same key gives the same numbers on every machine and in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")
MASK = (1 << 64) - 1
FIXED_SECONDS = 0x65920080  # 2024-01-01T00:00:00Z, when the agency set up its account

# One number per kind of object, the ninth and tenth digit of its id.
CONTACT, PAYMENT, SPLIT, INTENT, TRANSACTION, PARTNERSHIP, TAX, TAG, TEAM, USER, ITEM = range(1, 12)


def mixed(*parts: object) -> int:
    """A 64-bit number that stands for the parts."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


class Draw:
    """A stream of draws (splitmix64) for one object."""

    __slots__ = ("_state",)

    def __init__(self, base: int, kind: int, index: int) -> None:
        self._state = (base + kind * 0xD1342543DE82EF95 + index * 0xDABA0B6EB09322E3) & MASK

    def below(self, bound: int) -> int:
        """A number from 0 to ``bound`` - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        value = self._state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
        return (value ^ (value >> 31)) % bound

    def between(self, low: int, high: int) -> int:
        """A number from ``low`` to ``high``, both possible."""
        return low + self.below(high - low + 1)

    def of(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]


def object_id(milliseconds: int, kind: int, base: int, number: int) -> str:
    """An id whose first 8 digits are the creation time in seconds, and which ascends with time and number."""
    return f"{milliseconds // 1000:08x}{kind:02x}{base & 0xFFFFFF:06x}{number:08x}"


def fixed_id(kind: int, number: int) -> str:
    """The id of something that is the same in every world, so that settings can name it."""
    return f"{FIXED_SECONDS:08x}{kind:02x}{0:06x}{number:08x}"


def stamp(milliseconds: int) -> str:
    """A moment as Qualy writes it: ISO 8601, UTC, milliseconds, Z."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
