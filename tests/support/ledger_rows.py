"""A ledger filled by hand, the way runs fill it: Qualy's records, outcomes, links, and the tool as last read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from qualy_sync.ledger import Ledger, schema
from qualy_sync.model import LEG_OF, Kind, Leg
from qualy_sync.outcomes import Code, Outcome
from qualy_sync.plan.refs import make_ref

NOW = datetime(2026, 7, 15, 9, 5, tzinfo=UTC)
TITLE = "Xero"
CHART = {
    "accounts": {
        "200": {"name": "Course fees", "liability": False},
        "610": {"name": "Tuition held for schools", "liability": True},
        "090": {"name": "Qualy clearing", "liability": False},
    },
    "taxes": {},
    "currencies": ["AUD", "USD", "JPY"],
    "posts_behind_lock": False,
}


def object_id(kind: int, number: int) -> str:
    """An id as Qualy makes them: 24 hex digits, the time first."""
    return f"{0x66000000 + number:08x}{kind:04x}{number:012x}"


@dataclass
class LedgerRows:
    """Writes rows into a migrated ledger, one book and one run."""

    ledger: Ledger
    book: int = 0
    run: int = 0
    pin: int = 1
    now: datetime = NOW
    number_prefix: str = "Q-"
    _connection: sa.Connection | None = field(default=None, init=False)

    def open(self) -> LedgerRows:
        """The book, a complete pass, a run, and what was read of the organisation."""
        organisation = {
            "id": "org-1",
            "name": "Harbour Education",
            "base_currency": "AUD",
            "zone": "Australia/Sydney",
            "country": "AU",
            "period_lock": "2026-05-31",
            "year_end_lock": None,
            "stand_in": True,
        }
        settings = {"accounting": {"payments": {"number_prefix": self.number_prefix}}}
        started = self.now - timedelta(minutes=4)
        self.book = self._insert(
            schema.books, tenant="t", tool="xero", organisation="org-1", name="Harbour Education", pinned_at=started
        )
        self._insert(schema.passes, number=1, started_at=started, completed_at=started, sweep=True, counts={})
        self._insert(schema.settings_versions, version="5d0c1e", content=settings, first_at=started)
        self.run = self.new_run()
        for name, value in (("organisation", organisation), ("chart", CHART)):
            self._insert(schema.facts, book=self.book, name=name, value=value, read_at=started)
        return self

    def new_run(self) -> int:
        run = self._insert(
            schema.runs,
            kind="accounting",
            book=self.book,
            pin=self.pin,
            params={},
            by_clock=True,
            settings_version="5d0c1e",
            started_at=self.now - timedelta(minutes=4),
        )
        self.run = int(run)
        return self.run

    # -- what Qualy has, and what became of it

    def record(
        self,
        kind: Kind,
        source_id: str,
        code: Code | None,
        amount: int = 0,
        currency: str = "",
        month: str = "",
        payment_id: str | None = None,
        detail: Mapping[str, str] | None = None,
        thing: str = "",
        days: int = 0,
        content: Mapping[str, Any] | None = None,
    ) -> str:
        """A source record with its outcome (None: nothing was decided about it)."""
        since = self.now - timedelta(days=days)
        stated = {"_id": source_id, "currency": currency, "amount": amount} if currency else {"_id": source_id}
        self._insert(
            schema.source_rows,
            kind=str(kind),
            id=source_id,
            valid_from=self.pin,
            hash="h" + source_id,
            content={**stated, **(content or {})},
            payment_id=payment_id if kind in (Kind.SPLIT, Kind.TRANSACTION) else None,
            contact_id=(content or {}).get("contact"),
            partner_id=(content or {}).get("partnership"),
        )
        self._insert(schema.source_seen, kind=str(kind), id=source_id, first_seen_at=since)
        if code is not None:
            self._outcome(
                kind, source_id, Outcome(code, detail or {}, thing), amount, currency, month, payment_id, since
            )
        return source_id

    def payment(
        self,
        number: int,
        amount: int,
        code: Code = Code.CREATED,
        currency: str = "AUD",
        day: date = date(2026, 6, 10),
        *,
        received: int = 0,
        detail: Mapping[str, str] | None = None,
        thing: str = "",
        days: int = 0,
        contact: str = "",
    ) -> str:
        """A payment; where it is in step, with its invoice, and with a settled receipt where something was received."""
        payment = object_id(1, number)
        month = f"{day:%Y-%m}"
        content = {
            "number": number,
            "status": "paid" if received else "due",
            "contact": contact or object_id(5, number),
        }
        self.record(Kind.PAYMENT, payment, code, amount, currency, month, payment, detail, thing, days, content)
        if code in (Code.CREATED, Code.ADOPTED, Code.UNCHANGED):
            self.document(
                Leg.INVOICE, payment, amount, currency, day, number=f"{self.number_prefix}{number}", paid=received
            )
            if received:
                self.receipt(number, received, currency, day)
        return payment

    def receipt(
        self, number: int, amount: int, currency: str, day: date, code: Code = Code.PAID, thing: str = ""
    ) -> str:
        """A receipt of the payment of that number, with its settlement where it is in step."""
        payment, source_id = object_id(1, number), object_id(2, number)
        self.record(Kind.TRANSACTION, source_id, code, amount, currency, f"{day:%Y-%m}", payment, {}, thing)
        if code is Code.PAID:
            self.settlement(source_id, payment, amount, currency, day)
        return source_id

    def split(
        self,
        number: int,
        amount: int,
        code: Code = Code.CREATED,
        currency: str = "AUD",
        day: date = date(2026, 6, 10),
        *,
        detail: Mapping[str, str] | None = None,
        thing: str = "",
        days: int = 0,
        partner: str = "",
    ) -> str:
        """A split of the payment of that number, with its bill where it is in step."""
        payment, source_id = object_id(1, number), object_id(3, number)
        content = {"partnership": partner or object_id(6, 1), "type": "school"}
        self.record(
            Kind.SPLIT, source_id, code, amount, currency, f"{day:%Y-%m}", payment, detail, thing, days, content
        )
        if code is Code.CREATED:
            self.document(Leg.BILL, source_id, amount, currency, day)
        return source_id

    def person(self, kind: Kind, number: int, code: Code = Code.CREATED, thing: str = "", **detail: str) -> str:
        """A customer or partner, with its contact where it is in step."""
        source_id = object_id(5 if kind is Kind.CUSTOMER else 6, number)
        self.record(kind, source_id, code, detail=detail, thing=thing)
        if code in (Code.CREATED, Code.ADOPTED):
            leg = LEG_OF[kind]
            remote = f"contact-{source_id}"
            self.link(leg, source_id, remote, {"contact_id": remote})
            self.contact(remote, ref=make_ref(leg, source_id))
        return source_id

    # -- what the tool has

    def document(
        self, leg: Leg, source_id: str, total: int, currency: str, day: date, number: str = "", paid: int = 0
    ) -> str:
        """A linked document, agreed on as it is."""
        ref, remote = make_ref(leg, source_id), f"doc-{source_id}"
        tax = total // 11
        account = "610" if currency == "AUD" else "200"
        facts = {
            "number": number or ref,
            "date": day.isoformat(),
            "due_date": day.isoformat(),
            "contact_id": "contact-1",
            "currency": currency,
            "net": total - tax,
            "tax": tax,
            "total": total,
            "accounts": {account: total - tax},
        }
        self.link(leg, source_id, remote, facts, ref)
        self.remote_document(
            remote, leg, ref, number or ref, currency, day, net=total - tax, tax=tax, total=total, paid=paid
        )
        return remote

    def remote_document(
        self,
        remote: str,
        leg: Leg,
        ref: str,
        number: str,
        currency: str,
        day: date,
        *,
        net: int,
        tax: int,
        total: int,
        paid: int = 0,
    ) -> None:
        """A document as the tool was last read."""
        self._insert(
            schema.mirror_documents,
            book=self.book,
            id=remote,
            what=str(leg),
            ref=ref,
            number=number,
            number_key=number.casefold(),
            contact_id="contact-1",
            currency=currency,
            date=day,
            due_date=day,
            status="paid" if paid == total else "authorised",
            net=net,
            tax=tax,
            total=total,
            paid=paid,
            credited=0,
            due=total - paid,
            updated_at=self.now,
            url=f"https://go.example/invoice/{remote}",
        )

    def settlement(self, source_id: str, payment: str, amount: int, currency: str, day: date) -> str:
        """A linked settlement on the payment's invoice."""
        remote, ref = f"pay-{source_id}", make_ref(Leg.SETTLEMENT, source_id)
        facts = {
            "date": day.isoformat(),
            "account": "090",
            "amount": amount,
            "currency": currency,
            "document_id": f"doc-{payment}",
        }
        self.link(Leg.SETTLEMENT, source_id, remote, facts, ref)
        self.remote_settlement(remote, ref, f"doc-{payment}", amount, currency, day)
        return remote

    def remote_settlement(
        self, remote: str, ref: str, document: str, amount: int, currency: str, day: date = date(2026, 6, 10)
    ) -> None:
        """A settlement as the tool was last read."""
        self._insert(
            schema.mirror_settlements,
            book=self.book,
            id=remote,
            ref=ref,
            document_id=document,
            account="090",
            currency=currency,
            amount=amount,
            date=day,
            status="authorised",
            reconciled=False,
            updated_at=self.now,
        )

    def contact(self, remote: str, ref: str = "", active: bool = True, merged_into: str = "") -> None:
        """A contact as the tool was last read."""
        self._insert(
            schema.mirror_contacts,
            book=self.book,
            id=remote,
            ref=ref,
            name="Someone",
            name_key="someone",
            email="someone@mail.example",
            active=active,
            merged_into=merged_into,
            updated_at=self.now,
        )

    def link(self, leg: Leg, source_id: str, remote: str, facts: Mapping[str, Any], ref: str = "") -> None:
        self._insert(
            schema.links,
            book=self.book,
            leg=str(leg),
            source_id=source_id,
            remote_id=remote,
            ref=ref or make_ref(leg, source_id),
            how="created",
            source_hash="h" + source_id,
            content_hash="c",
            facts=dict(facts),
            settings_version="5d0c1e",
            linked_at=self.now,
        )

    # -- the rest

    def change(self, table: sa.Table, where: Mapping[str, Any], **values: Any) -> None:
        """Changes rows, as somebody in the tool would."""
        with self._writing() as connection:
            wanted = [table.c[name] == value for name, value in where.items()]
            changed = connection.execute(sa.update(table).where(*wanted).values(**values)).rowcount
        assert changed, f"no row of {table.name} has {dict(where)}"

    def remove(self, table: sa.Table, **where: Any) -> None:
        with self._writing() as connection:
            removed = connection.execute(
                sa.delete(table).where(*(table.c[name] == value for name, value in where.items()))
            ).rowcount
        assert removed, f"no row of {table.name} has {where}"

    def decide(self, leg: Leg, source_id: str, choice: str) -> None:
        """A person's decision on the content as it is."""
        self._insert(
            schema.decisions,
            book=self.book,
            leg=str(leg),
            source_id=source_id,
            code="changed_there",
            choice=choice,
            by="A. Accountant",
            reason="agreed with the school",
            source_hash="h" + source_id,
            at=self.now,
        )

    def insert(self, table: sa.Table, **values: Any) -> Any:
        """Any other row. Gives its primary key."""
        return self._insert(table, **values)

    def _outcome(
        self,
        kind: Kind,
        source_id: str,
        outcome: Outcome,
        amount: int,
        currency: str,
        month: str,
        payment_id: str | None,
        since: datetime,
    ) -> None:
        detail = {"tool": TITLE, "tool_id": "xero", **outcome.detail}
        number = self._insert(
            schema.outcomes,
            book=self.book,
            run=self.run,
            kind=str(kind),
            leg=str(LEG_OF[kind]),
            source_id=source_id,
            code=str(outcome.code),
            detail=detail,
            thing=outcome.thing,
            source_hash="h" + source_id,
            settings_version="5d0c1e",
            at=since,
        )
        self._insert(
            schema.current_outcomes,
            book=self.book,
            leg=str(LEG_OF[kind]),
            source_id=source_id,
            kind=str(kind),
            outcome=number,
            code=str(outcome.code),
            trouble_key=outcome.trouble_key("xero"),
            payment_id=payment_id,
            amount=amount,
            currency=currency,
            month=month,
            source_hash="h" + source_id,
            settings_version="5d0c1e",
            since=since,
            checked_run=self.run,
        )

    def _insert(self, table: sa.Table, **values: Any) -> Any:
        with self._writing() as connection:
            return connection.execute(sa.insert(table).values(**values)).inserted_primary_key[0]  # type: ignore[index]

    @contextmanager
    def together(self) -> Iterator[LedgerRows]:
        """Everything inside goes into one transaction."""
        with self.ledger.writing() as connection:
            self._connection = connection
            try:
                yield self
            finally:
                self._connection = None

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self._connection is not None:
            yield self._connection
        else:
            with self.ledger.writing() as connection:
                yield connection


