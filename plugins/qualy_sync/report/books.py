"""The state of the books: booked documents beside the tool, unpaid by age, bills that miss, balances of accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from qualy_sync.contracts.accounting import GONE
from qualy_sync.ledger.queries import rows
from qualy_sync.reconcile import document_rows

from .escape import web_link
from .values import Agreed, Balance, ToRecode, Unbilled, Unpaid

AGES = ("not due", "1 to 30", "31 to 60", "61 to 90", "over 90")
NAMED = 10
_Account = tuple[str, str]  # code, currency


def documents(
    connection: sa.Connection, book: int, chart: Mapping[str, Any]
) -> tuple[list[Agreed], list[Balance] | None]:
    """Live documents as agreed beside the tool; and what passed through liability accounts.

    The second is None where documents exist and do not say which accounts they post to.
    """
    agreed: dict[tuple[str, str], Agreed] = {}
    came: Counter[_Account] = Counter()
    went: Counter[_Account] = Counter()
    told = untold = 0
    for row in document_rows(connection, book):
        if row.there is None or row.status in GONE:
            continue
        table = agreed.setdefault((row.leg, row.there_currency), Agreed(row.leg, row.there_currency))
        _compare(table, row)
        accounts = (row.facts or {}).get("accounts")
        told, untold = told + (accounts is not None), untold + (accounts is None)
        for account, net in (accounts or {}).items():
            (came if row.what == "invoice" else went)[(account, row.there_currency)] += int(net)
    pass_through = _pass_through(came, went, chart) if told or not untold else None
    return [agreed[key] for key in sorted(agreed)], pass_through


def unpaid(connection: sa.Connection, book: int, today: date) -> list[Unpaid]:
    """Outstanding on our invoices as the tool shows it, by currency and days overdue."""
    found: dict[str, Counter[str]] = {}
    count: Counter[str] = Counter()
    for row in rows(connection, "report.unpaid", book=book):
        found.setdefault(row.currency, Counter())[_age(row.due_date, today)] += row.amount
        count[row.currency] += row.documents
    return [Unpaid(currency, count[currency], found[currency]) for currency in sorted(found)]


def unbilled(connection: sa.Connection, book: int, in_step: tuple[str, ...], fine: tuple[str, ...]) -> list[Unbilled]:
    """Booked invoices whose partners' bills are not booked, by currency."""
    payments: dict[str, dict[str, None]] = {}
    amount: Counter[str] = Counter()
    bills: Counter[str] = Counter()
    for row in rows(connection, "report.without_bill", book=book, in_step=in_step, fine=fine):
        payments.setdefault(row.currency, {})[row.payment_id] = None
        amount[row.currency] += row.amount
        bills[row.currency] += 1
    return [
        Unbilled(currency, len(ids), bills[currency], amount[currency], tuple(ids)[:NAMED])
        for currency, ids in sorted(payments.items())
    ]


def to_recode(connection: sa.Connection, book: int) -> list[ToRecode]:
    """Documents that post to a suspense account still, the oldest first."""
    return [
        ToRecode(
            leg=row.leg,
            source_id=row.source_id,
            number=row.number,
            accounts=(accounts := tuple(row.facts["suspense"])),
            currency=row.currency,
            amount=sum(int((row.facts.get("accounts") or {}).get(account, 0)) for account in accounts),
            date=row.date,
            tool_url=web_link(row.url or ""),
        )
        for row in rows(connection, "report.to_recode", book=book)
        if row.facts.get("suspense")
    ]


def clearing(connection: sa.Connection, book: int, chart: Mapping[str, Any]) -> list[Balance]:
    """What our settlements brought to each account, by month."""
    found: dict[_Account, dict[str, int]] = {}
    for row in rows(connection, "report.clearing", book=book):
        found.setdefault((row.account, row.currency), {})[row.month] = row.amount
    return [
        Balance(account, _name(chart, account), currency, sum(by_month.values()), 0, by_month)
        for (account, currency), by_month in sorted(found.items())
    ]


def _compare(table: Agreed, row: Any) -> None:
    facts: Mapping[str, Any] = row.facts or {}
    table.documents += 1
    for name in ("net", "tax", "total"):
        theirs = getattr(row, name)
        table.add(name, int(facts.get(name, theirs)), theirs)
    if row.what == "invoice":
        table.add("paid", row.settled, row.paid)
        table.add("outstanding", int(facts.get("total", row.total)) - row.settled, row.due)


def _pass_through(came: Counter[_Account], went: Counter[_Account], chart: Mapping[str, Any]) -> list[Balance]:
    accounts = chart.get("accounts") or {}
    liabilities = sorted(
        key for key in {*came, *went} if isinstance(accounts.get(key[0]), dict) and accounts[key[0]].get("liability")
    )
    return [Balance(key[0], _name(chart, key[0]), key[1], came[key], went[key], {}) for key in liabilities]


def _name(chart: Mapping[str, Any], account: str) -> str:
    found = (chart.get("accounts") or {}).get(account)
    return str(found.get("name", "")) if isinstance(found, dict) else ""


def _age(due: date | None, today: date) -> str:
    days = (today - due).days if due else 0
    if days <= 0:
        return AGES[0]
    return AGES[min((days - 1) // 30 + 1, 4)]
