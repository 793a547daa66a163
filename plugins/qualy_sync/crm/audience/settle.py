"""What an answer leaves behind: the member as it is there now, the link, what both sides agree on, or a refusal.

It works from the ledger alone, so that a run can settle what another one handed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Declined
from qualy_sync.contracts.crm import Act, Answered, Contact, Done
from qualy_sync.ledger import Ledger
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import OpenAttempt, OpenStep, close_steps, end_attempt, open_attempts
from qualy_sync.ledger.crm import CrmLink, Difference, Pair
from qualy_sync.ledger.crm_schema import crm_links
from qualy_sync.ledger.schema import attempts
from qualy_sync.outcomes import Code, Outcome

from ..gather import keep_outcomes
from ..merge import Reason
from ..plan import WHOLE, Planned
from ..terms import fingerprint
from ..work import CrmWork, Pace
from .gather import MemberPlanner, leave_in_peace, tool_of
from .look import keep
from .plan import LATER

WAIT = timedelta(hours=24)  # before an address that the tool takes only later is tried again
_DONE = {"created": Code.CREATED, "adopted": Code.ADOPTED}


def ticket_of(ledger: Ledger, attempt: OpenAttempt) -> str:
    """Under which ticket the tool does it; "" where none came back."""
    if attempt.fate != "started":
        return ""
    with ledger.reading() as connection:
        found = connection.scalar(sa.select(attempts.c.note).where(attempts.c.id == attempt.id))
    return str(found or "")


class Settler:
    """Settles attempts."""

    def __init__(self, work: CrmWork, pace: Pace, planner: MemberPlanner) -> None:
        self._work = work
        self._pace = pace
        self._planner = planner
        self._made: dict[str, Code] = {}  # whom this run created or found

    def answered(self, attempt: int, reply: Answered) -> None:
        """One result per member; those without one are due again."""
        steps = self._steps(attempt)
        by_ref = {result.ref: result for result in reply.results}
        done: dict[str, tuple[OpenStep, Contact]] = {}
        declined: list[tuple[OpenStep, Declined]] = []
        lost: list[OpenStep] = []
        for one in steps:
            result = by_ref.get(one.source_id)
            if isinstance(result, Done):
                done[one.source_id] = one, result.contact
            elif isinstance(result, Declined):
                declined.append((one, result))
            else:
                lost.append(one)
        ours = self._ours([one for one, _ in done.values()])
        work = self._work
        with work.ledger.writing() as connection:
            for step, contact in done.values():
                self._keep(connection, step, contact, ours.get(step.source_id, {}))
                close_steps(connection, attempt, [step.ref], _fate(step))
            for step, result in declined:
                close_steps(connection, attempt, [step.ref], str(result.code))
            close_steps(connection, attempt, [one.ref for one in lost], "repeat")
            end_attempt(connection, attempt, "answered")
            self._turn(connection, [*lost, *(one for one, _ in declined)], "it was sent once and not answered")
        for step, result in declined:
            self._declined(step, result)
        self._tell([one for one, _ in done.values()])

    def all_tagged(self, attempt: OpenAttempt) -> None:
        """Every one of its tags was given and taken."""
        work = self._work
        with work.ledger.writing() as connection:
            for one in attempt.steps:
                self._tag(connection, one)
            close_steps(connection, attempt.id, None, "tagged")
            end_attempt(connection, attempt.id, "answered")
        self._tell(list(attempt.steps))

    def due_again(self, attempt: int, fate: str) -> None:
        """Nothing is known of it, or nothing was done: the same is due once more."""
        steps = self._steps(attempt)
        with self._work.ledger.writing() as connection:
            close_steps(connection, attempt, None, fate)
            end_attempt(connection, attempt, fate)
            self._turn(connection, steps, "it was sent once and not answered" if fate == "repeat" else "not sent yet")

    # -- done

    def _keep(self, connection: sa.Connection, step: OpenStep, contact: Contact, ours: Mapping[str, str]) -> None:
        """A contact without address is the answer to tags alone."""
        work = self._work
        if not contact.emails:
            self._tag(connection, step)
            return
        now, names = work.ledger.now(), work.terms.names
        kept.put_contacts(connection, work.book, [contact], work.terms.key_field, names, now)
        kept.clean(connection, work.book, [contact.id], now)
        before = kept.links_of(connection, work.book, [step.source_id]).get(step.source_id)
        same = before is not None and before.remote_id == contact.id
        if not same:
            kept.forget_values(connection, work.book, step.source_id)
            self._made[step.source_id] = _DONE[_how(step)]
        link = CrmLink(
            source_id=step.source_id,
            remote_id=contact.id,
            email=contact.email,
            how=before.how if before is not None and same else _how(step),
            state=kept.LINKED,
            content_hash=step.source_hash,
            facts={},
            linked_at=before.linked_at if before is not None and same else now,
            synced_at=now,
        )
        self._free(connection, contact.id, step.source_id)
        kept.put_link(connection, work.book, link)
        kept.put_values(connection, work.book, step.source_id, self._agreed(step, contact, ours), now)

    def _free(self, connection: sa.Connection, contact_id: str, source_id: str) -> None:
        """A member stands for one customer; whoever else was linked with it is planned anew."""
        book = self._work.book
        for other in kept.links_on(connection, book, [contact_id]).get(contact_id, []):
            if other.source_id != source_id and other.state == kept.LINKED:
                connection.execute(
                    sa.update(crm_links)
                    .where(crm_links.c.book == book, crm_links.c.source_id == other.source_id)
                    .values(state=kept.SHARED)
                )

    def _agreed(self, step: OpenStep, contact: Contact, ours: Mapping[str, str]) -> dict[str, Pair]:
        """What was sent, as the tool answered it: its way of writing a value is no edit. Only where what was sent is
        what Qualy still says."""
        names = [name for name in step.frozen["names"] if name != self._work.terms.key_field]
        sent = {name: ours.get(name, "").strip() for name in names}
        if self._work.terms.key_field in step.frozen["names"]:
            sent[self._work.terms.key_field] = step.source_id
        if fingerprint(sent) != step.content_hash:
            return {}
        return {name: Pair(ours[name], contact.values.get(name, "")) for name in names if name in ours}

    def _tag(self, connection: sa.Connection, step: OpenStep) -> None:
        book, contact_id = self._work.book, str(step.frozen["remote_id"])
        there = kept.contacts_by_id(connection, book, [contact_id]).get(contact_id)
        if there is not None:
            tags = (there.tags - set(step.frozen["tags_off"])) | set(step.frozen["tags_on"])
            kept.set_tags(connection, book, contact_id, tags)

    def _tell(self, steps: Sequence[OpenStep]) -> None:
        """Planned anew on what is there now: in step, or something (mostly the tags) is still due."""
        work = self._work
        by_id = {one.source_id: one for one in steps}
        plans = self._planner.plan(sorted(by_id))
        self._planner.keep(plans)
        said: dict[str, tuple[str, Outcome]] = {}
        for one in plans:
            if one.outcome is None:
                continue
            code = one.outcome.code
            if code is Code.UNCHANGED:
                code = self._made.get(one.person.id, Code.UPDATED)
                said[one.person.id] = one.content, work.terms.say(code)
            work.add(str(code))
        with work.ledger.writing() as connection:
            keep_outcomes(connection, work, said)
        if any(one.frozen["remote_id"] == "" for one in steps):
            work.suppression.begin()

    # -- declined

    def _declined(self, step: OpenStep, result: Declined) -> None:
        plans = self._planner.plan([step.source_id])
        if not plans:
            return
        one = plans[0]
        if result.code is Code.CONSENT_WITHDRAWN:
            leave_in_peace(self._work, [one])
            self._say(one, self._work.terms.say(result.code))
        elif result.code in (Code.DUPLICATE_THERE, Code.REMOVED_THERE):
            self._moved(step, one)
        elif result.code is Code.UNREACHABLE:
            until = (self._work.ledger.now() + WAIT).isoformat()
            self._differ(one, {LATER: Difference(LATER, LATER, "", until)})
        else:
            self._refused(one, result)

    def _moved(self, step: OpenStep, one: Planned) -> None:
        """The audience is no longer as it was read: read these again, and plan anew."""
        work, tool = self._work, tool_of(self._work)
        emails = [email for email in {one.person.email, step.sought} if email]
        found = list(self._pace.patiently(partial(tool.by_email, emails, work.terms.names)))
        contact_id = str(step.frozen["remote_id"])
        if contact_id and contact_id not in {each.id for each in found}:
            by_id = [*self._by_id(contact_id, archived=False), *self._by_id(contact_id, archived=True)]
            found += by_id
            if not by_id:
                with work.ledger.writing() as connection:
                    kept.set_state(connection, work.book, [contact_id], kept.GONE)
        keep(work, found)
        work.add("moved")

    def _by_id(self, contact_id: str, *, archived: bool) -> Sequence[Contact]:
        ask = partial(tool_of(self._work).by_id, [contact_id], self._work.terms.names, archived=archived)
        return self._pace.patiently(ask)

    def _refused(self, one: Planned, result: Declined) -> None:
        """Kept with what was refused, so that the same is not sent again by itself."""
        key = self._work.terms.key_field
        sent = {name: value for name, value in one.to_tool.items() if name != key}
        named = [name for name in sent if f"{name}:" in result.message]
        theirs = one.contact.values if one.contact is not None else {}
        whole = one.act is Act.CREATE and (not named or self._work.terms.email_field in named)
        if whole:
            found = {WHOLE: Difference(WHOLE, str(Reason.REFUSED), fingerprint(sent), result.message[:200])}
        else:
            found = {
                name: Difference(name, str(Reason.REFUSED), one.ours.get(name, ""), theirs.get(name, ""))
                for name in (named or sent)
            }
        self._differ(one, found)
        if whole:
            self._say(one, self._work.terms.say(result.code, result.message[:200], message=result.message[:200]))
            self._work.add(str(result.code))

    def _differ(self, one: Planned, found: Mapping[str, Difference]) -> None:
        work = self._work
        with work.ledger.writing() as connection:
            differences = {**one.differences, **found}
            kept.put_differences(connection, work.book, one.person.id, differences, work.ledger.now())

    # -- shared

    def _steps(self, attempt: int) -> list[OpenStep]:
        found = open_attempts(self._work.ledger, self._work.book, attempt)
        return [step for one in found for step in one.steps]

    def _ours(self, steps: Sequence[OpenStep]) -> dict[str, Mapping[str, str]]:
        """What Qualy says of these now."""
        plans = self._planner.plan([one.source_id for one in steps])
        return {one.person.id: one.ours for one in plans}

    def _turn(self, connection: sa.Connection, steps: Sequence[OpenStep], why: str) -> None:
        turn = self._work.terms.say(Code.ITS_TURN, why=why)
        keep_outcomes(connection, self._work, {one.source_id: (one.source_hash, turn) for one in steps})

    def _say(self, one: Planned, outcome: Outcome) -> None:
        with self._work.ledger.writing() as connection:
            keep_outcomes(connection, self._work, {one.person.id: (one.content, outcome)})


def _how(step: OpenStep) -> str:
    """How a member came to stand for the customer."""
    return "adopted" if step.frozen["how"] == "adopted" else "created"


def _fate(step: OpenStep) -> str:
    """As the breaker counts it: tags are nobody new."""
    if not step.frozen["names"]:
        return "tagged"
    return "updated" if step.frozen["remote_id"] else "created"
