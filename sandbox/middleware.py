"""What lies around every service: faults, the log of calls, and calls that were postponed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.answer import Answer, call, error_answer, error_page, garbage, reordered, truncated, without_element
from sandbox.calls import Call, CallLog
from sandbox.clock import Clock
from sandbox.faults import Action, AnswerLost, FaultBook, parse_action
from sandbox.postponed import Postponed

log = logging.getLogger("sandbox")


class Gate:
    """Where calls with the fault ``hold`` wait until they are released."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self.waiting = 0

    async def wait(self) -> None:
        """Wait for the next release."""
        self.waiting += 1
        try:
            await self._open.wait()
        finally:
            self.waiting -= 1

    def release(self) -> int:
        """Let go all that wait; returns how many they are. Later ones wait again."""
        released = self.waiting
        self._open.set()
        self._open = asyncio.Event()
        return released


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of the frame that every service's calls go through."""

    clock: Clock
    faults: FaultBook
    calls: CallLog
    postponed: Postponed
    gate: Gate


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the connection without any answer, and return once it is closed."""
    scope["sandbox.transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass


class Around:
    """One service, with the frame around it. A pure ASGI application."""

    def __init__(
        self, name: str, app: ASGIApp, frame: Frame, own_error: Callable[[int], Answer | None] | None = None
    ) -> None:
        """``own_error`` words a status as the service itself does, where it has words for it."""
        self._name = name
        self._own_error = own_error
        self._app = app
        self._frame = frame

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one call: find its fault, let the service work, note it, answer (or not)."""
        frame = self._frame
        body = await read_body(receive)
        path = scope["path"][len(scope["root_path"]) :] or "/"
        headers = {name.lower(): value for name, value in scope["headers"]}
        key = headers.get(b"idempotency-key")
        received = frame.clock.now()
        noted = Call(
            self._name,
            received,
            scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            None if key is None else key.decode("latin-1"),
            body,
        )
        scope["sandbox.received_at"] = received
        fault = frame.faults.take(self._name, noted.method, path)
        action = parse_action(fault.do) if fault else Action("none")
        if action.name == "drop_then_commit":
            frame.postponed.add(self._name, scope, body, received, action.number)
        answer = await self._answer(scope, body, action)
        frame.calls.add(noted, answer.status if answer else None, fault.do if fault else None)
        if answer is None:
            await drop(scope, receive)
        else:
            await answer.send(send)

    async def _answer(self, scope: Scope, body: bytes, action: Action) -> Answer | None:
        """What the client is to see; None where it is to see no answer at all."""
        if action.name in ("drop_before", "drop_then_commit"):
            return None
        if action.name == "status":
            return self._error(int(action.number))
        if action.name == "page":
            return error_page(int(action.number))
        if action.name == "delay":
            await asyncio.sleep(action.number)
        if action.name == "hold":
            await self._frame.gate.wait()
        try:
            answer = await self._work(scope, body, action)
        except AnswerLost:
            return None
        if action.name == "status_after":
            return self._error(int(action.number))
        return _spoiled(answer, action)

    def _error(self, status: int) -> Answer:
        own = self._own_error(status) if self._own_error else None
        return own or error_answer(status)

    async def _work(self, scope: Scope, body: bytes, action: Action) -> Answer:
        scope["sandbox.faults"] = {
            "partial_after": int(action.number) if action.name == "partial_after" else None,
            "stale_reads": action.number if action.name == "stale_reads" else None,
        }
        try:
            return await call(self._app, scope, body)
        except AnswerLost:
            raise
        except Exception:
            log.exception("The stand-in for %s failed at %s %s", self._name, scope["method"], scope["path"])
            return error_answer(500)


def _spoiled(answer: Answer, action: Action) -> Answer | None:
    if action.name == "drop_after":
        return None
    if action.name == "garbage":
        return garbage(answer)
    if action.name == "truncate":
        return truncated(answer)
    if action.name == "omit_element":
        return without_element(answer, int(action.number))
    if action.name == "reorder":
        return reordered(answer)
    return answer
