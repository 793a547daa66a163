"""The API over HTTP: connections, key, path, and then the endpoint. Also who the key is, and results of batches."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import AnswerLost
from sandbox.mailchimp import answers
from sandbox.mailchimp.account import Account
from sandbox.mailchimp.answers import Answer, Problem, dump
from sandbox.mailchimp.batches import RESULTS
from sandbox.mailchimp.call import Call
from sandbox.mailchimp.endpoints import work
from sandbox.mailchimp.knobs import OverLimit

BASE = "/3.0"
API_KEY = "sandboxmailchimpkey-us6"
READ_ONLY_KEY = "sandboxviewerkey-us6"
TOKEN = "sandbox-mailchimp-token"
REVOKED = "mailchimp.revoked"
_ROLES = {API_KEY: "owner", TOKEN: "owner", READ_ONLY_KEY: "viewer"}


class MarketingApi:
    """A plain ASGI application for everything below ``/mailchimp``."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call. It holds a connection until its answer is sent. Raises AnswerLost when a test asked for it."""
        request = Request(scope, receive)
        body = await request.body()
        path = request.scope["path"][len(request.scope.get("root_path", "")) :]
        if path.startswith(RESULTS):
            await self._send(await self._results(request, path), scope, receive, send)
            return
        try:
            with self._account.knobs.connection():
                answer = await self._answer(request, path, body)
                await anyio.sleep(self._account.knobs.limit("answer_seconds"))
                await self._send(answer, scope, receive, send)
        except OverLimit:
            overload = self._account.knobs.reading("overload")
            answer = answers.overloaded() if overload == 403 else answers.too_many().answer()
            await self._send(answer, scope, receive, send)

    async def _answer(self, request: Request, path: str, body: bytes) -> Answer:
        role = self._role(request.headers.get("authorization", ""))
        base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}{request.scope.get('root_path', '')}"
        if path == "/oauth2/metadata":
            return _metadata(base, role)
        below = path.removeprefix(BASE)
        if not path.startswith(BASE) or (below and not below.startswith("/")):
            return answers.not_found().answer()
        if role is None:
            return answers.key_invalid().answer()
        if role == "viewer" and request.method != "GET":
            return answers.forbidden().answer()
        faults: dict[str, Any] = request.scope.get("sandbox.faults") or {}
        partial = faults.get("partial_after") if request.method == "POST" else None
        call = Call(base, request.method, below, dict(request.query_params), body, partial)
        answer = await anyio.to_thread.run_sync(self._work, call)
        if call.lost:
            raise AnswerLost
        return answer

    def _work(self, call: Call) -> Answer:
        self.carry_out_due()
        return _worked(self._account, call)

    def carry_out_due(self) -> int:
        """Do what batches were to have done by now."""
        return self._account.batches.carry_out_due(lambda call: _worked(self._account, call))

    async def _results(self, request: Request, path: str) -> Answer:
        if request.method != "GET":
            return answers.not_allowed("GET").answer()
        query, signed_in = dict(request.query_params), "authorization" in request.headers
        return await anyio.to_thread.run_sync(self._account.batches.results, path, query, signed_in)

    def _role(self, authorization: str) -> str | None:
        """Whose key or token it is: owner, viewer, or nobody's."""
        kind, _, value = authorization.partition(" ")
        given = _password(value) if kind.lower() == "basic" else value.strip()
        right_kind = kind.lower() in ("bearer", "oauth") if given == TOKEN else kind.lower() == "basic"
        revoked = (self._account.records.store.fact(REVOKED) or "").split(",")
        return _ROLES.get(given) if right_kind and given not in revoked else None

    async def _send(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        if answer.content_type == answers.PROBLEM and self._account.knobs.reading("empty_errors"):
            answer = Answer(answer.status, b"", None)
        response = Response(answer.body, answer.status, answer.headers)
        if answer.content_type:
            response.headers["Content-Type"] = answer.content_type
        await response(scope, receive, send)


def _worked(account: Account, call: Call) -> Answer:
    """One call in one transaction: a refused one leaves nothing behind."""
    try:
        with account.records.store.transaction():
            return work(account, call)
    except Problem as problem:
        return problem.answer()


def _metadata(base: str, role: str | None) -> Answer:
    if role is None:
        return Answer(401, dump({"error": "invalid_token"}))
    login = {"email": "owner@agency.example", "login_id": 1, "login_name": "sandbox", "login_email": None}
    return Answer(
        200,
        dump(
            {
                "dc": "us6",
                "role": role,
                "accountname": "Harbour Education",
                "user_id": 1,
                "login": login | {"avatar": None},
                "login_url": "https://login.mailchimp.com",
                "api_endpoint": base,
            }
        ),
    )


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
