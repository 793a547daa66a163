"""Members: how they are found, what an upsert does to them, and which way back there is for those who left."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp_client import LIST, MailchimpClient, md5, refusal

MEMBERS = f"/lists/{LIST}/members"
ANA = "ana@mail.example"


def test_status_if_new_is_for_new_members_alone(chimp: MailchimpClient) -> None:
    first = chimp.put(ANA, "transactional", merge_fields={"FNAME": "Ana"})
    assert (first["status"], first["id"]) == ("transactional", md5(ANA))
    second = chimp.put(ANA, "subscribed", merge_fields={"LNAME": "Souza"})
    assert second["status"] == "transactional"
    assert second["merge_fields"] == {"FNAME": "Ana", "LNAME": "Souza", "ADDRESS": "", "PHONE": ""}
    assert second["full_name"] == "Ana Souza"


def test_an_unknown_member_needs_some_status(chimp: MailchimpClient) -> None:
    path = chimp.member_path(ANA)
    assert refusal(chimp.http("PUT", path, {"email_address": ANA})) == (400, "Invalid Resource")
    assert chimp.ok("PUT", path, {"email_address": ANA, "status": "subscribed"})["status"] == "subscribed"
    assert chimp.http("PATCH", chimp.member_path("bo@mail.example"), {"status": "subscribed"}).status_code == 404
    wrong = chimp.http("PUT", path, {"email_address": ANA, "status_if_new": "archived"})
    assert wrong.json()["errors"][0]["field"] == "status_if_new"


def test_one_member_has_three_names_in_the_path(chimp: MailchimpClient) -> None:
    member = chimp.put("Ana@Mail.Example")
    assert member["email_address"] == "Ana@Mail.Example"
    for key in (md5(ANA), md5(ANA).upper(), ANA, "ANA%40mail.example", member["contact_id"]):
        assert chimp.ok("GET", f"{MEMBERS}/{key}")["id"] == md5(ANA), key


def test_a_new_address_moves_the_member_with_all_it_has(chimp: MailchimpClient) -> None:
    before = chimp.put(ANA, "subscribed", merge_fields={"FNAME": "Ana"})
    chimp.tag(ANA, vip="active")
    moved = chimp.ok("PUT", chimp.member_path(ANA), {"email_address": "new@mail.example", "status_if_new": "pending"})
    assert moved["id"] == md5("new@mail.example")
    assert moved["contact_id"] == before["contact_id"]
    assert (moved["status"], moved["merge_fields"]["FNAME"], moved["tags_count"]) == ("subscribed", "Ana", 1)
    assert chimp.http("GET", chimp.member_path(ANA)).status_code == 404
    chimp.put("bo@mail.example")
    taken = chimp.http("PATCH", chimp.member_path("bo@mail.example"), {"email_address": "NEW@mail.example"})
    assert refusal(taken) == (400, "Member Exists")
    unknown = {"email_address": "new@mail.example", "status_if_new": "pending"}
    assert refusal(chimp.http("PUT", chimp.member_path("x@mail.example"), unknown)) == (400, "Member Exists")


@pytest.mark.parametrize(
    "email", ["no-at-sign", "two@@mail.example", "blank in@mail.example", "a@nodot", "a..b@mail.example", "a@x.", 5]
)
def test_what_is_no_address_is_refused(chimp: MailchimpClient, email: object) -> None:
    answer = chimp.http("POST", MEMBERS, {"email_address": email, "status": "subscribed"})
    assert refusal(answer) == (400, "Invalid Resource")
    assert chimp.members() == []


def test_an_address_that_nobody_can_have_looks_fake(chimp: MailchimpClient) -> None:
    answer = chimp.http(
        "PUT", chimp.member_path("x@example.com"), {"email_address": "x@Example.com", "status_if_new": "pending"}
    )
    assert refusal(answer) == (400, "Invalid Resource")
    assert "looks fake" in answer.json()["detail"]


def test_who_was_unsubscribed_by_api_comes_back_by_api(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "subscribed")
    for status in ("unsubscribed", "subscribed"):
        assert chimp.ok("PATCH", chimp.member_path(ANA), {"status": status})["status"] == status


@pytest.mark.parametrize("do", ["unsubscribe", "clean", "review"])
def test_who_left_by_themselves_comes_back_only_by_confirming(chimp: MailchimpClient, do: str) -> None:
    chimp.put(ANA, "subscribed")
    left = chimp.ui(do, member=ANA)["status"]
    for status in ("subscribed", "transactional"):
        answer = chimp.http("PATCH", chimp.member_path(ANA), {"status": status})
        assert refusal(answer) == (400, "Member In Compliance State")
    assert chimp.put(ANA, "subscribed", merge_fields={"FNAME": "Ana"})["status"] == left
    assert chimp.ok("PATCH", chimp.member_path(ANA), {"status": "pending"})["status"] == "pending"
    assert refusal(chimp.http("PATCH", chimp.member_path(ANA), {"status": "subscribed"}))[0] == 400
    assert chimp.ui("confirm", member=ANA)["status"] == "subscribed"
    assert chimp.ok("PATCH", chimp.member_path(ANA), {"status": "unsubscribed"})["status"] == "unsubscribed"
    assert chimp.ok("PATCH", chimp.member_path(ANA), {"status": "subscribed"})["status"] == "subscribed"


def test_archiving_keeps_everything_and_happens_once(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "subscribed", merge_fields={"FNAME": "Ana"})
    chimp.tag(ANA, vip="active")
    gone = chimp.http("DELETE", chimp.member_path(ANA))
    assert (gone.status_code, gone.content) == (204, b"")
    archived = chimp.get(ANA)
    assert (archived["status"], archived["tags_count"]) == ("archived", 1)
    assert refusal(chimp.http("DELETE", chimp.member_path(ANA))) == (405, "Method Not Allowed")
    assert chimp.put(ANA, "subscribed")["status"] == "archived"
    revived = chimp.ok("POST", MEMBERS, {"email_address": ANA, "status": "transactional"})
    assert (revived["status"], revived["tags"][0]["name"]) == ("transactional", "vip")
    assert revived["merge_fields"]["FNAME"] == "Ana"


def test_pending_and_bounced_members_cannot_be_archived_by_api(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "pending")
    chimp.put("bo@mail.example", "subscribed")
    chimp.ui("clean", member="bo@mail.example")
    for email in (ANA, "bo@mail.example"):
        assert chimp.http("DELETE", chimp.member_path(email)).status_code == 405


def test_an_archived_member_who_had_left_is_silently_brought_back_by_a_status(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "subscribed")
    chimp.ui("unsubscribe", member=ANA)
    chimp.ui("archive", member=ANA)
    assert chimp.ok("PATCH", chimp.member_path(ANA), {"status": "subscribed"})["status"] == "subscribed"


def test_a_reading_lets_status_if_new_revive_archived_members(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "subscribed")
    chimp.ui("archive", member=ANA)
    chimp.control("readings", {"put_revives_archived": True})
    assert chimp.put(ANA, "transactional")["status"] == "transactional"


def test_who_was_deleted_for_ever_returns_only_by_a_form(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "subscribed")
    assert chimp.http("POST", f"{chimp.member_path(ANA)}/actions/delete-permanent", b"null").status_code == 204
    assert chimp.http("GET", chimp.member_path(ANA)).status_code == 404
    body = {"email_address": ANA, "status_if_new": "transactional", "status": "subscribed"}
    for method, path in (("PUT", chimp.member_path(ANA)), ("POST", MEMBERS)):
        assert refusal(chimp.http(method, path, body)) == (400, "Forgotten Email Not Subscribed")
    chimp.put("bo@mail.example")
    move = chimp.http("PATCH", chimp.member_path("bo@mail.example"), {"email_address": ANA})
    assert refusal(move) == (400, "Forgotten Email Not Subscribed")
    chimp.ui("resubscribe", member=ANA)
    assert chimp.put(ANA)["status"] == "subscribed"


def test_too_many_sign_ups_elsewhere_are_refused_for_a_while(chimp: MailchimpClient) -> None:
    chimp.ui("throttle", member=ANA, seconds=3600)
    answer = chimp.http("PUT", chimp.member_path(ANA), {"email_address": ANA, "status_if_new": "subscribed"})
    assert refusal(answer) == (400, "Invalid Resource")
    assert "a lot of lists very recently" in answer.json()["detail"]
    chimp.clock(3700)
    assert chimp.put(ANA, "subscribed")["status"] == "subscribed"


def test_a_full_member(chimp: MailchimpClient) -> None:
    member = chimp.put(ANA, "subscribed", language="pt", vip=True, location={"latitude": -33.8})
    assert member["last_changed"].endswith("+00:00")
    assert len(member["last_changed"]) == len("2026-07-15T00:00:00+00:00")
    assert member["list_id"] == LIST
    assert (member["language"], member["vip"], member["location"]["latitude"]) == ("pt", True, -33.8)
    assert {link["rel"] for link in member["_links"]} >= {"self", "parent", "upsert", "delete_permanent"}
    assert len(member["contact_id"]) == 32
    assert member["contact_id"] != member["id"]


def test_nothing_changes_nothing(chimp: MailchimpClient) -> None:
    first = chimp.put(ANA, "subscribed", merge_fields={"FNAME": "Ana"})
    chimp.clock(60)
    assert chimp.put(ANA, "subscribed", merge_fields={"FNAME": "Ana"}) == first
    assert chimp.put(ANA, "subscribed", merge_fields={"FNAME": "Bea"})["last_changed"] > first["last_changed"]


def test_pages_of_members(chimp: MailchimpClient) -> None:
    for number in range(12):
        chimp.put(f"m{number:02}@mail.example")
    page = chimp.ok("GET", MEMBERS)
    assert (len(page["members"]), page["total_items"], page["list_id"]) == (10, 12, LIST)
    rest = chimp.ok("GET", MEMBERS, offset=10, count=5, fields="members.id,members.email_address,total_items")
    assert [set(member) for member in rest["members"]] == [{"id", "email_address"}] * 2
    assert set(rest) == {"members", "total_items"}
    without = chimp.ok("GET", MEMBERS, count=1, exclude_fields="_links,members._links,members.merge_fields")
    assert "_links" not in without
    assert "merge_fields" not in without["members"][0]
    assert chimp.http("GET", MEMBERS, count=1001).status_code == 400
    assert chimp.http("GET", MEMBERS, count="x").status_code == 400


def test_members_by_status_and_by_change(chimp: MailchimpClient) -> None:
    chimp.put(ANA, "subscribed")
    chimp.put("bo@mail.example", "transactional")
    chimp.ui("archive", member="bo@mail.example")
    chimp.clock(3600)
    changed = chimp.put("cy@mail.example", "subscribed")["last_changed"]
    names = [[member["email_address"] for member in chimp.members(**query)] for query in (
        {}, {"status": "archived"}, {"status": "subscribed"}, {"since_last_changed": changed},
        {"before_last_changed": changed}, {"sort_field": "last_changed", "sort_dir": "DESC"},
    )]  # fmt: skip
    assert names == [
        [ANA, "cy@mail.example"], ["bo@mail.example"], [ANA, "cy@mail.example"], [], [ANA], ["cy@mail.example", ANA],
    ]  # fmt: skip
    assert len(chimp.members(since_last_changed="2026-07-15T00:00:00Z")) == 2
    assert chimp.http("GET", MEMBERS, since_last_changed="yesterday").status_code == 400
    assert chimp.http("GET", MEMBERS, status="gone").status_code == 400
    chimp.control("readings", {"list_shows_archived": True})
    assert len(chimp.members()) == 3
