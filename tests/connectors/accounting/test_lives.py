"""Random lives of payments, with faults in between: the books show Qualy's amounts, or name what is held.

Thirty lives for each tool; many more in the long suite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from qualy_sync.ledger.schema import current_outcomes, links, mirror_documents
from qualy_sync.outcomes import Code, Group, meaning
from qualy_sync.reconcile import completeness, totals
from tests.support.acceptance import ToolWorld
from tests.support.random_lives import Life, Lives, lively

ROUNDS = 5
LIVES = 30
SEEDS = [pytest.param(1), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 12))]
pytestmark = pytest.mark.usefixtures("as_it_was")


@pytest.mark.parametrize("seed", SEEDS)
def test_random_lives_end_in_books_that_agree_or_say_what_is_held(
    make_world: Callable[..., ToolWorld], tmp_path: Path, seed: int
) -> None:
    """Every third seed, a part of each life is over before the first run."""
    world = make_world()
    world.settings = lively(world.case.settings, tmp_path)
    lives = Lives(world, seed, LIVES)
    for _ in range(3 if seed % 3 == 0 else 0):
        lives.happen()
        world.pass_time(world.between)
    world.run()
    for _ in range(ROUNDS):
        lives.happen()
        for fault in lives.faults():
            world.faults(fault)
        world.pass_time(world.between)
        world.run()
        world.clear_faults()
    for _ in range(5):
        world.pass_time(world.between)
        assert world.run(), world.problems
    assert not world.open_attempts()
    assert {life.currency for life in lives.lives} == _booked(world), "every currency was booked in"
    _nothing_is_there_twice(world)
    _every_record_has_one_outcome(world)
    _held_amounts_account_for_the_whole_difference(world)
    for life in lives.lives:
        _shows_what_qualy_says(world, life)


def _booked(world: ToolWorld) -> set[str]:
    query = sa.select(mirror_documents.c.currency).join(links, links.c.remote_id == mirror_documents.c.id)
    with world.ledger.reading() as connection:
        return set(connection.scalars(query.where(links.c.leg == "invoice")))


def _nothing_is_there_twice(world: ToolWorld) -> None:
    held = world.held()
    refs = Counter({ref: number for (_, ref, _, _), number in held.documents.items() if ref})
    assert [ref for ref, number in refs.items() if number > 1] == []
    settled = Counter({(document, ref): number for (document, ref, _), number in held.settlements.items() if ref})
    assert [ref for ref, number in settled.items() if number > 1] == []


def _every_record_has_one_outcome(world: ToolWorld) -> None:
    proof = completeness(world.ledger, world.book())
    assert proof.proved, proof.sentence()


def _held_amounts_account_for_the_whole_difference(world: ToolWorld) -> None:
    with world.ledger.reading() as connection:
        pin = connection.scalar(sa.text("SELECT MAX(number) FROM passes WHERE completed_at IS NOT NULL"))
        lines = totals(connection, world.book(), pin)
    assert [(line.kind, line.currency, line.month, line.difference) for line in lines if line.difference] == []


def _shows_what_qualy_says(world: ToolWorld, life: Life) -> None:
    """Unless one of its legs is held, and says so."""
    said = _said(world, life)
    if any(group not in (Group.IN_STEP, Group.EXCLUDED) for group in said.values()):
        assert any(meaning(Code(code)).waits_for_a_person for _, code in said), (life, said)
        return
    document = _document(world, life)
    if document is None or document.status in ("voided", "deleted"):
        assert life.cancelled, (life, said)
        return
    assert document.due == life.outstanding, (life, said)


def _said(world: ToolWorld, life: Life) -> dict[tuple[str, str], Any]:
    """Every leg of a payment but its bills', with its code."""
    query = sa.select(current_outcomes).where(
        sa.or_(current_outcomes.c.payment_id == life.id, current_outcomes.c.source_id == life.id),
        current_outcomes.c.leg.in_(["invoice", "settlement", "credit_note", "allocation"]),
    )
    with world.ledger.reading() as connection:
        rows = list(connection.execute(query))
    return {(f"{row.leg} {row.source_id}", row.code): meaning(Code(row.code)).group for row in rows}


def _document(world: ToolWorld, life: Life) -> Any:
    with world.ledger.reading() as connection:
        return connection.execute(
            sa.select(mirror_documents)
            .join(links, sa.and_(links.c.book == mirror_documents.c.book, links.c.remote_id == mirror_documents.c.id))
            .where(links.c.leg == "invoice", links.c.source_id == life.id)
        ).first()
