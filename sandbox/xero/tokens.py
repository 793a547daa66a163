"""Grants, codes and tokens: rotation with a grace time, expiry, revocation. Only digests of tokens are kept."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store
from sandbox.xero.scopes import DEFAULT

CLIENT_ID = "sandbox-app"
CLIENT_SECRET = "sandbox-secret"
FIRST_REFRESH_TOKEN = "sandbox-refresh-token"

CODE_SECONDS = 5 * 60
ACCESS_SECONDS = 30 * 60
REFRESH_SECONDS = 60 * 24 * 3600
GRACE_SECONDS = 30 * 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS xero_grants (
    id TEXT PRIMARY KEY, custom INTEGER NOT NULL, scopes TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS xero_tokens (
    digest TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_id TEXT NOT NULL, expires REAL NOT NULL, used REAL, more TEXT);
"""


class TokenRefused(Exception):
    """The token endpoint answers 400 with this error code."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who calls: the grant behind a bearer token."""

    grant: str
    custom: bool
    scopes: frozenset[str]


class Tokens:
    """Everything that was granted to the one app of this stand-in."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        with store.lock:
            store.connection.executescript(_SCHEMA)
        with store.transaction() as connection:
            if connection.execute("SELECT 1 FROM xero_grants LIMIT 1").fetchone() is None:
                grant = self._grant(DEFAULT, custom=False)
                self._keep(FIRST_REFRESH_TOKEN, "refresh", grant, REFRESH_SECONDS)

    def issue_code(self, scopes: tuple[str, ...], redirect_uri: str, challenge: str | None) -> str:
        """Consent was given: a code, valid five minutes, once."""
        code = secrets.token_urlsafe(24)
        with self._store.transaction():
            grant = self._grant(scopes, custom=False)
            self._keep(code, "code", grant, CODE_SECONDS, {"redirect_uri": redirect_uri, "challenge": challenge})
        return code

    def exchange_code(self, code: str, redirect_uri: str) -> tuple[dict[str, Any], str | None]:
        """Tokens for a code, with the PKCE challenge that it was asked for with. Raises TokenRefused."""
        with self._store.transaction() as connection:
            row = self._row(code, "code")
            if row is None or row["used"] is not None or row["expires"] <= self._now():
                raise TokenRefused("invalid_grant")
            more = json.loads(row["more"])
            if more["redirect_uri"] != redirect_uri:
                raise TokenRefused("invalid_grant")
            connection.execute("UPDATE xero_tokens SET used = ? WHERE digest = ?", (self._now(), row["digest"]))
            return self._issue(row["grant_id"], refreshable=True), more["challenge"]

    def refresh(self, token: str) -> dict[str, Any]:
        """A new pair. The old refresh token works for 30 more minutes, in case the answer was lost."""
        with self._store.transaction() as connection:
            row = self._row(token, "refresh")
            now = self._now()
            if row is None or row["expires"] <= now or self._revoked(row["grant_id"]):
                raise TokenRefused("invalid_grant")
            if row["used"] is not None and row["used"] + GRACE_SECONDS <= now:
                raise TokenRefused("invalid_grant")
            if row["used"] is None:
                connection.execute("UPDATE xero_tokens SET used = ? WHERE digest = ?", (now, row["digest"]))
            return self._issue(row["grant_id"], refreshable=True)

    def client_credentials(self, scopes: tuple[str, ...]) -> dict[str, Any]:
        """A token of the custom connection: no refresh token, a new one at any time."""
        with self._store.transaction():
            return self._issue(self._grant(scopes, custom=True), refreshable=False)

    def session(self, token: str) -> Session | None:
        """The session behind a bearer token; None when it is unknown, expired or revoked."""
        with self._store.lock:
            row = self._row(token, "access")
            if row is None or row["expires"] <= self._now():
                return None
            sql = "SELECT * FROM xero_grants WHERE id = ? AND revoked = 0"
            grant = self._store.connection.execute(sql, (row["grant_id"],)).fetchone()
        if grant is None:
            return None
        return Session(grant["id"], bool(grant["custom"]), frozenset(grant["scopes"].split()))

    def revoke(self, token: str) -> bool:
        """End the grant behind a refresh token; False for an unknown token."""
        with self._store.transaction() as connection:
            row = self._row(token, "refresh")
            if row is None:
                return False
            connection.execute("UPDATE xero_grants SET revoked = 1 WHERE id = ?", (row["grant_id"],))
            return True

    def revoke_all(self) -> None:
        """End every grant, as when an administrator removes the app."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE xero_grants SET revoked = 1")

    def set_scopes(self, scopes: tuple[str, ...]) -> None:
        """Make every grant, and so every token, carry exactly these scopes."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE xero_grants SET scopes = ?", (" ".join(scopes),))

    def _grant(self, scopes: tuple[str, ...], custom: bool) -> str:
        grant = str(uuid.uuid4())
        sql = "INSERT INTO xero_grants (id, custom, scopes) VALUES (?, ?, ?)"
        self._store.connection.execute(sql, (grant, int(custom), " ".join(scopes)))
        return grant

    def _issue(self, grant: str, refreshable: bool) -> dict[str, Any]:
        row = self._store.connection.execute("SELECT scopes FROM xero_grants WHERE id = ?", (grant,)).fetchone()
        access = secrets.token_urlsafe(48)
        self._keep(access, "access", grant, ACCESS_SECONDS)
        issued = {
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "token_type": "Bearer",
            "scope": row["scopes"],
        }
        if refreshable and "offline_access" in row["scopes"].split():
            refresh = secrets.token_urlsafe(32)
            self._keep(refresh, "refresh", grant, REFRESH_SECONDS)
            issued["refresh_token"] = refresh
        return issued

    def _keep(self, token: str, kind: str, grant: str, seconds: float, more: dict[str, Any] | None = None) -> None:
        self._store.connection.execute(
            "INSERT INTO xero_tokens (digest, kind, grant_id, expires, more) VALUES (?, ?, ?, ?, ?)",
            (_digest(token), kind, grant, self._now() + seconds, json.dumps(more or {})),
        )

    def _row(self, token: str, kind: str) -> Any:
        sql = "SELECT * FROM xero_tokens WHERE digest = ? AND kind = ?"
        return self._store.connection.execute(sql, (_digest(token), kind)).fetchone()

    def _revoked(self, grant: str) -> bool:
        row = self._store.connection.execute("SELECT revoked FROM xero_grants WHERE id = ?", (grant,)).fetchone()
        return bool(row["revoked"])

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
