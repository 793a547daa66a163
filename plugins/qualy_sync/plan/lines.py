"""Items and splits as lines of documents: whose money it is decides the account. Pure.

Each function gives lines, or the outcome that says why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qualy_sync.contracts.accounting import Line
from qualy_sync.model import Item, Money, Payment, Split
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import ItemMap, SplitMap

from .values import Terms

LONGEST_DESCRIPTION = 1000


def item_map(terms: Terms, item: Item) -> ItemMap | Outcome:
    """How an item's category posts; a fallback “*” exists only for a suspense account."""
    maps = terms.accounting.items
    found = maps.get(item.category.strip()) or maps.get("*")
    return found or terms.say(Code.UNMAPPED_ITEM, item.category, category=item.category or "(none)")


def account(terms: Terms, code: str | None, what: str) -> str | Outcome:
    """A code that the chart has and that is active."""
    found = terms.chart.accounts.get(code or "")
    if found is None or not found.active:
        state = "archived" if found else ("not in the chart" if code else "none named")
        return terms.say(Code.UNMAPPED_ACCOUNT, code or what, what=what, account=f"{code or '—'}, {state}")
    return found.code


def tax_code(terms: Terms, qualy_tax: str | None, fallback: str | None, what: str, *, sales: bool) -> str | Outcome:
    """The tool's code: Qualy's tax, mapped by id or name, wins over the item's own."""
    taxes = terms.accounting.taxes.sales if sales else terms.accounting.taxes.purchases
    if qualy_tax:
        code = taxes.get(qualy_tax) or taxes.get(terms.taxes.get(qualy_tax, ""))
        if code is None:
            name = terms.taxes.get(qualy_tax) or qualy_tax
            return terms.say(Code.UNMAPPED_TAX, name, what=f"Qualy's tax “{name}”", tax="no code")
    else:
        code = fallback
    return known_tax(terms, code, what, sales=sales)


def known_tax(terms: Terms, code: str | None, what: str, *, sales: bool) -> str | Outcome:
    """A code that the tool has, that is active and that fits the side it is used on."""
    if code is None:
        return terms.say(Code.UNMAPPED_TAX, what, what=what, tax="no code")
    found = terms.chart.taxes.get(code)
    if found is None or not found.active:
        return terms.say(Code.UNMAPPED_TAX, code, what=what, tax=f"{code}, not in {terms.title}")
    if not (found.sales if sales else found.purchases):
        side = "sales" if sales else "purchases"
        return terms.say(Code.UNMAPPED_TAX, code, what=what, tax=f"{code}, not for {side}")
    return code


def describe(*parts: str | None) -> str:
    """A line's text: what is given, without control characters, at most 1,000 characters."""
    text = " – ".join(part.strip() for part in parts if part and part.strip())
    clean = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(clean.split())[:LONGEST_DESCRIPTION] or "Item"


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


def splits_problem(
    terms: Terms, payment: Payment, splits: Sequence[Split], partner_names: Mapping[str, str]
) -> Mapping[str, str]:
    """Items whose splits do not add up (item id to sentence); a split without its item stands under its own id."""
    items = {item.id: item for item in payment.items}
    problems: dict[str, str] = {}
    by_item: dict[str, list[Split]] = {}
    for split in splits:
        if split.item not in items:
            problems[split.id] = "it names an item that its payment does not have"
        elif split.currency != payment.currency:
            problems[split.item] = f"its currency {split.currency} is not the payment's {payment.currency}"
        else:
            by_item.setdefault(split.item, []).append(split)
    for item_id, mine in by_item.items():
        owed = own = 0
        for split in mine:
            direction = payable(terms, split, partner_names.get(split.partnership, ""))
            if direction == "own":
                own += split.amount
            elif direction == "we_owe":
                owed += split.amount
        amount = items[item_id].amount
        if owed > amount or (own and owed + own != amount):
            problems.setdefault(
                item_id,
                f"the shares add up to {Money(owed + own, payment.currency)},"
                f" the item is {Money(amount, payment.currency)}",
            )
        marked = sum(
            1
            for split in mine
            if (kind := terms.accounting.splits.types.get(split.type))
            and kind.principal_share
            and payable(terms, split, partner_names.get(split.partnership, "")) == "we_owe"
        )
        mapped = terms.accounting.items.get(items[item_id].category.strip())
        if mapped is not None and mapped.role == "agent_on_bill" and owed and marked != 1:
            problems.setdefault(
                item_id,
                f"{marked or 'none'} of the shares {'are' if marked > 1 else 'is'} the principal's; it has to be one",
            )
    return problems


def invoice_lines(
    terms: Terms,
    payment: Payment,
    splits: Sequence[Split],
    partner_names: Mapping[str, str],
    problems: Mapping[str, str],
) -> tuple[Line, ...] | Outcome:
    """The lines of a payment's document."""
    as_bill = terms.accounting.payments.as_ == "bill"
    lines: list[Line] = []
    for item in payment.items:
        found = _item_lines(terms, payment, item, splits, partner_names, problems, as_bill=as_bill)
        if isinstance(found, Outcome):
            return found
        lines += found
    if not lines:
        return terms.say(Code.MALFORMED, "items", field="items", problem="is empty")
    return tuple(lines)


