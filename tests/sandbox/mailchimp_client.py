"""A client of the stand-in for Mailchimp over plain HTTP, with short ways to write what tests need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx

from sandbox.server import Sandbox

TODAY = date(2026, 7, 15)
LIST = "5a4b3c2d1e"
KEY = "sandboxmailchimpkey-us6"
WEB = httpx.Client(timeout=30)  # one for all tests: making a client takes longer than a call


def md5(email: str) -> str:
    """The key of a member."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


class MailchimpClient:
    """One sandbox with Mailchimp alone."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.base = f"{sandbox.url}/mailchimp"
        held = self.state()
        self._first = {kind: held[kind] for kind in ("lists", "merge_fields")}

    def http(
        self, method: str, path: str, body: Any = None, *, auth: Any = ("any", KEY), **query: Any
    ) -> httpx.Response:
        """One call below ``/3.0``."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        return WEB.request(
            method, f"{self.base}/3.0{path}", content=content, headers=headers, params=query or None, auth=auth
        )

    def ok(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """A call that succeeds, and its JSON."""
        answer = self.http(method, path, body, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def member_path(self, email: str) -> str:
        """Where a member is."""
        return f"/lists/{LIST}/members/{md5(email)}"

    def put(self, email: str, status_if_new: str = "transactional", **fields: Any) -> dict[str, Any]:
        """Upsert a member, with success."""
        body = {"email_address": email, "status_if_new": status_if_new} | fields
        return self.ok("PUT", self.member_path(email), body)

    def get(self, email: str) -> dict[str, Any]:
        """A member as it is now."""
        return self.ok("GET", self.member_path(email))

    def tag(self, email: str, **tags: str) -> httpx.Response:
        """``tag(email, vip="active")``; an underscore stands for a blank."""
        entries = [{"name": name.replace("_", " "), "status": status} for name, status in tags.items()]
        return self.http("POST", f"{self.member_path(email)}/tags", {"tags": entries})

    def field(self, tag: str, kind: str = "text", **more: Any) -> dict[str, Any]:
        """A new merge field."""
        return self.ok("POST", f"/lists/{LIST}/merge-fields", {"tag": tag, "name": tag.title(), "type": kind} | more)

    def members(self, **query: Any) -> list[dict[str, Any]]:
        """One page of members."""
        return list(self.ok("GET", f"/lists/{LIST}/members", **({"count": 1000} | query))["members"])

    def ui(self, do: str, **given: Any) -> dict[str, Any]:
        """What a person does."""
        return self.control("ui", {"do": do, **given})

    def control(self, path: str, body: Any) -> dict[str, Any]:
        """A control call of Mailchimp's that succeeds."""
        return dict(self.sandbox.control("POST", f"{path}/mailchimp", body))

    def clock(self, seconds: float) -> None:
        """Let time pass."""
        self.sandbox.control("POST", "clock", {"advance_seconds": seconds})

    def state(self) -> dict[str, Any]:
        """Everything that the stand-in holds."""
        return dict(self.sandbox.control("GET", "state/mailchimp"))

    def reset(self) -> MailchimpClient:
        """As new, without members."""
        empty: dict[str, Any] = {"members": [], "tags": [], "forgotten": []}
        self.control("load", self._first | empty)
        self.control("quota", LIMITS)
        self.control("readings", READINGS)
        self.control("revoke", {"keys": []})
        self.sandbox.control("DELETE", "faults/mailchimp")
        return self


LIMITS = {"connections": 10, "merge_fields": 30, "open_batches": 500, "operations_per_batch": 500}
READINGS = {
    "overload": 429,
    "empty_errors": False,
    "list_shows_archived": False,
    "put_revives_archived": False,
    "null_merge_value": "ignored",
    "batch_order": "shuffled",
}


@contextmanager
def mailchimp_sandbox(payments: int = 0) -> Iterator[MailchimpClient]:
    """A fresh sandbox with Mailchimp alone."""
    with Sandbox.start(payments=payments, today=TODAY, services=["mailchimp"]) as sandbox:
        yield MailchimpClient(sandbox)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and title of a refusal."""
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8", answer.text
    problem = answer.json()
    assert problem["instance"] == answer.headers["X-Request-Id"]
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["title"]
