"""Whether a local ledger remembers real books. Standard library only: ``bin/setup`` asks before anything is there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def is_real(ledger: Path) -> bool:
    """True where the ledger is stamped with a real organisation; one that cannot be read counts as real, one that is
    not there, or was never written, does not."""
    if not ledger.is_file():
        return False
    with contextlib.closing(sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = 'stamp'").fetchone()
        except sqlite3.DatabaseError as error:
            return "no such table" not in str(error)
    return row is not None and row[0] == "real"
