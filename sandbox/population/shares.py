"""How an item is shared between the partners and the agency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.population.draw import Draw
from sandbox.population.people import PARTNER_WITHOUT_EMAIL, partner_kind
from sandbox.population.states import Entry

OWN = -1


@dataclass(frozen=True, slots=True)
class Share:
    """One split; ``partner`` is an index or OWN, ``of`` the share that it is a percentage of, if not the item."""

    item: int
    type: str
    amount: int
    partner: int
    per_mille: int | None = None
    of: int | None = None


def shares_of(draw: Draw, entry: Entry, items: Sequence[tuple[str, int]], partners: int) -> tuple[Share, ...]:
    """The splits of the items (category, amount) of one payment; each item's add up to it, but for trouble."""
    shares: list[Share] = []
    for number, (category, amount) in enumerate(items):
        if category == "Tuition":
            shares += _tuition(draw, entry, number, amount, partners, len(shares))
        elif category in ("Accommodation", "Airport transfer", "Insurance"):
            shares += _service(draw, number, amount, partners)
        elif category in ("Visa", "Enrolment fee") and draw.below(2):
            shares.append(Share(number, "remainder", amount, OWN))
    if shares and entry.trouble == "splits_too_small":
        shares[-1] = replace(shares[-1], amount=shares[-1].amount - max(1, shares[-1].amount // 10))
    if shares and entry.trouble == "splits_too_large":
        shares[0] = replace(shares[0], amount=shares[0].amount + max(1, shares[0].amount // 5))
    return tuple(shares)


def _tuition(draw: Draw, entry: Entry, item: int, amount: int, partners: int, first: int) -> list[Share]:
    if entry.state == "nothing_to_pay":
        return []
    kind = draw.below(100)
    unknown_agent = entry.trouble == "partner_without_email"
    if entry.trouble is not None:
        kind = 60
    if kind >= 88:
        return []
    school = _part(item, "supplier-share", amount, draw.between(140, 170) * 5, _partner(draw, "school", partners))
    agent_index = PARTNER_WITHOUT_EMAIL if unknown_agent else _partner(draw, "agent", partners)
    agent = _part(item, "percentage-on-amount", amount, draw.between(16, 28) * 5, agent_index)
    if kind < 45:
        shares = [school]
    elif kind < 72:
        shares = [school, agent]
    elif kind < 79:
        sub_agent = _part(item, "percentage-on-split", agent.amount, 200, _partner(draw, "agent", partners))
        shares = [school, agent, replace(sub_agent, of=first + 1)]
    else:
        shares = [agent]
    return [*shares, Share(item, "remainder", amount - sum(share.amount for share in shares), OWN)]


def _service(draw: Draw, item: int, amount: int, partners: int) -> list[Share]:
    kind = draw.below(100)
    if kind >= 80:
        return [Share(item, "remainder", amount, OWN)]
    supplier = _partner(draw, "supplier", partners)
    flat = Share(item, "amount-flat", amount * draw.of((60, 70, 80)) // 100, supplier)
    if kind < 50:
        return [flat, Share(item, "remainder", amount - flat.amount, OWN)]
    markup = Share(item, "markup", amount // 10, _partner(draw, "agent", partners))
    return [flat, markup, Share(item, "remainder", amount - flat.amount - markup.amount, OWN)]


def _part(item: int, kind: str, of_amount: int, per_mille: int, partner: int) -> Share:
    """A percentage, rounded half up to the minor unit."""
    return Share(item, kind, (of_amount * per_mille + 500) // 1000, partner, per_mille)


def _partner(draw: Draw, kind: str, partners: int) -> int:
    """Some partner of a kind, and never the one without an email."""
    index = draw.below(partners)
    while partner_kind(index) != kind or index == PARTNER_WITHOUT_EMAIL:
        index = (index + 1) % partners
    return index
