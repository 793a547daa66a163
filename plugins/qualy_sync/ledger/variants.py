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


def put_variants(
    connection: sa.Connection,
    book: int,
    owners: Mapping[Record, str],
    before: Mapping[Record, Mapping[str, Outcome]],
    after: Mapping[Record, Mapping[str, Outcome]],
) -> None:
    """Keeps the outcomes of records' variants. Of these records, those that `after` names no more are forgotten."""
    rows = []
    for record, each in after.items():
        known = before.get(record, {})
        for variant in known.keys() - each.keys():
            _forget(connection, book, record, variant)
        rows += [
            {
                "book": book,
                "leg": record[0],
                "source_id": record[1],
                "variant": variant,
                "owner": owners[record],
                "code": str(outcome.code),
                "detail": dict(outcome.detail),
                "thing": outcome.thing[:300],
            }
            for variant, outcome in each.items()
            if known.get(variant) != outcome
        ]
    upsert(connection, variant_outcomes, rows, keys=("book", "leg", "source_id", "variant"))


def _forget(connection: sa.Connection, book: int, record: Record, variant: str) -> None:
    connection.execute(
        sa.delete(variant_outcomes).where(
            variant_outcomes.c.book == book,
            variant_outcomes.c.leg == record[0],
            variant_outcomes.c.source_id == record[1],
            variant_outcomes.c.variant == variant,
        )
    )
