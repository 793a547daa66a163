"""A payment's life after its invoice: each tool does what it can, and says what a person has to do in it by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from qualy_sync.contracts.accounting import Ability
from qualy_sync.ledger.schema import current_outcomes, outcomes
from qualy_sync.outcomes import Code, Group, meaning
from tests.support.acceptance import Json, ToolWorld
from tests.support.life import decide
from tests.support.random_lives import lively
from tests.support.world import OWN, Maker, object_id

pytestmark = pytest.mark.usefixtures("as_it_was")
AMOUNT, ITEM, CUSTOMER = 5, 6, 7  # payments of which that will change
TWO_PARTS, UNPAID, IN_PART = 1, 2, 4
REFUND = 90
Key = tuple[str, str]


@pytest.fixture
def world(make_world: Callable[..., ToolWorld], tmp_path: Path) -> ToolWorld:
    """A world whose settings let go by itself whatever can."""
    made = make_world()
    made.settings = lively(made.case.settings, tmp_path)
    text = made.settings.read_text()
    held = "cancelled: {before_payment: hold, after_payment: hold, locked: hold}"
    made.settings.write_text(text.replace(held, "cancelled: {before_payment: void}"))
    return made


def told(world: ToolWorld, **change: Any) -> None:
    world.sandbox.control("POST", "change/qualy", change)
    world.read_source()


def refund(world: ToolWorld, amount: int) -> Json:
    """Money back of the first receipt of the payment that was paid in two parts."""
    moment = world.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "_id": object_id(5, REFUND),
        "number": REFUND,
        "paymentIntent": object_id(3, TWO_PARTS),
        "amount": -amount,
        "currency": world.case.currency,
        "transactionType": "refund",
        "method": "BANK_TRANSFER",
        "status": "succeeded",
        "createdAt": moment,
        "paidAt": moment,
        "ref": object_id(5, 10 * TWO_PARTS),
    }


def three_more(world: ToolWorld) -> None:
    made = Maker(world.now())
    for number in (AMOUNT, ITEM, CUSTOMER):
        made.payment(
            number,
            object_id(1, 1),
            "due",
            items=[("Visa", 10_000 * number)],
            shares=[("remainder", OWN, 10_000 * number, 0)],
            currency=world.case.currency,
            tax=None,
        )
    told(world, insert={kind: made.objects[kind] for kind in ("payment-intents", "payment-splits")})


def priced(number: int, amount: int, category: str = "Visa") -> Json:
    item = {"_id": object_id(7, 10 * number), "name": category, "description": "", "category": category}
    return {
        "_id": object_id(3, number), "amount": amount, "due": amount, "items": [item | {"amount": amount}]
    }  # fmt: skip


def invoice(number: int) -> Key:
    return ("invoice", object_id(3, number))


def said(world: ToolWorld, key: Key) -> Any:
    """What is said of a leg now."""
    query = (
        sa.select(outcomes)
        .join(current_outcomes, current_outcomes.c.outcome == outcomes.c.id)
        .where(current_outcomes.c.leg == key[0], current_outcomes.c.source_id == key[1])
    )
    with world.ledger.reading() as connection:
        return connection.execute(query).one()


def gaps(world: ToolWorld) -> dict[Ability | None, str]:
    return {gap.ability: gap.sentence for gap in world.desk().tool.gaps}


def runs(world: ToolWorld, number: int) -> None:
    for _ in range(number):
        world.pass_time(world.between)
        assert world.run(), world.problems


def in_step(world: ToolWorld, key: Key) -> bool:
    return meaning(Code(said(world, key).code)).group is Group.IN_STEP


def test_whatever_happens_after_the_invoice_is_done_or_named_with_its_steps_and_ended_by_a_decision(
    world: ToolWorld,
) -> None:
    three_more(world)
    world.settle()
    before = world.held()
    told(
        world,
        insert={"transactions": [refund(world, 25_000)]},
        update={
            "payment-intents": [
                {"_id": object_id(3, TWO_PARTS), "status": "refunded"},
                {"_id": object_id(3, UNPAID), "status": "canceled"},
                {"_id": object_id(3, IN_PART), "status": "canceled"},
                priced(AMOUNT, 51_000),
                priced(ITEM, 60_000, "Enrolment fee"),
                {"_id": object_id(3, CUSTOMER), "contact": object_id(1, 2)},
            ],
            "payment-splits": [{"_id": object_id(4, 10 * AMOUNT), "amount": 51_000}],
        },
    )
    runs(world, 4)
    cannot = gaps(world)
    needs = {
        invoice(AMOUNT): Ability.CHANGE_DOCUMENT,
        invoice(ITEM): Ability.CHANGE_DOCUMENT,
        invoice(CUSTOMER): Ability.CHANGE_DOCUMENT,
        invoice(UNPAID): Ability.VOID,
        ("credit_note", object_id(3, IN_PART)): Ability.CREDIT,
    }
    for key, ability in needs.items():
        row = said(world, key)
        if ability not in cannot:
            assert in_step(world, key), (key, row.code, row.detail)
            continue
        assert (row.code, row.detail["problem"]) == ("needs_decision", cannot[ability]), key
        assert world.desk().tool.title in row.detail["steps"]
        assert "theirs" in row.detail["steps"]
    given_back = ("settlement", object_id(5, REFUND))
    assert in_step(world, given_back) is (Ability.REFUND not in cannot)
    if Ability.CHANGE_DOCUMENT in cannot and Ability.VOID in cannot:
        assert world.held() == before
    _decided_one_by_one(world)
    writes = len(world.writes())
    runs(world, 1)
    assert not _for_a_person(world)
    assert len(world.writes()) == writes


def _decided_one_by_one(world: ToolWorld) -> None:
    """A person did by hand what is asked for, and says so; what hangs on it may ask for more."""
    for _ in range(6):
        waiting = _for_a_person(world)
        if not waiting:
            return
        for leg, source_id in waiting:
            decide(world, leg, source_id, "theirs")
        runs(world, 1)
    raise AssertionError(_for_a_person(world))


def _for_a_person(world: ToolWorld) -> list[Key]:
    return sorted(key for key, code in world.outcomes().items() if code == Code.NEEDS_DECISION)


def test_what_was_over_before_its_first_sync_is_booked_in_its_order(world: ToolWorld) -> None:
    told(
        world,
        insert={"transactions": [refund(world, 25_000)]},
        update={
            "payment-intents": [
                {"_id": object_id(3, TWO_PARTS), "status": "refunded", "due": 0},
                {"_id": object_id(3, IN_PART), "status": "canceled", "due": 0},
            ]
        },
    )
    runs(world, 5)
    cannot, held = gaps(world), world.held()
    dues = {total: due for kind, _, total, due in held.documents if kind == "invoice"}
    assert {90_000, 15_500, 60_000} <= set(dues)
    assert (dues[60_000], said(world, invoice(TWO_PARTS)).code) == (0, "created")
    assert {amount for _, _, amount in held.settlements} >= {25_000, 35_000, 90_000}
    given_back = ("settlement", object_id(5, REFUND))
    assert in_step(world, given_back) is (Ability.REFUND not in cannot)
    if Ability.CREDIT in cannot:
        assert 45_000 not in dues
        assert said(world, invoice(IN_PART)).detail["problem"] == cannot[Ability.CREDIT]
    else:
        assert dues[45_000] == 0
        assert 20_000 in {amount for _, _, amount in held.settlements}
        assert said(world, ("credit_note", object_id(3, IN_PART))).code == "credited"
        assert said(world, invoice(IN_PART)).thing == "cancelled and paid"
