"""What only the company can say of an element: net amounts, the United States' tax, rates of exchange. Pure.

The elements say what is meant; the company's tax rates, home currency and rates of the day say how it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connectors.quickbooks.facts import Facts
from connectors.quickbooks.fields import part, reference, text
from connectors.quickbooks.lines import EXPENSE, SALE
from connectors.quickbooks.tax import net_of, total_tax
from connectors.quickbooks.write import Item, Json, as_read
from qualy_sync.contracts.accounting import Basis, NewDocument, What
from qualy_sync.contracts.latin import is_latin, to_latin
from qualy_sync.model import exponent, to_decimal
from qualy_sync.outcomes import Code

_TEXTS = ("PrivateNote", "GivenName", "FamilyName")
Day = tuple[str, str]  # currency, date


@dataclass(frozen=True, slots=True)
class Known:
    """What was looked up for a batch: rates by currency and day, and a bank account by currency."""

    rates: Mapping[Day, Decimal] = field(default_factory=dict)
    banks: Mapping[str, str] = field(default_factory=dict)


def rates_needed(items: Iterable[Item], facts: Facts) -> list[Day]:
    """The days whose rates have to be looked up: QuickBooks would store 1 for a document without one."""
    return sorted({day for item in items if not item.refused and (day := _day(item, facts)) is not None})


def banks_needed(items: Iterable[Item]) -> bool:
    """Whether a credit of a vendor's is to be applied: even a payment of nothing names a bank account there."""
    return any(item.what is What.ALLOCATION and item.kind == "BillPayment" for item in items)


def _day(item: Item, facts: Facts) -> Day | None:
    currency = reference(item.entity, "CurrencyRef")
    foreign = item.what is not What.CONTACT and currency not in ("", facts.home)
    return (currency, text(item.entity, "TxnDate")) if foreign and "ExchangeRate" not in item.entity else None


def complete(item: Item, facts: Facts, known: Known) -> Item:
    """The element as it goes on the wire, or with the reason why it cannot."""
    if item.refused or item.verb in ("void", "delete"):
        return item
    entity = dict(item.entity)
    lacking = _set_money(item, entity, facts, known)
    if lacking is not None:
        return replace(item, refused=lacking)
    if "GlobalTaxCalculation" in entity:
        code = next((code for code in _codes(entity) if code and code not in facts.rates), None)
        if code is not None:
            return replace(item, refused=(Code.UNMAPPED_TAX, f"QuickBooks has no tax code {code}."))
        _set_tax(entity, facts)
    if facts.us:
        if not is_latin(text(entity, "DisplayName")):
            return replace(item, refused=(Code.INVALID, "The name has characters that the company does not keep."))
        _set_latin(entity)
    return replace(item, entity=entity)


def _set_money(item: Item, entity: Json, facts: Facts, known: Known) -> tuple[Code, str] | None:
    """Rate, currency and bank account; what is lacking, if anything is."""
    currency, day = reference(entity, "CurrencyRef"), _day(item, facts)
    if day is not None:
        if day not in known.rates:
            return Code.NO_RATE, f"QuickBooks has no rate of {day[0]} for {day[1]}."
        entity["ExchangeRate"] = known.rates[day]
    if currency == facts.home:
        entity.pop("ExchangeRate", None)
        if not facts.currencies:
            entity.pop("CurrencyRef", None)
    if banks_needed([item]):
        bank = known.banks.get(currency)
        if bank is None:
            return Code.UNMAPPED_ACCOUNT, f"a bank account in {currency}"
        entity["CheckPayment"] = {"BankAccountRef": {"value": bank}}
    return None


def _codes(entity: Json) -> Iterable[str]:
    rows = ((row, text(row, "DetailType")) for row in entity["Line"])
    return (reference(part(row, kind), "TaxCodeRef") for row, kind in rows if kind in (SALE, EXPENSE))


def _set_tax(entity: Json, facts: Facts) -> None:
    """Elsewhere: net and gross of each line. United States: net lines, TAX or NON, and the whole tax as a sum."""
    nets: dict[str, Decimal] = {}
    inside, rows = Decimal(0), []
    for one in entity["Line"]:
        kind = text(one, "DetailType")
        row = dict(one)
        if kind in (SALE, EXPENSE):
            detail = dict(row[kind])
            code = reference(detail, "TaxCodeRef")
            gross = detail.get("TaxInclusiveAmt")
            if gross is not None and entity["GlobalTaxCalculation"] == "TaxInclusive":
                row["Amount"] = net_of(Decimal(gross), facts.rates.get(code, 0))
                inside += Decimal(gross) - row["Amount"]
            nets[code] = nets.get(code, Decimal(0)) + Decimal(row["Amount"])
            if facts.us:
                detail.pop("TaxInclusiveAmt", None)
                if kind == EXPENSE:
                    detail.pop("TaxCodeRef", None)
            row[kind] = detail
        rows.append(row)
    entity["Line"] = rows
    if facts.us:
        inclusive = entity.pop("GlobalTaxCalculation") == "TaxInclusive"
        if "CustomerRef" in entity:
            entity["TxnTaxDetail"] = {"TotalTax": inside if inclusive else total_tax(nets, facts.rates)}


def _set_latin(entity: Json) -> None:
    for name in _TEXTS:
        if name in entity:
            entity[name] = to_latin(entity[name])
    entity_lines: list[Json] = entity.get("Line", [])
    entity["Line"] = [
        one | {"Description": to_latin(one["Description"])} if "Description" in one else one for one in entity_lines
    ]
    if not entity_lines:
        del entity["Line"]


def as_read_there(new: NewDocument, facts: Facts) -> NewDocument:
    """A document as it reads back in this company."""
    new = as_read(new)
    if not facts.us:
        return new
    inclusive = new.basis is Basis.INCLUSIVE

    def net(amount: int, code: str) -> int:
        value: Any = net_of(to_decimal(amount, new.currency), facts.rates.get(code, 0))
        return int(value.scaleb(exponent(new.currency)))

    lines = tuple(
        replace(
            line,
            description=to_latin(line.description),
            amount=net(line.amount, line.tax) if inclusive else line.amount,
        )
        for line in new.lines
    )
    return replace(new, lines=lines, basis=Basis.EXCLUSIVE)
