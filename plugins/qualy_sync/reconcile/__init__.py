"""Both sides compared: the differences, the totals statement and the completeness proof."""

from __future__ import annotations

from .both_sides import document_rows, reconcile, totals
from .completeness import Completeness, completeness, pin_of, prove
from .found import Difference, Finding
from .statement import COLUMNS, Column, Line, Position, by_currency, column_of, statement

__all__ = [
    "COLUMNS",
    "Column",
    "Completeness",
    "Difference",
    "Finding",
    "Line",
    "Position",
    "by_currency",
    "column_of",
    "completeness",
    "document_rows",
    "pin_of",
    "prove",
    "reconcile",
    "statement",
    "totals",
]
