"""What one extraction carries along: where it writes, what it reads, and what it has counted so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.source import Page, Source
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.cursors import get_cursor, put_cursor
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.source import Saved, save_rows
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings

from .rows import read_row

# Children before parents: whatever a child names is there by the time the parents are read.
ORDER = (
    Kind.SPLIT_INTENT,
    Kind.TRANSACTION,
    Kind.SPLIT,
    Kind.PAYMENT,
    Kind.PARTNER,
    Kind.CUSTOMER,
    Kind.TAX,
    Kind.USER,
    Kind.TEAM,
    Kind.TAG,
)
# What no document hangs on: a tenant without such a list, or a key that may not read it, stops nothing.
OPTIONAL = frozenset({Kind.SPLIT_INTENT, Kind.TAX, Kind.USER, Kind.TEAM, Kind.TAG})


@dataclass
class Tally:
    """What was read of one kind: records, elements that are no records (`strange`), and which ways were taken."""

    saved: Saved = field(default_factory=Saved)
    strange: int = 0
    unreadable: int = 0
    gone: int = 0
    ways: list[str] = field(default_factory=list)
    refused: str = ""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "read": self.saved.new + self.saved.changed + self.saved.unchanged,
            "new": self.saved.new,
            "changed": self.saved.changed,
            "unchanged": self.saved.unchanged,
            "strange": self.strange,
            "unreadable": self.unreadable,
            "gone": self.gone,
            "ways": self.ways,
        }
        return {**found, "refused": self.refused} if self.refused else found


@dataclass
class Session:
    """One extraction at work."""

    ledger: Ledger
    source: Source
    settings: SourceSettings
    clock: Clock
    lease: Lease | None
    number: int = 0
    began: set[Kind] = field(default_factory=set)  # sweeps that this extraction began,
    fresh: set[Kind] = field(default_factory=set)  # and those of them that it also ended
    tallies: dict[Kind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in ORDER})

    def save(self, kind: Kind, page: Page, sweep: int, cursors: dict[str, dict[str, Any]] | None = None) -> None:
        """Commits one page, together with how far the reader got by it."""
        tally = self.tallies[kind]
        read = [read_row(kind, raw, self.settings) for raw in page.rows]
        rows = [row for row in read if row is not None]
        with self.ledger.writing() as connection:
            self.hold(connection)
            saved = save_rows(connection, self.number, kind, rows, self.clock.now(), sweep)
            for name, value in (cursors or {}).items():
                put_cursor(connection, name, value)
        tally.saved += saved
        tally.strange += len(page.strange) + len(read) - len(rows)
        tally.unreadable += sum(row.problem is not None for row in rows)

    def hold(self, connection: sa.Connection) -> None:
        """Renews the lease inside of a transaction, and raises LeaseLost where it is somebody else's."""
        if self.lease is not None:
            self.lease.check(connection)


@dataclass
class Progress:
    """How far a kind has been read; kept in the ledger's cursors.

    `number` counts sweeps; 0 before the first began. `skip` and `known` say where a running sweep goes on. `field` is
    the time stamp that lists proved to sort on (empty: none did), `mark` its newest value so far, in the server's time.
    """

    number: int = 0
    running: bool = False
    completed_at: str = ""
    sort: str = "_id"
    skip: int = 0
    known: Sequence[str] = ()
    field: str = ""
    mark: str = ""

    @property
    def swept(self) -> bool:
        """Whether there was a complete sweep."""
        return bool(self.completed_at)

    def due(self, now: datetime, hours: int) -> bool:
        return (
            self.running or not self.swept or now - datetime.fromisoformat(self.completed_at) >= timedelta(hours=hours)
        )


def cursor_name(kind: Kind) -> str:
    return f"extract:{kind.value}"


def progress_of(ledger: Ledger, kind: Kind) -> Progress:
    """How far `kind` has been read."""
    return Progress(**(get_cursor(ledger, cursor_name(kind)) or {}))
