"""What Conta Azul answers, and how it refuses. The texts are the sandbox's own and say ``sim``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.conta_azul.wire import dump

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The call ends here; nothing of it is kept. ``empty`` refuses without a body."""

    def __init__(self, status: int, message: str = "", *, empty: bool = False, **more: Any) -> None:
        super().__init__(message or f"HTTP {status}")
        self.status = status
        self.message = message
        self.empty = empty
        self.more = more

    def answer(self, people: bool) -> Answer:
        """People speak of ``error``, everything else of ``code`` and ``message``."""
        if self.empty:
            return Answer(self.status)
        text = f"sim: {self.message}"
        if people and self.status in (400, 404):
            return Answer(self.status, dump({"error": text}))
        return Answer(self.status, dump({"code": self.status, "message": text} | self.more))


def ok(content: Any, status: int = 200) -> Answer:
    """Success with JSON."""
    return Answer(status, dump(content))


def no_route() -> Answer:
    """404 of the gateway, which is no JSON."""
    return Answer(404, b"sim: no route matched", TEXT)


def wrong_method() -> Answer:
    """405."""
    return Answer(405, dump({"code": 405, "message": "sim: method not allowed"}))


def unauthorized(message: str) -> Answer:
    """401: no token, or one that is not valid (any more)."""
    return Answer(401, dump({"code": 401, "message": f"sim: {message}"}))


def not_eligible(status: str) -> Answer:
    """403: the plan has no API access, or the trial is over."""
    return Answer(403, dump({"status_conta": status, "message": "sim: plan has no API access"}))


def limited(retry_after: int | None) -> Answer:
    """429, which may or may not say when to come back."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(429, dump({"code": 429, "message": "sim: call limit reached"}), headers=headers)


def fault(status: int, retry_after: bool) -> Answer | None:
    """How Conta Azul words a status that a test asks for; None where nobody knows."""
    return {
        401: unauthorized("token missing, unknown or expired"),
        403: not_eligible("END_TRIAL"),
        404: Answer(404, dump({"code": 404, "message": "sim: not found"})),
        405: wrong_method(),
        429: limited(1 if retry_after else None),
        500: Answer(500, dump({"code": 500, "message": "sim: internal error"})),
    }.get(status)


def version_conflict() -> Refused:
    """409: ``versao`` is missing or not the stored one; the real text calls it ``version``."""
    return Refused(409, "versao does not match the stored record", name="version")
