"""A whole answer in memory, and ways to spoil it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp, Message, Scope, Send

GARBAGE = b'<html>\xff\xfe<body>Bad gateway {"data": [ </body>\x00'


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of one HTTP answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, status: int, content_type: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """An answer with text headers, as the services' own forms have them."""
        named = {"content-type": content_type, **headers}
        return cls(status, tuple((name.lower().encode(), value.encode()) for name, value in named.items()), body)

    async def send(self, send: Send) -> None:
        """Send it, with the length that the body now has."""
        headers = [(name, value) for name, value in self.headers if name.lower() != b"content-length"]
        headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


async def call(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Let ``app`` work on one request, and keep its whole answer. Exceptions of the app come through."""
    unread = [body]
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    parts: list[bytes] = []

    async def receive() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = tuple((bytes(name), bytes(value)) for name, value in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status, headers, b"".join(parts))


def error_answer(status: int) -> Answer:
    """A refusal as a plain proxy in front of a service would give it."""
    headers = [(b"content-type", b"application/json")]
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    body = json.dumps({"statusCode": status, "message": f"Fault asked for: {status}"}).encode()
    return Answer(status, tuple(headers), body)


def error_page(status: int) -> Answer:
    """A refusal as a page for people, where a client expects JSON."""
    body = f"<!DOCTYPE html><html><body><h1>{status}</h1><p>Fault asked for.</p></body></html>".encode()
    return Answer(status, ((b"content-type", b"text/html"),), body)


def garbage(answer: Answer) -> Answer:
    """The same status, and a body that is no JSON at all."""
    return replace(answer, body=GARBAGE)


def truncated(answer: Answer) -> Answer:
    """The first half of the body."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def without_element(answer: Answer, number: int) -> Answer:
    """The first list of the answer lacks its element ``number`` (from 0); unchanged where there is none."""

    def omit(elements: list[Any]) -> None:
        if number < len(elements):
            del elements[number]

    return _with_first_list(answer, omit)


def reordered(answer: Answer) -> Answer:
    """The first list of the answer stands in reverse order."""
    return _with_first_list(answer, lambda elements: elements.reverse())


def first_list(document: Any) -> list[Any] | None:
    """The list that lies least deep in a JSON document, in the document's order."""
    waiting = deque([document])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            waiting.extend(value.values())
    return None


def records_carried(body: bytes) -> int:
    """How many records a request carries: length of its first list, else 1 for a body, 0 for none.

    Questions in a batch carry none.
    """
    if not body:
        return 0
    try:
        elements = first_list(json.loads(body))
    except ValueError:
        return 1
    if elements is None:
        return 1
    return sum(not (isinstance(one, dict) and "Query" in one) for one in elements)


def _with_first_list(answer: Answer, change: Callable[[list[Any]], None]) -> Answer:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return answer
    elements = first_list(document)
    if elements is None:
        return answer
    change(elements)
    return replace(answer, body=json.dumps(document, ensure_ascii=False).encode())
