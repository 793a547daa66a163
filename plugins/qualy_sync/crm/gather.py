"""From the ledger to plans: what is known of each customer of a slice, and what a plan leaves behind there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.crm import CrmLink
from qualy_sync.ledger.decisions import decisions_on
from qualy_sync.ledger.outcomes import Verdict, record
from qualy_sync.ledger.schema import attempt_steps, current_outcomes, source_rows
from qualy_sync.ledger.slices import visible
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code, Outcome

from .people import Names, Person, load_names, load_people
from .plan import Known, Planned, plan_person, still_unread
from .work import CrmWork

SLICE = 200


class Planner:
    """Plans customers slice by slice, from the ledger alone."""

    def __init__(self, work: CrmWork) -> None:
        self._work = work
        self._names: Names = load_names(work.ledger, work.pin, work.terms.source)
        self._today = work.today()

    def plan(self, ids: Sequence[str]) -> list[Planned]:
        """Plans of these customers; those that Qualy does not list are left out."""
        work = self._work
        people = load_people(work.ledger, work.pin, ids, self._names, work.terms.source)
        if work.only:
            people = [one for one in people if one.id in work.only]
        with work.ledger.reading() as connection:
            known = self.known(connection, people)
        return [self.decide(one, known[one.id]) for one in people]

    def known(self, connection: sa.Connection, people: Sequence[Person]) -> dict[str, Known]:
        """What the ledger knows of each."""
        return _known(connection, self._work, people)

    def decide(self, person: Person, known: Known) -> Planned:
        """What becomes of one of them."""
        return plan_person(self._work.terms, person, known, self._today, again=person.id in self._work.again)

    def keep(self, plans: Sequence[Planned]) -> None:
        """Keeps what plans found out."""
        keep_plans(self._work, plans)


def _known(connection: sa.Connection, work: CrmWork, people: Sequence[Person]) -> dict[str, Known]:
    book, ids = work.book, [one.id for one in people]
    links = kept.links_of(connection, book, ids)
    linked = kept.contacts_by_id(connection, book, [link.remote_id for link in links.values()])
    free = [one for one in people if one.id not in links]
    by_ref = kept.contacts_by_ref(connection, book, [one.id for one in free])
    by_email = kept.contacts_by_email(connection, book, [one.email for one in free])
    contacts = {c.id for found in (*by_ref.values(), *by_email.values()) for c in found}
    remote_ids = sorted(contacts | {link.remote_id for link in links.values()})
    holders = {
        remote_id: next((one.source_id for one in found if one.state == kept.LINKED), "")
        for remote_id, found in kept.links_on(connection, book, remote_ids).items()
    }
    base = kept.values_of(connection, book, ids)
    differences = kept.differences_of(connection, book, ids)
    decisions = decisions_on(connection, book, [(str(Leg.CONTACT), key) for key in ids])
    sending = _sending(connection, book, ids)
    found: dict[str, Known] = {}
    for one in people:
        link = links.get(one.id)
        matches = {each.id: each for each in (*by_ref.get(one.id, ()), *by_email.get(one.email, ()))}
        found[one.id] = Known(
            link=link,
            contact=linked.get(link.remote_id) if link else None,
            matches=tuple(matches.values()),
            holders=holders,
            base=base.get(one.id, {}),
            differences=differences.get(one.id, {}),
            decision=decisions.get((str(Leg.CONTACT), one.id)),
            suppressed=link is None and work.suppression.has(one.email),
            sending=_unknown(work, sending[one.id]) if one.id in sending else None,
        )
    return found


def _sending(connection: sa.Connection, book: int, ids: Sequence[str]) -> dict[str, datetime]:
    """Customers with an attempt that is not answered yet, and since when."""
    found: dict[str, datetime] = {}
    for start in range(0, len(ids), 400):
        rows = connection.execute(
            sa.select(attempt_steps.c.source_id, attempt_steps.c.at).where(
                attempt_steps.c.book == book,
                attempt_steps.c.leg == str(Leg.CONTACT),
                attempt_steps.c.source_id.in_(list(ids[start : start + 400])),
                attempt_steps.c.open,
            )
        )
        found |= {row.source_id: row.at for row in rows}
    return found


def _unknown(work: CrmWork, since: datetime) -> Outcome:
    until = since + work.tool.limits.settle
    return work.terms.say(Code.UNKNOWN, until=f"{until:%Y-%m-%d %H:%M} UTC")


# -- what a plan leaves behind ----------------------------------------------------------------------------------------


def keep_plans(work: CrmWork, plans: Iterable[Planned]) -> None:
    """Keeps what was found out: outcomes, agreements, differences, and links that need no write."""
    everything = list(plans)
    now = work.ledger.now()
    for one in everything:
        if one.erase:
            with work.ledger.reading() as connection:
                emails = kept.addresses_of(connection, work.book, one.link.remote_id) if one.link else []
            work.suppression.add([*emails, one.link.email if one.link else "", one.person.email], "erased")
    turn = work.terms.say(Code.ITS_TURN, why="not sent yet")
    with work.ledger.writing() as connection:
        for one in everything:
            keep_merge(connection, work, one, now)
        record(
            connection,
            work.book,
            work.run,
            work.tool.id,
            work.terms.settings_version,
            [verdict(one.person.id, one.content, one.outcome or turn) for one in everything],
        )


def keep_merge(connection: sa.Connection, work: CrmWork, one: Planned, now: datetime) -> None:
    """A plan's agreements and differences, and its link where nothing has to be written to the tool for it."""
    adopted = one.link is None and one.contact is not None and one.how == "adopted" and one.act is None
    if adopted and one.contact is not None:
        kept.forget_values(connection, work.book, one.person.id)
        kept.put_link(connection, work.book, new_link(one, one.contact.id, one.contact.email, now))
    elif one.link is not None and one.erase:
        kept.put_link(connection, work.book, replace(one.link, synced_at=now))
    elif one.link is not None and one.link.facts and not _facts(one):
        kept.put_link(connection, work.book, replace(one.link, facts={}))
    if one.link is not None or adopted:
        kept.put_values(connection, work.book, one.person.id, one.agreed, now)
    if one.outcome is None or one.outcome.code not in (Code.UNKNOWN, Code.IGNORED):
        kept.put_differences(connection, work.book, one.person.id, one.differences, now)


