"""One extraction: a pass over every kind of record, invisible until it is complete.

A pass that died is gone on with: its rows stay, its recent records are read again, its sweeps resume where they were.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import Refused
from qualy_sync.contracts.source import Source
from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.engine import get_meta, set_meta
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.source import complete_pass, open_pass
from qualy_sync.model import Kind
from qualy_sync.settings import SourceSettings

from .recent import read_recent
from .session import OPTIONAL, ORDER, Session, progress_of
from .sweep import sweep_slice

log = logging.getLogger(__name__)


class OtherTenant(LedgerError):
    """The connection reaches another tenant than the one whose records the ledger holds."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a pass brought. `sweeping`: a complete reading is under way and goes on in the next pass.

    `hints`: how many of the inbox it read.
    """

    number: int
    counts: dict[str, Any]
    swept: bool
    sweeping: bool
    hints: int = 0

    @property
    def changes(self) -> int:
        """Records that are new or changed."""
        return sum(each["new"] + each["changed"] for each in self.counts["kinds"].values())


def extract(
    ledger: Ledger,
    source: Source,
    settings: SourceSettings,
    *,
    clock: Clock | None = None,
    lease: Lease | None = None,
    only_sweep: bool = False,
) -> Extracted:
    """Reads what is new or may have changed, and a slice of a complete reading where one is due.

    The first time everything is read, slice after slice. `only_sweep` leaves recent records alone and goes on with the
    complete reading for a slice: to be repeated while `Extracted.sweeping`. Memory holds one page at a time. Raises
    contracts.errors, LeaseHeld, LeaseLost, StandInMismatch and OtherTenant; what was read until then stays.
    """
    with lease or nullcontext():
        session = Session(ledger, source, settings, clock or ledger, lease)
        enter(session)
        with ledger.writing() as connection:
            session.hold(connection)
            session.number = open_pass(connection, session.clock.now())
        started = session.clock.now()
        first = _first_sweeps(session)
        swept = _slice(session) or first
        if not only_sweep:
            long_ago = session.clock.now() - started > timedelta(minutes=settings.overlap_minutes)
            for kind in ORDER:
                if (long_ago or kind not in session.fresh) and not session.tallies[kind].refused:
                    optionally(session, kind, read_recent)
        return close_pass(session, swept=swept)


def enter(session: Session) -> None:
    """Whether the key is accepted, and whether it is the tenant (and the sort of ledger) that it was before."""
    session.source.whoami()
    session.ledger.stamp(bool(session.source.stand_in))
    _pin_tenant(session.ledger, session.source.tenant)


def _pin_tenant(ledger: Ledger, tenant: str) -> None:
    with ledger.writing() as connection:
        found = get_meta(connection, "tenant")
        if found is None:
            set_meta(connection, "tenant", tenant)
        elif found != tenant:
            raise OtherTenant(
                "This ledger holds the records of another Qualy tenant than the qualy connection reaches. Records of"
                " two tenants never mix: correct the connection's login, or point QUALY_LEDGER_URL at another ledger."
            )


def _first_sweeps(session: Session) -> bool:
    """Sweeps to the end whatever was never swept: True if there was any. Before it nothing can be told."""
    never = [kind for kind in ORDER if not progress_of(session.ledger, kind).swept]
    for kind in never:
        session.tallies[kind].ways.append("sweep")
        optionally(session, kind, _whole_sweep)
    return any(not session.tallies[kind].refused for kind in never)


def _whole_sweep(session: Session, kind: Kind) -> None:
    while not sweep_slice(session, kind, session.settings.sweep_slice_seconds):
        log.info("Still reading %s for the first time: %d records so far.", kind, session.tallies[kind].saved.new)


def _slice(session: Session) -> bool:
    """A slice of the sweep that is due; True where it ended the last kind's."""
    now = session.clock.now()
    left = float(session.settings.sweep_slice_seconds)
    due = [kind for kind in ORDER if _is_due(session, kind, now)]
    for kind in due:
        if left <= 0:
            return False
        session.tallies[kind].ways.append("sweep")
        optionally(session, kind, partial(sweep_slice, seconds=left))
        left = session.settings.sweep_slice_seconds - (session.clock.now() - now).total_seconds()
    return bool(due) and not any(_is_due(session, kind, now) for kind in ORDER)


def _is_due(session: Session, kind: Kind, now: datetime) -> bool:
    return not session.tallies[kind].refused and progress_of(session.ledger, kind).due(
        now, session.settings.full_sweep_hours
    )


def optionally(session: Session, kind: Kind, read: Callable[[Session, Kind], object]) -> None:
    """Reads a kind; where Qualy refuses one that no document needs, that is noted and the others go on."""
    try:
        read(session, kind)
    except Refused as error:
        if kind not in OPTIONAL:
            raise
        session.tallies[kind].refused = error.message
        log.warning("%s It is left out; no document needs it.", error.message)


def close_pass(
    session: Session, *, swept: bool, also: Callable[[sa.Connection], None] = lambda connection: None
) -> Extracted:
    """Makes what the session read visible, together with whatever `also` changes in the same transaction."""
    now = session.clock.now()
    counts = {"kinds": {kind.value: tally.as_json() for kind, tally in session.tallies.items()}}
    with session.ledger.writing() as connection:
        session.hold(connection)
        complete_pass(connection, session.number, now, counts, sweep=swept)
        also(connection)
    for kind, tally in session.tallies.items():
        log.info("%s: %s", kind, ", ".join(f"{name} {value}" for name, value in tally.as_json().items()))
    sweeping = any(_is_due(session, kind, now) for kind in ORDER)
    return Extracted(session.number, counts, swept, sweeping)
