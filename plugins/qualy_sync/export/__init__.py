"""What the ledger holds, as tables for anybody: customers, payments, splits, outcomes, for CSV files."""

from __future__ import annotations

from .reading import BEGINNING, Position, Span, position, position_before, tables
from .tables import COLUMNS, Table, write_table

__all__ = [
    "BEGINNING",
    "COLUMNS",
    "Position",
    "Span",
    "Table",
    "position",
    "position_before",
    "tables",
    "write_table",
]
