"""The HTTP face of the Qualy stand-in: ``/qualy/v1/...``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from sandbox.clock import Clock
from sandbox.qualy import readings as open_readings
from sandbox.qualy.access import Key, Limits, Refused, identify
from sandbox.qualy.changes import Changes
from sandbox.qualy.kinds import KINDS
from sandbox.qualy.queries import BadQuery, read_query
from sandbox.qualy.reader import Reader
from sandbox.qualy.readings import Readings
from sandbox.qualy.shelves import Shelves
from sandbox.qualy.writing import ContactWriter
from sandbox.store import Store


def make_app(shelves: Shelves, store: Store, clock: Clock, limits: Limits, changes: Changes) -> FastAPI:
    """The routes of section 4 of Qualy's API that a sync needs: lists, single objects, the key's own user, contacts."""
    app = FastAPI(title="Qualy (stand-in)", openapi_url=None)

    def reader(request: Request) -> Reader:
        key = identify(request.headers)
        limits.count(key.tenant)
        stale = (request.scope.get("sandbox.faults") or {}).get("stale_reads")
        as_of = None if stale is None else clock.now().timestamp() - stale
        return Reader(shelves, open_readings.read(store), key, as_of)

    @app.get("/v1/users/user")
    async def own_user(request: Request) -> Response:
        found = reader(request)
        user = shelves.get(shelves.shelf(found.key.tenant, "users"), found.key.user)
        return _json({"data": user or _nameless(found.key)})

    for kind in KINDS:
        app.get(f"/v1/{kind}")(_list(kind, reader))
        app.get(f"/v1/{kind}/{{object_id}}")(_one(kind, reader))

    for endpoint in filter(None, open_readings.CREATES + open_readings.UPDATES):
        verb, path = endpoint.split()
        app.api_route(f"/v1{path}", methods=[verb])(_write(endpoint, reader, changes))

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return _json(error.body, error.status, error.headers)

    @app.exception_handler(BadQuery)
    async def bad_query(_: Request, error: BadQuery) -> Response:
        return _json({"statusCode": 400, "message": [str(error)], "error": "Bad Request"}, 400)

    @app.exception_handler(HTTPException)
    async def not_there(request: Request, error: HTTPException) -> Response:
        message = f"Cannot {request.method} {request.url.path}" if error.status_code in (404, 405) else error.detail
        return _json({"statusCode": error.status_code, "message": message}, error.status_code)

    return app


def _list(kind: str, reader: Callable[[Request], Reader]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        found = reader(request)
        query = read_query(request.url.query, found.readings)
        total = found.count(kind, query) if found.readings.total else None
        return _json(_enveloped(found.page(kind, query), found.readings, total))

    return answer


def _one(kind: str, reader: Callable[[Request], Reader]) -> Callable[[Request, str], Any]:
    async def answer(request: Request, object_id: str) -> Response:
        found = reader(request)
        body = found.one(kind, object_id, read_query(request.url.query, found.readings))
        if body is None:
            raise Refused(404, f"No object {object_id} among the {kind}")
        return _json({"data": body})

    return answer


def _write(endpoint: str, reader: Callable[[Request], Reader], changes: Changes) -> Callable[[Request], Any]:
    """One form of creating or updating a contact, there only while the readings say so."""

    async def answer(request: Request) -> Response:
        found = reader(request)
        if endpoint not in (found.readings.contact_create, found.readings.contact_update):
            raise Refused(404, f"Cannot {request.method} {request.url.path}")
        try:
            given = json.loads(await request.body())
        except ValueError as error:
            raise Refused(400, "Unexpected end of JSON input", error="Bad Request") from error
        writer = ContactWriter(found, changes)
        object_id = request.path_params.get("id")
        body = writer.create(given) if object_id is None else writer.update(object_id, given)
        return _json({"data": body}, 201 if object_id is None else 200)

    return answer


def _enveloped(rows: list[Any], readings: Readings, total: int | None) -> Any:
    if readings.envelope == "bare":
        return rows
    more = {} if total is None else {"total": total}
    if readings.envelope == "data-object":
        return {"data": {"docs": rows, **more}}
    return {"data": rows, **more}


def _nameless(key: Key) -> dict[str, Any]:
    return {"_id": key.user, "email": "api@agency.example", "profile": {"firstName": "API", "lastName": "user"}}


def _json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, headers, media_type="application/json")
