"""What the ledger knows of a record of the tool's when only its end is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copy

from qualy_sync.contracts.accounting import RemoteDocument, Status, What
from qualy_sync.ledger import Ledger, mirror
from tests.support.ledger_rows import LedgerRows

NOW = datetime(2026, 7, 15, tzinfo=UTC)
BILL = RemoteDocument(
    "7",
    What.BILL,
    "B1",
    "B1",
    "vendor-3",
    "AUD",
    date(2026, 7, 1),
    None,
    Status.AUTHORISED,
    100,
    10,
    110,
    0,
    0,
    110,
    NOW,
)


def test_a_deleted_record_keeps_its_reference_and_an_unknown_one_is_nothing(
    migrated_file: Path, tmp_path: Path
) -> None:
    ledger = Ledger(f"sqlite:///{copy(migrated_file, tmp_path / 'ledger.db')}")
    book = LedgerRows(ledger).open().book
    gone = replace(BILL, ref="", number="", contact_id="", currency="", total=0, status=Status.DELETED)
    with ledger.writing() as connection:
        mirror.put(connection, book, [BILL])
        assert mirror.put(connection, book, [gone, replace(gone, id="8")]) == 1
    with ledger.reading() as connection:
        (found,) = mirror.documents_by(connection, book, "ref", ["B1"])
        assert (found.status, found.total, found.currency) == (Status.DELETED, 110, "AUD")
        assert not mirror.documents_by(connection, book, "id", ["8"])
    ledger.close()
