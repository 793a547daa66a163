"""What QuickBooks tells of changes: in both of its forms, signed, late, twice, out of order, or not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.quickbooks_client import QuickBooksClient
from tests.sandbox.webhook_receiver import Arrived, Receiver, receiving

VERIFIER = "a-verifier-token"
REALM = "9341450000000061"


@pytest.fixture
def receiver(books: QuickBooksClient) -> Iterator[Receiver]:
    with receiving() as found:
        books.control("webhooks", {"target": f"{found.url}/hook", "mode": "manual", "verifier": VERIFIER})
        yield found
        books.control("webhooks", {"target": None, "format": "cloudevents", "batch": 30})
        books.control("webhooks", {"do": "clear"})


def delivered(books: QuickBooksClient) -> Any:
    return books.control("webhooks", {"do": "deliver"})


def signed(arrived: Arrived, verifier: str = VERIFIER) -> bool:
    digest = hmac.new(verifier.encode(), arrived.body, hashlib.sha256).digest()
    return arrived.headers["intuit-signature"] == base64.b64encode(digest).decode()


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(event["type"], event["intuitentityid"]) for one in receiver.arrived for event in one.document]


def test_cloud_events_name_company_entity_and_what_became_of_it(books: QuickBooksClient, receiver: Receiver) -> None:
    customer = books.customer()
    paid, unpaid = books.invoice(customer, "T-1"), books.invoice(customer, "T-2")
    payment = books.pay(paid, 10)
    unpaid.void(qb=books.qb)
    payment.delete(qb=books.qb)
    delivered(books)
    assert told(receiver) == [
        ("qbo.customer.created.v1", customer.Id),
        ("qbo.invoice.created.v1", paid.Id),
        ("qbo.invoice.created.v1", unpaid.Id),
        ("qbo.payment.created.v1", payment.Id),
        ("qbo.invoice.updated.v1", paid.Id),
        ("qbo.invoice.voided.v1", unpaid.Id),
        ("qbo.invoice.updated.v1", paid.Id),
        ("qbo.payment.deleted.v1", payment.Id),
    ]
    (post,) = receiver.arrived
    assert signed(post)
    assert {(event["specversion"], event["intuitaccountid"]) for event in post.document} == {("1.0", REALM)}
    assert len({event["id"] for event in post.document}) == 8


def test_the_older_form_holds_ids_by_company(books: QuickBooksClient, receiver: Receiver) -> None:
    books.control("webhooks", {"format": "notifications"})
    kept, gone = books.customer("Ana Souza"), books.customer("Ana Sousa")
    books.ui("merge_customers", **{"from": gone.Id, "into": kept.Id})
    delivered(books)
    (post,) = receiver.arrived
    assert signed(post)
    (company,) = post.document["eventNotifications"]
    assert company["realmId"] == REALM
    changes = company["dataChangeEvent"]["entities"]
    assert [(one["name"], one["id"], one["operation"]) for one in changes] == [
        ("Customer", kept.Id, "Create"), ("Customer", gone.Id, "Create"), ("Customer", kept.Id, "Merge")
    ]  # fmt: skip
    assert all(one["lastUpdated"].endswith("Z") for one in changes)


def test_what_is_not_taken_is_sent_again_after_longer_and_longer(books: QuickBooksClient, receiver: Receiver) -> None:
    receiver.answers += [500, 503]
    books.customer()
    assert delivered(books)["posts"] == 1
    assert delivered(books)["posts"] == 0
    books.clock(11)
    assert delivered(books)["posts"] == 1
    books.clock(11)
    assert delivered(books)["posts"] == 0
    books.clock(10)
    assert delivered(books)["posts"] == 1
    assert len({one.body for one in receiver.arrived}) == 1
    assert delivered(books)["waiting"] == []


def test_events_come_twice_out_of_order_forged_or_never(books: QuickBooksClient, receiver: Receiver) -> None:
    books.control("webhooks", {"batch": 1})
    books.control("webhooks", {"do": "drop", "next": 1})
    books.customer("Never told of")
    first, second = books.customer("Ana"), books.customer("Bea")
    books.control("webhooks", {"do": "reorder"})
    books.control("webhooks", {"do": "duplicate"})
    delivered(books)
    assert [id_ for _, id_ in told(receiver)] == [second.Id, second.Id, first.Id, first.Id]
    event = {"type": "qbo.customer.deleted.v1", "intuitentityid": first.Id, "intuitaccountid": "1"}
    books.control("webhooks", {"do": "send", "events": [event], "secret": "somebody-else"})
    assert receiver.arrived[-1].document == [event]
    assert not signed(receiver.arrived[-1])


def test_only_what_is_asked_for_is_told_and_nothing_where_nobody_listens(
    books: QuickBooksClient, receiver: Receiver
) -> None:
    books.control("webhooks", {"entities": ["Invoice"]})
    books.customer()
    assert delivered(books)["posts"] == 0
    for wrong, named in (
        ({"format": "xml"}, "format"),
        ({"entities": ["Nothing"]}, "entities is a list of: Customer"),
        ({"batch": 0}, "batch"),
        ({"target": "https://evil.example/"}, "this machine"),
    ):
        with pytest.raises(AssertionError, match=named):
            books.control("webhooks", wrong)
    books.control("webhooks", {"entities": ["Customer"], "target": None})
    books.customer("Bea")
    assert books.control("webhooks", {"do": "list"})["waiting"] == []
