"""Contacts that a client writes in Qualy's stand-in, under every reading of what Qualy's pages leave open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox

WEB = httpx.Client(timeout=30)
HEADERS = {"Authorization": "ApiKey pk_sandbox_qualy", "X-TENANT-ID": "eu1-sandbox"}
OWN_ONLY = HEADERS | {"Authorization": "ApiKey pk_sandbox_own_only"}
OTHER = {"Authorization": "ApiKey pk_sandbox_other", "X-TENANT-ID": "eu1-other"}
ANA = {
    "_id": "6a10c0de5b1e4f0012ab34cd",
    "number": 482,
    "email": "ana@mail.example",
    "profile": {"firstName": "Ana", "lastName": "Souza", "phone": "+5511999990000"},
    "tags": ["659200800800000000000001"],
    "createdAt": "2026-06-01T00:00:00.000Z",
    "updatedAt": "2026-06-01T00:00:00.000Z",
}
NEW = {"email": "new@mail.example", "profile": {"firstName": "Nova", "lastName": "Lima", "phone": "+55119"}}
DEFAULTS = {
    "contact_create": "POST /contacts/create",
    "contact_update": "PATCH /contacts/{id}",
    "contact_update_effect": "fields",
    "unique_email": False,
    "email_required": False,
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox.start(payments=20, today=date(2026, 7, 15), services=["qualy"]) as started:
        yield started


@pytest.fixture
def qualy(shared: Sandbox) -> Sandbox:
    shared.control("DELETE", "faults/qualy")
    shared.control("POST", "readings/qualy", DEFAULTS)
    shared.control("POST", "load/qualy", {"contacts": [ANA]})
    return shared


def call(qualy: Sandbox, endpoint: str, body: Any = None, headers: Any = None) -> httpx.Response:
    method, path = endpoint.replace("{id}", str(ANA["_id"])).split()
    return WEB.request(method, f"{qualy.url}/qualy/v1{path}", json=body, headers=headers or HEADERS)


def contacts(qualy: Sandbox) -> list[dict[str, Any]]:
    return list(qualy.control("GET", "state/qualy")["contacts"])


def test_a_new_contact_has_an_id_and_a_number_of_its_own(qualy: Sandbox) -> None:
    first = call(qualy, "POST /contacts/create", NEW)
    assert first.status_code == 201
    made = first.json()["data"]
    assert {name: made[name] for name in NEW} == NEW
    assert made["createdAt"].startswith("2026-07-15")
    assert call(qualy, f"GET /contacts/{made['_id']}").json()["data"] == made
    again = call(qualy, "POST /contacts/create", NEW).json()["data"]
    assert again["_id"] != made["_id"]
    assert again["number"] > made["number"] > 100
    assert len(contacts(qualy)) == 3


def test_an_update_sets_the_named_fields_each_as_a_whole(qualy: Sandbox) -> None:
    answer = call(qualy, "PATCH /contacts/{id}", {"profile": {"firstName": "Anna"}, "_id": "x", "number": 1})
    assert answer.status_code == 200
    after = contacts(qualy)[0]
    assert answer.json()["data"] == after
    assert after["updatedAt"] > ANA["updatedAt"]
    assert after | {"updatedAt": 0} == ANA | {"profile": {"firstName": "Anna"}, "updatedAt": 0}


def test_an_update_may_reach_inside_or_replace_everything(qualy: Sandbox) -> None:
    body = {"email": "ana@mail.example", "profile": {"firstName": "Anna"}}
    qualy.control("POST", "readings/qualy", {"contact_update_effect": "deep"})
    call(qualy, "PATCH /contacts/{id}", body)
    after = contacts(qualy)[0]
    assert after["profile"] == {"firstName": "Anna", "lastName": "Souza", "phone": "+5511999990000"}
    assert after["tags"] == ANA["tags"]
    qualy.control("POST", "readings/qualy", {"contact_update_effect": "replace"})
    call(qualy, "PATCH /contacts/{id}", body)
    after = contacts(qualy)[0]
    kept = {name: ANA[name] for name in ("_id", "number", "createdAt")}
    assert {name: after[name] for name in after if name != "updatedAt"} == kept | body


CREATES = ("POST /contacts/create", "POST /contacts")
UPDATES = ("PATCH /contacts/{id}", "PUT /contacts/{id}", "PATCH /contacts/update/{id}")


@pytest.mark.parametrize("there", [*CREATES, None])
def test_only_one_form_of_creating_is_there(qualy: Sandbox, there: str | None) -> None:
    qualy.control("POST", "readings/qualy", {"contact_create": there})
    statuses = {endpoint: call(qualy, endpoint, NEW).status_code for endpoint in CREATES}
    assert statuses == {endpoint: 201 if endpoint == there else 404 for endpoint in CREATES}
    assert len(contacts(qualy)) == (1 if there is None else 2)


@pytest.mark.parametrize("there", [*UPDATES, None])
def test_only_one_form_of_updating_is_there(qualy: Sandbox, there: str | None) -> None:
    qualy.control("POST", "readings/qualy", {"contact_update": there})
    statuses = {endpoint: call(qualy, endpoint, {"tags": []}).status_code for endpoint in UPDATES}
    assert statuses == {endpoint: 200 if endpoint == there else 404 for endpoint in UPDATES}


def test_what_is_not_acceptable_is_listed(qualy: Sandbox) -> None:
    refused = call(qualy, "POST /contacts/create", {"_id": "x", "email": "none", "profile": "Ana", "tags": "vip"})
    assert (refused.status_code, refused.json()["statusCode"]) == (400, 400)
    assert refused.json()["message"] == [
        "property _id should not exist",
        "email must be an email",
        "profile must be an object",
        "tags must be an array",
    ]
    assert call(qualy, "POST /contacts/create", ["a"]).status_code == 400
    assert call(qualy, "PATCH /contacts/000000000000000000000000", NEW).status_code == 404
    assert contacts(qualy) == [ANA]


def test_emails_may_have_to_be_there_and_to_be_unique(qualy: Sandbox) -> None:
    nameless = {"profile": {"firstName": "Nova"}}
    assert call(qualy, "POST /contacts/create", nameless).status_code == 201
    qualy.control("POST", "readings/qualy", {"email_required": True, "unique_email": True})
    assert call(qualy, "POST /contacts/create", nameless).status_code == 400
    made = call(qualy, "POST /contacts/create", NEW).json()["data"]
    assert call(qualy, "POST /contacts/create", {"email": " ANA@mail.example"}).status_code == 409
    assert call(qualy, f"PATCH /contacts/{made['_id']}", {"email": ANA["email"]}).status_code == 409
    assert call(qualy, f"PATCH /contacts/{made['_id']}", {"email": NEW["email"]}).status_code == 200


def test_a_limited_key_may_not_write_and_tenants_do_not_mix(qualy: Sandbox) -> None:
    refused = call(qualy, "POST /contacts/create", NEW, OWN_ONLY)
    assert (refused.status_code, refused.json()["data"]["roles"]) == (403, ["contacts:create:all"])
    assert call(qualy, "PATCH /contacts/{id}", NEW, OTHER).status_code == 404
    assert call(qualy, "POST /contacts/create", NEW, {"X-TENANT-ID": "eu1-sandbox"}).status_code == 401
    assert contacts(qualy) == [ANA]


def test_a_create_whose_answer_is_lost_is_done_and_a_blind_retry_doubles_it(qualy: Sandbox) -> None:
    qualy.control("POST", "faults/qualy", {"method": "POST", "do": "drop_after"})
    keyed = HEADERS | {"Idempotency-Key": "k-1"}
    with pytest.raises(httpx.RemoteProtocolError):
        call(qualy, "POST /contacts/create", NEW, keyed)
    call(qualy, "POST /contacts/create", NEW, keyed)
    assert [one["email"] for one in contacts(qualy)].count("new@mail.example") == 2
