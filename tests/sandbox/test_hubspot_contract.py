"""The stand-in against what HubSpot's official SDK sends and expects, where a developer has that (QUALY_SPECS)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.hubspot_client import CONTACTS, QUALY_ID, WEB, HubSpotClient, hubspot_sandbox
from tests.sandbox.hubspot_contract import DOCUMENT, Contract, specification
from tests.sandbox.recorded import Recorded, Seen

PROPERTIES = "/crm/v3/properties/contacts"
GROUP = {"name": "qualy", "label": "Qualy"}

pytestmark = pytest.mark.skipif(
    specification() is None,
    reason=f"QUALY_SPECS names no directory with {DOCUMENT}: not checked against the SDK's contract",
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    path = specification()
    assert path is not None
    return Contract(path)


@pytest.fixture(scope="module")
def shared() -> Iterator[HubSpotClient]:
    with hubspot_sandbox(payments=200) as client:
        yield client


@pytest.fixture
def recorded(contract: Contract) -> Iterator[Recorded]:
    def problems(seen: Seen) -> list[str]:
        return contract.problems(seen.method, seen.path, set(seen.query), seen.body, seen.status, seen.answer)

    with Recorded("/hubspot", problems).of_client(WEB) as record:
        yield record


def test_what_it_holds_from_the_start_is_as_the_sdk_expects(shared: HubSpotClient, recorded: Recorded) -> None:
    shared.http("GET", CONTACTS, params={"limit": 100, "archived": "false", "properties": "email,phone"})
    shared.http("GET", CONTACTS, params={"limit": 50, "propertiesWithHistory": "email"})
    shared.http("GET", CONTACTS, params={"archived": "true"})
    for path in (PROPERTIES, f"{PROPERTIES}/email", f"{PROPERTIES}/groups", "/crm/v3/owners/"):
        shared.http("GET", path)
    shared.http("GET", "/crm/v3/owners/", params={"archived": "true", "limit": 1})
    shared.http("POST", f"{CONTACTS}/search", {"limit": 5, "sorts": ["email"], "properties": ["email"]})
    assert recorded.statuses == [200] * 9
    assert recorded.problems == []


def test_writes_and_their_answers_are_as_the_sdk_expects(shared: HubSpotClient, recorded: Recorded) -> None:
    shared.reset()
    shared.http("POST", f"{PROPERTIES}/groups", GROUP)
    shared.http("POST", PROPERTIES, QUALY_ID)
    shared.http("PATCH", f"{PROPERTIES}/qualy_id", {"label": "Qualy"})
    ana = shared.http("POST", CONTACTS, {"properties": {"email": "a@mail.example", "qualy_id": "1"}}).json()["id"]
    shared.http("GET", f"{CONTACTS}/1", params={"idProperty": "qualy_id", "propertiesWithHistory": "email"})
    shared.http("PATCH", f"{CONTACTS}/{ana}", {"properties": {"phone": "1"}})

    def batch(what: str, inputs: list[dict[str, Any]], **more: Any) -> Any:
        answer = shared.http("POST", f"{CONTACTS}/batch/{what}", {"inputs": inputs, **more})
        return answer.json() if answer.content else None

    bad: dict[str, Any] = {"properties": {"email": "none"}, "objectWriteTraceId": "2"}
    made = batch("create", [{"properties": {"email": "b@mail.example"}, "objectWriteTraceId": "1"}, bad])
    bea = made["results"][0]["id"]
    batch("create", [{"properties": {"email": "c@mail.example"}}])
    batch("read", [{"id": ana}, {"id": "1"}], properties=["email"], propertiesWithHistory=["email"])
    batch("update", [{"id": ana, "properties": {"phone": "2"}}])
    batch("upsert", [{"id": "d@mail.example", "idProperty": "email", "properties": {"phone": "2"}}])
    shared.http("POST", f"{CONTACTS}/merge", {"primaryObjectId": ana, "objectIdToMerge": bea})
    batch("archive", [{"id": ana}])
    shared.http("POST", f"{CONTACTS}/gdpr-delete", {"objectId": "d@mail.example", "idProperty": "email"})
    shared.http("DELETE", f"{PROPERTIES}/qualy_id")
    assert recorded.statuses == [201, 201, 200, 201, 200, 200, 207, 201, 207, 200, 200, 200, 204, 204, 204]
    assert recorded.problems == []


def test_refusals_are_as_the_sdk_expects(shared: HubSpotClient, recorded: Recorded) -> None:
    shared.reset()
    shared.http("POST", CONTACTS, {"properties": {"email": "none", "no_such": "1"}})
    shared.http("POST", CONTACTS, {"properties": {"email": "a@mail.example"}})
    shared.http("POST", CONTACTS, {"properties": {"email": "a@mail.example"}})
    twice = [{"properties": {"email": "b@mail.example"}}] * 2
    shared.http("POST", f"{CONTACTS}/batch/create", {"inputs": twice})
    shared.http("GET", f"{CONTACTS}/1")
    shared.http("GET", CONTACTS, token="wrong")
    shared.http("POST", f"{CONTACTS}/search", {"limit": 201})
    shared.http("GET", f"{PROPERTIES}/no_such")
    assert recorded.statuses == [400, 201, 409, 400, 404, 401, 400, 404]
    assert recorded.problems == []


def test_a_token_is_as_the_sdk_expects(shared: HubSpotClient, recorded: Recorded) -> None:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "sandbox-hubspot-refresh-token",
        "client_id": "sandbox-hubspot-app",
        "client_secret": "sandbox-hubspot-secret",
    }
    token = WEB.post(f"{shared.base}/oauth/v1/token", data=form).json()["access_token"]
    shared.http("GET", f"/oauth/v1/access-tokens/{token}")
    assert recorded.statuses == [200, 200]
    assert recorded.problems == []


def test_the_check_itself_notices_what_is_wrong(contract: Contract) -> None:
    body = {"properties": {"email": 1}}
    answer = {"id": 1, "properties": {}, "createdAt": "today", "archived": "no"}
    found = contract.problems("POST", CONTACTS, {"limit"}, body, 201, answer)
    assert len(found) == 6, found
    assert contract.problems("PUT", CONTACTS, set(), None, 200, {}) == [f"PUT {CONTACTS} is not in the document"]
