"""Source, settings, links and organisation in; steps and outcomes out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from qualy_sync.ledger.attempts import Link, step_key
from qualy_sync.ledger.slices import Group, Record, Slice
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code, Outcome

from .bill_settlements import switched_off
from .contacts import ContactPlanner
from .payment import plan_payment
from .values import Key, Known, Pending, Planned, Span, Step, Terms, fingerprint, record_failure
from .variants import variants_of, variants_wanted

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
    """Everything planned for a slice, and the supplier legs of partners that its bills need."""

    planned: tuple[Planned, ...]
    suppliers: frozenset[Key]


def plan_slice(terms: Terms, known: Known, source: Slice) -> SlicePlan:
    """Plans every group of a slice. The same input gives the same plan, in whatever order its parts come."""
    wanted = variants_wanted(terms, source)

    def each(record: Record, leg: Leg, owner: str) -> dict[Key, Planned]:
        planner = ContactPlanner(terms, known)
        variants = variants_of(terms, known, wanted, leg, record.id)
        return {plan.key: plan for one in variants if (plan := planner.plan(record, leg, owner, one))}

    customers = [(one, group) for group in source.groups if (one := group.customer) is not None]
    suppliers = {key: plan for one in source.partners.values() for key, plan in each(one, Leg.SUPPLIER, "").items()}
    contacts = {key: plan for one, group in customers for key, plan in each(one, Leg.CONTACT, group.owner).items()}
    people = suppliers | contacts
    # A contact that is found there is as good as linked: documents can be looked for under it at once.
    found: dict[Key, Link] = {key: plan.link for key, plan in people.items() if plan.link is not None}
    seen = replace(known, links={**found, **known.links}) if found else known
    by_owner = {group.owner: _plan_group(terms, seen, source, group, people) for group in source.groups}
    needed = {_contact_of(terms, one) for mine in by_owner.values() for one in mine if _wants_contact(one, known)}
    # Only contacts that are written claim a name and an email, in a fixed order: the first namesake keeps its name.
    planner = ContactPlanner(terms, known)
    for customer, group in sorted(customers, key=lambda one: one[0].id):
        moved = False
        for variant in variants_of(terms, known, wanted, Leg.CONTACT, customer.id):
            key = step_key(str(Leg.CONTACT), customer.id, variant)
            before = contacts[key]
            after = _not_needed(terms, before, known)
            if key in needed:
                after = planner.plan(customer, Leg.CONTACT, group.owner, variant)
                moved = moved or after.due != before.due
            contacts[key] = people[key] = after
        if moved:
            by_owner[group.owner] = _plan_group(terms, seen, source, group, people)
    planned = [one for mine in by_owner.values() for one in mine]
    bills = [one for one in planned if one.leg is Leg.BILL]
    needed_now = {one.step.needs for one in bills if one.step and one.step.needs}
    # A bill that is found there, and only linked, stands under a contact too.
    there = {one.link.facts.get("contact_id") for one in bills if one.link}
    needed_now |= {key for key, one in suppliers.items() if one.link and one.link.remote_id in there}
    return SlicePlan((*planned, *contacts.values()), frozenset(needed_now))


def plan_partner(
    terms: Terms, known: Known, record: Record, *, needed: Collection[Key], contacts: ContactPlanner
) -> list[Planned]:
    """The supplier leg of a partner: once per currency, where a contact has one for good."""
    leg = Leg.SUPPLIER
    wanted: dict[Key, set[str]] = {
        (str(leg), record.id): {key[2] for key in needed if key[1] == record.id and len(key) > 2}
    }
    planned = [contacts.plan(record, leg, "", variant) for variant in variants_of(terms, known, wanted, leg, record.id)]
    return [plan if plan.key in needed else _not_needed(terms, plan, known) for plan in planned]


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


def _contact_of(terms: Terms, invoice: Planned) -> Key:
    """The contact that a payment's document hangs on."""
    return terms.contact_key(Leg.CONTACT, invoice.owner, invoice.currency)


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
        variant=contact.variant,
    )


def orphan_outcome(terms: Terms, record: Record) -> Outcome:
    """A split, transaction or pay-out whose payment Qualy does not list."""
    if record.kind is Kind.SPLIT_INTENT and (off := switched_off(terms)) is not None:
        return off
    if record.gone:
        return terms.say(Code.NOTHING_DUE, why="Qualy no longer has it, nor its payment")
    return record_failure(terms, record) or terms.say(
        Code.MALFORMED, "paymentIntent", field="paymentIntent", problem="names a payment that is not there"
    )
