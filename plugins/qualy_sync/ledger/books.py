"""Books: one Qualy tenant kept in step with one organisation of one tool; and the facts last read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from qualy_sync.contracts.accounting import Account, Chart, Organisation, TaxCode

from .engine import Ledger, LedgerError, db_now, upsert
from .fresh_start import reopen
from .lock_moves import LockMove, note_move
from .schema import books, facts, links

LOCKS = ("period_lock", "year_end_lock", "closed_until")


ACCOUNTING, CRM = "accounting", "crm"


class Reached(Protocol):
    """The organisation or account that a connection reaches."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


class WrongOrganisation(LedgerError):
    """The connection reaches another organisation than the one the links belong to."""


def wrong_organisation(kept: sa.Row[Any], tool: str, organisation: Reached, tenant: str) -> str:
    """Why nothing goes on, and both ways out of it."""
    afresh = (
        "begin afresh with this one (bin/qualy fresh-start tells what that means, and does it once it is confirmed)"
        if kept.role == ACCOUNTING
        else "use a new ledger (QUALY_LEDGER_URL) for this one"
    )
    return (
        f"This ledger keeps {kept.tool} organisation “{kept.name}” ({kept.organisation}) of Qualy tenant {kept.tenant}"
        f" in step; the connection reaches {tool} “{organisation.name}” ({organisation.id}) of tenant {tenant}. Links"
        f" belong to one organisation: connect the first one again, or {afresh}."
    )


def find_book(ledger: Ledger, tool: str) -> sa.Row[Any] | None:
    """The book kept for a tool, or None before first contact, or after a fresh start."""
    with ledger.reading() as connection:
        return connection.execute(sa.select(books).where(books.c.tool == tool, books.c.ended_at.is_(None))).first()


def live_book(ledger: Ledger) -> sa.Row[Any] | None:
    """The accounting book that is kept now, whatever its tool."""
    where = (books.c.role == ACCOUNTING, books.c.ended_at.is_(None))
    with ledger.reading() as connection:
        return connection.execute(sa.select(books).where(*where)).first()


def is_live(ledger: Ledger, book: int) -> bool:
    with ledger.reading() as connection:
        where = (books.c.id == book, books.c.ended_at.is_(None))
        return connection.execute(sa.select(books.c.id).where(*where)).first() is not None


def pin(ledger: Ledger, tenant: str, tool: str, organisation: Reached, role: str = ACCOUNTING) -> int:
    """The book of this organisation, pinned on first contact. Raises WrongOrganisation for another one.

    There is one accounting tool with one organisation; of CRM tools each has one account. One that was ended by a
    fresh start and is come back to is kept on: its links belong to just this organisation.
    """
    rivals = books.c.role == role if role == ACCOUNTING else sa.and_(books.c.role == role, books.c.tool == tool)
    with ledger.writing() as connection:
        found = connection.execute(sa.select(books).where(rivals)).all()
        mine = (tenant, tool, organisation.id)
        for book in found:
            if book.ended_at is None and (book.tenant, book.tool, book.organisation) == mine:
                return int(book.id)
        kept = next((book for book in found if book.ended_at is None), None)
        if kept is not None:
            raise WrongOrganisation(wrong_organisation(kept, tool, organisation, tenant))
        for book in found:
            if (book.tenant, book.tool, book.organisation) == mine:
                reopen(connection, int(book.id))
                return int(book.id)
        return int(
            connection.execute(
                sa.insert(books)
                .values(
                    tenant=tenant,
                    tool=tool,
                    organisation=organisation.id,
                    name=organisation.name,
                    role=role,
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


def put_organisation(ledger: Ledger, book: int, organisation: Organisation) -> LockMove | None:
    """Keeps what was read. Gives the lock date's move where it did move; that is kept too."""
    value = asdict(organisation) | {"zone": organisation.zone.key}
    value |= {name: value[name].isoformat() for name in LOCKS if value[name]}
    with ledger.writing() as connection:
        before = connection.scalar(sa.select(facts.c.value).where(facts.c.book == book, facts.c.name == "organisation"))
        put_fact(connection, book, "organisation", value)
        if before is None:
            return None
        return note_move(connection, book, _organisation(before).lock_date, organisation.lock_date)


def get_organisation(ledger: Ledger, book: int) -> Organisation | None:
    found = get_fact(ledger, book, "organisation")
    if found is None:
        return None
    return _organisation(found[0])


def _organisation(kept: Mapping[str, Any]) -> Organisation:
    value = dict(kept) | {"zone": ZoneInfo(kept["zone"])}
    for name in LOCKS:
        value[name] = date.fromisoformat(value[name]) if value.get(name) else None
    return Organisation(**value)


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
