"""Merge fields and tags: the parts of a member that Qualy writes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.mailchimp_client import LIST, MailchimpClient, refusal

FIELDS = f"/lists/{LIST}/merge-fields"
ANA = "ana@mail.example"


def test_fields_are_made_renamed_and_deleted(chimp: MailchimpClient) -> None:
    made = chimp.field("BALANCE", "number", public=False)
    unnamed = chimp.ok("POST", FIELDS, {"name": "Team", "type": "text"})
    assert (made["tag"], unnamed["tag"]) == ("BALANCE", f"MMERGE{unnamed['merge_id']}")
    chimp.put(ANA, merge_fields={"BALANCE": 12.5})
    path = f"{FIELDS}/{made['merge_id']}"
    chimp.ok("PATCH", path, {"name": "Open", "tag": "OPEN"})
    assert chimp.get(ANA)["merge_fields"]["OPEN"] == 12.5
    assert refusal(chimp.http("PATCH", path, {"name": "Open", "type": "text"})) == (400, "Invalid Resource")
    assert chimp.http("DELETE", path).status_code == 204
    assert "OPEN" not in chimp.get(ANA)["merge_fields"]
    listed = chimp.ok("GET", FIELDS, type="text", count=100)
    assert [field["tag"] for field in listed["merge_fields"]] == ["FNAME", "LNAME", unnamed["tag"]]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "X"},
        {"type": "text"},
        {"name": "X", "type": "money"},
        {"name": "X", "type": "text", "tag": "lower"},
        {"name": "X", "type": "text", "tag": "ELEVENCHARS"},
        {"name": "X", "type": "text", "tag": "FNAME"},
        {"name": "X", "type": "dropdown"},
        {"name": "X", "type": "text", "options": {"choices": ["a"]}},
        {"name": "X", "type": "text", "required": "yes"},
    ],
)
def test_fields_that_cannot_be(chimp: MailchimpClient, given: dict[str, Any]) -> None:
    assert refusal(chimp.http("POST", FIELDS, given)) == (400, "Invalid Resource")


def test_an_audience_has_thirty_fields_at_most(chimp: MailchimpClient) -> None:
    for number in range(26):
        chimp.field(f"F{number}")
    assert chimp.http("POST", FIELDS, {"name": "One more", "type": "text"}).status_code == 400
    chimp.control("quota", {"merge_fields": 80})
    chimp.field("MORE")


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("number", "15.5", 15.5),
        ("number", 20, 20),
        ("number", "1,5", None),
        ("number", "NaN", None),
        ("number", "1_000", None),
        ("date", "2026-07-15", "2026-07-15"),
        ("date", "07/15/2026", "2026-07-15"),
        ("date", "15.07.2026", None),
        ("text", 7, "7"),
        ("text", "é" * 127, "é" * 127),
        ("text", "é" * 128, None),
        ("birthday", "2/29", "02/29"),
        ("birthday", "13/01", None),
        ("url", "https://pay.example/1", "https://pay.example/1"),
        ("url", "pay.example", None),
        ("zip", "20000", "20000"),
        ("zip", "2000", None),
        ("address", {"addr1": "1 St", "city": "Sydney", "state": "NSW"}, None),
    ],
)
def test_values_fit_their_fields_or_fail_the_member(
    chimp: MailchimpClient, kind: str, given: object, kept: object
) -> None:
    chimp.field("VALUE", kind)
    body = {"email_address": ANA, "status_if_new": "transactional", "merge_fields": {"VALUE": given}}
    answer = chimp.http("PUT", chimp.member_path(ANA), body)
    if kept is not None:
        assert answer.json()["merge_fields"]["VALUE"] == kept
        return
    assert refusal(answer) == (400, "Invalid Resource")
    assert answer.json()["detail"] == "Your merge fields were invalid."
    assert [error["field"] for error in answer.json()["errors"]] == ["VALUE"]
    assert chimp.http("GET", chimp.member_path(ANA)).status_code == 404


def test_choices(chimp: MailchimpClient) -> None:
    chimp.field("TEAM", "dropdown", options={"choices": ["North", "South"]})
    assert chimp.put(ANA, merge_fields={"TEAM": "North"})["merge_fields"]["TEAM"] == "North"
    body = {"merge_fields": {"TEAM": "East"}}
    assert chimp.http("PATCH", chimp.member_path(ANA), body).status_code == 400


def test_unknown_fields_are_dropped_empty_ones_cleared_and_absent_ones_kept(chimp: MailchimpClient) -> None:
    chimp.field("BALANCE", "number")
    chimp.put(ANA, merge_fields={"BALANCE": 5, "FNAME": "Ana", "NOSUCH": "x", "fname": "lower"})
    member = chimp.put(ANA, merge_fields={"BALANCE": ""})
    assert member["merge_fields"] == {"FNAME": "Ana", "LNAME": "", "ADDRESS": "", "PHONE": "", "BALANCE": ""}


def test_a_null_is_read_in_three_ways(chimp: MailchimpClient) -> None:
    chimp.put(ANA, merge_fields={"FNAME": "Ana"})
    assert chimp.put(ANA, merge_fields={"FNAME": None})["merge_fields"]["FNAME"] == "Ana"
    chimp.control("readings", {"null_merge_value": "refused"})
    assert chimp.http("PATCH", chimp.member_path(ANA), {"merge_fields": {"FNAME": None}}).status_code == 400
    chimp.control("readings", {"null_merge_value": "clears"})
    assert chimp.put(ANA, merge_fields={"FNAME": None})["merge_fields"]["FNAME"] == ""


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}])
def test_values_of_other_json_types_match_no_schema(chimp: MailchimpClient, value: object) -> None:
    answer = chimp.http(
        "PATCH", "/lists/5a4b3c2d1e/members/" + chimp.put(ANA)["id"], {"merge_fields": {"FNAME": value}}
    )
    assert refusal(answer) == (400, "Invalid Resource")
    assert "any of the schemas" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("skip", ["true", "True"])
def test_a_field_made_required_overnight_fails_everybody_who_does_not_skip_it(
    chimp: MailchimpClient, skip: str
) -> None:
    chimp.put(ANA, "subscribed")
    chimp.ui("edit_field", field="PHONE", fields={"required": True})
    body = {"email_address": ANA, "status_if_new": "pending", "merge_fields": {"FNAME": "Ana"}}
    answer = chimp.http("PUT", chimp.member_path(ANA), body)
    assert answer.json()["errors"] == [{"field": "PHONE", "message": "Please enter a value"}]
    assert chimp.ok("PUT", chimp.member_path(ANA), body, skip_merge_validation=skip)["merge_fields"]["FNAME"] == "Ana"
    chimp.field("BALANCE", "number")
    wrong = chimp.http(
        "PUT", chimp.member_path(ANA), body | {"merge_fields": {"BALANCE": "x"}}, skip_merge_validation=skip
    )
    assert wrong.status_code == 400


def test_tags_come_and_go(chimp: MailchimpClient) -> None:
    chimp.put(ANA)
    answer = chimp.tag(ANA, vip="active", overdue="active")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert chimp.tag(ANA, VIP="active", never_had="inactive").status_code == 204
    member = chimp.get(ANA)
    assert (member["tags_count"], {tag["name"] for tag in member["tags"]}) == (2, {"vip", "overdue"})
    chimp.tag(ANA, Overdue="inactive")
    assert [tag["name"] for tag in chimp.get(ANA)["tags"]] == ["vip"]
    empty = chimp.http("POST", f"{chimp.member_path(ANA)}/tags", {"tags": [], "is_syncing": True})
    assert empty.status_code == 204


@pytest.mark.parametrize(
    "body",
    [{}, {"tags": ["vip"]}, {"tags": [{"name": "vip"}]}, {"tags": [{"name": " ", "status": "active"}]},
     {"tags": [{"name": "x" * 101, "status": "active"}]}, {"tags": [], "is_syncing": "yes"}],
)  # fmt: skip
def test_tags_that_cannot_be(chimp: MailchimpClient, body: dict[str, Any]) -> None:
    chimp.put(ANA)
    assert chimp.http("POST", f"{chimp.member_path(ANA)}/tags", body).status_code == 400


def test_nobody_without_membership_gets_a_tag(chimp: MailchimpClient) -> None:
    assert chimp.tag(ANA, vip="active").status_code == 404
    assert chimp.ok("GET", f"/lists/{LIST}/tag-search")["tags"] == []


def test_a_member_shows_fifty_tags_and_lists_all(chimp: MailchimpClient) -> None:
    chimp.put(ANA)
    tags = [{"name": f"t{number}", "status": "active"} for number in range(53)]
    chimp.http("POST", f"{chimp.member_path(ANA)}/tags", {"tags": tags})
    member = chimp.get(ANA)
    assert (len(member["tags"]), member["tags_count"], member["tags"][0]["name"]) == (50, 53, "t52")
    listed = chimp.ok("GET", f"{chimp.member_path(ANA)}/tags", count=100)
    assert (len(listed["tags"]), listed["total_items"]) == (53, 53)
    assert set(listed["tags"][0]) == {"id", "name", "date_added"}
    found = chimp.ok("GET", f"/lists/{LIST}/tag-search", name="T5")
    assert [tag["name"] for tag in found["tags"]] == ["t5", "t50", "t51", "t52"]


def test_marketers_rename_and_delete_tags(chimp: MailchimpClient) -> None:
    chimp.put(ANA)
    chimp.ui("add_tag", member=ANA, tag="Open day")
    chimp.ui("rename_tag", tag="open day", name="Open day 2026")
    assert [tag["name"] for tag in chimp.get(ANA)["tags"]] == ["Open day 2026"]
    chimp.ui("delete_tag", tag="Open day 2026")
    assert (chimp.get(ANA)["tags"], chimp.get(ANA)["tags_count"]) == ([], 0)
