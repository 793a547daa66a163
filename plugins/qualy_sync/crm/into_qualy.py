"""Changes and new customers into Qualy, where the settings switched that on. One at a time, and never on a guess.

A customer in Qualy is a portal log-in, and creating one may mail somebody. So: the whole list is looked at first, a
day has a cap, the first plan waits for a confirmation, and what was sent and not answered is sent again only when a
person says so.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Declined, NotSent
from qualy_sync.contracts.crm import Customer, Saved
from qualy_sync.contracts.errors import OutOfQuota, Unreachable
from qualy_sync.contracts.source import Source
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import (
    OpenAttempt,
    StepRow,
    StepTaken,
    close_steps,
    commit_attempt,
    end_attempt,
    open_attempts,
    take_over,
)
from qualy_sync.ledger.books import get_fact, put_fact
from qualy_sync.ledger.crm import CrmLink, Difference, Mirrored, Pair
from qualy_sync.ledger.decisions import decisions_on
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.schema import current_outcomes
from qualy_sync.model import Kind, Leg, normal_email
from qualy_sync.outcomes import Code, Outcome

from . import gate
from .forms import same
from .gather import Planner, customers_with, keep_outcomes, keep_plans
from .merge import Reason, Way
from .people import text_at
from .plan import Planned, good_email
from .terms import fingerprint
from .work import CrmProblem, CrmWork, Pace
from .write import left, ref_of

CREATE, UPDATE = "qualy_create", "qualy_update"
PROVED = "update_in_qualy_proved"


def write_qualy(work: CrmWork, lease: Lease, pace: Pace) -> None:
    """Everything whose turn it is in Qualy. Raises CrmProblem, OutOfTime, OutOfQuota, LeaseLost and ToolError."""
    if work.writer is None or work.source is None:
        return
    settle_qualy(work, lease, pace)
    planner = Planner(work)
    for ids in customers_with(work, [Code.ITS_TURN]):
        plans = planner.plan(ids)
        keep_plans(work, plans)
        for one in plans:
            if one.to_qualy and one.act is None and one.link is not None:
                _update(work, lease, pace, one)
    if work.terms.from_tool is not None:
        _create_all(work, lease, pace)


# -- changes ----------------------------------------------------------------------------------------------------------


def _update(work: CrmWork, lease: Lease, pace: Pace, one: Planned) -> None:
    """One customer's changed fields, on what Qualy says right now."""
    assert work.source is not None
    assert work.writer is not None
    paths = {each.rule.field: each for each in work.terms.copied}
    pace.before_call()
    now_there = work.source.one(Kind.CUSTOMER, one.person.id)
    if now_there is None:
        _keep(work, one, work.terms.say(Code.GONE_AT_SOURCE))
        return
    for name in one.to_qualy:
        if not same(paths[name].rule.form, text_at(now_there, paths[name].path), one.ours[name]):
            # Qualy's moved since the extraction that this plan knows: the next one brings it, and both are merged anew.
            _keep(work, one, work.terms.say(Code.ITS_TURN, why="it changed in Qualy meanwhile"))
            return
    content = changed_content(now_there, {paths[name].path: value for name, value in one.to_qualy.items()})
    attempt = _commit(work, lease, UPDATE, Leg.CONTACT, one.person.id, "qualy", one.content, content, "")
    if attempt is None:
        return
    reply = work.writer.update(one.person.id, content)
    work.checkpoint("qualy_answered")
    if isinstance(reply, Saved):
        _prove(work, one.person.id, now_there, content)
        with work.ledger.writing() as connection:
            _close(connection, attempt, one.person.id, "updated")
            updated(connection, work, one)
    elif isinstance(reply, Declined):
        with work.ledger.writing() as connection:
            _close(connection, attempt, one.person.id, str(reply.code))
            _not_taken(connection, work, one, reply)
    elif isinstance(reply, NotSent):
        _not_sent(work, attempt, one.person.id, reply.error)
    else:
        _lost(work, attempt, one.person.id, Leg.CONTACT, one.content)


