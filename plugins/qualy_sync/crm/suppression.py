"""Whom nobody may ever create again: erased for privacy, forgotten, or withdrawn for good.

The list is kept twice: in the ledger, and in a file of its own that outlives it, since a tool lets an API write bring
an erased person back. It holds salted hashes of addresses, never an address. Where the file is missing, or says nothing
of a tool yet, nobody can say who was erased there before: creating waits for a confirmation.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger, LedgerError
from qualy_sync.ledger.crm_schema import crm_suppressed
from qualy_sync.ledger.engine import db_now, get_meta, set_meta, upsert
from qualy_sync.model import normal_email

_SALT = "suppression_salt"
_BEGUN = "begun"  # the tools whose lists are complete


@dataclass(frozen=True, slots=True)
class Suppressed:
    hash: str
    reason: str
    at: str


class Suppression:
    """One tool's list. Cheap to make; the file is read when the first address is asked for."""

    def __init__(self, ledger: Ledger, tool: str, file: Path) -> None:
        self._ledger = ledger
        self._tool = tool
        self._file = file
        self._loaded: dict[str, Suppressed] | None = None
        self._salt = ""
        self._begun = False

    @property
    def present(self) -> bool:
        """Whether the file is there and was begun for this tool: only then is the list complete."""
        self._begun = self._begun and self._file.exists()
        if not self._begun and self._file.exists():
            begun = self._read().get(_BEGUN)
            self._begun = begun is None or self._tool in begun  # a file of before names no tools: it is everybody's
        return self._begun

    def has(self, email: str) -> bool:
        return bool(email) and self._hash(email) in self._people()

    def add(self, emails: Iterable[str], reason: str) -> None:
        """Puts people on the list, in ledger and file, durably. That does not begin the list: see `begin`."""
        people = self._people()
        with self._ledger.reading() as connection:
            now: datetime = db_now(connection)
        new = [Suppressed(self._hash(email), reason, now.isoformat()) for email in emails if normal_email(email)]
        new = [one for one in new if one.hash not in people]
        if not new:
            return
        self._keep(new)
        people |= {one.hash: one for one in new}
        self._write()

    def begin(self) -> None:
        """Begins the list where it is not: somebody confirmed that it may start from here."""
        self._people()
        if not self.present:
            self._write(begin=True)

    def _people(self) -> dict[str, Suppressed]:
        if self._loaded is None:
            content = self._read()
            with self._ledger.writing() as connection:
                self._salt = content.get("salt") or get_meta(connection, _SALT) or secrets.token_hex(16)
                if get_meta(connection, _SALT) != self._salt:
                    set_meta(connection, _SALT, self._salt)
                where = crm_suppressed.c.tool == self._tool
                kept = {
                    row.hash: Suppressed(row.hash, row.reason, row.at.isoformat())
                    for row in connection.execute(sa.select(crm_suppressed).where(where))
                }
            filed = {
                str(one["hash"]): Suppressed(str(one["hash"]), str(one["reason"]), str(one["at"]))
                for one in content.get("people", [])
                if one.get("tool") == self._tool
            }
            self._loaded = kept | filed
            self._keep([one for one in filed.values() if one.hash not in kept])
            if content and set(kept) - set(filed):
                self._write()
        return self._loaded

    def _keep(self, people: list[Suppressed]) -> None:
        with self._ledger.writing() as connection:
            rows = [
                {"tool": self._tool, "hash": one.hash, "reason": one.reason, "at": datetime.fromisoformat(one.at)}
                for one in people
            ]
            upsert(connection, crm_suppressed, rows, keys=("tool", "hash"))

    def _hash(self, email: str) -> str:
        self._people()
        return hashlib.sha256(f"{self._salt}:{normal_email(email)}".encode()).hexdigest()

    def _read(self) -> dict[str, Any]:
        if not self._file.exists():
            return {}
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            people = found["people"]
            if not isinstance(people, list) or not isinstance(found["salt"], str):
                raise ValueError("it is not such a list")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"The list of erased people, {self._file}, cannot be read ({type(error).__name__}). Restore it from a"
                " backup: nobody else knows whom the tool must not be told of again."
            ) from None
        return dict(found)

    def _write(self, *, begin: bool = False) -> None:
        """Whole or not at all: other tools' entries stay."""
        before = self._read()
        others = [one for one in before.get("people", []) if one.get("tool") != self._tool]
        mine = [
            {"tool": self._tool, "hash": one.hash, "reason": one.reason, "at": one.at}
            for one in sorted((self._loaded or {}).values(), key=lambda one: one.hash)
        ]
        content: dict[str, Any] = {"salt": self._salt, "people": others + mine}
        begun = before.get(_BEGUN, None if before else [])
        if begun is not None:
            content[_BEGUN] = sorted({*begun, self._tool} if begin else begun)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._file)
