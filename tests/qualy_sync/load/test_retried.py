"""Troubles: cleared, their records are tried again at once with whatever waits for them; over, they are forgotten."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from qualy_app.signals import KnownTrouble, NeedsPerson
from qualy_app.todo import act, list_entries
from qualy_sync.ledger.runs import open_run
from qualy_sync.ledger.troubles import entry_at
from qualy_sync.load.retrying import records_of, retry
from tests.support.life import code, runs, state, told
from tests.support.world import World, object_id

AGENT = object_id(2, 2)
SHARE = (4, 30)  # AUD 110.00 of the third payment
pytestmark = pytest.mark.usefixtures("as_it_was")


def test_the_bills_of_a_supplier_follow_it_in_the_same_try(world: World, agency: dict[str, Any]) -> None:
    email = next(one["email"] for one in agency["partnerships"] if one["_id"] == AGENT)
    told(world, update={"partnerships": [{"_id": AGENT, "email": ""}]})
    runs(world)
    assert (code(world, "supplier", 2, 2), code(world, "bill", *SHARE)) == ("no_email", "waiting_for")
    told(world, update={"partnerships": [{"_id": AGENT, "email": email}]})
    work = world.read()
    retry(work, [(row.leg, row.source_id) for row in records_of(work, "xero:no_email:")])
    assert (code(world, "supplier", 2, 2), code(world, "bill", *SHARE)) == ("created", "created")
    assert [one["Total"] for one in state(world, "Invoices") if one["Total"] == 110.0] == [110.0]


NO_EMAIL = "xero:no_email:"


def listed(world: World) -> dict[str, int]:
    """What a run lists: the position of each trouble."""
    desk = world.desk()
    run = open_run(desk.ledger, "accounting", book=world.book())
    entries = [entry_at(desk.ledger, run.id, position) for position in list_entries(desk, run)]
    found = {one.key: one.position for one in entries if one is not None}
    if NO_EMAIL in found:
        act(desk, run, found[NO_EMAIL])
    return found


def test_a_trouble_that_was_over_and_comes_again_for_others_is_new_again(world: World, agency: dict[str, Any]) -> None:
    email = next(one["email"] for one in agency["partnerships"] if one["_id"] == AGENT)
    told(world, update={"partnerships": [{"_id": AGENT, "email": ""}]})
    runs(world)
    with pytest.raises(NeedsPerson):
        listed(world)
    with pytest.raises(KnownTrouble):
        listed(world)

    told(world, update={"partnerships": [{"_id": AGENT, "email": email}]})
    runs(world)
    assert NO_EMAIL not in listed(world)

    somebody = deepcopy(agency["contacts"][0]) | {"_id": object_id(1, 99), "number": 99, "email": ""}
    wish = deepcopy(next(one for one in agency["payment-intents"] if one["_id"] == object_id(3, 2)))
    told(
        world,
        insert={
            "contacts": [somebody],
            "payment-intents": [wish | {"_id": object_id(3, 99), "number": 1099, "contact": somebody["_id"]}],
        },
    )
    runs(world)
    with pytest.raises(NeedsPerson):
        listed(world)
