"""The stand-in for Mailchimp against the schemas of Mailchimp's specification, where a developer has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.mailchimp_client import LIST, WEB, mailchimp_sandbox
from tests.sandbox.mailchimp_contract import FOLDER, Contract, specification
from tests.sandbox.recorded import Recorded, Seen

BASE = "/mailchimp/3.0"
ANA = "ana@mail.example"

pytestmark = pytest.mark.skipif(
    specification() is None,
    reason=f"QUALY_SPECS names no directory with {FOLDER}/index.json: not checked against Mailchimp's schemas",
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    folder = specification()
    assert folder is not None
    return Contract(folder)


@pytest.fixture
def recorded(contract: Contract) -> Iterator[Recorded]:
    def problems(seen: Seen) -> list[str]:
        return contract.problems(seen.method, seen.path, seen.query, seen.body, seen.status, seen.answer or {})

    with Recorded(BASE, problems).of_client(WEB) as record:
        yield record


def test_reads_are_as_the_specification_says(recorded: Recorded) -> None:
    with mailchimp_sandbox(payments=200) as chimp:
        chimp.ok("GET", "/ping")
        chimp.ok("GET", "/lists", count=5)
        chimp.ok("GET", f"/lists/{LIST}")
        for status in ("subscribed", "unsubscribed", "cleaned", "archived", "transactional"):
            for member in chimp.members(status=status, since_last_changed="2020-01-01T00:00:00+00:00"):
                chimp.ok("GET", f"/lists/{LIST}/members/{member['id']}")
        chimp.ok("GET", f"/lists/{LIST}/merge-fields", count=50)
        chimp.ok("GET", f"/lists/{LIST}/merge-fields/1")
    assert len(recorded.seen) > 15
    assert recorded.problems == []


def test_writes_and_their_answers_are_as_the_specification_says(recorded: Recorded) -> None:
    with mailchimp_sandbox() as chimp:
        field = chimp.field("BALANCE", "number", required=False, public=False)
        chimp.ok("PATCH", f"/lists/{LIST}/merge-fields/{field['merge_id']}", {"name": "Open"})
        chimp.put(ANA, merge_fields={"BALANCE": 5})
        chimp.ok("PATCH", chimp.member_path(ANA), {"vip": True}, skip_merge_validation="true")
        chimp.tag(ANA, vip="active")
        chimp.ok("GET", f"{chimp.member_path(ANA)}/tags", count=5)
        new = {"email_address": "bo@mail.example", "status": "subscribed"}
        chimp.ok("POST", f"/lists/{LIST}/members", new)
        members = [new, {"email_address": "cy@mail.example", "status": "pending"}]
        chimp.ok("POST", f"/lists/{LIST}", {"members": members, "update_existing": True})
        chimp.http("DELETE", chimp.member_path(ANA))
        chimp.http("POST", f"{chimp.member_path(ANA)}/actions/delete-permanent")
        chimp.http("DELETE", f"/lists/{LIST}/merge-fields/{field['merge_id']}")
    assert len(recorded.seen) == 11
    assert recorded.problems == []


def test_batches_are_as_the_specification_says(recorded: Recorded) -> None:
    with mailchimp_sandbox() as chimp:
        batch = chimp.ok("POST", "/batches", {"operations": [{"method": "GET", "path": "/ping", "operation_id": "1"}]})
        chimp.clock(60)
        chimp.ok("GET", f"/batches/{batch['id']}")
        chimp.ok("GET", "/batches", count=10)
        chimp.http("DELETE", f"/batches/{batch['id']}")
    assert len(recorded.seen) == 4
    assert recorded.problems == []


def test_the_check_itself_notices_what_is_wrong(contract: Contract) -> None:
    wrong = {"email_address": 5, "status_if_new": "archived"}
    path = f"/lists/{LIST}/members/abc"
    found = contract.problems("PUT", path, {"dry_run": "1"}, wrong, 200, {"status": "gone", "colour": "red"})
    assert len(found) == 5, found
    assert contract.problems("PATCH", "/ping", {}, None, 200, {}) == ["PATCH /ping is not in the specification"]
