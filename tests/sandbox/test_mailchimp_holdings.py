"""What the stand-in for Mailchimp holds: from the start, by loading, by hand, and after it was ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.sandbox.mailchimp_client import LIST, TODAY, MailchimpClient, mailchimp_sandbox


def test_two_audiences_with_members_in_every_status() -> None:
    with mailchimp_sandbox(payments=200) as chimp:
        audiences = chimp.ok("GET", "/lists")["lists"]
        assert [(one["id"], one["name"]) for one in audiences] == [
            (LIST, "Students"),
            ("0f9e8d7c6b", "Former students"),
        ]
        state = chimp.state()
        counts = Counter(member["status"] for member in state["members"])
        assert counts == {"subscribed": 9, "unsubscribed": 2, "cleaned": 1, "archived": 1, "transactional": 1}
        assert audiences[0]["stats"]["member_count"] == 9
        assert {one["reason"] for one in state["compliance"]} == {"person", "bounce"}
        assert len(state["forgotten"]) == 1
        customers = {f"{one['merge_fields']['FNAME']} {one['merge_fields']['LNAME']}" for one in state["members"]}
        assert len(customers) == len(state["members"])
        assert any(member["email_address"].isupper() for member in state["members"])


def test_what_is_shown_can_be_loaded_again() -> None:
    with mailchimp_sandbox(payments=200) as chimp:
        chimp.put("ana@mail.example", merge_fields={"FNAME": "Ana"})
        chimp.tag("ana@mail.example", vip="active", due="active")
        before = chimp.state()
        kinds = ("lists", "merge_fields", "tags", "members", "forgotten", "compliance")
        chimp.control("load", {kind: before[kind] for kind in kinds})
        after = chimp.state()
        for held in (before, after):
            for member in held["members"]:
                member["tags"] = [tag["name"] for tag in member["tags"]]
            held["tags"] = [tag["name"] for tag in held["tags"]]
        assert after == before
        with pytest.raises(ValueError, match="Mailchimp holds no"):
            chimp.control("load", {"campaigns": []})
        with pytest.raises(ValueError, match="valid email"):
            chimp.control("load", {"members": [{"email_address": "nobody"}]})
        assert len(chimp.state()["members"]) == len(before["members"])


def test_members_made_and_changed_by_hand() -> None:
    with mailchimp_sandbox() as chimp:
        made = chimp.ui("create_member", member="ana@mail.example", fields={"merge_fields": {"FNAME": "Ana"}})
        assert (made["status"], made["merge_fields"]["FNAME"]) == ("subscribed", "Ana")
        chimp.ui("edit_member", member="ana@mail.example", fields={"merge_fields": {"LNAME": "Souza"}})
        moved = chimp.ui("change_email", member="ana@mail.example", email="ana.souza@mail.example")
        assert (moved["full_name"], moved["contact_id"]) == ("Ana Souza", made["contact_id"])
        left = chimp.ui("unsubscribe", member=moved["id"], reason="Too many mails")
        assert (left["status"], left["unsubscribe_reason"]) == ("unsubscribed", "Too many mails")
        chimp.ui("archive", member=moved["id"])
        assert chimp.ui("unarchive", member=moved["id"], status="unsubscribed")["status"] == "unsubscribed"
        chimp.ui("create_field", fields={"tag": "SIZE", "name": "Size", "type": "text"})
        chimp.ui("delete_field", field="SIZE")
        chimp.ui("add_tag", member=moved["id"], tag="vip")
        assert chimp.ui("remove_tag", member=moved["id"], tag="VIP")["tags_count"] == 0
        for wrong in ({"do": "fly"}, {"do": "archive", "member": "nobody"}, {"do": "clean", "list": "x"}):
            with pytest.raises(ValueError, match=r"do is one of|There is no"):
                chimp.control("ui", wrong)


def test_a_second_start_continues_with_batches_too(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    with Sandbox.start(payments=0, today=TODAY, services=["mailchimp"], state=state) as sandbox:
        chimp = MailchimpClient(sandbox)
        put = {"method": "PUT", "path": chimp.member_path("ana@mail.example")}
        body = '{"email_address": "ana@mail.example", "status_if_new": "subscribed"}'
        batch = chimp.ok("POST", "/batches", {"operations": [put | {"body": body}]})
        members = len(chimp.members())
    with Sandbox.start(services=["mailchimp"], state=state) as sandbox:
        chimp = MailchimpClient(sandbox)
        chimp.clock(60)
        assert chimp.ok("GET", f"/batches/{batch['id']}")["finished_operations"] == 1
        assert len(chimp.members()) == members + 1
        with pytest.raises(ValueError, match="no lock dates"):
            chimp.control("lock-date", {"period": None, "year_end": None})
