"""Values that are each allowed and yet cannot stand together.

Each check reads whole sections and is skipped where one of them could not be read, so that one mistake hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from .accounting import ItemMap, Pace, Payments, Rounding, Settlement, Splits
from .currencies import Currencies
from .problems import KeyPath, dotted, nearest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What cannot stand together: `path` below `accounting`, and a sentence with the remedy."""

    path: KeyPath
    sentence: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The sections that agree or disagree with each other; None where one could not be read."""

    payments: Payments | None = None
    splits: Splits | None = None
    items: Mapping[str, ItemMap] = field(default_factory=dict)
    settlement: Settlement | None = None
    rounding: Rounding | None = None
    pace: Pace | None = None
    currencies: Currencies | None = None
    items_complete: bool = True

    @classmethod
    def readable(cls, accounting: Mapping[str, Any]) -> Parts:
        """What can be read of a section that has errors elsewhere."""
        written = accounting.get("items")
        given = written if isinstance(written, Mapping) else {}
        read = {category: _read(ItemMap, value) for category, value in given.items()}
        items = {category: item for category, item in read.items() if item is not None}
        return cls(
            payments=_read(Payments, accounting.get("payments")),
            splits=_read(Splits, accounting.get("splits")),
            items=items,
            settlement=_read(Settlement, accounting.get("settlement")),
            rounding=_read(Rounding, accounting.get("rounding")),
            pace=_read(Pace, accounting.get("pace")),
            currencies=_read(Currencies, accounting.get("currencies")),
            items_complete=len(items) == len(read),
        )


def _read(kind: type[T], data: Any) -> T | None:
    try:
        return TypeAdapter(kind).validate_python(data, by_alias=True, by_name=False)
    except ValidationError:
        return None


def disagreement(found: list[Disagreement]) -> PydanticCustomError:
    """All of them as one of pydantic's errors, so that settings built in Python are refused as well."""
    told = "; ".join(f"{dotted(entry.path)}: {entry.sentence}" for entry in found)
    return PydanticCustomError("disagreement", "{told}", {"told": told, "found": found})


def disagreements(parts: Parts) -> Iterator[Disagreement]:
    """Everything in the sections that cannot stand together."""
    for category, item in parts.items.items():
        yield from _item(category, item)
    if parts.payments:
        yield from _payments(parts.payments, parts)
    if parts.splits:
        yield from _split_types(parts.splits)
        yield from _split_map(parts.splits, parts)
        yield from _paying_out(parts.splits)
    if parts.settlement:
        yield from _settlement(parts.settlement)
    if parts.rounding:
        yield from _rounding(parts.rounding)
    if parts.currencies:
        yield from _rates(parts.currencies)
    if parts.pace and parts.pace.read_timeout >= parts.pace.lease_seconds:
        yield Disagreement(
            ("pace", "read_timeout"),
            f"{parts.pace.read_timeout} seconds of waiting outlast lease_seconds ({parts.pace.lease_seconds}); "
            "make it shorter than the lease",
        )


def _item(category: str, item: ItemMap) -> Iterator[Disagreement]:
    where = ("items", category)
    if item.role == "principal":
        for name in ("income_account", "income_tax"):
            if getattr(item, name) is not None:
                yield Disagreement(
                    (*where, name), f"{name} belongs to the agent roles; a principal item posts to account and tax"
                )
    elif item.income_account is None:
        yield Disagreement(
            (*where, "income_account"),
            f"is missing: role {item.role} needs the account of our own share, beside the liability in account",
        )
    elif item.income_account == item.account:
        yield Disagreement(
            (*where, "income_account"), f"is the liability account {item.account} itself; name an income account"
        )
    if category == "*" and not item.suspense:
        yield Disagreement(
            (*where, "suspense"),
            "is missing: a fallback '*' is allowed only to a suspense account, with suspense: true and a tax",
        )
    if (item.suspense or category == "*") and item.tax is None:
        yield Disagreement((*where, "tax"), "is missing: a suspense account needs its tax code, written out")


def _payments(payments: Payments, parts: Parts) -> Iterator[Disagreement]:
    if payments.when == "never" and parts.splits and parts.splits.when == "with_invoice":
        yield Disagreement(
            ("splits", "when"), "with_invoice has nothing to go with: payments.when is never; use when_customer_paid"
        )
    if payments.as_ != "bill":
        return
    if payments.mark_paid:
        yield Disagreement(
            ("payments", "mark_paid"),
            "must be false where payments are bills: a customer's charge never pays a bill",
        )
    for category, item in parts.items.items():
        where = ("items", category, "expense_account")
        if item.expense_account is None:
            yield Disagreement(where, "is missing: payments are bills, and a bill posts to an expense account")
        elif item.expense_account in (item.income_account, item.account if item.role == "principal" else None):
            yield Disagreement(where, f"is the income account {item.expense_account}; a bill posts to an expense one")


