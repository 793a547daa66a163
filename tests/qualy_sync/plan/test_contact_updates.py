"""Contacts that we made, after a change in Qualy: what is overwritten, and what never is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qualy_sync.contracts.accounting import Ability, Change, NewContact, RemoteContact
from qualy_sync.model import Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Planned, Terms
from tests.support.plan_world import Books, World, code, decided, object_id, terms_of

ANA = (str(Leg.CONTACT), object_id(5, 1))
UPDATING: dict[str, Any] = {"contacts__update": True}


def made(terms: Terms | None = None) -> tuple[World, Books]:
    world, books = World(), Books()
    world.customer(1, "Ana Silva", "ana@students.example")
    world.payment(("Course", 100_000))
    books.sync(world, terms or terms_of())
    return world, books


def married(world: World, name: str = "Ana Souza", email: str = "ana@students.example") -> World:
    world.customer(1, name, email)
    return world


def change_of(planned: Planned) -> NewContact:
    assert planned.step is not None, planned.outcome
    assert isinstance(planned.step.new, Change)
    assert isinstance(planned.step.new.new, NewContact)
    return planned.step.new.new


def there(books: Books) -> RemoteContact:
    return books.contacts[books.links[ANA].remote_id]


def test_off_by_default() -> None:
    world, books = made()
    planned = married(world).plan(known=books.known())[ANA]
    assert code(planned) is Code.CREATED
    assert planned.step is None


def test_a_changed_name_and_email_go_into_the_contact_that_we_made() -> None:
    world, books = made()
    planned = married(world, email="ana.souza@mail.example").plan(known=books.known(), **UPDATING)[ANA]
    new = change_of(planned)
    assert (new.name, new.email, new.first_name, new.last_name) == (
        "Ana Souza",
        "ana.souza@mail.example",
        "Ana",
        "Souza",
    )
    assert planned.due
    assert planned.step is not None
    assert isinstance(planned.step.new, Change)
    assert planned.step.new.there == there(books)


@pytest.mark.parametrize(
    ("overwrite", "name", "email"),
    [
        (("name",), "Ana Souza", "ana@students.example"),
        (("email",), "Ana Silva", "ana.souza@mail.example"),
    ],
)
def test_only_what_may_be_overwritten_is(overwrite: tuple[str, ...], name: str, email: str) -> None:
    world, books = made()
    changed = married(world, email="ana.souza@mail.example")
    new = change_of(changed.plan(known=books.known(), contacts__overwrite=overwrite, **UPDATING)[ANA])
    assert (new.name, new.email) == (name, email)
    nothing = changed.plan(known=books.known(), contacts__overwrite=(), **UPDATING)[ANA]
    assert nothing.step is None


def test_nothing_changed_means_no_write() -> None:
    world, books = made()
    assert world.plan(known=books.known(), **UPDATING)[ANA].step is None


def test_where_the_tool_has_it_so_already_only_the_link_follows() -> None:
    world, books = made()
    books.contacts[there(books).id] = replace(there(books), name="Ana Souza")
    planned = married(world).plan(known=books.known(), **UPDATING)[ANA]
    assert planned.step is None
    assert planned.link is not None
    assert planned.link.source_hash == planned.source_hash


def test_what_somebody_changed_in_the_tool_is_never_overwritten() -> None:
    world, books = made()
    books.contacts[there(books).id] = replace(there(books), name="Ana S. (VIP)")
    planned = married(world).plan(known=books.known(), **UPDATING)[ANA]
    assert code(planned) is Code.CHANGED_THERE
    assert planned.outcome is not None
    assert "Ana" not in planned.outcome.sentence()
    keep = decided(Leg.CONTACT, ANA[1], "theirs", planned)
    assert code(world.plan(known=books.known(decisions=keep), **UPDATING)[ANA]) is Code.ADOPTED
    # The email is still as we wrote it, and may follow.
    email = married(world, email="new@mail.example").plan(
        known=books.known(), contacts__overwrite=("email",), **UPDATING
    )
    assert change_of(email[ANA]).name == "Ana S. (VIP)"


def test_a_contact_of_somebody_elses_is_never_touched() -> None:
    world, books = made()
    books.links[ANA] = replace(books.links[ANA], how="adopted")
    planned = married(world).plan(known=books.known(), **UPDATING)[ANA]
    assert planned.step is None
    assert code(planned) is Code.ADOPTED


def test_a_name_that_is_taken_gets_its_suffix_and_an_own_one_stays() -> None:
    world, books = made()
    other = replace(there(books), id="other", ref="", name="Ana Souza", email="other@mail.example")
    books.contacts["other"] = other
    new = change_of(married(world).plan(known=books.known(), **UPDATING)[ANA])
    assert new.name.startswith("Ana Souza (")
    only_email = married(world, "Ana Silva", "new@mail.example").plan(known=books.known(), **UPDATING)[ANA]
    assert change_of(only_email).name == "Ana Silva"


def test_a_customer_that_lost_its_email_keeps_its_contact_and_says_so() -> None:
    world, books = made()
    assert code(married(world, email="").plan(known=books.known(), **UPDATING)[ANA]) is not Code.NO_EMAIL
    world.customers.clear()
    world.customer(1, "Ana Souza", None)
    assert code(world.plan(known=books.known(), **UPDATING)[ANA]) is Code.NO_EMAIL


def test_a_tool_that_cannot_change_contacts_is_not_asked_to() -> None:
    world, books = made()
    terms = replace(terms_of(**UPDATING), gaps={Ability.CHANGE_CONTACT: "It cannot."})
    assert married(world).plan(terms, books.known())[ANA].step is None
