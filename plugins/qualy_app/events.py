"""How long events are gathered: until the next run by the clock, once the tool's calls of the day run low.

Each event may start a run of its own, and each run that writes costs a few calls to look first.
"""

from __future__ import annotations

from datetime import timedelta

from qualy_sync.ledger import Ledger
from qualy_sync.ledger import books as keeping
from qualy_sync.load import Work
from qualy_sync.settings import AccountingSettings

QUOTA = "quota"
SCARCE = 10  # times the reserve of a day
WINDOW = timedelta(hours=24)


def note_quota(work: Work) -> None:
    """Keeps how many calls of the day the tool said are left; nothing where it said nothing."""
    left = work.tool.quota.day
    if left is not None:
        with work.ledger.writing() as connection:
            keeping.put_fact(connection, work.book, QUOTA, {"day": left})


def gathered(ledger: Ledger, book: int, accounting: AccountingSettings) -> bool:
    """Whether what an event brought waits for the clock's run."""
    kept = keeping.get_fact(ledger, book, QUOTA)
    if kept is None or ledger.now() - kept[1] > WINDOW:
        return False
    return int(kept[0]["day"]) < SCARCE * accounting.pace.day_reserve
