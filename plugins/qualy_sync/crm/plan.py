"""What becomes of one customer: matched, merged, and what is to be written where. Pure.

Matched by id once linked, else by the ref that a contact carries and by email. What is ambiguous, archived, merged or
erased is never decided here: it gets its outcome, and stays on the list until somebody acts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from qualy_sync.contracts.crm import Act
from qualy_sync.ledger.crm import ARCHIVED, ERASED, GONE, HERE, SHARED, CrmLink, Difference, Mirrored, Pair
from qualy_sync.ledger.decisions import Decision
from qualy_sync.outcomes import Code, Outcome

from .merge import Agreed, Choice, Merged, Reason, Way, Wins, merge_all
from .people import Person
from .terms import Terms, fingerprint

_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_NONE: frozenset[str] = frozenset()
WHOLE = ""  # stands for a whole record where a difference names a field


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a customer and of the contacts that may be theirs.

    `matches` carry the customer's ref or are led to by the address. `holders`: which customer a contact stands for.
    """

    link: CrmLink | None = None
    contact: Mirrored | None = None
    matches: tuple[Mirrored, ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)
    base: Mapping[str, Pair] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)
    decision: Decision | None = None
    suppressed: bool = False
    sending: Outcome | None = None  # an attempt at it is not answered yet


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of a customer. `act` is None where nothing goes to the tool.

    `to_tool` and `to_qualy` are by the tool's field. `agreed` is remembered at once, `differences` replace the ones
    before. `erase`: addresses that go on the list of erased people.
    """

    person: Person
    content: str
    outcome: Outcome | None = None
    act: Act | None = None
    contact: Mirrored | None = None
    to_tool: Mapping[str, str] = field(default_factory=dict)
    to_qualy: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    agreed: Mapping[str, Pair] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)
    link: CrmLink | None = None
    how: str = ""
    tags_on: frozenset[str] = frozenset()
    tags_off: frozenset[str] = frozenset()
    erase: bool = False

    @property
    def due(self) -> bool:
        return self.act is not None or bool(self.to_qualy)


def plan_person(terms: Terms, person: Person, known: Known, today: date, *, again: bool = False) -> Planned:
    """What becomes of one customer. `again`: a person asked for a further try of what was refused."""
    ours = _ours(terms, person, known.link, today)
    content = content_hash(terms, person, known.contact)
    blank = Planned(person, content, ours=ours, link=known.link, differences=known.differences)
    stopped = _stopped(terms, person, known, content)
    if stopped is not None:
        return replace(blank, outcome=stopped)
    if known.link is not None:
        return _linked(terms, blank, known, today, again=again)
    return _unlinked(terms, blank, known, today, again=again)


def content_hash(terms: Terms, person: Person, contact: Mirrored | None) -> str:
    """What a decision is bound to: the customer, and the contact's fields that a person may be asked about. Other
    fields move meanwhile, by our own writes too."""
    theirs = {name: contact.values.get(name, "") for name in asked_about(terms)} if contact else {}
    return fingerprint([person.hash, contact.id if contact else "", theirs])


def _ours(terms: Terms, person: Person, link: CrmLink | None, today: date) -> dict[str, str]:
    """Qualy's values; those that we wrote there ourselves count until they are read there."""
    found = terms.ours(person, today)
    return found | {name: value for name, value in still_unread(link, person).items() if name in found}


def still_unread(link: CrmLink | None, person: Person) -> dict[str, str]:
    """What was written in Qualy and not read back yet: no extraction has begun since, or none has come by the record.

    One that has come by shows another record than the one that was written upon. A value that Qualy took and did not
    keep shows as none: two complete readings later (the first may have passed it before) Qualy's word counts.
    """
    facts = link.facts if link else {}
    at = facts.get("written_at") or ""
    if not at:
        return {}
    begun_since = person.read_since and datetime.fromisoformat(at) <= datetime.fromisoformat(person.read_since)
    passed_by = facts.get("written_upon") == person.hash and person.sweep < int(facts.get("written_sweep", 0)) + 2
    return {} if begun_since and not passed_by else dict(facts.get("written") or {})


def _stopped(terms: Terms, person: Person, known: Known, content: str) -> Outcome | None:
    decision = known.decision
    if decision is not None and decision.choice == "ignore" and decision.source_hash == content:
        return terms.say(Code.IGNORED, by=decision.by, reason=decision.reason)
    if known.sending is not None:
        return known.sending
    if person.problem is not None:
        return terms.say(Code.MALFORMED, **person.problem)
    return None


