"""Items and splits as lines of documents: whose money it is decides the account. Pure.

Each function gives lines, or the outcome that says why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qualy_sync.contracts.accounting import Line
from qualy_sync.model import Item, Partner, Payment, Split
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import ItemMap

from .mapping import account, item_map, known_tax, split_map, tax_code
from .partner_tax import bill_tax
from .shares import ANY_ITEM, owed_shares
from .values import Terms

LONGEST_DESCRIPTION = 1000
_JOINERS = "\u200c\u200d"  # they make letters and emoji what they are; every other invisible mark goes


def describe(*parts: str | None) -> str:
    """A line's text: what is given, without control and direction characters, at most 1,000 characters."""
    text = " – ".join(part.strip() for part in parts if part and part.strip())
    clean = "".join(character if _belongs(character) else " " for character in text)
    return " ".join(clean.split())[:LONGEST_DESCRIPTION].strip() or "Item"


def _belongs(character: str) -> bool:
    return character.isprintable() or character in _JOINERS


@dataclass(frozen=True, slots=True)
class Sold:
    """An item with everything that decides its lines: its map, its tax by Qualy, its text, its account and tax."""

    item: Item
    mapped: ItemMap
    what: str
    text: str
    account: str
    tax: str


def document_lines(
    terms: Terms,
    payment: Payment,
    splits: Sequence[Split],
    partner_names: Mapping[str, str],
    problems: Mapping[str, str],
) -> tuple[Line, ...] | Outcome:
    """The lines of a payment's document."""
    lines: list[Line] = []
    for item in payment.items:
        sold = _sold(terms, payment, item)
        if isinstance(sold, Outcome):
            return sold
        if terms.accounting.payments.as_ == "bill" or sold.mapped.role != "agent_on_invoice":
            if (unowed := _owed_to_nobody(terms, sold, splits)) is not None:
                return unowed
            lines.append(Line(sold.text, item.amount, sold.account, sold.tax))
            continue
        shared = _shared_lines(terms, payment, sold, splits, partner_names, problems)
        if isinstance(shared, Outcome):
            return shared
        lines += shared
    if not lines:
        return terms.say(Code.MALFORMED, "items", field="items", problem="is empty")
    return tuple(lines)


def _sold(terms: Terms, payment: Payment, item: Item) -> Sold | Outcome:
    """Where an item posts on its payment's document: an invoice, or a bill from the customer."""
    mapped = item_map(terms, item)
    if isinstance(mapped, Outcome):
        return mapped
    as_bill = terms.accounting.payments.as_ == "bill"
    what = f"Category “{item.category}”"
    tax = tax_code(terms, payment.tax, mapped.purchase_tax if as_bill else mapped.tax, what, sales=not as_bill)
    if isinstance(tax, Outcome):
        return tax
    code = account(terms, mapped.expense_account if as_bill else mapped.account, what)
    if isinstance(code, Outcome):
        return code
    if as_bill and terms.chart.accounts[code].income:
        return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=f"{code}, an income account on a bill")
    if not as_bill and not terms.chart.accounts[code].sales:
        return _not_for_sales(terms, code, what)
    if not as_bill and mapped.role != "principal" and not terms.chart.accounts[code].liability:
        return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=f"{code}, which is not a liability account")
    if not as_bill and mapped.role == "principal" and not mapped.suspense and _posts_elsewhere(terms, code):
        return _not_income(terms, code, what)
    return Sold(item, mapped, what, describe(item.name, item.description), code, tax)


def _owed_to_nobody(terms: Terms, sold: Sold, splits: Sequence[Split]) -> Outcome | None:
    """`agent_on_bill` without any share: nobody's bill would ever take it out of the liability, or say why not."""
    accounting = terms.accounting
    bills = accounting.payments.as_ == "invoice" and accounting.splits.when != "never"
    if sold.mapped.role != "agent_on_bill" or not bills or sold.item.amount == 0:
        return None
    if any(split.item == sold.item.id for split in splits):
        return None  # its shares say for themselves what is wrong with them
    return terms.say(Code.SPLIT_UNCLEAR, "sums", problem="it has no shares, and one has to be the principal's")


def _posts_elsewhere(terms: Terms, code: str) -> bool:
    """Whether an item that lines post through posts to another account than income."""
    found = terms.chart.accounts[code]
    return bool(found.posts_to) and not found.income


def _not_income(terms: Terms, code: str, what: str) -> Outcome:
    posts_to = terms.chart.accounts[code].posts_to
    account = f"{code}, an item that posts to {posts_to}, which is no income account"
    return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=account)


def _not_for_sales(terms: Terms, code: str, what: str) -> Outcome:
    return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=f"{code}, which no line of a sale may name")


