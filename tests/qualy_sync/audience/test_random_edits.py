"""Whatever people do on both sides, and whatever fails on the way: in the end every member is right or on a named list,
nobody gets newsletters who did not ask for them, and a further run writes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from qualy_sync.contracts.crm import Form
from qualy_sync.crm.forms import same
from tests.support.audience_world import AudienceWorld
from tests.support.crm_world import person, settings_with

STEPS = 30
FIELDS = {"FNAME": "firstName", "LNAME": "lastName"}
FAULTS = (
    ("mailchimp", "PUT", "/3.0/lists"),
    ("mailchimp", "POST", "/3.0/lists"),
    ("mailchimp", "GET", "/3.0/lists"),
    ("mailchimp", "POST", "/3.0/batches"),
    ("mailchimp", "GET", "/3.0/batches"),
    ("mailchimp", "GET", "/batch-results"),
    ("qualy", "GET", "/v1/contacts"),
)
KINDS = (
    "drop_before", "drop_after", "status:500", "status:429", "status_after:500", "garbage", "truncate",
    "drop_then_commit:60",
)  # fmt: skip
OF_MEMBERS = (
    "unsubscribe", "resubscribe", "clean", "review", "archive", "unarchive", "delete_permanently", "change_email",
    "edit_member", "add_tag", "remove_tag",
)  # fmt: skip
ASKED = {"subscribed", "pending"}
IN_STEP = {"created", "updated", "unchanged", "adopted"}
NAMED = {
    "consent_withdrawn", "kept_apart", "ambiguous_email", "shared_email", "no_email", "bad_email", "gone_at_source",
    "invalid", "never_synced",
}  # fmt: skip


class Story:
    """People at work on both sides, drawn from one seed. `willing`: members (by contact_id, which stays when an
    address changes) who asked for newsletters."""

    def __init__(self, world: AudienceWorld, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.number = 100
        self.willing = {one["contact_id"] for one in world.members().values() if one["status"] in ASKED}

    def step(self) -> None:
        steps = [self.edit_qualy, self.of_member, self.new, self.delete, self.fault, self.run, self.crash]
        done = self.random.choices(steps, [7, 7, 2, 1, 4, 6, 1])[0]
        if done in (self.run, self.fault, self.crash):
            done()
            return
        # What the service itself refuses (an address that another one has, nobody archived) did not happen.
        with suppress(ValueError, IndexError):
            done()

    def edit_qualy(self) -> None:
        chosen = self.pick(self.world.customers())
        name = self.random.choice(["email", "name", "name", "tags"])
        if name == "email":
            self.world.qualy("update", _id=chosen, email=self.address())
        elif name == "tags":
            self.world.qualy("update", _id=chosen, tags=self.tags())
        else:
            profile = {"firstName": self.name(), "lastName": self.name()}
            self.world.qualy("update", _id=chosen, profile=profile)

    def of_member(self) -> None:
        do, email = self.random.choice(OF_MEMBERS), self.pick(self.world.members())
        more: dict[str, Any] = {}
        if do == "change_email":
            more = {"email": self.address()}
        elif do == "edit_member":
            tag = self.random.choice(["FNAME", "QNUMBER", "PHONE"])
            more = {"fields": {"merge_fields": {tag: self.name()}}}
        elif do in ("add_tag", "remove_tag"):
            more = {"tag": self.random.choice(["Open day", "qualy:vip", "qualy:new", "Qualy:Mine"])}
        elif do == "unarchive":
            more = {"status": "subscribed"}
        before = self.world.members()[email]["contact_id"]
        done = self.world.mailchimp(do, email, **more)
        if do in ("resubscribe", "unarchive"):
            self.willing.add(done["contact_id"])
        elif do in ("unsubscribe", "clean", "review", "archive", "delete_permanently"):
            self.willing.discard(before)

    def new(self) -> None:
        self.number += 1
        if self.random.random() < 0.6:
            self.world.qualy("insert", **person(self.number, "New", "Person", self.address(), tags=self.tags()))
            return
        email = self.address().lower()
        self.willing.add(self.world.mailchimp("create_member", email)["contact_id"])

    def delete(self) -> None:
        self.world.qualy("delete", contacts=[self.pick(self.world.customers())])

    def fault(self) -> None:
        service, method, path = self.random.choice(FAULTS)
        fault = {"method": method, "path": path, "do": self.random.choice(KINDS), "times": self.random.randint(1, 2)}
        self.world.faults(service, fault)

    def crash(self) -> None:
        with suppress(AssertionError):
            self.world.crash(self.random.choice(["committed", "started", "answered", "fetched"]))

    def run(self) -> None:
        self.world.later(self.random.choice([5, 90, 1000, 26 * 3600]))

    def pick(self, among: dict[str, Any]) -> str:
        return self.random.choice(sorted(among))

    def name(self) -> str:
        return self.random.choice(["", "Ana", " Cy ", "Zoë", "O'Neill", "é" * 200, f"N{self.random.randint(1, 99)}"])

    def tags(self) -> list[dict[str, str]]:
        return [
            {"_id": name, "name": name} for name in self.random.sample(["VIP", "New", "vip"], self.random.randint(0, 2))
        ]

    def address(self) -> str:
        domain = self.random.choice(["School.test"] * 6 + ["example.com"])
        return f"{self.random.choice(['a', 'b', 'c', 'd'])}{self.random.randint(1, 12)}@{domain}"


def told(world: AudienceWorld) -> list[str]:
    """Every customer whose member is neither right nor on a list with its reason."""
    customers, outcomes, differences = world.customers(), world.outcomes(), world.differences()
    members = {one["contact_id"]: one for one in world.members().values()}
    wrong = [f"{key} has no outcome" for key in customers if key not in outcomes]
    wrong += [
        f"{key} is in step with nobody"
        for key, code in outcomes.items()
        if code in IN_STEP and key not in world.links()
    ]
    for key, remote_id in world.links().items():
        customer, member = customers.get(key), members.get(remote_id)
        if customer is None or outcomes[key] not in IN_STEP:
            continue
        if member is None:
            wrong.append(f"{key} is linked with nobody, {outcomes[key]}")
            continue
        if customer["email"].strip().lower() != member["email_address"].lower():
            wrong.append(f"{key}: {customer['email']} and {member['email_address']}")
        for field, name in FIELDS.items():
            ours = customer["profile"].get(name, "").strip().encode()[:255].decode(errors="ignore")
            if not same(Form.TEXT, ours, member["merge_fields"][field]) and (key, field) not in differences:
                wrong.append(f"{key} {field}: {ours!r} and {member['merge_fields'][field]!r}")
        if member["merge_fields"]["QID"] != key:
            wrong.append(f"{remote_id} carries {member['merge_fields']['QID']}, not {key}")
        ours_tags = {f"qualy:{tag['name']}".lower() for tag in customer.get("tags") or []}
        theirs = {tag["name"].lower() for tag in member["tags"]}
        if {tag for tag in theirs if tag.startswith("qualy:")} != ours_tags:
            wrong.append(f"{key} tags: {ours_tags} and {theirs}")
    return wrong


def tell(world: AudienceWorld, seed: int) -> None:
    world.run()
    story = Story(world, seed)
    for _ in range(STEPS):
        story.step()
        assert unwilling(world, story) == [], seed
    for service in ("qualy", "mailchimp"):
        world.sandbox.control("DELETE", f"faults/{service}")
    world.later(26 * 3600)  # past the whole readings of both sides
    world.later(26 * 3600)
    world.run_until_quiet()
    assert told(world) == []
    assert set(world.outcomes().values()) <= IN_STEP | NAMED
    assert unwilling(world, story) == []
    assert all("status" not in one for one in world.bodies())
    before = world.writes()
    assert world.later()
    assert world.writes() == before


def unwilling(world: AudienceWorld, story: Story) -> list[str]:
    """Who gets newsletters without having asked for them."""
    members = world.members().items()
    return [email for email, one in members if one["status"] in ASKED and one["contact_id"] not in story.willing]


def begin(make_audience: Callable[..., AudienceWorld], tmp_path: Path, seed: int) -> AudienceWorld:
    people = [person(number, f"First{number}", f"Last{number}", f"a{number}@school.test") for number in range(1, 7)]
    there = [
        {"email_address": f"a{number}@school.test", "status": status}
        for number, status in ((2, "subscribed"), (4, "unsubscribed"), (6, "archived"), (9, "subscribed"))
    ]
    most = random.Random(seed).choice(["0", "2", "50"])
    settings = settings_with(tmp_path, {"direct_up_to: 50": f"direct_up_to: {most}"})
    return make_audience(people, there, settings=settings)


@pytest.mark.parametrize("seed", [2])
def test_random_work_on_both_sides_ends_right_or_on_a_list(
    make_audience: Callable[..., AudienceWorld], tmp_path: Path, seed: int
) -> None:
    tell(begin(make_audience, tmp_path, seed), seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", [1, *range(3, 35)])
def test_much_random_work_on_both_sides_ends_right_or_on_a_list(
    make_audience: Callable[..., AudienceWorld], tmp_path: Path, seed: int
) -> None:
    tell(begin(make_audience, tmp_path, seed), seed)
