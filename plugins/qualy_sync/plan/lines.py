"""Items and splits as lines of documents: whose money it is decides the account. Pure.

Each function gives lines, or the outcome that says why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qualy_sync.contracts.accounting import Line
from qualy_sync.model import Item, Payment, Split
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.settings import ItemMap

from .mapping import account, item_map, known_tax, split_map, tax_code
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
    if not as_bill and mapped.role != "principal" and not terms.chart.accounts[code].liability:
        return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=f"{code}, which is not a liability account")
    return Sold(item, mapped, what, describe(item.name, item.description), code, tax)


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


def bill_lines(terms: Terms, item: Item, split: Split, partner_name: str) -> tuple[Line, ...] | Outcome:
    """The lines of a split's bill, by the role of its item."""
    mapped = item_map(terms, item)
    if isinstance(mapped, Outcome):
        return mapped
    what = f"Share of “{item.category}”"
    principal = terms.accounting.splits.types[split.type].principal_share
    if mapped.role == "agent_on_invoice":
        return _liability_line(terms, item, split, partner_name, mapped, split.amount, what)
    if mapped.role == "agent_on_bill" and principal:
        return _gross_less_commission(terms, item, split, partner_name, mapped, what)
    entry = split_map(terms, split, partner_name, item.category.strip())
    if entry is None:
        return terms.say(
            Code.UNMAPPED_ACCOUNT,
            f"{split.type} {item.category}",
            what=f"The split type “{split.type}” of “{item.category}”",
            account="no entry in splits.map",
        )
    return _one_line(terms, item, split.amount, entry.account, split.tax, entry.tax, what)


def _gross_less_commission(
    terms: Terms, item: Item, split: Split, partner_name: str, mapped: ItemMap, what: str
) -> tuple[Line, ...] | Outcome:
    """`agent_on_bill`: the whole item against the liability, less a negative line for our commission, to income."""
    gross = _liability_line(terms, item, split, partner_name, mapped, item.amount, what)
    if isinstance(gross, Outcome) or item.amount == split.amount:
        return gross
    income = account(terms, mapped.income_account, f"{what}: commission")
    if isinstance(income, Outcome):
        return income
    # Qualy's own tax holds for the whole share; without one, the commission may have its own.
    code = gross[0].tax if split.tax else mapped.income_tax or gross[0].tax
    tax = known_tax(terms, code, f"{what}: commission", sales=False)
    if isinstance(tax, Outcome):
        return tax
    return (*gross, Line(describe("Commission", item.name), split.amount - item.amount, income, tax))


def _liability_line(
    terms: Terms, item: Item, split: Split, partner_name: str, mapped: ItemMap, amount: int, what: str
) -> tuple[Line, ...] | Outcome:
    """Against the same liability as on the invoice, whatever `splits.map` says; that may only name the tax."""
    code = account(terms, mapped.account, what)
    if isinstance(code, str) and not terms.chart.accounts[code].liability:
        return terms.say(Code.UNMAPPED_ACCOUNT, code, what=what, account=f"{code}, which is not a liability account")
    entry = split_map(terms, split, partner_name, item.category.strip())
    fallback = mapped.purchase_tax or (entry.tax if entry is not None and entry.account == mapped.account else None)
    return _one_line(terms, item, amount, mapped.account, split.tax, fallback, what)


def _one_line(
    terms: Terms, item: Item, amount: int, code: str, qualy_tax: str | None, fallback: str | None, what: str
) -> tuple[Line, ...] | Outcome:
    checked = account(terms, code, what)
    if isinstance(checked, Outcome):
        return checked
    tax = tax_code(terms, qualy_tax, fallback, what, sales=False)
    return tax if isinstance(tax, Outcome) else (Line(describe(item.name, item.description), amount, checked, tax),)
