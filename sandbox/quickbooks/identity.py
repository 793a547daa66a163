"""Discovery, consent and tokens: the part of Intuit's platform that is not the accounting API."""

from __future__ import annotations

import html
import json
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sandbox.credentials import app_of
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.realm import Realm
from sandbox.quickbooks.tokens import CLIENT_ID, CLIENT_SECRET, SCOPE, TokenRefused, Tokens

AUTHORIZE = "/connect/oauth2"
TOKEN = "/oauth2/v1/tokens/bearer"
REVOKE = "/v2/oauth2/tokens/revoke"
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Stand-in for QuickBooks: connect</title>
<style>body{{font:16px system-ui;max-width:40em;margin:4em auto;padding:0 1em}}button{{font:inherit;padding:.5em 2em}}
</style></head><body><h1>Connect?</h1>
<p>This is a stand-in, not QuickBooks. <strong>{client}</strong> wants access to the books of
<strong>{company}</strong>.</p>
<form method="get" action="oauth2">{hidden}<button>Connect</button></form></body></html>"""
_DESCRIBED = {
    "invalid_grant": "Incorrect or invalid refresh token",
    "invalid_client": "Client authentication failed",
    "unsupported_grant_type": "The grant type is not supported",
}


class Identity:
    """The handlers, over what was granted."""

    def __init__(self, company: Company, tokens: Tokens, realm: Realm) -> None:
        self._company = company
        self._tokens = tokens
        self._realm = realm

    async def discovery(self, request: Request) -> Response:
        """Where everything is."""
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": base + AUTHORIZE,
                "token_endpoint": base + TOKEN,
                "revocation_endpoint": base + REVOKE,
                "userinfo_endpoint": base + "/v1/openid_connect/userinfo",
                "jwks_uri": base + "/op/v1/jwks",
                "response_types_supported": ["code"],
                "scopes_supported": [SCOPE],
            }
        )

    async def authorize(self, request: Request) -> Response:
        """The consent page; its button leads back with a code and the realm id."""
        asked = dict(request.query_params)
        problem = _consent_problem(asked)
        if problem:
            return HTMLResponse(f"<p>Error: {html.escape(problem)}</p>", 400)
        if asked.get("approve") != "yes":
            return HTMLResponse(self._page(asked))
        redirect = asked["redirect_uri"]
        code = self._tokens.issue_code(redirect)
        self._realm.connect()
        back = {"code": code, "state": asked["state"], "realmId": self._realm.id}
        return RedirectResponse(f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(back)}", 302)

    async def token(self, request: Request) -> Response:
        """The token endpoint: authorization_code and refresh_token, with the app's credentials as Basic."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        hard = request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true"
        if not _is_the_app(request):
            return _refused("invalid_client", 401)
        try:
            if form.get("grant_type") == "authorization_code":
                issued = self._tokens.exchange_code(form.get("code", ""), form.get("redirect_uri", ""), hard)
            elif form.get("grant_type") == "refresh_token":
                issued = self._tokens.refresh(form.get("refresh_token", ""), hard)
            else:
                return _refused("unsupported_grant_type", 400)
        except TokenRefused as refused:
            return _refused(str(refused), 400)
        return JSONResponse(issued, headers={"Cache-Control": "no-store"})

    async def revocation(self, request: Request) -> Response:
        """Revoke a refresh or access token; that disconnects the company."""
        if not _is_the_app(request):
            return _refused("invalid_client", 401)
        body = await request.body()
        try:
            token = json.loads(body).get("token", "")
        except (ValueError, AttributeError):
            token = dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", "")
        if not self._tokens.revoke(str(token)):
            return _refused("invalid_grant", 400)
        self._realm.disconnect()
        return Response(status_code=200)

    def _page(self, asked: dict[str, str]) -> str:
        return _PAGE.format(
            client=html.escape(asked["client_id"]),
            company=html.escape(self._company.info.get("CompanyName", "")),
            hidden="".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in (asked | {"approve": "yes"}).items()
            ),
        )


def identity_app(identity: Identity) -> FastAPI:
    """The routes."""
    app = FastAPI(title="Stand-in for Intuit's identity service", openapi_url=None)
    app.add_api_route("/.well-known/{document:path}", identity.discovery, methods=["GET"])
    app.add_api_route(AUTHORIZE, identity.authorize, methods=["GET"])
    app.add_api_route(TOKEN, identity.token, methods=["POST"])
    app.add_api_route(REVOKE, identity.revocation, methods=["POST"])
    return app


def _consent_problem(asked: dict[str, str]) -> str | None:
    if asked.get("client_id") != CLIENT_ID:
        return "invalid_client: unknown client"
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if SCOPE not in asked.get("scope", "").split():
        return f"invalid_scope: {SCOPE} is needed"
    if not asked.get("state"):
        return "invalid_request: state is needed"
    redirect = urlsplit(asked.get("redirect_uri", ""))
    if redirect.scheme != "https" and not (redirect.scheme == "http" and redirect.hostname == "localhost"):
        return "invalid redirect_uri: https, or http://localhost"
    return None


def _is_the_app(request: Request) -> bool:
    """By Basic alone."""
    return app_of(request.headers.get("authorization", ""), {}) == (CLIENT_ID, CLIENT_SECRET)


def _refused(error: str, status: int) -> Response:
    return JSONResponse({"error": error, "error_description": _DESCRIBED[error]}, status)
