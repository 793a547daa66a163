"""What somebody did in Xero by hand: each new record of it turns a run red, and a person's decision ends it."""

from __future__ import annotations

import pytest

from qualy_sync.model import Leg
from qualy_sync.plan.refs import make_ref
from tests.dags.runs import Runs
from tests.dags.world import World

pytestmark = pytest.mark.full

SYNC = "sync_accounting"
RED, PINK, GREEN = "failed", "skipped", "success"
CHANGED, TWICE = "Somebody changed it in Xero", "Xero holds it more than once"


def entry(runs: Runs, run: str, words: str) -> tuple[int, str, str]:
    """Position, label and state of the one entry that begins so."""
    entries = list(runs.to_do(SYNC, run).items())
    [found] = [(at, label, state) for at, (label, state) in enumerate(entries) if label.startswith(words)]
    return found


def clear(runs: Runs, run: str, position: int) -> str:
    """Clears one entry as the UI does; its state afterwards."""
    runs.clear(SYNC, run, ("to_do", position))
    runs.work(SYNC, run)
    return runs.states(SYNC, run)[f"to_do[{position}]"]


def test_what_somebody_changed_in_xero_is_red_for_each_record_until_it_is_decided(runs: Runs, world: World) -> None:
    runs.run(SYNC)
    first, second, third = world.unpaid()[:3]
    before = world.lines_of(first)

    world.reprice(first, "1.00")
    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "failed"
    _, label, state = entry(runs, run, CHANGED)
    assert (state, ": 1 record, " in label) == (RED, True)
    assert [each for each in runs.to_do(SYNC, run).values() if each == RED] == [RED], "all else was known"

    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "success"
    assert entry(runs, run, CHANGED)[2] == PINK

    world.reprice(second, "2.00")
    world.reprice(third, "3.00")
    run = runs.run(SYNC)
    print("UNDER", world.under("changed_there"), second, third)
    position, label, state = entry(runs, run, CHANGED)
    assert (state, ": 3 records, " in label) == (RED, True)

    # one is put right there, one is Qualy's again by a person's word; of the third nobody has said anything
    world.edit(first, LineItems=before)
    assert world.decide("invoice", second, "ours")
    attempted, outcomes = world.attempted(), world.outcomes()
    assert clear(runs, run, position) == RED
    assert world.attempted()[len(attempted) :] == [("invoice", second)]
    after = world.outcomes()
    assert {key for key in after if after[key] != outcomes[key]} == {("invoice", first), ("invoice", second)}
    assert (after["invoice", first], after["invoice", second]) == ("created", "updated")
    assert world.under("changed_there") == {("invoice", third)}

    # the last one stays as it is there
    assert world.decide("invoice", third, "theirs")
    attempted = world.attempted()
    assert clear(runs, run, position) == GREEN
    assert world.attempted() == attempted
    assert not world.under("changed_there")
    assert runs.state(SYNC, runs.run(SYNC)) == "success"
    assert set(world.documents().values()) == {1}


def test_what_xero_holds_twice_is_red_for_each_record_until_it_is_decided(runs: Runs, world: World) -> None:
    """Invoices that are there with our reference, and as copies that somebody made, before the ledger knows of any."""
    runs.run(SYNC)

    first = sell_what_is_there_twice(world)
    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "failed"
    _, label, state = entry(runs, run, TWICE)
    assert (state, ": 1 record, " in label) == (RED, True)

    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "success"
    assert entry(runs, run, TWICE)[2] == PINK

    second = sell_what_is_there_twice(world)
    run = runs.run(SYNC)
    assert runs.state(SYNC, run) == "failed"
    position, label, state = entry(runs, run, TWICE)
    assert (state, ": 2 records, " in label) == (RED, True)

    # of one the copy is voided, and the one that is left stands for it; of the other nobody has said anything
    kept, copy = world.carrying(make_ref(Leg.INVOICE, first))
    world.by_hand("void_invoice", invoice=copy)
    attempted, outcomes = world.attempted(), world.outcomes()
    assert clear(runs, run, position) == RED
    assert world.attempted() == attempted, "nothing is sent for what is there"
    after = world.outcomes()
    assert {key for key in after if after[key] != outcomes[key]} == {("invoice", first)}
    assert after["invoice", first] == "adopted"
    assert world.linked("invoice", first) == kept

    # and of the other a person says which one it is
    kept, copy = world.carrying(make_ref(Leg.INVOICE, second))
    world.by_hand("void_invoice", invoice=kept)
    assert world.decide("invoice", second, f"link:{copy}")
    assert clear(runs, run, position) == GREEN
    assert world.linked("invoice", second) == copy
    assert not world.under("duplicate_there")
    assert runs.state(SYNC, runs.run(SYNC)) == "success"


def sell_what_is_there_twice(world: World) -> str:
    """A payment whose invoice stands in Xero two times, with our reference both times. Gives its id."""
    payment, customer = world.next_sale()
    for number in ("COPY-1", "COPY-2"):
        world.book_by_hand(customer, f"{number}-{payment[-4:]}", reference=make_ref(Leg.INVOICE, payment))
    assert world.sell("Visa") == [payment]
    return payment
