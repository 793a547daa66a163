"""What Xero answers when a call as a whole is refused, and the envelope around everything it accepts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.xero.wire import dump, milliseconds

JSON = "application/json; charset=utf-8"
PROVIDER = "Qualy Sync (stand-in)"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """One element is refused; the messages go into its ``ValidationErrors``."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)


class Stop(Exception):
    """The whole call ends here with the given answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def envelope(now: datetime, content: dict[str, Any]) -> Answer:
    """200 with Xero's head before the collection."""
    head = {
        "Id": str(uuid.uuid4()),
        "Status": "OK",
        "ProviderName": PROVIDER,
        "DateTimeUTC": f"/Date({milliseconds(now)})/",
    }
    return Answer(200, dump(head | content))


def validation(elements: list[dict[str, Any]]) -> Answer:
    """400 that lists the refused elements, and only those."""
    return _error(10, "ValidationException", "A validation exception occurred", {"Elements": elements})


def bad_query(message: str) -> Answer:
    """400 for a ``where`` or ``order`` that cannot be read."""
    return _error(16, "QueryParseException", message)


def bad_body(message: str) -> Answer:
    """400 for a body that is no JSON, or not of the expected shape."""
    return _error(14, "PostDataInvalidException", message)


def no_data(collection: str) -> Answer:
    """400 for a body without an element."""
    return _error(
        17,
        "NoDataProcessedException",
        "No data has been processed for this endpoint. "
        f"This endpoint is expecting {collection} data to be specifed in the request body.",
    )


def key_reused(key: str) -> Answer:
    """400: an idempotency key with another method, address or body."""
    return _error(10, "ValidationException", f"Idempotency Key: {key} is used with a different request.")


def key_too_long() -> Answer:
    """400: an idempotency key above 128 characters (Xero's own answer is not documented)."""
    return _error(10, "ValidationException", "Idempotency Key is longer than 128 characters.")


def too_many_rows() -> Answer:
    """400: a read without paging over more rows than Xero gives."""
    return _error(10, "ValidationException", "The request would return too many rows. Use paging or a narrower filter.")


def unauthorized(detail: str) -> Answer:
    """401: no bearer token, one that is not valid (any more), or one without the scope."""
    return _problem(401, "Unauthorized", detail)


def forbidden() -> Answer:
    """403: the tenant header is missing, wrong, or names an organisation that is not connected."""
    return _problem(403, "Forbidden", "AuthenticationUnsuccessful")


def not_found() -> Answer:
    """404, which is plain text at Xero."""
    return Answer(404, b"The resource you're looking for cannot be found", "text/plain; charset=utf-8")


def too_large() -> Answer:
    """413: the body is above Xero's limit."""
    return Answer(413, b"The request body is too large", "text/plain; charset=utf-8")


def limited(limit: str, retry_after: int | None) -> Answer:
    """429: the header names the limit; only the minute and the day say when to come back."""
    headers = {"X-Rate-Limit-Problem": limit}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Answer(429, b"", "text/plain; charset=utf-8", headers)


def broken(status: int = 500) -> Answer:
    """500 or 503: the outcome is unknown."""
    return _problem(status, "An error occurred", "An error occurred in Xero. Check the API Status page")


def fault(status: int) -> Answer | None:
    """How Xero words a status that a test asks for; None where nobody knows."""
    return {
        401: unauthorized("TokenExpired: the token is expired or unknown"),
        403: forbidden(),
        404: not_found(),
        429: limited("minute", 1),
        500: broken(),
        503: broken(503),
    }.get(status)


def _error(number: int, kind: str, message: str, more: dict[str, Any] | None = None) -> Answer:
    return Answer(400, dump({"ErrorNumber": number, "Type": kind, "Message": message} | (more or {})))


def _problem(status: int, title: str, detail: str) -> Answer:
    content: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }
    return Answer(status, dump(content))
