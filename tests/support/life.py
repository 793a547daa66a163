"""What happens to a payment in Qualy after its invoice, told to the stand-in, and what Xero's holds of it then."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qualy_sync.extract import extract
from qualy_sync.ledger.schema import passes
from tests.support.world import SETTINGS, World, object_id

Json = dict[str, Any]


def lively(folder: Path, **more: str) -> Path:
    """The sandbox's settings, in which what can go by itself does; `more`: old text and what stands in its place."""
    text = SETTINGS.read_text()
    for old, new in more.items():
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def told(world: World, **change: Any) -> None:
    """A change of Qualy's records, extracted."""
    world.sandbox.control("POST", "change/qualy", change)
    desk = world.desk()
    extract(desk.ledger, desk.source, desk.settings.source)
    with desk.ledger.writing() as connection:
        connection.execute(sa.update(passes).values(checked_at=passes.c.completed_at))


def payment_says(world: World, number: int, **fields: Any) -> None:
    told(world, update={"payment-intents": [{"_id": object_id(3, number)} | fields]})


def transaction(world: World, number: int, payment: int, amount: int, *, currency: str = "AUD", **more: Any) -> str:
    """Money in, or a refund (negative), of a payment; gives its id."""
    body = {
        "_id": object_id(5, number),
        "paymentIntent": object_id(3, payment),
        "amount": amount,
        "currency": currency,
        "transactionType": "refund" if amount < 0 else "charge",
        "method": "BANK_TRANSFER",
        "status": "succeeded",
        "number": number,
        "paidAt": now(world),
        "createdAt": now(world),
    } | more
    told(world, insert={"transactions": [body]})
    return str(body["_id"])


def now(world: World) -> str:
    moment = datetime.fromisoformat(world.sandbox.control("GET", "clock")["now"].replace("Z", "+00:00"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def invoice(world: World, number: str) -> Json:
    """The invoice of this number in Xero, as it is now."""
    return next(one for one in state(world, "Invoices") if one.get("InvoiceNumber") == number)


def state(world: World, kind: str) -> list[Json]:
    found: list[Json] = world.sandbox.control("GET", "state/xero")[kind]
    return found


def money(world: World, number: str) -> tuple[Any, ...]:
    """Status, total, paid, credited and due of an invoice."""
    one = invoice(world, number)
    return (
        one["Status"],
        *(float(one.get(name, 0)) for name in ("Total", "AmountPaid", "AmountCredited", "AmountDue")),
    )


def runs(world: World, number: int = 3) -> None:
    """Some runs, past the protocol's waits: what goes step by step is through then."""
    for _ in range(number):
        world.pass_time(11 * 60)
        assert world.run(), world.problems


def code(world: World, leg: str, kind: int, number: int) -> str:
    """What is said of a leg now."""
    return str(world.outcomes()[(leg, object_id(kind, number))])


def decide(world: World, leg: str, source_id: str, choice: str) -> None:
    """A person decides about what is said of a leg now."""
    from tests.cli.terminal import Terminal

    words = ("decide", source_id, leg, "--as", choice, "--by", "Kim", "--reason", "looked at it")
    done = Terminal(world.environment()).run(*words)
    assert done.status == 0, done