# -- linked -----------------------------------------------------------------------------------------------------------


def _linked(terms: Terms, blank: Planned, known: Known, today: date, *, again: bool) -> Planned:
    link, contact = known.link, known.contact
    assert link is not None
    settled = (
        known.decision is not None
        and known.decision.choice == "theirs"
        and (known.decision.source_hash == blank.content)
    )
    if link.state == ERASED:
        return replace(blank, outcome=terms.say(Code.ERASED))
    if link.state == SHARED:
        code = Code.REMOVED if settled else Code.MERGED_THERE
        other = known.holders.get(link.remote_id, "another customer")
        return replace(blank, outcome=terms.say(code, link.remote_id, remote_id=link.remote_id, other=other))
    if contact is None or contact.state == GONE:
        return replace(blank, outcome=terms.say(Code.ERASED), link=replace(link, state=ERASED), erase=True)
    if contact.state == ARCHIVED:
        return replace(blank, outcome=terms.say(Code.REMOVED if settled else Code.REMOVED_THERE))
    if blank.person.gone:
        code = Code.REMOVED if settled else Code.GONE_AT_SOURCE
        return replace(blank, outcome=terms.say(code))
    return _merged(terms, replace(blank, contact=contact), known, link.how, today, again=again)


def _merged(terms: Terms, blank: Planned, known: Known, how: str, today: date, *, again: bool) -> Planned:
    """Field by field; what cannot be settled is listed, the rest goes on."""
    contact = blank.contact
    assert contact is not None
    base = {name: Agreed(pair.ours, pair.theirs) for name, pair in known.base.items()}
    choices = _choices(terms, known, blank.content)
    found = merge_all(terms.rules, base, blank.ours, contact.values, choices)
    refused = {
        name: Reason(before.reason)
        for name, before in known.differences.items()
        if name in found and _refused(found[name], before) and not again
    }
    to_tool = {name: one.to_tool for name, one in found.items() if one.to_tool is not None and name not in refused}
    if contact.ref != blank.person.id:
        to_tool[terms.key_field] = blank.person.id
    reasons = {name: one.reason for name, one in found.items() if one.reason is not None}
    reasons |= refused
    differences = {
        name: Difference(name, str(reason), blank.ours.get(name, ""), contact.values.get(name, ""))
        for name, reason in reasons.items()
    }
    wanted = terms.wanted_tags(blank.person, today)
    tags_on, tags_off = (wanted - contact.tags, contact.tags - wanted) if wanted is not None else (_NONE, _NONE)
    planned = replace(
        blank,
        act=Act.UPDATE if to_tool or tags_on or tags_off else None,
        to_tool=to_tool,
        to_qualy={
            name: one.to_qualy for name, one in found.items() if one.to_qualy is not None and name not in refused
        },
        agreed={name: Pair(one.agreed.ours, one.agreed.theirs) for name, one in found.items() if one.agreed},
        differences=differences,
        how=how,
        tags_on=tags_on,
        tags_off=tags_off,
    )
    return replace(planned, outcome=_standing(terms, planned, reasons))


def asked_about(terms: Terms) -> list[str]:
    """The fields whose rule leaves it to a person."""
    return [one.rule.field for one in terms.copied if one.rule.wins is Wins.ASK]


def _choices(terms: Terms, known: Known, content: str) -> dict[str, Choice]:
    """What a person decided on exactly these values."""
    decision = known.decision
    if decision is None or decision.source_hash != content or decision.choice not in ("ours", "theirs"):
        return {}
    return {name: Choice(decision.choice) for name in asked_about(terms)}


def _refused(merged: Merged, before: Difference) -> bool:
    """Whether the same write was refused before: it is not sent again by itself."""
    if before.reason not in (Reason.REFUSED, Reason.TAKEN):
        return False
    return (merged.to_tool is not None and merged.to_tool == before.ours.strip()) or (
        merged.to_qualy is not None and merged.to_qualy == before.theirs.strip()
    )


def _standing(terms: Terms, planned: Planned, reasons: Mapping[str, Reason]) -> Outcome | None:
    """The outcome of a pair that has nothing to write; None where something is to be written."""
    if planned.due:
        return None
    done = Code.ADOPTED if planned.link is None else Code.UNCHANGED
    return unequal(terms, planned.person.id, reasons) or terms.say(done)


