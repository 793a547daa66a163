"""One batched call by the write protocol: attempt committed, sent at once, every element's fate kept.

The named points (`checkpoint`): attempt_committed, answered, result_committed.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from qualy_sync.contracts.accounting import (
    GONE,
    Accepted,
    Answered,
    Change,
    Conflict,
    Declined,
    Done,
    NotSent,
    RejectedWhole,
    Remote,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Remove,
    Reply,
    Result,
    Skipped,
    Unanswered,
    Verb,
    Void,
    What,
    owned_hash,
)
from qualy_sync.contracts.errors import OutOfQuota, ToolError
from qualy_sync.ledger import mirror
from qualy_sync.ledger.attempts import (
    Link,
    StepRow,
    close_steps,
    commit_attempt,
    end_attempt,
    mark_sent,
    note_ticket,
)
from qualy_sync.ledger.leases import Lease
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan import Key, Step, Terms
from qualy_sync.plan.redating import closed_meanwhile

from .gate import check_gate
from .judging import DONE_AS, find_steps, judge_answer, judge_effect, judge_found, refusal, without_variables
from .keep import keep_results
from .pace import MOST_TURNS_AWAY, Pace
from .work import RunProblem, Work, tool_problem

log = logging.getLogger("qualy_sync.load")


@dataclass(slots=True)
class Tally:
    """What a load did, in counts."""

    counts: dict[str, int] = field(default_factory=dict)
    stopped: str = ""  # why this leg sends nothing more in this run

    def add(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number


@dataclass(frozen=True, slots=True)
class _Told:
    """What an answer tells of each step: plainly, that it is under way, that it was not sent, or nothing."""

    plain: list[tuple[Step, Result]]
    taken: list[tuple[Step, Declined]]
    accepted: list[tuple[Step, str]]
    skipped: list[tuple[Step, ToolError]]
    lost: list[Step]

    @classmethod
    def of(cls, steps: Sequence[Step], reply: Answered) -> _Told:
        by_ref = {result.ref: result for result in reply.results}
        told = cls([], [], [], [], [])
        for step in steps:
            result = by_ref.get(step.ref)
            if result is None:
                told.lost.append(step)
            elif isinstance(result, Accepted):
                told.accepted.append((step, result.ticket))
            elif isinstance(result, Skipped):
                told.skipped.append((step, result.error))
            elif isinstance(result, Declined) and result.code is Code.NUMBER_TAKEN:
                told.taken.append((step, result))
            else:
                told.plain.append((step, result))
        return told


class Sender:
    """Sends batches of one kind of step under a lease."""

    def __init__(self, work: Work, terms: Terms, lease: Lease, pace: Pace, tally: Tally) -> None:
        self._work = work
        self._terms = terms
        self._lease = lease
        self._pace = pace
        self.tally = tally
        self.clashed: list[Step] = []  # contacts whose name the tool refused: planned again at the end
        self._lost_in_a_row = 0

    def send(self, steps: Sequence[Step]) -> None:
        """Sends a batch of at most `per_call` steps. Raises RunProblem, OutOfQuota or OutOfTime where the run stops."""
        for _ in range(MOST_TURNS_AWAY):
            if not steps or self.tally.stopped:
                return
            turned_away, steps = self._send(steps)
            if turned_away is None:
                return
            self._wait(turned_away)
        raise OutOfQuota(f"{self._work.tool.title} keeps asking to wait; the rest goes in a later run.", "rate", None)

    def _send(self, steps: Sequence[Step]) -> tuple[OutOfQuota | None, Sequence[Step]]:
        """Sends once. Gives the refusal of a tool that asks to wait, and the steps of which it did nothing."""
        self._pace.before_call()
        steps = self._as_they_are(steps)
        if not self._prepared(steps):
            return None, ()
        begun = self._work.ledger.now()
        committed = self._commit(steps)
        if committed is None:
            return None, ()
        attempt, steps, body, key = committed
        self._work.checkpoint("attempt_committed")
        what = steps[0].what
        reply = self._work.tool.send(what, body, key)
        self._work.checkpoint("answered")
        if isinstance(reply, Unanswered):
            reply = self._once_more(attempt, begun, what, body, key, reply)
        self._keep(attempt, steps, reply)
        self._work.checkpoint("result_committed")
        return _turned_away(steps, reply)

    def _as_they_are(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Records that are to be changed, read once more: what is not as it was planned on is looked at anew later."""
        changing = [step for step in steps if step.verb is not Verb.CREATE]
        if not changing:
            return steps
        work = self._work
        there: dict[str, Remote] = {}
        for what in sorted({step.what for step in changing}):
            ids = [str(step.seen["remote_id"]) for step in changing if step.what is what]
            there |= {one.id: one for one in work.tool.by_id(what, ids, self._lease.renew)}
        with work.ledger.writing() as connection:
            mirror.put(connection, work.book, there.values())
        self._pace.before_call()
        fresh = {step.ref: _with(step, there.get(str(step.seen["remote_id"]))) for step in changing}
        moved = [step for step in changing if fresh[step.ref] is None]
        if moved:
            outcome = self._terms.say(Code.ITS_TURN, why="it changed while it was looked at")
            with work.ledger.writing() as connection:
                keep_results(connection, work, {step.key: outcome for step in moved})
            self.tally.add("looked_at_anew", len(moved))
        return [one for step in steps if (one := fresh.get(step.ref, step)) is not None]

    def _prepared(self, steps: Sequence[Step]) -> bool:
        """What the body needs is read before the attempt, so that exactly what the attempt holds is sent."""
        try:
            self._pace.patiently(lambda: self._work.tool.prepare([step.new for step in steps]) if steps else None)
        except OutOfQuota:
            raise
        except ToolError as error:
            self._say_not_sent(steps, error)
            return False
        return True

    def _wait(self, refusal: OutOfQuota) -> None:
        """Waits as long as the tool asks, if that is short; else raises OutOfQuota."""
        if refusal.until is not None:
            self._pace.wait_until(refusal.until, refusal.limit)
        else:
            self._work.sleep(1.0)

    def _commit(self, steps: Sequence[Step]) -> tuple[int, Sequence[Step], bytes, str] | None:
        """The attempt, durably. What the gate holds is left out; None where nothing is left."""
        work = self._work
        with work.ledger.writing() as connection:
            verdicts = self._verdicts(connection, steps)
            held = {step.key: verdict for step, verdict in zip(steps, verdicts, strict=True) if verdict is not None}
            if held:
                keep_results(connection, work, held)
                self.tally.add("held", len(held))
            steps = [step for step, verdict in zip(steps, verdicts, strict=True) if verdict is None]
            if not steps:
                return None
            self._lease.check(connection)
            body = work.tool.body([step.new for step in steps])
            key = uuid.uuid4().hex
            attempt = commit_attempt(
                connection,
                work.ledger,
                work.book,
                work.run,
                self._lease.epoch,
                str(steps[0].what),
                key,
                body,
                hashlib.sha256(body).hexdigest(),
                [self._row(step) for step in steps],
            )
        return attempt, steps, body, key

    def _verdicts(self, connection: sa.Connection, steps: Sequence[Step]) -> list[Outcome | None]:
        """Per step: None where it may be sent. The user's closing date counts as it is at this very attempt."""
        terms = self._terms
        closed = self._work.closed_until()
        if closed != terms.organisation.closed_until:
            terms = replace(terms, organisation=replace(terms.organisation, closed_until=closed))
        gate = check_gate(connection, self._work.book, terms, steps)
        return [closed_meanwhile(terms, step) or verdict for step, verdict in zip(steps, gate, strict=True)]

    def _row(self, step: Step) -> StepRow:
        return StepRow(
            leg=str(step.leg),
            source_id=step.source_id,
            variant=step.variant,
            generation=step.generation,
            ref=step.ref,
            sought=step.sought,
            source_hash=step.source_hash,
            content_hash=step.content_hash,
            settings_version=self._terms.settings.version,
            frozen=dict(step.facts),
            seen=dict(step.seen) | {"lock_date": str(self._terms.organisation.lock_date)},
            amount=step.amount,
            currency=step.currency,
            what=str(step.what),
            verb=str(step.verb),
        )

    def _once_more(self, attempt: int, begun: datetime, what: What, body: bytes, key: str, lost: Unanswered) -> Reply:
        """The same key and bytes once more, inside the tool's window; past it (or where it has none), not at all."""
        work = self._work
        self._lease.renew()
        if work.ledger.now() >= begun + work.replay:
            return lost
        log.info("No answer (%s): asking again with the same key.", lost.why)
        mark_sent(work.ledger, attempt)
        again = work.tool.send(what, body, key)
        work.checkpoint("answered")
        # "Not sent" the second time says nothing about the first.
        return again if isinstance(again, Answered) else lost

    # -- what came back

    def _keep(self, attempt: int, steps: Sequence[Step], reply: Reply) -> None:
        if isinstance(reply, Answered):
            self._lost_in_a_row = 0
            self._answered(attempt, steps, reply)
        elif isinstance(reply, RejectedWhole):
            self._rejected(attempt, steps, reply)
        elif isinstance(reply, NotSent):
            self._not_sent(attempt, steps, reply)
        else:
            self._unanswered(attempt, steps, reply.why)

    def _answered(self, attempt: int, steps: Sequence[Step], reply: Answered) -> None:
        told = _Told.of(steps, reply)
        results: dict[Key, Outcome] = {}
        links: list[Link] = []
        remotes: list[Remote] = []
        fates: dict[str, list[str]] = {}
        for step, result in told.plain:
            outcome, link, remote, fate = self._result(step, result)
            results[step.key] = outcome
            fates.setdefault(fate, []).append(step.ref)
            links += [link] if link else []
            remotes += [remote] if remote else []
            self.tally.add(str(outcome.code))
        with self._work.ledger.writing() as connection:
            for fate, refs in fates.items():
                close_steps(connection, attempt, refs, fate)
            mirror.put(connection, self._work.book, remotes)
            keep_results(connection, self._work, results, links)
            for step, ticket in told.accepted:
                note_ticket(connection, attempt, step.ref, ticket)
            close_steps(connection, attempt, [step.ref for step, _ in told.skipped], "not_sent")
            end_attempt(connection, attempt, "unknown" if told.lost or told.accepted else "answered")
        # First what is not known: looking at the rest may fail, or end the run.
        if unknown := [step for step, _ in told.accepted] + told.lost:
            self._unknown(unknown)
        if told.lost:
            self.tally.stopped = (
                f"{self._work.tool.title} answered without naming {len(told.lost)} of {len(steps)} records; nothing"
                " more of this kind is sent in this run"
            )
        if told.taken:
            self._look_who_has_it(attempt, told.taken)
        self._skipped(told.skipped)

    def _skipped(self, skipped: Sequence[tuple[Step, ToolError]]) -> None:
        """Single elements of which nothing was done. Where the tool asks to wait they keep their turn."""
        for step, error in skipped:
            if not isinstance(error, OutOfQuota):
                self._say_not_sent([step], error)

    def _result(self, step: Step, result: Result) -> tuple[Outcome, Link | None, Remote | None, str]:
        if isinstance(result, Done):
            outcome, link = judge_answer(self._terms, step, result.remote, "created")
            return outcome, link, result.remote, DONE_AS[step.verb]
        if isinstance(result, Conflict):
            why = f"it is not as it was read: {result.message}"
            return self._terms.say(Code.ITS_TURN, why=why), None, None, "conflict"
        if not isinstance(result, Declined):
            raise TypeError(f"{type(result).__name__} settles nothing")
        if result.code is Code.DUPLICATE_NAME:
            self.clashed.append(step)
            return self._terms.say(Code.DUPLICATE_NAME, step.source_id), None, None, "duplicate_name"
        outcome = refusal(self._terms, step, result)
        return outcome, None, None, str(result.code)

    def _look_who_has_it(self, attempt: int, taken: Sequence[tuple[Step, Declined]]) -> None:
        """Our number is there already: it may be our own record, from a call whose answer was lost."""
        found = self._read_back([step for step, _ in taken], attempt)
        left = [(step, result) for step, result in taken if step.ref not in found]
        with self._work.ledger.writing() as connection:
            close_steps(connection, attempt, [step.ref for step, _ in left], str(Code.NUMBER_TAKEN))
            results = {step.key: self._result(step, result)[0] for step, result in left}
            keep_results(connection, self._work, results)
        self.tally.add(str(Code.NUMBER_TAKEN), len(left))

    def _rejected(self, attempt: int, steps: Sequence[Step], reply: RejectedWhole) -> None:
        """A well-formed refusal of the whole batch: read back at once, then halve, down to the one that poisons it."""
        work = self._work
        with work.ledger.writing() as connection:
            end_attempt(connection, attempt, "rejected", reply.message)
        found = self._read_back(steps, attempt)
        left = [step for step in steps if step.ref not in found]
        alone = len(left) == 1
        with work.ledger.writing() as connection:
            close_steps(connection, attempt, [step.ref for step in left], str(Code.INVALID) if alone else "rejected")
            if alone:
                outcome = self._terms.say(Code.INVALID, without_variables(reply.message), message=reply.message)
                keep_results(connection, work, {left[0].key: outcome})
        if alone:
            self.tally.add(str(Code.INVALID))
            return
        half = len(left) // 2
        for part in (left[:half], left[half:]):
            self.send(part)

    def _read_back(self, steps: Sequence[Step], attempt: int) -> set[str]:
        """Looks for these steps' records in the tool and links what is there. Returns the refs that were found."""
        work = self._work
        self._pace.before_call()
        since = work.ledger.now() - work.longest_settle
        remotes = find_steps(work, steps, since, self._lease.renew)
        found: set[str] = set()
        with work.ledger.writing() as connection:
            mirror.put(connection, work.book, [one for some in remotes.values() for one in some])
            for step in steps:
                mine = remotes.get(step.ref, [])
                outcome: Outcome | None
                if step.verb is Verb.CREATE:
                    outcome, link = judge_found(self._terms, step, mine) if mine else (None, None)
                else:
                    seen = judge_effect(self._terms, step, mine)
                    outcome, link = seen.outcome, seen.link
                if outcome is None:
                    continue
                found.add(step.ref)
                self.tally.add(str(outcome.code))
                close_steps(connection, attempt, [step.ref], "found")
                keep_results(connection, work, {step.key: outcome}, [link] if link else [])
        return found

    def _not_sent(self, attempt: int, steps: Sequence[Step], reply: NotSent) -> None:
        work, error = self._work, reply.error
        with work.ledger.writing() as connection:
            close_steps(connection, attempt, None, "not_sent")
            end_attempt(connection, attempt, "not_sent", str(error))
        if isinstance(error, OutOfQuota):
            return  # they keep their turn
        self._say_not_sent(steps, error)

    def _say_not_sent(self, steps: Sequence[Step], error: Exception) -> None:
        work = self._work
        code = tool_problem(error) if isinstance(error, ToolError) else Code.UNREACHABLE
        outcome = self._terms.say(code, str(code), message=str(error), limit="", until="")
        with work.ledger.writing() as connection:
            keep_results(connection, work, {step.key: outcome for step in steps})
        self.tally.add(str(code), len(steps))
        if code is Code.UNREACHABLE:
            self.tally.stopped = f"{work.tool.title} cannot be reached"
            return
        raise RunProblem(str(error))

    def _unanswered(self, attempt: int, steps: Sequence[Step], why: str) -> None:
        with self._work.ledger.writing() as connection:
            end_attempt(connection, attempt, "unknown", why)
        self._unknown(steps)
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= 3:
            self.tally.stopped = f"{self._work.tool.title} did not answer three calls in a row"

    def _unknown(self, steps: Sequence[Step]) -> None:
        now: datetime = self._work.ledger.now()
        until = now + max(self._work.settle(step.what) for step in steps)
        outcome = self._terms.say(Code.UNKNOWN, until=f"{until:%Y-%m-%d %H:%M} UTC")
        with self._work.ledger.writing() as connection:
            keep_results(connection, self._work, {step.key: outcome for step in steps}, retry_at=until)
        self.tally.add(str(Code.UNKNOWN), len(steps))


