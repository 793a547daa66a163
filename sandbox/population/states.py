"""Which states and troubles occur, and how often: a table of 500 payments that repeats.

The table makes sure that everything occurs at least once in a world of 200 payments already, and that about 85 of 100
payments are clean.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from sandbox.population.profiles import Profile

PERIOD = 500
SMALL = 200
"""So many payments hold everything that there is."""

BLOCK = (4, 3, 2, 1)
"""Ten payments in a row belong to four customers, who have so many each."""

BLOCK_STARTS = (0, 4, 7, 9)
OWNER = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3)

# State -> how many of 500. The order is that in which the instalments of a plan stand.
STATES = {
    "refunded": 4,
    "refunded_in_part": 3,
    "refund_without_charge": 1,
    "overpaid": 3,
    "disputed": 1,
    "nothing_to_pay": 1,
    "paid": 226,
    "paid_in_two": 20,
    "failed_then_paid": 10,
    "paid_at_school": 10,
    "paid_in_cash": 3,
    "canceled": 5,
    "paid_in_part": 38,
    "overdue": 45,
    "failed": 5,
    "processing": 15,
    "due": 105,
    "draft": 5,
}
USUAL = frozenset({"paid", "overdue", "due", "paid_in_part"})
TROUBLES = {"unmapped_item": 5, "splits_too_small": 3, "splits_too_large": 2, "partner_without_email": 5}

CUSTOMER_PERIOD = 200
EMAIL_TROUBLES = {
    "no_email": 1,
    "empty_email": 1,
    "malformed": 2,
    "shared": 2,
    "upper_case": 6,
    "padded": 1,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table says about one payment."""

    state: str
    trouble: str | None
    tuition: bool
    discounted: bool
    currency: str


def payment_table(seed: int, profile: Profile) -> tuple[Entry, ...]:
    """The table of payments of one world."""
    chance = random.Random(f"payments {seed} {profile.name}")
    states = [state for state, times in STATES.items() for _ in range(times)]
    chance.shuffle(states)
    rank = {state: number for number, state in enumerate(STATES)}
    currencies = _currencies(chance, profile)
    tuition = [_is_tuition(place) for place in range(PERIOD)]
    ordered: list[str] = []
    for start in range(0, PERIOD, 10):
        for first, size in zip(BLOCK_STARTS, BLOCK, strict=True):
            plan = states[start + first : start + first + size]
            ordered.extend(sorted(plan, key=rank.__getitem__))
    troubles: dict[int, str] = {}
    free = [place for place in range(PERIOD) if ordered[place] in USUAL and currencies[place] != profile.not_enabled]
    chance.shuffle(free)
    for trouble, times in TROUBLES.items():
        fitting = [place for place in free if tuition[place] is (trouble != "unmapped_item") and place not in troubles]
        troubles.update(dict.fromkeys(fitting[:times], trouble))
    clean_tuition = [place for place in range(PERIOD) if tuition[place] and place not in troubles]
    discounted = set(chance.sample(clean_tuition, 30))
    entries = [
        Entry(
            ordered[place],
            troubles.get(place),
            tuition[place] or ordered[place] == "nothing_to_pay",
            place in discounted,
            currencies[place],
        )
        for place in range(PERIOD)
    ]
    return _everything_early(entries)


def _everything_early(entries: list[Entry]) -> tuple[Entry, ...]:
    """The plans of ten payments in another order: what the first hundred lack follows in the second."""
    rest = [entries[start : start + 10] for start in range(0, PERIOD, 10)]
    first = [rest.pop(0) for _ in range(SMALL // 20)]
    while len(first) < SMALL // 10:
        there = {kind for block in first for kind in _kinds(block)}
        first.append(rest.pop(max(range(len(rest)), key=lambda place: len(_kinds(rest[place]) - there))))
    return tuple(entry for block in (*first, *rest) for entry in block)


def _kinds(block: list[Entry]) -> set[str | None]:
    return {kind for entry in block for kind in (entry.state, entry.trouble, entry.currency)}


def customer_table(seed: int, profile: Profile) -> tuple[str | None, ...]:
    """The trouble with the email of each customer, None for nearly all."""
    chance = random.Random(f"customers {seed} {profile.name}")
    table: list[str | None] = [None] * CUSTOMER_PERIOD
    places = iter(chance.sample(range(1, CUSTOMER_PERIOD, 2), sum(EMAIL_TROUBLES.values())))
    for trouble, times in EMAIL_TROUBLES.items():
        for _ in range(times):
            table[next(places)] = trouble
    small = SMALL // 10 * len(BLOCK)
    clean = [place for place in range(small // 2 + 1, small, 2) if table[place] is None]
    for trouble in EMAIL_TROUBLES:
        if trouble not in table[:small]:
            here, there = clean.pop(chance.randrange(len(clean))), table.index(trouble)
            table[here], table[there] = table[there], table[here]
    return tuple(table)


def _is_tuition(place: int) -> bool:
    """A plan is instalments of tuition and, last, the services around it; single payments are both in turn."""
    inside = place % 10
    return inside not in (3, 6, 8) and not (inside == 9 and place // 10 % 2 == 0)


def _currencies(chance: random.Random, profile: Profile) -> list[str]:
    """One currency per plan. The one that is not enabled takes three payments of the table."""
    plans = PERIOD // 10 * len(BLOCK)
    drawn = [code for code, share in profile.currencies for _ in range(max(2, share * plans // 1000))]
    drawn = [*drawn, *[profile.currency] * plans][:plans]
    chance.shuffle(drawn)
    by_place = [drawn[place // 10 * len(BLOCK) + OWNER[place % 10]] for place in range(PERIOD)]
    block = chance.randrange(1, PERIOD // 10) * 10
    for place in (block + 7, block + 8, block + 9):
        by_place[place] = profile.not_enabled
    return by_place
