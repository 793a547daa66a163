"""Reading lists and objects from the Qualy stand-in, under every reading of what Qualy leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server import Sandbox

HTTP = httpx.Client(timeout=10)
HEADERS = {"Authorization": "ApiKey pk_sandbox_qualy", "X-TENANT-ID": "eu1-sandbox"}
KINDS = (
    "contacts",
    "payment-intents",
    "payment-splits",
    "split-intents",
    "transactions",
    "partnerships",
    "taxes",
    "tags",
    "teams",
    "users",
)
PLAIN = {
    "envelope": "data-list",
    "filter": "A",
    "limit_cap": None,
    "expanded": False,
    "updated_at": True,
    "updated_at_sorts": True,
    "total": False,
    "forbidden": [],
}
DUE_OR_PART = {"status[0]": "due", "status[1]": "paid-partial"}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(payments=80, today=date(2026, 7, 15), services=["qualy"]) as started:
        yield started


@pytest.fixture(scope="module")
def client(running: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{running.url}/qualy/v1", headers=HEADERS, timeout=10) as made:
        yield made


@pytest.fixture(scope="module")
def everything(running: Sandbox) -> dict[str, set[str]]:
    state = running.control("GET", "state/qualy")
    return {kind: {body["_id"] for body in state[kind]} for kind in KINDS}


@pytest.fixture
def qualy(running: Sandbox, client: httpx.Client) -> Iterator[httpx.Client]:
    yield client
    running.control("POST", "readings/qualy", PLAIN)
    running.control("POST", "quota/qualy", {"per_second": None, "per_minute": None})


def rows(client: httpx.Client, kind: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/{kind}", params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@settings(max_examples=15, deadline=None)
@given(
    limit=st.integers(20, 200),
    cap=st.none() | st.integers(15, 60),
    sort=st.sampled_from(["", "createdAt", "-createdAt", "_id", "-_id", "updatedAt", "status,-_id", "amount"]),
    kind=st.sampled_from(["payment-intents", "transactions", "contacts"]),
)
def test_paging_by_rows_received_yields_each_object_once(
    running: Sandbox,
    client: httpx.Client,
    everything: dict[str, set[str]],
    limit: int,
    cap: int | None,
    sort: str,
    kind: str,
) -> None:
    running.control("POST", "readings/qualy", PLAIN | {"limit_cap": cap})
    seen: list[str] = []
    while page := rows(client, kind, limit=limit, skip=len(seen), sort=sort):
        assert len(page) <= min(limit, cap or limit)
        seen += [row["_id"] for row in page]
    assert len(seen) == len(set(seen))
    assert set(seen) == everything[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_listed_and_each_object_is_found_by_its_id(qualy: httpx.Client, kind: str) -> None:
    found = rows(qualy, kind, limit=1_000)
    assert found
    for row in found[:3]:
        assert qualy.get(f"/{kind}/{row['_id']}").json()["data"] == row
    missing = qualy.get(f"/{kind}/000000000000000000000000")
    assert (missing.status_code, missing.json()["statusCode"]) == (404, 404)


@pytest.mark.parametrize("kind", ["payment-intents", "payment-splits", "split-intents", "transactions", "contacts"])
def test_ascending_ids_are_ascending_times_of_creation(qualy: httpx.Client, kind: str) -> None:
    found = rows(qualy, kind, limit=1_000, sort="_id")
    times = [row["createdAt"] for row in found]
    assert times == sorted(times)
    assert [row["_id"] for row in rows(qualy, kind, limit=1_000, sort="createdAt _id")] == [r["_id"] for r in found]


@pytest.mark.parametrize(
    ("envelope", "rows_of"),
    [
        ("bare", lambda answer: answer),
        ("data-list", lambda answer: answer["data"]),
        ("data-object", lambda answer: answer["data"]["docs"]),
    ],
)
def test_envelopes(running: Sandbox, qualy: httpx.Client, envelope: str, rows_of: Any) -> None:
    expected = rows(qualy, "partnerships")
    running.control("POST", "readings/qualy", {"envelope": envelope})
    assert rows_of(qualy.get("/partnerships").json()) == expected


@pytest.mark.parametrize("style", ["A", "B", "C", "ignored"])
@pytest.mark.parametrize("asked", ["A", "B", "C"])
def test_only_the_right_style_of_filter_filters(running: Sandbox, qualy: httpx.Client, style: str, asked: str) -> None:
    running.control("POST", "readings/qualy", {"filter": style})
    text = {
        "A": urlencode({"filter": urlencode(DUE_OR_PART)}),
        "B": urlencode(DUE_OR_PART),
        "C": urlencode({f"filter[status][{n}]": value for n, value in enumerate(DUE_OR_PART.values())}),
    }[asked]
    found = qualy.get(f"/payment-intents?limit=500&{text}").json()["data"]
    statuses = {row["status"] for row in found}
    assert (statuses == {"due", "paid-partial"}) is (style == asked)
    assert (len(found) == 80) is (style != asked)


def test_a_filter_on_any_field_and_one_that_cannot_match(qualy: httpx.Client) -> None:
    payment = rows(qualy, "payment-intents", limit=1, filter="status=paid&currency=AUD")[0]
    of_it = rows(qualy, "transactions", filter=f"paymentIntent={payment['_id']}")
    assert {row["paymentIntent"] for row in of_it} == {payment["_id"]}
    assert {row["_id"] for row in of_it} == set(payment["transactions"])
    assert rows(qualy, "payment-intents", filter="status=no-such-status") == []
    assert rows(qualy, "payment-intents", filter="nothing=at all") == []


def test_projection_picks_and_leaves_out(qualy: httpx.Client) -> None:
    picked = rows(qualy, "contacts", projection="number profile.firstName", limit=1)[0]
    assert set(picked) == {"_id", "number", "profile"}
    assert set(picked["profile"]) == {"firstName"}
    assert set(rows(qualy, "contacts", projection="-_id email", limit=1)[0]) <= {"email"}
    item = rows(qualy, "payment-intents", projection="items.amount", limit=1)[0]["items"][0]
    assert set(item) == {"amount"}


def test_population_expands_what_was_asked_and_the_expanded_reading_everything(
    running: Sandbox, qualy: httpx.Client
) -> None:
    asked = rows(qualy, "payment-intents", limit=1, population="0[path]=contact&0[select]=profile number")[0]
    assert set(asked["contact"]) == {"_id", "profile", "number"}
    assert isinstance(asked["tax"], str)
    running.control("POST", "readings/qualy", {"expanded": True})
    split = rows(qualy, "payment-splits", limit=1)[0]
    assert split["paymentIntent"]["_id"]
    assert split["partnership"]["name"]
    assert isinstance(split["item"], str)


def test_updated_at_may_be_absent_or_not_sort(running: Sandbox, qualy: httpx.Client) -> None:
    newest = [row["updatedAt"] for row in rows(qualy, "payment-intents", limit=500, sort="-updatedAt")]
    assert newest == sorted(newest, reverse=True)
    running.control("POST", "readings/qualy", {"updated_at_sorts": False})
    unsorted = [row["updatedAt"] for row in rows(qualy, "payment-intents", limit=500, sort="-updatedAt")]
    assert unsorted != newest
    assert sorted(unsorted, reverse=True) == newest
    running.control("POST", "readings/qualy", {"updated_at": False, "expanded": True})
    row = rows(qualy, "payment-intents", limit=1, sort="-updatedAt")[0]
    assert "updatedAt" not in row
    assert "updatedAt" not in row["contact"]


def test_who_may_ask(running: Sandbox, qualy: httpx.Client) -> None:
    def status(**headers: str) -> int:
        return HTTP.get(f"{running.url}/qualy/v1/contacts", headers=headers).status_code

    key, tenant = HEADERS["Authorization"], HEADERS["X-TENANT-ID"]
    assert status(Authorization=key) == 400
    assert status(**{"X-TENANT-ID": tenant}) == 401
    assert status(Authorization="ApiKey wrong", **{"X-TENANT-ID": tenant}) == 401
    assert status(Authorization="Bearer pk_sandbox_qualy", **{"x-tenant-id": tenant}) == 401
    assert status(Authorization=key, **{"x-tenant-id": tenant}) == 200
    assert status(Authorization=key, **{"x-tenant-id": "eu1-other"}) == 401
    assert qualy.get("/users/user").json()["data"]["email"] == "helena@agency.example"


def test_a_missing_role_is_named_and_an_own_only_key_silently_sees_less(running: Sandbox, qualy: httpx.Client) -> None:
    running.control("POST", "readings/qualy", {"forbidden": ["payment-splits"]})
    refused = qualy.get("/payment-splits")
    assert refused.status_code == 403
    assert refused.json()["data"]["roles"] == ["paymentSplits:view:all"]
    own = HEADERS | {"Authorization": "ApiKey pk_sandbox_own_only"}
    mine = HTTP.get(f"{running.url}/qualy/v1/contacts?limit=500", headers=own).json()["data"]
    assert 0 < len(mine) < len(rows(qualy, "contacts", limit=500))
    assert len({tuple(row["owners"]) for row in mine}) == 1


def test_too_many_requests_are_told_when_to_come_back(running: Sandbox, qualy: httpx.Client) -> None:
    now = running.control("GET", "clock")["now"]
    running.control("POST", "clock", {"now": now[:17] + "05Z"})
    running.control("POST", "quota/qualy", {"per_minute": 2})
    answers = [qualy.get("/taxes") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    wait = int(answers[2].headers["Retry-After"])
    assert 1 <= wait <= 60
    running.control("POST", "clock", {"advance_seconds": wait})
    assert qualy.get("/taxes").status_code == 200


@pytest.mark.parametrize("parameters", [{"skip": "-1"}, {"limit": "many"}, {"limit": "1.5"}])
def test_a_malformed_parameter_is_refused(qualy: httpx.Client, parameters: dict[str, str]) -> None:
    answer = qualy.get("/contacts", params=parameters)
    assert answer.status_code == 400
    assert isinstance(answer.json()["message"], list)
