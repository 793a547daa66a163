"""Many members at once: the call for 500 with all its traps, and batches that are done later."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import httpx
import pytest

from tests.sandbox.mailchimp_client import KEY, LIST, WEB, MailchimpClient, md5, refusal

ANA, BO = "ana@mail.example", "bo@mail.example"


def subscribe(chimp: MailchimpClient, *members: dict[str, Any], query: Any = None, **more: Any) -> dict[str, Any]:
    return chimp.ok("POST", f"/lists/{LIST}", {"members": list(members), **more}, **(query or {}))


def one(email: str, status: str = "subscribed", **more: Any) -> dict[str, Any]:
    return {"email_address": email, "status": status, **more}


def test_the_call_for_500_answers_200_even_when_all_fail(chimp: MailchimpClient) -> None:
    chimp.put(BO)
    chimp.put("gone@mail.example")
    chimp.ui("delete_permanently", member="gone@mail.example")
    refused = (one(BO), one("x@example.com"), one("gone@mail.example"), {"email_address": "y@mail.example"})
    answer = subscribe(chimp, *refused)
    assert (answer["total_created"], answer["total_updated"], answer["error_count"]) == (0, 0, 4)
    codes = {error["email_address"]: error["error_code"] for error in answer["errors"]}
    assert codes == {BO: "ERROR_CONTACT_EXISTS"} | {
        email: "ERROR_GENERIC" for email in ("x@example.com", "gone@mail.example", "y@mail.example")
    }
    assert subscribe(chimp, one(ANA, tags=["vip"]))["new_members"][0]["tags_count"] == 1


def test_update_existing_changes_statuses_but_not_of_those_who_left(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "transactional")
    chimp.put(BO, "subscribed")
    chimp.ui("unsubscribe", member=BO)
    members = [one(ANA, merge_fields={"FNAME": "Ana"}), one(BO, merge_fields={"FNAME": "Bo"})]
    answer = subscribe(chimp, *members, update_existing=True)
    assert (answer["total_updated"], answer["errors"]) == (2, [])
    assert (chimp.get(ANA)["status"], chimp.get(BO)["status"]) == ("subscribed", "unsubscribed")
    assert chimp.get(BO)["merge_fields"]["FNAME"] == "Bo"


def test_sync_tags_takes_away_what_others_gave(chimp: MailchimpClient) -> None:
    chimp.put(ANA)
    chimp.ui("add_tag", member=ANA, tag="Newsletter")
    subscribe(chimp, one(ANA, tags=["qualy:due"]), update_existing=True)
    assert {tag["name"] for tag in chimp.get(ANA)["tags"]} == {"Newsletter", "qualy:due"}
    subscribe(chimp, one(ANA, tags=["QUALY:due", "qualy:north"]), update_existing=True, sync_tags=True)
    assert {tag["name"] for tag in chimp.get(ANA)["tags"]} == {"qualy:due", "qualy:north"}


def test_duplicates_and_too_many(chimp: MailchimpClient) -> None:
    twice = (one(ANA, merge_fields={"FNAME": "First"}), one(ANA.upper(), merge_fields={"FNAME": "Second"}))
    answer = subscribe(chimp, *twice)
    assert (answer["total_created"], answer["error_count"]) == (1, 1)
    answer = subscribe(chimp, one(BO), one(BO), query={"skip_duplicate_check": "true"})
    assert (answer["total_created"], answer["error_count"]) == (1, 0)
    assert chimp.get(ANA)["merge_fields"]["FNAME"] == "First"
    many = {"members": [one(f"m{number}@mail.example") for number in range(501)]}
    assert refusal(chimp.http("POST", f"/lists/{LIST}", many)) == (400, "Invalid Resource")


def test_a_wrong_merge_field_names_its_field(chimp: MailchimpClient) -> None:
    chimp.field("BALANCE", "number")
    error = subscribe(chimp, one(ANA, merge_fields={"BALANCE": "much"}))["errors"][0]
    assert (error["field"], error["field_message"]) == ("BALANCE", "Please enter a number")


def test_the_call_can_break_off_half_way(chimp: MailchimpClient) -> None:
    fault = {"method": "POST", "path": f"/3.0/lists/{LIST}", "do": "partial_after:2"}
    chimp.sandbox.control("POST", "faults/mailchimp", [fault])
    with pytest.raises(httpx.TransportError):
        subscribe(chimp, *(one(f"m{number}@mail.example") for number in range(5)))
    assert len(chimp.members()) == 2


def operation(method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    given = {"method": method, "path": path, "operation_id": f"{method} {path}"} | more
    return given if body is None else given | {"body": json.dumps(body)}


def put_operation(email: str, **more: Any) -> dict[str, Any]:
    body = {"email_address": email, "status_if_new": "transactional"}
    return operation("PUT", f"/lists/{LIST}/members/{md5(email)}", body, **more)


def start(chimp: MailchimpClient, *operations: dict[str, Any]) -> dict[str, Any]:
    return chimp.ok("POST", "/batches", {"operations": list(operations)})


def results(batch: dict[str, Any]) -> list[dict[str, Any]]:
    packed = WEB.get(batch["response_body_url"])
    assert packed.status_code == 200, packed.text
    found: list[dict[str, Any]] = []
    with tarfile.open(fileobj=io.BytesIO(packed.content), mode="r:gz") as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None:
                assert entry.name.endswith(".json")
                found += json.load(content)
    return found


def test_a_batch_goes_through_five_states_on_the_sandboxs_clock(chimp: MailchimpClient) -> None:
    batch = start(chimp, *(put_operation(f"m{number}@mail.example") for number in range(10)))
    assert (batch["status"], batch["finished_operations"], batch["response_body_url"]) == ("pending", 0, "")
    states = []
    for seconds in (2.1, 3, 5, 5.1, 5):
        chimp.clock(seconds)
        batch = chimp.ok("GET", f"/batches/{batch['id']}")
        states.append((batch["status"], batch["finished_operations"] > 0, len(chimp.members())))
    assert [state for state, _, _ in states] == ["preprocessing", "started", "started", "finalizing", "finished"]
    assert [some for _, some, _ in states] == [False, False, True, True, True]
    assert states[1][2] < states[2][2] < states[3][2] == 10
    assert batch["completed_at"].endswith("+00:00")
    assert batch["errored_operations"] == 0


def test_a_batch_is_finished_though_operations_failed(chimp: MailchimpClient) -> None:
    tags = {"tags": [{"name": "vip", "status": "active"}]}
    batch = start(
        chimp,
        put_operation(ANA, operation_id="good"),
        put_operation("x@example.com", operation_id="fake"),
        operation("POST", f"/lists/{LIST}/members/{md5(BO)}/tags", tags, operation_id="nobody"),
        operation("GET", f"/lists/{LIST}/members", params={"fields": "total_items"}, operation_id="count"),
    )
    chimp.clock(60)
    batch = chimp.ok("GET", f"/batches/{batch['id']}")
    assert (batch["status"], batch["total_operations"], batch["errored_operations"]) == ("finished", 4, 2)
    by_id = {entry["operation_id"]: entry for entry in results(batch)}
    assert {name: entry["status_code"] for name, entry in by_id.items()} == {
        "good": 200, "fake": 400, "nobody": 404, "count": 200,
    }  # fmt: skip
    assert json.loads(by_id["good"]["response"])["email_address"] == ANA
    assert json.loads(by_id["fake"]["response"])["title"] == "Invalid Resource"
    assert set(json.loads(by_id["count"]["response"])) == {"total_items"}


def test_the_order_inside_a_batch_is_not_promised(chimp: MailchimpClient) -> None:
    ids = [str(number) for number in range(150)]
    operations = [operation("GET", "/ping", operation_id=number) for number in ids]
    shuffled = start(chimp, *operations)
    chimp.control("readings", {"batch_order": "given"})
    given = start(chimp, *operations)
    chimp.clock(60)
    orders = [
        [entry["operation_id"] for entry in results(chimp.ok("GET", f"/batches/{batch['id']}"))]
        for batch in (shuffled, given)
    ]
    assert sorted(orders[0], key=int) == ids != orders[0]
    assert orders[1] == ids


def test_the_address_of_the_results_wants_no_key_and_expires(chimp: MailchimpClient) -> None:
    batch = start(chimp, operation("GET", "/ping"))
    chimp.clock(60)
    url = chimp.ok("GET", f"/batches/{batch['id']}")["response_body_url"]
    assert WEB.get(url).status_code == 200
    assert WEB.get(url, auth=("user", KEY)).status_code == 400
    assert WEB.get(url.replace("Expires=", "Expires=9")).status_code == 403
    chimp.clock(601)
    assert WEB.get(url).status_code == 403
    fresh = chimp.ok("GET", f"/batches/{batch['id']}")["response_body_url"]
    assert WEB.get(fresh).status_code == 200
    chimp.clock(8 * 86_400)
    assert chimp.http("GET", f"/batches/{batch['id']}").status_code == 404


def test_a_deleted_batch_does_no_more(chimp: MailchimpClient) -> None:
    batch = start(chimp, put_operation(ANA))
    assert chimp.http("DELETE", f"/batches/{batch['id']}").status_code == 204
    chimp.clock(60)
    assert chimp.members() == []
    assert chimp.http("DELETE", f"/batches/{batch['id']}").status_code == 404


def test_how_many_operations_and_batches_there_may_be(chimp: MailchimpClient) -> None:
    too_many = {"operations": [operation("GET", "/ping")] * 501}
    assert refusal(chimp.http("POST", "/batches", too_many)) == (400, "Invalid Resource")
    chimp.clock(60)
    chimp.control("quota", {"open_batches": 2})
    start(chimp, operation("GET", "/ping"))
    start(chimp, operation("GET", "/ping"))
    assert chimp.http("POST", "/batches", {"operations": [operation("GET", "/ping")]}).status_code == 429
    chimp.clock(60)
    start(chimp, operation("GET", "/ping"))
    assert chimp.ok("GET", "/batches", count=100)["total_items"] >= 3


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"operations": []},
        {"operations": ["x"]},
        {"operations": [operation("HEAD", "/ping")]},
        {"operations": [operation("GET", "ping")]},
        {"operations": [operation("POST", "/batches", {})]},
        {"operations": [{"method": "PUT", "path": "/lists", "body": {"a": 1}}]},
    ],
)
def test_batches_that_cannot_be(chimp: MailchimpClient, given: dict[str, Any]) -> None:
    assert refusal(chimp.http("POST", "/batches", given)) == (400, "Invalid Resource")
