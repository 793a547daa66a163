"""The API over HTTP: OAuth, and for everything else token, limits, scope, and then the endpoint in one transaction."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import AnswerLost
from sandbox.hubspot.access import Access, Caller, TokenRefused
from sandbox.hubspot.answers import CONTENT_TYPE, Answer, Refused, not_found
from sandbox.hubspot.contacts import Contacts
from sandbox.hubspot.endpoints import DATES, Route, find_route
from sandbox.hubspot.quota import Quota
from sandbox.hubspot.request import Call

_OAUTH = re.compile(rf"^/oauth/(?:v1|{'|'.join(DATES)})/(token|access-tokens|refresh-tokens)(?:/(.+))?$")
LONGEST_ADDRESS = 16_000


class HubSpotApi:
    """A plain ASGI application."""

    def __init__(self, contacts: Contacts, access: Access, quota: Quota) -> None:
        self._contacts = contacts
        self._access = access
        self._quota = quota

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call. Raises AnswerLost where a test's fault asked for it."""
        request = Request(scope, receive)
        body = await request.body()
        path = unquote(request.scope["path"][len(request.scope.get("root_path", "")) :])
        try:
            oauth = _OAUTH.match(path.rstrip("/"))
            answer = self._granted(request, oauth, body) if oauth else self._called(request, path, body)
        except Refused as refused:
            answer = refused.answer()
        headers = {"X-HubSpot-Correlation-Id": str(uuid.uuid4())} | answer.headers
        if answer.document is not None:
            headers["Content-Type"] = CONTENT_TYPE
        await Response(answer.body(), answer.status, headers)(scope, receive, send)

    def _called(self, request: Request, path: str, body: bytes) -> Answer:
        caller = self._access.caller(request.headers)
        if len(path) + len(request.scope["query_string"]) > LONGEST_ADDRESS:
            raise Refused(414, None, "URI Too Long")
        route = find_route(request.method, path, self._contacts.readings.numbered_versions)
        if route is None:
            raise Refused(404, None, f"Unable to find {path}")
        self._quota.count(caller, route.search)
        answer = self._answered(request, caller, route, body)
        said = self._quota.headers(caller, route.search)
        return Answer(answer.status, answer.document, answer.headers | said)

    def _answered(self, request: Request, caller: Caller, route: Route, body: bytes) -> Answer:
        faults: dict[str, Any] = request.scope.get("sandbox.faults") or {}
        query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        call = Call(caller, route.parts, query, body, route.dated, faults.get("partial_after"))
        try:
            self._access.allow(*route.scopes)
            return self._worked(route, call)
        except Refused as refused:
            return refused.answer()

    def _worked(self, route: Route, call: Call) -> Answer:
        """All of it or, where it is refused, nothing; what was done before a lost answer stays done."""
        lost = False
        answer = Answer(500)
        try:
            with self._contacts.records.store.transaction():
                self._contacts.settle()
                try:
                    answer = route.handler(self._contacts, call)
                except AnswerLost:
                    lost = True
        except BaseException:
            self._contacts.definitions.forget_cached()
            raise
        if lost:
            raise AnswerLost
        return answer

    def _granted(self, request: Request, oauth: re.Match[str], body: bytes) -> Answer:
        """The token endpoint takes a form and no Authorization header."""
        what, token = oauth.groups()
        calls: dict[tuple[str, str], Callable[[], Answer]] = {
            ("POST", "token"): lambda: self._issued(body),
            ("GET", "access-tokens"): lambda: Answer(200, self._access.describe(str(token))),
            ("DELETE", "refresh-tokens"): lambda: self._withdrawn(str(token)),
        }
        found = calls.get((request.method, what))
        if found is None:
            raise Refused(404, None, f"Unable to find {request.url.path}")
        return found()

    def _issued(self, body: bytes) -> Answer:
        try:
            return Answer(200, self._access.grant(dict(parse_qsl(body.decode("utf-8", "replace")))))
        except TokenRefused as refused:
            return Answer(400, {"status": refused.code, "message": str(refused)})

    def _withdrawn(self, token: str) -> Answer:
        if not self._access.revoke(token):
            raise not_found()
        return Answer(204)
