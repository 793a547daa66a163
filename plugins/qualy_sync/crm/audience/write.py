"""Members into an audience: few changes one by one, many handed over at once, values first and tags behind them.

Everything is noted before it is sent. What comes to no answer is simply due again: saying the same once more does no
harm, since nothing that is sent can change anybody's consent. So a crash costs calls, never a wrong member.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from qualy_sync.contracts.accounting import NotSent, RejectedWhole
from qualy_sync.contracts.audience import Progress, Started
from qualy_sync.contracts.crm import Act, Answered, Change, NewContact, Write
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Unreachable
from qualy_sync.ledger.attempts import OpenAttempt, StepTaken, commit_attempt, end_attempt, open_attempts
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.slices import Group
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code

from .. import gate
from ..gather import customers_with, keep_outcomes
from ..plan import Planned
from ..terms import AudienceTerms
from ..work import CrmProblem, CrmWork, Pace
from ..write import step_row
from .gather import MemberPlanner, tool_of
from .look import look_at_archived
from .settle import Settler, ticket_of

log = logging.getLogger("qualy_sync.crm")

ONE_BY_ONE, HANDED_OVER = "members", "member_batch"
MOST_ROUNDS = 8
MOST_TRIES = 3  # of one customer's values, and of the tags, in one run
MOST_LOST = 3  # calls in a row without an answer
SLOWEST_POLL = timedelta(seconds=60)
NOBODYS = Group("", None, (), {}, {})


def write_members(work: CrmWork, lease: Lease, pace: Pace) -> None:
    """Writes everything whose turn it is. Raises CrmProblem, OutOfTime, OutOfQuota, LeaseLost, ToolError."""
    Writer(work, lease, pace).run()


class Writer:
    """One run's writing."""

    def __init__(self, work: CrmWork, lease: Lease, pace: Pace) -> None:
        assert work.terms.audience is not None  # only those works come here
        self._work = work
        self._lease = lease
        self._pace = pace
        self._tool = tool_of(work)
        self._how: AudienceTerms = work.terms.audience
        self._planner = MemberPlanner(work)
        self._settler = Settler(work, pace, self._planner)
        self._tries: Counter[tuple[str, bool]] = Counter()
        self._lost = 0
        self._looked = False
        self.stopped = False

    def run(self) -> None:
        """Picks up what an earlier run left open, then round after round until nothing is due."""
        self._fetch()
        for _ in range(MOST_ROUNDS):
            due = self._due()
            if not due and not self._open():
                return
            if len(due) <= self._how.direct_up_to:
                self._one_by_one(due)
            else:
                self._hand_over(due)
            self._wait()
            if self.stopped:
                return

    # -- what is due

    def _due(self) -> list[Planned]:
        """Everything that may be sent, planned anew. What the gate holds is told so."""
        found: list[Planned] = []
        for ids in customers_with(self._work, [Code.ITS_TURN, Code.NOT_CONFIRMED, Code.MASS_CHANGE]):
            plans = self._planner.plan(ids)
            self._planner.keep([one for one in plans if one.act is None])
            found += [_light(one) for one in plans if one.act and self._tries[_try(one)] < MOST_TRIES]
        if found and not self._looked:
            self._looked = True
            look_at_archived(self._work, self._pace)
            return self._due()
        due = self._not_held(found)
        self._planner.keep(due)
        return due

    def _not_held(self, plans: list[Planned]) -> list[Planned]:
        """Without what waits for a confirmation. Everybody is counted at once: the breaker trips before the first."""
        work = self._work
        people = [one for one in plans if _has_values(one)]
        steps = [gate.step(Leg.CONTACT, one.person.id, one.person.email) for one in people]
        new = [place for place, one in enumerate(people) if one.act is Act.CREATE]
        with work.ledger.writing() as connection:
            held = gate.hold(connection, work, steps, creates=False)
            waiting = gate.hold(connection, work, [steps[place] for place in new], creates=True)
            for place, why in zip(new, waiting, strict=True):
                held[place] = held[place] or why
            told = {one.person.id: (one.content, why) for one, why in zip(people, held, strict=True) if why is not None}
            keep_outcomes(connection, work, told)
        work.counts["held"] = len(told)
        if not told:
            del work.counts["held"]
        return [one for one in plans if one.person.id not in told]

    # -- one by one

    def _one_by_one(self, plans: Sequence[Planned]) -> None:
        size = self._tool.limits.per_write
        for start in range(0, len(plans), size):
            if self.stopped:
                return
            self._send(plans[start : start + size])

    def _send(self, plans: Sequence[Planned]) -> None:
        self._pace.before_call()
        begun = self._commit(ONE_BY_ONE, plans, [_write(one) for one in plans])
        if begun is None:
            return
        attempt, body = begun
        self._work.checkpoint("committed")
        reply = self._tool.send(Act.UPDATE, body)
        self._work.checkpoint("answered")
        if isinstance(reply, Answered):
            self._lost = 0
            self._settler.answered(attempt, reply)
        elif isinstance(reply, NotSent):
            self._not_sent(attempt, plans, reply.error)
        elif isinstance(reply, RejectedWhole):
            self._settler.due_again(attempt, "rejected")
            raise CrmProblem(reply.message)
        else:
            self._unanswered(attempt, reply.why)

    # -- handed over

    def _hand_over(self, plans: Sequence[Planned]) -> None:
        """One operation per member: the values now, the tags once these are there."""
        size = self._tool.per_start
        for start in range(0, len(plans), size):
            if self.stopped:
                return
            self._start(plans[start : start + size])

    def _start(self, plans: Sequence[Planned]) -> None:
        self._pace.before_call()
        parts = [_values_alone(one) for one in plans]
        begun = self._commit(HANDED_OVER, parts, [_write(one) for one in parts])
        if begun is None:
            return
        attempt, body = begun
        self._work.checkpoint("committed")
        reply = self._tool.start(body)
        self._work.checkpoint("started")
        if isinstance(reply, Started):
            self._lost = 0
            with self._work.ledger.writing() as connection:
                end_attempt(connection, attempt, "started", reply.ticket)
        elif isinstance(reply, NotSent):
            self._not_sent(attempt, plans, reply.error)
        elif isinstance(reply, RejectedWhole):
            self._settler.due_again(attempt, "rejected")
            raise CrmProblem(reply.message)
        else:
            self._unanswered(attempt, reply.why)

    def _wait(self) -> None:
        """Asks again and again, ever more slowly, until everything that was handed over is done."""
        pause = self._how.poll
        while self._open():
            self._pace.before_call()
            self._work.sleep(min(pause, self._work_lease() * 0.6).total_seconds())
            self._fetch()
            pause = min(pause * 2, SLOWEST_POLL)

    def _fetch(self) -> None:
        """What is finished is settled; what is nobody's any more is due again."""
        waiting: dict[str, OpenAttempt] = {}
        for attempt in self._open():
            ticket = ticket_of(self._work.ledger, attempt)
            if ticket:
                waiting[ticket] = attempt
            else:
                self._settler.due_again(attempt.id, "repeat")
        if not waiting:
            return
        try:
            known = self._pace.patiently(partial(self._tool.progress, list(waiting)))
        except (AnswerLost, Unreachable) as error:
            self._turned_away(error)
            return
        for ticket, attempt in waiting.items():
            progress = known.get(ticket)
            if progress is not None and progress.finished:
                self._finished(attempt, progress)
            elif progress is None or self._work.ledger.now() - attempt.committed_at > self._how.give_up:
                self._settler.due_again(attempt.id, "repeat")

    def _finished(self, attempt: OpenAttempt, progress: Progress) -> None:
        tags_alone = all(not one.frozen["names"] for one in attempt.steps)
        if tags_alone and progress.all_went_well:
            self._settler.all_tagged(attempt)
            return
        try:
            answers = self._pace.patiently(partial(self._tool.results, attempt.body, progress))
        except (AnswerLost, Unreachable) as error:
            self._turned_away(error)
            return
        self._work.checkpoint("fetched")
        self._lost = 0
        self._settler.answered(attempt.id, answers)

    def _turned_away(self, error: Exception) -> None:
        """A reading failed: it is asked again, but not for ever."""
        self._lost += 1
        if self._lost >= MOST_LOST:
            raise error

    # -- shared

    def _open(self) -> list[OpenAttempt]:
        found = open_attempts(self._work.ledger, self._work.book)
        return [one for one in found if one.what in (ONE_BY_ONE, HANDED_OVER)]

    def _work_lease(self) -> timedelta:
        return timedelta(seconds=self._work.terms.pace.lease_seconds)

    def _commit(self, what: str, plans: Sequence[Planned], writes: Sequence[Write]) -> tuple[int, bytes] | None:
        """The attempt, durably; None where another process sends one of these."""
        work = self._work
        body = self._tool.body(Act.UPDATE, writes)
        rows = []
        for one in plans:
            assert one.act is not None  # those that are due
            row = step_row(work, one, one.act)
            tags = {
                "tags_on": sorted(one.tags_on),
                "tags_off": sorted(one.tags_off),
                "how": one.how if one.link is None else "",
            }
            rows.append(replace(row, frozen={**row.frozen, **tags}))
        try:
            with work.ledger.writing() as connection:
                self._lease.check(connection)
                attempt = commit_attempt(
                    connection,
                    work.ledger,
                    work.book,
                    work.run,
                    self._lease.epoch,
                    what,
                    uuid.uuid4().hex,
                    body,
                    hashlib.sha256(body).hexdigest(),
                    rows,
                )
        except StepTaken:
            return None
        self._tries.update(_try(one) for one in plans)
        return attempt, body

    def _not_sent(self, attempt: int, plans: Sequence[Planned], error: Exception) -> None:
        self._settler.due_again(attempt, "not_sent")
        if isinstance(error, OutOfQuota):
            self._pace.wait(error)
            self._unanswered(None, error.message)
            return
        if not isinstance(error, Unreachable):
            raise error
        self.stopped = True
        outcome = self._work.terms.say(Code.UNREACHABLE)
        with self._work.ledger.writing() as connection:
            keep_outcomes(connection, self._work, {one.person.id: (one.content, outcome) for one in plans})
        self._work.add(str(Code.UNREACHABLE), len(plans))

    def _unanswered(self, attempt: int | None, why: str) -> None:
        """It is due again at once; a tool that keeps silent is left alone until the next run."""
        log.info("%s: %s", self._work.tool.title, why)
        if attempt is not None:
            self._settler.due_again(attempt, "repeat")
        self._lost += 1
        if self._lost >= MOST_LOST:
            self.stopped = True
            self._work.add("its_turn_next")


def _try(one: Planned) -> tuple[str, bool]:
    return one.person.id, _has_values(one)


def _has_values(one: Planned) -> bool:
    """Whether more than tags is written."""
    return one.act is Act.CREATE or bool(one.to_tool)


def _light(one: Planned) -> Planned:
    """Without the payments that it was planned from: a first run holds everybody's plan at once."""
    return replace(one, person=replace(one.person, group=NOBODYS, content={}))


def _values_alone(one: Planned) -> Planned:
    """Without tags, where there are values: those have to be there first."""
    return replace(one, tags_on=frozenset(), tags_off=frozenset()) if _has_values(one) else one


def _write(one: Planned) -> Write:
    values = dict(one.to_tool)
    if one.act is Act.CREATE:
        return NewContact(one.person.id, one.person.email, values, one.tags_on)
    assert one.contact is not None  # of a change
    return Change(one.person.id, one.contact.id, one.contact.email, values, one.tags_on, one.tags_off)
