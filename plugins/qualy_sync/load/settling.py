"""Settling what was sent and not answered: replay inside the tool's window, else read back, else wait.

Absence is believed only after Q from the last send, from a complete search; an error is never absence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from qualy_sync.contracts.accounting import (
    Accepted,
    Answered,
    Declined,
    Done,
    Failed,
    Made,
    NewContact,
    Remote,
    Verb,
    What,
)
from qualy_sync.contracts.errors import ToolError
from qualy_sync.ledger import mirror
from qualy_sync.ledger.attempts import (
    Link,
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

from .judging import DONE_AS, find_steps, judge_answer, judge_effect, judge_found, refusal
from .keep import keep_results
from .pace import Pace
from .sending import Tally
from .work import WRITES, Work

log = logging.getLogger("qualy_sync.load")

# Seconds between two looks for what the tool took and makes later, within one load.
PATIENCE = (5, 10, 20, 30, 40)
CLOCK_SLACK = timedelta(minutes=2)  # the tool's clock against ours, when a search has to begin before the first send


def settle(work: Work, terms: Terms, group: str, lease: Lease, pace: Pace, tally: Tally) -> None:
    """Settles every open attempt of a group, as far as the time allows. Nothing else may be sent for these steps."""
    kinds = {str(what) for what in WRITES[group]}
    attempts = [one for one in open_attempts(work.ledger, work.book) if one.what in kinds]
    _settle_tickets(work, terms, _with_tickets(attempts), lease, pace, tally)
    for attempt in _without_tickets(attempts):
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
            for left in _without_tickets(open_attempts(work.ledger, work.book, attempt.id)):
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
                step = _step(one)
                outcome, made = judge_answer(terms, step, result.remote, "created")
                link = _by_its_settings(made, one)
                mirror.put(connection, work.book, [result.remote])
                close_steps(connection, attempt.id, [one.ref], DONE_AS[step.verb])
                keep_results(connection, work, {one.key: outcome}, [link])
                tally.add(str(outcome.code))
            else:
                close_steps(connection, attempt.id, [one.ref], str(result.code))
                outcome = refusal(terms, _step(one), result)
                keep_results(connection, work, {one.key: outcome})
        end_attempt(connection, attempt.id, "unknown" if left else "answered")
    if any(one.ref not in by_ref for one in attempt.steps):
        tally.stopped = f"{work.tool.title} answered without naming every record; nothing more of this kind is sent"


def _taken(result: Done | Declined) -> bool:
    return isinstance(result, Declined) and result.code is Code.NUMBER_TAKEN


def _read_back(work: Work, terms: Terms, attempt: OpenAttempt, lease: Lease, tally: Tally) -> None:
    started = attempt.first_sent_at or attempt.committed_at
    lease.renew()
    read_at = work.ledger.now()  # before the search: what comes while it runs may be missed
    remotes = find_steps(work, [_step(one) for one in attempt.steps], started - CLOCK_SLACK, lease.renew)
    with work.ledger.writing() as connection:
        lease.check(connection)
        mirror.put(connection, work.book, [one for some in remotes.values() for one in some])
        for one in attempt.steps:
            if not _told(connection, work, terms, attempt, one, remotes.get(one.ref, []), tally):
                _absent(connection, work, terms, attempt, one, read_at, tally)


def _told(
    connection: sa.Connection,
    work: Work,
    terms: Terms,
    attempt: OpenAttempt,
    one: OpenStep,
    mine: Sequence[Remote],
    tally: Tally,
) -> bool:
    """Keeps what a look says of a step; False where it says that nothing happened, as far as can be seen."""
    step = _step(one)
    if step.verb is Verb.CREATE:
        if not mine:
            return False
        outcome, link = judge_found(terms, step, mine)
        fate = "found"
    else:
        seen = judge_effect(terms, step, mine)
        if seen.outcome is None:
            return False
        outcome, link, fate = seen.outcome, seen.link, DONE_AS[step.verb] if seen.fate == "done" else "found"
    close_steps(connection, attempt.id, [one.ref], fate)
    links = [_by_its_settings(link, one)] if link else []
    keep_results(connection, work, {one.key: outcome}, links)
    tally.add(str(outcome.code))
    return True


def _by_its_settings(link: Link, one: OpenStep) -> Link:
    """The link with the version of the settings that made its record: they may have changed since it was sent."""
    return replace(link, settings_version=one.settings_version)


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
        {one.key: terms.say(Code.ITS_TURN, why="it was sent once and never arrived")},
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
    keep_results(connection, work, {one.key: outcome}, retry_at=until)
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
        verb=Verb(one.verb),
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


# -- tickets -------------------------------------------------------------------------------------------------------


def collect(work: Work, terms: Terms, group: str, lease: Lease, pace: Pace, tally: Tally) -> None:
    """Waits a little for what the tool took and makes later, so that what hangs on it can go in the same run."""
    kinds = {str(what) for what in WRITES[group]}
    for seconds in PATIENCE:
        waiting = _with_tickets([one for one in open_attempts(work.ledger, work.book) if one.what in kinds])
        if not waiting:
            return
        pace.wait_until(work.ledger.now() + timedelta(seconds=seconds), "ticket")
        _settle_tickets(work, terms, waiting, lease, pace, tally)


def _with_tickets(attempts: Sequence[OpenAttempt]) -> list[OpenAttempt]:
    """These attempts as far as the tool took their steps and makes them later."""
    parts = [replace(one, steps=tuple(step for step in one.steps if step.ticket)) for one in attempts]
    return [one for one in parts if one.steps]


def _without_tickets(attempts: Sequence[OpenAttempt]) -> list[OpenAttempt]:
    """These attempts as far as nothing is known of their steps: a ticket's step is never searched for its absence."""
    parts = [replace(one, steps=tuple(step for step in one.steps if not step.ticket)) for one in attempts]
    return [one for one in parts if one.steps]


