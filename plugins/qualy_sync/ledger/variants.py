"""The outcomes of a record that stands in the tool more than once: one per variant (the currency of a contact)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from qualy_sync.outcomes import Code, Outcome

from .engine import upsert
from .schema import LEGS, variant_outcomes

Record = tuple[str, ...]  # (leg, source id)


def variants_on(connection: sa.Connection, book: int, source_ids: Sequence[str]) -> dict[Record, dict[str, Outcome]]:
    """The outcome of each variant per (leg, source id)."""
    found: dict[Record, dict[str, Outcome]] = {}
    wanted = sorted(set(source_ids))
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(variant_outcomes).where(
                variant_outcomes.c.book == book,
                variant_outcomes.c.leg.in_(LEGS),
                variant_outcomes.c.source_id.in_(wanted[start : start + 500]),
            )
        )
        for row in rows:
            outcome = Outcome(Code(row.code), row.detail, row.thing)
            found.setdefault((row.leg, row.source_id), {})[row.variant] = outcome
    return found


def put_variants(connection: sa.Connection, book: int, record: Record, owner: str, each: Mapping[str, Outcome]) -> None:
    """Keeps the outcomes of a record's variants; those that it names no more are forgotten."""
    leg, source_id = record
    connection.execute(
        sa.delete(variant_outcomes).where(
            variant_outcomes.c.book == book,
            variant_outcomes.c.leg == leg,
            variant_outcomes.c.source_id == source_id,
            variant_outcomes.c.variant.not_in(sorted(each)),
        )
    )
    rows = [
        {
            "book": book,
            "leg": leg,
            "source_id": source_id,
            "variant": variant,
            "owner": owner,
            "code": str(outcome.code),
            "detail": dict(outcome.detail),
            "thing": outcome.thing[:300],
        }
        for variant, outcome in each.items()
    ]
    upsert(connection, variant_outcomes, rows, keys=("book", "leg", "source_id", "variant"))
