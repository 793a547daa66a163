"""Where services deliver their webhooks: the one application here that demands no Airflow login, and so a secret.

What it says is a status and nothing else. A path's secret is taken out of the request before anybody can log it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from qualy_app.webhooks import MAKERS, SECRET_IN_PATH, Doors, Keeper, Refused, Request

KEPT, BROKEN_OFF, TIMED_OUT, TOO_LARGE, UNAVAILABLE = 202, 400, 408, 413, 503
BODY_SECONDS = 10.0  # whoever takes longer is not waited for
HIDDEN = "***"
SECRET = "qualy.webhook_secret"
QUERY = "qualy.webhook_query"

log = logging.getLogger(__name__)


def create_app(doors: Doors | None = None, keeper: Keeper | None = None) -> FastAPI:
    """The application that the plugin mounts at `/webhooks`: `POST /NAME`, or `POST /NAME/SECRET`, of each service."""
    app = FastAPI(title="Qualy webhooks", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(HideSecrets)
    app.add_exception_handler(HTTPException, _status_alone)
    receiver = Receiver(doors or Doors(), keeper or Keeper())

    for name in MAKERS:
        path = f"/{name}/{{hidden}}" if name in SECRET_IN_PATH else f"/{name}"
        app.add_api_route(path, _taking(receiver, name), methods=["POST"])
    return app


def _taking(receiver: Receiver, name: str) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def take(request: HttpRequest) -> Response:
        return await receiver.take(name, request)

    return take


class HideSecrets:
    """Puts aside what stands behind a service's name in the path, and the query: access logs show the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            mounted = str(scope.get("root_path", ""))
            name, slash, secret = str(scope["path"]).removeprefix(mounted).lstrip("/").partition("/")
            shown = f"/{name}{slash}{HIDDEN if secret else ''}" if name in MAKERS else f"/{HIDDEN}"
            scope[SECRET], scope[QUERY] = secret, scope.get("query_string", b"")
            # Changed in place: the server's log of the request looks at this very object when all is over.
            scope["path"], scope["query_string"] = mounted + shown, b""
            scope["raw_path"] = scope["path"].encode()
        await self._app(scope, receive, send)


class Receiver:
    """Verifies, reads, keeps, answers."""

    def __init__(self, doors: Doors, keeper: Keeper) -> None:
        self._doors, self._keeper = doors, keeper

    async def take(self, tool: str, request: HttpRequest) -> Response:
        try:
            return Response(status_code=await self._take(tool, request))
        except Refused as refused:
            return Response(status_code=refused.status)
        except Exception as error:
            # Its text might hold what was sent.
            log.error("A webhook of %s could not be taken in (%s).", tool, type(error).__name__)
            return Response(status_code=UNAVAILABLE)

    async def _take(self, tool: str, request: HttpRequest) -> int:
        door = await anyio.to_thread.run_sync(self._doors.door, tool)
        query = request.scope[QUERY].decode("ascii", errors="replace")
        asked = Request(request.method, request.scope[SECRET], query, dict(request.headers))
        door.before_body(asked)
        body = await _body(request, door.largest_body)
        door.after_body(asked, body)
        await self._keeper.keep(tool, door.hints(body), door.inbox_limit)
        return KEPT


async def _body(request: HttpRequest, largest: int) -> bytes:
    """The body; given up as soon as it is too large, whatever its length was said to be."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or len(said) > 12 or int(said) > largest:
        raise Refused(TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > largest:
                    raise Refused(TOO_LARGE)
    except TimeoutError:
        raise Refused(TIMED_OUT) from None
    except ClientDisconnect:  # nobody reads the answer any more, and no log need hold that
        raise Refused(BROKEN_OFF) from None
    return bytes(body)


def _status_alone(_request: HttpRequest, error: Any) -> Response:
    return Response(status_code=error.status_code)
