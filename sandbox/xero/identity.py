"""Consent, tokens and connections: the part of Xero that is not the accounting API."""

from __future__ import annotations

import base64
import hashlib
import html
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sandbox.credentials import app_of
from sandbox.xero.company import Company
from sandbox.xero.scopes import DEFAULT, KNOWN
from sandbox.xero.tenant import Tenant
from sandbox.xero.tokens import CLIENT_ID, CLIENT_SECRET, TokenRefused, Tokens

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Stand-in for Xero: allow access</title>
<style>body{{font:16px system-ui;max-width:40em;margin:4em auto;padding:0 1em}}button{{font:inherit;padding:.5em 2em}}
</style></head><body><h1>Allow access?</h1>
<p>This is a stand-in, not Xero. <strong>{client}</strong> wants access to <strong>{organisation}</strong>:</p>
<ul>{scopes}</ul><form method="get" action="authorize">{hidden}<button>Allow access</button></form></body></html>"""


class Identity:
    """The handlers, over what was granted."""

    def __init__(self, company: Company, tokens: Tokens, tenant: Tenant) -> None:
        self._company = company
        self._tokens = tokens
        self._tenant = tenant

    async def authorize(self, request: Request) -> Response:
        """The consent page; its button leads back with a code."""
        asked = dict(request.query_params)
        scopes = tuple((asked.get("scope") or " ".join(DEFAULT)).split())
        problem = _consent_problem(asked, scopes)
        if problem:
            return HTMLResponse(f"<p>Error: {html.escape(problem)}</p>", 400)
        if asked.get("approve") != "yes":
            return HTMLResponse(self._page(asked, scopes))
        redirect = asked["redirect_uri"]
        code = self._tokens.issue_code(scopes, redirect, asked.get("code_challenge"))
        self._tenant.connect()
        back = {"code": code, "scope": " ".join(scopes)} | ({"state": asked["state"]} if "state" in asked else {})
        return RedirectResponse(f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(back)}", 302)

    async def token(self, request: Request) -> Response:
        """The token endpoint: authorization_code, refresh_token, client_credentials."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        client = app_of(request.headers.get("authorization", ""), form)
        try:
            return JSONResponse(self._issued(form, client), headers={"Cache-Control": "no-store"})
        except TokenRefused as refused:
            return JSONResponse({"error": str(refused)}, 400)

    async def revocation(self, request: Request) -> Response:
        """Revoke a refresh token; that ends the connection as well. Unknown tokens are no error."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if app_of(request.headers.get("authorization", ""), form) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 400)
        if self._tokens.revoke(form.get("token", "")):
            self._tenant.disconnect()
        return Response(status_code=200)

    async def connections(self, request: Request) -> Response:
        """The organisations that this token reaches."""
        if self._session(request) is None:
            return _unauthorized()
        return JSONResponse(self._tenant.connections(self._company.organisation["Name"]))

    async def disconnect(self, request: Request) -> Response:
        """DELETE of a connection."""
        if self._session(request) is None:
            return _unauthorized()
        held = self._tenant.connections("")
        if not held or held[0]["id"] != request.path_params["connection"]:
            return Response("The resource you're looking for cannot be found", 404, media_type="text/plain")
        self._tenant.disconnect()
        return Response(status_code=204)

    def _issued(self, form: dict[str, str], client: tuple[str, str]) -> dict[str, Any]:
        grant = form.get("grant_type")
        if client[0] != CLIENT_ID:
            raise TokenRefused("invalid_client")
        if grant == "authorization_code":
            return self._from_code(form, client[1])
        if client[1] != CLIENT_SECRET:
            raise TokenRefused("invalid_client")
        if grant == "refresh_token":
            return self._tokens.refresh(form.get("refresh_token", ""))
        if grant == "client_credentials":
            scopes = tuple(form["scope"].split()) if form.get("scope") else DEFAULT
            if set(scopes) - KNOWN:
                raise TokenRefused("invalid_scope")
            return self._tokens.client_credentials(tuple(one for one in scopes if one != "offline_access"))
        raise TokenRefused("unsupported_grant_type" if grant else "invalid_request")

    def _from_code(self, form: dict[str, str], secret: str) -> dict[str, Any]:
        issued, challenge = self._tokens.exchange_code(form.get("code", ""), form.get("redirect_uri", ""))
        if challenge and _challenge(form.get("code_verifier", "")) != challenge:
            raise TokenRefused("invalid_grant")
        if not challenge and secret != CLIENT_SECRET:
            raise TokenRefused("invalid_client")
        return issued

    def _session(self, request: Request) -> Any:
        return self._tokens.session(request.headers.get("authorization", "").partition(" ")[2].strip())

    def _page(self, asked: dict[str, str], scopes: tuple[str, ...]) -> str:
        fields = asked | {"approve": "yes"}
        return _PAGE.format(
            client=html.escape(asked["client_id"]),
            organisation=html.escape(self._company.organisation["Name"]),
            scopes="".join(f"<li>{html.escape(scope)}</li>" for scope in scopes),
            hidden="".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in fields.items()
            ),
        )


def identity_app(identity: Identity) -> FastAPI:
    """The routes. ``/connections`` is found in any case, since the official SDK writes it with a capital."""
    app = FastAPI(title="Stand-in for Xero's identity service", openapi_url=None)
    app.add_api_route("/identity/connect/authorize", identity.authorize, methods=["GET"])
    app.add_api_route("/identity/connect/token", identity.token, methods=["POST"])
    app.add_api_route("/identity/connect/revocation", identity.revocation, methods=["POST"])
    for path in ("/connections", "/Connections"):
        app.add_api_route(path, identity.connections, methods=["GET"])
        app.add_api_route(path + "/{connection}", identity.disconnect, methods=["DELETE"])
    return app


def _consent_problem(asked: dict[str, str], scopes: tuple[str, ...]) -> str | None:
    if asked.get("client_id") != CLIENT_ID:
        return "unauthorized_client: unknown client"
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if set(scopes) - KNOWN:
        return "invalid_scope"
    redirect = urlsplit(asked.get("redirect_uri", ""))
    if redirect.scheme != "https" and not (redirect.scheme == "http" and redirect.hostname == "localhost"):
        return "invalid redirect_uri: https, or http://localhost"
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        return "invalid_request: code_challenge_method must be S256"
    return None


def _challenge(verifier: str) -> str:
    if not 43 <= len(verifier) <= 128:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _unauthorized() -> Response:
    content = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"}
    return JSONResponse(content | {"Instance": str(uuid.uuid4()), "Extensions": {}}, 401)
