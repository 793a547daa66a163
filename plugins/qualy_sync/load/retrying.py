"""Trying again exactly the records of one trouble, after a person did something about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.outcomes import current_of
from qualy_sync.ledger.schema import current_outcomes, source_rows
from qualy_sync.ledger.slices import OWNERS_PER_SLICE, every_owner, visible
from qualy_sync.model import Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key
from qualy_sync.plan.values import record_of

from .keep import keep_planned
from .planning import Overview, plan_owners, plan_suppliers
from .refresh import refresh_chart, refresh_mirror, refresh_organisation
from .work import GROUPS, Filter, Work


class InABook(Protocol):
    """Work on one book, of whatever kind."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def book(self) -> int: ...


def records_of(work: InABook, trouble_key: str) -> list[sa.Row[tuple[str, str, str, str | None]]]:
    """The records under a trouble key now: leg, source id, owner, payment id."""
    columns = (
        current_outcomes.c.leg,
        current_outcomes.c.source_id,
        current_outcomes.c.owner,
        current_outcomes.c.payment_id,
    )
    with work.ledger.reading() as connection:
        return list(
            connection.execute(
                sa.select(*columns).where(
                    current_outcomes.c.book == work.book, current_outcomes.c.trouble_key == trouble_key
                )
            )
        )


def retry(work: Work, keys: Sequence[Key]) -> dict[str, int]:
    """Tries these records again, and the legs that wait for them; nothing else is touched. Returns counts."""
    from . import load

    records = _rows(work, keys)
    wanted = {(str(row.leg), row.source_id) for row in records} | _waiting(work, records)
    refresh_organisation(work)
    refresh_chart(work)
    refresh_mirror(work, work.everything)
    terms = work.terms()
    work = replace(work, filter=Filter(keys=frozenset(wanted)), again=True)
    owners = sorted({row.owner for row in _rows(work, list(wanted)) if row.owner})  # of bills that wait, too
    for start in range(0, len(owners), OWNERS_PER_SLICE):
        plan = plan_owners(work, terms, owners[start : start + OWNERS_PER_SLICE])
        keep_planned(work, terms, [one for one in plan.planned if record_of(one.key) in wanted])
    suppliers = sorted(key for key in wanted if key[0] == Leg.SUPPLIER)
    if suppliers:
        keep_planned(work, terms, plan_suppliers(work, terms, suppliers))
    counts: dict[str, int] = {"records": len(records)}
    for group in GROUPS:
        for name, number in load(work, group).items():
            counts[name] = counts.get(name, 0) + number
        _plan_again(replace(work, again=False), owners, _still_waiting(work, wanted))
    return counts


def _plan_again(work: Work, owners: Sequence[str], wanted: set[Key]) -> None:
    """What waited for what just went through has its turn now."""
    terms = work.terms()
    for start in range(0, len(owners), OWNERS_PER_SLICE):
        plan = plan_owners(work, terms, owners[start : start + OWNERS_PER_SLICE])
        keep_planned(work, terms, [one for one in plan.planned if record_of(one.key) in wanted])


def _still_waiting(work: Work, wanted: set[Key]) -> set[Key]:
    """Those that wait for another leg. What is still to be tried again is not looked at: it was refused before."""
    with work.ledger.reading() as connection:
        rows = current_of(connection, work.book, [key[1] for key in wanted])
    return {key for key in wanted if (row := rows.get(key)) is not None and row.code == Code.WAITING_FOR}


def _rows(work: Work, keys: Sequence[Key]) -> list[sa.Row[tuple[str, str, str, str | None]]]:
    wanted = set(keys)
    ids = sorted({key[1] for key in wanted})
    found: list[sa.Row[tuple[str, str, str, str | None]]] = []
    with work.ledger.reading() as connection:
        for start in range(0, len(ids), 500):
            rows = connection.execute(
                sa.select(
                    current_outcomes.c.leg,
                    current_outcomes.c.source_id,
                    current_outcomes.c.owner,
                    current_outcomes.c.payment_id,
                ).where(
                    current_outcomes.c.book == work.book,
                    current_outcomes.c.leg.in_({key[0] for key in wanted}),
                    current_outcomes.c.source_id.in_(ids[start : start + 500]),
                )
            )
            found += [row for row in rows if (row.leg, row.source_id) in wanted]
    return found


