"""The company, and categories and accounts as a chart, from Conta Azul's JSON. Pure; raises WrongShape.

Conta Azul has categories where others have accounts of income and expense; its accounts are where money lies. Neither
has a code, so that mappings name their ids. Tax codes do not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from connectors.conta_azul.fields import CURRENCY, SAO_PAULO, Row, identifier, needed, text
from qualy_sync.contracts.accounting import Account, Chart, Organisation

JOINED = "+"  # between the two categories of a pass-through pair


def organisation(row: Row, stand_in: bool) -> Organisation:
    """The company that the connection reaches. Its API shows no closed period."""
    return Organisation(
        id=identifier(row, "id_empresa"),
        name=text(row, "razao_social") or text(row, "nome_fantasia") or needed(row, "id_empresa"),
        base_currency=CURRENCY,
        zone=SAO_PAULO,
        country="BR",
        stand_in=stand_in,
    )


def chart(categories: Iterable[Row], accounts: Iterable[Row], pairs: Iterable[tuple[str, str]]) -> Chart:
    """Categories and accounts by id, and each pass-through pair as one liability (`RECEITA+DESPESA`)."""
    found = {one.code: one for one in (*map(_category, categories), *map(_account, accounts))}
    for income, expense in pairs:
        one = _pair(found.get(income), found.get(expense))
        if one is not None:
            found[one.code] = one
    return Chart(accounts=MappingProxyType(found), taxes=MappingProxyType({}), currencies=frozenset({CURRENCY}))


def _category(row: Row) -> Account:
    kind = needed(row, "tipo")
    return Account(
        code=identifier(row, "id"),
        name=text(row, "nome"),
        kind=kind.lower(),
        active=True,
        takes_payments=False,
        liability=False,
        income=kind == "RECEITA",
        expense=kind == "DESPESA",
        currency=None,
    )


def _account(row: Row) -> Account:
    return Account(
        code=identifier(row, "id"),
        name=text(row, "nome"),
        kind=text(row, "tipo").lower(),
        active=row.get("ativo") is not False,
        takes_payments=True,
        liability=False,
        income=False,
        expense=False,
        currency=CURRENCY,
    )


def _pair(income: Account | None, expense: Account | None) -> Account | None:
    """None where one of them is not there, or is not of its kind: the mapping that names the pair is then refused."""
    if income is None or expense is None or not (income.income and expense.expense):
        return None
    return Account(
        code=f"{income.code}{JOINED}{expense.code}",
        name=f"{income.name} / {expense.name}",
        kind="pass-through",
        active=True,
        takes_payments=False,
        liability=True,
        income=False,
        expense=False,
        currency=None,
    )


def category_of(account: str, *, sales: bool) -> str:
    """The category that a line posts to: of a pair the one of its side."""
    income, joined, expense = account.partition(JOINED)
    return income if sales or not joined else expense


def account_of(category: str, pairs: Mapping[str, str]) -> str:
    """What a mapping calls a category: the pair that it belongs to, else itself."""
    return pairs.get(category, category)


def by_category(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The pair by each of its categories."""
    return MappingProxyType({one: JOINED.join(pair) for pair in pairs for one in pair})
