"""Slices: the source as a run sees it, in groups that are planned together.

A group is one customer with the payments, splits and transactions that hang on it. Groups come in slices of bounded
size, so that memory does not grow with the number of records. Rows of a pass that is not complete are invisible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from qualy_sync.model import NOUNS, Kind, Source

from .engine import Ledger
from .schema import current_outcomes, passes, quality_failures, source_rows, source_seen, variant_outcomes

OWNERS_PER_SLICE = 200
NEVER = 2**31 - 1
GONE_AFTER = 2  # complete sweeps in a row that did not see a record


@dataclass(frozen=True, slots=True)
class Failure:
    """A data-quality rule that a record failed."""

    rule: str
    code: str
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """One source record as the run sees it. `noun` is None where it cannot be read; then `problem` says why."""

    kind: Kind
    id: str
    hash: str
    noun: Source | None
    problem: Mapping[str, str] | None
    failures: tuple[Failure, ...]
    gone: bool
    email: str
    parent: str | None  # the payment of a split or transaction
    seen_at: datetime | None = None  # when extraction first saw this content; of a payment, its present status


@dataclass(frozen=True, slots=True)
class Group:
    """One customer (None where Qualy gave none) with everything that is planned with it."""

    owner: str
    customer: Record | None
    payments: tuple[Record, ...]
    splits: Mapping[str, tuple[Record, ...]]
    transactions: Mapping[str, tuple[Record, ...]]
    pay_outs: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)  # split intents


@dataclass(frozen=True, slots=True)
class Slice:
    """Some groups, with the partners that their splits name."""

    groups: tuple[Group, ...]
    partners: Mapping[str, Record]


def visible(pin: int) -> sa.ColumnElement[bool]:
    """The version of each row that a run with this pin sees."""
    return sa.and_(
        source_rows.c.valid_from <= pin,
        # Not as an OR: SQLite would walk over every row of the kind by its index on `valid_to`.
        sa.func.coalesce(source_rows.c.valid_to, NEVER) > pin,
    )


def load_slice(ledger: Ledger, pin: int, owners: Sequence[str]) -> Slice:
    """The groups of these owners, whole."""
    with ledger.reading() as connection:
        customers = _records(connection, pin, Kind.CUSTOMER, source_rows.c.id, owners)
        payments = _records(connection, pin, Kind.PAYMENT, source_rows.c.contact_id, owners, owner=True)
        ids = [record.id for _, record in payments]
        splits = _records(connection, pin, Kind.SPLIT, source_rows.c.payment_id, ids)
        transactions = _records(connection, pin, Kind.TRANSACTION, source_rows.c.payment_id, ids)
        pay_outs = _records(connection, pin, Kind.SPLIT_INTENT, source_rows.c.payment_id, ids)
        partner_ids = sorted(
            {str(getattr(record.noun, "partnership", "")) for _, record in splits if record.noun is not None} - {""}
        )
        partners = _records(connection, pin, Kind.PARTNER, source_rows.c.id, partner_ids)
    customer_of = {record.id: record for _, record in customers}
    by_payment: dict[Kind, dict[str, list[Record]]] = {
        Kind.SPLIT: {},
        Kind.TRANSACTION: {},
        Kind.SPLIT_INTENT: {},
    }
    for _, record in (*splits, *transactions, *pay_outs):
        by_payment[record.kind].setdefault(record.parent or "", []).append(record)
    by_owner: dict[str, list[Record]] = {}
    for owner, record in payments:
        by_owner.setdefault(owner, []).append(record)

    def children(kind: Kind, mine: Sequence[Record]) -> dict[str, tuple[Record, ...]]:
        return {payment.id: tuple(by_payment[kind].get(payment.id, ())) for payment in mine}

    groups = []
    for owner in owners:
        mine = by_owner.get(owner, [])
        groups.append(
            Group(
                owner=owner,
                customer=customer_of.get(owner),
                payments=tuple(mine),
                splits=children(Kind.SPLIT, mine),
                transactions=children(Kind.TRANSACTION, mine),
                pay_outs=children(Kind.SPLIT_INTENT, mine),
            )
        )
    return Slice(groups=tuple(groups), partners={record.id: record for _, record in partners})


def load_partners(ledger: Ledger, pin: int, ids: Sequence[str]) -> dict[str, Record]:
    """Partners by id."""
    with ledger.reading() as connection:
        return {record.id: record for _, record in _records(connection, pin, Kind.PARTNER, source_rows.c.id, ids)}


def load_orphans(ledger: Ledger, pin: int, after: tuple[str, str], limit: int) -> list[Record]:
    """Splits and transactions whose payment Qualy does not list, in order of (kind, id), after a place."""
    payment = source_rows.alias("payment")
    known = (
        sa.select(payment.c.id)
        .where(
            payment.c.kind == Kind.PAYMENT,
            payment.c.id == source_rows.c.payment_id,
            payment.c.valid_from <= pin,
            sa.or_(payment.c.valid_to.is_(None), payment.c.valid_to > pin),
            payment.c.contact_id.is_not(None),
        )
        .exists()
    )
    query = (
        sa.select(source_rows)
        .where(
            visible(pin),
            source_rows.c.kind.in_([Kind.SPLIT, Kind.TRANSACTION, Kind.SPLIT_INTENT]),
            sa.tuple_(source_rows.c.kind, source_rows.c.id) > sa.tuple_(*(sa.literal(part) for part in after)),
            ~known,
        )
        .order_by(source_rows.c.kind, source_rows.c.id)
        .limit(limit)
    )
    with ledger.reading() as connection:
        return _read(connection, connection.execute(query).all())


def load_ownerless(ledger: Ledger, pin: int) -> list[Record]:
    """Payments that name no customer (they cannot be read)."""
    query = sa.select(source_rows).where(
        visible(pin), source_rows.c.kind == Kind.PAYMENT, source_rows.c.contact_id.is_(None)
    )
    with ledger.reading() as connection:
        return _read(connection, connection.execute(query).all())


def tax_names(ledger: Ledger, pin: int) -> dict[str, str]:
    """Qualy's taxes: id to name."""
    query = sa.select(source_rows.c.id, source_rows.c.content).where(visible(pin), source_rows.c.kind == Kind.TAX)
    with ledger.reading() as connection:
        return {row.id: str(row.content.get("name", "")) for row in connection.execute(query)}


