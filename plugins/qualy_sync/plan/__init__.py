"""Source, settings, links and organisation in; steps and outcomes out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from qualy_sync.ledger.slices import Record, Slice
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code, Outcome

from .contacts import ContactPlanner
from .payment import plan_payment
from .values import Key, Known, Pending, Planned, Step, Terms, fingerprint, record_failure

__all__ = [
    "Key",
    "Known",
    "Pending",
    "Planned",
    "SlicePlan",
    "Step",
    "Terms",
    "fingerprint",
    "plan_partner",
    "plan_slice",
]


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """Everything planned for a slice, and the partners whose supplier leg its bills need."""

    planned: tuple[Planned, ...]
    suppliers: frozenset[str]


def plan_slice(terms: Terms, known: Known, source: Slice, contacts: ContactPlanner | None = None) -> SlicePlan:
    """Plans every group of a slice. The same input gives the same plan."""
    contacts = contacts or ContactPlanner(terms, known)
    planned: list[Planned] = []
    suppliers: set[str] = set()

    def blocked(key: Key) -> bool:
        """Whether the contact that a document needs is neither linked nor about to be."""
        plan = contacts_planned.get(key)
        if key in known.links:
            return plan is not None and plan.outcome is not None and plan.outcome.code is Code.ARCHIVED_CONTACT
        return plan is None or not (plan.due or plan.link is not None)

    contacts_planned: dict[Key, Planned] = {}
    for partner in source.partners.values():
        contacts_planned[(str(Leg.SUPPLIER), partner.id)] = contacts.plan(partner, Leg.SUPPLIER, "")
    for group in source.groups:
        contact: Planned | None = None
        if group.customer is not None:
            contact = contacts.plan(group.customer, Leg.CONTACT, group.owner)
            contacts_planned[(str(Leg.CONTACT), group.owner)] = contact
        needed = False
        for record in group.payments:
            mine = plan_payment(
                terms,
                known,
                record,
                group.splits[record.id],
                group.transactions[record.id],
                source.partners,
                group.owner,
                blocked,
            )
            planned += mine
            needed = needed or any(one.leg is Leg.INVOICE and _wants_contact(one, known) for one in mine)
            suppliers |= {one.step.needs[1] for one in mine if one.leg is Leg.BILL and one.step and one.step.needs}
        if contact is not None:
            planned.append(contact if needed else _not_needed(terms, contact, known))
    return SlicePlan(tuple(planned), frozenset(suppliers))


def plan_partner(terms: Terms, known: Known, record: Record, *, needed: bool, contacts: ContactPlanner) -> Planned:
    """The supplier leg of a partner."""
    plan = contacts.plan(record, Leg.SUPPLIER, "")
    return plan if needed else _not_needed(terms, plan, known)


def _wants_contact(invoice: Planned, known: Known) -> bool:
    return invoice.step is not None or invoice.link is not None or invoice.key in known.links


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
    """A split or transaction whose payment Qualy does not list."""
    return record_failure(terms, record) or terms.say(
        Code.MALFORMED, "paymentIntent", field="paymentIntent", problem="names a payment that is not there"
    )