def _split_types(splits: Splits) -> Iterator[Disagreement]:
    for name, split_type in splits.types.items():
        if split_type.principal_share and split_type.direction != "we_owe":
            yield Disagreement(
                ("splits", "types", name, "principal_share"),
                f"true is for direction we_owe only, and {name} is {split_type.direction}: nothing is billed there",
            )


def _split_map(splits: Splits, parts: Parts) -> Iterator[Disagreement]:
    seen: dict[tuple[str, str, str], int] = {}
    for index, entry in enumerate(splits.map):
        where: KeyPath = ("splits", "map", index)
        key = (entry.partnership, entry.type, entry.category)
        if key in seen:
            yield Disagreement(
                where, f"is for the same partnership, type and category as entry {seen[key] + 1}; keep one of them"
            )
        seen.setdefault(key, index)
        if entry.type != "*" and entry.type not in splits.types:
            known = f"({', '.join(splits.types) or 'none yet'}){nearest(entry.type, splits.types)}"
            yield Disagreement(
                (*where, "type"),
                f"{entry.type!r} is not among splits.types {known}",
            )
        if entry.partnership in splits.own_partnerships:
            yield Disagreement(
                (*where, "partnership"),
                f"{entry.partnership!r} is in own_partnerships, which get no bill; take it out of one of them",
            )
        if entry.category != "*":
            yield from _category(entry.category, where, parts)
            yield from _one_liability(index, splits, parts)


def _paying_out(splits: Splits) -> Iterator[Disagreement]:
    if splits.mark_paid and not splits.payout_accounts:
        yield Disagreement(
            ("splits", "payout_accounts"),
            "is missing: mark_paid needs, by currency, the account that pay-outs leave from",
        )
    if splits.partner_documents and splits.partner_document is None:
        yield Disagreement(
            ("splits", "partner_document"),
            "is missing: partner_documents needs the field of a partner that tells its kind of document",
        )
    if splits.partner_document is not None and not splits.partner_documents:
        yield Disagreement(
            ("splits", "partner_documents"), "is missing: partner_document is read, and no kind of document is listed"
        )


def _rates(currencies: Currencies) -> Iterator[Disagreement]:
    if currencies.rates == "table" and currencies.table is None:
        yield Disagreement(("currencies", "table"), "is missing: rates is table, which is a CSV file with rates")
    if currencies.rates == "qualy" and currencies.qualy_rate is None:
        yield Disagreement(
            ("currencies", "qualy_rate"), "is missing: rates is qualy, so that the field with Qualy's rate is needed"
        )


def _category(category: str, where: KeyPath, parts: Parts) -> Iterator[Disagreement]:
    if parts.items_complete and parts.items and not {category, "*"} & set(parts.items):
        known = f"({', '.join(parts.items)}){nearest(category, parts.items)}"
        yield Disagreement((*where, "category"), f"{category!r} is not among accounting.items {known}")


def _one_liability(index: int, splits: Splits, parts: Parts) -> Iterator[Disagreement]:
    """Invoice and bill of an agent's item meet on one liability account, or its balance proves nothing."""
    entry = splits.map[index]
    item = parts.items.get(entry.category)
    if item is None or item.role == "principal" or entry.account == item.account:
        return
    kind = splits.types.get(entry.type)
    if kind is not None and kind.direction == "owed_to_us":
        return  # our invoice to the partner: income, not a liability
    marked = kind is not None and kind.principal_share
    if item.role == "agent_on_invoice" or marked:
        yield Disagreement(
            ("splits", "map", index, "account"),
            f"{entry.account} is not {item.account}, the liability account of {entry.category} ({item.role}); "
            "both legs post to the same one",
        )


def _settlement(settlement: Settlement) -> Iterator[Disagreement]:
    for method in settlement.accounts:
        if method in settlement.money_not_moved:
            yield Disagreement(
                ("settlement", "money_not_moved", method),
                f"{method} is in settlement.accounts as well; money was moved by Qualy or it was not",
            )


def _rounding(rounding: Rounding) -> Iterator[Disagreement]:
    if rounding.cents == 0:
        return
    for name in ("account", "tax"):
        if getattr(rounding, name) is None:
            yield Disagreement(
                ("rounding", name), f"is missing: cents is {rounding.cents}, so the difference needs its {name}"
            )