def _settle_tickets(
    work: Work, terms: Terms, attempts: Sequence[OpenAttempt], lease: Lease, pace: Pace, tally: Tally
) -> None:
    """Looks for all of them at once; asks by its ticket for what is not there after a while. None is sent again."""
    if not attempts:
        return
    started = min(attempt.first_sent_at or attempt.committed_at for attempt in attempts)
    steps = [_step(one) for attempt in attempts for one in attempt.steps]
    try:
        pace.before_call()
        lease.renew()
        remotes = find_steps(work, steps, started - CLOCK_SLACK, lease.renew)
    except ToolError as error:
        log.info("What the tool took cannot be looked for now: %s", error)
        return
    for attempt in attempts:
        missing: list[OpenStep] = []
        with work.ledger.writing() as connection:
            lease.check(connection)
            for one in attempt.steps:
                mine = remotes.get(one.ref, [])
                mirror.put(connection, work.book, mine)
                if not _told(connection, work, terms, attempt, one, mine, tally):
                    missing.append(one)
        if work.ledger.now() >= (attempt.last_sent_at or attempt.committed_at) + work.tool.limits.ticket_after:
            for one in missing:
                _ask_by_ticket(work, terms, attempt, one, lease, pace, tally)


def _ask_by_ticket(
    work: Work, terms: Terms, attempt: OpenAttempt, one: OpenStep, lease: Lease, pace: Pace, tally: Tally
) -> None:
    step = _step(one)
    try:
        pace.before_call()
        lease.renew()
        fate = work.tool.outcome_of(step.what, one.ref, one.ticket)
    except ToolError as error:
        log.info("A ticket cannot be asked for now: %s", error)
        return
    key = one.key
    with work.ledger.writing() as connection:
        lease.check(connection)
        if isinstance(fate, Failed):
            close_steps(connection, attempt.id, [one.ref], str(fate.code))
            outcome = refusal(terms, step, Declined(one.ref, fate.code, fate.message))
            keep_results(connection, work, {key: outcome})
            tally.add(str(fate.code))
        elif isinstance(fate, Made) and fate.remote is not None:
            mirror.put(connection, work.book, [fate.remote])
            _told(connection, work, terms, attempt, one, [fate.remote], tally)
        elif isinstance(fate, Made):
            # It stays open: whatever is closed may be sent again.
            outcome = terms.say(
                Code.NEEDS_DECISION,
                "made and not found",
                problem=f"{terms.title} says that it made the record, and it cannot be found there.",
                steps=f"Look for {one.ref} in {terms.title}; once it can be found, this settles by itself.",
            )
            keep_results(connection, work, {key: outcome})
            tally.add("made_and_not_found")
        else:
            until = work.ledger.now() + work.settle(step.what)
            _still_unknown(connection, work, terms, attempt, one, until, tally)
