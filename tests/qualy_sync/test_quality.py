"""Which records the data-quality suites hold, for which reason, and what is kept of it."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from qualy_sync.extract.rows import read_row
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.schema import passes, quality_failures, quality_results
from qualy_sync.ledger.source import complete_pass, open_pass, save_rows
from qualy_sync.model import NOUNS, Kind
from qualy_sync.outcomes import MEANINGS, Code
from qualy_sync.quality import Checked, QualityError, check_quality
from qualy_sync.quality.frames import Around, columns_of
from qualy_sync.quality.suites import FOLDER, load_suites
from qualy_sync.settings import QualitySettings, SourceSettings

SPLIT = {"currency": "AUD", "type": "supplier-share", "partnership": "s1", "paymentIntent": "p1", "item": "i1"}
WORLD: dict[Kind, list[dict[str, Any]]] = {
    Kind.CUSTOMER: [
        {"_id": "c1", "email": " Ana@School.example ", "profile": {"firstName": "Ana"}},
        {"_id": "c2", "email": "王@例え.example"},
    ],
    Kind.PARTNER: [{"_id": "s1", "name": "School", "email": "fees@school.example"}],
    Kind.PAYMENT: [
        {
            "_id": "p1",
            "contact": "c1",
            "currency": "AUD",
            "items": [{"_id": "i1", "amount": 100_000}, {"_id": "i2", "amount": -5_000}],
            "createdAt": "2026-06-01T00:00:00.000Z",
            "dueAt": "2026-07-01T00:00:00.000Z",
        }
    ],
    Kind.SPLIT: [
        {**SPLIT, "_id": "x1", "amount": 80_000},
        {**SPLIT, "_id": "x2", "amount": 20_000},
        {**SPLIT, "_id": "x3", "amount": -5_000, "item": "i2"},
    ],
    Kind.TRANSACTION: [
        {
            "_id": "t1",
            "paymentIntent": {"_id": "p1"},
            "amount": 95_000,
            "currency": "AUD",
            "transactionType": "charge",
            "createdAt": "2026-06-20T00:00:00.000Z",
        }
    ],
}
SETTINGS = QualitySettings(largest_amount={"AUD": 5_000, "JPY": 5_000})


class Books:
    """A ledger that Qualy's records are put into without Qualy."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def bring(self, world: dict[Kind, list[dict[str, Any]]]) -> None:
        """One extraction that brings these records."""
        with self.ledger.writing() as connection:
            now = self.ledger.now()
            number = open_pass(connection, now)
            for kind, rows in world.items():
                read = [read_row(kind, row, SourceSettings()) for row in rows]
                save_rows(connection, number, kind, [row for row in read if row], now, 1)
            complete_pass(connection, number, now, {"kinds": {}}, sweep=False)

    def check(self, **more: Any) -> Checked:
        return check_quality(self.ledger, SETTINGS, **more)

    def failures(self) -> dict[tuple[str, str], str]:
        """Record and rule to code."""
        with self.ledger.reading() as connection:
            return {(row.id, row.rule): row.code for row in connection.execute(sa.select(quality_failures))}

    def counts(self) -> dict[str, Any]:
        with self.ledger.reading() as connection:
            row = connection.execute(sa.select(passes).order_by(passes.c.number.desc()).limit(1)).one()
            assert row.checked_at is not None
            found: dict[str, Any] = row.counts
            return found


@pytest.fixture
def books(any_ledger: Ledger) -> Books:
    return Books(any_ledger)


def worse(kind: Kind, record_id: str, **changes: Any) -> dict[Kind, list[dict[str, Any]]]:
    """The world with one record changed; ``...`` takes a field away."""
    world = copy.deepcopy(WORLD)
    row = next(row for row in world[kind] if row["_id"] == record_id)
    row.update(changes)
    for name in [name for name, value in changes.items() if value is ...]:
        del row[name]
    return world


def side_by_side(worlds: list[dict[Kind, list[dict[str, Any]]]]) -> dict[Kind, list[dict[str, Any]]]:
    """Many worlds in one, each with ids of its own: c1-000, c1-001, …"""
    together: dict[Kind, list[dict[str, Any]]] = {kind: [] for kind in WORLD}
    for place, world in enumerate(worlds):
        for kind, rows in world.items():
            text = re.sub(r'"([cspxt]\d)"', rf'"\1-{place:03}"', json.dumps(rows))
            together[kind] += json.loads(text)
    return together


