"""The accounting API over HTTP: token, organisation, limits, scope, idempotency key, and then the endpoint."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import AnswerLost
from sandbox.xero import answers, attachments
from sandbox.xero.answers import Answer, Stop
from sandbox.xero.books import Books
from sandbox.xero.endpoints import Route, find_route
from sandbox.xero.idempotency import KEY_LENGTH, METHODS, DifferentRequest, RememberedAnswers, fingerprint
from sandbox.xero.quota import OverLimit, Quota
from sandbox.xero.request import Call
from sandbox.xero.scopes import allows
from sandbox.xero.tenant import Tenant
from sandbox.xero.tokens import Session, Tokens

BASE = "/api.xro/2.0"
LONGEST_QUERY = 2048
LARGEST_BODY = 3_500_000


class AccountingApi:
    """A plain ASGI application for everything below ``/api.xro/2.0``."""

    def __init__(
        self, books: Books, tokens: Tokens, tenant: Tenant, quota: Quota, remembered: RememberedAnswers
    ) -> None:
        self._books = books
        self._tokens = tokens
        self._tenant = tenant
        self._quota = quota
        self._remembered = remembered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call. It counts as in flight until its answer is sent. Raises AnswerLost when a test asked for it."""
        request = Request(scope, receive)
        body = await request.body()
        try:
            refusal, session = self._refusal(request, body)
            if refusal is not None:
                await self._send(refusal, scope, receive, send)
                return
            with self._quota.admitted():
                answer = await self._admitted(request, body, session)
                await self._send(answer, scope, receive, send)
        except OverLimit as over:
            await self._send(answers.limited(over.limit, over.retry_after), scope, receive, send)

    def _refusal(self, request: Request, body: bytes) -> tuple[Answer | None, Session | None]:
        """What is refused before the call counts."""
        if len(request.scope["query_string"]) > LONGEST_QUERY:
            return answers.not_found(), None
        if len(body) > (attachments.LARGEST if "/attachments/" in request.url.path.lower() else LARGEST_BODY):
            return answers.too_large(), None
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return answers.unauthorized("AuthorizationUnsuccessful"), None
        session = self._tokens.session(token.strip())
        if session is None:
            return answers.unauthorized("TokenExpired: the token is expired or unknown"), None
        if not self._tenant.reachable(request.headers.get("xero-tenant-id", ""), session.custom):
            return answers.forbidden(), None
        return None, session

    async def _admitted(self, request: Request, body: bytes, session: Session | None) -> Answer:
        path = request.scope["path"][len(request.scope.get("root_path", "")) :].removeprefix(BASE)
        route = find_route(request.method, path)
        if route is None:
            return answers.not_found()
        if session is None or not allows(session.scopes, route.scope, request.method):
            return answers.unauthorized("AuthorizationUnsuccessful")
        call = self._call(request, path, body)
        key = request.headers.get("idempotency-key")
        if not key or request.method not in METHODS:
            return await self._worked(call, route)
        if len(key) > KEY_LENGTH:
            return answers.key_too_long()
        return await self._once(key, request, call, route)

    async def _once(self, key: str, request: Request, call: Call, route: Route) -> Answer:
        """Answer a keyed call: a repeat gets the first answer, a parallel repeat waits for it."""
        received = request.scope.get("sandbox.received_at") or self._books.company.clock.now()
        same = fingerprint(request.method, f"{request.url.path}?{request.url.query}", call.body)
        async with self._remembered.turn(key):
            try:
                answer = self._remembered.recall(key, same)
            except DifferentRequest:
                return answers.key_reused(key)
            if answer is not None:
                return answer
            return await self._worked(call, route, lambda done: self._keep(key, same, done, received))

    def _keep(self, key: str, same: str, answer: Answer, received: datetime) -> None:
        self._remembered.remember(key, same, answer, received.timestamp())

    async def _worked(self, call: Call, route: Route, keep: Callable[[Answer], None] | None = None) -> Answer:
        answer = await anyio.to_thread.run_sync(self._work, call, route, keep)
        if call.lost:
            raise AnswerLost
        return answer

    def _work(self, call: Call, route: Route, keep: Callable[[Answer], None] | None) -> Answer:
        """Do the call in one transaction, together with what is remembered of it.

        A call that breaks off half-way is remembered as a 500: the key then answers that, whatever was done.
        """
        with self._books.company.records.work():
            try:
                answer = route.handler(self._books, call, route.kind, route.rest)
            except Stop as stop:
                answer = stop.answer
            self._quota.save()
            if keep is not None:
                keep(answers.broken() if call.lost else answer)
        return answer

    def _call(self, request: Request, path: str, body: bytes) -> Call:
        faults: dict[str, Any] = request.scope.get("sandbox.faults") or {}
        return Call(
            self._books.company,
            request.method,
            path,
            {name.lower(): value for name, value in request.query_params.items()},
            {name.lower(): value for name, value in request.headers.items()},
            body,
            faults.get("partial_after") if request.method in METHODS else None,
            faults.get("stale_reads") if request.method == "GET" else None,
        )

    async def _send(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"Xero-Correlation-Id": str(uuid.uuid4())} | self._quota.headers() | answer.headers
        response = Response(answer.body, answer.status, headers, answer.content_type)
        await response(scope, receive, send)
