"""Grants, codes and tokens: the refresh token that stays a day and then changes, expiry, revocation. Digests only."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from typing import Any

from sandbox.clock import Clock
from sandbox.quickbooks.readings import Readings
from sandbox.store import Store

CLIENT_ID = "sandbox-app"
CLIENT_SECRET = "sandbox-secret"
FIRST_REFRESH_TOKEN = "sandbox-refresh-token"
SCOPE = "com.intuit.quickbooks.accounting"

CODE_SECONDS = 5 * 60
ACCESS_SECONDS = 3600
DAY = 24 * 3600
REFRESH_SECONDS = 100 * DAY
HARD_SECONDS = 5 * 365 * DAY

_SCHEMA = """
CREATE TABLE IF NOT EXISTS quickbooks_grants (id TEXT PRIMARY KEY, made REAL NOT NULL, revoked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS quickbooks_tokens (
    digest TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_id TEXT NOT NULL, issued REAL NOT NULL, expires REAL NOT NULL,
    replaced REAL, more TEXT NOT NULL);
"""


class TokenRefused(Exception):
    """The token endpoint answers 400 with this error code."""


class Tokens:
    """Everything that was granted to the one app of this stand-in."""

    def __init__(self, store: Store, clock: Clock, readings: Readings) -> None:
        self._store = store
        self._clock = clock
        self._readings = readings
        with store.lock:
            store.connection.executescript(_SCHEMA)
        with store.transaction() as connection:
            if connection.execute("SELECT 1 FROM quickbooks_grants LIMIT 1").fetchone() is None:
                self._keep(FIRST_REFRESH_TOKEN, "refresh", self._grant(), REFRESH_SECONDS)

    def issue_code(self, redirect_uri: str) -> str:
        """Consent was given: a code, valid five minutes, once."""
        code = secrets.token_urlsafe(24)
        with self._store.transaction():
            self._keep(code, "code", self._grant(), CODE_SECONDS, {"redirect_uri": redirect_uri})
        return code

    def exchange_code(self, code: str, redirect_uri: str, hard: bool = False) -> dict[str, Any]:
        """Tokens for a code. Raises TokenRefused."""
        with self._store.transaction():
            row = self._row(code, "code")
            if row is None or row["replaced"] is not None or row["expires"] <= self._now():
                raise TokenRefused("invalid_grant")
            if json.loads(row["more"])["redirect_uri"] != redirect_uri:
                raise TokenRefused("invalid_grant")
            self._replace(row)
            return self._issue(row["grant_id"], self._new_refresh(row["grant_id"]), hard)

    def refresh(self, token: str, hard: bool = False) -> dict[str, Any]:
        """A new access token, with the same refresh token for a day and a new one after it. Raises TokenRefused."""
        with self._store.transaction() as connection:
            row = self._row(token, "refresh")
            now = self._now()
            if row is None or row["expires"] <= now or self._ended(row["grant_id"]):
                raise TokenRefused("invalid_grant")
            if row["replaced"] is not None and not self._graced(row["replaced"]):
                raise TokenRefused("invalid_grant")
            young = row["issued"] + DAY > now and row["replaced"] is None
            if young and self._readings["refresh_token"] == "daily":
                sql = "UPDATE quickbooks_tokens SET expires = ? WHERE digest = ?"
                connection.execute(sql, (now + REFRESH_SECONDS, row["digest"]))
                return self._issue(row["grant_id"], token, hard)
            if row["replaced"] is None:
                self._replace(row)
            return self._issue(row["grant_id"], self._new_refresh(row["grant_id"]), hard)

    def session(self, token: str) -> str | None:
        """Whose call: ``open``, ``revoked``, or None for a token that is unknown or expired."""
        with self._store.lock:
            row = self._row(token, "access")
            if row is None or row["expires"] <= self._now():
                return None
            return "revoked" if self._ended(row["grant_id"]) else "open"

    def revoke(self, token: str) -> bool:
        """End the grant behind a refresh or access token; False for an unknown token."""
        with self._store.transaction() as connection:
            row = self._row(token, "refresh") or self._row(token, "access")
            if row is None:
                return False
            connection.execute("UPDATE quickbooks_grants SET revoked = 1 WHERE id = ?", (row["grant_id"],))
            return True

    def revoke_all(self) -> None:
        """End every grant, as when an administrator disconnects the app."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE quickbooks_grants SET revoked = 1")

    def expire_access(self) -> None:
        """Every access token is out of date from now on."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE quickbooks_tokens SET expires = 0 WHERE kind = 'access'")

    def _grant(self) -> str:
        grant = str(uuid.uuid4())
        sql = "INSERT INTO quickbooks_grants (id, made, revoked) VALUES (?, ?, 0)"
        self._store.connection.execute(sql, (grant, self._now()))
        return grant

    def _new_refresh(self, grant: str) -> str:
        refresh = f"RT1-{secrets.token_urlsafe(32)}"
        self._keep(refresh, "refresh", grant, REFRESH_SECONDS)
        return refresh

    def _issue(self, grant: str, refresh: str, hard: bool) -> dict[str, Any]:
        access = secrets.token_urlsafe(48)
        self._keep(access, "access", grant, ACCESS_SECONDS)
        issued = {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh,
            "x_refresh_token_expires_in": REFRESH_SECONDS,
        }
        if hard:
            issued["x_refresh_token_hard_expires_in"] = int(self._made(grant) + HARD_SECONDS - self._now())
        return issued

    def _keep(self, token: str, kind: str, grant: str, seconds: float, more: dict[str, Any] | None = None) -> None:
        now = self._now()
        self._store.connection.execute(
            "INSERT INTO quickbooks_tokens (digest, kind, grant_id, issued, expires, more) VALUES (?, ?, ?, ?, ?, ?)",
            (_digest(token), kind, grant, now, now + seconds, json.dumps(more or {})),
        )

    def _replace(self, row: Any) -> None:
        sql = "UPDATE quickbooks_tokens SET replaced = ? WHERE digest = ?"
        self._store.connection.execute(sql, (self._now(), row["digest"]))

    def _graced(self, replaced: float) -> bool:
        return bool(self._readings["old_refresh_token"] == "24h" and replaced + DAY > self._now())

    def _row(self, token: str, kind: str) -> Any:
        sql = "SELECT * FROM quickbooks_tokens WHERE digest = ? AND kind = ?"
        return self._store.connection.execute(sql, (_digest(token), kind)).fetchone()

    def _ended(self, grant: str) -> bool:
        sql = "SELECT revoked FROM quickbooks_grants WHERE id = ?"
        revoked = self._store.connection.execute(sql, (grant,)).fetchone()["revoked"]
        return bool(revoked) or self._made(grant) + HARD_SECONDS <= self._now()

    def _made(self, grant: str) -> float:
        sql = "SELECT made FROM quickbooks_grants WHERE id = ?"
        return float(self._store.connection.execute(sql, (grant,)).fetchone()["made"])

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
