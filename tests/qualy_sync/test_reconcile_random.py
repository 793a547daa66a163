"""Books made at random, in a real ledger: the report's table places every cent, and one cent astray shows."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qualy_sync.ledger import Ledger, schema
from qualy_sync.model import Kind, Leg, to_decimal
from qualy_sync.outcomes import MEANINGS, Code, Group
from qualy_sync.reconcile import Column, column_of, completeness, pin_of, totals
from qualy_sync.report import csv_files
from tests.support.ledger_rows import LedgerRows, object_id

PLACES = {Kind.PAYMENT: 1, Kind.TRANSACTION: 2, Kind.SPLIT: 3}
BOOKED = {Kind.PAYMENT: Code.CREATED, Kind.TRANSACTION: Code.PAID, Kind.SPLIT: Code.CREATED}
# Whatever may be said of a record of which the tool has nothing.
NOT_THERE = [*sorted(code for code, said in MEANINGS.items() if said.group is not Group.IN_STEP), Code.VOIDED]


@dataclass(frozen=True)
class Made:
    """One record: booked, booked in draft, or (by its code) not there; `month` has its date."""

    kind: Kind
    code: Code
    amount: int
    currency: str
    month: int
    draft: bool


@st.composite
def records(draw: st.DrawFn) -> Made:
    kind = draw(st.sampled_from(sorted(PLACES)))
    booked = draw(st.booleans())
    return Made(
        kind=kind,
        code=BOOKED[kind] if booked else draw(st.sampled_from(NOT_THERE)),
        amount=draw(st.integers(min_value=1, max_value=10**11)),
        currency=draw(st.sampled_from(["AUD", "USD", "JPY", "KWD"])),
        month=draw(st.sampled_from([5, 6])),
        draft=booked and kind is not Kind.TRANSACTION and draw(st.booleans()),
    )


BOOKS = st.lists(records(), min_size=1, max_size=12)
# One migrated file serves every example: each of them works on a copy of its own.
MANY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def kept(migrated: Path, made: Sequence[Made]) -> Iterator[LedgerRows]:
    """A ledger that holds these books."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{shutil.copy(migrated, folder)}")
        rows = LedgerRows(ledger)
        with rows.together():
            rows.open()
            for number, one in enumerate(made, 1):
                _keep(rows, number, one)
        yield rows
        ledger.close()


def _keep(rows: LedgerRows, number: int, one: Made) -> None:
    source_id, day = object_id(PLACES[one.kind], number), date(2026, one.month, 10)
    payment = object_id(1, number)
    rows.record(one.kind, source_id, one.code, one.amount, one.currency, f"{day:%Y-%m}", payment)
    if one.code is not BOOKED[one.kind]:
        return
    if one.kind is Kind.TRANSACTION:
        rows.settlement(source_id, payment, one.amount, one.currency, day)
        return
    leg = Leg.INVOICE if one.kind is Kind.PAYMENT else Leg.BILL
    remote = rows.document(leg, source_id, one.amount, one.currency, day)
    if one.draft:
        rows.change(schema.mirror_documents, {"id": remote}, status="draft")


def place_of(one: Made) -> Column:
    """Where its amount has to stand."""
    if one.code is BOOKED[one.kind]:
        return Column.DRAFT if one.draft else Column.BOOKED
    column = column_of(one.code)
    assert column is not None
    return column


def table(rows: LedgerRows) -> list[dict[str, str]]:
    """The totals as the report's file has them."""
    with rows.ledger.reading() as connection:
        lines = totals(connection, rows.book, pin_of(connection, rows.run))
    _, content = csv_files.write("totals.csv", csv_files.TOTAL_COLUMNS, csv_files.totals(lines))
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def money(line: dict[str, str], name: str) -> Decimal:
    return Decimal(line[name])


@MANY
@given(made=BOOKS)
def test_every_amount_of_qualys_stands_in_one_column_and_nothing_is_left(migrated_file: Path, made: list[Made]) -> None:
    with kept(migrated_file, made) as rows:
        lines = table(rows)
        assert completeness(rows.ledger, rows.book, rows.run).proved
    stands: Counter[tuple[str, str, str, str]] = Counter()
    for one in made:
        stands[str(one.kind), one.currency, f"2026-0{one.month}", str(place_of(one))] += one.amount
    for line in lines:
        key = (line["kind"], line["currency"], line["accounting_month"])
        columns = {str(column): money(line, str(column)) for column in Column}
        assert columns == {name: to_decimal(stands[(*key, name)], line["currency"]) for name in columns}
        assert money(line, "qualy") == sum(columns.values())
        assert money(line, "difference") == 0
    assert sum(int(line["records"]) for line in lines) == len(made)


@MANY
@given(made=BOOKS, which=st.integers(0, 99), astray=st.integers(-5, 5).filter(bool))
def test_one_cent_astray_in_the_tool_shows_in_its_own_line_and_nowhere_else(
    migrated_file: Path, made: list[Made], which: int, astray: int
) -> None:
    there = [number for number, one in enumerate(made, 1) if one.code is BOOKED[one.kind]]
    with kept(migrated_file, made) as rows:
        if there:
            number = there[which % len(there)]
            one, source_id = made[number - 1], object_id(PLACES[made[number - 1].kind], number)
            mirrored, prefix, name = (
                (schema.mirror_settlements, "pay", "amount")
                if one.kind is Kind.TRANSACTION
                else (schema.mirror_documents, "doc", "total")
            )
            rows.change(mirrored, {"id": f"{prefix}-{source_id}"}, **{name: one.amount + astray})
        lines = table(rows)
    off = {
        (line["kind"], line["currency"], line["accounting_month"]): money(line, "difference")
        for line in lines
        if money(line, "difference")
    }
    wanted = {(str(one.kind), one.currency, f"2026-0{one.month}"): to_decimal(-astray, one.currency)} if there else {}
    assert off == wanted
