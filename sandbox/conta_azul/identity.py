"""Consent and tokens, on the current addresses (``/oauth``) and the older ones (``/oauth2``, ``/login``)."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sandbox.conta_azul.company import Company
from sandbox.conta_azul.tokens import CLIENT_ID, CLIENT_SECRET, TokenRefused, Tokens
from sandbox.credentials import app_of

SCOPE = "openid profile aws.cognito.signin.user.admin"
_STYLE = "body{font:16px system-ui;max-width:40em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.5em 2em}"
_HEAD = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Stand-in for Conta Azul: allow access</title><style>{_STYLE}</style></head><body>'  # noqa: E501
_PAGE = """<h1>Allow access?</h1>
<p>This is a stand-in, not Conta Azul. <strong>{client}</strong> wants to do everything that an administrator may do in
<strong>{company}</strong>.</p><form method="get" action="{action}">{hidden}<button>Allow access</button></form></body>
</html>"""
# The address of the login page has its query after a "#", which only a browser sees.
_LOGIN = """<p>This is a stand-in, not Conta Azul.</p><script>
const found = location.hash.match(/^#\\/oauth\\/authorize\\?(.*)$/);
if (found) location.replace(location.pathname.replace(/\\/?$/, "/oauth/authorize?") + found[1]);
</script></body></html>"""


class Identity:
    """The handlers, over what was granted."""

    def __init__(self, company: Company, tokens: Tokens) -> None:
        self._company = company
        self._tokens = tokens

    async def login(self, request: Request) -> Response:
        """The page behind ``/#/oauth/authorize?...``: goes on to the consent page."""
        return HTMLResponse(_HEAD + _LOGIN)

    async def authorize(self, request: Request) -> Response:
        """The consent page; its button leads back with a code."""
        asked = dict(request.query_params)
        older = "/oauth/" not in request.url.path
        problem = self._consent_problem(asked, older)
        if problem:
            return HTMLResponse(f"<p>Error: {html.escape(problem)}</p>", 400)
        if asked.get("approve") != "yes":
            return HTMLResponse(_HEAD + self._page(asked, request.url.path))
        redirect = asked["redirect_uri"]
        back = {"code": self._tokens.issue_code(redirect)}
        if "state" in asked:
            back["state"] = asked["state"]
        return RedirectResponse(f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(back)}", 302)

    async def token(self, request: Request) -> Response:
        """The token endpoint: authorization_code and refresh_token, nothing else."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        try:
            issued = self._issued(form, app_of(request.headers.get("authorization", ""), form))
        except TokenRefused as refused:
            content = {"error": refused.error}
            if not request.url.path.endswith("/oauth2/token"):
                content |= {"error_subtype": refused.subtype, "error_description": f"sim: {refused.description}"}
            return JSONResponse(content, 400)
        return JSONResponse(issued, headers={"Cache-Control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        """End the connection of a company; the access token lives on to the end of its hour."""
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        if self._tokens.session(token) is None:
            return JSONResponse({"code": 401, "message": "sim: token expired"}, 401)
        if request.path_params["company"] != self._company.identity["id_empresa"]:
            return JSONResponse({"code": 404, "message": "sim: no such connection"}, 404)
        self._tokens.revoke_all()
        return Response(status_code=204)

    def _issued(self, form: dict[str, str], client: tuple[str, str]) -> dict[str, Any]:
        if client != (CLIENT_ID, CLIENT_SECRET):
            raise TokenRefused("invalid_client", "invalid_client", "client unknown, or its secret is wrong")
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._tokens.exchange_code(form.get("code", ""), form.get("redirect_uri", ""))
        if grant == "refresh_token":
            return self._tokens.refresh(form.get("refresh_token", ""))
        raise TokenRefused("unsupported_grant_type", "unsupported_grant_type", "grant_type is not supported")

    def _consent_problem(self, asked: dict[str, str], older: bool) -> str | None:
        if asked.get("client_id") != CLIENT_ID:
            return "unauthorized_client: unknown client"
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if asked.get("scope") != SCOPE:
            return f"invalid_scope: it is exactly {SCOPE}, joined with + as it is"
        registered = self._company.readings["redirect_uri"]
        given = asked.get("redirect_uri", "")
        redirect = urlsplit(given)
        local = redirect.scheme == "http" and redirect.hostname == "localhost"
        if given != registered if registered else redirect.scheme != "https" and not local:
            return "invalid redirect_uri: the registered one, character for character"
        if older and asked.get("code_challenge"):
            return "invalid_request: PKCE is not supported here"
        return None

    def _page(self, asked: dict[str, str], action: str) -> str:
        fields = asked | {"approve": "yes"}
        return _PAGE.format(
            client=html.escape(asked["client_id"]),
            company=html.escape(self._company.identity["razao_social"]),
            action=html.escape(action),
            hidden="".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in fields.items()
            ),
        )


def identity_app(identity: Identity) -> FastAPI:
    """The routes."""
    app = FastAPI(title="Stand-in for Conta Azul's identity service", openapi_url=None)
    app.add_api_route("/", identity.login, methods=["GET"])
    for path in ("/oauth/authorize", "/oauth2/authorize", "/login"):
        app.add_api_route(path, identity.authorize, methods=["GET"])
    for path in ("/oauth/token", "/oauth2/token"):
        app.add_api_route(path, identity.token, methods=["POST"])
    app.add_api_route("/oauth/connections/{company}", identity.revoke, methods=["DELETE"])
    return app
