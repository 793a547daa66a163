"""CPF and CNPJ: who is an individual, a company or a foreigner, and who is held. Numbers are made up and check."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Person
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known, Planned, Terms, plan_partner
from qualy_sync.plan.contacts import ContactPlanner
from qualy_sync.plan.tax_ids import tax_number
from tests.support.plan_world import World, code, contact, object_id, record, terms_of

CPF, CNPJ, LETTERS = "390.533.447-05", "11.222.333/0001-81", "12.abc.345/01de-35"
PLACES = {
    "contacts__customer_tax_id": "documents[type=tax].number",
    "contacts__partner_tax_id": "taxId",
    "contacts__country": "address.country",
}


def brazil(**changes: Any) -> Terms:
    terms = terms_of(**(PLACES | changes))
    return replace(
        terms,
        organisation=replace(terms.organisation, country="BR"),
        ways=replace(terms.ways, asks_document=True),
    )


def customer(number: object = None, country: object = None, terms: Terms | None = None) -> Planned:
    world = World()
    documents = [{"type": "passport", "number": "X1"}, {"type": "TAX", "number": number}]
    content = {"email": "ana@students.example", "profile": {"firstName": "Ana", "lastName": "Silva"}}
    who = object_id(5, 1)
    world.customers[who] = record(
        Kind.CUSTOMER, who, content | {"documents": documents, "address": {"country": country}}
    )
    world.payment(("Course", 100_000))
    return world.plan(terms or brazil())[(str(Leg.CONTACT), who)]


@pytest.mark.parametrize(
    ("number", "country", "document", "person", "lives"),
    [
        (CPF, None, "39053344705", Person.INDIVIDUAL, "BR"),
        ("52998224725", "BR", "52998224725", Person.INDIVIDUAL, "BR"),
        (CPF, "PT", "39053344705", Person.INDIVIDUAL, "PT"),  # a CPF makes an individual wherever somebody lives
        (CNPJ, None, "11222333000181", Person.COMPANY, "BR"),
        (LETTERS, None, "12ABC34501DE35", Person.COMPANY, "BR"),
        (None, "pt", "", Person.FOREIGN, "PT"),
        ("", "BR", "", Person.INDIVIDUAL, "BR"),
        (None, None, "", Person.INDIVIDUAL, "BR"),
        (None, "Portugal", "", Person.INDIVIDUAL, "BR"),  # not a country code: it says nothing
    ],
)
def test_who_a_customer_is(number: object, country: object, document: str, person: Person, lives: str) -> None:
    made = contact(customer(number, country))
    assert (made.document, made.person, made.country) == (document, person, lives)


@pytest.mark.parametrize(
    "number", ["123.456.789-00", "11111111111", "00000000000000", "191", "390533447050", "11.222.333/0001-82", "A" * 14]
)
def test_a_number_that_is_none_is_held_and_not_shown(number: str) -> None:
    held = customer(number)
    assert code(held) is Code.BAD_TAX_ID
    assert held.outcome is not None
    assert number not in held.outcome.sentence() + held.outcome.remedy() + str(held.outcome.detail)


def partner(tax_id: object) -> tuple[World, Planned]:
    """A share of a partner with this number, and what becomes of the partner."""
    world, who, terms = World(), object_id(6, 1), brazil()
    content = {"name": "Escola", "email": "office@escola.example", "taxId": tax_id}
    world.partners[who] = record(Kind.PARTNER, who, content)
    world.payment(("Course", 100_000))
    world.split(30_000)
    planner = ContactPlanner(terms, Known())
    (planned,) = plan_partner(terms, Known(), world.partners[who], needed={(str(Leg.SUPPLIER), who)}, contacts=planner)
    return world, planned


def test_a_partner_with_its_cnpj_is_a_company() -> None:
    made = contact(partner(CNPJ)[1])
    assert (made.document, made.person) == ("11222333000181", Person.COMPANY)


@pytest.mark.parametrize(("tax_id", "wanted"), [(None, Code.NO_TAX_ID), (CPF, Code.BAD_TAX_ID), ("1", Code.BAD_TAX_ID)])
def test_a_partner_without_a_cnpj_is_held_and_its_bill_waits(tax_id: object, wanted: Code) -> None:
    world, held = partner(tax_id)
    assert code(held) is wanted
    assert code(world.plan(brazil())[(str(Leg.BILL), object_id(3, 1))]) is Code.WAITING_FOR


def test_where_no_place_is_named_nothing_is_read() -> None:
    made = contact(customer(CPF, "PT", brazil(**dict.fromkeys(PLACES))))
    assert (made.document, made.person) == ("", Person.INDIVIDUAL)


def test_a_tool_that_does_not_ask_gets_nothing_of_it() -> None:
    made = contact(customer(CPF, "PT", terms_of(**PLACES)))
    assert (made.document, made.person, made.country) == ("", None, "")


def test_the_vectors_of_both_numbers() -> None:
    assert tax_number(CPF) == ("39053344705", Person.INDIVIDUAL)
    assert tax_number(LETTERS) == ("12ABC34501DE35", Person.COMPANY)
    assert tax_number("") is None
