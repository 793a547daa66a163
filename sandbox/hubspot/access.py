"""Who may ask: static tokens, OAuth grants and their scopes. Only digests of issued tokens are kept."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.hubspot.answers import Refused
from sandbox.store import Store

PORTAL_ID = 4_000_001
APP_ID = 7_000_001
SERVICE_KEY_SOURCE = "7099001"
CLIENT_ID = "sandbox-hubspot-app"
CLIENT_SECRET = "sandbox-hubspot-secret"
REFRESH_TOKEN = "sandbox-hubspot-refresh-token"
APP_TOKEN = "pat-sandbox-hubspot"
SERVICE_KEY = "pat-sandbox-service-key"
ACCESS_SECONDS = 1_800
CODE_SECONDS = 300

READ, WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"
SCHEMA_READ, SCHEMA_WRITE = "crm.schemas.contacts.read", "crm.schemas.contacts.write"
OWNERS = "crm.objects.owners.read"
SCOPES = ("oauth", READ, WRITE, SCHEMA_READ, SCHEMA_WRITE, OWNERS)

_SCOPES_FACT = "hubspot.scopes"
_STARTED_FACT = "hubspot.access"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS hubspot_tokens (
    digest TEXT PRIMARY KEY, kind TEXT NOT NULL, expires REAL, more TEXT NOT NULL DEFAULT '{}');
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the limits count per ``token``; ``source`` is what histories and webhooks name as the writer."""

    token: str
    oauth: bool
    source: str


class TokenRefused(Exception):
    """The token endpoint answers 400 with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Access:
    """The one account: a token of the app, a service key, and OAuth for the same app."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        with store.lock:
            store.connection.executescript(_SCHEMA)
        if store.fact(_STARTED_FACT) is None:
            store.remember(_STARTED_FACT, "1")
            self._keep(REFRESH_TOKEN, "refresh", None)

    @property
    def scopes(self) -> list[str]:
        """What every token may do."""
        kept = self._store.fact(_SCOPES_FACT)
        return list(json.loads(kept)) if kept else list(SCOPES)

    def set_scopes(self, scopes: Any) -> list[str]:
        """Give every token exactly these. Raises ValueError for unknown ones."""
        if not isinstance(scopes, list) or set(scopes) - set(SCOPES):
            raise ValueError(f"scopes is a list of: {', '.join(SCOPES)}")
        self._store.remember(_SCOPES_FACT, json.dumps(scopes))
        return scopes

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Whose token the request bears. Raises Refused with 401."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token:
            raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        revoked = self._row(token, "revoked") is not None
        if token == APP_TOKEN and not revoked:
            return Caller(token, False, str(APP_ID))
        if token == SERVICE_KEY and not revoked:
            return Caller(token, False, SERVICE_KEY_SOURCE)
        issued = self._row(token, "access")
        if issued is None:
            raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if issued["expires"] <= self._now():
            raise Refused(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")
        return Caller("oauth", True, str(APP_ID))

    def allow(self, *enough: str) -> None:
        """Raises Refused with 403 where none of the scopes was granted."""
        if not set(enough) & set(self.scopes):
            raise Refused(
                403,
                "MISSING_SCOPES",
                "This app hasn't been granted all required scopes to make this call.",
                errors=[
                    {
                        "message": "One or more of the following scopes are required.",
                        "context": {"requiredGranularScopes": list(enough)},
                    }
                ],
            )

    def consent(self, redirect_uri: str) -> str:
        """A person agreed: a code, good for five minutes and once."""
        code = secrets.token_urlsafe(24)
        self._keep(code, "code", self._now() + CODE_SECONDS, {"redirect_uri": redirect_uri})
        return code

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """What the token endpoint answers. Raises TokenRefused."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise TokenRefused("BAD_CLIENT_ID", "missing or unknown client id")
        kind = form.get("grant_type")
        if kind == "authorization_code":
            self._use_code(form)
        elif kind != "refresh_token":
            raise TokenRefused("BAD_GRANT_TYPE", "missing or unknown grant type")
        elif self._row(form.get("refresh_token", ""), "refresh") is None:
            raise TokenRefused("BAD_REFRESH_TOKEN", "missing or unknown refresh token")
        token = secrets.token_urlsafe(40)
        self._keep(token, "access", self._now() + ACCESS_SECONDS)
        return {
            "token_type": "bearer",
            "refresh_token": form.get("refresh_token") or REFRESH_TOKEN,
            "access_token": token,
            "expires_in": ACCESS_SECONDS,
        }

    def describe(self, token: str) -> dict[str, Any]:
        """What is known of an access token. Raises Refused with 404."""
        row = self._row(token, "access")
        if row is None or row["expires"] <= self._now():
            raise Refused(404, None, "Access token unknown or expired")
        return {
            "token": token,
            "hub_id": PORTAL_ID,
            "app_id": APP_ID,
            "user_id": 1,
            "user": "helena@agency.example",
            "hub_domain": "agency.example",
            "scopes": self.scopes,
            "expires_in": int(row["expires"] - self._now()),
            "token_type": "access",
        }

    def expire(self) -> int:
        """End every OAuth access token before its time; returns how many there were."""
        with self._store.transaction() as connection:
            sql = "UPDATE hubspot_tokens SET expires = 0 WHERE kind = 'access' AND expires > 0"
            return connection.execute(sql).rowcount

    def revoke(self, token: str) -> bool:
        """Withdraw a static token, or the refresh token with every access token; False for an unknown one."""
        if token in (APP_TOKEN, SERVICE_KEY):
            self._keep(token, "revoked", None)
            return True
        with self._store.transaction() as connection:
            known = connection.execute(
                "DELETE FROM hubspot_tokens WHERE digest = ? AND kind = 'refresh'", (_digest(token),)
            ).rowcount
        if known:
            self.expire()
        return known > 0

    def restore(self) -> None:
        """Everything that was withdrawn is good again."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM hubspot_tokens WHERE kind = 'revoked'")
        self._keep(REFRESH_TOKEN, "refresh", None)

    def _use_code(self, form: Mapping[str, str]) -> None:
        row = self._row(form.get("code", ""), "code")
        redirect = form.get("redirect_uri")
        if row is None or row["expires"] <= self._now() or json.loads(row["more"])["redirect_uri"] != redirect:
            raise TokenRefused("BAD_AUTH_CODE", "missing or unknown auth code")
        self._keep(form["code"], "used code", 0)

    def _keep(self, token: str, kind: str, expires: float | None, more: dict[str, Any] | None = None) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO hubspot_tokens (digest, kind, expires, more) VALUES (?, ?, ?, ?)",
                (_digest(token), kind, expires, json.dumps(more or {})),
            )

    def _row(self, token: str, kind: str) -> Any:
        with self._store.lock:
            sql = "SELECT * FROM hubspot_tokens WHERE digest = ? AND kind = ?"
            return self._store.connection.execute(sql, (_digest(token), kind)).fetchone()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
