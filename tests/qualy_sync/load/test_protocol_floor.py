"""What the write protocol stands on: one step for a document in a batch, no transaction during a call, safe commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import attempt_steps
from tests.support.life import now, state, told
from tests.support.world import World, object_id

MakeWorld = Callable[..., World]
pytestmark = pytest.mark.usefixtures("as_it_was")


def receipts(world: World, payment: int, *amounts: int) -> None:
    """So many receipts of one payment."""
    rows = [
        {
            "_id": object_id(5, 900 + place),
            "paymentIntent": object_id(3, payment),
            "amount": amount,
            "currency": "AUD",
            "transactionType": "charge",
            "method": "BANK_TRANSFER",
            "status": "succeeded",
            "number": 900 + place,
            "createdAt": now(world),
            "updatedAt": now(world),
        }
        for place, amount in enumerate(amounts)
    ]
    told(world, insert={"transactions": rows})


def test_a_batch_never_holds_two_settlements_of_one_invoice(make_world: MakeWorld) -> None:
    world = make_world(per_call=50)
    world.run_until_quiet()
    receipts(world, 2, 5_000, 5_000, 5_500)
    world.run_until_quiet()
    with world.ledger.reading() as connection:
        steps = connection.execute(sa.select(attempt_steps).where(attempt_steps.c.leg == "settlement")).all()
    batches = [(step.attempt, step.frozen["document_id"]) for step in steps]
    assert len(batches) == len(set(batches))
    assert {step.fate for step in steps} == {"created"}
    assert sum(step.source_id >= object_id(5, 900) for step in steps) == 3
    paid = next(one for one in state(world, "Invoices") if one.get("InvoiceNumber") == "Q-1002")
    assert (paid["AmountPaid"], paid["AmountDue"]) == (155.0, 0)


@pytest.mark.parametrize("either", ["world", "pg_world"], ids=["sqlite", "postgresql"])
def test_no_transaction_is_open_while_a_call_is_under_way(either: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(either)
    open_ones: list[sa.Connection] = []
    during: list[int] = []
    sa.event.listen(world.ledger.engine, "begin", open_ones.append)
    for end in ("commit", "rollback"):
        sa.event.listen(world.ledger.engine, end, lambda connection: open_ones and open_ones.pop())
    world.run(lambda point: during.append(len(open_ones)))
    assert len(during) > 20
    assert set(during) == {0}


def test_a_commit_is_on_the_disk_before_anything_is_sent(sqlite_url: str) -> None:
    ledger = Ledger(sqlite_url)
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    path = Path(str(ledger.engine.url.database))
    with ledger.writing():
        rival = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            rival.execute("BEGIN IMMEDIATE")  # a writer is alone from its beginning, not from its first write
        rival.close()
    ledger.close()
