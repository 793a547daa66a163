"""What a run did, for people: the report, the troubles, and one payment explained."""

from __future__ import annotations

from .explain import Explanation, explain
from .make import Report, make_report, store_report, write_copies
from .troubles import Trouble, trouble_labels
from .values import Context

__all__ = [
    "Context",
    "Explanation",
    "Report",
    "Trouble",
    "explain",
    "make_report",
    "store_report",
    "trouble_labels",
    "write_copies",
]
