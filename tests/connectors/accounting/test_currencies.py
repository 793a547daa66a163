"""People who pay, and are paid, in several currencies: each document stands under a contact that can hold it.

Where a tool gives a contact one currency for good, a person has one contact per currency; elsewhere there is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from qualy_sync.contracts.accounting import Ability, What
from qualy_sync.ledger.schema import links, mirror_contacts, mirror_documents
from qualy_sync.outcomes import Code
from qualy_sync.reconcile import completeness
from qualy_sync.report.explain import explain
from qualy_sync.settings import load
from tests.support.acceptance import Json, ToolWorld, unless
from tests.support.world import OWN, Maker, object_id

pytestmark = pytest.mark.usefixtures("as_it_was")
FOREIGN = "USD"
KNUT, KNUTS_EMAIL = "Knut Hansen", "knut.hansen@mail.example"
SCHOOL, SCHOOLS_EMAIL = "Galway Language School", "accounts@galway.example"
HOME_SALE, FOREIGN_SALE, HOME_BILL, FOREIGN_BILL = 81_000, 82_000, 61_000, 62_000


@pytest.fixture
def world(make_world: Callable[..., ToolWorld]) -> ToolWorld:
    """A ledger that has read the agency's records and those of a customer and a school with two currencies."""
    made = make_world()
    unless(made.desk().tool, Ability.CURRENCIES)
    arrive(made, both(made))
    return made


def both(world: ToolWorld) -> dict[str, list[Json]]:
    """Sales to one customer with shares of one school, in the currency of the books and in another one."""
    made = Maker(world.now() - timedelta(days=9))
    knut = made.customer(70, "Knut", "Hansen", KNUTS_EMAIL)
    school = made.partner(70, SCHOOL, SCHOOLS_EMAIL)
    sale(made, 70, knut, school, world.case.currency, HOME_SALE, HOME_BILL)
    sale(made, 71, knut, school, FOREIGN, FOREIGN_SALE, FOREIGN_BILL)
    return made.objects


def sale(made: Maker, number: int, customer: str, school: str, currency: str, price: int, share: int) -> None:
    made.payment(
        number,
        customer,
        "paid",
        items=[("Accommodation", price)],
        shares=[("amount-flat", school, share, 0), ("remainder", OWN, price - share, 0)],
        charges=[price],
        currency=currency,
        tax=None,
    )


def arrive(world: ToolWorld, objects: dict[str, list[Json]]) -> None:
    """New records in Qualy, and a pass that reads them."""
    there = world.sandbox.control("GET", "state/qualy")
    known = {one["_id"] for kind in objects for one in there[kind]}
    new = {kind: [one for one in some if one["_id"] not in known] for kind, some in objects.items()}
    world.sandbox.control("POST", "change/qualy", {"insert": {kind: some for kind, some in new.items() if some}})
    world.read_source()


def per_currency(world: ToolWorld) -> bool:
    return world.desk().tool.ways.currency_per_contact


def contacts_of(world: ToolWorld, email: str) -> list[str]:
    """The names under which somebody is there."""
    return sorted(name for (name, its), number in world.held().contacts.items() for _ in range(number) if its == email)


def booked(world: ToolWorld, *amounts: int) -> Counter[tuple[str, int]]:
    return Counter({(kind, total): n for (kind, _, total, _), n in world.held().documents.items() if total in amounts})


ALL = Counter(
    {("invoice", HOME_SALE): 1, ("invoice", FOREIGN_SALE): 1, ("bill", HOME_BILL): 1, ("bill", FOREIGN_BILL): 1}
)


def everything_is_in_step(world: ToolWorld) -> None:
    assert booked(world, HOME_SALE, FOREIGN_SALE, HOME_BILL, FOREIGN_BILL) == ALL
    assert {code for (leg, _), code in world.outcomes().items() if leg in ("contact", "supplier")} <= {
        *("created", "adopted", "not_needed")
    }
    assert not [one for one in world.outcomes().values() if one in ("needs_decision", "waiting_for", "invalid")]
    assert not world.findings()
    proof = completeness(world.ledger, world.book())
    assert proof.proved, proof.sentence()


