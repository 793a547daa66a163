"""The tables for CSV files: what a person or a program reads in them is what the ledger holds, to the cent."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qualy_sync.export import BEGINNING, COLUMNS, Position, Span, position, position_before, tables, write_table
from qualy_sync.extract.rows import read_row
from qualy_sync.ledger import Ledger, schema
from qualy_sync.ledger.source import complete_pass, open_pass, save_rows
from qualy_sync.model import Kind, exponent
from qualy_sync.outcomes import Code
from qualy_sync.settings import SourceSettings
from tests.support import libreoffice
from tests.support.ledger_rows import NOW, LedgerRows

ROOT = Path(__file__).parents[2]
Row = dict[str, str]
CREATED = "2026-07-01T08:00:00.000Z"


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    opened = Ledger(sqlite_url)
    yield opened
    opened.close()


def customer(number: int, first: str = "Ana", last: str = "Souza", **more: Any) -> dict[str, Any]:
    profile = {"firstName": first, "lastName": last, "phone": "+5511999990000"}
    return {
        "_id": f"c{number}",
        "email": f" Ana{number}@Mail.example ",
        "profile": profile,
        "createdAt": CREATED,
    } | more


def payment(number: int, amount: int = 125_000, currency: str = "AUD", **more: Any) -> dict[str, Any]:
    return {
        "_id": f"p{number}",
        "number": 1000 + number,
        "contact": f"c{number}",
        "currency": currency,
        "status": "due",
        "items": [
            {"_id": "i1", "name": "Tuition", "amount": amount - 100},
            {"_id": "i2", "name": "Fee", "amount": 100},
        ],
        "amount": amount,
        "due": amount,
        "dueAt": "2026-07-20T00:00:00.000Z",
        "createdAt": CREATED,
        "updatedAt": "2026-07-02T09:30:15.250Z",
    } | more


def split(number: int, amount: int = 20_000, currency: str = "AUD", **more: Any) -> dict[str, Any]:
    return {
        "_id": f"s{number}",
        "type": "supplier-share",
        "currency": currency,
        "amount": amount,
        "partnership": "partner",
        "paymentIntent": f"p{number}",
        "item": "i1",
        "status": "due",
        "createdAt": CREATED,
    } | more


def extracted(ledger: Ledger, at: datetime = NOW, **records: list[dict[str, Any]]) -> int:
    """One complete and checked extraction pass that brought these records."""
    kinds = {"customers": Kind.CUSTOMER, "payments": Kind.PAYMENT, "splits": Kind.SPLIT, "partners": Kind.PARTNER}
    with ledger.writing() as connection:
        number = open_pass(connection, at)
        for name, given in records.items():
            rows = [row for raw in given if (row := read_row(kinds[name], raw, SourceSettings()))]
            save_rows(connection, number, kinds[name], rows, at, 0)
        complete_pass(connection, number, at, {}, sweep=False)
        connection.execute(sa.update(schema.passes).where(schema.passes.c.number == number).values(checked_at=at))
    return number


def exported(ledger: Ledger, after: Position = BEGINNING, mark: bool = True) -> dict[str, bytes]:
    with ledger.reading() as connection:
        span = Span(after, position(connection))
        made = tables(connection, span, NOW, {"xero": "Xero"}, "https://portal.example/payments/{id}/pay")
        files = {}
        for table in made:
            file = io.BytesIO()
            count = write_table(file, table, mark)
            files[table.name] = file.getvalue()
            assert count == len(read(files[table.name]))
    return files


def read(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_a_small_agencys_files(ledger: Ledger) -> None:
    extracted(
        ledger,
        customers=[customer(1, country="BR", owners=["u1", {"_id": "u2", "email": "x"}], tags=[])],
        payments=[payment(1)],
        splits=[split(1)],
        partners=[{"_id": "partner", "name": "Harbour College", "email": "b@college.example"}],
    )
    files = exported(ledger)
    assert read(files["customers"]) == [
        {
            "customer_id": "c1", "number": "",
            "first_name": "Ana", "last_name": "Souza", "email": "ana1@mail.example",
            "phone": "'+5511999990000", "country": "BR", "language": "", "owner_ids": "u1 u2", "team_ids": "",
            "tag_ids": "", "created_at": "2026-07-01 08:00:00", "updated_at": "",
            "gone_at_source": "false", "problem": "",
        }
    ]  # fmt: skip
    assert read(files["payments"]) == [
        {
            "payment_id": "p1", "number": "1001", "customer_id": "c1", "customer_name": "Ana Souza",
            "customer_email": "ana1@mail.example", "status": "due", "items": "Tuition; Fee", "currency": "AUD",
            "amount": "1250.00", "items_amount": "1250.00", "due_amount": "1250.00", "due_at": "2026-07-20 00:00:00",
            "created_at": "2026-07-01 08:00:00", "updated_at": "2026-07-02 09:30:15", "gone_at_source": "false",
            "problem": "",
        }
    ]  # fmt: skip
    [share] = read(files["splits"])
    assert (share["partner_name"], share["amount"], share["item_id"]) == ("Harbour College", "200.00", "i1")
    assert read(files["outcomes"]) == []


def test_the_columns_are_those_that_the_documentation_names() -> None:
    text = (ROOT / "docs" / "csv-files.md").read_text(encoding="utf-8")
    for name, columns in COLUMNS.items():
        section = text.partition(f"## {name}.csv")[2].partition("\n## ")[0]
        named = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert named == list(columns), name


# A lone surrogate cannot be stored, and NUL is replaced on the way in; everything else may stand in a name.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
CURRENCIES = st.sampled_from(["AUD", "USD", "BRL", "JPY", "KWD"])
MINOR = st.integers(-(10**12), 10**12)
MONEY = st.lists(st.tuples(CURRENCIES, MINOR, MINOR, MINOR), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(money=MONEY, name=TEXTS)
@example([("KWD", -1, 5, 0), ("JPY", 1, -3, 2)], '=HYPERLINK("x");"\r\n,\t\ufeff')
@example([("AUD", 1, 2, 3)], "\r\n-1")
def test_what_is_read_back_equals_the_ledger_to_the_cent(
    ledger: Ledger, money: list[tuple[str, int, int, int]], name: str
) -> None:
    with ledger.writing() as connection:
        for table in (schema.source_rows, schema.source_seen, schema.passes):
            connection.execute(sa.delete(table))
    extracted(
        ledger,
        customers=[customer(number, first=name) for number in range(len(money))],
        payments=[payment(n, total, currency, due=due) for n, (currency, total, due, _) in enumerate(money)],
        splits=[split(n, share, currency) for n, (currency, _, _, share) in enumerate(money)],
        partners=[{"_id": "partner", "name": name}],
    )
    files = exported(ledger)
    for table, id_field, columns in (
        ("payments", "payment_id", ("amount", "items_amount", "due_amount")),
        ("splits", "split_id", ("amount",)),
    ):
        by_csv = {row[id_field]: row for row in read(files[table])}
        frame = pd.read_csv(io.BytesIO(files[table]), dtype=str, keep_default_na=False).set_index(id_field)
        assert len(by_csv) == len(frame) == len(money)
        for number, (currency, total, due, share) in enumerate(money):
            expected = (total, total, due) if table == "payments" else (share,)
            for column, minor in zip(columns, expected, strict=True):
                for text in (by_csv[f"{table[0]}{number}"][column], frame.loc[f"{table[0]}{number}", column]):
                    assert Decimal(text).scaleb(exponent(currency)) == minor
                    assert -Decimal(text).as_tuple().exponent == exponent(currency)
    for content in files.values():
        for row in read(content):
            assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row.values())
            assert not any(control in cell for cell in row.values() for control in "\r\n\t")


def test_a_record_that_cannot_be_read_has_a_row_that_says_why(ledger: Ledger) -> None:
    bad = [payment(1, due=12.5), payment(2, currency="dollars"), payment(3)]
    extracted(ledger, payments=bad, splits=[split(1, amount="20")])
    first, second, third = read(exported(ledger)["payments"])
    assert (first["amount"], first["problem"]) == ("", "due is not a whole number in minor units")
    assert (second["currency"], second["amount"]) == ("", "")
    assert second["problem"] == "currency is not an ISO 4217 currency code"
    assert (third["amount"], third["problem"]) == ("1250.00", "")
    assert first["customer_id"] == "c1"
    [share] = read(exported(ledger)["splits"])
    assert (share["payment_id"], share["amount"]) == ("p1", "")


def test_a_record_that_qualy_no_longer_has_says_so(ledger: Ledger) -> None:
    extracted(ledger, customers=[customer(1), customer(2)])
    with ledger.writing() as connection:
        connection.execute(sa.update(schema.source_seen).where(schema.source_seen.c.id == "c1").values(missed=2))
    assert [row["gone_at_source"] for row in read(exported(ledger)["customers"])] == ["true", "false"]


def test_rows_of_an_unfinished_extraction_are_not_there(ledger: Ledger) -> None:
    extracted(ledger, payments=[payment(1)])
    with ledger.writing() as connection:
        number = open_pass(connection, NOW)
        changed = read_row(Kind.PAYMENT, payment(1, amount=999), SourceSettings())
        assert changed is not None
        save_rows(connection, number, Kind.PAYMENT, [changed], NOW, 0)
    assert [row["amount"] for row in read(exported(ledger)["payments"])] == ["1250.00"]


def test_only_what_changed_after_a_place(ledger: Ledger) -> None:
    extracted(ledger, NOW - timedelta(days=3), payments=[payment(1), payment(2)], customers=[customer(1)])
    with ledger.reading() as connection:
        place = position(connection)
    extracted(ledger, payments=[payment(1), payment(2, amount=5_000)])
    files = exported(ledger, place)
    assert [(row["payment_id"], row["amount"]) for row in read(files["payments"])] == [("p2", "50.00")]
    assert read(files["customers"]) == []
    with ledger.reading() as connection:
        assert position_before(connection, NOW.date()) == place
        assert position_before(connection, date(2020, 1, 1)) == BEGINNING


def test_outcomes_are_those_of_every_record_as_they_are_now(books: LedgerRows) -> None:
    files = exported(books.ledger)
    rows = read(files["outcomes"])
    with books.ledger.reading() as connection:
        kept = {
            (row.leg, row.source_id): row
            for row in connection.execute(
                sa.select(schema.current_outcomes).where(schema.current_outcomes.c.amount != 0)
            )
        }
        total = connection.scalar(sa.select(sa.func.count()).select_from(schema.current_outcomes))
        place = position(connection)
    assert len(rows) == total > 10
    assert {(row["tool"], row["organisation"]) for row in rows} == {("Xero", "Harbour Education")}
    compared = 0
    for row in rows:
        known = kept.get((row["leg"], row["qualy_id"]))
        if known is not None:
            assert Decimal(row["amount"]).scaleb(exponent(row["currency"])) == known.amount
            assert (row["outcome"], row["currency"]) == (known.code, known.currency)
            compared += 1
    assert compared == len(kept)
    assert read(exported(books.ledger, place)["outcomes"]) == []
    books.payment(7001, 4_200, Code.LOCKED, detail={"lock_date": "2026-05-31"}, thing="2026-05")
    assert [row["outcome"] for row in read(exported(books.ledger, place)["outcomes"])] == ["locked"]


def test_with_or_without_the_mark_that_excel_needs(ledger: Ledger) -> None:
    extracted(ledger, customers=[customer(1, first="João")])
    assert exported(ledger)["customers"].startswith(b"\xef\xbb\xbfcustomer_id,")
    plain = exported(ledger, mark=False)["customers"]
    assert plain.startswith(b"customer_id,")
    assert "João".encode() in plain
    assert plain.endswith(b"\r\n")


def test_both_databases_give_the_same_files(ledger: Ledger, pg_url: str) -> None:
    def fill(into: Ledger) -> dict[str, bytes]:
        customers = [customer(number) for number in range(30)]
        extracted(
            into, customers=customers, payments=[payment(n) for n in range(30)], splits=[split(n) for n in range(30)]
        )
        return exported(into)

    postgres = Ledger(pg_url)
    assert fill(postgres) == fill(ledger)
    postgres.close()


def test_memory_does_not_grow_with_the_rows(sqlite_url: str) -> None:
    """Measured in a process of its own: other threads of this one would count in."""
    words = [sys.executable, "-m", "tests.support.export_memory", sqlite_url]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    few, many = json.loads(done.stdout)
    assert many < few * 1.3


NAMES = [
    "Zoë", "Łukasz", "李小龍", "Nguyễn", "محمد", "🙂 Ana", 'Ann "Nan", Lee', "semi;colon", "=SUM(1;2)", "+1+1", "-2+3",
    "@SUM(A1)", "two\r\nlines", "tab\there", "  blanks   inside ", "\u202eevil", "O'Hara", "=cmd|' /C calc'!A0",
]  # fmt: skip


@pytest.mark.full
def test_libreoffice_opens_every_file_with_every_cell_as_it_was_written(ledger: Ledger, tmp_path: Path) -> None:
    if libreoffice.program() is None:
        text = "LibreOffice is not on this machine: nobody has seen the CSV files opened in it (apt: libreoffice-calc)"
        warnings.warn(text, stacklevel=1)
        pytest.skip(text)
    money = [(125_000, "AUD"), (-1, "USD"), (1_250, "JPY"), (1_250_001, "KWD"), (10**11 + 99, "BRL")]
    extracted(
        ledger,
        customers=[customer(number, first=name) for number, name in enumerate(NAMES)],
        payments=[payment(number, *money[number % len(money)]) for number in range(len(NAMES))],
        splits=[split(number, *money[number % len(money)]) for number in range(len(NAMES))],
        partners=[{"_id": "partner", "name": "=Harbour, College"}],
    )
    for name, content in exported(ledger).items():
        (tmp_path / f"{name}.csv").write_bytes(content)
        shown = libreoffice.opened(tmp_path / f"{name}.csv", tmp_path)
        rows = read(content)
        assert [cell.text for cell in shown[0]] == list(COLUMNS[name]), "and no mark in the first name"
        assert len(shown) == len(rows) + 1
        for cells, row in zip(shown[1:], rows, strict=True):
            for cell, (column, written) in zip(cells, row.items(), strict=False):  # empty ones at the end are left out
                assert not cell.formula, (column, written)
                if column.endswith("amount") and written:
                    assert cell.type == "float"
                    assert Decimal(cell.value) == Decimal(written)
                elif column.endswith("_at") and written:
                    assert cell.type == "date"
                    assert datetime.fromisoformat(cell.value) == datetime.fromisoformat(written)
                elif column == "number" and written:
                    assert (cell.type, cell.value) == ("float", written)
                elif column == "gone_at_source":
                    assert (cell.type, cell.value) == ("boolean", written)
                else:
                    assert cell.type in ("string", ""), (column, written)
                    assert cell.text == written, column
            assert not any(list(row.values())[len(cells) :])
    assert len(rows) == 0, "outcomes, of an agency without an accounting tool"
