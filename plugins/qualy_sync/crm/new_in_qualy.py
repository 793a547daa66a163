"""New customers in Qualy: only who the settings ask for, after a look at the whole list, and never twice on a guess."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Declined, NotSent
from qualy_sync.contracts.crm import Customer, Saved
from qualy_sync.contracts.source import Source
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import OpenAttempt, steps_on
from qualy_sync.ledger.crm import CrmLink, Mirrored, Pair
from qualy_sync.ledger.decisions import Decision, decisions_on
from qualy_sync.ledger.leases import Lease
from qualy_sync.ledger.outcomes import current_of
from qualy_sync.model import Kind, Leg, normal_email
from qualy_sync.outcomes import Code, Outcome

from . import gate
from .gather import customers_with, keep_outcomes
from .merge import Way
from .people import text_at
from .plan import good_email
from .qualy_attempts import ABSENT, CREATE, believed, changed_content, close, commit, lost, not_sent
from .terms import fingerprint
from .work import CrmWork, Pace

_DUE = (Code.ITS_TURN, Code.NOT_CONFIRMED, Code.MASS_CHANGE, Code.SENT_ONCE)
_WAITING = (*_DUE, Code.UNKNOWN)


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


def offer(work: CrmWork, contacts: Sequence[Mirrored]) -> None:
    """Gives their turn to contacts that may become customers. Who waits already, for whatever reason, goes on so."""
    with work.ledger.reading() as connection:
        known = current_of(connection, work.book, [one.id for one in contacts])
    waiting = {source_id for (leg, source_id), row in known.items() if leg == Leg.CUSTOMER and row.code in _WAITING}
    turn = work.terms.say(Code.ITS_TURN, why="not sent yet")
    found = {one.id: (contact_content(one), turn) for one in candidates(work, contacts) if one.id not in waiting}
    with work.ledger.writing() as connection:
        keep_outcomes(connection, work, found, Leg.CUSTOMER)


def create_all(work: CrmWork, lease: Lease, pace: Pace) -> None:
    """Creates whoever's turn it is; what was refused, too, where a person asked for a further try of it."""
    assert work.source is not None
    codes = [*_DUE, Code.INVALID] if work.again else _DUE
    emails: set[str] | None = None
    for ids in customers_with(work, codes, Leg.CUSTOMER):
        ids = [one for one in ids if not work.only or one in work.only]
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
        sent_once = _sent_once(connection, work, [one.id for one in waiting])  # and when last
        found: list[Mirrored] = []
        told: dict[str, tuple[str, Outcome]] = {}
        for one, why in zip(waiting, held, strict=True):
            decision = decided.get((str(Leg.CUSTOMER), one.id))
            if decision is not None and decision.source_hash != contact_content(one):
                decision = None
            if decision is not None and decision.choice == "ignore":
                why = work.terms.say(Code.IGNORED, by=decision.by, reason=decision.reason)
            elif one.id in sent_once and not _said_again(decision, sent_once[one.id]):
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


def _sent_once(connection: sa.Connection, work: CrmWork, ids: Sequence[str]) -> dict[str, datetime]:
    """Who was sent to Qualy, without an answer, and was not found there; and when that was last."""
    return {
        source_id: steps[-1].at
        for (leg, source_id), steps in steps_on(connection, work.book, ids).items()
        if leg == Leg.CUSTOMER and steps[-1].fate == ABSENT
    }


def _said_again(decision: Decision | None, sent_at: datetime) -> bool:
    """Whether a person asked for one more since it was sent last: each further try needs its own word."""
    return decision is not None and decision.choice == "again" and decision.at > sent_at


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
    attempt = commit(work, lease, CREATE, Leg.CUSTOMER, contact.id, "", content, body_of, contact.email)
    if attempt is None:
        return True
    reply = work.writer.create(body_of)
    work.checkpoint("qualy_answered")
    if isinstance(reply, Saved) and reply.customer is not None:
        with work.ledger.writing() as connection:
            close(connection, attempt, contact.id, "created")
            created(connection, work, contact, reply.customer)
            gate.passed(connection, work, Leg.CUSTOMER)
        return True
    if isinstance(reply, Declined):
        with work.ledger.writing() as connection:
            close(connection, attempt, contact.id, str(reply.code))
            message = f"Qualy: {reply.message}"[:200]
            if reply.code is Code.DUPLICATE_THERE:
                outcome = work.terms.say(Code.ITS_TURN, why="Qualy has it; the next run links it")
            else:
                outcome = work.terms.say(Code.INVALID, message, message=message)
            keep_outcomes(connection, work, {contact.id: (content, outcome)}, Leg.CUSTOMER)
        return False
    if isinstance(reply, NotSent):
        not_sent(work, attempt, contact.id, reply.error)
        return False
    lost(work, attempt, contact.id, Leg.CUSTOMER, content)
    return True


def created(connection: sa.Connection, work: CrmWork, contact: Mirrored, customer: Customer) -> None:
    """The new customer and its contact are one from here on; the next extraction brings it, and it is merged."""
    now = work.ledger.now()
    outcome = work.terms.say(Code.CREATED)
    keep_outcomes(connection, work, {contact.id: (contact_content(contact), outcome)}, Leg.CUSTOMER)
    work.add("created_in_qualy")
    kept.dirty_again(connection, work.book, [contact.id])
    held = kept.links_on(connection, work.book, [contact.id]).get(contact.id, [])
    if any(one.state == kept.LINKED and one.source_id != customer.id for one in held):
        return  # while the answer was out, the contact turned out to be another customer's
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
        ours, theirs = text_at(customer.content, one.path), contact.values.get(one.rule.field, "")
        if ours or not theirs:  # what did not arrive is not agreed on
            pairs[one.rule.field] = Pair(ours, theirs)
    kept.put_values(connection, work.book, customer.id, pairs, now)


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


def settle_create(work: CrmWork, attempt: OpenAttempt, emails: Mapping[str, str]) -> None:
    one = attempt.steps[0]
    with work.ledger.reading() as connection:
        contact = kept.contacts_by_id(connection, work.book, [one.source_id]).get(one.source_id)
    found = emails.get(one.sought)
    with work.ledger.writing() as connection:
        if found is not None and contact is not None:
            close(connection, attempt.id, one.source_id, "found")
            content = json.loads(attempt.body) if attempt.body else {}
            created(connection, work, contact, Customer(found, content))
        elif believed(work, attempt):
            close(connection, attempt.id, one.source_id, ABSENT)
            outcome = work.terms.say(Code.SENT_ONCE)
            keep_outcomes(connection, work, {one.source_id: (one.source_hash, outcome)}, Leg.CUSTOMER)
            work.add(str(Code.SENT_ONCE))
        else:
            work.add("still_unknown")


def ids_by_email(source: Source) -> dict[str, str]:
    return {
        normal_email(email): str(row.get("_id"))
        for page in source.pages(Kind.CUSTOMER, sort="_id")
        for row in page.rows
        if isinstance(email := row.get("email"), str)
    }


def _keep_contact(work: CrmWork, contact: Mirrored, outcome: Outcome) -> None:
    with work.ledger.writing() as connection:
        keep_outcomes(connection, work, {contact.id: (contact_content(contact), outcome)}, Leg.CUSTOMER)