def _item_lines(
    terms: Terms,
    payment: Payment,
    item: Item,
    splits: Sequence[Split],
    partner_names: Mapping[str, str],
    problems: Mapping[str, str],
    *,
    as_bill: bool,
) -> list[Line] | Outcome:
    mapped = item_map(terms, item)
    if isinstance(mapped, Outcome):
        return mapped
    what = f"Category “{item.category}”"
    fallback = mapped.purchase_tax if as_bill else mapped.tax
    tax = tax_code(terms, payment.tax, fallback, what, sales=not as_bill)
    if isinstance(tax, Outcome):
        return tax
    main = account(terms, mapped.expense_account if as_bill else mapped.account, what)
    if isinstance(main, Outcome):
        return main
    if as_bill and terms.chart.accounts[main].income:
        return terms.say(Code.UNMAPPED_ACCOUNT, main, what=what, account=f"{main}, an income account on a bill")
    text = describe(item.name, item.description)
    if as_bill or mapped.role != "agent_on_invoice":
        return [Line(text, item.amount, main, tax)]
    if problem := problems.get(item.id):
        return terms.say(Code.SPLIT_UNCLEAR, "sums", problem=problem)
    income = account(terms, mapped.income_account, f"{what}: own share")
    if isinstance(income, Outcome):
        return income
    shares = _owed_shares(terms, item, splits, partner_names)
    if isinstance(shares, Outcome):
        return shares
    own_tax = tax
    if payment.tax is None and mapped.income_tax:
        checked = known_tax(terms, mapped.income_tax, f"{what}: own share", sales=True)
        if isinstance(checked, Outcome):
            return checked
        own_tax = checked
    lines = [Line(text, shares, main, tax), Line(text, item.amount - shares, income, own_tax)]
    return [line for line in lines if line.amount]


def _owed_shares(terms: Terms, item: Item, splits: Sequence[Split], partner_names: Mapping[str, str]) -> int | Outcome:
    """What of an item is owed to partners, minor units; or why that cannot be told."""
    owed = 0
    for split in splits:
        if split.item != item.id:
            continue
        direction = payable(terms, split, partner_names.get(split.partnership, ""))
        if isinstance(direction, Outcome):
            return direction
        if direction == "we_owe":
            owed += split.amount
    return owed


def split_map(terms: Terms, split: Split, partner_name: str, category: str) -> SplitMap | None:
    """The most specific entry that fits: partnership, then type, then category."""

    def fits(entry: SplitMap) -> bool:
        return (
            entry.partnership in ("*", split.partnership, partner_name)
            and entry.type in ("*", split.type)
            and entry.category in ("*", category)
        )

    def specific(entry: SplitMap) -> tuple[bool, bool, bool]:
        return (entry.partnership != "*", entry.type != "*", entry.category != "*")

    return max((entry for entry in terms.accounting.splits.map if fits(entry)), key=specific, default=None)


def bill_lines(terms: Terms, item: Item, split: Split, partner_name: str) -> tuple[Line, ...] | Outcome:
    """The lines of a split's bill, by the role of its item."""
    mapped = item_map(terms, item)
    if isinstance(mapped, Outcome):
        return mapped
    kind = terms.accounting.splits.types[split.type]
    what = f"Share of “{item.category}”"
    text = describe(item.name, item.description)
    if mapped.role == "principal" or (mapped.role == "agent_on_bill" and not kind.principal_share):
        entry = split_map(terms, split, partner_name, item.category.strip())
        if entry is None:
            return terms.say(
                Code.UNMAPPED_ACCOUNT,
                f"{split.type} {item.category}",
                what=f"The split type “{split.type}” of “{item.category}”",
                account="no entry in splits.map",
            )
        return _one_line(terms, text, split.amount, entry.account, split.tax, entry.tax, what)
    if mapped.role == "agent_on_invoice":
        return _one_line(terms, text, split.amount, mapped.account, split.tax, mapped.purchase_tax, what)
    gross = _one_line(terms, text, item.amount, mapped.account, split.tax, mapped.purchase_tax, what)
    if isinstance(gross, Outcome) or item.amount == split.amount:
        return gross
    income = account(terms, mapped.income_account, f"{what}: commission")
    if isinstance(income, Outcome):
        return income
    tax = known_tax(terms, mapped.income_tax or gross[0].tax, f"{what}: commission", sales=False)
    if isinstance(tax, Outcome):
        return tax
    return (*gross, Line(describe("Commission", item.name), split.amount - item.amount, income, tax))


def _one_line(
    terms: Terms, text: str, amount: int, code: str, qualy_tax: str | None, fallback: str | None, what: str
) -> tuple[Line, ...] | Outcome:
    checked = account(terms, code, what)
    if isinstance(checked, Outcome):
        return checked
    tax = tax_code(terms, qualy_tax, fallback, what, sales=False)
    return tax if isinstance(tax, Outcome) else (Line(text, amount, checked, tax),)