def changed_content(there: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """What is sent: the changed fields alone, but an object that holds one of them whole, as it was just read. A
    server that replaces what it is given would otherwise empty the rest of it."""
    content: dict[str, Any] = {}
    for path, value in sorted(changes.items()):
        head, *rest = path.split(".")
        if not rest:
            content[head] = value
            continue
        inside = content.setdefault(head, json.loads(json.dumps(there.get(head) or {})))
        for name in rest[:-1]:
            inside = inside.setdefault(name, {})
        inside[rest[-1]] = value
    return content


def updated(connection: sa.Connection, work: CrmWork, one: Planned) -> None:
    """Both sides agree on what was written; until an extraction reads it back, our own word stands for it."""
    now = work.ledger.now()
    contact = one.contact
    theirs = contact.values if contact else {}
    pairs = {name: Pair(value, theirs.get(name, value)) for name, value in one.to_qualy.items()}
    kept.put_values(connection, work.book, one.person.id, pairs, now)
    if one.link is not None:
        written = dict(one.link.facts.get("written") or {}) | dict(one.to_qualy)
        facts = dict(one.link.facts) | {"written": written, "written_at": now.isoformat()}
        kept.put_link(connection, work.book, replace(one.link, facts=facts, synced_at=now))
    outcome = left(work, one) or work.terms.say(Code.UPDATED)
    keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})
    work.add("updated_in_qualy")


def _not_taken(connection: sa.Connection, work: CrmWork, one: Planned, reply: Declined) -> None:
    differences = dict(one.differences) | {
        name: Difference(name, str(Reason.REFUSED), one.ours.get(name, ""), value)
        for name, value in one.to_qualy.items()
    }
    kept.put_differences(connection, work.book, one.person.id, differences, work.ledger.now())
    message = f"Qualy: {reply.message}"[:200]
    outcome = work.terms.say(Code.INVALID, message, message=message)
    keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})
    work.add(str(Code.INVALID))


