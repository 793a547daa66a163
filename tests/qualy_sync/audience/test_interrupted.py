"""Crashes, lost answers, a tool in trouble: what was begun is picked up or said again, and nobody is harmed by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.qualy_sync.audience.conftest import MakeAudience
from tests.support.audience_world import AudienceWorld
from tests.support.crm_world import person, settings_with

MANY = 6
VIP = {"_id": "t1", "name": "VIP"}
IN_BATCHES = {"direct_up_to: 50": "direct_up_to: 0"}
SOME, MORE = ("drop_after", "status:429", "garbage"), ("drop_before", "status:500", "status_after:500", "truncate")
FAULTS = [*SOME, *(pytest.param(one, marks=pytest.mark.full) for one in MORE)]


@pytest.fixture
def batches(tmp_path: Path) -> dict[str, Any]:
    return {"settings": settings_with(tmp_path, IN_BATCHES)}


def people() -> list[dict[str, Any]]:
    return [person(number, f"P{number}", "X", f"p{number}@school.test", tags=[VIP]) for number in range(MANY)]


def all_there(world: AudienceWorld) -> None:
    """Each once, with values and tag, and each in step."""
    members = world.members()
    assert sorted(members) == [f"p{number}@school.test" for number in range(MANY)]
    assert {one["status"] for one in members.values()} == {"transactional"}
    assert {one["merge_fields"]["QID"] for one in members.values()} == {one["_id"] for one in people()}
    assert all(world.tags(email) == {"qualy:vip"} for email in members)
    assert set(world.outcomes().values()) <= {"created", "adopted", "updated", "unchanged"}
    assert world.unfinished() == []
    writes = world.writes()
    assert world.later()
    assert world.writes() == writes


@pytest.mark.parametrize(
    ("point", "batch"), [("committed", 1), ("started", 1), ("fetched", 1), ("committed", 2), ("started", 2)]
)
def test_a_run_that_dies_over_a_batch_is_taken_up_by_the_next(
    make_audience: MakeAudience, batches: dict[str, Any], point: str, batch: int
) -> None:
    world = make_audience(people(), **batches)
    world.crash(point, batch)
    world.later()
    all_there(world)


def test_the_same_holds_on_postgresql(make_audience: MakeAudience, batches: dict[str, Any], pg_url: str) -> None:
    world = AudienceWorld(make_audience([]).sandbox, pg_url, **batches).begin(people())
    world.crash("started")
    world.later()
    all_there(world)
    world.ledger.close()


def test_a_batch_that_was_started_is_fetched_and_not_sent_again(
    make_audience: MakeAudience, batches: dict[str, Any]
) -> None:
    world = make_audience(people(), **batches)
    world.crash("fetched")
    world.count_anew()
    world.later()
    assert [one.rpartition("/")[2] for one in world.writes()] == ["batches"]  # the tags
    all_there(world)


@pytest.mark.parametrize("point", ["committed", "answered"])
def test_a_run_that_dies_over_single_writes_says_the_same_again(make_audience: MakeAudience, point: str) -> None:
    world = make_audience(people())
    world.crash(point)
    world.later()
    all_there(world)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_single_write_is_got_over(make_audience: MakeAudience, fault: str) -> None:
    world = make_audience(people())
    world.faults(
        "mailchimp",
        {"method": "PUT", "path": "/3.0/lists", "do": fault, "after": 2},
        {"method": "POST", "path": "/3.0/lists", "do": fault, "after": 14},
    )
    world.run()
    world.run_until_quiet()
    all_there(world)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_fault_of_a_batch_is_got_over(
    make_audience: MakeAudience, batches: dict[str, Any], fault: str, method: str
) -> None:
    world = make_audience(people(), **batches)
    world.faults("mailchimp", {"method": method, "path": "/3.0/batches", "do": fault})
    world.run()
    world.run_until_quiet()
    all_there(world)


def test_results_that_are_gone_are_asked_for_by_saying_the_same_again(
    make_audience: MakeAudience, batches: dict[str, Any]
) -> None:
    world = make_audience(people(), **batches)
    world.crash("started")
    world.pass_time(9 * 24 * 3600)
    world.run()
    all_there(world)


def test_a_batch_that_takes_longer_than_a_task_may_is_fetched_by_a_later_run(
    make_audience: MakeAudience, batches: dict[str, Any]
) -> None:
    world = make_audience(people(), **batches)
    world.sandbox.control("POST", "quota/mailchimp", {"batch_pending_seconds": 3_000})
    world.run()
    assert world.unfinished()
    world.sandbox.control("POST", "quota/mailchimp", {"batch_pending_seconds": 2})
    world.later(3_600)
    all_there(world)


def test_too_many_connections_are_waited_for(make_audience: MakeAudience) -> None:
    world = make_audience(people())
    world.sandbox.control("POST", "readings/mailchimp", {"overload": 403})
    world.faults("mailchimp", {"method": "PUT", "path": "/3.0/lists", "do": "status:429", "times": 2})
    world.run()
    all_there(world)


def test_a_key_that_is_refused_stops_the_run_with_a_remedy(make_audience: MakeAudience) -> None:
    world = make_audience(people())
    world.sandbox.control("POST", "revoke/mailchimp", {"keys": [world.key]})
    assert not world.run()
    assert "Make an API key" in world.problems[-1]
    world.sandbox.control("POST", "revoke/mailchimp", {"keys": []})
    world.later()
    all_there(world)
