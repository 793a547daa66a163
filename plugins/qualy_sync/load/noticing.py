"""Noticing what somebody did in the tool to records that were in step: those are planned again, and it is told.

Qualy did not change them, so that no run would look at them by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from qualy_sync.contracts.accounting import GONE, Remote, RemoteContact, RemoteDocument, RemoteSettlement
from qualy_sync.ledger import mirror
from qualy_sync.ledger.attempts import links_to, links_with_ref
from qualy_sync.ledger.outcomes import look_again
from qualy_sync.plan.found import stands_as_agreed
from qualy_sync.plan.refs import looks_like_ref


def put(connection: sa.Connection, book: int, remotes: Sequence[Remote]) -> int:
    """Puts what was read into the mirror; what it shows otherwise than agreed is planned again. Gives its count."""
    count = mirror.put(connection, book, remotes)
    read = [one for one in remotes if isinstance(one, RemoteDocument | RemoteSettlement)]
    archived = [one.id for one in remotes if isinstance(one, RemoteContact) and not one.active]
    linked = links_to(connection, book, [one.id for one in read] + archived)
    moved = {
        (link.leg, link.source_id)
        for one in read
        for link in linked.get(one.id, ())
        if not stands_as_agreed(link.facts, one)
    }
    copies = [one.ref for one in read if one.id not in linked and looks_like_ref(one.ref) and one.status not in GONE]
    moved |= {(link.leg, link.source_id) for contact in archived for link in linked.get(contact, ())}
    moved |= {(link.leg, link.source_id) for link in links_with_ref(connection, book, copies)}
    look_again(connection, book, moved)
    return count
