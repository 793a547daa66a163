"""What several processes do to one ledger at once. Each function is started in a process of its own."""

from __future__ import annotations

import time
from datetime import timedelta

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.attempts import StepRow, StepTaken, commit_attempt
from qualy_sync.ledger.leases import Lease, LeaseHeld
from qualy_sync.ledger.outcomes import Verdict, record
from qualy_sync.outcomes import Code, Outcome
from tests.conftest import SECRET_KEY

LEASE = timedelta(seconds=30)


def write_outcomes(url: str, book: int, rival: int, rounds: int) -> None:
    """Records of one's own, and records that all rivals write, each in another order."""
    ledger = Ledger(url, [SECRET_KEY])
    for turn in range(rounds):
        shared = [f"shared-{number}" for number in range(8)]
        shared = shared[rival:] + shared[:rival]
        names = [f"own-{rival}-{turn}", *(shared if turn % 2 else reversed(shared))]
        with ledger.writing() as connection:
            record(connection, book, rival, "xero", "1", [_verdict(name, rival, turn) for name in names])
    ledger.close()


def take_leases(url: str, rounds: int) -> None:
    """The same lease, so many times; whoever finds it held asks again."""
    ledger = Ledger(url, [SECRET_KEY])
    left = rounds
    while left:
        try:
            with Lease(ledger, "write:xero:1", LEASE) as lease:
                lease.renew()
                left -= 1
        except LeaseHeld:
            time.sleep(0.001)
    ledger.close()


def send_the_same(url: str, book: int, rival: int, steps: int) -> list[int]:
    """Commits an attempt at each of the same steps. Gives those that this process may send."""
    ledger = Ledger(url, [SECRET_KEY])
    mine: list[int] = []
    for number in range(steps):
        try:
            with ledger.writing() as connection:
                key = f"{rival}-{number}"
                step = [_step(f"payment-{number}")]
                commit_attempt(connection, ledger, book, rival, 1, "invoice", key, b"body", "hash", step)
            mine.append(number)
        except StepTaken:
            continue
    ledger.close()
    return mine


def _verdict(name: str, rival: int, turn: int) -> Verdict:
    return Verdict(
        kind="payment",
        leg="invoice",
        source_id=name,
        owner="",
        payment_id=name,
        amount=100,
        currency="AUD",
        month="2026-07",
        source_hash=f"{rival} {turn}",
        outcome=Outcome(Code.CREATED, {"tool": "Xero", "turn": str(turn)}),
    )


def _step(name: str) -> StepRow:
    return StepRow(
        leg="invoice",
        source_id=name,
        variant="",
        generation=1,
        ref=name,
        sought=name,
        source_hash="",
        content_hash="",
        settings_version="1",
        frozen={},
        seen={},
        amount=100,
        currency="AUD",
    )
