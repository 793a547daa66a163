"""The API over HTTP: token, plan, limit, and then the endpoint in one transaction."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.conta_azul import answers
from sandbox.conta_azul.answers import Answer, Refused
from sandbox.conta_azul.books import Books
from sandbox.conta_azul.endpoints import Route, find_route
from sandbox.conta_azul.quota import Quota
from sandbox.conta_azul.request import Call
from sandbox.conta_azul.tokens import Tokens

_PEOPLE = "/v1/pessoas"


class Api:
    """A plain ASGI application for everything below ``/v1``."""

    def __init__(self, books: Books, tokens: Tokens, quota: Quota) -> None:
        self._books = books
        self._tokens = tokens
        self._quota = quota

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call."""
        request = Request(scope, receive)
        body = await request.body()
        path = request.scope["path"][len(request.scope.get("root_path", "")) :]
        route = find_route(request.method, path)
        answer = self._refusal(request) or (route if isinstance(route, Answer) else None)
        if answer is None and isinstance(route, Route):
            answer = await anyio.to_thread.run_sync(self._work, self._call(request, path, route, body), route, request)
        answer = answer or answers.no_route()
        response = Response(answer.body, answer.status, dict(answer.headers), answer.content_type)
        await response(scope, receive, send)

    def _refusal(self, request: Request) -> Answer | None:
        """What is refused before the call reaches the service; a call over the limit is not counted."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        received = request.scope.get("sandbox.received_at")
        session = self._tokens.session(token.strip(), received) if kind.lower() == "bearer" else None
        if session is None:
            return answers.unauthorized("token missing, unknown or expired")
        if session.login != "erp":
            return answers.unauthorized("the consent was not given by a user of the ERP")
        status = self._books.company.readings["account_status"]
        if status:
            return answers.not_eligible(status)
        wait = self._quota.admit()
        if wait is not None:
            return answers.limited(wait if self._books.company.readings["retry_after"] else None)
        return None

    def _work(self, call: Call, route: Route, request: Request) -> Answer:
        """Do what has fallen due, and then the call. What is refused leaves nothing behind."""
        records = self._books.company.records
        try:
            with records.work():
                self._books.events.process_due()
            with records.work(), records.as_of(self._moment(call, route, request)):
                return route.handler(self._books, call)
        except Refused as refused:
            return refused.answer(call.path.startswith(_PEOPLE))

    def _moment(self, call: Call, route: Route, request: Request) -> float | None:
        """The moment that a read looks at, where it lags."""
        if call.method != "GET":
            return None
        faults: dict[str, Any] = request.scope.get("sandbox.faults") or {}
        behind = float(faults.get("stale_reads") or 0)
        if route.lags:
            behind = max(behind, float(self._books.company.readings["visible_after_seconds"]))
        return self._books.company.now() - behind if behind else None

    def _call(self, request: Request, path: str, route: Route, body: bytes) -> Call:
        query = request.scope["query_string"].decode("latin-1")
        pairs = parse_qsl(query, keep_blank_values=True)
        return Call(self._books.company, request.method, path, route.ids, pairs, body)
