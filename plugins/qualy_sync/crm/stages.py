"""The stages of a CRM run: read the tool, plan both sides from the ledger, write the tool, write Qualy.

Every stage may be repeated at any time: it takes what the ledger says is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.errors import OutOfQuota, Reconnect, Refused, WrongShape
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import open_attempts
from qualy_sync.ledger.cursors import get_cursor, put_cursor
from qualy_sync.ledger.engine import db_now
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.schema import source_rows
from qualy_sync.ledger.slices import changed_owners, every_owner
from qualy_sync.model import Kind

from .audience.gather import MemberPlanner
from .audience.look import look_at_members
from .audience.write import write_members
from .gather import SLICE, Planner, customers_of
from .into_qualy import write_qualy
from .look import is_new, look, note_time
from .new_in_qualy import candidates, offer
from .plan import Planned
from .settle import settle
from .work import CrmProblem, CrmWork, OutOfTime, Pace
from .write import write_tool

Counts = dict[str, int]
LONGEST_READING = 150  # minutes: a list that is read in part says nothing of who is gone


def read(work: CrmWork, hints: Sequence[str] = ()) -> Counts:
    """Brings the mirror up to date; hints are contacts that somebody says have changed."""
    with work.lease() as lease:
        return (look_at_members if work.terms.audience else look)(work, Pace(work, lease, LONGEST_READING), hints)


def plan(work: CrmWork) -> Counts:
    """Plans whatever changed on either side, from the ledger alone, and keeps what it finds out."""
    if is_new(work):
        raise CrmProblem(f"{work.tool.title} was never read: clear the task check, with downstream.")
    planner = planner_of(work)
    counts: Counts = {}
    seen: set[str] = set()
    for ids in _customers(work):
        _tally(counts, _plan(work, planner, ids))
        seen |= set(ids)
    for plans in _dirty(work, planner, seen):
        _tally(counts, plans)
    if not work.only:
        with work.ledger.writing() as connection:
            put_cursor(connection, _planned(work), _now(work))
    return counts


def write(work: CrmWork) -> Counts:
    """Everything that is due in the tool."""
    with _writing(work) as (lease, pace):
        if work.terms.audience:
            write_members(work, lease, pace)
        else:
            settle(work, lease, pace)
            write_tool(work, lease, pace)
            note_time(work)
    return dict(work.counts)


def into_qualy(work: CrmWork) -> Counts:
    """Everything that is due in Qualy, where that is switched on."""
    if work.writer is None:
        return {}
    with _writing(work) as (lease, pace):
        write_qualy(work, lease, pace)
    return dict(work.counts)


def preview(work: CrmWork) -> tuple[list[Planned], list[kept.Mirrored]]:
    """What would be written: plans with something due, and contacts that would become customers in Qualy."""
    planner = planner_of(work)
    plans: list[Planned] = []
    news: list[kept.Mirrored] = []
    for ids in every_owner(work.ledger, work.pin):
        plans += [one for one in planner.plan(ids) if one.due]
    after = ""
    while work.terms.from_tool is not None and work.writer is not None:
        with work.ledger.reading() as connection:
            contacts = kept.contacts_after(connection, work.book, after, SLICE)
            if not contacts:
                break
            whose = customers_of(connection, work, contacts)
        after = contacts[-1].id
        news += list(candidates(work, [one for one in contacts if not whose[one.id]]))
    return plans, news


def retry(work: CrmWork) -> Counts:
    """The records in `only` once more, refused ones too; nothing else is touched."""
    counts = read(work)
    plan(work)
    for stage in (write, into_qualy):
        for name, many in stage(work).items():
            counts[name] = counts.get(name, 0) + many
    return counts


def waits_until(work: CrmWork, keys: Sequence[tuple[str, str]]) -> datetime | None:
    """When the next unanswered call for one of these records can be settled; None where there is none."""
    times = []
    for attempt in open_attempts(work.ledger, work.book):
        in_qualy = attempt.what.startswith("qualy_")
        wait = timedelta(minutes=work.terms.pace.settle_minutes) if in_qualy else work.tool.limits.settle
        sent = attempt.last_sent_at or attempt.committed_at
        times += [sent + wait for one in attempt.steps if (one.leg, one.source_id) in keys]
    return min(times, default=None)


def planner_of(work: CrmWork) -> Planner:
    """How this tool's customers are planned."""
    return MemberPlanner(work) if work.terms.audience else Planner(work)


