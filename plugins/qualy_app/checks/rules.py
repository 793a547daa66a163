"""The settings' rules against what is there: rates and their table, approvers, pay-outs, what partners owe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Chart, Organisation
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import source_rows
from qualy_sync.model import Kind
from qualy_sync.settings import AccountingSettings, RateTable

from .findings import Finding, Level

LARGEST_STEP = Decimal("0.3")  # a rate that moves further in one step was more likely typed the wrong way round
SHOWN = 3


def rule_findings(
    ledger: Ledger, accounting: AccountingSettings, organisation: Organisation, chart: Chart, title: str
) -> Iterator[Finding]:
    """Everything worth a word about the settings' rules before the first write."""
    yield from _rates(ledger, accounting, organisation)
    yield from _redating(accounting, organisation)
    yield from _splits(accounting, chart, organisation.base_currency, title)
    yield from _personal(accounting, organisation)


def _rates(ledger: Ledger, accounting: AccountingSettings, organisation: Organisation) -> Iterator[Finding]:
    currencies, base = accounting.currencies, organisation.base_currency
    foreign = [one for one in met_currencies(ledger) if one != base]
    where = "exchange rates"
    if currencies.rates == "table":
        yield from table_findings(currencies.dated, foreign, base, accounting.start_date, currencies.carry_days)
    elif currencies.table is not None:
        yield Finding(Level.NOTE, where, f"currencies.table is named and not used: rates is {currencies.rates}.")
    if currencies.rates == "qualy":
        yield Finding(
            Level.WARNING, where, "Qualy's own rates hold a markup: foreign documents are not at the market's rate."
        )
    if foreign and currencies.settled_amount is None:
        yield Finding(
            Level.NOTE,
            where,
            "currencies.settled_amount is not set: what is paid in another currency than it is due in is held.",
        )


def table_findings(
    table: RateTable, foreign: Sequence[str], base: str, start: date, carry_days: int
) -> Iterator[Finding]:
    """What the user's table leaves out, and what in it looks like a slip."""
    where = "accounting.currencies.table"
    for currency in foreign:
        mine = table.rates.get(currency, ())
        if not mine:
            yield Finding(Level.PROBLEM, where, f"Qualy has payments in {currency}, and the table has no rate: held.")
            continue
        gaps = [gap for gap in table.gaps(currency, carry_days) if gap[1] >= start]
        if gaps:
            shown = ", ".join(f"{first} to {last}" if first != last else f"{first}" for first, last in gaps[:SHOWN])
            more = f" and {len(gaps) - SHOWN} more spans" if len(gaps) > SHOWN else ""
            said = f"{currency} has no rate on {shown}{more}: documents of these days are held."
            yield Finding(Level.WARNING, where, f"{said} Add the days, or let a rate hold on (carry_days).")
        yield Finding(Level.OK, where, f"{currency}: {len(mine):,} rates, {mine[0].day} to {mine[-1].day}.")
        for before, after in pairwise(mine):
            if abs(after.rate / before.rate - 1) > LARGEST_STEP:
                yield Finding(
                    Level.WARNING,
                    where,
                    f"{currency} goes from {before.rate} on {before.day} to {after.rate} on {after.day}. A rate is"
                    f" {base} per {currency}, not the other way round; is it right?",
                )
                break
    if base in table.rates:
        yield Finding(Level.WARNING, where, f"The table has rates for {base}, the base currency; they are not used.")


def _redating(accounting: AccountingSettings, organisation: Organisation) -> Iterator[Finding]:
    approved = {kind: name for kind, name in accounting.next_open_day.model_dump().items() if name}
    for kind, name in approved.items():
        yield Finding(
            Level.WARNING,
            "next_open_day",
            f"{name} approves that each new {kind.replace('_', ' ')} of a locked day is dated on the first open one:"
            " its tax changes period. The report lists each.",
        )
    if accounting.closed_until is not None:
        tool = max(filter(None, (organisation.period_lock, organisation.year_end_lock)), default=None)
        later = tool is None or accounting.closed_until > tool
        counts = "it counts" if later else f"the tool's own, {tool}, is later and counts"
        yield Finding(Level.OK, "closed_until", f"Your own closing date is {accounting.closed_until}; {counts}.")


def _splits(accounting: AccountingSettings, chart: Chart, base: str, title: str) -> Iterator[Finding]:
    splits = accounting.splits
    owed = sorted(name for name, kind in splits.types.items() if kind.direction == "owed_to_us")
    if owed and splits.owed_to_us == "hold":
        yield Finding(
            Level.NOTE,
            "accounting.splits.owed_to_us",
            f"Splits of {', '.join(owed)} are held: owed_to_us is hold.",
        )
    if splits.mark_paid:
        for currency, code in splits.payout_accounts.items():
            yield from _payout_account(chart, currency, code, base, title)
    if splits.when == "when_paid_out":
        yield Finding(
            Level.NOTE, "accounting.splits.when", "Bills appear when Qualy pays out; until then no liability shows."
        )


def _payout_account(chart: Chart, currency: str, code: str, base: str, title: str) -> Iterator[Finding]:
    where, found = f"accounting.splits.payout_accounts.{currency}", chart.accounts.get(code)
    if found is None or not found.active:
        state = "has archived" if found else "does not have"
        yield Finding(Level.PROBLEM, where, f"{title} {state} the account {code}.")
    elif not found.takes_payments:
        yield Finding(Level.PROBLEM, where, f"Account {code} “{found.name}” takes no payments; enable that in {title}.")
    elif (found.currency or base) != currency:
        has = found.currency or base
        yield Finding(Level.PROBLEM, where, f"Account {code} “{found.name}” is in {has}, not in {currency}.")


def _personal(accounting: AccountingSettings, organisation: Organisation) -> Iterator[Finding]:
    contacts = accounting.contacts
    named = [name for name in ("customer_tax_id", "partner_tax_id") if getattr(contacts, name)]
    if named:
        yield Finding(
            Level.NOTE,
            "accounting.contacts",
            f"{' and '.join(named)}: these numbers are sensitive, and go there.",
        )
    if organisation.country == "BR" and contacts.partner_tax_id is None:
        yield Finding(
            Level.PROBLEM,
            "accounting.contacts.partner_tax_id",
            "Not set: partners have no CNPJ then, and are held.",
        )
    if contacts.update:
        what = ", ".join(contacts.overwrite) or "nothing"
        yield Finding(Level.WARNING, "accounting.contacts.update", f"Contacts that we made are overwritten: {what}.")


def met_currencies(ledger: Ledger) -> list[str]:
    """The currencies of Qualy's payments and splits."""
    currency = source_rows.c.content["currency"].as_string()
    query = sa.select(sa.distinct(currency)).where(
        source_rows.c.kind.in_([Kind.PAYMENT, Kind.SPLIT]), source_rows.c.valid_to.is_(None)
    )
    with ledger.reading() as connection:
        return sorted({str(found).upper() for found in connection.scalars(query) if found})
