"""What becomes of one customer in an audience. Pure: consent first, then as for any tool, one way.

Who said no, bounced, was archived or deleted there is never written again, under whatever address: the customer's link
says so, and every address that the customer has later counts as withdrawn as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from qualy_sync.contracts.crm import Act
from qualy_sync.ledger.crm import ARCHIVED, GONE, HERE, WITHDRAWN, Difference, Mirrored
from qualy_sync.outcomes import Code

from ..forms import same
from ..merge import Reason
from ..people import Person
from ..plan import Known, Planned, content_hash, good_email, plan_person
from ..terms import Terms

LATER = "later"  # stands for a whole record that the tool takes only after a time; its `theirs` is that time


def plan_member(
    terms: Terms, withdrawn: frozenset[str], person: Person, known: Known, now: datetime, *, again: bool = False
) -> Planned:
    """What becomes of one customer. `withdrawn`: standings of members who are left in peace."""
    if known.sending is None and person.problem is None:
        left, contact = has_left(withdrawn, person, known)
        if left:
            return _in_peace(terms, person, known, contact)
    today: date = now.date()
    known = _moved_onto(terms, person, known)
    planned = plan_person(terms, person, known, today, again=again)
    if planned.act is None:
        return planned
    planned = _without_refused(terms, planned, known, again=again)
    planned = _own_address_stays(terms, planned, known)
    return planned if again else _later(terms, planned, known, now)


def has_left(withdrawn: frozenset[str], person: Person, known: Known) -> tuple[bool, Mirrored | None]:
    """Whether a customer withdrew consent, and the member that says so."""
    link, contact = known.link, known.contact
    if link is not None and link.state == WITHDRAWN:
        return True, contact
    if link is not None and (contact is None or _is_left(contact, withdrawn)):
        return True, contact
    at_address = [one for one in known.matches if one.email == person.email and _is_left(one, withdrawn)]
    if at_address:
        return True, at_address[0]
    return known.suppressed, None


def _is_left(contact: Mirrored, withdrawn: frozenset[str]) -> bool:
    return contact.state in (ARCHIVED, GONE) or contact.standing in withdrawn


def _in_peace(terms: Terms, person: Person, known: Known, contact: Mirrored | None) -> Planned:
    return Planned(
        person,
        content_hash(terms, person, None),
        outcome=terms.say(Code.CONSENT_WITHDRAWN),
        contact=contact,
        link=known.link,
    )


def _moved_onto(terms: Terms, person: Person, known: Known) -> Known:
    """Where the address changed at Qualy to one that another member has: that member is meant from now on."""
    link, contact = known.link, known.contact
    if link is None or contact is None or contact.email == person.email or not _moved_at_qualy(terms, person, known):
        return known
    others = [one for one in known.matches if one.id != contact.id and one.email == person.email and one.state == HERE]
    if not others:
        return known
    return replace(known, link=None, contact=None, matches=tuple(others), base={}, differences={})


def _moved_at_qualy(terms: Terms, person: Person, known: Known) -> bool:
    base = known.base.get(terms.email_field)
    return good_email(person.email) and (base is None or base.ours.strip().lower() != person.email)


def _own_address_stays(terms: Terms, planned: Planned, known: Known) -> Planned:
    """A member who changed the own address there keeps it: only a change at Qualy moves a member."""
    base, name = known.base.get(terms.email_field), terms.email_field
    if planned.act is not Act.UPDATE or name not in planned.to_tool or planned.link is None or base is None:
        return planned
    rule = next(one for one in terms.rules if one.field == name)
    ours = planned.ours.get(name, "")
    if not same(rule.form, ours, base.ours):
        return planned
    theirs = planned.contact.values.get(name, "") if planned.contact else ""
    held = Difference(name, str(Reason.HELD_BACK), ours, theirs)
    return _less(terms, planned, [name], {name: held})


def _without_refused(terms: Terms, planned: Planned, known: Known, *, again: bool) -> Planned:
    """A new member goes without the values that were refused before, the rest of it is written."""
    if planned.act is not Act.CREATE or again:
        return planned
    refused = {
        name: one
        for name, one in known.differences.items()
        if name in planned.to_tool
        and one.reason == Reason.REFUSED
        and one.ours.strip() == planned.to_tool[name].strip()
    }
    return _less(terms, planned, refused, refused) if refused else planned


def _less(terms: Terms, planned: Planned, names: Iterable[str], differences: dict[str, Difference]) -> Planned:
    """The plan without these values. Nothing is left to write: it is in step but for them."""
    without = set(names)
    values = {name: value for name, value in planned.to_tool.items() if name not in without}
    found = replace(planned, to_tool=values, differences={**planned.differences, **differences})
    if values or planned.tags_on or planned.tags_off:
        return found
    fields = ", ".join(sorted(found.differences))
    return replace(found, act=None, outcome=terms.say(Code.KEPT_APART, fields=fields))


def _later(terms: Terms, planned: Planned, known: Known, now: datetime) -> Planned:
    waits = known.differences.get(LATER)
    if waits is None or datetime.fromisoformat(waits.theirs) <= now:
        return planned
    why = f"{terms.title} takes the address only after {waits.theirs[:16].replace('T', ' ')} UTC"
    kept = {**planned.differences, LATER: waits}
    return replace(planned, act=None, outcome=terms.say(Code.ITS_TURN, why=why), differences=kept)
