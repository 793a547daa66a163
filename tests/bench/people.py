"""What the benches of customers' tools share: made customers, and a ledger for each measurement."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qualy_sync.ledger import Ledger
from tests.support.crm_world import person
from tests.support.world import SECRET_KEY

TAG = {"_id": "t1", "name": "VIP"}


def customers(many: int) -> list[dict[str, Any]]:
    """Customers with a name, an address and a tag each."""
    return [person(number, "First", f"Last {number}", f"p{number}@school.test", tags=[TAG]) for number in range(many)]


@contextmanager
def fresh_ledger() -> Iterator[str]:
    """The address of a ledger with its tables, and nothing in them."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        ledger = Ledger(url, [SECRET_KEY])
        ledger.migrate()
        ledger.close()
        yield url