def an_agency(ledger: Ledger) -> LedgerRows:
    """A small agency's books in the middle of July, with May locked and some trouble of every group."""
    rows = LedgerRows(ledger)
    with rows.together():
        _fill(rows.open())
    return rows


def reopened(ledger: Ledger) -> LedgerRows:
    """The rows of a ledger that `an_agency` filled, of which this one is a copy."""
    return LedgerRows(ledger, book=1, run=1)


def _fill(rows: LedgerRows) -> None:
    spread = [
        (date(2026, month, day), currency) for month in (5, 6, 7) for day in (3, 12, 14) for currency in ("AUD", "USD")
    ]
    number = 1000
    for day, currency in spread:
        for size in (1, 2, 3):
            number += 1
            amount = 85_000 * size + number * 10
            rows.person(Kind.CUSTOMER, number)
            rows.payment(number, amount, Code.CREATED, currency, day, received=amount if size > 1 else 0)
            if size == 3:
                rows.split(number, amount // 2, Code.CREATED, currency, day)
    rows.person(Kind.PARTNER, 1)
    rows.payment(1900, 120_000, Code.CREATED, "JPY", date(2026, 7, 2))
    locked = {"date": "2026-05-12 (document)", "lock_date": "2026-05-31", "month": "2026-05"}
    for one in range(1100, 1112):
        rows.payment(
            one, 285_000 + one, Code.LOCKED, "AUD", date(2026, 5, 12), detail=locked, thing="2026-05-31 2026-05", days=3
        )
        rows.receipt(one, 285_000 + one, "AUD", date(2026, 5, 20), Code.WAITING_FOR)
    for one in range(1112, 1115):
        april = {**locked, "date": "2026-04-09 (document)", "month": "2026-04"}
        rows.payment(
            one, 91_000, Code.LOCKED, "USD", date(2026, 4, 9), detail=april, thing="2026-05-31 2026-04", days=40
        )
    for one in range(1200, 1205):
        item = {"category": "airport pick-up"}
        rows.payment(one, 9_900, Code.UNMAPPED_ITEM, "AUD", detail=item, thing="airport pick-up", days=12)
    rows.person(Kind.CUSTOMER, 1300, Code.NO_EMAIL, thing="x", party="customer")
    rows.payment(1300, 44_000, Code.WAITING_FOR, detail={"leg": "contact", "id": object_id(5, 1300)})
    rows.payment(
        1301,
        44_000,
        Code.BEFORE_START,
        day=date(2025, 12, 1),
        detail={"date": "2025-12-01", "start_date": "2026-01-01"},
    )
    rows.payment(1302, 31_000, Code.IGNORED, detail={"by": "A. Accountant", "reason": "test payment"})
    rows.payment(
        1303, 150_000, Code.INVALID, "USD", detail={"message": "A validation exception occurred"}, thing="validation"
    )
    rows.payment(1304, 62_500, Code.CREATED, "AUD", date(2026, 6, 20))
    rows.split(
        1304,
        30_000,
        Code.SPLIT_UNCLEAR,
        detail={"problem": "their sum is not the item's amount"},
        thing="sums",
        days=65,
    )
    rows.payment(
        1305, 21_000, Code.POSSIBLE_DUPLICATE, detail={"remote_id": "9f-12", "date": "2026-06-09"}, thing="1305"
    )
    rows.record(Kind.PAYMENT, object_id(1, 1306), Code.MALFORMED, payment_id=object_id(1, 1306), thing="items",
                detail={"field": "items", "problem": "is missing"})  # fmt: skip
