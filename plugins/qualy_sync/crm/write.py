"""Changes and new contacts into the tool, by the write protocol: noted before, sent once, kept as answered."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from qualy_sync.contracts.accounting import NotSent, RejectedWhole
from qualy_sync.contracts.crm import Act, Answered, Change, Done, NewContact, Write
from qualy_sync.contracts.errors import OutOfQuota, Unreachable
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import StepRow, StepTaken, close_steps, commit_attempt, end_attempt
from qualy_sync.ledger.crm import Difference, Pair
from qualy_sync.ledger.cursors import get_cursor
from qualy_sync.ledger.leases import Lease
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome

from . import gate
from .gather import Planner, customers_with, keep_outcomes, keep_plans, new_link
from .look import by_addresses, cursor_name, reread
from .merge import Reason
from .plan import WHOLE, Planned, taken, unequal
from .terms import fingerprint
from .work import CrmProblem, CrmWork, Pace

log = logging.getLogger("qualy_sync.crm")

WHOLE_LIST_FRESH = timedelta(minutes=30)  # a whole reading so young shows everybody whom a create could double
MOST_ROUNDS = 3


def write_tool(work: CrmWork, lease: Lease, pace: Pace) -> None:
    """Writes everything to the tool whose turn it is. Raises CrmProblem, OutOfTime, OutOfQuota, LeaseLost."""
    sender = Sender(work, lease, pace)
    for _ in range(MOST_ROUNDS):
        sender.next_round()
        for ids in customers_with(work, [Code.ITS_TURN, Code.NOT_CONFIRMED, Code.MASS_CHANGE]):
            sender.put(ids)
            if sender.stopped:
                return
        sender.flush()
        if not sender.again or sender.stopped:
            return


class Sender:
    """Fills batches and sends them. `again`: records that have to be planned once more, since the tool moved."""

    def __init__(self, work: CrmWork, lease: Lease, pace: Pace) -> None:
        self._work = work
        self._lease = lease
        self._pace = pace
        self._planner = Planner(work)
        self._waiting: dict[Act, list[Planned]] = {Act.CREATE: [], Act.UPDATE: []}
        self._tried: set[str] = set()
        self._meant: dict[str, str] = {}  # contact -> whose
        self._moved_before: set[str] = set()
        self._round: set[str] = set()
        self.again: set[str] = set()
        self.stopped = ""

    def next_round(self) -> None:
        """What has to be planned once more may be sent once more."""
        self._round, self.again = self.again, set()

    def put(self, ids: Sequence[str]) -> None:
        """Plans these once more, on fresh readings, and sends what fills a batch."""
        ids = [one for one in ids if one not in self._tried or one in self._round]
        for one in self._fresh(ids):
            if one.act is None or self.stopped or not self._has_its_contact(one):
                continue
            if any(one.person.email == other.person.email for other in self._waiting[one.act]):
                self._send(one.act)
            self._waiting[one.act].append(one)
            if len(self._waiting[one.act]) >= self._work.tool.limits.per_write:
                self._send(one.act)

    def _has_its_contact(self, one: Planned) -> bool:
        """Whether nobody else is written to this contact in this run: two addresses may lead to one. The one whose
        address is the contact's own comes first; the other is planned once more, when the first is linked."""
        if one.contact is None:
            return True
        contact, me = one.contact, one.person
        taken_by = self._meant.get(contact.id, me.id)
        waiting = self._waiting[Act.UPDATE]
        before = next((each for each in waiting if each.contact and each.contact.id == contact.id), None)
        if before is not None and before.person.id != me.id and me.email == contact.email != before.person.email:
            waiting.remove(before)
            self.again.add(before.person.id)
            taken_by = me.id
        if taken_by != me.id:
            self.again.add(me.id)
            return False
        self._meant[contact.id] = me.id
        return True

    def flush(self) -> None:
        for act in (Act.UPDATE, Act.CREATE):
            self._send(act)

    def _fresh(self, ids: Sequence[str]) -> list[Planned]:
        """Plans on readings that are young: whoever edited a contact a minute ago is not overwritten."""
        work = self._work
        plans = self._not_held(self._planner.plan(ids))
        ids = [one.person.id for one in plans]
        now = work.ledger.now()
        stale = [
            one.contact.id
            for one in plans
            if one.act is Act.UPDATE and one.contact and one.contact.read_at < now - work.terms.ages
        ]
        new = [one for one in plans if one.act is Act.CREATE]
        look = bool(new) and not self._list_is_fresh()
        if stale:
            reread(work, self._pace, stale)
        if look:
            by_addresses(work, self._pace, [one.person.email for one in new], [one.person.id for one in new])
        if stale or look:
            plans = self._planner.plan(ids)
        keep_plans(work, plans)
        return plans

    def _not_held(self, plans: Sequence[Planned]) -> list[Planned]:
        """Without those that the gate holds anyway: no call is spent on them."""
        work = self._work
        new = [one for one in plans if one.act is Act.CREATE]
        steps = [gate.step(Leg.CONTACT, one.person.id, one.person.email) for one in new]
        with work.ledger.writing() as connection:
            held = gate.hold(connection, work, steps, creates=True)
            told = {one.person.id: (one.content, why) for one, why in zip(new, held, strict=True) if why is not None}
            keep_outcomes(connection, work, told)
        work.add("held", len(told))
        return [one for one in plans if one.person.id not in told]

    def _list_is_fresh(self) -> bool:
        whole_at = (get_cursor(self._work.ledger, cursor_name(self._work)) or {}).get("whole_at")
        if not whole_at:
            return False
        return self._work.ledger.now() - datetime.fromisoformat(whole_at) < WHOLE_LIST_FRESH

    # -- sending

    def _send(self, act: Act) -> None:
        plans, self._waiting[act] = self._waiting[act], []
        if plans and not self.stopped:
            self._batch(act, plans)

    def _batch(self, act: Act, plans: Sequence[Planned]) -> None:
        for _ in range(MOST_ROUNDS):
            self._pace.before_call()
            try:
                begun = self._commit(act, plans)
            except StepTaken:
                return
            if begun is None:
                return
            attempt, plans, body = begun
            self._work.checkpoint("committed")
            reply = self._work.tool.send(act, body)
            self._work.checkpoint("answered")
            self._tried |= {one.person.id for one in plans}
            if isinstance(reply, NotSent):
                self._not_sent(attempt, reply.error)
                if isinstance(reply.error, OutOfQuota):
                    self._pace.wait(reply.error)
                    continue
                self._stop(plans, reply.error)
            elif isinstance(reply, Answered):
                self._answered(act, attempt, plans, reply)
            elif isinstance(reply, RejectedWhole):
                self._rejected(act, attempt, plans, reply)
            else:
                self._unanswered(attempt, plans, reply.why)
            return

    def _commit(self, act: Act, plans: Sequence[Planned]) -> tuple[int, Sequence[Planned], bytes] | None:
        """The attempt, durably. What the gate holds is left out; None where nothing is left."""
        work = self._work
        with work.ledger.writing() as connection:
            steps = [gate.step(Leg.CONTACT, one.person.id, one.person.email) for one in plans]
            held = gate.hold(connection, work, steps, creates=act is Act.CREATE)
            told = {one.person.id: (one.content, why) for one, why in zip(plans, held, strict=True) if why is not None}
            keep_outcomes(connection, work, told)
            work.add("held", len(told))
            plans = [one for one, why in zip(plans, held, strict=True) if why is None]
            if not plans:
                return None
            self._lease.check(connection)
            body = work.tool.body(act, [_write(act, one) for one in plans])
            attempt = commit_attempt(
                connection,
                work.ledger,
                work.book,
                work.run,
                self._lease.epoch,
                str(act),
                uuid.uuid4().hex,
                body,
                hashlib.sha256(body).hexdigest(),
                [step_row(work, one, act) for one in plans],
            )
        return attempt, plans, body

    # -- what came back

    def _answered(self, act: Act, attempt: int, plans: Sequence[Planned], reply: Answered) -> None:
        work = self._work
        by_ref = {result.ref: result for result in reply.results}
        lost: list[Planned] = []
        moved: list[Planned] = []
        with work.ledger.writing() as connection:
            for one in plans:
                result = by_ref.get(one.person.id)
                if result is None:
                    lost.append(one)
                elif isinstance(result, Done):
                    outcome = done(connection, work, one, act, result)
                    close_steps(connection, attempt, [ref_of(one.person.id)], str(act) + "d")
                    keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})
                    work.add(str(outcome.code))
                elif result.code in (Code.DUPLICATE_THERE, Code.REMOVED_THERE):
                    close_steps(connection, attempt, [ref_of(one.person.id)], str(result.code))
                    moved.append(one)
                else:
                    close_steps(connection, attempt, [ref_of(one.person.id)], str(result.code))
                    self._refused(connection, one, result.code, result.message)
            if act is Act.UPDATE:
                close_steps(connection, attempt, [ref_of(one.person.id) for one in lost], "not_there")
            end_attempt(connection, attempt, "unknown" if lost and act is Act.CREATE else "answered")
        if act is Act.CREATE and lost:
            self._unknown(lost)
        self._moved(act, moved, lost if act is Act.UPDATE else [])
        if act is Act.CREATE:
            work.suppression.begin()

    def _moved(self, act: Act, moved: Sequence[Planned], lost: Sequence[Planned]) -> None:
        """The tool is no longer as it was read: it is read again, and these are planned anew, once."""
        work = self._work
        if not moved and not lost:
            return
        ids = [one.contact.id for one in (*moved, *lost) if one.contact is not None]
        if ids:
            reread(work, self._pace, ids)
        emails = [one.to_tool.get(work.terms.email_field, one.person.email) for one in moved]
        if emails:
            by_addresses(work, self._pace, emails, [one.person.id for one in moved])
        for plan in (*moved, *lost):
            if plan.person.id in self._moved_before:
                # Planned anew once, and refused for the same reason: somebody else holds what this one should get.
                message = f"{work.terms.email_field}: taken by another contact"
                with work.ledger.writing() as connection:
                    self._refused(connection, plan, Code.DUPLICATE_THERE, message)
            self._moved_before.add(plan.person.id)
            self.again.add(plan.person.id)
        work.add("moved", len(moved) + len(lost))

    def _refused(self, connection: sa.Connection, one: Planned, code: Code, message: str) -> None:
        """Kept with what was refused, so that the same is not sent again by itself."""
        work = self._work
        differences = dict(one.differences)
        reason = str(Reason.TAKEN if code is Code.DUPLICATE_THERE else Reason.REFUSED)
        if one.contact is None:
            sent = {name: value for name, value in one.to_tool.items() if name != work.terms.key_field}
            differences[WHOLE] = Difference(WHOLE, reason, fingerprint(sent), message[:200])
        else:
            for name in _blamed(one, message, work.terms.key_field):
                theirs = one.contact.values.get(name, "")
                differences[name] = Difference(name, reason, one.ours.get(name, ""), theirs)
        kept.put_differences(connection, work.book, one.person.id, differences, work.ledger.now())
        if code is Code.DUPLICATE_THERE:
            outcome = taken(work.terms, one.person.id)
        elif code is Code.CONSENT_WITHDRAWN:
            outcome = work.terms.say(code)
        else:
            outcome = work.terms.say(code, message[:200], message=message[:200])
        keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})
        work.add(str(outcome.code))

    def _rejected(self, act: Act, attempt: int, plans: Sequence[Planned], reply: RejectedWhole) -> None:
        """A well-formed refusal of the whole batch: halved, down to the one that poisons it."""
        with self._work.ledger.writing() as connection:
            close_steps(connection, attempt, None, "rejected")
            end_attempt(connection, attempt, "rejected", reply.message)
            if len(plans) == 1:
                self._refused(connection, plans[0], Code.INVALID, reply.message)
                return
        half = len(plans) // 2
        self._batch(act, plans[:half])
        self._batch(act, plans[half:])

    def _not_sent(self, attempt: int, error: Exception) -> None:
        with self._work.ledger.writing() as connection:
            close_steps(connection, attempt, None, "not_sent")
            end_attempt(connection, attempt, "not_sent", str(error))

    def _stop(self, plans: Sequence[Planned], error: Exception) -> None:
        """Nothing more goes out in this run. What must be mended by a person ends it."""
        if not isinstance(error, Unreachable):
            raise CrmProblem(str(error))
        self.stopped = f"{self._work.tool.title} cannot be reached"
        outcome = self._work.terms.say(Code.UNREACHABLE)
        with self._work.ledger.writing() as connection:
            keep_outcomes(connection, self._work, {one.person.id: (one.content, outcome) for one in plans})
        self._work.add(str(Code.UNREACHABLE), len(plans))

    def _unanswered(self, attempt: int, plans: Sequence[Planned], why: str) -> None:
        log.info("No answer from %s: %s", self._work.tool.title, why)
        with self._work.ledger.writing() as connection:
            end_attempt(connection, attempt, "unknown", why)
        self._unknown(plans)
        self.stopped = "a call was not answered; the next run reads back what became of it"

    def _unknown(self, plans: Sequence[Planned]) -> None:
        work = self._work
        until = work.ledger.now() + work.tool.limits.settle
        outcome = work.terms.say(Code.UNKNOWN, until=f"{until:%Y-%m-%d %H:%M} UTC")
        with work.ledger.writing() as connection:
            keep_outcomes(connection, work, {one.person.id: (one.content, outcome) for one in plans})
        work.add(str(Code.UNKNOWN), len(plans))


