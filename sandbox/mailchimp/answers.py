"""What Mailchimp answers: JSON, and refusals as ``application/problem+json``."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"
_ABOUT_ERRORS = "https://mailchimp.com/developer/marketing/docs/errors/"
_ERROR_SCHEMA = '<https://us6.api.mailchimp.com/schema/3.0/ProblemDetailDocument.json>; rel="describedBy"'
NOT_VALIDATED = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; ``content_type`` None sends no such header."""

    status: int
    body: bytes
    content_type: str | None = JSON
    headers: dict[str, str] = field(default_factory=dict)


class Problem(Exception):
    """The call is refused. ``errors`` are ``{"field", "message"}``; ``typed=False`` leaves ``type`` out."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        *,
        typed: bool = True,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors or []
        self.typed = typed
        self.headers = headers or {}

    def answer(self) -> Answer:
        """The refusal as it goes over the wire."""
        instance = str(uuid.uuid4())
        content: Json = {"type": _ABOUT_ERRORS} if self.typed else {}
        content |= {"title": self.title, "status": self.status, "detail": self.detail, "instance": instance}
        if self.errors:
            content["errors"] = self.errors
        headers = {"X-Request-Id": instance, "Link": _ERROR_SCHEMA} | self.headers
        return Answer(self.status, dump(content), PROBLEM, headers)


def dump(value: Any) -> bytes:
    """JSON bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def no_content() -> Answer:
    """204 with an empty body and, as Mailchimp does, a JSON content type."""
    return Answer(204, b"")


def invalid(detail: str, errors: list[dict[str, str]] | None = None) -> Problem:
    """400 for something in the body or the query."""
    return Problem(400, "Invalid Resource", detail, errors)


def bad_field(name: str, message: str) -> Problem:
    """400 for one field of the body that has the wrong form."""
    return invalid(NOT_VALIDATED, [{"field": name, "message": message}])


def not_found() -> Problem:
    """404: no such path, audience, member, field or batch."""
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def not_allowed(allowed: str) -> Problem:
    """405: the resource is there, but this cannot be done with it (now)."""
    detail = "The requested method and resource are not compatible. See the Allow header for this resource's methods."
    return Problem(405, "Method Not Allowed", detail, headers={"Allow": allowed})


def key_invalid() -> Problem:
    """401: no such key or token."""
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    return Problem(401, "API Key Invalid", detail)


def forbidden() -> Problem:
    """403 with a body: the user of the key may not do this."""
    return Problem(403, "Forbidden", "You are not permitted to access this resource.")


def too_many() -> Problem:
    """429: more connections at once than the account may have. Nothing says when to come back."""
    return Problem(429, "Too Many Requests", "You have exceeded the limit of simultaneous connections.")


def overloaded() -> Answer:
    """403 without JSON: how the network in front of Mailchimp turns callers away."""
    return Answer(403, b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY>Access Denied</BODY></HTML>", "text/html")


def member_exists(email: str) -> Problem:
    """400: the address is somebody's already. Mailchimp leaves ``type`` out here."""
    detail = f"{email} is already a list member. Use PUT to insert or update list members."
    return Problem(400, "Member Exists", detail, typed=False)


def in_compliance_state(email: str) -> Problem:
    """400: opted out, bounced or under review; only the person can return."""
    detail = f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review."
    return Problem(400, "Member In Compliance State", f"{detail} It cannot be subscribed.")


def forgotten(email: str) -> Problem:
    """400: permanently deleted; only the person can return, by a form."""
    detail = f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe by a form."
    return Problem(400, "Forgotten Email Not Subscribed", detail)


def looks_fake(email: str) -> Problem:
    """400: an address that nobody can have."""
    return invalid(f"{email} looks fake or invalid, please enter a real email address.")


def signed_up_a_lot(email: str) -> Problem:
    """400, for a time: the person joined many audiences lately."""
    return invalid(f"{email} has signed up to a lot of lists very recently; we're not allowing more signups for now")
