"""Changes and new customers into Qualy, where the settings switched that on. One at a time, and never on a guess.

A customer in Qualy is a portal log-in, and creating one may mail somebody. So: the whole list is looked at first, a
day has a cap, the first plan waits for a confirmation, and what was sent and not answered is sent again only when a
person says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Declined, NotSent
from qualy_sync.contracts.crm import Saved
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.attempts import OpenAttempt, open_attempts, take_over
from qualy_sync.ledger.books import get_fact, put_fact
from qualy_sync.ledger.crm import CrmLink, Difference, Pair
from qualy_sync.ledger.leases import Lease
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code, Outcome

from .forms import same
from .gather import Planner, customers_with, keep_outcomes, keep_plans
from .merge import Reason
from .new_in_qualy import create_all, ids_by_email, settle_create
from .people import Names, Person, load_people, text_at
from .plan import Planned, still_unread
from .qualy_attempts import ABSENT, CREATE, UPDATE, believed, changed_content, close, commit, lost, not_sent
from .work import CrmProblem, CrmWork, Pace
from .write import left

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
        create_all(work, lease, pace)


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
    attempt = commit(work, lease, UPDATE, Leg.CONTACT, one.person.id, "qualy", one.content, content, "")
    if attempt is None:
        return
    reply = work.writer.update(one.person.id, content)
    work.checkpoint("qualy_answered")
    if isinstance(reply, Saved):
        _prove(work, one.person.id, now_there, content)
        with work.ledger.writing() as connection:
            close(connection, attempt, one.person.id, "updated")
            updated(connection, work, one)
    elif isinstance(reply, Declined):
        with work.ledger.writing() as connection:
            close(connection, attempt, one.person.id, str(reply.code))
            _not_taken(connection, work, one, reply)
    elif isinstance(reply, NotSent):
        not_sent(work, attempt, one.person.id, reply.error)
    else:
        lost(work, attempt, one.person.id, Leg.CONTACT, one.content)


def updated(connection: sa.Connection, work: CrmWork, one: Planned) -> None:
    """Both sides agree on what was written; until an extraction reads it back, our own word stands for it."""
    now = work.ledger.now()
    contact = one.contact
    theirs = contact.values if contact else {}
    pairs = {name: Pair(value, theirs.get(name, value)) for name, value in one.to_qualy.items()}
    kept.put_values(connection, work.book, one.person.id, pairs, now)
    if one.link is not None:
        values = still_unread(one.link, one.person) | dict(one.to_qualy)
        kept.put_link(connection, work.book, _written(one.link, values, one.person, now))
    outcome = left(work, one) or work.terms.say(Code.UPDATED)
    keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})
    work.add("updated_in_qualy")


def _written(link: CrmLink, values: Mapping[str, str], person: Person, now: datetime) -> CrmLink:
    """The link with what was written in Qualy, and upon which of its records: see `plan.still_unread`."""
    facts = dict(link.facts) | {
        "written": dict(values),
        "written_at": now.isoformat(),
        "written_upon": person.hash,
        "written_sweep": person.sweep,
    }
    return replace(link, facts=facts, synced_at=now)


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
            emails = ids_by_email(work.source)
        settle_create(work, attempt, emails)


def _settle_update(work: CrmWork, attempt: OpenAttempt) -> None:
    """There: an extraction will read it, and both sides agree. Not there after Q: both are merged anew."""
    assert work.source is not None
    one = attempt.steps[0]
    sent = json.loads(attempt.body) if attempt.body else {}
    now_there = work.source.one(Kind.CUSTOMER, one.source_id) or {}
    there = bool(sent) and all(now_there.get(name) == value for name, value in sent.items())
    if not there and not believed(work, attempt):
        work.add("still_unknown")
        return
    people = load_people(work.ledger, work.pin, [one.source_id], Names({}, {}, {}, {}), work.terms.source)
    with work.ledger.writing() as connection:
        close(connection, attempt.id, one.source_id, "found" if there else ABSENT)
        link = kept.links_of(connection, work.book, [one.source_id]).get(one.source_id)
        if there and link is not None and people:
            paths = {each.rule.field: each.path for each in work.terms.copied}
            written = {name: text_at(now_there, paths[name]) for name in one.frozen.get("names", ()) if name in paths}
            kept.put_link(connection, work.book, _written(link, written, people[0], work.ledger.now()))
        turn = work.terms.say(Code.ITS_TURN, why="it was sent once and not answered")
        keep_outcomes(connection, work, {one.source_id: (one.source_hash, turn)})
        work.add("settled")


def _keep(work: CrmWork, one: Planned, outcome: Outcome) -> None:
    with work.ledger.writing() as connection:
        keep_outcomes(connection, work, {one.person.id: (one.content, outcome)})