ITEM = {"_id": "i1", "amount": 100_000}
BAD = [
    (Kind.CUSTOMER, "c1", {"email": ...}, {("c1", "no_email")}),
    (Kind.CUSTOMER, "c1", {"email": "  "}, {("c1", "no_email")}),
    (Kind.CUSTOMER, "c1", {"email": "ana at school"}, {("c1", "bad_email")}),
    (Kind.CUSTOMER, "c1", {"email": 7}, {("c1", "malformed")}),
    (Kind.PARTNER, "s1", {"email": None}, {("s1", "no_email")}),
    (Kind.PARTNER, "s1", {"email": "fees@"}, {("s1", "bad_email")}),
    (
        Kind.PAYMENT,
        "p1",
        {"currency": "ZZZ"},
        {("p1", "malformed"), *((x, "split_unclear") for x in ("x1", "x2", "x3"))},
    ),
    (Kind.PAYMENT, "p1", {"amount": 500_001}, {("p1", "bad_amount")}),
    (Kind.PAYMENT, "p1", {"items": [ITEM, {"_id": "i2", "amount": -(10**40)}]}, {("p1", "bad_amount")}),
    (Kind.PAYMENT, "p1", {"createdAt": "1970-01-01T00:00:05Z"}, {("p1", "malformed")}),
    (Kind.PAYMENT, "p1", {"dueAt": "2999-01-01T00:00:00Z"}, {("p1", "malformed")}),
    (Kind.PAYMENT, "p1", {"contact": "nobody"}, {("p1", "malformed")}),
    (Kind.PAYMENT, "p1", {"items": [ITEM]}, {("x3", "split_unclear")}),
    (Kind.SPLIT, "x1", {"amount": 80_001}, {("x1", "split_unclear"), ("x2", "split_unclear")}),
    (Kind.SPLIT, "x3", {"amount": -5_001}, {("x3", "split_unclear")}),
    (Kind.SPLIT, "x1", {"currency": "NZD"}, {("x1", "split_unclear")}),
    (Kind.SPLIT, "x1", {"paymentIntent": "nothing"}, {("x1", "malformed")}),
    (Kind.SPLIT, "x1", {"partnership": "nobody"}, {("x1", "malformed")}),
    (Kind.SPLIT, "x1", {"amount": "80000"}, {("x1", "malformed")}),
    (Kind.TRANSACTION, "t1", {"paymentIntent": "nothing"}, {("t1", "malformed")}),
    (Kind.TRANSACTION, "t1", {"amount": -500_001}, {("t1", "bad_amount")}),
    (Kind.TRANSACTION, "t1", {"currency": "JPY", "amount": 5_001}, {("t1", "bad_amount")}),
]


def test_good_records_pass_whatever_their_script(books: Books) -> None:
    books.bring(WORLD)
    checked = books.check()
    assert books.failures() == {}
    assert (checked.rows, checked.failing, checked.too_many_failures) == (8, 0, False)


def test_each_bad_record_is_held_for_its_reason_and_goes_on_once_it_is_mended(books: Books) -> None:
    books.bring(side_by_side([worse(kind, record_id, **changes) for kind, record_id, changes, _ in BAD]))
    books.check()
    found: dict[str, set[tuple[str, str]]] = {}
    for (record, _), code in books.failures().items():
        name, _, place = record.partition("-")
        found.setdefault(place, set()).add((name, code))
    assert found == {f"{place:03}": expected for place, (*_, expected) in enumerate(BAD)}
    assert books.counts()["failing"] == sum(len({record for record, _ in expected}) for *_, expected in BAD)
    books.bring(side_by_side([WORLD] * len(BAD)))
    books.check()
    assert books.failures() == {}


def test_only_what_changed_and_its_neighbours_are_looked_at(books: Books) -> None:
    books.bring(WORLD)
    assert books.check().rows == 8
    books.bring(WORLD)
    assert books.check().rows == 0
    books.bring({Kind.SPLIT: worse(Kind.SPLIT, "x1", amount=70_000)[Kind.SPLIT]})
    assert books.check().rows == 3
    assert books.check().rows == 3  # once more for the same pass: the same answer
    books.bring({Kind.CUSTOMER: worse(Kind.CUSTOMER, "c1", email="")[Kind.CUSTOMER]})
    assert books.check().rows == 1
    books.bring({})
    assert books.check().rows == 0  # nothing changed: what failed still fails
    assert set(books.failures().values()) == {"no_email"}


