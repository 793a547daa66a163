"""Qualy's words as the tool's codes: categories, accounts, taxes. Pure.

Each function gives what was mapped, or the outcome that says what is not.
"""

from __future__ import annotations

from qualy_sync.contracts.accounting import Ability
from qualy_sync.model import Item, Split
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import ItemMap, SplitMap

from .values import Terms

NO_TAX = ""  # of a line, where the tool has no tax codes


def item_map(terms: Terms, item: Item) -> ItemMap | Outcome:
    """How an item's category posts; a fallback “*” exists only for a suspense account."""
    maps = terms.accounting.items
    found = maps.get(item.category.strip()) or maps.get("*")
    return found or terms.say(Code.UNMAPPED_ITEM, item.category, category=item.category or "(none)")


def role_of(terms: Terms, item: Item) -> str:
    """Whose money an item is; empty where its category is not mapped."""
    mapped = item_map(terms, item)
    return "" if isinstance(mapped, Outcome) else mapped.role


def split_map(terms: Terms, split: Split, partner_name: str, category: str) -> SplitMap | None:
    """The most specific entry that fits: partnership, then type, then category."""

    def fits(entry: SplitMap) -> bool:
        return (
            entry.partnership in ("*", split.partnership, partner_name)
            and entry.type in ("*", split.type)
            and entry.category in ("*", category)
        )

    def specific(entry: SplitMap) -> tuple[int, bool, bool]:
        named = {"*": 0, split.partnership: 2}.get(entry.partnership, 1)  # an id is more exact than a name
        return (named, entry.type != "*", entry.category != "*")

    return max((entry for entry in terms.accounting.splits.map if fits(entry)), key=specific, default=None)


def account(terms: Terms, code: str | None, what: str) -> str | Outcome:
    """A code that the chart has and that is active."""
    found = terms.chart.accounts.get(code or "")
    if found is None or not found.active:
        state = "archived" if found else ("not in the chart" if code else "none named")
        return terms.say(Code.UNMAPPED_ACCOUNT, code or what, what=what, account=f"{code or '—'}, {state}")
    return found.code


def tax_code(terms: Terms, qualy_tax: str | None, fallback: str | None, what: str, *, sales: bool) -> str | Outcome:
    """The tool's code: Qualy's tax, mapped by id or name, wins over the item's own. Empty where it has none at all."""
    if not terms.can(Ability.TAX_CODES):
        return NO_TAX
    taxes = terms.accounting.taxes.sales if sales else terms.accounting.taxes.purchases
    if not qualy_tax:
        return known_tax(terms, fallback, what, sales=sales)
    code = taxes.get(qualy_tax) or taxes.get(terms.taxes.get(qualy_tax, ""))
    if code is None:
        name = terms.taxes.get(qualy_tax) or qualy_tax
        return terms.say(Code.UNMAPPED_TAX, name, what=f"Qualy's tax “{name}”", tax="no code")
    return known_tax(terms, code, what, sales=sales)


def known_tax(terms: Terms, code: str | None, what: str, *, sales: bool) -> str | Outcome:
    """A code that the tool has, that is active and that fits the side it is used on."""
    if not terms.can(Ability.TAX_CODES):
        return NO_TAX
    if code is None:
        return terms.say(Code.UNMAPPED_TAX, what, what=what, tax="no code")
    found = terms.chart.taxes.get(code)
    if found is None or not found.active:
        return terms.say(Code.UNMAPPED_TAX, code, what=what, tax=f"{code}, not in {terms.title}")
    if not (found.sales if sales else found.purchases):
        side = "sales" if sales else "purchases"
        return terms.say(Code.UNMAPPED_TAX, code, what=what, tax=f"{code}, not for {side}")
    return code
