"""Answers and refusals in HubSpot's shapes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox import answer as whole

CONTENT_TYPE = "application/json;charset=utf-8"
NOT_VALID = "Property values were not valid: "
MIGRATION_SECONDS = 60

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, document and headers; a document of None is an empty body."""

    status: int
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """As it is sent."""
        return b"" if self.document is None else json.dumps(self.document, ensure_ascii=False).encode()


class Refused(Exception):
    """The call, or one record of a batch, is refused."""

    def __init__(self, status: int, category: str | None, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.more = more

    def answer(self) -> Answer:
        """As the answer to the whole call."""
        known = {} if self.category is None else {"category": self.category}
        more = {name: value for name, value in self.more.items() if name != "headers"}
        document = {"status": "error", "message": self.message, "correlationId": str(uuid.uuid4())} | known | more
        headers = {"X-HubSpot-Correlation-Id": str(document["correlationId"])} | self.more.get("headers", {})
        return Answer(self.status, document, headers)

    def in_batch(self, context: Json) -> Json:
        """As one entry of ``errors`` in a 207."""
        errors = {"errors": self.more["errors"]} if "errors" in self.more else {"errors": []}
        category = self.category or "VALIDATION_ERROR"
        error = {"status": "error", "category": category, "message": self.message, "context": context, "links": {}}
        return error | errors


@dataclass(frozen=True, slots=True)
class BadValue:
    """One property value that is not acceptable."""

    name: str
    code: str
    message: str


def invalid(message: str, **more: Any) -> Refused:
    """400 VALIDATION_ERROR."""
    return Refused(400, "VALIDATION_ERROR", message, **more)


def invalid_values(problems: Iterable[BadValue]) -> Refused:
    """400 that lists every bad property, once as JSON inside the message and once in ``errors``."""
    listed = list(problems)
    inside = [{"isValid": False, "message": p.message, "error": p.code, "name": p.name} for p in listed]
    errors = [{"message": p.message, "code": p.code, "context": {"propertyName": [p.name]}} for p in listed]
    return invalid(NOT_VALID + json.dumps(inside, ensure_ascii=False), errors=errors)


def not_found(message: str = "resource not found") -> Refused:
    """404."""
    return Refused(404, "OBJECT_NOT_FOUND", message)


def conflict(existing: int) -> Refused:
    """409: another contact has the email."""
    return Refused(409, "CONFLICT", f"Contact already exists. Existing ID: {existing}")


def duplicates(keys: list[str]) -> Refused:
    """400 for the whole batch: the same key twice."""
    message = f"Duplicate IDs found in batch input: [{', '.join(keys)}]. IDs must be unique"
    return invalid(message, context={"ids": keys})


def fault(status: int) -> whole.Answer:
    """The refusal of a ``status`` fault, as HubSpot gives it: 429 without Retry-After, 502 and its like as a page."""
    if status in (502, 503, 504, 524):
        page = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
        return whole.Answer(status, ((b"content-type", b"text/html"),), page)
    texts = {
        401: ("INVALID_AUTHENTICATION", "Authentication credentials not found."),
        404: ("OBJECT_NOT_FOUND", "resource not found"),
        409: ("CONFLICT", "The record was changed by somebody else"),
        423: ("LOCKED", "The record is locked by another change; wait at least 2 seconds"),
        429: ("RATE_LIMITS", "You have reached your secondly limit."),
        477: ("MIGRATION_IN_PROGRESS", "The account is being moved to another data centre"),
    }
    category, message = texts.get(
        status, ("INTERNAL_ERROR" if status >= 500 else "VALIDATION_ERROR", "Fault asked for")
    )
    refused = Refused(status, category, message).answer()
    headers = [(b"content-type", CONTENT_TYPE.encode())]
    headers += [(name.encode(), value.encode()) for name, value in refused.headers.items()]
    if status == 477:
        headers.append((b"retry-after", str(MIGRATION_SECONDS).encode()))
    return whole.Answer(status, tuple(headers), refused.body())
