"""The mirror: the tool's contacts, documents, settlements and allocations as last read.

For matching, looking first, and reconciling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import (
    CREDITS,
    Basis,
    Party,
    Remote,
    RemoteAllocation,
    RemoteContact,
    RemoteDocument,
    RemoteLine,
    RemoteSettlement,
    Status,
    What,
)
from qualy_sync.model import normal_email

from .engine import upsert
from .schema import mirror_allocations, mirror_contacts, mirror_documents, mirror_settlements


def name_key(name: str) -> str:
    """A name as it is compared: letters case-folded, spaces folded."""
    return " ".join(name.casefold().split())[:300]


def put(connection: sa.Connection, book: int, remotes: Iterable[Remote]) -> int:
    """Writes what was read (or answered) into the mirror; what comes later replaces what was there.

    A credit that shows its allocations shows all of them: those that it no longer shows are gone. Of a record of which
    only its end is told (deleted, and no currency) everything else stays as it was known.
    """
    rows: dict[str, tuple[sa.Table, dict[str, dict[str, Any]]]] = {
        "contact": (mirror_contacts, {}),
        "document": (mirror_documents, {}),
        "settlement": (mirror_settlements, {}),
        "allocation": (mirror_allocations, {}),
    }
    notes: list[RemoteDocument] = []
    count = 0
    for remote in remotes:
        if isinstance(remote, RemoteDocument | RemoteSettlement) and _only_its_end(remote):
            count += _end(connection, book, remote)
            continue
        kind, row = _row(book, remote)
        rows[kind][1][remote.id] = row
        if isinstance(remote, RemoteDocument) and remote.what in CREDITS:
            notes.append(remote)
        count += 1
    _forget_allocations(connection, book, notes)
    for note in notes:
        rows["allocation"][1].update({one.id: _row(book, one)[1] for one in note.allocations})
    for table, found in rows.values():
        upsert(connection, table, list(found.values()), keys=("book", "id"))
    return count


def _only_its_end(remote: RemoteDocument | RemoteSettlement) -> bool:
    return remote.status is Status.DELETED and not remote.currency


def _end(connection: sa.Connection, book: int, remote: RemoteDocument | RemoteSettlement) -> int:
    """One that was never read is nothing to us."""
    table = mirror_documents if isinstance(remote, RemoteDocument) else mirror_settlements
    values: dict[str, Any] = {"status": str(remote.status), "updated_at": remote.updated_at, "version": remote.version}
    found = sa.update(table).where(table.c.book == book, table.c.id == remote.id).values(**values)
    return connection.execute(found).rowcount


def _forget_allocations(connection: sa.Connection, book: int, notes: Sequence[RemoteDocument]) -> None:
    """Allocations without a ref are seen on their note alone, so that what it does not show was undone."""
    ids = [note.id for note in notes]
    for start in range(0, len(ids), 500):
        connection.execute(
            sa.delete(mirror_allocations).where(
                mirror_allocations.c.book == book,
                mirror_allocations.c.note_id.in_(ids[start : start + 500]),
                mirror_allocations.c.ref == "",
            )
        )


def _row(book: int, remote: Remote) -> tuple[str, dict[str, Any]]:
    if isinstance(remote, RemoteContact):
        extra = {"email": normal_email(remote.email), "name_key": name_key(remote.name), "party": str(remote.party)}
        return "contact", asdict(remote) | extra | {"book": book}
    if isinstance(remote, RemoteDocument):
        return "document", _document_row(book, remote)
    values = asdict(remote) | {"book": book, "status": str(remote.status)}
    if isinstance(remote, RemoteAllocation):
        return "allocation", values
    return "settlement", values | {"of": str(remote.of)}


def _document_row(book: int, remote: RemoteDocument) -> dict[str, Any]:
    row = {one.name: getattr(remote, one.name) for one in fields(remote) if one.name != "allocations"}
    return row | {
        "book": book,
        "what": str(remote.what),
        "status": str(remote.status),
        "basis": str(remote.basis) if remote.basis else None,
        "lines": None if remote.lines is None else [asdict(line) for line in remote.lines],
        "number_key": remote.number.casefold(),
    }


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
    return [
        RemoteContact(**(_values(row, "name_key") | {"party": Party(row.party)}))
        for row in _where(connection, mirror_contacts, book, column, values)
    ]


def documents_by(connection: sa.Connection, book: int, column: str, values: Sequence[str]) -> list[RemoteDocument]:
    """By `id`, `ref`, `number_key` or `contact_id`; credits with the allocations that are known."""
    rows = _where(connection, mirror_documents, book, column, values)
    credits = [row.id for row in rows if row.what in CREDITS]
    by_note: dict[str, list[RemoteAllocation]] = {}
    for one in allocations_by(connection, book, "note_id", credits) if credits else ():
        by_note.setdefault(one.note_id, []).append(one)
    return [_document(row, tuple(by_note.get(row.id, ()))) for row in rows]


def _document(row: sa.Row[Any], allocations: tuple[RemoteAllocation, ...]) -> RemoteDocument:
    read = {
        "what": What(row.what),
        "status": Status(row.status),
        "basis": Basis(row.basis) if row.basis else None,
        "lines": None if row.lines is None else tuple(RemoteLine(**line) for line in row.lines),
        "allocations": allocations,
    }
    return RemoteDocument(**(_values(row, "number_key") | read))


def settlements_by(connection: sa.Connection, book: int, column: str, values: Sequence[str]) -> list[RemoteSettlement]:
    """By `id`, `ref` or `document_id`."""
    return [
        RemoteSettlement(**(_values(row) | {"status": Status(row.status), "of": What(row.of)}))
        for row in _where(connection, mirror_settlements, book, column, values)
    ]


def allocations_by(connection: sa.Connection, book: int, column: str, values: Sequence[str]) -> list[RemoteAllocation]:
    """By `id`, `ref`, `note_id` or `document_id`."""
    return [
        RemoteAllocation(**(_values(row) | {"status": Status(row.status)}))
        for row in _where(connection, mirror_allocations, book, column, values)
    ]


def _values(row: sa.Row[Any], *left_out: str) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in ("book", *left_out)}
