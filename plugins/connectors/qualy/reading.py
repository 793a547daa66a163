"""How to read: plain values that the wiring takes from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from qualy_sync.model import Kind

FilterStyle = Literal["auto", "A", "B", "C", "none"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Paths of the lists, size of a page in rows, rows that two pages share, and the pace.

    `requests_per_second` of 0 is no limit at all (for stand-ins). `first_wait` is the longest first pause in seconds
    before a failed read is tried again; each further one may be twice as long.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    filter_style: FilterStyle = "auto"
    page_size: int = 100
    page_overlap: int = 3
    requests_per_second: Decimal = Decimal(2)
    connect_timeout: float = 10
    read_timeout: float = 30
    first_wait: float = 1

    def path(self, kind: Kind) -> str:
        """The path of a list below the connection's address."""
        return self.paths.get(kind, f"/{kind}")