def _shared_lines(
    terms: Terms,
    payment: Payment,
    sold: Sold,
    splits: Sequence[Split],
    partner_names: Mapping[str, str],
    problems: Mapping[str, str],
) -> list[Line] | Outcome:
    """`agent_on_invoice`: the partners' shares to the liability, ours to income."""
    if problem := problems.get(sold.item.id) or problems.get(ANY_ITEM):
        return terms.say(Code.SPLIT_UNCLEAR, "sums", problem=problem)
    shares = owed_shares(terms, sold.item, splits, partner_names)
    if isinstance(shares, Outcome):
        return shares
    income = account(terms, sold.mapped.income_account, f"{sold.what}: own share")
    if isinstance(income, Outcome):
        return income
    if not terms.chart.accounts[income].sales:
        return _not_for_sales(terms, income, f"{sold.what}: own share")
    if _posts_elsewhere(terms, income):
        return _not_income(terms, income, f"{sold.what}: own share")
    own_tax: str | Outcome = sold.tax
    if payment.tax is None and sold.mapped.income_tax:
        own_tax = known_tax(terms, sold.mapped.income_tax, f"{sold.what}: own share", sales=True)
    if isinstance(own_tax, Outcome):
        return own_tax
    lines = [
        Line(sold.text, shares, sold.account, sold.tax),
        Line(sold.text, sold.item.amount - shares, income, own_tax),
    ]
    return [line for line in lines if line.amount] or lines[:1]


def share_lines(
    terms: Terms, item: Item, split: Split, partner: Partner | None, *, sales: bool
) -> tuple[Line, ...] | Outcome:
    """The lines of a split's document: of our invoice to the partner (`sales`), or of the partner's bill."""
    return _invoice_lines(terms, item, split, partner) if sales else _bill_lines(terms, item, split, partner)


def _invoice_lines(terms: Terms, item: Item, split: Split, partner: Partner | None) -> tuple[Line, ...] | Outcome:
    """What a partner owes us, to the account of its own map, whatever the role of the item."""
    what = f"Share of “{item.category}”"
    entry = split_map(terms, split, partner.name if partner else "", item.category.strip())
    if entry is None:
        return _no_entry(terms, item, split)
    code = account(terms, entry.account, what)
    if isinstance(code, Outcome):
        return code
    tax = tax_code(terms, split.tax, entry.tax, what, sales=True)
    return tax if isinstance(tax, Outcome) else (Line(describe(item.name, item.description), split.amount, code, tax),)


def _no_entry(terms: Terms, item: Item, split: Split) -> Outcome:
    return terms.say(
        Code.UNMAPPED_ACCOUNT,
        f"{split.type} {item.category}",
        what=f"The split type “{split.type}” of “{item.category}”",
        account="no entry in splits.map",
    )


def _bill_lines(terms: Terms, item: Item, split: Split, partner: Partner | None) -> tuple[Line, ...] | Outcome:
    """The lines of a split's bill, by the role of its item."""
    mapped = item_map(terms, item)
    if isinstance(mapped, Outcome):
        return mapped
    what = f"Share of “{item.category}”"
    principal = terms.accounting.splits.types[split.type].principal_share
    if mapped.role == "agent_on_invoice":
        return _liability_line(terms, item, split, partner, mapped, split.amount, what)
    if mapped.role == "agent_on_bill" and principal:
        return _gross_less_commission(terms, item, split, partner, mapped, what)
    entry = split_map(terms, split, partner.name if partner else "", item.category.strip())
    if entry is None:
        return _no_entry(terms, item, split)
    return _one_line(terms, item, split, partner, split.amount, entry.account, entry.tax, what)


def _gross_less_commission(
    terms: Terms, item: Item, split: Split, partner: Partner | None, mapped: ItemMap, what: str
) -> tuple[Line, ...] | Outcome:
    """`agent_on_bill`: the whole item against the liability, less a negative line for our commission, to income."""
    gross = _liability_line(terms, item, split, partner, mapped, item.amount, what)
    if isinstance(gross, Outcome) or item.amount == split.amount:
        return gross
    income = account(terms, mapped.income_account, f"{what}: commission")
    if isinstance(income, Outcome):
        return income
    if _posts_elsewhere(terms, income):
        return _not_income(terms, income, f"{what}: commission")
    # Qualy's own tax holds for the whole share; without one, the commission may have its own.
    code = gross[0].tax if split.tax else mapped.income_tax or gross[0].tax
    tax = known_tax(terms, code, f"{what}: commission", sales=False)
    if isinstance(tax, Outcome):
        return tax
    return (*gross, Line(describe("Commission", item.name), split.amount - item.amount, income, tax))


def _liability_line(
    terms: Terms, item: Item, split: Split, partner: Partner | None, mapped: ItemMap, amount: int, what: str
) -> tuple[Line, ...] | Outcome:
    """Against the same liability as on the invoice, whatever `splits.map` says; that may only name the tax."""
    code = account(terms, mapped.account, what)
    if isinstance(code, str) and not terms.chart.accounts[code].liability:
        return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=f"{code}, which is not a liability account")
    entry = split_map(terms, split, partner.name if partner else "", item.category.strip())
    fallback = mapped.purchase_tax or (entry.tax if entry is not None and entry.account == mapped.account else None)
    return _one_line(terms, item, split, partner, amount, mapped.account, fallback, what)


def _one_line(
    terms: Terms,
    item: Item,
    split: Split,
    partner: Partner | None,
    amount: int,
    code: str,
    fallback: str | None,
    what: str,
) -> tuple[Line, ...] | Outcome:
    checked = account(terms, code, what)
    if isinstance(checked, Outcome):
        return checked
    tax = bill_tax(terms, split, partner, fallback, what)
    return tax if isinstance(tax, Outcome) else (Line(describe(item.name, item.description), amount, checked, tax),)
