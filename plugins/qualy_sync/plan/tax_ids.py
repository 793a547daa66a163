"""Tax numbers of people, where a tool asks for them: CPF and CNPJ in Brazil, by rules that guess nothing. Pure.

CPF: an individual. CNPJ (of letters and digits too): a company. Neither, and an address abroad: a foreigner; neither,
at home: an individual. A partner without a CNPJ is held, since a payment to it could not be booked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum.br import cnpj, cpf

from qualy_sync.contracts.accounting import Person
from qualy_sync.ledger.slices import Record
from qualy_sync.model import Kind
from qualy_sync.outcomes import Code, Outcome

from .values import PARTY, Terms


@dataclass(frozen=True, slots=True)
class Identity:
    """What a contact carries beside name and email; nothing where the tool does not ask."""

    document: str = ""
    person: Person | None = None
    country: str = ""


def identity_of(terms: Terms, record: Record) -> Identity | Outcome:
    """Who somebody is for the tool, or why that cannot be told."""
    if not terms.ways.asks_document:
        return Identity()
    contacts = terms.accounting.contacts
    partner = record.kind is Kind.PARTNER
    said = _text(record, contacts.partner_tax_id if partner else contacts.customer_tax_id)
    country = _country(record, contacts.country)
    if said:
        number = tax_number(said)
        if number is None or (partner and number[1] is not Person.COMPANY):
            return terms.say(Code.BAD_TAX_ID, "", party=PARTY[record.kind], number="CNPJ" if partner else "CPF or CNPJ")
        return Identity(number[0], number[1], country or terms.organisation.country)
    if partner:
        return terms.say(Code.NO_TAX_ID, "", party=PARTY[record.kind], number="CNPJ")
    abroad = bool(country) and country != terms.organisation.country
    return Identity("", Person.FOREIGN if abroad else Person.INDIVIDUAL, country or terms.organisation.country)


def tax_number(said: str) -> tuple[str, Person] | None:
    """A CPF or CNPJ without its points and strokes, and whose kind it is; None where it is neither."""
    bare = re.sub(r"[\s./-]", "", said).upper()
    if len(set(bare)) < 2:  # the same digit eleven times passes the arithmetic, and is nobody's
        return None
    if len(bare) == 11 and cpf.is_valid(bare):
        return bare, Person.INDIVIDUAL
    if len(bare) == 14 and cnpj.is_valid(bare):
        return bare, Person.COMPANY
    return None


def _text(record: Record, place: str | None) -> str:
    found = record.noun.at(place) if record.noun is not None and place else None
    return found.strip() if isinstance(found, str) else ""


def _country(record: Record, place: str | None) -> str:
    """An ISO 3166 code of two letters; anything else says nothing."""
    said = _text(record, place).upper()
    return said if re.fullmatch(r"[A-Z]{2}", said) else ""
