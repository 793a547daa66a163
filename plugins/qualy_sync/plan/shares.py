"""Splits as shares of the items of a payment: who owes whom, and whether they add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qualy_sync.model import Item, Money, Payment, Split
from qualy_sync.outcomes import Code, Outcome

from .mapping import role_of
from .values import Terms

ANY_ITEM = ""  # the problem of shares that belong to nobody knows which item


def payable(terms: Terms, split: Split, partner_name: str) -> str | Outcome:
    """Whom a split is owed to: `we_owe`, `owed_to_us` or `own`."""
    own = terms.accounting.splits.own_partnerships
    if split.partnership in own or (partner_name and partner_name in own):
        return "own"
    kind = terms.accounting.splits.types.get(split.type)
    if kind is None:
        return terms.say(
            Code.SPLIT_UNCLEAR, f"type {split.type}", problem=f"its type “{split.type}” is not listed in the settings"
        )
    return kind.direction


def share_problems(
    terms: Terms, payment: Payment, splits: Sequence[Split], partner_names: Mapping[str, str], unusable: bool
) -> Mapping[str, str]:
    """Items whose splits do not add up (item id to sentence); a split without its item stands under its own id.

    `unusable`: the payment has splits beside these that cannot be read, so that nobody knows what they come to.
    """
    items = {item.id: item for item in payment.items}
    problems: dict[str, str] = {}
    by_item: dict[str, list[Split]] = {}
    for split in splits:
        if split.item not in items:
            problems[split.id] = problems[ANY_ITEM] = "it names an item that its payment does not have"
        elif split.currency != payment.currency:
            problems[split.item] = f"its currency {split.currency} is not the payment's {payment.currency}"
        else:
            by_item.setdefault(split.item, []).append(split)
    for item_id, mine in by_item.items():
        problem = _sum_problem(terms, items[item_id], mine, partner_names, payment.currency)
        problem = problem or _principal_problem(terms, items[item_id], mine, partner_names)
        if problem:
            problems.setdefault(item_id, problem)
    if unusable:
        problems[ANY_ITEM] = "one of its shares cannot be read"
    return problems


def _sum_problem(
    terms: Terms, item: Item, splits: Sequence[Split], partner_names: Mapping[str, str], currency: str
) -> str | None:
    """Shares that come to more than the item, or, where ours is among them, to anything but the item."""
    owed = _sum(terms, splits, partner_names, "we_owe")
    own = _sum(terms, splits, partner_names, "own")
    has_own = any(payable(terms, split, partner_names.get(split.partnership, "")) == "own" for split in splits)
    too_much = owed > item.amount if item.amount >= 0 else owed < item.amount
    if too_much or (has_own and owed + own != item.amount):
        return f"the shares add up to {Money(owed + own, currency)}, the item is {Money(item.amount, currency)}"
    return None


def _principal_problem(
    terms: Terms, item: Item, splits: Sequence[Split], partner_names: Mapping[str, str]
) -> str | None:
    """`agent_on_bill`: exactly one share is the principal's, and carries the whole item and our commission."""
    if role_of(terms, item) != "agent_on_bill":
        return None
    marked = [split for split in splits if _is_principal(terms, split, partner_names.get(split.partnership, ""))]
    if len(marked) != 1:
        are = "are" if len(marked) > 1 else "is"
        return f"{len(marked) or 'none'} of the shares {are} the principal's; it has to be one"
    return None if marked[0].amount > 0 else "the principal's share is not positive"


def _is_principal(terms: Terms, split: Split, partner_name: str) -> bool:
    kind = terms.accounting.splits.types.get(split.type)
    return kind is not None and kind.principal_share and payable(terms, split, partner_name) == "we_owe"


def _sum(terms: Terms, splits: Iterable[Split], partner_names: Mapping[str, str], direction: str) -> int:
    return sum(
        split.amount for split in splits if payable(terms, split, partner_names.get(split.partnership, "")) == direction
    )


def owed_shares(terms: Terms, item: Item, splits: Sequence[Split], partner_names: Mapping[str, str]) -> int | Outcome:
    """What of an item is owed to partners, minor units; or why that cannot be told."""
    mine = [split for split in splits if split.item == item.id]
    for split in mine:
        direction = payable(terms, split, partner_names.get(split.partnership, ""))
        if isinstance(direction, Outcome):
            return direction
    return _sum(terms, mine, partner_names, "we_owe")


def items_with_shares(terms: Terms, payment: Payment) -> list[str]:
    """Items whose line on the invoice depends on their splits."""
    if terms.accounting.payments.as_ == "bill":
        return []
    return sorted(item.id for item in payment.items if role_of(terms, item) == "agent_on_invoice")