def each_document_is_under_a_contact_of_its_currency(world: ToolWorld) -> None:
    with world.ledger.reading() as connection:
        rows = connection.execute(
            sa.select(mirror_documents.c.currency, mirror_contacts.c.currency.label("of_contact"))
            .join(
                mirror_contacts,
                sa.and_(
                    mirror_contacts.c.book == mirror_documents.c.book,
                    mirror_contacts.c.id == mirror_documents.c.contact_id,
                ),
            )
            .where(mirror_documents.c.total.in_([HOME_SALE, FOREIGN_SALE, HOME_BILL, FOREIGN_BILL]))
        ).all()
        linked = connection.execute(sa.select(links.c.remote_id).where(links.c.leg.in_(["contact", "supplier"]))).all()
    assert len(rows) == len(ALL)
    assert [row for row in rows if row.of_contact not in ("", row.currency)] == []
    assert len(set(linked)) == len(linked), "one contact stands for two links"


def test_two_currencies_of_one_customer_and_one_school_go_in_one_run(world: ToolWorld) -> None:
    world.settle()
    everything_is_in_step(world)
    each_document_is_under_a_contact_of_its_currency(world)
    second = [f"{KNUT} ({FOREIGN})"] if per_currency(world) else []
    assert contacts_of(world, KNUTS_EMAIL) == [KNUT, *second]
    assert len(contacts_of(world, SCHOOLS_EMAIL)) == 1 + len(second)
    settled = {amount for _, _, amount in world.held().settlements}
    assert {HOME_SALE, FOREIGN_SALE} <= settled
    assert world.received() == world.stored(), "with their rates, byte for byte"
    before = len(world.writes())
    world.pass_time(world.between)
    world.read_source()
    assert world.run(), world.problems
    assert len(world.writes()) == before, "nothing changed, so nothing is written"


def test_a_lost_answer_makes_no_contact_twice(world: ToolWorld) -> None:
    world.fault(What.CONTACT, do="drop_after", times=3)
    world.run()
    world.settle()
    everything_is_in_step(world)
    each_document_is_under_a_contact_of_its_currency(world)
    assert len(contacts_of(world, KNUTS_EMAIL)) == (2 if per_currency(world) else 1)


def test_after_a_wiped_ledger_each_currency_finds_its_own_contact(
    world: ToolWorld, make_world: Callable[..., ToolWorld]
) -> None:
    world.settle()
    held = world.held()
    fresh = make_world(empty=False)
    fresh.read_source()
    fresh.settle()
    assert not fresh.writes()
    assert fresh.held() == held
    everything_is_in_step(fresh)
    each_document_is_under_a_contact_of_its_currency(fresh)


def test_a_contact_with_the_email_is_adopted_for_its_own_currency_alone(world: ToolWorld) -> None:
    if not per_currency(world):
        pytest.skip("Here one contact serves every currency.")
    theirs = world.case.add_contact(world.sandbox, "Knut Hansen of Bergen", KNUTS_EMAIL, FOREIGN)
    world.settle()
    everything_is_in_step(world)
    each_document_is_under_a_contact_of_its_currency(world)
    assert contacts_of(world, KNUTS_EMAIL) == [KNUT, "Knut Hansen of Bergen"]
    with world.ledger.reading() as connection:
        found = connection.execute(
            sa.select(links.c.variant, links.c.remote_id).where(links.c.leg == "contact", links.c.how == "adopted")
        ).all()
    assert [(row.variant, row.remote_id.rpartition("-")[2]) for row in found] == [(FOREIGN, theirs)]


