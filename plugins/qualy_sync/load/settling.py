"""Settling what was sent and not answered: replay inside the tool's window, else read back, else wait.

Absence is believed only after Q from the last send, from a complete search; an error is never absence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Accepted, Answered, Declined, Done, NewContact, Remote, What
from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger import mirror
from qualy_sync.ledger.attempts import (
    OpenAttempt,
    OpenStep,
    close_steps,
    end_attempt,
    kind_of_step,
    mark_sent,
    note_absent,
    note_ticket,
    open_attempts,
    take_over,
)
from qualy_sync.ledger.engine import db_now
from qualy_sync.ledger.leases import Lease
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Pending, Step, Terms
from qualy_sync.plan.values import unsettled

from .keep import keep_results
from .pace import Pace
from .sending import Tally, find_steps, judge_answer, judge_found
from .work import WRITES, Work

log = logging.getLogger("qualy_sync.load")

CLOCK_SLACK = timedelta(minutes=2)  # the tool's clock against ours, when a search has to begin before the first send


def settle(work: Work, terms: Terms, group: str, lease: Lease, pace: Pace, tally: Tally) -> None:
    """Settles every open attempt of a group, as far as the time allows. Nothing else may be sent for these steps."""
    kinds = {str(what) for what in WRITES[group]}
    for attempt in open_attempts(work.ledger, work.book):
        if attempt.what not in kinds:
            continue
        if attempt.ended_at is None:
            with work.ledger.writing() as connection:
                lease.check(connection)
                take_over(connection, attempt.id)
        try:
            pace.before_call()
            if _in_window(work, attempt):
                _replay(work, terms, attempt, lease, tally)
                pace.before_call()
            # As it stands now: taken over, sent again, perhaps settled in part.
            for left in open_attempts(work.ledger, work.book, attempt.id):
                _read_back(work, terms, left, lease, tally)
        except ToolError as error:
            log.info("An unanswered call of %s cannot be settled now: %s", attempt.committed_at, error)
            tally.add("still_unknown", len(attempt.steps))


def _in_window(work: Work, attempt: OpenAttempt) -> bool:
    """Whether the tool surely still remembers the key."""
    started = attempt.first_sent_at or attempt.committed_at
    return bool(attempt.body) and work.ledger.now() < started + work.replay


def _replay(work: Work, terms: Terms, attempt: OpenAttempt, lease: Lease, tally: Tally) -> None:
    """Sends the same bytes under the same key. What that does not settle stays open."""
    lease.renew()
    mark_sent(work.ledger, attempt.id)
    reply = work.tool.send(What(attempt.what), attempt.body, attempt.key)
    work.checkpoint("answered")
    if not isinstance(reply, Answered):
        return
    by_ref = {result.ref: result for result in reply.results}
    left = 0
    with work.ledger.writing() as connection:
        for one in attempt.steps:
            result = by_ref.get(one.ref)
            if isinstance(result, Accepted):
                note_ticket(connection, attempt.id, one.ref, result.ticket)
                left += 1
            elif not isinstance(result, Done | Declined) or _taken(result):
                left += 1  # a number that is taken may be taken by our own record: it is looked for
            elif isinstance(result, Done):
                outcome, link = judge_answer(terms, _step(one), result.remote, "created")
                mirror.put(connection, work.book, [result.remote])
                close_steps(connection, attempt.id, [one.ref], "created")
                keep_results(connection, work, {(one.leg, one.source_id): outcome}, [link])
                tally.add(str(outcome.code))
            else:
                close_steps(connection, attempt.id, [one.ref], str(result.code))
                outcome = terms.say(result.code, result.message[:200], message=result.message, number=one.sought)
                keep_results(connection, work, {(one.leg, one.source_id): outcome})
        end_attempt(connection, attempt.id, "unknown" if left else "answered")
    if any(one.ref not in by_ref for one in attempt.steps):
        tally.stopped = f"{work.tool.title} answered without naming every record; nothing more of this kind is sent"


def _taken(result: Done | Declined) -> bool:
    return isinstance(result, Declined) and result.code is Code.NUMBER_TAKEN


def _read_back(work: Work, terms: Terms, attempt: OpenAttempt, lease: Lease, tally: Tally) -> None:
    started = attempt.first_sent_at or attempt.committed_at
    lease.renew()
    read_at = work.ledger.now()  # before the search: what comes while it runs may be missed
    remotes = find_steps(work, [_step(one) for one in attempt.steps], started - CLOCK_SLACK)
    by_ref: dict[str, list[Remote]] = {}
    for remote in remotes:
        by_ref.setdefault(remote.ref, []).append(remote)
    with work.ledger.writing() as connection:
        lease.check(connection)
        mirror.put(connection, work.book, remotes)
        for one in attempt.steps:
            mine = by_ref.get(one.ref)
            if mine:
                outcome, link = judge_found(terms, _step(one), mine)
                close_steps(connection, attempt.id, [one.ref], "found")
                keep_results(connection, work, {(one.leg, one.source_id): outcome}, [link] if link else [])
                tally.add(str(outcome.code))
            else:
                _absent(connection, work, terms, attempt, one, read_at, tally)


def _absent(
    connection: sa.Connection,
    work: Work,
    terms: Terms,
    attempt: OpenAttempt,
    one: OpenStep,
    read_at: datetime,
    tally: Tally,
) -> None:
    """Not there in a complete search: believed after Q from the last send; for some kinds only the second time."""
    what = _step(one).what
    wait = work.settle(what)
    last = attempt.last_sent_at or attempt.committed_at
    twice = what in work.tool.limits.two_absences
    if read_at < last + wait:
        _still_unknown(connection, work, terms, attempt, one, last + wait, tally)
        return
    if twice and (one.absent_at is None or read_at < one.absent_at + wait):
        if one.absent_at is None:
            note_absent(connection, one.id)
        _still_unknown(connection, work, terms, attempt, one, (one.absent_at or read_at) + wait, tally)
        return
    close_steps(connection, attempt.id, [one.ref], "absent")
    keep_results(
        connection,
        work,
        {(one.leg, one.source_id): terms.say(Code.ITS_TURN, why="it was sent once and never arrived")},
    )
    tally.add("absent")


def _still_unknown(
    connection: sa.Connection,
    work: Work,
    terms: Terms,
    attempt: OpenAttempt,
    one: OpenStep,
    until: datetime,
    tally: Tally,
) -> None:
    given_up = attempt.committed_at + timedelta(hours=work.accounting.pace.give_up_hours)
    outcome: Outcome = unsettled(terms, Pending(until, overdue=given_up < db_now(connection)))
    keep_results(connection, work, {(one.leg, one.source_id): outcome}, retry_at=until)
    tally.add("still_unknown")


def _step(one: OpenStep) -> Step:
    """An open step as a step again, as far as judging an answer needs it."""
    return Step(
        what=kind_of_step(one),
        leg=Leg(one.leg),
        source_id=one.source_id,
        ref=one.ref,
        sought=one.sought,
        new=NewContact(ref=one.ref, name="", email=""),
        source_hash=one.source_hash,
        content_hash=one.content_hash,
        amount=one.amount,
        currency=one.currency,
        generation=one.generation,
        variant=one.variant,
        facts=one.frozen,
        seen=one.seen,
    )


def waits_until(work: Work, keys: Sequence[tuple[str, str]] | None = None) -> datetime | None:
    """When the next unanswered step (of these) can be settled; None where there is none."""
    times = [
        max(attempt.last_sent_at or attempt.committed_at, one.absent_at or attempt.committed_at)
        + work.settle(kind_of_step(one))
        for attempt in open_attempts(work.ledger, work.book)
        for one in attempt.steps
        if keys is None or (one.leg, one.source_id) in keys
    ]
    return min(times, default=None)
