"""Documents that a complete reading no longer shows: some tools delete, and their lists of changes do not tell."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

import sqlalchemy as sa

from qualy_sync.contracts.accounting import DOCUMENTS, GONE, EachAnswer, Remote, RemoteDocument, Status, What
from qualy_sync.ledger import mirror
from qualy_sync.ledger.schema import mirror_documents

from . import noticing
from .work import Work

AT_ONCE = 40


def forget_vanished(work: Work, read: What, seen: Set[str], each_answer: EachAnswer) -> int:
    """Marks as deleted what the mirror has, a complete reading by this kind did not show, and is not there by id.

    `seen` are the ids of the reading. One that only slipped through it is put into the mirror as it is.
    """
    kinds = [what for what in DOCUMENTS if work.tool.ways.reads.get(what) is read]
    with work.ledger.reading() as connection:
        missing = [one for one in _live(connection, work.book, kinds) if one not in seen] if kinds else []
        gone = mirror.documents_by(connection, work.book, "id", missing)
    for start in range(0, len(gone), AT_ONCE):
        _look(work, gone[start : start + AT_ONCE], each_answer)
    return len(gone)


def _look(work: Work, documents: list[RemoteDocument], each_answer: EachAnswer) -> None:
    found: list[Remote] = []
    for what in sorted({one.what for one in documents}):
        found += work.tool.by_id(what, [one.id for one in documents if one.what is what], each_answer)
    there = {one.id for one in found}
    deleted = [replace(one, status=Status.DELETED, due=0) for one in documents if one.id not in there]
    with work.ledger.writing() as connection:
        noticing.put(connection, work.book, [*found, *deleted])


def _live(connection: sa.Connection, book: int, kinds: list[What]) -> list[str]:
    query = sa.select(mirror_documents.c.id).where(
        mirror_documents.c.book == book,
        mirror_documents.c.what.in_([str(what) for what in kinds]),
        mirror_documents.c.status.not_in([str(status) for status in GONE]),
    )
    return list(connection.scalars(query))
