"""The company and its chart, from QuickBooks' JSON. Pure; raises WrongShape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from babel.core import get_global

from connectors.quickbooks.fields import Row, day, needed, number, part, parts, reference, text
from qualy_sync.contracts.accounting import Account, Organisation, TaxCode
from qualy_sync.contracts.errors import WrongShape

POSTS_TO = ">"  # in the code of an item: "204>61" is item 204, which posts to account 61
_MONEY = frozenset({"Bank", "Other Current Asset"})
_NATURES = {
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
}
_NO_LINES = frozenset({"Accounts Receivable", "Accounts Payable"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides how things are written to a company. `rates` by tax code, in the units of `TaxCode.rate`."""

    name: str
    country: str
    zone: ZoneInfo
    home: str
    closed: date | None
    rates: Mapping[str, int]
    currencies: bool  # several: then every document has to name its own, or silently takes its customer's

    @property
    def us(self) -> bool:
        """The United States' tax model and character set hold."""
        return self.country == "US"

    def organisation(self, realm: str, stand_in: bool) -> Organisation:
        """As the contract has it."""
        return Organisation(
            id=realm,
            name=self.name,
            base_currency=self.home,
            zone=self.zone,
            country=self.country,
            period_lock=self.closed,
            stand_in=stand_in,
        )


def facts(info: Row, preferences: Row, codes: Sequence[TaxCode]) -> Facts:
    """From CompanyInfo and Preferences. A closing date that is not set is absent, or an empty text."""
    home = reference(part(preferences, "CurrencyPrefs"), "HomeCurrency")
    if not home:
        raise WrongShape("QuickBooks does not say the company's home currency.")
    return Facts(
        name=needed(info, "CompanyName"),
        country=_country(text(info, "Country")),
        zone=_zone(needed(info, "DefaultTimeZone")),
        home=home,
        closed=day(part(preferences, "AccountingInfoPrefs"), "BookCloseDate"),
        rates={code.code: code.rate for code in codes},
        currencies=part(preferences, "CurrencyPrefs").get("MultiCurrencyEnabled") is True,
    )


def _country(code: str) -> str:
    """Two letters; since the end of 2025 QuickBooks answers three."""
    known: list[str] = get_global("territory_aliases").get(code.upper(), [])
    return known[0] if len(code) == 3 and len(known) == 1 else code.upper()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise WrongShape(f"QuickBooks names a time zone that is not known ({name}).") from None


def tax_codes(codes: Sequence[Row], rates: Sequence[Row], us: bool) -> list[TaxCode]:
    """Tax codes with the sum of their rates. In the United States NON stands for bills, which carry no code."""
    values = {needed(row, "Id"): number(row, "RateValue") or Decimal(0) for row in rates}
    return [_tax_code(row, values, us) for row in codes]


def _tax_code(row: Row, values: Mapping[str, Decimal], us: bool) -> TaxCode:
    code = needed(row, "Id")
    sales, purchases = (
        [reference(one, "TaxRateRef") for one in parts(part(row, side), "TaxRateDetail")]
        for side in ("SalesTaxRateList", "PurchaseTaxRateList")
    )
    percent = sum((values.get(one, Decimal(0)) for one in sales or purchases), Decimal(0))
    return TaxCode(
        code=code,
        name=text(row, "Name"),
        rate=int((percent * 10_000).quantize(Decimal(1), ROUND_HALF_UP)),
        active=row.get("Active") is not False,
        sales=us or bool(sales),
        purchases=code == "NON" if us else bool(purchases),
    )


def chart_accounts(accounts: Sequence[Row], items: Sequence[Row]) -> dict[str, Account]:
    """Accounts by id, and items by id and the account they post to.

    So a setting says both: an item that is pointed to another account is no longer the one that was meant.
    """
    by_id = {needed(row, "Id"): row for row in accounts}
    found = {id_: _account(id_, row) for id_, row in by_id.items()}
    for row in items:
        target = reference(row, "IncomeAccountRef")
        if target in by_id:
            code = f"{needed(row, 'Id')}{POSTS_TO}{target}"
            found[code] = _item(code, row, by_id[target])
    return found


def _account(code: str, row: Row) -> Account:
    kind = needed(row, "AccountType")
    return Account(
        code=code,
        name=text(row, "Name"),
        kind=kind.lower(),
        active=row.get("Active") is not False,
        takes_payments=kind in _MONEY,
        liability=_is(row, "Liability"),
        income=_is(row, "Revenue"),
        expense=_is(row, "Expense"),
        currency=(reference(row, "CurrencyRef") or None) if kind in _MONEY else None,
        sales=False,  # lines of sales post through items
        purchases=kind not in _NO_LINES,
    )


def _item(code: str, row: Row, account: Row) -> Account:
    return Account(
        code=code,
        name=text(row, "Name"),
        kind=f"item, posts to {needed(account, 'AccountType').lower()}",
        active=row.get("Active") is not False and account.get("Active") is not False,
        takes_payments=False,
        liability=_is(account, "Liability"),
        income=_is(account, "Revenue"),
        expense=_is(account, "Expense"),
        purchases=needed(account, "AccountType") not in _NO_LINES,
        posts_to=f"{needed(account, 'Id')} “{text(account, 'Name')}”",
    )


def _is(row: Row, nature: str) -> bool:
    """By the account's classification; where an answer leaves it out, by its type."""
    return (text(row, "Classification") or _NATURES.get(needed(row, "AccountType"), "Asset")) == nature


def account_of(code: str) -> str:
    """The account behind a code of the chart."""
    return code.rpartition(POSTS_TO)[2]


def item_of(code: str) -> str:
    """The item in a code of the chart, empty where it names an account."""
    return code.partition(POSTS_TO)[0] if POSTS_TO in code else ""