def shared_emails(connection: sa.Connection, pin: int, kind: Kind, emails: Sequence[str]) -> dict[str, int]:
    """How many records of a kind have each of these (normalised) emails, where it is more than one."""
    found: dict[str, int] = {}
    wanted = sorted({email for email in emails if email})
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(source_rows.c.email, sa.func.count())
            .where(visible(pin), source_rows.c.kind == kind, source_rows.c.email.in_(wanted[start : start + 500]))
            .group_by(source_rows.c.email)
            .having(sa.func.count() > 1)
        )
        found |= {row[0]: int(row[1]) for row in rows}
    return found


# -- which owners ---------------------------------------------------------------------------------------------------


def every_owner(ledger: Ledger, pin: int) -> Iterator[list[str]]:
    """All customers, and all ids that payments name as theirs, in order."""

    def query(after: str, limit: int) -> list[sa.Select[Any]]:
        return [
            sa.select(source_rows.c.id)
            .where(visible(pin), source_rows.c.kind == Kind.CUSTOMER, source_rows.c.id > after)
            .order_by(source_rows.c.id)
            .limit(limit),
            sa.select(source_rows.c.contact_id)
            .where(visible(pin), source_rows.c.kind == Kind.PAYMENT, source_rows.c.contact_id > after)
            .distinct()
            .order_by(source_rows.c.contact_id)
            .limit(limit),
        ]

    return _keyset(ledger, query)