def _turned_away(steps: Sequence[Step], reply: Reply) -> tuple[OutOfQuota | None, Sequence[Step]]:
    """The tool's wish to wait, and which of these steps it holds for."""
    if isinstance(reply, NotSent):
        return (reply.error, steps) if isinstance(reply.error, OutOfQuota) else (None, ())
    results = reply.results if isinstance(reply, Answered) else ()
    waits = {one.ref: one.error for one in results if isinstance(one, Skipped) and isinstance(one.error, OutOfQuota)}
    return next(iter(waits.values()), None), [step for step in steps if step.ref in waits]


def _with(step: Step, remote: Remote | None) -> Step | None:
    """The step on the record as it is now; None where that is not as it was planned on."""
    new, seen = step.new, step.seen
    if isinstance(new, Change) and isinstance(remote, RemoteContact):
        same = all(getattr(remote, name) == seen[name] for name in ("name", "email") if name in seen)
        fresh = dict(seen) | {"version": remote.version}
        return replace(step, new=replace(new, there=remote), seen=fresh) if same else None
    if isinstance(new, Change | Void) and isinstance(remote, RemoteDocument):
        owned = owned_hash(remote, remote.lines) if remote.lines is not None else ""
        live = remote.status not in GONE and not remote.paid and not remote.credited
        if not live or (seen.get("owned") and seen["owned"] != owned) or seen.get("total") != remote.total:
            return None
        seen = dict(seen) | {"version": remote.version, "owned": owned}
        return replace(step, new=replace(new, there=remote), seen=seen)
    if isinstance(new, Remove) and isinstance(remote, RemoteSettlement):
        if remote.status in GONE or remote.amount != seen.get("amount") or remote.reconciled is True:
            return None
        return replace(step, new=replace(new, there=remote), seen=dict(seen) | {"version": remote.version})
    return None
