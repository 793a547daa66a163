"""Documents that post to a suspense account stay listed until somebody has recoded them in the tool.

The mirror has no lines. So the lines of just these documents are read, by id, and only of those that changed there
since they were looked at; with the daily reading of everything, of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import GONE, ReadsAccounts
from qualy_sync.ledger.schema import links, mirror_documents

from .work import Work


def look_at_recoded(work: Work, *, full: bool = False) -> int:
    """Takes what was recoded off the list; gives how many. Raises ToolError.

    Where the tool does not show the lines of its documents, everything stays listed.
    """
    if not isinstance(work.tool, ReadsAccounts):
        return 0
    listed = [row for row in _listed(work) if full or _looked_at(row) != row.updated_at.isoformat()]
    if not listed:
        return 0
    there = work.tool.accounts_of([row.remote_id for row in listed])
    recoded = 0
    with work.ledger.writing() as connection:
        for row in listed:
            if row.remote_id not in there:
                continue
            left = sorted(set(row.facts.get("suspense", ())) & there[row.remote_id])
            recoded += not left
            facts = {**row.facts, "suspense": left, "lines_looked_at": row.updated_at.isoformat()}
            connection.execute(sa.update(links).where(links.c.id == row.id).values(facts=_without_empty(facts)))
    return recoded


def _listed(work: Work) -> list[sa.Row[Any]]:
    """The links of live documents that post to a suspense account, as far as is known."""
    with work.ledger.reading() as connection:
        return list(
            connection.execute(
                sa.select(links.c.id, links.c.remote_id, links.c.facts, links.c.how, mirror_documents.c.updated_at)
                .join(
                    mirror_documents,
                    sa.and_(mirror_documents.c.book == links.c.book, mirror_documents.c.id == links.c.remote_id),
                )
                .where(
                    links.c.book == work.book,
                    sa.cast(links.c.facts, sa.Text).like('%"suspense"%'),
                    mirror_documents.c.status.not_in([str(status) for status in GONE]),
                )
                .order_by(links.c.id)
            )
        )


def _looked_at(row: sa.Row[Any]) -> str:
    return str(row.facts.get("lines_looked_at", ""))


def _without_empty(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "suspense" or value}
