"""Applying changed settings to documents that exist: what that would change, and doing just that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from qualy_sync.ledger.schema import current_outcomes, links
from qualy_sync.ledger.slices import OWNERS_PER_SLICE
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Planned, Span
from qualy_sync.plan.reapply import LEGS, OURS

from .gate import confirm, offer, plan_hash
from .keep import keep_planned
from .planning import plan_owners
from .work import Filter, Work


def candidates(work: Work, span: Span) -> dict[str, set[Key]]:
    """Documents of ours of these days that were made under other settings, by the customer they belong to."""
    day = links.c.facts["date"].as_string()
    query = (
        sa.select(links.c.leg, links.c.source_id, current_outcomes.c.owner)
        .join(
            current_outcomes,
            sa.and_(
                current_outcomes.c.book == links.c.book,
                current_outcomes.c.leg == links.c.leg,
                current_outcomes.c.source_id == links.c.source_id,
            ),
        )
        .where(
            links.c.book == work.book,
            links.c.leg.in_([str(leg) for leg in LEGS]),
            links.c.how.in_(OURS),
            links.c.settings_version != work.settings.version,
            day >= span.first.isoformat(),
            day <= span.last.isoformat(),
        )
    )
    found: dict[str, set[Key]] = {}
    with work.ledger.reading() as connection:
        for row in connection.execute(query):
            found.setdefault(row.owner, set()).add((row.leg, row.source_id))
    return found


def plan_reapply(work: Work, span: Span) -> list[Planned]:
    """What becomes of those documents under the settings of now; nothing is kept."""
    work = replace(work, reapply=span)
    return [one for some in _plans(work, candidates(work, span)) for one in some]


def offer_reapply(work: Work, planned: Sequence[Planned]) -> str:
    """The hash that names exactly these changes; it is offered for confirmation."""
    name, steps = plan_hash([one for one in planned if one.due])
    offer(work.ledger, work.book, name, steps)
    return name


def reapply(work: Work, span: Span, name: str, by: str) -> dict[str, int] | None:
    """Does what was previewed under a hash, and nothing else. None where the plan is no longer that one."""
    from . import load

    work = replace(work, reapply=span)
    planned = plan_reapply(work, span)
    if plan_hash([one for one in planned if one.due])[0] != name or not confirm(work.ledger, work.book, name, by):
        return None
    due = frozenset(one.key for one in planned if one.due)
    terms = work.terms()
    # What stays as it is, since the settings make it out the same, is of these settings from now on.
    keep_planned(work, terms, [one for one in planned if one.due or one.link is not None])
    counts = load(replace(work, filter=Filter(keys=due)), "documents") if due else {}
    return counts | {"same": sum(1 for one in planned if one.link is not None)}


def in_the_way(planned: Sequence[Planned]) -> dict[Code, int]:
    """How many documents would change and cannot, by why."""
    found: dict[Code, int] = {}
    for one in planned:
        if one.outcome is not None and one.outcome.meaning.waits_for_a_person:
            found[one.outcome.code] = found.get(one.outcome.code, 0) + 1
    return found


def _plans(work: Work, wanted: dict[str, set[Key]]) -> Iterator[list[Planned]]:
    terms = work.terms()
    owners = sorted(wanted)
    keys = {key for mine in wanted.values() for key in mine}
    for start in range(0, len(owners), OWNERS_PER_SLICE):
        plan = plan_owners(work, terms, owners[start : start + OWNERS_PER_SLICE])
        yield [one for one in plan.planned if one.key in keys]
