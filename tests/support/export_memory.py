"""`python -m tests.support.export_memory URL`: peak memory of CSV files of 2,500 and 5,000 payments, as a JSON list."""

from __future__ import annotations

import json
import sys
import tempfile

import sqlalchemy as sa

from qualy_sync.export import BEGINNING, Span, position, tables, write_table
from qualy_sync.extract import extract
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import passes
from qualy_sync.settings import SourceSettings
from tests.support.extract_memory import DAY, Endless, most_held


def fill(ledger: Ledger, many: int) -> None:
    """Afterwards the newest complete and checked pass shows so many payments."""
    ledger.move_clock(DAY)
    number = extract(ledger, Endless(many), SourceSettings()).number
    with ledger.writing() as connection:
        checked = sa.update(passes).where(passes.c.number == number).values(checked_at=ledger.now())
        connection.execute(checked)


def peak(ledger: Ledger, many: int) -> int:
    """The most bytes that writing the file of payments held at once."""
    fill(ledger, many)
    with ledger.reading() as connection, tempfile.TemporaryFile() as file:
        span = Span(BEGINNING, position(connection))
        [payments] = [table for table in tables(connection, span, ledger.now(), {}) if table.name == "payments"]
        high, rows = most_held(lambda: write_table(file, payments, byte_order_mark=True))
        file.seek(0)
        if rows != many or sum(1 for _ in file) != many + 1:
            raise SystemExit(f"not every payment was written: {rows}")
        return high


def main(url: str) -> None:
    ledger = Ledger(url)
    ledger.migrate()
    peak(ledger, 200)  # what is kept for good is there before the first measuring
    print(json.dumps([peak(ledger, 2_500), peak(ledger, 5_000)]))


if __name__ == "__main__":
    main(sys.argv[1])
