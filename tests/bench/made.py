"""The made data set: payments that are all paid, one share for a partner each, nothing that has to be held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.population.documents import cnpj

PARTNERS = 20
PRICE, SHARE = 120_000, 48_000  # minor units
CATEGORY = "Accommodation"
Json = dict[str, Any]


def objects(payments: int, today: datetime, currency: str = "AUD") -> dict[str, list[Json]]:
    """Everything of a tenant by kind, as Qualy returns it: a customer, a split and a receipt for each payment."""
    made: dict[str, list[Json]] = {
        "partnerships": [_partner(index, today) for index in range(PARTNERS)],
        "taxes": [{"_id": _id("7a", 0), "name": "GST", "rate": 0.1} | _stamps(today - timedelta(days=900))],
    }
    for index in range(payments):
        for kind, body in _payment(index, today - timedelta(days=20) + timedelta(seconds=index), currency):
            made.setdefault(kind, []).append(body)
    return made


def _payment(index: int, created: datetime, currency: str) -> Iterator[tuple[str, Json]]:
    payment, customer, item, money = (_id(letters, index) for letters in ("ab", "cc", "de", "ee"))
    stamps = _stamps(created)
    paid = _stamps(created + timedelta(days=2))
    yield (
        "contacts",
        {
            "_id": customer,
            "number": 101 + index,
            "email": f"student{index}@mail.example",
            "profile": {"firstName": "Student", "lastName": f"Number {index}"},
        }
        | stamps,
    )
    yield (
        "payment-intents",
        {
            "_id": payment,
            "number": 1001 + index,
            "intentType": "ad-hoc",
            "contact": customer,
            "status": "paid",
            "currency": currency,
            "amount": PRICE,
            "due": 0,
            "dueAt": stamps["createdAt"],
            "tax": _id("7a", 0),
            "items": [{"_id": item, "name": CATEGORY, "description": "", "category": CATEGORY, "amount": PRICE}],
            "transactions": [money],
        }
        | stamps
        | {"updatedAt": paid["updatedAt"]},
    )
    yield (
        "payment-splits",
        {
            "_id": _id("5b", index),
            "type": "amount-flat",
            "currency": currency,
            "amount": SHARE,
            "percentage": None,
            "partnership": _id("ba", index % PARTNERS),
            "paymentIntent": payment,
            "item": item,
            "contact": customer,
            "split": None,
            "dueAt": stamps["createdAt"],
            "tax": _id("7a", 0),
            "status": "processing",
        }
        | stamps,
    )
    yield (
        "transactions",
        {
            "_id": money,
            "number": 5001 + index,
            "paymentIntent": payment,
            "contact": customer,
            "transactionType": "charge",
            "method": "BANK_TRANSFER",
            "amount": PRICE,
            "currency": currency,
            "status": "succeeded",
            "paidAt": paid["createdAt"],
            "documents": [],
            "disputes": [],
        }
        | paid,
    )


def _partner(index: int, today: datetime) -> Json:
    return {
        "_id": _id("ba", index),
        "name": f"School {index}",
        "legalName": f"School {index} Pty Ltd",
        "email": f"accounts@school{index}.example",
        "type": "school",
        "country": "AU",
        "taxId": cnpj(index + 1),
    } | _stamps(today - timedelta(days=400))


def _id(letters: str, index: int) -> str:
    """24 hexadecimal digits, which ascend with the index."""
    return f"68{letters}{index:020x}"


def _stamps(moment: datetime) -> Json:
    text = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    return {"createdAt": text, "updatedAt": text}
