"""The stored form of a connection's tokens: one encrypted row, and a file for the day the row cannot be written."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from .engine import Ledger, LedgerError, db_now, upsert
from .schema import tokens as table


@dataclass(frozen=True, slots=True)
class StoredToken:
    """What is kept of a connection. `intent_at`: a refresh was begun then, and its answer is not here; `tries`: how
    often it was asked for."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    seed_hash: str = field(repr=False)
    intent_at: datetime | None = None
    tries: int = 0


class TokenStore:
    """Reads and writes one connection's row; knows nothing of what a token is for."""

    def __init__(self, ledger: Ledger, connection: str, spill_to: Path | None) -> None:
        self._ledger = ledger
        self._connection = connection
        self._folder = spill_to or _beside(ledger)

    def get(self) -> StoredToken | None:
        with self._ledger.reading() as connection:
            return self._row(connection)

    def put(self, token: StoredToken) -> StoredToken:
        with self._ledger.writing() as connection:
            self._write(connection, token)
        return token

    def replace(self, old: StoredToken, new: StoredToken) -> StoredToken:
        """Stores `new` where `old`'s refresh token is still the stored one; returns the one that is kept."""
        with self._ledger.writing() as connection:
            found = self._row(connection)
            if found is not None and found.refresh != old.refresh:
                return found
            self._write(connection, new)
        return new

    # -- the file

    def spill(self, old: StoredToken, new: StoredToken) -> Path:
        """Writes `new`, encrypted, where no crash loses it. Raises LedgerError where the disk refuses too."""
        sealed = self._ledger.seal(json.dumps({"replaces": digest(old.refresh), **_plain(new, dated=True)}).encode())
        path = self._folder / f"{self._prefix}{uuid.uuid4().hex}.sealed"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(self._folder)
        except OSError as error:
            raise LedgerError(
                f"The new token of {self._connection} could be written neither to the ledger nor to {self._folder}."
                f" Mend the disk, then connect again: bin/qualy connect {self._connection}"
            ) from error
        return path

    def has_spilled(self) -> bool:
        return next(self._spilled(), None) is not None

    def pick_up_spilled(self) -> None:
        """Moves a spilled token into the ledger where it is still the newest. To be called by the lease's holder."""
        for path in list(self._spilled()):
            content = json.loads(self._ledger.unseal(path.read_bytes()))
            with self._ledger.writing() as connection:
                found = self._row(connection)
                if found is None or digest(found.refresh) == content["replaces"]:
                    self._write(connection, _token(content, datetime.fromisoformat(content["expires_at"])))
            path.unlink(missing_ok=True)

    def _spilled(self) -> Iterator[Path]:
        return self._folder.glob(f"{self._prefix}*.sealed")

    @property
    def _prefix(self) -> str:
        return f"token-{digest(self._connection)[:12]}-"

    # -- the row

    def _row(self, connection: sa.Connection) -> StoredToken | None:
        row = connection.execute(sa.select(table).where(table.c.connection == self._connection)).first()
        if row is None:
            return None
        content = json.loads(self._ledger.unseal(row.token))
        return StoredToken(
            content["access"], content["refresh"], row.expires_at, row.seed_hash, row.intent_at, content["tries"]
        )

    def _write(self, connection: sa.Connection, token: StoredToken) -> None:
        values = {
            "connection": self._connection,
            "seed_hash": token.seed_hash,
            "token": self._ledger.seal(json.dumps(_plain(token)).encode()),
            "expires_at": token.expires_at,
            "intent_at": token.intent_at,
            "updated_at": db_now(connection),
        }
        upsert(connection, table, values, keys=("connection",))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(token: StoredToken, dated: bool = False) -> dict[str, object]:
    content: dict[str, object] = {"access": token.access, "refresh": token.refresh, "tries": token.tries}
    if dated:
        content |= {"expires_at": token.expires_at.isoformat(), "seed_hash": token.seed_hash}
    return content


def _token(content: dict[str, str], expires_at: datetime) -> StoredToken:
    return StoredToken(content["access"], content["refresh"], expires_at, content["seed_hash"])


def _beside(ledger: Ledger) -> Path:
    path = sa.make_url(ledger.url).database if ledger.is_sqlite else None
    return Path(path).parent if path else Path.cwd()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
