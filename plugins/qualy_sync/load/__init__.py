"""Steps to the tool, outcomes back. The only part that causes writes outside."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Change, NewAllocation, NewRefund, NewSettlement, Remove, Void
from qualy_sync.contracts.errors import OutOfQuota, Reconnect, Refused, WrongShape
from qualy_sync.ledger.attempts import open_attempts
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.schema import current_outcomes, variant_outcomes
from qualy_sync.ledger.slices import owners_with
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Planned, Step, Terms

from .giving_up import give_up
from .keep import keep_planned
from .pace import OutOfTime, Pace
from .planning import Overview, plan_owners, plan_run, plan_suppliers, preview
from .recoding import look_at_recoded
from .refresh import refresh_chart, refresh_mirror, refresh_organisation
from .sending import Sender, Tally
from .settling import collect, settle, waits_until
from .work import GROUPS, WRITES, Filter, RunProblem, Work

__all__ = [
    "GROUPS",
    "Filter",
    "Overview",
    "RunProblem",
    "Work",
    "give_up",
    "lease_of",
    "load",
    "look_at_recoded",
    "plan_run",
    "preview",
    "refresh_chart",
    "refresh_mirror",
    "refresh_organisation",
    "waits_until",
]

log = logging.getLogger("qualy_sync.load")

SUPPLIERS_AT_ONCE = 200
SECOND_ROUNDS = 2  # for contacts whose name turned out to be taken


def lease_of(work: Work) -> Lease:
    """The lease that keeps writes to this tool and organisation in one line."""
    length = timedelta(seconds=work.accounting.pace.lease_seconds)
    return Lease(work.ledger, f"write:{work.tool.id}:{work.book}", length)


def load(work: Work, group: str) -> dict[str, int]:
    """Writes what is due in one group of legs: `contacts`, `documents` or `settlements`. Returns counts.

    Calls nothing outside when nothing is due and nothing is unsettled. What cannot go now keeps its outcome and
    goes in a later run. Raises LeaseHeld, LeaseLost, RunProblem where a person has to act first, and ToolError where
    the tool could not be read this time.
    """
    if not _has_work(work, group):
        return {}
    tally = Tally()
    with lease_of(work) as lease:
        pace = Pace(work, lease)
        try:
            pace.patiently(lambda: _look_first(work, group, lease))
            terms = work.terms()
            settle(work, terms, group, lease, pace, tally)
            sender = Sender(work, terms, lease, pace, tally)
            _send_all(work, terms, group, sender, lease)
            for _ in range(SECOND_ROUNDS):
                if not sender.clashed or tally.stopped:
                    break
                _again_with_other_names(work, terms, sender, lease)
            collect(work, terms, group, lease, pace, tally)
        except OutOfTime:
            tally.add("its_turn_next")
        except OutOfQuota as error:
            tally.add("out_of_quota")
            tally.stopped = str(error)
        except (Reconnect, Refused, WrongShape) as error:
            raise RunProblem(str(error)) from error
    if tally.stopped:
        log.warning("The %s stop here: %s. The next run goes on.", group, tally.stopped.rstrip("."))
    return tally.counts


def _has_work(work: Work, group: str) -> bool:
    kinds = {str(what) for what in WRITES[group]}
    if any(attempt.what in kinds for attempt in open_attempts(work.ledger, work.book)):
        return True
    legs = [str(leg) for leg in GROUPS[group]]
    with work.ledger.reading() as connection:
        for rows in (current_outcomes, variant_outcomes):
            where = (rows.c.book == work.book, rows.c.code == Code.ITS_TURN, rows.c.leg.in_(legs))
            if connection.execute(rows.select().where(*where).limit(1)).first() is not None:
                return True
    return False


def _look_first(work: Work, group: str, lease: Lease) -> None:
    """Lock dates and what changed in the tool, read once per task that writes."""
    if group != "contacts":
        refresh_organisation(work)
    refresh_mirror(work, work.reads(group), each_page=lease.renew)


def _send_all(work: Work, terms: Terms, group: str, sender: Sender, lease: Lease) -> None:
    legs = [str(leg) for leg in GROUPS[group]]
    queue = _Queue(work, sender)
    for owners in owners_with(work.ledger, work.book, [str(Code.ITS_TURN)], legs):
        plan = plan_owners(work, terms, owners)
        queue.put(_keep_and_pick(work, terms, plan.planned, legs))
        lease.renew()  # where nothing of a slice can go, no call renews it
        if sender.tally.stopped:
            return
    if group == "contacts":
        # Suppliers come after customers: one person may be both, and then shares the contact.
        queue.flush()
        for keys in _suppliers_waiting(work):
            queue.put(_keep_and_pick(work, terms, plan_suppliers(work, terms, keys), legs))
    queue.flush()


def _keep_and_pick(work: Work, terms: Terms, planned: Iterable[Planned], legs: list[str]) -> list[Step]:
    """Keeps what a fresh plan says of these legs, and gives the steps that may go now."""
    mine = [one for one in work.filter.pick(planned) if str(one.leg) in legs]
    keep_planned(work, terms, mine)
    return [one.step for one in mine if one.due and one.step is not None and _is_complete(one.step)]


def _is_complete(step: Step) -> bool:
    """What the step hangs on is linked, so that its remote id is known."""
    new = step.new
    if isinstance(new, NewSettlement):
        return bool(new.document_id)
    if isinstance(new, NewAllocation):
        return bool(new.note_id and new.document_id)
    if isinstance(new, NewRefund):
        return bool(new.contact_id and (new.note_id or step.needs is None or step.needs[0] != Leg.CREDIT_NOTE))
    if isinstance(new, Change):
        return bool(getattr(new.new, "contact_id", "-"))
    return bool(getattr(new, "contact_id", "-"))


def _suppliers_waiting(work: Work) -> Iterable[list[Key]]:
    after = ""
    while True:
        found: set[str] = set()
        with work.ledger.reading() as connection:
            for rows in (current_outcomes, variant_outcomes):
                where = (rows.c.book == work.book, rows.c.leg == Leg.SUPPLIER, rows.c.code == Code.ITS_TURN)
                query = sa.select(rows.c.source_id).where(*where, rows.c.source_id > after).distinct()
                found |= set(connection.scalars(query.order_by(rows.c.source_id).limit(SUPPLIERS_AT_ONCE)))
        ids = sorted(found)[:SUPPLIERS_AT_ONCE]
        if not ids:
            return
        yield [(str(Leg.SUPPLIER), one) for one in ids]
        after = ids[-1]


def _again_with_other_names(work: Work, terms: Terms, sender: Sender, lease: Lease) -> None:
    """Contacts whose name the tool refused: who holds it is read, then they are planned once more."""
    clashed, sender.clashed = sender.clashed, []
    refresh_mirror(work, work.reads("contacts"), each_page=lease.renew)
    queue = _Queue(work, sender)
    owners = sorted({step.source_id for step in clashed if step.leg is Leg.CONTACT})
    partners = sorted({step.key for step in clashed if step.leg is Leg.SUPPLIER})
    wanted = {step.key for step in clashed}
    planned: list[Planned] = []
    if owners:
        planned += plan_owners(work, terms, owners).planned
    if partners:
        planned += plan_suppliers(work, terms, partners)
    queue.put(_keep_and_pick(work, terms, [one for one in planned if one.key in wanted], ["contact", "supplier"]))
    queue.flush()


class _Queue:
    """Fills batches to the tool's limit. No batch holds two steps for one document or one contact key.

    A contact whose email or name another one of this queue has is not sent as it was planned: once the first is
    there, it may be the same person, so that it is planned anew. A second step for one document goes with the next
    batch, so that batches stay full.
    """

    def __init__(self, work: Work, sender: Sender) -> None:
        self._work = work
        self._sender = sender
        self._batches: dict[str, _Batch] = {}  # by what may share a call
        self._keys: set[str] = set()

    def put(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if not self._sender.tally.stopped:
                self._put(step)

    def flush(self) -> None:
        for batch in self._batches.values():
            while batch.now and not self._sender.tally.stopped:
                self._send(batch)

    def _put(self, step: Step) -> None:
        if step.batch_keys & self._keys:
            self._sender.clashed.append(step)
            return
        self._keys |= step.batch_keys
        self._add(self._batches.setdefault(self._work.tool.limits.company(step.what, step.verb), _Batch()), step)

    def _add(self, batch: _Batch, step: Step) -> None:
        clashes = any(touched(step) & touched(other) for other in (*batch.now, *batch.next))
        (batch.next if clashes else batch.now).append(step)
        if max(len(batch.now), len(batch.next)) >= self._limit(batch):
            self._send(batch)

    def _send(self, batch: _Batch) -> None:
        steps, batch.now = batch.now, []
        waiting, batch.next = batch.next, []
        self._sender.send(steps)
        for step in waiting:
            self._add(batch, step)

    def _limit(self, batch: _Batch) -> int:
        limits = self._work.tool.limits
        return min(limits.most(step.what, step.verb) for step in (*batch.now, *batch.next))


@dataclass(slots=True)
class _Batch:
    """Steps that go with the next call of their kind, and those that go with the one after."""

    now: list[Step] = field(default_factory=list)
    next: list[Step] = field(default_factory=list)


def touched(step: Step) -> frozenset[str]:
    """Ids in the tool of the documents that a step changes or applies something to: one step each in a batch."""
    new = step.new
    if isinstance(new, NewSettlement):
        return frozenset({new.document_id})
    if isinstance(new, NewAllocation):
        return frozenset({new.note_id, new.document_id})
    if isinstance(new, NewRefund):
        return frozenset({new.note_id} - {""})
    if isinstance(new, Remove):
        return frozenset({new.there.document_id})
    return frozenset({new.there.id}) if isinstance(new, Change | Void) else frozenset()
