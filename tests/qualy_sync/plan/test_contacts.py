"""Who is who: by link, by our ref, by email, else a new contact; namesakes and shared emails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qualy_sync.contracts.accounting import RemoteContact
from qualy_sync.ledger.mirror import name_key
from qualy_sync.ledger.slices import Failure
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Known
from qualy_sync.plan.contacts import names_differ
from qualy_sync.plan.refs import make_ref
from tests.support.plan_world import NOW, Books, World, code, contact, decided, object_id, terms_of

EMAIL = "student1@students.example"


def key(number: int = 1) -> tuple[str, str]:
    return (str(Leg.CONTACT), object_id(5, number))


def there(
    name: str = "Ana Silva",
    email: str = EMAIL,
    ref: str = "",
    active: bool = True,
    merged: str = "",
    contact_id: str = "c-1",
) -> RemoteContact:
    return RemoteContact(contact_id, ref, name, email, active, merged, NOW)


def holding(*contacts: RemoteContact) -> Books:
    return Books(contacts={one.id: one for one in contacts})


def asked(name: str = "Ana Silva", **customer: object) -> World:
    world = World()
    world.customer(1, name, **customer)  # type: ignore[arg-type]
    world.payment(("Course", 100))
    return world


@pytest.mark.parametrize(
    ("contacts", "outcome"),
    [
        ([], None),
        ([there()], Code.ADOPTED),
        ([there("SILVA, Ana Maria")], Code.ADOPTED),
        ([there("Ána Sílva")], Code.ADOPTED),
        ([there("Zhang Wei")], Code.NAME_DIFFERS),
        ([there(), there(contact_id="c-2")], Code.AMBIGUOUS_EMAIL),
        ([there(), there(contact_id="c-2", active=False)], Code.ADOPTED),
        ([there(active=False)], Code.ARCHIVED_CONTACT),
        ([there(email="else@students.example", ref=make_ref(*(Leg.CONTACT, key()[1])))], Code.ADOPTED),
        ([there(ref=make_ref(Leg.CONTACT, key()[1]), active=False)], Code.ARCHIVED_CONTACT),
        (
            [there(ref=make_ref(Leg.CONTACT, key()[1])), there(ref=make_ref(Leg.CONTACT, key()[1]), contact_id="c-2")],
            Code.DUPLICATE_THERE,
        ),
    ],
)
def test_the_ladder(contacts: list[RemoteContact], outcome: Code | None) -> None:
    planned = asked().plan(known=holding(*contacts).known())[key()]
    assert code(planned) is outcome
    assert planned.due is (outcome is None)
    assert (planned.link is not None) is (outcome is Code.ADOPTED)


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ({"email": None}, Code.NO_EMAIL),
        ({"failure": Failure("customers: email is an address", "bad_email", {})}, Code.BAD_EMAIL),
    ],
)
def test_a_customer_without_a_usable_email_is_held(flags: dict[str, object], outcome: Code) -> None:
    assert code(asked(**flags).plan()[key()]) is outcome


def test_emails_compare_trimmed_and_in_lower_case() -> None:
    world = asked(email="  Student1@Students.EXAMPLE ")
    assert code(world.plan(known=holding(there()).known())[key()]) is Code.ADOPTED


def test_once_linked_a_changed_email_or_name_makes_no_second_contact() -> None:
    world, books = asked(), Books()
    books.sync(world, terms_of())
    world.customer(1, "Somebody Else", "new@students.example")
    books.sync(world, terms_of())
    assert len(books.contacts) == 1


def test_a_namesake_gets_a_fixed_suffix_by_itself() -> None:
    books = holding(there(email="other@students.example"))
    named = contact(asked().plan(known=books.known())[key()])
    assert named.name == f"Ana Silva ({make_ref(Leg.CONTACT, key()[1])[-6:]})"


def test_a_name_and_its_suffixed_form_both_taken_is_a_matter_for_a_person() -> None:
    suffixed = f"Ana Silva ({make_ref(Leg.CONTACT, key()[1])[-6:]})"
    books = holding(there(email="a@b.example"), there(suffixed, "c@d.example", contact_id="c-2"))
    assert code(asked().plan(known=books.known())[key()]) is Code.DUPLICATE_NAME


def test_a_name_that_the_tool_refused_is_not_tried_again() -> None:
    refused = Known(refused_names={key(): frozenset({"Ana Silva"})})
    assert contact(asked().plan(known=refused)[key()]).name.startswith("Ana Silva (")


def test_two_new_namesakes_never_share_a_name_and_the_unneeded_claims_none() -> None:
    world = World()
    world.customer(1)
    for number in (2, 3):
        world.customer(number)
        world.payment(("Course", 100), number=number, customer=number)
    plan = world.plan()
    assert code(plan[key(1)]) is Code.NOT_NEEDED
    assert contact(plan[key(2)]).name == "Ana Silva"
    assert contact(plan[key(3)]).name == f"Ana Silva ({make_ref(Leg.CONTACT, key(3)[1])[-6:]})"


def two_with_one_email() -> tuple[World, Known]:
    world = World()
    for number, name in ((1, "Ana Silva"), (2, "Rui Costa")):
        world.customer(number, name, EMAIL)
        world.payment(("Course", 100), number=number, customer=number)
    return world, Known(shared={(Kind.CUSTOMER, EMAIL): 2})


def test_a_shared_email_holds_both() -> None:
    world, known = two_with_one_email()
    plan = world.plan(known=known)
    assert {code(plan[key(number)]) for number in (1, 2)} == {Code.SHARED_EMAIL}


def test_one_contact_for_a_shared_email_is_made_once() -> None:
    world, known = two_with_one_email()
    terms = terms_of(contacts__on_shared_email="one_contact")
    plan = world.plan(terms, known)
    assert (plan[key(1)].due, code(plan[key(2)])) == (True, Code.WAITING_FOR)
    assert code(plan[(str(Leg.INVOICE), object_id(1, 2))]) is Code.WAITING_FOR
    books = Books()
    books.sync(world, terms)
    assert len(books.contacts) == 1
    assert books.links[key(1)].remote_id == books.links[key(2)].remote_id


def test_separate_makes_two_contacts_of_one_email() -> None:
    world, known = two_with_one_email()
    held = world.plan(known=known)
    decisions = {**decided(Leg.CONTACT, key(1)[1], "separate", held[key(1)])}
    decisions |= decided(Leg.CONTACT, key(2)[1], "separate", held[key(2)])
    plan = world.plan(known=Known(shared=known.shared, decisions=decisions))
    assert plan[key(1)].due
    assert plan[key(2)].due
    keys = [plan[key(number)].step.batch_keys for number in (1, 2)]  # type: ignore[union-attr]
    assert keys[0] & keys[1] == {f"email:{EMAIL}"}


def test_payer_and_supplier_with_one_email_are_one_contact() -> None:
    world = asked()
    world.partner(1, "Silva Agency", EMAIL)
    world.split(10)
    books = Books()
    books.sync(world, terms_of())
    assert len(books.contacts) == 1
    assert books.links[(str(Leg.SUPPLIER), object_id(6, 1))].remote_id == books.links[key()].remote_id
    assert {one.contact_id for one in books.documents.values()} == set(books.contacts)


def test_link_to_a_contact_that_a_person_named() -> None:
    books = holding(there("Zhang Wei"))
    held = asked().plan(known=books.known())[key()]
    chosen = decided(Leg.CONTACT, key()[1], "link", held, "c-1")
    linked = asked().plan(known=books.known(decisions=chosen))[key()]
    assert (code(linked), linked.link and linked.link.remote_id) == (Code.ADOPTED, "c-1")
    nowhere = decided(Leg.CONTACT, key()[1], "link", held, "c-404")
    assert code(asked().plan(known=books.known(decisions=nowhere))[key()]) is Code.NEEDS_DECISION
    changed = asked("Ana Maria Souza")
    assert code(changed.plan(known=books.known(decisions=chosen))[key()]) is Code.NAME_DIFFERS


def test_separate_never_makes_a_second_contact_with_our_ref() -> None:
    world = asked()
    books = holding(there(ref=make_ref(Leg.CONTACT, key()[1])))
    held = world.plan()[key()]
    chosen = decided(Leg.CONTACT, key()[1], "separate", held)
    assert code(world.plan(known=books.known(decisions=chosen))[key()]) is Code.ADOPTED


@pytest.mark.parametrize(
    "name", ["王 伟", "Ольга Иванова", "محمد العربي", "Nguyễn Thị Ánh", "X Æ", "María-José O'Neil"]
)
def test_names_in_every_script_are_kept(name: str) -> None:
    named = contact(asked(name).plan()[key()])
    assert named.name == name
    assert not names_differ(name, name_key(name))


def test_a_contact_needs_no_open_period() -> None:
    assert asked().plan(terms_of(lock=date(2030, 1, 1)))[key()].due


def test_a_contact_that_was_merged_goes_on_as_the_one_it_was_merged_into() -> None:
    world, books, terms = asked(), Books(), terms_of()
    books.sync(world, terms)
    old = books.links[key()].remote_id
    [document] = books.documents
    books.contacts |= {"kept": there("Ana M. Silva", "else@students.example", contact_id="kept")}
    books.contacts |= {"middle": there("Ana S", contact_id="middle", active=False, merged="kept")}
    books.contacts[old] = replace(books.contacts[old], active=False, merged_into="middle")
    books.documents[document] = replace(books.documents[document], contact_id="kept")

    world.payment(("Course", 200), number=2)
    plan = books.sync(world, terms)

    assert books.links[key()].remote_id == "kept"
    assert code(plan[key()]) is Code.CREATED
    assert {one.contact_id for one in books.documents.values()} == {"kept"}
    assert [code(one) for one in plan.values() if one.leg is Leg.INVOICE] == [Code.CREATED, Code.CREATED]


def test_a_contact_merged_into_an_archived_one_is_a_persons_business() -> None:
    world, books, terms = asked(), Books(), terms_of()
    books.sync(world, terms)
    old = books.links[key()].remote_id
    books.contacts |= {"kept": there(contact_id="kept", active=False)}
    books.contacts[old] = replace(books.contacts[old], active=False, merged_into="kept")
    assert code(books.sync(world, terms)[key()]) is Code.ARCHIVED_CONTACT


def test_merges_in_a_circle_end() -> None:
    contacts = {one: there(contact_id=one, active=False, merged=other) for one, other in (("a", "b"), ("b", "a"))}
    assert Known(contacts_by_id=contacts).after_merges("a") in contacts


def test_a_merged_contact_with_our_ref_and_without_a_link_is_adopted_as_the_one_that_stands_for_it() -> None:
    mine = there(ref=make_ref(Leg.CONTACT, key()[1]), active=False, merged="kept")
    books = holding(mine, there("Ana M. Silva", "else@students.example", contact_id="kept"))
    assert code(books.sync(asked(), terms_of())[key()]) is Code.ADOPTED
    assert books.links[key()].remote_id == "kept"
