"""Whether a webhook is believed, and what is taken from it: ids, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.hubspot import webhooks as hubspot
from connectors.qualy import webhooks as qualy
from qualy_sync.model import Kind
from sandbox.server import Sandbox
from tests.sandbox.webhook_receiver import receiving

OLD, NEW, OTHERS = "old-" + "o" * 30, "new-" + "n" * 30, "another-" + "x" * 30
ADDRESS = "https://airflow.example.com/webhooks/hubspot"
NOW = 1_784_000_000.0
ID = "6a31f0a2c4d5e6f708192a3b"


# -- Qualy


def test_an_address_with_the_old_or_the_new_secret_is_right_and_no_other_is() -> None:
    assert qualy.verify_secret(OLD, [NEW, OLD])
    assert qualy.verify_secret(NEW, [NEW, OLD])
    for wrong in ("", OTHERS, NEW[:-1], NEW + "n", NEW.upper(), "\ud800"):
        assert not qualy.verify_secret(wrong, [NEW, OLD]), wrong
    assert not qualy.verify_secret("", ["", ""]), "what is not set lets nobody in"
    assert not qualy.verify_secret(NEW, [])


@pytest.mark.parametrize("form", ["hmac-sha256-hex", "hmac-sha256-base64", "same"])
def test_a_header_made_with_the_old_or_the_new_secret_is_right(form: qualy.SignatureForm) -> None:
    body = b'{"event": "transactions.update"}'

    def made(secret: str) -> str:
        digest = hmac.new(secret.encode(), body, hashlib.sha256)
        encoded = {"hmac-sha256-hex": digest.hexdigest(), "same": secret}
        return encoded.get(form) or base64.b64encode(digest.digest()).decode()

    for secret in (OLD, NEW):
        assert qualy.verify_signature(body, made(secret), [NEW, OLD], form)
    assert not qualy.verify_signature(body, made(OTHERS), [NEW, OLD], form)
    assert not qualy.verify_signature(body, "", [NEW, OLD], form)
    assert not qualy.verify_signature(body, made(""), ["", ""], form)
    if form != "same":
        assert not qualy.verify_signature(body + b" ", made(NEW), [NEW], form)


@pytest.mark.parametrize(
    ("event", "data", "told"),
    [
        ("transactions.update", {"_id": ID, "paymentIntent": "p1"}, [(Kind.TRANSACTION, ID), (Kind.PAYMENT, "p1")]),
        ("paymentSplits.x", {"_id": ID, "paymentIntent": {"_id": "p1"}}, [(Kind.SPLIT, ID), (Kind.PAYMENT, "p1")]),
        ("paymentIntents.update", {"_id": ID, "amount": 1, "status": "paid"}, [(Kind.PAYMENT, ID)]),
        ("splitIntents.create", {"_id": ID}, [(Kind.SPLIT_INTENT, ID)]),
        ("contacts.delete", {"_id": ID, "email": "zoe@mail.example"}, [(Kind.CUSTOMER, ID)]),
        ("contacts.update", [{"_id": "a"}, {"_id": "b"}, {"_id": "a"}], [(Kind.CUSTOMER, "a"), (Kind.CUSTOMER, "b")]),
        ("invoices.update", {"_id": ID}, []),
        ("contacts.update", {"_id": "../../users/user"}, []),
        ("contacts.update", {"_id": {"$gt": ""}}, []),
        ("contacts.update", {}, []),
        ("contacts.update", None, []),
    ],
)  # fmt: skip
def test_a_webhook_of_qualy_tells_ids_and_nothing_else(event: str, data: Any, told: list[tuple[Kind, str]]) -> None:
    assert qualy.hints(json.dumps({"event": event, "data": data}).encode()) == told


# -- HubSpot


def sign(body: bytes, *, secret: str = NEW, address: str = ADDRESS, at: float = NOW, method: str = "POST") -> str:
    signed = method.encode() + address.encode() + body + str(int(at * 1000)).encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def believed(body: bytes, signature: str, *, at: float = NOW, address: str = ADDRESS, now: float = NOW) -> bool:
    timestamp = str(int(at * 1000))
    return hubspot.verify(
        [NEW, OLD], method="POST", address=address, body=body, timestamp=timestamp, signature=signature, now=now
    )


def test_what_hubspot_signed_is_believed_with_the_old_and_the_new_secret() -> None:
    for secret in (NEW, OLD):
        assert believed(b"[]", sign(b"[]", secret=secret))
    for forged in (
        sign(b"[]", secret=OTHERS),
        sign(b"[1]"),
        sign(b"[]", address="http://127.0.0.1:8080/webhooks/hubspot"),
        sign(b"[]", method="GET"),
        sign(b"[]", at=NOW - 1),
        sign(b"[]").lower(),
        "",
        "\ud800",
    ):
        assert not believed(b"[]", forged)


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_a_signature_is_good_for_five_minutes_in_both_directions(seconds: float, fresh: bool) -> None:
    assert believed(b"[]", sign(b"[]", at=NOW - seconds), at=NOW - seconds) is fresh


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e13", "٣", "9" * 40])
def test_a_time_that_is_none_is_never_fresh(timestamp: str) -> None:
    assert not hubspot.is_fresh(timestamp, NOW)


def test_the_stand_in_signs_as_the_connector_checks() -> None:
    event = {"subscriptionType": "contact.propertyChange", "objectId": 5, "portalId": 4000001}
    with receiving() as receiver, Sandbox.start(payments=1, services=["hubspot"]) as sandbox:
        target = receiver.url + "/webhooks%2Fhubspot?of=a%20b"
        sandbox.control("POST", "webhooks/hubspot", {"target": target, "secret": NEW, "mode": "manual"})
        for more in ({}, {"secret": OTHERS}, {"skew_seconds": -400}):
            sandbox.control("POST", "webhooks/hubspot", {"do": "send", "events": [event], **more})
    verdicts = [
        hubspot.verify(
            [NEW],
            method="POST",
            address=target,
            body=came.body,
            timestamp=came.headers[hubspot.TIMESTAMP.lower()],
            signature=came.headers[hubspot.SIGNATURE.lower()],
            now=time.time(),
        )
        for came in receiver.arrived
    ]
    assert verdicts == [True, False, False]
    assert hubspot.hints(receiver.arrived[0].body) == [("contact", "5")]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"subscriptionType": "contact.propertyChange", "objectId": 7, "propertyValue": "x"}, [("contact", "7")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-1", "objectId": 7}, [("contact", "7")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-2", "objectId": 7}, []),
        ({"subscriptionType": "contact.privacyDeletion", "objectId": 7}, [("erased", "7")]),
        (
            {"subscriptionType": "contact.merge", "primaryObjectId": 7, "mergedObjectIds": [8], "newObjectId": 9},
            [("contact", "7"), ("contact", "9"), ("contact", "8")],
        ),
        ({"subscriptionType": "contact.creation", "objectId": "7/../8"}, []),
        ({"subscriptionType": "contact.creation", "objectId": True}, []),
        ({"subscriptionType": "company.creation", "objectId": 7}, []),
        ({"objectId": 7}, []),
    ],
)  # fmt: skip
def test_an_event_of_hubspot_tells_ids_and_nothing_else(event: Any, told: list[tuple[str, str]]) -> None:
    assert hubspot.hints(json.dumps([event]).encode()) == told


def test_events_of_another_account_say_nothing() -> None:
    events = [{"subscriptionType": "contact.creation", "objectId": number, "portalId": number} for number in (1, 2)]
    assert hubspot.hints(json.dumps(events).encode(), account="2") == [("contact", "2")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["event", "data", "_id", "objectId", "x"]), inner),
    max_leaves=10,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_that_anybody_sends_breaks_the_reading(body: bytes) -> None:
    assert isinstance(qualy.hints(body), list)
    assert isinstance(hubspot.hints(body), list)
