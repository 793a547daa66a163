"""Books: one Qualy tenant kept in step with one organisation of one tool; and the facts last read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Account, Chart, Organisation, TaxCode

from .engine import Ledger, LedgerError, db_now, upsert
from .schema import books, facts, links


class WrongOrganisation(LedgerError):
    """The connection reaches another organisation than the one the links belong to."""


def find_book(ledger: Ledger, tool: str) -> sa.Row[Any] | None:
    """The book kept for a tool, or None before first contact."""
    with ledger.reading() as connection:
        return connection.execute(sa.select(books).where(books.c.tool == tool)).first()


def pin(ledger: Ledger, tenant: str, tool: str, organisation: Organisation) -> int:
    """The book of this organisation, pinned on first contact. Raises WrongOrganisation for another one."""
    with ledger.writing() as connection:
        found = connection.execute(sa.select(books)).all()
        for book in found:
            if (book.tenant, book.tool, book.organisation) == (tenant, tool, organisation.id):
                return int(book.id)
        if found:
            kept = found[0]
            raise WrongOrganisation(
                f"This ledger keeps {kept.tool} organisation “{kept.name}” ({kept.organisation}) of Qualy tenant"
                f" {kept.tenant} in step; the connection reaches {tool} “{organisation.name}” ({organisation.id}) of"
                f" tenant {tenant}. Links belong to one organisation: connect the first one again, or use a new ledger"
                " (QUALY_LEDGER_URL) for this one."
            )
        return int(
            connection.execute(
                sa.insert(books)
                .values(
                    tenant=tenant,
                    tool=tool,
                    organisation=organisation.id,
                    name=organisation.name,
                    pinned_at=db_now(connection),
                )
                .returning(books.c.id)
            ).scalar_one()
        )


def has_links(ledger: Ledger, book: int) -> bool:
    with ledger.reading() as connection:
        return connection.execute(sa.select(links.c.id).where(links.c.book == book).limit(1)).first() is not None


def put_fact(connection: sa.Connection, book: int, name: str, value: Mapping[str, Any]) -> None:
    row = {"book": book, "name": name, "value": dict(value), "read_at": db_now(connection)}
    upsert(connection, facts, row, keys=("book", "name"))


def get_fact(ledger: Ledger, book: int, name: str) -> tuple[dict[str, Any], datetime] | None:
    with ledger.reading() as connection:
        row = connection.execute(
            sa.select(facts.c.value, facts.c.read_at).where(facts.c.book == book, facts.c.name == name)
        ).first()
    return (row.value, row.read_at) if row else None


def put_organisation(ledger: Ledger, book: int, organisation: Organisation) -> None:
    value = asdict(organisation) | {
        "zone": organisation.zone.key,
        "period_lock": organisation.period_lock.isoformat() if organisation.period_lock else None,
        "year_end_lock": organisation.year_end_lock.isoformat() if organisation.year_end_lock else None,
        "closed_until": organisation.closed_until.isoformat() if organisation.closed_until else None,
    }
    with ledger.writing() as connection:
        put_fact(connection, book, "organisation", value)


def get_organisation(ledger: Ledger, book: int) -> Organisation | None:
    found = get_fact(ledger, book, "organisation")
    if found is None:
        return None
    value = dict(found[0])
    for name in ("period_lock", "year_end_lock", "closed_until"):
        value[name] = date.fromisoformat(value[name]) if value.get(name) else None
    return Organisation(**(value | {"zone": ZoneInfo(value["zone"])}))


def put_chart(ledger: Ledger, book: int, chart: Chart) -> None:
    value = {
        "accounts": {code: asdict(account) for code, account in chart.accounts.items()},
        "taxes": {code: asdict(tax) for code, tax in chart.taxes.items()},
        "currencies": sorted(chart.currencies),
        "posts_behind_lock": chart.posts_behind_lock,
    }
    with ledger.writing() as connection:
        put_fact(connection, book, "chart", value)


def get_chart(ledger: Ledger, book: int) -> tuple[Chart, datetime] | None:
    found = get_fact(ledger, book, "chart")
    if found is None:
        return None
    value, read_at = found
    return Chart(
        accounts={code: Account(**account) for code, account in value["accounts"].items()},
        taxes={code: TaxCode(**tax) for code, tax in value["taxes"].items()},
        currencies=frozenset(value["currencies"]),
        posts_behind_lock=value["posts_behind_lock"],
    ), read_at
