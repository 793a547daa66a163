"""The accounting API over HTTP: token, company, limits, request id, and then the call itself."""

from __future__ import annotations

import json
import uuid
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import AnswerLost
from sandbox.quickbooks import answers
from sandbox.quickbooks.answers import Answer, Refused
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.calls import Call, Calls
from sandbox.quickbooks.quota import OverLimit, Quota
from sandbox.quickbooks.realm import Realm
from sandbox.quickbooks.request_ids import LONGEST, LONGEST_OF_BATCH, RequestIds, fingerprint
from sandbox.quickbooks.tokens import Tokens

BASE = "/v3/company/"


class AccountingApi:
    """A plain ASGI application for everything below ``/v3/company``."""

    def __init__(self, books: Books, tokens: Tokens, realm: Realm, quota: Quota, request_ids: RequestIds) -> None:
        self._books = books
        self._calls = Calls(books)
        self._tokens = tokens
        self._realm = realm
        self._quota = quota
        self._request_ids = request_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call. It counts as in flight until its answer is sent. Raises AnswerLost when a test asked for it."""
        request = Request(scope, receive)
        body = await request.body()
        path = request.scope["path"][len(request.scope.get("root_path", "")) :].removeprefix(BASE)
        realm, _, rest = path.partition("/")
        refusal = self._refusal(request, realm)
        if refusal is not None:
            await self._send(refusal, scope, receive, send)
            return
        call = self._call(request, rest, body)
        reads, writes = _metered(call)
        try:
            with self._quota.admitted(call.parts[:1] == ["batch"], reads, writes):
                await self._send(await self._admitted(call), scope, receive, send)
        except OverLimit:
            form = self._books.company.readings["throttle_body"]
            await self._send(answers.throttled(self._now(), form), scope, receive, send)

    def error_answer(self, status: int) -> Answer | None:
        """How QuickBooks itself answers a status that a test asked for; None where it has no form of its own."""
        now, form = self._now(), self._books.company.readings["throttle_body"]
        return {
            401: answers.expired(now),
            403: answers.forbidden(now),
            429: answers.throttled(now, form),
            500: answers.broken(now),
            503: answers.unavailable(),
        }.get(status)

    def _refusal(self, request: Request, realm: str) -> Answer | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        session = self._tokens.session(token.strip()) if kind.lower() == "bearer" else None
        if session is None:
            return answers.expired(self._now())
        if session == "revoked" or not self._realm.reachable(realm):
            return answers.forbidden(self._now())
        return None

    async def _admitted(self, call: Call) -> Answer:
        id_ = call.query.get("requestid")
        if not id_ or call.method != "POST" or call.parts[:1] == ["query"]:
            return await self._worked(call, None, "")
        batch = call.parts[:1] == ["batch"]
        if len(id_) > (LONGEST_OF_BATCH if batch else LONGEST):
            return self._refused(Refused("2130", f"The request id {id_} is too long", "requestid"))
        same = fingerprint("/".join(call.parts) + "?" + call.query.get("operation", ""), call.body)
        async with self._request_ids.turn(id_):
            try:
                known = self._request_ids.recall(id_, same)
            except Refused as refused:
                return self._refused(refused)
            if known is None:
                return await self._worked(call, id_, same)
        if batch and self._books.company.readings["requestid_batch"] == "6000":
            return self._refused(Refused("6000", "Business Validation Error: the batch was carried out already"))
        return known

    async def _worked(self, call: Call, id_: str | None, same: str) -> Answer:
        answer = await anyio.to_thread.run_sync(self._work, call, id_, same)
        if call.lost:
            raise AnswerLost
        return answer

    def _work(self, call: Call, id_: str | None, same: str) -> Answer:
        """Do the call in one transaction, together with what is remembered of it."""
        with self._books.company.records.work():
            try:
                answer = self._calls.carry_out(call)
            except Refused as refused:
                answer = self._refused(refused)
            self._quota.save()
            if id_ is not None:
                self._request_ids.remember(id_, same, answer)
        return answer

    def _refused(self, refused: Refused) -> Answer:
        return answers.refusal(refused, self._now())

    def _call(self, request: Request, rest: str, body: bytes) -> Call:
        faults: dict[str, Any] = request.scope.get("sandbox.faults") or {}
        parts = [one for one in rest.split("/") if one]
        parts[:1] = [one.lower() for one in parts[:1]]
        query = {name.lower(): value for name, value in request.query_params.items()}
        reading = request.method == "GET" or parts[:1] == ["query"]
        return Call(
            request.method,
            parts,
            query,
            body,
            faults.get("partial_after") if parts[:1] == ["batch"] else None,
            faults.get("stale_reads") if reading else None,
        )

    def _now(self) -> Any:
        return self._books.company.clock.now()

    async def _send(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"intuit_tid": f"1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}"}
        response = Response(answer.body, answer.status, headers | {"content-type": answer.content_type})
        await response(scope, receive, send)


def _metered(call: Call) -> tuple[int, int]:
    """How many metered calls it is: data out, data in. Each item of a batch is one."""
    if call.parts[:1] == ["batch"]:
        try:
            items = json.loads(call.body)["BatchItemRequest"]
            asked = sum("Query" in one for one in items)
        except (ValueError, KeyError, TypeError):
            return 0, 1
        return asked, len(items) - asked
    reads = call.method == "GET" or call.parts[:1] == ["query"]
    return int(reads), int(not reads)
