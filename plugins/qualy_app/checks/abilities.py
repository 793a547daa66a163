"""What the settings ask for and the tool cannot do: told before the first write, with what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from qualy_sync.contracts.accounting import Ability, Gap
from qualy_sync.settings import AccountingSettings

from .findings import Finding, Level


@dataclass(frozen=True, slots=True)
class _Asked:
    """A setting that needs an ability: whether it asks for it, and what happens without."""

    ability: Ability
    setting: str
    asks: Callable[[AccountingSettings], bool]
    without: str
    level: Level = Level.PROBLEM


def _roles(accounting: AccountingSettings) -> set[str]:
    return {item.role for item in accounting.items.values()}


_ASKED: Sequence[_Asked] = (
    _Asked(
        Ability.SETTLE_BILLS,
        "splits.mark_paid",
        lambda accounting: accounting.splits.mark_paid,
        "pay-outs are held; set it to false and pay bills there",
    ),
    _Asked(
        Ability.REMOVE_SETTLEMENT,
        "settlement.reversal",
        lambda accounting: accounting.settlement.reversal == "remove",
        "payments that Qualy took back are held; set it to hold",
    ),
    _Asked(
        Ability.TOOL_RATES,
        "currencies.rates",
        lambda accounting: accounting.currencies.rates == "tool",
        "foreign documents are held; use table or qualy",
    ),
    _Asked(
        Ability.CURRENCIES,
        "currencies.rates",
        lambda accounting: accounting.currencies.rates is not None,
        "every other currency than its own is held",
        Level.NOTE,
    ),
    _Asked(
        Ability.CHANGE_CONTACT,
        "contacts.update",
        lambda accounting: accounting.contacts.update,
        "contacts stay as they were made",
        Level.WARNING,
    ),
    _Asked(
        Ability.NEGATIVE_LINES,
        "items",
        lambda accounting: "agent_on_bill" in _roles(accounting),
        "bills of items with role agent_on_bill are held: their commission is a negative line",
    ),
    _Asked(
        Ability.TAX_CODES,
        "taxes",
        lambda accounting: bool(accounting.taxes.sales or accounting.taxes.purchases),
        "tax maps have no effect there; take them out",
    ),
    _Asked(
        Ability.LOCK_DATE,
        "closed_until",
        lambda accounting: accounting.closed_until is None,
        "no period is ever taken for closed; set it to your own closing date",
        Level.WARNING,
    ),
)


def ability_findings(accounting: AccountingSettings, gaps: Sequence[Gap], title: str) -> Iterator[Finding]:
    """Each setting that asks for what a gap of the tool's names."""
    lacking: Mapping[Ability, Gap] = {gap.ability: gap for gap in gaps if gap.ability is not None}
    for asked in _ASKED:
        gap = lacking.get(asked.ability)
        if gap is not None and asked.asks(accounting):
            sentence = f"{title} cannot do what it asks for: {asked.without}. ({gap.sentence})"
            yield Finding(asked.level, f"accounting.{asked.setting}", sentence)