def _prove(work: CrmWork, record_id: str, before: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    """After the first change ever: what was not named is still there. Raises CrmProblem where it is not."""
    assert work.source is not None
    if get_fact(work.ledger, work.book, PROVED) is not None:
        return
    after = work.source.one(Kind.CUSTOMER, record_id) or {}
    lost = [name for name in before if name not in after and name not in sent]
    for name, inside in before.items():
        now = after.get(name)
        if isinstance(inside, Mapping) and isinstance(now, Mapping):
            lost += [f"{name}.{key}" for key in inside if key not in now]
    if lost:
        raise CrmProblem(
            f"The first change of a customer in Qualy emptied {', '.join(sorted(lost)[:5])} of {record_id}, which it"
            " did not name: this call replaces the whole customer. Nothing more is written in Qualy. Restore the"
            f" customer there, switch {work.tool.id}.update_in_qualy off in the settings, and ask Qualy for a call that"
            " changes single fields."
        )
    with work.ledger.writing() as connection:
        put_fact(connection, work.book, PROVED, {})


# -- new customers ----------------------------------------------------------------------------------------------------


def candidates(work: CrmWork, contacts: Sequence[Mirrored]) -> Iterator[Mirrored]:
    """Contacts that become customers in Qualy by the settings, leaving out who is erased or has no usable address."""
    wanted = work.terms.from_tool
    if wanted is None:
        return
    for one in contacts:
        chosen = one.values.get(wanted.property, "") in wanted.values
        if one.state == kept.HERE and chosen and good_email(one.email) and not work.suppression.has(one.email):
            yield one


def new_customer(work: CrmWork, contact: Mirrored) -> dict[str, Any]:
    """The body of a creation: every copied field that the contact fills."""
    values = {
        one.path: contact.values.get(one.rule.field, "").strip()
        for one in work.terms.copied
        if one.rule.way is not Way.TO_TOOL or one.path == "email"
    }
    return changed_content({}, {path: value for path, value in values.items() if value})


def contact_content(contact: Mirrored) -> str:
    """What a decision about a contact is bound to."""
    return fingerprint([contact.id, contact.email])


def _create_all(work: CrmWork, lease: Lease, pace: Pace) -> None:
    assert work.source is not None
    codes = [Code.ITS_TURN, Code.NOT_CONFIRMED, Code.MASS_CHANGE, Code.SENT_ONCE]
    emails: set[str] | None = None
    for ids in customers_with(work, codes, Leg.CUSTOMER):
        with work.ledger.reading() as connection:
            known = kept.contacts_by_id(connection, work.book, ids)
            linked = kept.links_on(connection, work.book, ids)
        waiting = [one for one in candidates(work, list(known.values())) if one.id not in linked]
        left_over = [one for one in ids if one not in {each.id for each in waiting}]
        _settled(work, left_over, linked)
        due = _due(work, waiting)
        if due and emails is None:
            emails = emails_in_qualy(work.source)
        for contact in due:
            if contact.email in (emails or set()):
                _keep_contact(work, contact, work.terms.say(Code.ITS_TURN, why="Qualy has it; the next run links it"))
            elif _create(work, lease, pace, contact):
                (emails or set()).add(contact.email)


def _due(work: CrmWork, waiting: Sequence[Mirrored]) -> list[Mirrored]:
    """Those that the gate and the day's cap let through; the others keep why they wait."""
    wanted = work.terms.from_tool
    assert wanted is not None
    steps = [gate.step(Leg.CUSTOMER, one.id, one.email) for one in waiting]
    with work.ledger.writing() as connection:
        held = gate.hold(connection, work, steps, creates=True)
        room = wanted.most_per_day - gate.created_in_qualy(connection, work)
        decided = decisions_on(connection, work.book, [(str(Leg.CUSTOMER), one.id) for one in waiting])
        sent_once = _sent_once(connection, work, [one.id for one in waiting])
        found: list[Mirrored] = []
        told: dict[str, tuple[str, Outcome]] = {}
        for one, why in zip(waiting, held, strict=True):
            decision = decided.get((str(Leg.CUSTOMER), one.id))
            again = decision is not None and decision.choice == "again" and decision.source_hash == contact_content(one)
            if decision is not None and decision.choice == "ignore":
                why = work.terms.say(Code.IGNORED, by=decision.by, reason=decision.reason)
            elif one.id in sent_once and not again:
                why = work.terms.say(Code.SENT_ONCE)
            if why is None and room <= 0:
                why = work.terms.say(Code.ITS_TURN, why=f"{wanted.most_per_day} a day are created in Qualy at most")
            if why is not None:
                told[one.id] = (contact_content(one), why)
                continue
            room -= 1
            found.append(one)
        keep_outcomes(connection, work, told, Leg.CUSTOMER)
        work.add("held", len(told))
    return found


def _sent_once(connection: sa.Connection, work: CrmWork, ids: Sequence[str]) -> set[str]:
    where = (
        current_outcomes.c.book == work.book,
        current_outcomes.c.leg == str(Leg.CUSTOMER),
        current_outcomes.c.source_id.in_(list(ids)),
        current_outcomes.c.code == Code.SENT_ONCE,
    )
    return set(connection.scalars(sa.select(current_outcomes.c.source_id).where(*where)))


def emails_in_qualy(source: Source) -> set[str]:
    """Every customer's address, read now: the whole list, page by page."""
    return {
        normal_email(email)
        for page in source.pages(Kind.CUSTOMER, sort="_id")
        for row in page.rows
        if isinstance(email := row.get("email"), str)
    }


def _create(work: CrmWork, lease: Lease, pace: Pace, contact: Mirrored) -> bool:
    """One customer; True where Qualy has (or may have) it now."""
    assert work.writer is not None
    content, body_of = contact_content(contact), new_customer(work, contact)
    pace.before_call()
    attempt = _commit(work, lease, CREATE, Leg.CUSTOMER, contact.id, "", content, body_of, contact.email)
    if attempt is None:
        return True
    reply = work.writer.create(body_of)
    work.checkpoint("qualy_answered")
    if isinstance(reply, Saved) and reply.customer is not None:
        with work.ledger.writing() as connection:
            _close(connection, attempt, contact.id, "created")
            created(connection, work, contact, reply.customer)
            gate.passed(connection, work, Leg.CUSTOMER)
        return True
    if isinstance(reply, Declined):
        with work.ledger.writing() as connection:
            _close(connection, attempt, contact.id, str(reply.code))
            message = f"Qualy: {reply.message}"[:200]
            if reply.code is Code.DUPLICATE_THERE:
                outcome = work.terms.say(Code.ITS_TURN, why="Qualy has it; the next run links it")
            else:
                outcome = work.terms.say(Code.INVALID, message, message=message)
            keep_outcomes(connection, work, {contact.id: (content, outcome)}, Leg.CUSTOMER)
        return False
    if isinstance(reply, NotSent):
        _not_sent(work, attempt, contact.id, reply.error)
        return False
    _lost(work, attempt, contact.id, Leg.CUSTOMER, content)
    return True


def created(connection: sa.Connection, work: CrmWork, contact: Mirrored, customer: Customer) -> None:
    """The new customer and its contact are one from here on; the next extraction brings it, and it is merged."""
    now = work.ledger.now()
    link = CrmLink(
        source_id=customer.id,
        remote_id=contact.id,
        email=contact.email,
        how="created_in_qualy",
        state=kept.LINKED,
        content_hash=contact_content(contact),
        facts={},
        linked_at=now,
        synced_at=now,
    )
    kept.put_link(connection, work.book, link)
    pairs = {}
    for one in work.terms.copied:
        theirs = contact.values.get(one.rule.field, "")
        pairs[one.rule.field] = Pair(text_at(customer.content, one.path), theirs)
    kept.put_values(connection, work.book, customer.id, pairs, now)
    kept.dirty_again(connection, work.book, [contact.id])
    outcome = work.terms.say(Code.CREATED)
    keep_outcomes(connection, work, {contact.id: (contact_content(contact), outcome)}, Leg.CUSTOMER)
    work.add("created_in_qualy")


def _settled(work: CrmWork, ids: Sequence[str], linked: Mapping[str, Sequence[CrmLink]]) -> None:
    """Contacts that are linked by now, or that no longer ask for a customer."""
    with work.ledger.writing() as connection:
        told = {}
        for one in ids:
            setting = f"{work.terms.tool}.create_in_qualy.when"
            outcome = (
                work.terms.say(Code.ADOPTED) if linked.get(one) else work.terms.say(Code.NEVER_SYNCED, setting=setting)
            )
            told[one] = (one, outcome)
        keep_outcomes(connection, work, told, Leg.CUSTOMER)


# -- what was not answered --------------------------------------------------------------------------------------------


def settle_qualy(work: CrmWork, lease: Lease, pace: Pace) -> None:
    """Reads back what was sent to Qualy and not answered. Nothing is ever sent again for it here."""
    assert work.source is not None
    emails: dict[str, str] | None = None
    for attempt in open_attempts(work.ledger, work.book):
        if attempt.what not in (CREATE, UPDATE):
            continue
        if attempt.ended_at is None:
            with work.ledger.writing() as connection:
                lease.check(connection)
                take_over(connection, attempt.id)
            attempt = open_attempts(work.ledger, work.book, attempt.id)[0]
        pace.before_call()
        if attempt.what == UPDATE:
            _settle_update(work, attempt)
            continue
        if emails is None:
            emails = _ids_by_email(work.source)
        _settle_create(work, attempt, emails)


def _settle_create(work: CrmWork, attempt: OpenAttempt, emails: Mapping[str, str]) -> None:
    one = attempt.steps[0]
    with work.ledger.reading() as connection:
        contact = kept.contacts_by_id(connection, work.book, [one.source_id]).get(one.source_id)
    found = emails.get(one.sought)
    with work.ledger.writing() as connection:
        if found is not None and contact is not None:
            _close(connection, attempt.id, one.source_id, "found")
            content = json.loads(attempt.body) if attempt.body else {}
            created(connection, work, contact, Customer(found, content))
        elif _believed(work, attempt):
            _close(connection, attempt.id, one.source_id, "absent")
            outcome = work.terms.say(Code.SENT_ONCE)
            keep_outcomes(connection, work, {one.source_id: (one.source_hash, outcome)}, Leg.CUSTOMER)
            work.add(str(Code.SENT_ONCE))
        else:
            work.add("still_unknown")


def _settle_update(work: CrmWork, attempt: OpenAttempt) -> None:
    """There: an extraction will read it, and both sides agree. Not there after Q: both are merged anew."""
    assert work.source is not None
    one = attempt.steps[0]
    sent = json.loads(attempt.body) if attempt.body else {}
    now_there = work.source.one(Kind.CUSTOMER, one.source_id) or {}
    there = bool(sent) and all(now_there.get(name) == value for name, value in sent.items())
    if not there and not _believed(work, attempt):
        work.add("still_unknown")
        return
    with work.ledger.writing() as connection:
        _close(connection, attempt.id, one.source_id, "found" if there else "absent")
        link = kept.links_of(connection, work.book, [one.source_id]).get(one.source_id)
        if there and link is not None:
            now = work.ledger.now()
            paths = {each.rule.field: each.path for each in work.terms.copied}
            written = {name: text_at(now_there, paths[name]) for name in one.frozen.get("names", ()) if name in paths}
            facts = dict(link.facts) | {"written": written, "written_at": now.isoformat()}
            kept.put_link(connection, work.book, replace(link, facts=facts, synced_at=now))
        turn = work.terms.say(Code.ITS_TURN, why="it was sent once and not answered")
        keep_outcomes(connection, work, {one.source_id: (one.source_hash, turn)})
        work.add("settled")


def _believed(work: CrmWork, attempt: OpenAttempt) -> bool:
    last = attempt.last_sent_at or attempt.committed_at
    return work.ledger.now() >= last + timedelta(minutes=work.terms.pace.settle_minutes)


def _ids_by_email(source: Source) -> dict[str, str]:
    return {
        normal_email(email): str(row.get("_id"))
        for page in source.pages(Kind.CUSTOMER, sort="_id")
        for row in page.rows
        if isinstance(email := row.get("email"), str)
    }


# -- attempts ---------------------------------------------------------------------------------------------------------


def _commit(
    work: CrmWork,
    lease: Lease,
    what: str,
    leg: Leg,
    source_id: str,
    variant: str,
    content: str,
    sent: Mapping[str, Any],
    email: str,
) -> int | None:
    """The attempt, durably; None where another one is open."""
    body = json.dumps(sent, ensure_ascii=False, sort_keys=True).encode()
    row = StepRow(
        leg=str(leg),
        source_id=source_id,
        variant=variant,
        generation=1,
        ref=ref_of(source_id),
        sought=email[:100],
        source_hash=content,
        content_hash=hashlib.sha256(body).hexdigest(),
        settings_version=work.terms.settings_version,
        frozen={"names": [one.rule.field for one in work.terms.copied]},
        seen={},
        amount=0,
        currency="",
    )
    try:
        with work.ledger.writing() as connection:
            lease.check(connection)
            key = uuid.uuid4().hex
            return commit_attempt(
                connection, work.ledger, work.book, work.run, lease.epoch, what, key, body, row.content_hash, [row]
            )
    except StepTaken:
        return None


def _close(connection: sa.Connection, attempt: int, source_id: str, fate: str) -> None:
    close_steps(connection, attempt, [ref_of(source_id)], fate)
    end_attempt(connection, attempt, "answered" if fate in ("created", "updated") else fate)


def _not_sent(work: CrmWork, attempt: int, source_id: str, error: Exception) -> None:
    """Nothing was done. It keeps its turn; what a person must mend ends the run."""
    with work.ledger.writing() as connection:
        _close(connection, attempt, source_id, "not_sent")
    if isinstance(error, OutOfQuota | Unreachable):
        raise error
    raise CrmProblem(str(error))


def _lost(work: CrmWork, attempt: int, source_id: str, leg: Leg, content: str) -> None:
    until = work.ledger.now() + timedelta(minutes=work.terms.pace.settle_minutes)
    outcome = work.terms.say(Code.UNKNOWN, until=f"{until:%Y-%m-%d %H:%M} UTC")
    with work.ledger.writing() as connection:
        end_attempt(connection, attempt, "unknown")
        keep_outcomes(connection, work, {source_id: (content, outcome)}, leg)
    work.add(str(Code.UNKNOWN))


def _keep(work: CrmWork, one: Planned, outcome: Outcome) -> None:
    with work.ledger.writing() as connection:
        keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})


def _keep_contact(work: CrmWork, contact: Mirrored, outcome: Outcome) -> None:
    with work.ledger.writing() as connection:
        keep_outcomes(connection, work, {contact.id: (contact_content(contact), outcome)}, Leg.CUSTOMER)
