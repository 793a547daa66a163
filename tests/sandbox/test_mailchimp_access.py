"""Who gets into the stand-in for Mailchimp, how many at once, and what refusals look like."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from sandbox.app import load_services
from sandbox.world import Wishes, make_world
from tests.sandbox.mailchimp_client import KEY, LIST, TODAY, WEB, MailchimpClient, md5, refusal

MEMBERS = f"/lists/{LIST}/members"


def test_any_user_name_goes_with_the_key_and_a_token_goes_as_bearer(chimp: MailchimpClient) -> None:
    assert chimp.http("GET", "/ping").json() == {"health_status": "Everything's Chimpy!"}
    assert chimp.http("GET", "/ping", auth=("user", KEY)).status_code == 200
    bearer = {"Authorization": "Bearer sandbox-mailchimp-token"}
    assert WEB.get(f"{chimp.base}/3.0/ping", headers=bearer).status_code == 200
    for wrong in (("user", "nonsense-us6"), ("user", "sandbox-mailchimp-token"), None):
        assert refusal(chimp.http("GET", "/ping", auth=wrong)) == (401, "API Key Invalid")
    assert WEB.get(f"{chimp.base}/3.0/ping", headers={"Authorization": f"Bearer {KEY}"}).status_code == 401
    assert WEB.get(f"{chimp.base}/3.0/ping", headers={"Authorization": "Basic %%%"}).status_code == 401


def test_a_token_finds_its_data_centre_and_address(chimp: MailchimpClient) -> None:
    answer = WEB.get(f"{chimp.base}/oauth2/metadata", headers={"Authorization": "OAuth sandbox-mailchimp-token"})
    assert (answer.json()["dc"], answer.json()["api_endpoint"]) == ("us6", chimp.base)
    assert WEB.get(f"{chimp.base}/oauth2/metadata").status_code == 401


def test_a_viewers_key_reads_and_does_not_write(chimp: MailchimpClient) -> None:
    viewer: Any = ("user", "sandboxviewerkey-us6")
    assert chimp.http("GET", MEMBERS, auth=viewer).status_code == 200
    body = {"email_address": "ana@mail.example", "status": "subscribed"}
    assert refusal(chimp.http("POST", MEMBERS, body, auth=viewer)) == (403, "Forbidden")
    assert chimp.members() == []


def test_a_revoked_key_is_refused_until_it_is_let_in_again(chimp: MailchimpClient) -> None:
    chimp.control("revoke", {"keys": [KEY]})
    assert chimp.http("GET", "/ping").status_code == 401
    chimp.control("revoke", {"keys": []})
    assert chimp.http("GET", "/ping").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "Resource Not Found")),
        ("GET", "/lists/ffffffffff", (404, "Resource Not Found")),
        ("GET", "/lists/ffffffffff/members", (404, "Resource Not Found")),
        ("GET", f"{MEMBERS}/{md5('nobody@mail.example')}", (404, "Resource Not Found")),
        ("DELETE", "/ping", (405, "Method Not Allowed")),
        ("GET", f"/lists/{LIST}/merge-fields/99", (404, "Resource Not Found")),
        ("GET", "/batches/ffffffffff", (404, "Resource Not Found")),
    ],
)
def test_what_is_not_there_is_refused_as_problem_json(
    chimp: MailchimpClient, method: str, path: str, expected: tuple[int, str]
) -> None:
    answer = chimp.http(method, path)
    assert refusal(answer) == expected
    assert "rel=" in answer.headers["Link"]
    assert "Retry-After" not in answer.headers


def test_member_exists_comes_without_a_type(chimp: MailchimpClient) -> None:
    body = {"email_address": "ana@mail.example", "status": "subscribed"}
    chimp.ok("POST", MEMBERS, body)
    second = chimp.http("POST", MEMBERS, body)
    assert refusal(second) == (400, "Member Exists")
    assert "type" not in second.json()
    fake = chimp.http("POST", MEMBERS, body | {"email_address": "a@example.com"})
    assert "type" in fake.json()


def test_bodies_that_are_no_object(chimp: MailchimpClient) -> None:
    assert refusal(chimp.http("POST", MEMBERS, b"{")) == (400, "JSON Parse Error")
    assert refusal(chimp.http("POST", MEMBERS, b'{"email_address": NaN}')) == (400, "JSON Parse Error")
    assert refusal(chimp.http("POST", MEMBERS, b"[]")) == (400, "Invalid Resource")
    assert refusal(chimp.http("POST", MEMBERS, b"null")) == (400, "Invalid Resource")


def test_errors_can_lose_body_and_content_type(chimp: MailchimpClient) -> None:
    chimp.control("readings", {"empty_errors": True})
    answer = chimp.http("GET", "/nowhere")
    assert (answer.status_code, answer.content) == (404, b"")
    assert "Content-Type" not in answer.headers


def test_a_call_can_be_done_though_its_answer_never_came(chimp: MailchimpClient) -> None:
    chimp.sandbox.control("POST", "faults/mailchimp", [{"method": "PUT", "path": "/3.0/lists", "do": "drop_after"}])
    with pytest.raises(httpx.TransportError):
        chimp.put("ana@mail.example", "subscribed")
    assert chimp.get("ana@mail.example")["status"] == "subscribed"


def test_ten_connections_and_no_more() -> None:
    async def story(readings: dict[str, Any]) -> tuple[list[int], tuple[int, dict[str, str], bytes], int]:
        direct, gate = InProcess(readings), asyncio.Event()
        ten = [asyncio.create_task(direct.call(gate)) for _ in range(10)]
        while direct.answered < 10:
            await asyncio.sleep(0)
        eleventh = await direct.call()
        gate.set()
        statuses = [status for status, _, _ in await asyncio.gather(*ten)]
        return statuses, eleventh, (await direct.call())[0]

    statuses, eleventh, after = asyncio.run(story({}))
    assert statuses == [200] * 10
    assert (eleventh[0], eleventh[1]["content-type"]) == (429, "application/problem+json; charset=utf-8")
    assert "retry-after" not in eleventh[1]
    assert after == 200
    _, eleventh, _ = asyncio.run(story({"overload": 403}))
    assert (eleventh[0], eleventh[1]["content-type"]) == (403, "text/html")


class InProcess:
    """The service called directly, so that a test decides when each answer is taken."""

    def __init__(self, readings: dict[str, Any]) -> None:
        world, _ = make_world(Wishes(today=TODAY, payments=0), None)
        service = load_services(world, ["mailchimp"])["mailchimp"]
        service.set_readings(readings)  # type: ignore[attr-defined]
        self.app, self.answered = service.app(), 0
        key = base64.b64encode(f"user:{KEY}".encode()).decode()
        self.headers = [(b"authorization", f"Basic {key}".encode()), (b"host", b"127.0.0.1")]

    async def call(self, gate: asyncio.Event | None = None) -> tuple[int, dict[str, str], bytes]:
        full = "/mailchimp/3.0/ping"
        scope = {"type": "http", "method": "GET", "path": full, "root_path": "/mailchimp", "query_string": b""}
        scope |= {"headers": self.headers, "server": ("127.0.0.1", 80), "scheme": "http", "raw_path": full.encode()}
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if gate is not None:
                self.answered += message["type"] == "http.response.start"
                await gate.wait()
            sent.append(message)

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:])
