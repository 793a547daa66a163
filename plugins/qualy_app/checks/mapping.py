"""The settings' accounts and tax codes against the live chart of accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qualy_sync.contracts.accounting import Ability, Account, Chart, Gap
from qualy_sync.settings import AccountingSettings, ItemMap

from .findings import Finding, Level


def mapping_findings(
    accounting: AccountingSettings, chart: Chart, base_currency: str, title: str, gaps: Sequence[Gap] = ()
) -> list[Finding]:
    """Every account and code of the settings that the tool does not have, has archived, or has as another kind."""
    against = _Against(
        chart, base_currency, title, next((g.sentence for g in gaps if g.ability is Ability.TAX_CODES), "")
    )
    found = [
        *_items(accounting, against),
        *_splits(accounting, against),
        *_taxes(accounting, against),
        *_settlement(accounting, against),
        *_rounding(accounting, against),
    ]
    if not any(one.level in (Level.PROBLEM, Level.WARNING) for one in found):
        accounts = len(accounting.items) + len(accounting.splits.map)
        found.append(Finding(Level.OK, "mapping", f"{accounts} mappings; {title} has every account and tax code."))
    return found


@dataclass(frozen=True, slots=True)
class _Against:
    chart: Chart
    base_currency: str
    title: str
    no_tax_codes: str = ""  # why the tool has none, if so

    def account(self, where: str, code: str | None) -> Account | Finding:
        if code is None:
            return Finding(Level.PROBLEM, where, "No account is named.")
        found = self.chart.accounts.get(code)
        if found is None:
            return Finding(
                Level.PROBLEM, where, f"{self.title} has no account {code}. Correct the code, or add it there."
            )
        if not found.active:
            return Finding(Level.PROBLEM, where, f"Account {code} “{found.name}” is archived in {self.title}.")
        return found

    def of_kind(self, where: str, code: str | None, kind: str, level: Level = Level.PROBLEM) -> Iterator[Finding]:
        """`kind`: liability, income or expense."""
        found = self.account(where, code)
        if isinstance(found, Finding):
            yield found
        elif not getattr(found, kind):
            article = "an" if kind[0] in "aeiou" else "a"
            yield Finding(
                level, where, f"Account {code} “{found.name}” is not {article} {kind} account ({found.kind})."
            )

    def of_role(self, where: str, code: str | None, kind: str, level: Level = Level.PROBLEM) -> Iterator[Finding]:
        """What a role asks for. An item that posts elsewhere is always refused; another account may be meant so."""
        found = self.account(where, code)
        if isinstance(found, Finding) or getattr(found, kind) or not found.posts_to:
            yield from self.of_kind(where, code, kind, level)
            return
        article = "an" if kind[0] in "aeiou" else "a"
        yield Finding(
            Level.PROBLEM,
            where,
            f"Item {code} “{found.name}” posts to account {found.posts_to}, which is not {article} {kind} account"
            f" ({found.kind}): what is sold under it is held. Name an item that posts to {article} {kind} account; or"
            f" point this one to such an account in {self.title}, and write its new code here.",
        )

    def on_sales(self, where: str, code: str | None) -> Iterator[Finding]:
        """A code that lines of invoices name: in some tools they post through items alone."""
        found = self.chart.accounts.get(code or "")
        if found is not None and found.active and not found.sales:
            sentence = f"Lines of sales cannot name account {code} “{found.name}”: name an item that posts to it."
            yield Finding(Level.PROBLEM, where, sentence)

    def any_kind(self, where: str, code: str | None) -> Iterator[Finding]:
        found = self.account(where, code)
        if isinstance(found, Finding):
            yield found

    def tax(self, where: str, code: str | None, *, sales: bool) -> Iterator[Finding]:
        if code is None:
            return
        if self.no_tax_codes:
            yield Finding(Level.PROBLEM, where, f"Tax code {code} cannot be used: {self.no_tax_codes} Leave it out.")
            return
        found = self.chart.taxes.get(code)
        side = "sales" if sales else "purchases"
        if found is None or not found.active:
            state = "archived" if found else "not there"
            yield Finding(Level.PROBLEM, where, f"Tax code {code} is {state} in {self.title}.")
        elif not (found.sales if sales else found.purchases):
            yield Finding(Level.PROBLEM, where, f"Tax code {code} “{found.name}” does not apply to {side}.")

    def money(self, where: str, code: str, currency: str) -> Iterator[Finding]:
        """An account that settlements in a currency go to."""
        found = self.account(where, code)
        if isinstance(found, Finding):
            yield found
            return
        if not found.takes_payments:
            yield Finding(
                Level.PROBLEM, where, f"Account {code} “{found.name}” takes no payments; enable that in {self.title}."
            )
        has = found.currency or self.base_currency
        if currency and has != currency:
            yield Finding(Level.PROBLEM, where, f"Account {code} “{found.name}” is in {has}, not in {currency}.")


def _items(accounting: AccountingSettings, against: _Against) -> Iterator[Finding]:
    as_bill = accounting.payments.as_ == "bill"
    for category, item in accounting.items.items():
        where = f"accounting.items.{category}"
        if as_bill:
            yield from against.of_kind(f"{where}.expense_account", item.expense_account, "expense", Level.WARNING)
            yield from against.tax(f"{where}.purchase_tax", item.purchase_tax, sales=False)
            continue
        yield from against.on_sales(f"{where}.account", item.account)
        if item.role == "principal":
            yield from _principal(where, item, against)
        else:
            if item.role == "agent_on_invoice":
                yield from against.on_sales(f"{where}.income_account", item.income_account)
            yield from _agent(where, item, against)
            yield from _two_bases(where, item, accounting, against)


def _principal(where: str, item: ItemMap, against: _Against) -> Iterator[Finding]:
    if item.suspense:
        yield from against.any_kind(f"{where}.account", item.account)
    else:
        yield from against.of_role(f"{where}.account", item.account, "income", Level.WARNING)
    yield from against.tax(f"{where}.tax", item.tax, sales=True)


def _agent(where: str, item: ItemMap, against: _Against) -> Iterator[Finding]:
    """Money that belongs to a partner: it has to stand on a liability, the same one on invoice and bill."""
    yield from against.of_role(f"{where}.account", item.account, "liability")
    yield from against.of_role(f"{where}.income_account", item.income_account, "income", Level.WARNING)
    yield from against.tax(f"{where}.tax", item.tax, sales=True)
    yield from against.tax(f"{where}.income_tax", item.income_tax, sales=item.role == "agent_on_invoice")
    yield from against.tax(f"{where}.purchase_tax", item.purchase_tax, sales=False)


def _two_bases(where: str, item: ItemMap, accounting: AccountingSettings, against: _Against) -> Iterator[Finding]:
    """The liability nets to zero only where invoice and bill read the same amount with or without its tax alike."""
    invoices, bills = accounting.payments.amounts, accounting.splits.amounts
    codes = {code for code in (item.tax, item.purchase_tax) if code} or {*accounting.taxes.sales.values()}
    taxed = sorted(code for code in codes if code in against.chart.taxes and against.chart.taxes[code].rate)
    if invoices != bills and taxed:
        yield Finding(
            Level.WARNING,
            where,
            f"It is taxed ({', '.join(taxed)}), payments.amounts is {invoices} and splits.amounts is {bills}: the same"
            f" share comes to account {item.account} with tax taken out on one side only, so that its balance never"
            " comes to zero. Set both alike, unless Qualy's amounts truly differ so.",
        )


def _splits(accounting: AccountingSettings, against: _Against) -> Iterator[Finding]:
    for place, entry in enumerate(accounting.splits.map, start=1):
        where = f"accounting.splits.map, entry {place}"
        yield from against.any_kind(where, entry.account)
        kind = accounting.splits.types.get(entry.type)
        owed = kind is not None and kind.direction == "owed_to_us"  # then it is our invoice to the partner
        yield from against.tax(where, entry.tax, sales=owed)
    for name, document in accounting.splits.partner_documents.items():
        for code in (*document.taxes.values(), document.without_tax):
            yield from against.tax(f"accounting.splits.partner_documents.{name}", code, sales=False)


def _taxes(accounting: AccountingSettings, against: _Against) -> Iterator[Finding]:
    for name, code in accounting.taxes.sales.items():
        yield from against.tax(f"accounting.taxes.sales.{name}", code, sales=True)
    for name, code in accounting.taxes.purchases.items():
        yield from against.tax(f"accounting.taxes.purchases.{name}", code, sales=False)


def _settlement(accounting: AccountingSettings, against: _Against) -> Iterator[Finding]:
    for method, by_currency in accounting.settlement.accounts.items():
        for currency, code in by_currency.items():
            yield from against.money(f"accounting.settlement.accounts.{method}.{currency}", code, currency)
    for method, code in accounting.settlement.money_not_moved.items():
        if code != "hold":
            yield from against.money(f"accounting.settlement.money_not_moved.{method}", code, "")


def _rounding(accounting: AccountingSettings, against: _Against) -> Iterator[Finding]:
    if accounting.rounding.cents:
        yield from against.any_kind("accounting.rounding.account", accounting.rounding.account)
        for sales in (True, False):  # differences arise on invoices and on bills
            yield from against.tax("accounting.rounding.tax", accounting.rounding.tax, sales=sales)
