"""Where a tool keeps customers and suppliers apart, gives each one currency for good, and keeps Latin letters alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Change, Chart, NewContact, Party, RemoteContact, What
from qualy_sync.ledger.decisions import Decision
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known, Planned, Terms
from qualy_sync.plan.contacts import ContactPlanner
from qualy_sync.plan.refs import looks_like_ref
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


def test_a_partner_who_owes_us_becomes_a_customer_beside_the_supplier_where_those_are_apart() -> None:
    world, books = World(), Books()
    world.payment(("Course", 100_000), status="paid")
    world.charge(100_000)
    world.split(10_000, kind="rebate")
    world.split(20_000, number=2)
    entries = [{"account": "320", "tax": "INPUT"}, {"type": "rebate", "account": "210", "tax": "OUTPUT"}]
    rules: dict[str, Any] = {"splits__owed_to_us": "invoice", "splits__map": entries}
    books.sync(world, apart(**rules))
    parties = {
        one.what: books.contacts[one.contact_id].party for one in books.documents.values() if one.total < 100_000
    }
    assert parties == {What.INVOICE: Party.CUSTOMER, What.BILL: Party.SUPPLIER}
    of_school = [one for key, one in books.links.items() if key[0] == Leg.SUPPLIER]
    assert sorted(one.variant for one in of_school) == ["AUD", "AUD customer"]
    assert len({one.ref for one in of_school}) == len({one.remote_id for one in of_school}) == 2


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


def test_an_item_that_posts_to_a_liability_holds_what_is_ours() -> None:
    world, terms = World(), terms_of()
    world.payment(("Course", 100_000))
    accounts = {
        code: replace(one, income=False, liability=True, posts_to="81 “Held for schools”") if code == "200" else one
        for code, one in terms.chart.accounts.items()
    }
    chart = Chart(accounts, terms.chart.taxes, terms.chart.currencies)
    found = world.plan(replace(terms, chart=chart))
    outcome = next(one for key, one in found.items() if key[0] == Leg.INVOICE).outcome
    assert outcome is not None
    assert outcome.code is Code.UNMAPPED_ACCOUNT
    assert "posts to 81 “Held for schools”, which is no income account" in outcome.sentence()


# -- several currencies of one person ------------------------------------------------------------------------------

ANA = object_id(5, 1)
SCHOOL = object_id(6, 1)


def in_two_currencies() -> World:
    """A customer who owes in dollars and in yen, and a school with a share of each."""
    world = World()
    world.customer(1, "Ana Silva", EMAIL)
    for number, currency in enumerate(("AUD", "JPY"), start=1):
        world.payment(("Course", 100_000), number=number, currency=currency, status="paid")
        world.split(60_000, number=number, payment=number)
        world.charge(100_000, number=number, payment=number)
    return world


def contacts_in(found: dict[Any, Planned], leg: Leg, who: str) -> dict[str, Planned]:
    return {key[2]: one for key, one in found.items() if key[:2] == (leg, who) and len(key) > 2}


def new_of(found: Planned) -> NewContact:
    assert found.step is not None, found.outcome
    new = found.step.new.new if isinstance(found.step.new, Change) else found.step.new
    assert isinstance(new, NewContact)
    return new


def test_each_currency_has_a_contact_and_a_ref_of_its_own() -> None:
    made = contacts_in(in_two_currencies().plan(apart()), Leg.CONTACT, ANA)
    assert {currency: new_of(one).name for currency, one in made.items()} == {
        "AUD": "Ana Silva",
        "JPY": "Ana Silva (JPY)",
    }
    assert all(new_of(one).currency == currency for currency, one in made.items())
    assert len({new_of(one).ref for one in made.values()}) == 2
    assert all(looks_like_ref(new_of(one).ref) for one in made.values())
    keys = [one.step.batch_keys for one in made.values() if one.step]
    assert not frozenset.intersection(*keys), "both may go in one batch"


def test_where_one_contact_serves_every_currency_there_is_one() -> None:
    found = in_two_currencies().plan(terms_of())
    assert [key for key in found if key[0] == Leg.CONTACT] == [(Leg.CONTACT, ANA)]


def test_every_document_stands_under_the_contact_of_its_currency() -> None:
    world, books, terms = in_two_currencies(), Books(), apart()
    last = books.sync(world, terms)
    assert {one.outcome.code for one in last.values() if one.outcome} == {Code.CREATED, Code.PAID}
    for there in books.documents.values():
        assert books.contacts[there.contact_id].currency == there.currency
    parties = sorted((one.party, one.currency) for one in books.contacts.values())
    assert parties == [(party, currency) for party in (Party.CUSTOMER, Party.SUPPLIER) for currency in ("AUD", "JPY")]


def test_a_currency_that_no_document_needs_any_more_needs_no_contact() -> None:
    world = in_two_currencies()
    world.payment(("Course", 100_000), number=2, currency="JPY", over={"items": [], "amount": 0})
    (home,) = [one for one in contacts_in(world.plan(apart()), Leg.CONTACT, ANA).values() if one.due]
    assert home.variant == "AUD"


def test_a_change_goes_to_the_contact_of_each_currency() -> None:
    world, books, terms = in_two_currencies(), Books(), apart(contacts__update=True)
    books.sync(world, terms)
    world.customer(1, "Ana Souza", "ana.souza@mail.example")
    changed = contacts_in(world.plan(terms, books.known()), Leg.CONTACT, ANA)
    assert {currency: (new_of(one).name, new_of(one).email) for currency, one in changed.items()} == {
        "AUD": ("Ana Souza", "ana.souza@mail.example"),
        "JPY": ("Ana Souza (JPY)", "ana.souza@mail.example"),
    }


def test_our_ref_on_a_contact_in_another_currency_is_not_ours() -> None:
    world, books, terms = in_two_currencies(), Books(), apart()
    books.sync(world, terms)
    known = replace(books.known(), links={}, variants={}, linked_documents=frozenset())
    found = contacts_in(world.plan(terms, known), Leg.CONTACT, ANA)
    assert {one.link.remote_id for one in found.values() if one.link} == {
        link.remote_id for key, link in books.links.items() if key[:2] == (Leg.CONTACT, ANA)
    }
    swapped = {one: replace(held, currency="KWD") for one, held in books.contacts.items()}
    known = replace(known, contacts_by_ref={one.ref: (one,) for one in swapped.values()}, contacts_by_email={})
    assert all(one.link is None for one in contacts_in(world.plan(terms, known), Leg.CONTACT, ANA).values())


def test_a_person_links_the_currency_of_the_contact_that_was_named() -> None:
    world, books, terms = in_two_currencies(), Books(), apart()
    theirs = RemoteContact("c-9", "", "A. Silva", "other@mail.example", True, "", NOW, Party.CUSTOMER, "JPY")
    before = contacts_in(world.plan(terms), Leg.CONTACT, ANA)["JPY"]
    made = Decision(str(Leg.CONTACT), ANA, "name_differs", "link", "c-9", "Kim", "asked her", before.source_hash, NOW)
    known = replace(
        books.known(),
        contacts_by_id={"c-9": theirs},
        decisions={(str(Leg.CONTACT), ANA): made},
        variants={(str(Leg.CONTACT), ANA): frozenset({"AUD", "JPY"})},
    )
    found = contacts_in(world.plan(terms, known), Leg.CONTACT, ANA)
    assert found["JPY"].link is not None
    assert found["JPY"].link.remote_id == "c-9"
    assert new_of(found["AUD"]).name == "Ana Silva"
