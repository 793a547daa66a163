"""Grants, codes and tokens: every renewal ends the refresh token before it. Only digests of tokens are kept."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.clock import Clock
from sandbox.conta_azul.readings import Readings
from sandbox.store import Store

CLIENT_ID = "sandbox-app"
CLIENT_SECRET = "sandbox-secret"
FIRST_REFRESH_TOKEN = "sandbox-refresh-token"

CODE_SECONDS = 3 * 60
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 2 * 365 * 24 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conta_azul_grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS conta_azul_tokens (
    digest TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_id INTEGER NOT NULL, expires REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0, redirect_uri TEXT);
"""


class TokenRefused(Exception):
    """The token endpoint answers 400: the error and, on the current address, what kind of it."""

    def __init__(self, error: str, subtype: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.subtype = subtype
        self.description = description


@dataclass(frozen=True, slots=True)
class Session:
    """Who calls; ``login`` portal is a token that the API itself refuses."""

    grant: int
    login: str


class Tokens:
    """Everything that was granted to the one app of this stand-in."""

    def __init__(self, store: Store, clock: Clock, readings: Readings) -> None:
        self._store = store
        self._clock = clock
        self._readings = readings
        with store.lock:
            store.connection.executescript(_SCHEMA)
        with store.transaction() as connection:
            if connection.execute("SELECT 1 FROM conta_azul_grants LIMIT 1").fetchone() is None:
                self._keep(FIRST_REFRESH_TOKEN, "refresh", self._grant("erp"), REFRESH_SECONDS)

    def issue_code(self, redirect_uri: str) -> str:
        """Somebody consented: a code, good for three minutes, once."""
        code = secrets.token_urlsafe(24)
        with self._store.transaction():
            grant = self._grant(self._readings["consent_login"])
            self._keep(code, "code", grant, CODE_SECONDS, redirect_uri)
        return code

    def exchange_code(self, code: str, redirect_uri: str) -> dict[str, Any]:
        """Tokens for a code. Raises TokenRefused."""
        with self._store.transaction():
            row = self._row(code, "code")
            if row is None or row["used"] or row["expires"] <= self._now():
                raise _invalid("invalid_code", "code is unknown, used or older than 3 minutes")
            if row["redirect_uri"] != redirect_uri:
                raise _invalid("invalid_code", "redirect_uri is not the one of the code")
            self._use(row["digest"])
            return self._issue(row["grant_id"])

    def refresh(self, token: str) -> dict[str, Any]:
        """A new pair; the old refresh token is dead at once. Raises TokenRefused."""
        with self._store.transaction():
            row = self._row(token, "refresh")
            if row is None or row["expires"] <= self._now():
                raise _invalid("invalid_refresh_token", "refresh token unknown or expired")
            if self._revoked(row["grant_id"]):
                raise _invalid("access_revoked", "access was revoked")
            if not row["used"]:
                self._use(row["digest"])
                return self._issue(row["grant_id"])
            if self._readings["reuse_kills"]:
                self._revoke("id = ?", row["grant_id"])
        raise _invalid("invalid_refresh_token", "refresh token already used")

    def session(self, token: str, received: datetime | None = None) -> Session | None:
        """The session behind a bearer token, which lives to the end of its hour even when access was revoked.

        What counts is when the call came in, which may be long before it is carried out.
        """
        moment = self._now() if received is None else received.timestamp()
        with self._store.lock:
            row = self._row(token, "access")
            if row is None or row["expires"] <= moment:
                return None
            sql = "SELECT * FROM conta_azul_grants WHERE id = ?"
            grant = self._store.connection.execute(sql, (row["grant_id"],)).fetchone()
        return Session(grant["id"], grant["login"])

    def revoke_all(self, tokens: bool = False) -> None:
        """End every connection; with ``tokens`` the access tokens stop working at once, too."""
        with self._store.transaction() as connection:
            self._revoke("1 = 1")
            if tokens:
                connection.execute("DELETE FROM conta_azul_tokens WHERE kind = 'access'")

    def _revoke(self, condition: str, *values: Any) -> None:
        self._store.connection.execute(f"UPDATE conta_azul_grants SET revoked = 1 WHERE {condition}", values)

    def _grant(self, login: str) -> int:
        sql = "INSERT INTO conta_azul_grants (login) VALUES (?)"
        return int(self._store.connection.execute(sql, (login,)).lastrowid or 0)

    def _issue(self, grant: int) -> dict[str, Any]:
        access, refresh = _jwt(self._now()), secrets.token_urlsafe(48)
        self._keep(access, "access", grant, ACCESS_SECONDS)
        self._keep(refresh, "refresh", grant, REFRESH_SECONDS)
        return {
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh,
            "token_type": "Bearer",
        }

    def _keep(self, token: str, kind: str, grant: int, seconds: float, redirect_uri: str | None = None) -> None:
        self._store.connection.execute(
            "INSERT INTO conta_azul_tokens (digest, kind, grant_id, expires, redirect_uri) VALUES (?, ?, ?, ?, ?)",
            (_digest(token), kind, grant, self._now() + seconds, redirect_uri),
        )

    def _use(self, digest: str) -> None:
        self._store.connection.execute("UPDATE conta_azul_tokens SET used = 1 WHERE digest = ?", (digest,))

    def _row(self, token: str, kind: str) -> Any:
        sql = "SELECT * FROM conta_azul_tokens WHERE digest = ? AND kind = ?"
        return self._store.connection.execute(sql, (_digest(token), kind)).fetchone()

    def _revoked(self, grant: int) -> bool:
        sql = "SELECT revoked FROM conta_azul_grants WHERE id = ?"
        return bool(self._store.connection.execute(sql, (grant,)).fetchone()["revoked"])

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _invalid(subtype: str, description: str) -> TokenRefused:
    return TokenRefused("invalid_grant", subtype, description)


def _jwt(now: float) -> str:
    """A token of a JWT's form, which nobody outside can check: its third part is random."""
    head = {"alg": "RS256", "typ": "JWT"}
    body = {"token_use": "access", "iat": int(now), "exp": int(now) + ACCESS_SECONDS, "jti": secrets.token_hex(8)}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, body)]
    return ".".join([*parts, secrets.token_urlsafe(32)])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