def done(connection: sa.Connection, work: CrmWork, one: Planned, act: Act, result: Done) -> Outcome:
    """Keeps what was answered: the contact as it is there now, the link, and what both sides agree on."""
    now = work.ledger.now()
    work.saw(result.contact.updated_at)
    values = kept.put_answer(connection, work.book, result.contact, one.to_tool, work.terms.key_field, now)
    email = values.get(work.terms.email_field, "") or one.person.email
    if one.link is None:
        kept.forget_values(connection, work.book, one.person.id)
    kept.put_link(connection, work.book, new_link(one, result.contact.id, email.strip().lower(), now))
    written = {
        name: Pair(one.ours.get(name, value), values.get(name, value))
        for name, value in one.to_tool.items()
        if name != work.terms.key_field
    }
    kept.put_values(connection, work.book, one.person.id, {**one.agreed, **written}, now)
    kept.put_differences(connection, work.book, one.person.id, one.differences, now)
    if one.to_qualy:
        return work.terms.say(Code.ITS_TURN, why="Qualy's side is not written yet")
    return left(work, one) or work.terms.say(_STEP_DONE[act] if one.how != "adopted" or one.link else Code.ADOPTED)


_STEP_DONE = {Act.CREATE: Code.CREATED, Act.UPDATE: Code.UPDATED}