def test_a_record_whose_payer_comes_later_is_released(books: Books) -> None:
    books.bring({kind: rows for kind, rows in WORLD.items() if kind is not Kind.CUSTOMER})
    books.check()
    assert set(books.failures().values()) == {"malformed"}
    books.bring({Kind.CUSTOMER: WORLD[Kind.CUSTOMER]})
    books.check()
    assert books.failures() == {}


def test_a_changed_suite_is_applied_to_everything(books: Books, tmp_path: Path) -> None:
    books.bring(WORLD)
    books.check()
    folder = shutil.copytree(FOLDER, tmp_path / "suites")
    suite = json.loads((folder / "payments.json").read_text())
    suite["expectations"][2]["kwargs"]["max_value"] = 2025
    (folder / "payments.json").write_text(json.dumps(suite))
    assert books.check(folder=folder).rows == 8
    assert set(books.failures().values()) == {"malformed"}
    assert books.check().failing == 0


@pytest.mark.parametrize(("bad", "stopped"), [(3, False), (6, True)])
def test_above_the_set_share_of_failing_records_the_pass_is_not_used(books: Books, bad: int, stopped: bool) -> None:
    people = [{"_id": f"c{i}", "email": None if i < bad else f"student{i}@school.example"} for i in range(10)]
    books.bring({Kind.CUSTOMER: people})
    checked = books.check()
    assert checked.share == Decimal(bad) / 10
    assert checked.too_many_failures is books.counts()["failing_share_exceeded"] is stopped


def test_no_value_of_a_record_is_kept(books: Books) -> None:
    books.bring(worse(Kind.CUSTOMER, "c1", email="ana at school"))
    books.check()
    with books.ledger.reading() as connection:
        kept = [
            str(row)
            for table in (quality_failures, quality_results, passes)
            for row in connection.execute(sa.select(table))
        ]
    assert any("bad_email" in row for row in kept)
    assert not any("ana" in row for row in kept)


def test_a_rule_that_cannot_be_computed_is_not_one_that_nobody_breaks(books: Books, tmp_path: Path) -> None:
    books.bring(WORLD)
    folder = shutil.copytree(FOLDER, tmp_path / "suites")
    suite = json.loads((folder / "customers.json").read_text())
    suite["expectations"][0]["kwargs"]["column"] = "no_such_column"
    (folder / "customers.json").write_text(json.dumps(suite))
    with pytest.raises(QualityError, match="customers"):
        books.check(folder=folder)


@pytest.mark.parametrize("text", ["{", "{}", '{"name": "x", "kind": "nothing", "expectations": []}'])
def test_a_broken_suite_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(QualityError, match=r"mine\.json"):
        load_suites(tmp_path)


def test_the_suites_speak_the_outcomes_language() -> None:
    suites, _ = load_suites()
    assert {suite.kind for suite in suites} == set(NOUNS)
    for suite in suites:
        for rule in suite.rules:
            assert MEANINGS[rule.code].waits_for_a_person
            assert "…" not in MEANINGS[rule.code].sentence.format_map(
                {"party": "", "field": "", "problem": ""} | dict(rule.detail)
            )


AMOUNTS = st.lists(st.integers(-(10**30), 10**30), max_size=6)


@given(st.integers(-(10**30), 10**30), AMOUNTS)
def test_splits_fit_into_an_item_exactly_when_their_sum_does(item: int, amounts: Sequence[int]) -> None:
    payment = {**WORLD[Kind.PAYMENT][0], "items": [{"_id": "i1", "amount": item}]}
    around = Around(payment={"p1": NOUNS[Kind.PAYMENT].model_validate(payment)}, shared={("p1", "i1"): sum(amounts)})  # type: ignore[dict-item]
    split = NOUNS[Kind.SPLIT].model_validate({**SPLIT, "_id": "x", "amount": 1})
    columns = columns_of(Kind.SPLIT, split, around, SETTINGS)
    assert columns["within_item"] is (abs(sum(amounts)) <= abs(item) or sum(amounts) * (1 if item >= 0 else -1) <= 0)
    assert 0 <= columns["largest_amount"] < 2**63


def test_a_code_is_one_of_the_vocabulary() -> None:
    assert {rule.code for suite in load_suites()[0] for rule in suite.rules} == {
        Code.NO_EMAIL,
        Code.BAD_EMAIL,
        Code.BAD_AMOUNT,
        Code.MALFORMED,
        Code.SPLIT_UNCLEAR,
    }
