"""Webhooks of Qualy's stand-in: which events there are, what they carry, and how they go wrong."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.webhook_receiver import Receiver, receiving

ANA = {"_id": "6a10c0de5b1e4f0012ab34cd", "email": "ana@mail.example", "profile": {"firstName": "Ana"}}
PATH = "/hooks/qualy/a-long-random-secret"


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox.start(payments=20, today=date(2026, 7, 15), services=["qualy"]) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def qualy(shared: Sandbox, receiver: Receiver) -> Sandbox:
    shared.control("POST", "load/qualy", {"contacts": [ANA]})
    plain = {"headers": {}, "signature": None, "retries": [], "events": "documented", "data": "whole"}
    hooks(shared, target=receiver.url + PATH, mode="manual", **plain)
    hooks(shared, do="clear")
    return shared


def hooks(qualy: Sandbox, **given: Any) -> dict[str, Any]:
    return dict(qualy.control("POST", "webhooks/qualy", given))


def change(qualy: Sandbox, **given: Any) -> dict[str, Any]:
    return dict(qualy.control("POST", "change/qualy", given))


def told(receiver: Receiver) -> list[tuple[str, Any]]:
    return [(arrived.document["event"], arrived.document["data"]) for arrived in receiver.arrived]


def test_a_payment_raises_several_events_one_in_each_post(qualy: Sandbox, receiver: Receiver) -> None:
    change(qualy, insert={"payment-intents": [{"status": "due", "due": 1000}]})
    payment = qualy.control("GET", "state/qualy")["payment-intents"][0]
    done = change(
        qualy,
        insert={
            "transactions": [{"paymentIntent": payment["_id"], "amount": 1000}],
            "split-intents": [{"paymentIntent": payment["_id"], "amount": 300}],
        },
        update={"payment-intents": [{"_id": payment["_id"], "status": "paid", "due": 0}]},
    )
    assert hooks(qualy, do="deliver")["posts"] == 3
    assert [event for event, _ in told(receiver)] == [
        "transactions.create",
        "splitIntents.create",
        "paymentIntents.update",
    ]
    assert [data for _, data in told(receiver)] == done["inserted"] + done["updated"]
    arrived = receiver.arrived[0]
    assert (arrived.path, arrived.headers["content-type"]) == (PATH, "application/json")


def test_contacts_raise_events_only_where_such_events_are_assumed(qualy: Sandbox, receiver: Receiver) -> None:
    given = {"update": {"contacts": [{"_id": ANA["_id"], "profile.firstName": "Anna"}]}}
    change(qualy, **given)
    assert hooks(qualy, do="deliver")["posts"] == 0
    hooks(qualy, events=["contacts.create", "contacts.update", "contacts.delete"])
    change(qualy, insert={"contacts": [{"email": "new@mail.example"}]}, **given, delete={"contacts": [ANA["_id"]]})
    hooks(qualy, do="deliver")
    assert [event for event, _ in told(receiver)] == ["contacts.create", "contacts.update", "contacts.delete"]
    assert told(receiver)[2][1] == {"_id": ANA["_id"]}


def test_another_tenants_changes_are_not_told(qualy: Sandbox) -> None:
    hooks(qualy, events="all")
    change(qualy, insert={"transactions": [{"amount": 1}]}, tenant="eu1-other")
    assert hooks(qualy, do="deliver")["posts"] == 0


def test_an_event_may_carry_the_id_alone(qualy: Sandbox, receiver: Receiver) -> None:
    hooks(qualy, data="id")
    made = change(qualy, insert={"transactions": [{"amount": 1}]})["inserted"][0]
    hooks(qualy, do="deliver")
    assert told(receiver) == [("transactions.create", {"_id": made["_id"]})]


def test_headers_and_a_signature_can_be_set(qualy: Sandbox, receiver: Receiver) -> None:
    signature = {"header": "X-Signature", "secret": "s-1"}
    hooks(qualy, headers={"X-Hook-Key": "k-1"}, signature=signature)
    change(qualy, insert={"transactions": [{"amount": 1}]})
    hooks(qualy, do="deliver")
    hooks(qualy, do="send", events=[{"event": "transactions.update", "data": {}}], secret="guessed")
    honest, forged = receiver.arrived
    assert honest.headers["x-hook-key"] == "k-1"

    def expected(body: bytes) -> str:
        return hmac.new(b"s-1", body, hashlib.sha256).hexdigest()

    assert honest.headers["x-signature"] == expected(honest.body)
    assert forged.headers["x-signature"] != expected(forged.body)


def test_nothing_is_sent_again_unless_it_is_asked_for(qualy: Sandbox, receiver: Receiver) -> None:
    receiver.answers += [500, 500]
    change(qualy, insert={"transactions": [{"amount": 1}]})
    hooks(qualy, do="deliver")
    qualy.control("POST", "clock", {"advance_seconds": 86_400})
    assert hooks(qualy, do="deliver")["posts"] == 0
    hooks(qualy, retries=[30])
    change(qualy, insert={"transactions": [{"amount": 2}]})
    hooks(qualy, do="deliver")
    qualy.control("POST", "clock", {"advance_seconds": 30})
    assert hooks(qualy, do="deliver")["posts"] == 1
    first, second, third = told(receiver)
    assert second == third != first


def test_events_can_be_lost_doubled_late_and_out_of_order(qualy: Sandbox, receiver: Receiver) -> None:
    change(qualy, insert={"transactions": [{"amount": amount} for amount in (1, 2, 3, 4)]})
    lost, twice, late, _ = [one["number"] for one in hooks(qualy, do="list")["waiting"]]
    hooks(qualy, do="drop", events=[lost])
    hooks(qualy, do="duplicate", events=[twice])
    hooks(qualy, do="delay", events=[late], seconds=600)
    hooks(qualy, do="reorder")
    hooks(qualy, do="deliver")
    assert [data["amount"] for _, data in told(receiver)] == [4, 2, 2]
    qualy.control("POST", "clock", {"advance_seconds": 600})
    hooks(qualy, do="deliver")
    assert told(receiver)[-1][1]["amount"] == 3


def test_in_automatic_mode_they_go_out_by_themselves(qualy: Sandbox, receiver: Receiver) -> None:
    hooks(qualy, mode="automatic")
    change(qualy, insert={"transactions": [{"amount": 1}]})
    assert receiver.came.wait(10)
    hooks(qualy, mode="manual")
    assert told(receiver)[0][0] == "transactions.create"


@pytest.mark.parametrize(
    "given",
    [
        {"target": "http://203.0.113.9/hooks"},
        {"events": ["contacts.merge"]},
        {"data": "some"},
        {"signature": {"secret": "s"}},
        {"secret": "s"},
    ],
    ids=str,
)
def test_settings_that_are_refused(qualy: Sandbox, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="400"):
        hooks(qualy, **given)


def test_waiting_events_survive_a_restart(tmp_path: Any, receiver: Receiver) -> None:
    state = tmp_path / "state.db"
    with Sandbox.start(payments=20, services=["qualy"], state=state) as first:
        hooks(first, target=receiver.url + PATH, mode="manual")
        change(first, insert={"transactions": [{"amount": 1}]})
    with Sandbox.start(services=["qualy"], state=state) as again:
        assert hooks(again, do="deliver")["posts"] == 1
    assert [event for event, _ in told(receiver)] == ["transactions.create"]
