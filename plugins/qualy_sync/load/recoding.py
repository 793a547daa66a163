"""Documents that post to a suspense account stay listed until somebody has recoded them in the tool.

The mirror shows the lines of what was read, so that nothing is called for it: a recoded document comes with the
reading of what changed, or at the latest with the daily reading of everything.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import GONE
from qualy_sync.ledger.schema import links, mirror_documents

from .work import Work


def look_at_recoded(work: Work) -> int:
    """Takes what was recoded off the list; gives how many.

    Where the tool does not show the lines of a document, it stays listed.
    """
    recoded = 0
    with work.ledger.writing() as connection:
        for row in _listed(connection, work.book):
            before = set(row.facts.get("suspense", ()))
            left = sorted(before & {line["account"] for line in row.lines})
            if set(left) == before:
                continue
            recoded += not left
            facts = {name: value for name, value in row.facts.items() if name != "suspense"}
            if left:
                facts["suspense"] = left
            connection.execute(sa.update(links).where(links.c.id == row.id).values(facts=facts))
    return recoded


def _listed(connection: sa.Connection, book: int) -> list[sa.Row[Any]]:
    """The links of live documents that post to a suspense account as far as is known, with the lines they have now."""
    there = sa.and_(mirror_documents.c.book == links.c.book, mirror_documents.c.id == links.c.remote_id)
    found = connection.execute(
        sa.select(links.c.id, links.c.facts, mirror_documents.c.lines)
        .join(mirror_documents, there)
        .where(
            links.c.book == book,
            sa.cast(links.c.facts, sa.Text).like('%"suspense"%'),
            mirror_documents.c.status.not_in([str(status) for status in GONE]),
        )
        .order_by(links.c.id)
    )
    return [row for row in found if row.lines is not None]