def left(work: CrmWork, one: Planned) -> Outcome | None:
    """The outcome of what stays unequal although the rest was written."""
    reasons = {name: Reason(each.reason) for name, each in one.differences.items() if name}
    return unequal(work.terms, one.person.id, reasons)


def _blamed(one: Planned, message: str, key_field: str) -> list[str]:
    """The fields that a refusal names; all that were sent where it names none."""
    sent = [name for name in one.to_tool if name != key_field]
    named = [name for name in sent if f"{name}:" in message]
    return named or sent


def _write(act: Act, one: Planned) -> Write:
    values = dict(one.to_tool)
    if act is Act.CREATE:
        return NewContact(one.person.id, one.person.email, values, one.tags_on)
    assert one.contact is not None
    return Change(one.person.id, one.contact.id, one.contact.email, values, one.tags_on, one.tags_off)


def ref_of(source_id: str) -> str:
    """A record's id as attempts name it: ids of another kind than Qualy's own may be longer than the column."""
    return source_id if len(source_id) <= 50 else "H" + hashlib.sha256(source_id.encode()).hexdigest()[:40]


def step_row(work: CrmWork, one: Planned, act: Act) -> StepRow:
    return StepRow(
        leg=str(Leg.CONTACT),
        source_id=one.person.id,
        variant="",
        generation=1,
        ref=ref_of(one.person.id),
        sought=one.person.email[:100],
        source_hash=one.content,
        content_hash=fingerprint(dict(one.to_tool)),
        settings_version=work.terms.settings_version,
        frozen={"remote_id": one.contact.id if one.contact else "", "names": sorted(one.to_tool)},
        seen={},
        amount=0,
        currency="",
    )
