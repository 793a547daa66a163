"""The frame around every stand-in: control, clock, faults, the log of calls. Seen through Qualy, over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date

import httpx
import pytest

from sandbox.server import NAMES_ITSELF, Sandbox

HTTP = httpx.Client(timeout=10)
HEADERS = {"Authorization": "ApiKey pk_sandbox_qualy", "X-TENANT-ID": "eu1-sandbox"}
CONTACTS = "/qualy/v1/contacts"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(payments=30, today=date(2026, 7, 15), services=["qualy"]) as started:
        yield started


@pytest.fixture
def world(running: Sandbox) -> Iterator[Sandbox]:
    yield running
    running.control("DELETE", "faults/qualy")
    running.control("DELETE", "calls/qualy")


def get(world: Sandbox, path: str = CONTACTS) -> httpx.Response:
    return HTTP.get(world.url + path, headers=HEADERS, timeout=10)


def fault(world: Sandbox, do: str, **more: object) -> None:
    world.control("POST", "faults/qualy", [{"method": "GET", "path": "/v1/contacts", "do": do, **more}])


@pytest.mark.parametrize(
    "path",
    ["/", "/nowhere", "/qualy/nowhere", "/qualy/v1/contacts", "/control/clock", "/control/nothing", "/control/state/x"],
)
def test_every_answer_says_that_it_comes_from_a_stand_in(world: Sandbox, path: str) -> None:
    assert HTTP.get(world.url + path).headers["X-Sandbox"] == NAMES_ITSELF[1]


def test_a_fault_names_the_stand_in_too(world: Sandbox) -> None:
    fault(world, "status:503")
    answer = get(world)
    assert answer.status_code == 503
    assert answer.headers["X-Sandbox"] == NAMES_ITSELF[1]
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("host", ["evil.example", "sandbox.evil.example:8900", "127.0.0.1.evil.example", ""])
def test_control_refuses_a_page_that_calls_it_by_another_name(world: Sandbox, host: str) -> None:
    answer = HTTP.get(world.url + "/control/clock", headers={"Host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "localhost:8900"])
def test_control_answers_to_the_names_of_this_machine(world: Sandbox, host: str) -> None:
    assert HTTP.get(world.url + "/control/clock", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("GET", "state/nothing", None, "only qualy"),
        ("POST", "clock", {"hours": 3}, "advance_seconds, now"),
        ("POST", "clock", {"now": "2026-07-15T00:00:00"}, "time zone"),
        ("POST", "faults/qualy", [{"do": "explode"}], "drop_after"),
        ("POST", "faults/qualy", [{"do": "delay:soon"}], "delay:SECONDS"),
        ("POST", "faults/qualy", [{"do": "garbage", "when": 1}], "no when"),
        ("POST", "faults/qualy", [{"do": "garbage", "times": 0}], "times"),
        ("POST", "lock-date/qualy", {"period": "2026-05-31", "year_end": None}, "no lock dates"),
        ("POST", "quota/qualy", {"per_day": 1}, "per_minute"),
        ("POST", "readings/qualy", {"envelope": "paper"}, "data-object"),
    ],
)
def test_a_wrong_control_call_gets_a_sentence(world: Sandbox, method: str, path: str, body: object, says: str) -> None:
    with pytest.raises(ValueError, match=r"40[04]") as refused:
        world.control(method, path, body)
    assert says in str(refused.value)


@pytest.mark.parametrize("do", ["drop_before", "drop_after"])
def test_a_dropped_call_gets_no_answer_and_the_next_one_does(world: Sandbox, do: str) -> None:
    fault(world, do)
    with pytest.raises(httpx.RemoteProtocolError):
        get(world)
    assert get(world).status_code == 200
    first, second = world.control("GET", "calls/qualy")["calls"]
    assert (first["status"], first["fault"]) == (None, do)
    assert (second["status"], second["fault"]) == (200, None)


def test_a_fault_meets_as_many_calls_as_it_is_told_to_and_only_those_it_names(world: Sandbox) -> None:
    fault(world, "status:500", times=2, after=1)
    assert get(world, "/qualy/v1/taxes").status_code == 200
    assert [get(world).status_code for _ in range(4)] == [200, 500, 500, 200]
    assert world.control("GET", "faults/qualy")["faults"] == []


def test_an_endless_fault_lasts_until_it_is_cleared(world: Sandbox) -> None:
    fault(world, "status_after:502", times=None)
    assert {get(world).status_code for _ in range(5)} == {502}
    world.control("DELETE", "faults/qualy")
    assert get(world).status_code == 200


def test_spoiled_answers(world: Sandbox) -> None:
    whole = get(world).json()["data"]
    fault(world, "omit_element:1")
    fault(world, "reorder")
    assert get(world).json()["data"] == whole[:1] + whole[2:]
    assert get(world).json()["data"] == whole[::-1]
    for do in ("garbage", "truncate"):
        fault(world, do)
        with pytest.raises(ValueError):  # noqa: PT011 - broken JSON and broken UTF-8 are both this
            json.loads(get(world).content)


def test_a_page_for_people_comes_instead_of_json_and_nothing_is_done(world: Sandbox) -> None:
    fault(world, "page:400")
    answer = get(world)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/html")
    with pytest.raises(ValueError, match="400"):
        world.control("POST", "faults/qualy", [{"do": "page:99"}])


def test_a_held_call_waits_for_its_release_while_others_go_on(world: Sandbox) -> None:
    fault(world, "hold")
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(get(world).status_code))
    waiting.start()
    while world.control("GET", "held")["held"] == 0:
        pass
    assert get(world).status_code == 200
    assert answers == []
    assert world.control("POST", "release") == {"released": 1}
    waiting.join(timeout=10)
    assert answers == [200]


def test_a_postponed_call_is_carried_out_when_the_clock_has_moved_on(world: Sandbox) -> None:
    world.control("POST", "quota/qualy", {"per_hour": 1_000})
    fault(world, "drop_then_commit:120")
    with pytest.raises(httpx.RemoteProtocolError):
        get(world)
    assert world.control("POST", "clock", {"advance_seconds": 119})["carried_out"] == 0
    assert world.control("POST", "clock", {"advance_seconds": 2})["carried_out"] == 1
    assert world.control("POST", "clock", {"advance_seconds": 500})["carried_out"] == 0


def test_the_clock_starts_on_the_day_of_the_world_and_can_be_set(world: Sandbox) -> None:
    with Sandbox.start(payments=0, today=date(2026, 7, 15), services=["qualy"]) as other:
        assert other.control("GET", "clock")["now"].startswith("2026-07-15")
        moved = other.control("POST", "clock", {"now": "2030-01-01T00:00:00Z"})
        assert moved["now"].startswith("2030-01-01T00:00")


def test_the_log_counts_records_and_keeps_no_body_and_no_key(world: Sandbox) -> None:
    body = json.dumps({"meta": {"n": 1}, "data": [{"secret": "Ana"}, {}, {}]}).encode()
    url = f"{world.url}/qualy/v1/contacts/create?note=1"
    HTTP.post(url, content=body, headers=HEADERS | {"Idempotency-Key": "key-1"})
    HTTP.post(url, content=b"not json", headers=HEADERS)
    get(world)
    calls = world.control("GET", "calls/qualy")["calls"]
    assert [call["records"] for call in calls] == [3, 1, 0]
    assert [call["idempotency_key"] for call in calls] == ["key-1", None, None]
    assert len({call["body_sha256"] for call in calls}) == 3
    assert (calls[0]["method"], calls[0]["path"], calls[0]["query"]) == ("POST", "/v1/contacts/create", "note=1")
    assert "Ana" not in json.dumps(calls)
    assert "pk_sandbox" not in json.dumps(calls)
    assert world.control("DELETE", "calls/qualy") == {"cleared": 3}