def _waiting(work: Work, records: Sequence[sa.Row[tuple[str, str, str, str | None]]]) -> set[Key]:
    """Legs that wait for one of these records: of the same payment, of the customer, or of the partner."""
    payments = sorted({row.payment_id for row in records if row.payment_id})
    people = sorted({row.source_id for row in records if row.leg in (Leg.CONTACT, Leg.SUPPLIER)})
    owners = sorted({row.owner for row in records if row.leg == Leg.CONTACT})
    found: set[Key] = set()
    with work.ledger.reading() as connection:
        for column, values in ((current_outcomes.c.payment_id, payments), (current_outcomes.c.owner, owners)):
            for start in range(0, len(values), 500):
                rows = connection.execute(
                    sa.select(current_outcomes.c.leg, current_outcomes.c.source_id).where(
                        current_outcomes.c.book == work.book,
                        current_outcomes.c.code == Code.WAITING_FOR,
                        column.in_(values[start : start + 500]),
                    )
                )
                found |= {(row.leg, row.source_id) for row in rows}
        if any(row.leg == Leg.SUPPLIER for row in records):
            found |= _bills_waiting_for(connection, work.book, people)
    return found


def _bills_waiting_for(connection: sa.Connection, book: int, partners: Sequence[str]) -> set[Key]:
    found: set[Key] = set()
    for start in range(0, len(partners), 500):
        rows = connection.execute(
            sa.select(current_outcomes.c.leg, current_outcomes.c.source_id)
            .join(
                source_rows,
                sa.and_(
                    source_rows.c.id == current_outcomes.c.source_id, source_rows.c.kind == current_outcomes.c.kind
                ),
            )
            .where(
                current_outcomes.c.book == book,
                current_outcomes.c.code == Code.WAITING_FOR,
                current_outcomes.c.leg == Leg.BILL,
                source_rows.c.partner_id.in_(partners[start : start + 500]),
            )
        )
        found |= {(row.leg, row.source_id) for row in rows}
    return found


def plan_only(work: Work) -> dict[str, int]:
    """Plans the records that the run's filter names, and nothing else; no cursor moves."""
    terms = work.terms()
    owners = sorted(_owners_of(work, sorted(work.filter.only))) if work.filter.only else None
    slices: Iterable[list[str]]
    if owners is None:
        slices = every_owner(work.ledger, work.pin)
    else:
        slices = (owners[start : start + OWNERS_PER_SLICE] for start in range(0, len(owners), OWNERS_PER_SLICE))
    overview = Overview()
    suppliers: set[Key] = set()
    for some in slices:
        plan = plan_owners(work, terms, some)
        mine = work.filter.pick(plan.planned)
        suppliers |= {one.step.needs for one in mine if one.leg is Leg.BILL and one.step and one.step.needs}
        overview.add(mine)
        keep_planned(work, terms, mine)
    if suppliers:
        mine = plan_suppliers(work, terms, sorted(suppliers))
        overview.add(mine)
        keep_planned(work, terms, mine)
    return overview.counts()


def _owners_of(work: Work, ids: Sequence[str]) -> set[str]:
    """The customers whose groups these ids (of customers, payments, splits or transactions) belong to."""
    payment = source_rows.alias("payment")
    with work.ledger.reading() as connection:
        rows = connection.execute(
            sa.select(
                source_rows.c.kind, source_rows.c.id, source_rows.c.contact_id, payment.c.contact_id.label("owner")
            )
            .outerjoin(
                payment,
                sa.and_(
                    payment.c.kind == Kind.PAYMENT,
                    payment.c.id == source_rows.c.payment_id,
                    payment.c.valid_to.is_(None),
                ),
            )
            .where(visible(work.pin), source_rows.c.kind.in_(list(Kind)), source_rows.c.id.in_(ids))
        ).all()
    found = {row.id if row.kind == Kind.CUSTOMER else (row.owner or row.contact_id) for row in rows}
    return {owner for owner in found if owner}