def unequal(terms: Terms, source_id: str, reasons: Mapping[str, Reason]) -> Outcome | None:
    """The outcome of a customer whose fields stay unequal for these reasons; None where there is none."""

    def named(*of: Reason) -> str:
        return ", ".join(sorted(name for name, reason in reasons.items() if reason in of))

    if refused := named(Reason.REFUSED):
        return terms.say(Code.INVALID, refused, message=f"the value of {refused}")
    if named(Reason.TAKEN):
        return taken(terms, source_id)
    if asked := named(Reason.ASK):
        return terms.say(Code.BOTH_CHANGED, fields=asked)
    if kept := named(Reason.EMPTIED, Reason.HELD_BACK):
        return terms.say(Code.KEPT_APART, fields=kept)
    return None


def taken(terms: Terms, source_id: str) -> Outcome:
    """The outcome of a customer whose address another contact has."""
    return terms.say(Code.AMBIGUOUS_EMAIL, source_id, count="2", remote_ids="")


# -- not linked yet ---------------------------------------------------------------------------------------------------


def _unlinked(terms: Terms, blank: Planned, known: Known, today: date, *, again: bool) -> Planned:
    person = blank.person
    barred = _barred(terms, person, known)
    if barred is not None:
        return replace(blank, outcome=barred)
    here = [one for one in known.matches if one.state == HERE]
    chosen = _chosen(known, here)
    if chosen is None and len(here) > 1:
        ids = ", ".join(sorted(one.id for one in here))
        return replace(blank, outcome=terms.say(Code.AMBIGUOUS_EMAIL, ids, count=str(len(here)), remote_ids=ids))
    contact = chosen or (here[0] if here else None)
    if contact is not None:
        others = {known.holders.get(contact.id, ""), "" if chosen is not None else contact.ref} - {"", person.id}
        if others:
            return replace(blank, outcome=terms.say(Code.AMBIGUOUS_EMAIL, contact.id, count="1", remote_ids=contact.id))
        content = content_hash(terms, person, contact)
        adopted = replace(blank, contact=contact, content=content)
        return _merged(terms, adopted, replace(known, base={}), "adopted", today, again=again)
    if any(one.state == ARCHIVED for one in known.matches):
        return replace(blank, outcome=terms.say(Code.REMOVED_THERE))
    return _created(terms, blank, known, today, again=again)


def _barred(terms: Terms, person: Person, known: Known) -> Outcome | None:
    if person.gone:
        return terms.say(Code.NEVER_SYNCED, setting="Qualy no longer has it")
    if not person.email:
        return terms.say(Code.NO_EMAIL, party="customer")
    if not good_email(person.email):
        return terms.say(Code.BAD_EMAIL, party="customer")
    if known.suppressed:
        return terms.say(Code.ERASED)
    if person.shares > 1 and not (known.decision and known.decision.choice in ("link", "separate")):
        return terms.say(Code.SHARED_EMAIL, count=str(person.shares))
    return None


def good_email(email: str) -> bool:
    """Whether it looks like an address; whether it is one is the tool's to say."""
    return _ADDRESS.fullmatch(email) is not None


def _chosen(known: Known, here: Sequence[Mirrored]) -> Mirrored | None:
    """The contact that a person named."""
    decision = known.decision
    if decision is not None and decision.choice == "link":
        return next((one for one in here if one.id == decision.argument), None)
    return None


def _created(terms: Terms, blank: Planned, known: Known, today: date, *, again: bool) -> Planned:
    if not terms.creates:
        return replace(blank, outcome=terms.say(Code.NEVER_SYNCED, setting=f"{terms.tool}.create_contacts"))
    values = {name: value for name, value in blank.ours.items() if value and name not in _one_way_in(terms)}
    refused = known.differences.get(WHOLE)
    if refused is not None and refused.ours == fingerprint(values) and not again:
        if refused.reason == Reason.TAKEN:
            return replace(blank, outcome=taken(terms, blank.person.id))
        return replace(blank, outcome=terms.say(Code.INVALID, refused.theirs, message=refused.theirs))
    return replace(
        blank,
        act=Act.CREATE,
        to_tool=values | {terms.key_field: blank.person.id},
        how="created",
        tags_on=terms.wanted_tags(blank.person, today) or _NONE,
    )


def _one_way_in(terms: Terms) -> set[str]:
    """Fields that only the tool decides: Qualy's value of them is not copied."""
    return {one.rule.field for one in terms.copied if one.rule.way is Way.TO_QUALY}
