"""Settling what was sent to the tool and not answered: read back, by the ref that a contact carries or by its id.

Found: it is linked by the next plan, as any contact that carries our ref. Absent is believed only after Q from the
last send. A change is settled where its values are there; otherwise, after Q, both sides are merged anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from qualy_sync.contracts.crm import Act
from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import OpenAttempt, OpenStep, close_steps, open_attempts, take_over
from qualy_sync.ledger.leases import Lease
from qualy_sync.outcomes import Code

from .gather import keep_outcomes
from .look import by_addresses, reread
from .terms import fingerprint
from .work import CrmWork, Pace

log = logging.getLogger("qualy_sync.crm")


def settle(work: CrmWork, lease: Lease, pace: Pace) -> None:
    """Settles every open attempt at the tool, as far as the time allows."""
    for attempt in open_attempts(work.ledger, work.book):
        if attempt.what not in (Act.CREATE, Act.UPDATE):
            continue
        if attempt.ended_at is None:
            with work.ledger.writing() as connection:
                lease.check(connection)
                take_over(connection, attempt.id)
        try:
            for left in open_attempts(work.ledger, work.book, attempt.id):
                _read_back(work, left, pace)
        except ToolError as error:
            log.info("An unanswered call of %s cannot be settled now: %s", attempt.committed_at, error)
            work.add("still_unknown", len(attempt.steps))


def _read_back(work: CrmWork, attempt: OpenAttempt, pace: Pace) -> None:
    read_at = work.ledger.now()  # before the reading: what comes while it runs may be missed
    believed = read_at >= (attempt.last_sent_at or attempt.committed_at) + work.tool.limits.settle
    if attempt.what == Act.CREATE:
        refs = [one.source_id for one in attempt.steps]
        by_addresses(work, pace, [one.sought for one in attempt.steps], refs)
    else:
        reread(work, pace, [str(one.frozen["remote_id"]) for one in attempt.steps])
    with work.ledger.writing() as connection:
        by_ref = kept.contacts_by_ref(connection, work.book, [one.source_id for one in attempt.steps])
        by_id = kept.contacts_by_id(connection, work.book, [str(one.frozen["remote_id"]) for one in attempt.steps])
        for one in attempt.steps:
            if attempt.what == Act.CREATE:
                there = any(each.state == kept.HERE for each in by_ref.get(one.source_id, ()))
            else:
                contact = by_id.get(str(one.frozen["remote_id"]))
                there = contact is None or contact.state != kept.HERE or _holds(one, contact.values)
            if not there and not believed:
                work.add("still_unknown")
                continue
            close_steps(connection, attempt.id, [one.ref], "found" if there else "absent")
            turn = work.terms.say(Code.ITS_TURN, why="it was sent once and not answered")
            keep_outcomes(connection, work, {one.source_id: (one.source_hash, turn)})
            work.add("settled")


def _holds(one: OpenStep, values: Mapping[str, str]) -> bool:
    """Whether a contact says exactly what was sent for it."""
    return fingerprint({name: values.get(name, "") for name in one.frozen["names"]}) == one.content_hash