def changed_owners(ledger: Ledger, since: int, pin: int, book: int) -> Iterator[list[str]]:
    """Owners of anything that changed after pass `since`, and of anything that asks for attention."""
    changed = sa.and_(source_rows.c.valid_from > since, source_rows.c.valid_from <= pin)
    payment = source_rows.alias("payment")
    split = source_rows.alias("split")

    def query(after: str, limit: int) -> list[sa.Select[Any]]:
        def part(column: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
            return sa.select(column).where(*where, column > after).distinct().order_by(column).limit(limit)

        by_partner = part(
            payment.c.contact_id,
            changed,
            source_rows.c.kind == Kind.PARTNER,
            split.c.kind == Kind.SPLIT,
            split.c.partner_id == source_rows.c.id,
            split.c.valid_to.is_(None),
            payment.c.kind == Kind.PAYMENT,
            payment.c.id == split.c.payment_id,
            payment.c.valid_to.is_(None),
        )
        by_payment = part(
            payment.c.contact_id,
            changed,
            source_rows.c.kind.in_([Kind.SPLIT, Kind.TRANSACTION, Kind.SPLIT_INTENT]),
            payment.c.kind == Kind.PAYMENT,
            payment.c.id == source_rows.c.payment_id,
        )
        return [
            part(source_rows.c.id, changed, source_rows.c.kind == Kind.CUSTOMER),
            part(source_rows.c.contact_id, changed, source_rows.c.kind == Kind.PAYMENT),
            by_payment,
            by_partner,
            part(
                current_outcomes.c.owner,
                current_outcomes.c.book == book,
                current_outcomes.c.attention,
            ),
        ]

    return _keyset(ledger, query)


def owners_with(ledger: Ledger, book: int, codes: Sequence[str], legs: Sequence[str]) -> Iterator[list[str]]:
    """Owners of records that have one of these codes now, for one of these legs, or for a variant of one."""

    def query(after: str, limit: int) -> list[sa.Select[Any]]:
        return [
            sa.select(current_outcomes.c.owner)
            .where(
                current_outcomes.c.book == book,
                current_outcomes.c.attention,
                current_outcomes.c.owner > after,
                current_outcomes.c.code.in_(codes),
                current_outcomes.c.leg.in_(legs),
            )
            .distinct()
            .order_by(current_outcomes.c.owner)
            .limit(limit),
            sa.select(variant_outcomes.c.owner)
            .where(
                variant_outcomes.c.book == book,
                variant_outcomes.c.owner > after,
                variant_outcomes.c.code.in_(codes),
                variant_outcomes.c.leg.in_(legs),
            )
            .distinct()
            .order_by(variant_outcomes.c.owner)
            .limit(limit),
        ]

    return _keyset(ledger, query)


def _keyset(ledger: Ledger, query: Callable[[str, int], list[sa.Select[Any]]]) -> Iterator[list[str]]:
    after = ""
    while True:
        with ledger.reading() as connection:
            found = {
                row[0] for select in query(after, OWNERS_PER_SLICE) for row in connection.execute(select) if row[0]
            }
        owners = sorted(found)[:OWNERS_PER_SLICE]
        if not owners:
            return
        yield owners
        after = owners[-1]


# -- reading rows -----------------------------------------------------------------------------------------------------


def _records(
    connection: sa.Connection,
    pin: int,
    kind: Kind,
    column: sa.Column[Any],
    values: Sequence[str],
    *,
    owner: bool = False,
) -> list[tuple[str, Record]]:
    found: list[tuple[str, Record]] = []
    for start in range(0, len(values), 400):
        query = sa.select(source_rows).where(
            visible(pin), source_rows.c.kind == kind, column.in_(values[start : start + 400])
        )
        # Sorted here: asked for an order, SQLite walks over all rows of the kind in that order.
        rows = sorted(connection.execute(query), key=lambda row: str(row.id))
        owners = [row.contact_id if owner else "" for row in rows]
        found += zip(owners, _read(connection, rows), strict=True)
    return found


def _read(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[Record]:
    ids = [row.id for row in rows]
    kinds = sorted({row.kind for row in rows})  # with the kind, these are looked up; without, whole tables are read
    failures: dict[tuple[str, str], list[Failure]] = {}
    gone: set[tuple[str, str]] = set()
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        failing = sa.select(quality_failures).where(
            quality_failures.c.kind.in_(kinds), quality_failures.c.id.in_(chunk)
        )
        for row in connection.execute(failing):
            failures.setdefault((row.kind, row.id), []).append(Failure(row.rule, row.code, row.detail))
        missing = sa.select(source_seen.c.kind, source_seen.c.id).where(
            source_seen.c.kind.in_(kinds), source_seen.c.id.in_(chunk), source_seen.c.missed >= GONE_AFTER
        )
        gone |= {(row.kind, row.id) for row in connection.execute(missing)}
    first = _first_of_status(connection, [row for row in rows if row.kind == Kind.PAYMENT])
    seen = _seen(connection, {first.get(row.id, row.valid_from) for row in rows})
    return [
        _record(
            row,
            tuple(failures.get((row.kind, row.id), ())),
            (row.kind, row.id) in gone,
            seen.get(first.get(row.id, row.valid_from)),
        )
        for row in rows
    ]


def _first_of_status(connection: sa.Connection, payments: Sequence[sa.Row[Any]]) -> dict[str, int]:
    """The pass in which each of these payments first had the status that it has had since."""
    status = source_rows.c.content["status"].as_string().label("status")
    versions: dict[str, list[tuple[int, str | None]]] = {}
    ids = [row.id for row in payments]
    for start in range(0, len(ids), 500):
        query = sa.select(source_rows.c.id, source_rows.c.valid_from, status).where(
            source_rows.c.kind == Kind.PAYMENT, source_rows.c.id.in_(ids[start : start + 500])
        )
        for row in connection.execute(query):
            versions.setdefault(row.id, []).append((row.valid_from, row.status))
    return {row.id: _first_alike(versions.get(row.id, ()), row.valid_from) for row in payments}


def _first_alike(versions: Iterable[tuple[int, str | None]], newest: int) -> int:
    """The first of the passes up to `newest` since which the status has been the same without a break."""
    first, last = newest, None
    for number, status in sorted((one for one in versions if one[0] <= newest), key=itemgetter(0), reverse=True):
        if number != newest and status != last:
            break
        first, last = number, status
    return first


def _seen(connection: sa.Connection, numbers: set[int]) -> dict[int, datetime]:
    """When these passes began."""
    found: dict[int, datetime] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            sa.select(passes.c.number, passes.c.started_at).where(passes.c.number.in_(wanted[start : start + 500]))
        )
        found |= {row.number: row.started_at for row in rows}
    return found


def _record(row: sa.Row[Any], failures: tuple[Failure, ...], gone: bool, seen_at: datetime | None) -> Record:
    kind = Kind(row.kind)
    noun: Source | None = None
    problem: Mapping[str, str] | None = row.problem
    if problem is None and kind in NOUNS:
        try:
            noun = NOUNS[kind].model_validate(row.content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_context=False, include_url=False)[0]
            problem = {"field": ".".join(str(part) for part in first["loc"]), "problem": first["type"]}
        except OverflowError:
            problem = {"field": "a time stamp", "problem": "is beyond the calendar"}
    return Record(kind, row.id, row.hash, noun, problem, failures, gone, row.email, row.payment_id, seen_at)
