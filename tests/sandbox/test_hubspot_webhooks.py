"""Webhooks of HubSpot's stand-in: what is told, how it is signed, when it is sent again, and how it is spoiled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hubspot.exceptions import InvalidSignatureTimestampError
from hubspot.utils.signature import Signature

from tests.sandbox.hubspot_client import CONTACTS, HubSpotClient, hubspot_sandbox
from tests.sandbox.webhook_receiver import Arrived, Receiver, receiving

SECRET = "the-apps-own-secret"
EVERYTHING: list[Any] = [
    *(f"contact.{what}" for what in ("creation", "deletion", "merge", "restore", "privacyDeletion")),
    {"subscriptionType": "contact.propertyChange", "propertyName": "email"},
    {"subscriptionType": "contact.propertyChange", "propertyName": "phone"},
]


@pytest.fixture(scope="module")
def shared() -> Iterator[HubSpotClient]:
    with hubspot_sandbox() as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def hubspot(shared: HubSpotClient, receiver: Receiver) -> HubSpotClient:
    """Everything is subscribed to and sent to the receiver when a test says so."""
    set_up = {"target": f"{receiver.url}/hooks/hubspot", "secret": SECRET, "batch": 100}
    hubspot = shared.reset()
    hooks(hubspot, **set_up, mode="manual", subscriptions=EVERYTHING, retries=[60, 300, 900])
    return hubspot


def hooks(hubspot: HubSpotClient, **given: Any) -> dict[str, Any]:
    return dict(hubspot.control("POST", "webhooks/hubspot", given))


def deliver(hubspot: HubSpotClient) -> int:
    return int(hooks(hubspot, do="deliver")["posts"])


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [event for arrived in receiver.arrived for event in arrived.document]


def valid(arrived: Arrived, url: str, secret: str = SECRET) -> bool:
    """What the official SDK says of the signature."""
    return bool(
        Signature.is_valid(
            signature=arrived.headers["x-hubspot-signature-v3"],
            client_secret=secret,
            request_body=arrived.body.decode(),
            http_uri=url + arrived.path,
            http_method="POST",
            signature_version="v3",
            timestamp=arrived.headers["x-hubspot-request-timestamp"],
        )
    )


def test_our_own_writes_come_back_with_our_app_as_the_source(hubspot: HubSpotClient, receiver: Receiver) -> None:
    ana = hubspot.create("ana@mail.example", phone="1", firstname="Ana")
    hubspot.ui("edit_contact", contact=ana, properties={"phone": "2"}, user=7)
    assert deliver(hubspot) == 1
    creation, email, phone, edited = told(receiver)
    assert creation | {"occurredAt": 0} == {
        "eventId": creation["eventId"],
        "subscriptionId": 1_000_001,
        "portalId": 4_000_001,
        "appId": 7_000_001,
        "occurredAt": 0,
        "subscriptionType": "contact.creation",
        "attemptNumber": 0,
        "objectId": int(ana),
        "changeSource": "INTEGRATION",
        "sourceId": "7000001",
        "changeFlag": "CREATED",
    }
    assert (email["propertyName"], email["propertyValue"]) == ("email", "ana@mail.example")
    assert creation["eventId"] == email["eventId"] == phone["eventId"] != edited["eventId"]
    assert (edited["changeSource"], edited["sourceId"], edited["propertyValue"]) == ("CRM_UI", "userId:7", "2")


def test_nothing_is_told_of_what_nobody_subscribed_to(hubspot: HubSpotClient, receiver: Receiver) -> None:
    ana = hubspot.create("ana@mail.example")
    deliver(hubspot)
    receiver.arrived.clear()
    hubspot.basic.update(ana, {"properties": {"firstname": "Ana"}})
    hubspot.basic.update(ana, {"properties": {"email": "ana@mail.example"}})
    hubspot.later(60)
    hubspot.http("POST", CONTACTS, {"properties": {"email": "no address"}})
    assert deliver(hubspot) == 0


def test_archive_restore_merge_and_deletion_for_good_are_told(hubspot: HubSpotClient, receiver: Receiver) -> None:
    first, second = hubspot.create("first@mail.example"), hubspot.create("second@mail.example", phone="2")
    deliver(hubspot)
    receiver.arrived.clear()
    hubspot.basic.archive(first)
    hubspot.ui("restore_contact", contact=first)
    merged = hubspot.basic.merge({"primaryObjectId": first, "objectIdToMerge": second}).id
    hubspot.basic.purge({"objectId": merged})
    deliver(hubspot)
    events = told(receiver)
    assert [one["subscriptionType"] for one in events] == [
        "contact.deletion",
        "contact.restore",
        "contact.merge",
        "contact.privacyDeletion",
    ]
    merge = {name: events[2][name] for name in events[2] if name.endswith(("ObjectId", "ObjectIds", "Moved"))}
    assert merge == {
        "primaryObjectId": int(first),
        "mergedObjectIds": [int(second)],
        "newObjectId": int(merged),
        "numberOfPropertiesMoved": 1,
    }


def test_the_generic_spelling_names_the_kind_of_object(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hooks(hubspot, subscriptions=["object.creation"])
    hubspot.create("ana@mail.example")
    deliver(hubspot)
    assert [(one["subscriptionType"], one["objectTypeId"]) for one in told(receiver)] == [("object.creation", "0-1")]


def test_the_signature_covers_method_address_body_and_time(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hubspot.create("ana@mail.example", phone="ação")
    deliver(hubspot)
    arrived = receiver.arrived[0]
    assert valid(arrived, receiver.url)
    assert not valid(arrived, receiver.url, secret="another")
    assert not valid(arrived, "https://elsewhere.example")
    assert not valid(Arrived(arrived.path, arrived.headers, arrived.body + b" "), receiver.url)


def test_escapes_in_the_address_are_decoded_before_it_is_signed(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hooks(hubspot, target=f"{receiver.url}/hooks/a%3Ab%20c")
    hubspot.create("ana@mail.example")
    deliver(hubspot)
    headers, body = receiver.arrived[0].headers, receiver.arrived[0].body
    assert valid(Arrived("/hooks/a:b%20c", headers, body), receiver.url)
    assert not valid(Arrived("/hooks/a%3Ab%20c", headers, body), receiver.url)


def test_forged_and_old_ones_can_be_sent(hubspot: HubSpotClient, receiver: Receiver) -> None:
    event = {"subscriptionType": "contact.creation", "objectId": 1}
    assert hooks(hubspot, do="send", events=[event], secret="guessed")["status"] == 200
    hooks(hubspot, do="send", events=[event], skew_seconds=-301)
    hooks(hubspot, do="send", events=[event])
    forged, old, honest = receiver.arrived
    assert not valid(forged, receiver.url)
    with pytest.raises(InvalidSignatureTimestampError):
        valid(old, receiver.url)
    assert valid(honest, receiver.url)
    assert honest.document == [event | {"attemptNumber": 0}]


def test_a_post_holds_a_hundred_events(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hooks(hubspot, subscriptions=["contact.creation"])
    for start in (0, 100):
        inputs = [{"properties": {"email": f"{start + n}@mail.example"}} for n in range(100)]
        hubspot.batch.create({"inputs": inputs[: 100 if start == 0 else 30]})
    assert deliver(hubspot) == 2
    assert [len(arrived.document) for arrived in receiver.arrived] == [100, 30]


def test_what_is_refused_is_sent_again_with_a_higher_number(hubspot: HubSpotClient, receiver: Receiver) -> None:
    receiver.answers += [500, 404]
    hubspot.create("ana@mail.example")
    assert deliver(hubspot) == 1
    assert deliver(hubspot) == 0
    hubspot.later(60)
    assert deliver(hubspot) == 1
    hubspot.later(300)
    assert deliver(hubspot) == 1
    hubspot.later(10_000)
    assert deliver(hubspot) == 0
    assert [arrived.document[0]["attemptNumber"] for arrived in receiver.arrived] == [0, 1, 2]
    assert all(valid(arrived, receiver.url) for arrived in receiver.arrived)
    deliveries = hooks(hubspot, do="list")["deliveries"]
    assert [one["status"] for one in deliveries] == [500, 404, 200]


def test_after_the_last_attempt_it_is_given_up_and_can_be_sent_again(
    hubspot: HubSpotClient, receiver: Receiver
) -> None:
    hooks(hubspot, subscriptions=["contact.creation"], retries=[60])
    receiver.answers += [500, 500]
    hubspot.create("ana@mail.example")
    number = hooks(hubspot, do="list")["waiting"][0]["number"]
    deliver(hubspot)
    hubspot.later(60)
    deliver(hubspot)
    hubspot.later(10_000)
    assert deliver(hubspot) == 0
    hooks(hubspot, do="resend", events=[number])
    assert deliver(hubspot) == 1
    assert len(told(receiver)) == 3


def test_nobody_listens(hubspot: HubSpotClient) -> None:
    with receiving() as gone:
        target = gone.url
    hooks(hubspot, target=target)
    hubspot.create("ana@mail.example")
    deliver(hubspot)
    report = hooks(hubspot, do="list")
    assert (report["deliveries"][0]["status"], report["deliveries"][0]["trouble"]) == (None, "ConnectError")
    assert report["waiting"][0]["attempt"] == 1


def test_events_can_be_lost_doubled_late_and_out_of_order(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hooks(hubspot, subscriptions=["contact.creation"])
    made = [int(hubspot.create(f"{n}@mail.example")) for n in range(4)]
    lost, twice, late, _ = [one["number"] for one in hooks(hubspot, do="list")["waiting"]]
    hooks(hubspot, do="drop", events=[lost])
    hooks(hubspot, do="duplicate", events=[twice])
    hooks(hubspot, do="delay", events=[late], seconds=600)
    hooks(hubspot, do="reorder")
    deliver(hubspot)
    assert [one["objectId"] for one in told(receiver)] == [made[3], made[1], made[1]]
    hubspot.later(600)
    deliver(hubspot)
    assert told(receiver)[-1]["objectId"] == made[2]


def test_the_next_events_can_be_spoiled_before_they_arise(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hooks(hubspot, subscriptions=["contact.creation"])
    made = []
    for do in ("drop", "duplicate", "delay"):
        hooks(hubspot, do=do, next=1, seconds=600)
        made.append(int(hubspot.create(f"{do}@mail.example")))
    deliver(hubspot)
    assert [one["objectId"] for one in told(receiver)] == [made[1], made[1]]
    hubspot.later(600)
    deliver(hubspot)
    assert told(receiver)[-1]["objectId"] == made[2]


def test_in_automatic_mode_they_go_out_by_themselves(hubspot: HubSpotClient, receiver: Receiver) -> None:
    hooks(hubspot, mode="automatic")
    hubspot.create("ana@mail.example")
    assert receiver.came.wait(10)
    assert told(receiver)[0]["subscriptionType"] == "contact.creation"


@pytest.mark.parametrize(
    "given",
    [
        {"target": "http://203.0.113.9/hooks"},
        {"target": "https://hooks.example.com/"},
        {"target": "ftp://127.0.0.1/"},
        {"batch": 101},
        {"mode": "sometimes"},
        {"subscriptions": ["contact.everything"]},
        {"subscriptions": ["contact.propertyChange"]},
        {"subscriptions": [{"subscriptionType": "contact.propertyChange", "propertyName": "*"}]},
        {"subscriptions": [{"subscriptionType": "contact.propertyChange", "propertyName": "hs_lastmodifieddate"}]},
        {"colour": "blue"},
        {"do": "explode"},
    ],
    ids=str,
)
def test_settings_that_are_refused(hubspot: HubSpotClient, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="400"):
        hooks(hubspot, **given)
