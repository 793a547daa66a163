"""Four processes write one ledger at once, on either database: nothing is lost, and one of them wins each step."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import attempt_steps, attempts, books, current_outcomes, leases, outcomes
from tests.support import rivals

RIVALS = 4
ROUNDS = 12


def at_once(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Each in a process of its own. What one of them raises is raised here."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.rivals", "tests.support.world"])
    with ProcessPoolExecutor(RIVALS, mp_context=context) as pool:
        return [one.result() for one in [pool.submit(work, *given) for given in arguments]]


@pytest.fixture
def book(any_ledger: Ledger) -> int:
    with any_ledger.writing() as connection:
        made = sa.insert(books).values(
            tenant="t", tool="xero", organisation="o", name="A school", pinned_at=sa.func.now()
        )
        if any_ledger.is_sqlite:
            made = made.values(pinned_at=any_ledger.now())
        return int(connection.execute(made.returning(books.c.id)).scalar_one())


def test_no_outcome_is_lost(any_ledger: Ledger, book: int) -> None:
    at_once(rivals.write_outcomes, [(any_ledger.url, book, rival, ROUNDS) for rival in range(RIVALS)])
    with any_ledger.reading() as connection:
        current = {row.source_id: row for row in connection.execute(sa.select(current_outcomes))}
        history = {row.id: row for row in connection.execute(sa.select(outcomes))}
    assert set(current) == {f"own-{rival}-{turn}" for rival in range(RIVALS) for turn in range(ROUNDS)} | {
        f"shared-{number}" for number in range(8)
    }
    written = Counter(row.source_id for row in history.values())
    assert {written[f"shared-{number}"] for number in range(8)} == {RIVALS * ROUNDS}
    for name, row in current.items():
        assert history[row.outcome].source_id == name
        assert history[row.outcome].source_hash == row.source_hash


def test_every_holder_of_a_lease_counts(any_ledger: Ledger) -> None:
    at_once(rivals.take_leases, [(any_ledger.url, ROUNDS)] * RIVALS)
    with any_ledger.reading() as connection:
        assert connection.scalar(sa.select(leases.c.epoch)) == RIVALS * ROUNDS


def test_one_wins_each_step(any_ledger: Ledger, book: int) -> None:
    won = at_once(rivals.send_the_same, [(any_ledger.url, book, rival, ROUNDS) for rival in range(RIVALS)])
    assert sorted(number for mine in won for number in mine) == list(range(ROUNDS))
    with any_ledger.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(attempts)) == ROUNDS
        assert connection.scalar(sa.select(sa.func.count()).select_from(attempt_steps)) == ROUNDS
