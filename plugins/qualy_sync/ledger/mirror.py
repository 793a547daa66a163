"""The mirror: the tool's contacts, documents and settlements as last read, for matching and looking first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import (
    Remote,
    RemoteContact,
    RemoteDocument,
    RemoteSettlement,
    Status,
    What,
)
from qualy_sync.model import normal_email

from .engine import upsert
from .schema import mirror_contacts, mirror_documents, mirror_settlements


def name_key(name: str) -> str:
    """A name as it is compared: letters case-folded, spaces folded."""
    return " ".join(name.casefold().split())[:300]


def put(connection: sa.Connection, book: int, remotes: Iterable[Remote]) -> int:
    """Writes what was read (or answered) into the mirror; an older reading never replaces a newer one."""
    rows: dict[str, tuple[sa.Table, dict[str, dict[str, Any]]]] = {
        "contact": (mirror_contacts, {}),
        "document": (mirror_documents, {}),
        "settlement": (mirror_settlements, {}),
    }
    count = 0
    for remote in remotes:
        kind, row = _row(book, remote)
        rows[kind][1][remote.id] = row
        count += 1
    for table, found in rows.values():
        upsert(connection, table, list(found.values()), keys=("book", "id"))
    return count


def _row(book: int, remote: Remote) -> tuple[str, dict[str, Any]]:
    if isinstance(remote, RemoteContact):
        extra = {"book": book, "email": normal_email(remote.email), "name_key": name_key(remote.name)}
        return "contact", asdict(remote) | extra
    if isinstance(remote, RemoteDocument):
        extra = {"book": book, "what": str(remote.what), "status": str(remote.status)}
        return "document", asdict(remote) | extra | {"number_key": remote.number.casefold()}
    return "settlement", asdict(remote) | {"book": book, "status": str(remote.status)}


def _where(
    connection: sa.Connection, table: sa.Table, book: int, column: str, values: Sequence[str]
) -> list[sa.Row[Any]]:
    found: list[sa.Row[Any]] = []
    wanted = sorted({value for value in values if value})
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        found += connection.execute(sa.select(table).where(table.c.book == book, table.c[column].in_(chunk))).all()
    return found


def contacts_by(connection: sa.Connection, book: int, column: str, values: Sequence[str]) -> list[RemoteContact]:
    """By `id`, `ref`, `email` or `name_key`."""
    names = ("id", "ref", "name", "email", "active", "merged_into", "updated_at")
    return [
        RemoteContact(**{name: getattr(row, name) for name in names})
        for row in _where(connection, mirror_contacts, book, column, values)
    ]


def documents_by(connection: sa.Connection, book: int, column: str, values: Sequence[str]) -> list[RemoteDocument]:
    """By `id`, `ref`, `number_key` or `contact_id`."""
    return [_document(row) for row in _where(connection, mirror_documents, book, column, values)]


def _document(row: sa.Row[Any]) -> RemoteDocument:
    value = {name: item for name, item in row._mapping.items() if name not in ("book", "number_key")}
    return RemoteDocument(**(value | {"what": What(row.what), "status": Status(row.status)}))


def settlements_by(connection: sa.Connection, book: int, column: str, values: Sequence[str]) -> list[RemoteSettlement]:
    """By `id`, `ref` or `document_id`."""
    return [
        RemoteSettlement(
            **({name: item for name, item in row._mapping.items() if name != "book"} | {"status": Status(row.status)})
        )
        for row in _where(connection, mirror_settlements, book, column, values)
    ]
