"""The one exception of the runner whose text is all that a person gets to see."""

from __future__ import annotations


class Trouble(Exception):
    """A sentence or two: what is wrong, and what to do about it."""
