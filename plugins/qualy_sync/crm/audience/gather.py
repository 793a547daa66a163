"""From the ledger to plans for an audience, and what such a plan leaves behind there: who is left in peace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from qualy_sync.contracts.audience import AudienceTool
from qualy_sync.ledger import crm as kept
from qualy_sync.ledger.crm import WITHDRAWN, CrmLink
from qualy_sync.outcomes import Code

from ..gather import Planner, keep_plans
from ..people import Person
from ..plan import Known, Planned
from ..work import CrmWork
from .plan import plan_member

REASON = "withdrawn"


def tool_of(work: CrmWork) -> AudienceTool:
    """The tool of a work whose terms are those of an audience."""
    return cast(AudienceTool, work.tool)


class MemberPlanner(Planner):
    """Plans customers as members of an audience."""

    def known(self, connection: sa.Connection, people: Sequence[Person]) -> dict[str, Known]:
        """Besides what is known for any tool: who has the address that a linked customer has now."""
        work = self._work
        found = super().known(connection, people)
        moved = [
            one.email for one in people if (contact := found[one.id].contact) is not None and contact.email != one.email
        ]
        others = kept.contacts_by_email(connection, work.book, moved)
        ids = sorted({each.id for matches in others.values() for each in matches})
        holders = {
            remote_id: next((link.source_id for link in links if link.state == kept.LINKED), "")
            for remote_id, links in kept.links_on(connection, work.book, ids).items()
        }
        return {
            one.id: replace(
                found[one.id],
                suppressed=work.suppression.has(one.email),
                matches=(*found[one.id].matches, *others.get(one.email, ())),
                holders={**found[one.id].holders, **holders},
            )
            for one in people
        }

    def decide(self, person: Person, known: Known) -> Planned:
        work = self._work
        withdrawn, again = tool_of(work).withdrawn, person.id in work.again
        return plan_member(work.terms, withdrawn, person, known, work.ledger.now(), again=again)

    def keep(self, plans: Sequence[Planned]) -> None:
        leave_in_peace(self._work, [one for one in plans if is_withdrawn(one)])
        keep_plans(self._work, plans)


def is_withdrawn(one: Planned) -> bool:
    return one.outcome is not None and one.outcome.code is Code.CONSENT_WITHDRAWN


def leave_in_peace(work: CrmWork, plans: Sequence[Planned]) -> None:
    """Remembers for good that these customers said no, with every address that they have had so far."""
    emails = {
        email
        for one in plans
        for email in (one.person.email, one.link.email if one.link else "", one.contact.email if one.contact else "")
        if email
    }
    new = [email for email in emails if not work.suppression.has(email)]
    if new:
        work.suppression.add(new, REASON)
    now = work.ledger.now()
    with work.ledger.writing() as connection:
        for one in plans:
            if one.link is None or one.link.state != WITHDRAWN or one.link.email != one.person.email:
                kept.put_link(connection, work.book, _withdrawn(one, now))


def _withdrawn(one: Planned, now: datetime) -> CrmLink:
    before = one.link
    return CrmLink(
        source_id=one.person.id,
        remote_id=one.contact.id if one.contact else before.remote_id if before else "",
        email=one.person.email or (before.email if before else ""),
        how=before.how if before else "adopted",
        state=WITHDRAWN,
        content_hash=one.content,
        facts=before.facts if before else {},
        linked_at=before.linked_at if before else now,
        synced_at=now,
    )
