"""Where a tool keeps customers and suppliers apart, gives each one currency for good, and keeps Latin letters alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Ability, Chart, NewContact, Party, RemoteContact
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known, Planned, Terms
from qualy_sync.plan.contacts import ContactPlanner
from tests.support.plan_world import NOW, Books, World, object_id, record, terms_of

EMAIL = "ana@students.example"
WHO = object_id(5, 1)


def apart(country: str = "AU", **changes: Any) -> Terms:
    terms = terms_of(**changes)
    ways = replace(terms.ways, separate_parties=True, currency_per_contact=True, latin_1=frozenset({"US"}))
    return replace(terms, ways=ways, organisation=replace(terms.organisation, country=country))


def person(first: str = "Ana", last: str = "Silva") -> Any:
    content = {"email": EMAIL, "profile": {"firstName": first, "lastName": last}}
    return record(Kind.CUSTOMER, WHO, content)


def planned(terms: Terms, *there: RemoteContact, currency: str = "AUD", first: str = "Ana") -> Planned:
    known = Known(
        contacts_by_email={EMAIL: there},
        contacts_by_id={one.id: one for one in there},
        contacts_by_name={one.name.casefold(): (one,) for one in there},
    )
    return ContactPlanner(terms, known).plan(person(first), Leg.CONTACT, WHO, currency)


def there(party: Party, currency: str) -> RemoteContact:
    return RemoteContact("c-1", "", "Ana Silva", EMAIL, True, "", NOW, party, currency)


def test_a_customer_is_adopted_and_a_supplier_with_the_same_email_is_not() -> None:
    assert planned(apart(), there(Party.CUSTOMER, "AUD")).link is not None
    made = planned(apart(), there(Party.SUPPLIER, "AUD"))
    assert made.link is None
    assert made.step is not None
    new = made.step.new
    assert isinstance(new, NewContact)
    assert (new.party, new.currency) == (Party.CUSTOMER, "AUD")
    assert new.name.startswith("Ana Silva ("), "the plain name is the supplier's"


def test_where_payments_are_bills_the_customer_is_a_supplier() -> None:
    item = {"role": "principal", "account": "200", "expense_account": "310", "purchase_tax": "INPUT"}
    as_bill = apart(payments__as="bill", payments__mark_paid=False, items={"Course": item}, splits__map=[])
    assert planned(as_bill, there(Party.SUPPLIER, "AUD")).link is not None
    made = planned(as_bill, there(Party.CUSTOMER, "AUD"))
    assert made.step is not None
    assert isinstance(made.step.new, NewContact)
    assert made.step.new.party is Party.SUPPLIER


def test_what_a_partner_owes_us_is_a_persons_where_a_supplier_is_no_customer() -> None:
    world = World()
    world.payment(("Course", 100_000), status="paid")
    world.charge(100_000)
    world.split(10_000, kind="rebate")
    rules: dict[str, Any] = {"splits__owed_to_us": "invoice", "splits__map": [{"account": "210", "tax": "OUTPUT"}]}
    key = (str(Leg.BILL), object_id(3, 1))
    unable = replace(apart(**rules), gaps={Ability.INVOICE_SUPPLIERS: "They are apart."})
    held = world.plan(unable)[key].outcome
    assert held is not None
    assert (held.code, held.thing) == (Code.NEEDS_DECISION, "owed to us by a supplier")
    assert world.plan(**rules)[key].due


def test_one_in_another_currency_stays_and_a_second_one_is_made() -> None:
    made = planned(apart(), there(Party.CUSTOMER, "USD"))
    assert made.step is not None
    assert isinstance(made.step.new, NewContact)
    assert made.step.new.currency == "AUD"


def test_a_document_in_another_currency_than_its_contact_waits() -> None:
    world, terms, books = World(), apart(), Books()
    world.payment(("Course", 100_000))
    books.sync(world, terms)
    books.contacts = {one: replace(held, currency="JPY") for one, held in books.contacts.items()}
    world.payment(("Course", 50_000), number=2)
    known = books.known()
    found = world.plan(terms, known)
    held = [one.outcome for key, one in found.items() if key[0] == Leg.INVOICE and key not in known.links]
    (outcome,) = held
    assert outcome is not None
    assert outcome.code is Code.NEEDS_DECISION
    assert "JPY" in outcome.detail["problem"]


@pytest.mark.parametrize(
    ("first", "setting", "country", "name"),
    [
        ("Zoë", "hold", "US", "Zoë Silva"),
        ("Łukasz", "hold", "AU", "Łukasz Silva"),
        ("Łukasz", "hold", "US", None),
        ("Łukasz", "transliterate", "US", "Lukasz Silva"),
        ("Nguyễn", "transliterate", "US", "Nguyen Silva"),
        ("伟", "transliterate", "US", None),
    ],
)
def test_a_name_that_is_not_kept_waits_or_is_spelled(first: str, setting: str, country: str, name: str | None) -> None:
    found = planned(apart(country, contacts__latin_names=setting), first=first)
    if name is None:
        assert found.outcome is not None
        assert found.outcome.code is Code.NEEDS_DECISION
        assert found.step is None
    else:
        assert found.step is not None
        assert isinstance(found.step.new, NewContact)
        assert found.step.new.name == name


def test_an_account_that_no_sale_may_name_holds_the_invoice() -> None:
    world = World()
    world.payment(("Course", 100_000))
    terms = terms_of()
    accounts = {code: replace(one, sales=False) for code, one in terms.chart.accounts.items()}
    chart = Chart(accounts, terms.chart.taxes, terms.chart.currencies)
    found = world.plan(replace(terms, chart=chart))
    outcome = next(one for key, one in found.items() if key[0] == Leg.INVOICE).outcome
    assert outcome is not None
    assert outcome.code is Code.UNMAPPED_ACCOUNT
