"""Source, settings, links and organisation in; steps and outcomes out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from qualy_sync.ledger.attempts import Link
from qualy_sync.ledger.slices import Group, Record, Slice
from qualy_sync.model import Kind, Leg, Payment
from qualy_sync.outcomes import Code, Outcome

from .bill_settlements import switched_off
from .contacts import ContactPlanner
from .payment import plan_payment
from .values import Key, Known, Pending, Planned, Span, Step, Terms, fingerprint, record_failure

__all__ = [
    "Key",
    "Known",
    "Pending",
    "Planned",
    "SlicePlan",
    "Span",
    "Step",
    "Terms",
    "fingerprint",
    "orphan_outcome",
    "plan_partner",
    "plan_slice",
]


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """Everything planned for a slice, and the partners whose supplier leg its bills need."""

    planned: tuple[Planned, ...]
    suppliers: frozenset[str]


def plan_slice(terms: Terms, known: Known, source: Slice) -> SlicePlan:
    """Plans every group of a slice. The same input gives the same plan, in whatever order its parts come."""
    suppliers = {one.id: ContactPlanner(terms, known).plan(one, Leg.SUPPLIER, "") for one in source.partners.values()}
    customers = [(one, group.owner) for group in source.groups if (one := group.customer) is not None]
    currencies = {group.owner: _currency_of(terms, group) for group in source.groups}
    contacts = {
        one.id: ContactPlanner(terms, known).plan(one, Leg.CONTACT, owner, currencies[owner])
        for one, owner in customers
    }
    people = {plan.key: plan for plan in (*suppliers.values(), *contacts.values())}
    # A contact that is found there is as good as linked: documents can be looked for under it at once.
    found: dict[Key, Link] = {key: plan.link for key, plan in people.items() if plan.link is not None}
    seen = replace(known, links={**found, **known.links}) if found else known
    by_owner = {group.owner: _plan_group(terms, seen, source, group, people) for group in source.groups}
    needed = {owner for owner, mine in by_owner.items() if any(_wants_contact(one, known) for one in mine)}
    # Only contacts that are written claim a name and an email, in a fixed order: the first namesake keeps its name.
    planner = ContactPlanner(terms, known)
    for customer, owner in sorted(customers, key=lambda one: one[0].id):
        before = contacts[customer.id]
        after = _not_needed(terms, before, known)
        if owner in needed:
            after = planner.plan(customer, Leg.CONTACT, owner, currencies[owner])
        contacts[customer.id] = people[after.key] = after
        if owner in needed and after.due != before.due:
            group = next(group for group in source.groups if group.owner == owner)
            by_owner[owner] = _plan_group(terms, seen, source, group, people)
    planned = [one for mine in by_owner.values() for one in mine]
    bills = [one for one in planned if one.leg is Leg.BILL]
    needed_now = {one.step.needs[1] for one in bills if one.step and one.step.needs}
    # A bill that is found there, and only linked, stands under a contact too.
    there = {one.link.facts.get("contact_id") for one in bills if one.link}
    needed_now |= {one.source_id for one in suppliers.values() if one.link and one.link.remote_id in there}
    return SlicePlan((*planned, *contacts.values()), frozenset(needed_now))


def plan_partner(terms: Terms, known: Known, record: Record, *, needed: bool, contacts: ContactPlanner) -> Planned:
    """The supplier leg of a partner."""
    plan = contacts.plan(record, Leg.SUPPLIER, "")
    return plan if needed else _not_needed(terms, plan, known)


def _plan_group(
    terms: Terms, known: Known, source: Slice, group: Group, contacts: Mapping[Key, Planned]
) -> list[Planned]:
    def blocked(key: Key) -> bool:
        """Whether the contact that a document needs is neither linked nor about to be."""
        plan = contacts.get(key)
        if key in known.links:
            return plan is not None and plan.outcome is not None and plan.outcome.code is Code.ARCHIVED_CONTACT
        return plan is None or not plan.due

    planned: list[Planned] = []
    for record in group.payments:
        planned += plan_payment(
            terms,
            known,
            record,
            group.splits[record.id],
            group.transactions[record.id],
            source.partners,
            group.owner,
            blocked,
            customer_there=group.customer is not None,
            pay_out_records=group.pay_outs.get(record.id, ()),
        )
    return planned


def _currency_of(terms: Terms, group: Group) -> str:
    """What a customer's payments are in, where a contact has one currency for good: what most of them are in."""
    if not terms.ways.currency_per_contact:
        return ""
    found = Counter(record.noun.currency for record in group.payments if isinstance(record.noun, Payment))
    base = terms.organisation.base_currency
    return max(found, key=lambda one: (found[one], one == base, one), default=base)


def _wants_contact(one: Planned, known: Known) -> bool:
    """A payment whose document is made out, or there."""
    if one.leg is not Leg.INVOICE:
        return False
    return one.step is not None or one.link is not None or one.key in known.links


def _not_needed(terms: Terms, contact: Planned, known: Known) -> Planned:
    """A contact that no document needs is not made; one that is linked, ignored or under way stays what it is."""
    if contact.key in known.links or contact.key in known.pending:
        return contact
    if contact.outcome is not None and contact.outcome.code is Code.IGNORED:
        return contact
    return Planned(
        kind=contact.kind,
        leg=contact.leg,
        source_id=contact.source_id,
        owner=contact.owner,
        payment_id=None,
        amount=0,
        currency="",
        month="",
        source_hash=contact.source_hash,
        outcome=terms.say(Code.NOT_NEEDED),
    )


def orphan_outcome(terms: Terms, record: Record) -> Outcome:
    """A split, transaction or pay-out whose payment Qualy does not list."""
    if record.kind is Kind.SPLIT_INTENT and (off := switched_off(terms)) is not None:
        return off
    return record_failure(terms, record) or terms.say(
        Code.MALFORMED, "paymentIntent", field="paymentIntent", problem="names a payment that is not there"
    )
