"""Which contacts a person has. Pure.

One, with an empty variant, where a tool has one kind of contact for everything. One per currency, where a contact has
one currency for good. And where customers and suppliers are apart, a partner who is invoiced is a customer as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from qualy_sync.contracts.accounting import Party
from qualy_sync.ledger.slices import Record, Slice
from qualy_sync.model import Kind, Leg, Partner, Payment, Split

from .refs import contact_ref
from .shares import payable
from .values import AS_CUSTOMER, Key, Known, Terms

LEG_OF_PERSON = {Kind.CUSTOMER: Leg.CONTACT, Kind.PARTNER: Leg.SUPPLIER}


def variants_wanted(terms: Terms, source: Slice) -> dict[Key, set[str]]:
    """What the payments of each customer, and the splits of each partner, need."""
    found: dict[Key, set[str]] = {}
    if not _has_variants(terms):
        return found
    names = {one.id: one.noun.name for one in source.partners.values() if isinstance(one.noun, Partner)}
    for group in source.groups:
        for record in group.payments:
            if isinstance(record.noun, Payment):
                variant = terms.variant(Leg.CONTACT, record.noun.currency)
                found.setdefault((str(Leg.CONTACT), group.owner), set()).add(variant)
        for split in (one.noun for some in group.splits.values() for one in some):
            if isinstance(split, Split):
                sold = payable(terms, split, names.get(split.partnership, "")) == "owed_to_us"
                variant = terms.variant(Leg.SUPPLIER, split.currency, sold=sold)
                found.setdefault((str(Leg.SUPPLIER), split.partnership), set()).add(variant)
    return found


def variants_of(
    terms: Terms, known: Known, wanted: Mapping[Key, Collection[str]], leg: Leg, source_id: str
) -> list[str]:
    """The variants of a person: those that are there, and those wanted; the plain one or base currency first."""
    key, base = (str(leg), source_id), terms.variant(leg, terms.organisation.base_currency)
    if not _has_variants(terms):
        return [base]
    found = {*wanted.get(key, ()), *known.variants.get(key, ())} or {base}
    return sorted(found, key=lambda one: (one != base, one))


def _has_variants(terms: Terms) -> bool:
    return terms.ways.currency_per_contact or terms.ways.separate_parties


def currency_of(terms: Terms, variant: str) -> str:
    """The currency of a variant, where a contact has one for good."""
    return variant.partition(" ")[0] if terms.ways.currency_per_contact else ""


def party_of(terms: Terms, leg: Leg, variant: str) -> Party:
    """What a contact is there for. Where payments are bills, it is the customer who is owed."""
    if leg is Leg.SUPPLIER:
        return Party.CUSTOMER if variant.rpartition(" ")[2] == AS_CUSTOMER else Party.SUPPLIER
    return Party.SUPPLIER if terms.accounting.payments.as_ == "bill" else Party.CUSTOMER


def spellings(terms: Terms, record: Record, variant: str) -> Iterator[tuple[str, str]]:
    """The endings of the names that a person's contact may have: each pair is the first choice, and what follows it.

    The plain name, or one with a part of the ref; where another contact of the same person has that, the same with
    the variant.
    """
    ref = contact_ref(LEG_OF_PERSON[record.kind], record.id, variant, terms.organisation.base_currency)
    yield "", f"({ref[-6:]})"
    if variant:
        yield f"({variant})", f"({variant} {ref[-6:]})"