# -- which customers --------------------------------------------------------------------------------------------------


def _customers(work: CrmWork) -> Iterator[list[str]]:
    """Those that changed at Qualy, or ask for attention; all of them where something that concerns all moved: the
    settings, the day (amounts become overdue), or the name of a user, team or tag."""
    if work.only:
        yield sorted(work.only)
        return
    before = get_cursor(work.ledger, _planned(work)) or {}
    now = _now(work)
    since = int(before.get("pin", 0))
    moved = any(before.get(name) != now[name] for name in ("settings", "day")) or _names_moved(work, since)
    yield from (
        every_owner(work.ledger, work.pin) if moved else changed_owners(work.ledger, since, work.pin, work.book)
    )


def _names_moved(work: CrmWork, since: int) -> bool:
    kinds = [str(Kind.USER), str(Kind.TEAM), str(Kind.TAG)]
    where = (source_rows.c.kind.in_(kinds), source_rows.c.valid_from > since, source_rows.c.valid_from <= work.pin)
    with work.ledger.reading() as connection:
        return connection.execute(sa.select(source_rows.c.id).where(*where).limit(1)).first() is not None


def _planned(work: CrmWork) -> str:
    return f"planned:{work.book}"


def _now(work: CrmWork) -> dict[str, Any]:
    return {"pin": work.pin, "settings": work.terms.settings_version, "day": work.today().isoformat()}


def _dirty(work: CrmWork, planner: Planner, seen: set[str]) -> Iterator[list[Planned]]:
    """Customers of contacts that changed, but those that were planned just now; contacts that are nobody's may become
    customers in Qualy."""
    after = ""
    while True:
        with work.ledger.reading() as connection:
            read_before = db_now(connection)
            contacts = kept.dirty_contacts(connection, work.book, after, SLICE)
            if not contacts:
                return
            whose = customers_of(connection, work, contacts)
        after = contacts[-1].id
        ids = sorted({source_id for found in whose.values() for source_id in found} - seen)
        if ids:
            yield _plan(work, planner, ids)
        if not work.only:
            offer(work, [one for one in contacts if not whose[one.id]])
            with work.ledger.writing() as connection:
                kept.clean(connection, work.book, [one.id for one in contacts], read_before)


def _plan(work: CrmWork, planner: Planner, ids: Sequence[str]) -> list[Planned]:
    plans = planner.plan(ids)
    planner.keep(plans)
    return plans


def _tally(counts: Counts, plans: Sequence[Planned]) -> None:
    for one in plans:
        name = str(one.outcome.code) if one.outcome is not None else "to_write"
        counts[name] = counts.get(name, 0) + 1


# -- shared -----------------------------------------------------------------------------------------------------------


@contextmanager
def _held(work: CrmWork) -> Iterator[tuple[Lease, Pace]]:
    """The lease of a stage, and its pace."""
    with work.lease() as lease:
        yield lease, Pace(work, lease)


@contextmanager
def _writing(work: CrmWork) -> Iterator[tuple[Lease, Pace]]:
    """A stage that writes; what stops it early leaves the rest its turn."""
    work.counts.clear()
    with _held(work) as held:
        try:
            yield held
        except OutOfTime:
            work.add("its_turn_next")
        except OutOfQuota:
            work.add("out_of_quota")
        except (Reconnect, Refused, WrongShape) as error:
            raise CrmProblem(str(error)) from error
