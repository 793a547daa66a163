"""Which contacts a person has in a tool in which a contact has one currency for good: one per currency. Pure.

Elsewhere there is one, and its variant is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from qualy_sync.ledger.slices import Record, Slice
from qualy_sync.model import Kind, Leg, Payment, Split

from .refs import contact_ref
from .values import Key, Known, Terms

LEG_OF_PERSON = {Kind.CUSTOMER: Leg.CONTACT, Kind.PARTNER: Leg.SUPPLIER}


def currencies_of(terms: Terms, source: Slice) -> dict[Key, set[str]]:
    """What the payments of each customer, and the splits of each partner, are in."""
    found: dict[Key, set[str]] = {}
    if not terms.ways.currency_per_contact:
        return found
    for group in source.groups:
        for record in group.payments:
            if isinstance(record.noun, Payment):
                found.setdefault((str(Leg.CONTACT), group.owner), set()).add(record.noun.currency)
        for record in (one for some in group.splits.values() for one in some):
            if isinstance(record.noun, Split):
                found.setdefault((str(Leg.SUPPLIER), record.noun.partnership), set()).add(record.noun.currency)
    return found


def variants_of(
    terms: Terms, known: Known, wanted: Mapping[Key, Collection[str]], leg: Leg, source_id: str
) -> list[str]:
    """The variants of a person: those that are there, and those wanted; the base currency first."""
    if not terms.ways.currency_per_contact:
        return [""]
    key, base = (str(leg), source_id), terms.organisation.base_currency
    found = {*wanted.get(key, ()), *known.variants.get(key, ())} or {base}
    return sorted(found, key=lambda one: (one != base, one))


def spellings(terms: Terms, record: Record, variant: str) -> Iterator[tuple[str, str]]:
    """The endings of the names that a person's contact may have: each pair is the first choice, and what follows it.

    The plain name, or one with a part of the ref; where another contact of the same person has that, the same with
    the currency.
    """
    ref = contact_ref(LEG_OF_PERSON[record.kind], record.id, variant, terms.organisation.base_currency)
    yield "", f"({ref[-6:]})"
    if variant:
        yield f"({variant})", f"({variant} {ref[-6:]})"