def test_one_currency_waits_for_a_person_and_the_other_goes(world: ToolWorld) -> None:
    if not per_currency(world):
        pytest.skip("Here one contact serves every currency.")
    world.case.add_contact(world.sandbox, "Knut H.", KNUTS_EMAIL, FOREIGN)
    found = world.case.add_contact(world.sandbox, "K. Hansen", KNUTS_EMAIL, FOREIGN)
    world.settle_others()
    assert booked(world, HOME_SALE, FOREIGN_SALE) == Counter({("invoice", HOME_SALE): 1})
    assert "ambiguous_email" in {code for (leg, _), code in world.outcomes().items() if leg == "contact"}
    assert contacts_of(world, KNUTS_EMAIL).count(KNUT) == 1
    proof = completeness(world.ledger, world.book())
    assert proof.proved, proof.sentence()
    told = explain(world.ledger, world.book(), object_id(3, 71))
    assert [(leg.code, leg.notes[0]) for leg in told.legs if leg.leg == "contact"] == [
        (Code.CREATED, f"For documents in {world.case.currency}."),
        (Code.AMBIGUOUS_EMAIL, f"For documents in {FOREIGN}."),
    ]
    world.case.archive_contact(world.sandbox, found)
    world.pass_time(world.between)
    world.try_again("ambiguous_email")
    assert booked(world, HOME_SALE, FOREIGN_SALE) == Counter([("invoice", HOME_SALE), ("invoice", FOREIGN_SALE)])
    world.settle()
    everything_is_in_step(world)


def test_a_partner_who_is_paid_and_invoiced_is_there_as_both(world: ToolWorld, tmp_path: Path) -> None:
    unless(world.desk().tool, Ability.CURRENCIES)
    text = world.case.settings.read_text()
    sale = load(world.case.settings, tools=[world.case.tool]).accounting.items["Accommodation"]
    text = text.replace("owed_to_us: hold", "owed_to_us: invoice").replace(
        "markup: {direction: we_owe}", "markup: {direction: owed_to_us}"
    )
    entry = f'- {{type: markup, category: Accommodation, account: "{sale.account}", tax: "{sale.tax}"}}'
    world.settings = tmp_path / "both.yaml"
    world.settings.write_text(re.sub(r"- \{type: markup, category: Accommodation[^}]*\}", lambda _: entry, text))
    made = Maker(world.now() - timedelta(days=9))
    lars = made.customer(72, "Lars", "Holm", "lars.holm@mail.example")
    school = made.partner(70, SCHOOL, SCHOOLS_EMAIL)
    for number, currency in ((72, world.case.currency), (73, FOREIGN)):
        made.payment(
            number,
            lars,
            "paid",
            items=[("Accommodation", 50_000 + number)],
            shares=[("markup", school, 5_000 + number, 0), ("remainder", OWN, 50_000 + number, 0)],
            charges=[50_000 + number],
            currency=currency,
            tax=None,
        )
    arrive(world, made.objects)
    world.settle()
    everything_is_in_step(world)
    each_document_is_under_a_contact_of_its_currency(world)
    assert booked(world, 5_072, 5_073) == Counter([("invoice", 5_072), ("invoice", 5_073)])
    kinds = world.desk().tool.ways
    assert len(contacts_of(world, SCHOOLS_EMAIL)) == (
        (2 if kinds.separate_parties else 1) * (2 if kinds.currency_per_contact else 1)
    )


def test_a_second_currency_later_leaves_the_first_contact_as_it_is(make_world: Callable[..., ToolWorld]) -> None:
    world = make_world()
    unless(world.desk().tool, Ability.CURRENCIES)
    objects = both(world)
    later = {"payment-intents": 1, "payment-splits": 2, "transactions": 1}
    arrive(world, {kind: some[: -later[kind]] if kind in later else some for kind, some in objects.items()})
    world.settle()
    assert contacts_of(world, KNUTS_EMAIL) == [KNUT]
    arrive(world, objects)
    world.pass_time(world.between)
    world.settle()
    everything_is_in_step(world)
    each_document_is_under_a_contact_of_its_currency(world)
    second = [f"{KNUT} ({FOREIGN})"] if per_currency(world) else []
    assert contacts_of(world, KNUTS_EMAIL) == [KNUT, *second]


def test_a_run_that_breaks_off_between_two_contacts_makes_each_once(world: ToolWorld) -> None:
    world.crash("answered", 2)
    world.pass_time(world.between)
    world.settle()
    everything_is_in_step(world)
    each_document_is_under_a_contact_of_its_currency(world)
    assert len(contacts_of(world, KNUTS_EMAIL)) == (2 if per_currency(world) else 1)
