"""What the settings' rules did to the books: documents dated on an open day, lock dates that moved, rates by source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger.lock_moves import LockMove, lock_moves
from qualy_sync.ledger.schema import links

NAMED = 10


@dataclass(slots=True)
class Redated:
    """Documents of one kind and currency that an approver moved from one accounting month to another, minor units."""

    leg: str
    currency: str
    from_month: str
    to_month: str
    approver: str
    records: int = 0
    net: int = 0
    tax: int = 0
    named: list[str] = field(default_factory=list)

    @property
    def changed_period(self) -> bool:
        return self.from_month != self.to_month


@dataclass(slots=True)
class RateUse:
    """Documents and settlements in a currency whose rate came from one source."""

    currency: str
    source: str
    records: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it. `posts_behind_lock`: the connection's user could write into a locked period; we do not."""

    redated: Sequence[Redated] = ()
    moves: Sequence[LockMove] = ()
    rates: Sequence[RateUse] = ()
    posts_behind_lock: bool = False

    def sentences(self, title: str) -> list[str]:
        """What the first page says of it."""
        said = [move.sentence(title) for move in self.moves]
        if self.posts_behind_lock:
            said.append(
                f"The connection's user may post behind {title}'s lock date. Nothing is written there all the same;"
                " better connect as a user who may not."
            )
        return said


def rules(connection: sa.Connection, book: int, since: datetime | None, chart: Mapping[str, Any]) -> Rules:
    """Lock dates that moved since a moment; everything else as the books stand."""
    return Rules(
        redated=_redated(connection, book),
        moves=lock_moves(connection, book, since),
        rates=_rates(connection, book),
        posts_behind_lock=bool(chart.get("posts_behind_lock")),
    )


def _redated(connection: sa.Connection, book: int) -> list[Redated]:
    found: dict[tuple[str, ...], Redated] = {}
    rows = connection.execute(
        sa.select(links.c.leg, links.c.source_id, links.c.ref, links.c.facts)
        .where(links.c.book == book, links.c.facts["redated"]["from"].as_string().is_not(None))
        .order_by(links.c.leg, links.c.source_id)
    )
    for row in rows:
        facts, moved = row.facts, row.facts["redated"]
        key = (row.leg, facts.get("currency", ""), moved["from"][:7], facts["date"][:7], moved["approver"])
        entry = found.setdefault(key, Redated(*key))
        entry.records += 1
        entry.net += int(facts.get("net", facts.get("amount", 0)))
        entry.tax += int(facts.get("tax", 0))
        if len(entry.named) < NAMED:
            entry.named.append(str(facts.get("number") or row.ref))
    return [found[key] for key in sorted(found)]


def _rates(connection: sa.Connection, book: int) -> list[RateUse]:
    found: dict[tuple[str, str], RateUse] = {}
    source, currency = links.c.facts["rate"]["source"].as_string(), links.c.facts["currency"].as_string()
    rows = connection.execute(
        sa.select(currency.label("currency"), source.label("source"), sa.func.count().label("records"))
        .where(links.c.book == book, source.is_not(None))
        .group_by(currency, source)
    )
    for row in rows:
        found[(row.currency or "", row.source)] = RateUse(row.currency or "", row.source, int(row.records))
    return [found[key] for key in sorted(found)]