def new_link(one: Planned, remote_id: str, email: str, now: datetime) -> CrmLink:
    """The link that a plan makes or keeps up."""
    before = one.link
    return CrmLink(
        source_id=one.person.id,
        remote_id=remote_id,
        email=email,
        how=before.how if before else one.how,
        state=kept.LINKED,
        content_hash=one.content,
        facts=_facts(one),
        linked_at=before.linked_at if before else now,
        synced_at=now,
    )


def _facts(one: Planned) -> Mapping[str, Any]:
    """What a link says of writes in Qualy that were not read back. Once they were, an older record that comes back is
    an edit."""
    return one.link.facts if one.link is not None and still_unread(one.link, one.person) else {}


def verdict(source_id: str, content: str, outcome: Outcome, leg: Leg = Leg.CONTACT) -> Verdict:
    """An outcome of a customer (or, for the leg `customer`, of a contact of the tool's)."""
    return Verdict(
        kind=str(Kind.CUSTOMER),
        leg=str(leg),
        source_id=source_id,
        owner=source_id,
        payment_id=None,
        amount=0,
        currency="",
        month="",
        source_hash=content,
        outcome=outcome,
    )


def keep_outcomes(
    connection: sa.Connection, work: CrmWork, found: Mapping[str, tuple[str, Outcome]], leg: Leg = Leg.CONTACT
) -> None:
    """Keeps outcomes by record: its content and what became of it."""
    verdicts = [verdict(key, content, outcome, leg) for key, (content, outcome) in found.items()]
    record(connection, work.book, work.run, work.tool.id, work.terms.settings_version, verdicts)


# -- which customers ----------------------------------------------------------------------------------------------


def customers_with(work: CrmWork, codes: Sequence[Code], leg: Leg = Leg.CONTACT) -> Iterator[list[str]]:
    """Records that have one of these codes now, slice by slice."""
    after = ""
    while True:
        with work.ledger.reading() as connection:
            rows = connection.execute(
                sa.select(current_outcomes.c.source_id)
                .where(
                    current_outcomes.c.book == work.book,
                    current_outcomes.c.leg == str(leg),
                    current_outcomes.c.code.in_([str(code) for code in codes]),
                    current_outcomes.c.source_id > after,
                )
                .order_by(current_outcomes.c.source_id)
                .limit(SLICE)
            )
            ids = [row.source_id for row in rows]
        if not ids:
            return
        yield ids
        after = ids[-1]


def customers_of(connection: sa.Connection, work: CrmWork, contacts: Sequence[kept.Mirrored]) -> dict[str, set[str]]:
    """Whom each of these contacts may stand for: by link, by the ref that it carries, by any of its addresses."""
    found: dict[str, set[str]] = {one.id: set() for one in contacts}
    for remote_id, links in kept.links_on(connection, work.book, list(found)).items():
        found[remote_id] |= {link.source_id for link in links}
    refs = {one.ref: one.id for one in contacts if one.ref}
    for source_id, _ in _customers(connection, work, source_rows.c.id, list(refs)):
        found[refs[source_id]].add(source_id)
    addresses: dict[str, set[str]] = {}
    for one in contacts:
        for email in kept.addresses_of(connection, work.book, one.id):
            addresses.setdefault(email, set()).add(one.id)
    for source_id, email in _customers(connection, work, source_rows.c.email, list(addresses)):
        for remote_id in addresses[email]:
            found[remote_id].add(source_id)
    return found


def _customers(
    connection: sa.Connection, work: CrmWork, column: sa.Column[Any], keys: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for start in range(0, len(keys), 400):
        rows = connection.execute(
            sa.select(source_rows.c.id, source_rows.c.email).where(
                visible(work.pin), source_rows.c.kind == Kind.CUSTOMER, column.in_(list(keys[start : start + 400]))
            )
        )
        for row in rows:
            yield row.id, row.email
