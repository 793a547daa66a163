"""Planning a whole run: every owner that may have work, slice by slice, and what is kept of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from qualy_sync.ledger.cursors import get_cursor, put_cursor
from qualy_sync.ledger.schema import current_outcomes, source_rows
from qualy_sync.ledger.slices import (
    Group,
    Record,
    Slice,
    changed_owners,
    every_owner,
    load_orphans,
    load_ownerless,
    load_partners,
    load_slice,
    visible,
)
from qualy_sync.model import LEG_OF, Kind, Leg
from qualy_sync.outcomes import Code
from qualy_sync.plan import Key, Planned, SlicePlan, Terms, orphan_outcome, plan_partner, plan_slice
from qualy_sync.plan.contacts import ContactPlanner
from qualy_sync.plan.payment import plan_payment
from qualy_sync.plan.values import fingerprint, record_of
from qualy_sync.plan.variants import variants_wanted

from .keep import as_records, keep_planned
from .known import gather
from .work import Work

PARTNERS_AT_ONCE = 200


@dataclass(slots=True)
class Overview:
    """What a plan comes to: records by code, steps due by leg."""

    codes: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    appended: int = 0

    def add(self, planned: Sequence[Planned]) -> None:
        for code in as_records(planned):
            self.codes[str(code)] += 1
        for one in planned:
            if one.due:
                self.due[str(one.leg)] += 1

    def counts(self) -> dict[str, int]:
        return {
            "records": self.codes.total(),
            "due": self.due.total(),
            **{f"due_{leg}": n for leg, n in self.due.items()},
        }


def plan_owners(work: Work, terms: Terms, owners: Sequence[str]) -> SlicePlan:
    """The plan of these owners' groups, against what the ledger knows now."""
    source = load_slice(work.ledger, work.pin, owners)
    currencies = variants_wanted(terms, source)
    known = gather(work.ledger, work.book, work.pin, terms, source, work.settle, currencies, again=work.again)
    return plan_slice(terms, known, source)


def plan_run(work: Work) -> Overview:
    """Plans everything that may have changed, and keeps it. Afterwards every (record, leg) has one outcome."""
    terms = work.terms()
    cursor_name = f"planned:{work.book}"
    cursor = get_cursor(work.ledger, cursor_name) or {}
    everything = cursor.get("settings") != work.settings.version or "pin" not in cursor
    since = 0 if everything else int(cursor["pin"])
    owners = (
        every_owner(work.ledger, work.pin) if everything else changed_owners(work.ledger, since, work.pin, work.book)
    )
    overview = Overview()
    suppliers: set[Key] = set()
    for some in owners:
        plan = plan_owners(work, terms, some)
        overview.add(plan.planned)
        overview.appended += keep_planned(work, terms, plan.planned)
        suppliers |= plan.suppliers
    for planned in (*_orphans(work, terms), *_ownerless(work, terms), *_partners(work, terms, suppliers)):
        overview.add(planned)
        overview.appended += keep_planned(work, terms, planned)
    with work.ledger.writing() as connection:
        put_cursor(connection, cursor_name, {"pin": work.pin, "settings": work.settings.version})
    return overview


def preview(work: Work) -> Iterator[Planned]:
    """Everything that would be written, or is held although it could be; nothing is kept."""
    terms = work.terms()
    suppliers: set[Key] = set()
    for some in every_owner(work.ledger, work.pin):
        plan = plan_owners(work, terms, some)
        suppliers |= plan.suppliers
        yield from (one for one in work.filter.pick(plan.planned) if one.step is not None)
    for planned in _partners(work, terms, suppliers):
        yield from (one for one in planned if one.step is not None and work.filter.allows(one))


def plan_suppliers(work: Work, terms: Terms, needed: Collection[Key]) -> list[Planned]:
    """These supplier legs, which bills need; one that names no currency is planned in those it had before."""
    records = load_partners(work.ledger, work.pin, sorted({key[1] for key in needed}))
    return _suppliers(work, terms, records, needed, again=work.again)


def _suppliers(
    work: Work, terms: Terms, records: Mapping[str, Record], needed: Collection[Key], *, again: bool = False
) -> list[Planned]:
    currencies: dict[Key, set[str]] = {}
    for key in needed:
        currencies.setdefault(record_of(key), set()).update(key[2:])
    source = Slice(groups=(), partners=records)
    known = gather(work.ledger, work.book, work.pin, terms, source, work.settle, currencies, again=again)
    wanted = {*needed, *((*key, one) for key, some in known.variants.items() for one in some)}
    contacts = ContactPlanner(terms, known)
    return [
        planned
        for record in records.values()
        for planned in plan_partner(terms, known, record, needed=wanted, contacts=contacts)
    ]


def _partners(work: Work, terms: Terms, needed: set[Key]) -> Iterator[list[Planned]]:
    """Every partner: those that a bill needs now or needed before get their supplier leg, the others none."""
    after = ""
    while True:
        with work.ledger.reading() as connection:
            ids = list(
                connection.scalars(
                    sa.select(source_rows.c.id)
                    .where(visible(work.pin), source_rows.c.kind == Kind.PARTNER, source_rows.c.id > after)
                    .order_by(source_rows.c.id)
                    .limit(PARTNERS_AT_ONCE)
                )
            )
            before = set(
                connection.scalars(
                    sa.select(current_outcomes.c.source_id).where(
                        current_outcomes.c.book == work.book,
                        current_outcomes.c.leg == Leg.SUPPLIER,
                        current_outcomes.c.source_id.in_(ids),
                        current_outcomes.c.code != Code.NOT_NEEDED,
                    )
                )
            )
        if not ids:
            return
        records = load_partners(work.ledger, work.pin, ids)
        mine = {key for key in needed if key[1] in records} | {(str(Leg.SUPPLIER), one) for one in before}
        yield _suppliers(work, terms, records, mine)
        after = ids[-1]


def _orphans(work: Work, terms: Terms) -> Iterator[list[Planned]]:
    """Splits and transactions whose payment Qualy does not list."""
    after = ("", "")
    while records := load_orphans(work.ledger, work.pin, after, 500):
        yield [_orphan(terms, record) for record in records]
        after = (str(records[-1].kind), records[-1].id)


def _orphan(terms: Terms, record: Record) -> Planned:
    leg = LEG_OF[record.kind]
    return Planned(
        kind=record.kind,
        leg=leg,
        source_id=record.id,
        owner="",
        payment_id=record.parent,
        amount=int(getattr(record.noun, "amount", 0) or 0),
        currency=str(getattr(record.noun, "currency", "") or ""),
        month="",
        source_hash=fingerprint([record.hash]),
        outcome=orphan_outcome(terms, record),
    )


def _ownerless(work: Work, terms: Terms) -> Iterator[list[Planned]]:
    """Payments that name no customer: they cannot be read, and say so."""
    records = load_ownerless(work.ledger, work.pin)
    source = Slice(groups=(Group("", None, tuple(records), {}, {}),), partners={})
    known = gather(work.ledger, work.book, work.pin, terms, source, work.settle)
    for record in records:
        yield plan_payment(terms, known, record, (), (), {}, "", lambda key: True)
