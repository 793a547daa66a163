"""One thing that a check found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How much it matters."""

    OK = "ok"
    NOTE = "note"  # good to know
    BY_HAND = "by hand"  # cannot be read; somebody has to look
    WARNING = "warning"  # works, but perhaps not as meant
    PROBLEM = "problem"  # records will be held, or nothing can run


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a subject."""

    level: Level
    subject: str
    sentence: str
