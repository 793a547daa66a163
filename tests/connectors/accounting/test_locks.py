"""The lock date moves, forward and back: the run says so, and what it held goes by itself, that alone, and once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.acceptance import Ground, Held, ToolWorld
from tests.support.world import OWN, Maker, object_id

OLD, LATER = 5, 6  # payments of two months ago, and of one month ago
CHARGE = 60
AMOUNTS = {OLD: 10_500, LATER: 20_700}


@pytest.fixture(autouse=True)
def unlocked(ground: Ground, as_it_was: None, world: ToolWorld) -> Iterator[None]:
    """The tool's stand-in is shared with the other stories, as Qualy's is."""
    yield
    ground.case.lock(world, None)


def told(world: ToolWorld, **change: Any) -> None:
    world.sandbox.control("POST", "change/qualy", change)
    world.read_source()


def two_more(world: ToolWorld) -> None:
    """One payment that was due 58 days ago and one that was due 28 days ago; nobody paid them."""
    for number, days in ((OLD, 60), (LATER, 30)):
        made = Maker(world.now() - timedelta(days=days))
        amount = AMOUNTS[number]
        shares = [("remainder", OWN, amount, 0)]
        money = {"currency": world.case.currency, "tax": None}
        made.payment(number, object_id(1, 1), "due", items=[("Visa", amount)], shares=shares, **money)
        told(world, insert={kind: made.objects[kind] for kind in ("payment-intents", "payment-splits")})


def paid_today(world: ToolWorld, number: int) -> None:
    moment = world.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    charge = {
        "_id": object_id(5, CHARGE),
        "number": CHARGE,
        "paymentIntent": object_id(3, number),
        "amount": AMOUNTS[number],
        "currency": world.case.currency,
        "transactionType": "charge",
        "method": "BANK_TRANSFER",
        "status": "succeeded",
        "createdAt": moment,
        "paidAt": moment,
    }
    paid = {"_id": object_id(3, number), "status": "paid", "due": 0}
    told(world, insert={"transactions": [charge]}, update={"payment-intents": [paid]})


def due(held: Held) -> dict[int, int]:
    """What is unpaid of each invoice, by its total."""
    return {total: left for kind, _, total, left in held.documents if kind == "invoice"}


def locked(world: ToolWorld) -> set[tuple[str, str]]:
    return {key for key, code in world.outcomes().items() if code == "locked"}


def each_once(held: Held) -> bool:
    return all(number == 1 for kept in (held.contacts, held.documents, held.settlements) for number in kept.values())


def test_what_the_lock_date_holds_goes_by_itself_and_alone_as_it_moves(
    world: ToolWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "qualy_sync.load")
    today = world.now().date()
    early, late = today - timedelta(days=45), today - timedelta(days=20)
    two_more(world)

    def moved(to: date | None) -> str:
        """The lock is moved, and everything runs until it is quiet; what the runs said of the lock."""
        caplog.clear()
        world.case.lock(world, to)
        world.settle_others()
        return caplog.text

    # The first run finds the books locked: what lies behind waits, everything else goes.
    moved(early)
    first = world.held()
    invoice = ("invoice", object_id(3, OLD))
    assert locked(world) == {invoice}
    assert set(due(first)) == {60_000, 15_500, 90_000, 45_000, AMOUNTS[LATER]}
    # Forward, over an invoice that is there: money for it waits, although it came on an open day.
    paid_today(world, LATER)
    said = moved(late)
    assert f"from {early.day} {early:%B %Y} to {late.day} {late:%B %Y}. Days up to it are held" in said
    assert locked(world) == {invoice, ("settlement", object_id(5, CHARGE))}
    assert world.held() == first
    # Back to where it was: that receipt goes, and nothing else.
    said = moved(early)
    assert "moved back" in said
    assert "Records held by a lock date when this was noticed: 2." in said
    second = world.held()
    assert [amount for _, _, amount in second.settlements - first.settlements] == [AMOUNTS[LATER]]
    assert (due(second)[AMOUNTS[LATER]], second.contacts) == (0, first.contacts)
    assert locked(world) == {invoice}
    # Opened: the old invoice goes, and nothing else.
    said = moved(None)
    assert "is no longer locked" in said
    third = world.held()
    assert [(kind, total) for kind, _, total, _ in third.documents - second.documents] == [("invoice", AMOUNTS[OLD])]
    assert (third.settlements, third.contacts) == (second.settlements, first.contacts)
    assert not locked(world)
    assert each_once(third)
    writes = len(world.writes())
    world.pass_time(world.between)
    assert world.run(), world.problems
    assert len(world.writes()) == writes
    assert not world.findings()
