"""The user's own exchange rates: which day has which, and what is wrong with a file that cannot be used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qualy_sync.settings import DatedRate, RateTable, SettingsError, load
from qualy_sync.settings.rate_table import read_rates
from tests.qualy_sync.test_settings_mistakes import GOOD

HEAD = "date,currency,rate,source\n"
FRIDAY, MONDAY = date(2026, 3, 6), date(2026, 3, 9)
TABLE = HEAD + "2026-03-09,USD,1.55,RBA\n2026-03-06,USD,1.54,RBA\n2026-03-06,JPY,0.0104,RBA\n"


def table_of(tmp_path: Path, text: str) -> RateTable:
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="utf-8")
    table, problems = read_rates(path)
    assert problems == []
    return table


def test_a_day_has_its_own_rate_and_no_other(tmp_path: Path) -> None:
    table = table_of(tmp_path, TABLE)
    assert table.on("USD", FRIDAY, 0) == DatedRate(FRIDAY, Decimal("1.54"), "RBA")
    assert table.on("USD", date(2026, 3, 7), 0) is None
    assert table.on("USD", date(2026, 3, 5), 10) is None  # never one of later
    assert table.on("EUR", FRIDAY, 10) is None


@pytest.mark.parametrize(("carry", "day", "rate"), [(1, 7, "1.54"), (1, 8, None), (2, 8, "1.54"), (10, 9, "1.55")])
def test_a_rate_holds_on_as_long_as_the_user_says(tmp_path: Path, carry: int, day: int, rate: str | None) -> None:
    found = table_of(tmp_path, TABLE).on("USD", date(2026, 3, day), carry)
    assert (found.rate if found else None) == (Decimal(rate) if rate else None)


def test_gaps_are_the_days_that_have_none(tmp_path: Path) -> None:
    table = table_of(tmp_path, TABLE)
    assert list(table.gaps("USD", 0)) == [(date(2026, 3, 7), date(2026, 3, 8))]
    assert list(table.gaps("USD", 1)) == [(date(2026, 3, 8), date(2026, 3, 8))]
    assert list(table.gaps("USD", 2)) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "date,currency,rate,source"),
        ("date;currency;rate;source\n", 1, "first line"),
        (HEAD + "2026-03-06,USD,1.54\n", 2, "has 3 columns"),
        (HEAD + "2026-03-06,USD,1.54,RBA\n\n2026-03-06,USD,1.54,RBA\n", 4, "line 2 has one already"),
        (HEAD + "2026-03-06,USD,0,RBA\n", 2, "above 0"),
        (HEAD + "2026-03-06,USD,0.000,RBA\n", 2, "above 0"),
        (HEAD + "2026-03-06,USD,-1.5,RBA\n", 2, "not a rate"),
        (HEAD + '2026-03-06,USD,"1,54",RBA\n', 2, "decimal point"),
        (HEAD + "2026-03-06,USD,NaN,RBA\n", 2, "not a rate"),
        (HEAD + "2026-03-06,USD,1.54,\n", 2, "names no source"),
        (HEAD + "2026-02-30,USD,1.54,RBA\n", 2, "not a day"),
        (HEAD + "6.3.2026,USD,1.54,RBA\n", 2, "write 2026-01-31"),
        (HEAD + "2026-03-06,usd,1.54,RBA\n", 2, "ISO 4217"),
    ],
)
def test_a_table_with_a_mistake_is_not_used(tmp_path: Path, text: str, line: int, says: str) -> None:
    (tmp_path / "rates.csv").write_text(text, encoding="utf-8")
    (tmp_path / "settings.yaml").write_text(with_table(), encoding="utf-8")
    with pytest.raises(SettingsError) as failure:
        load(tmp_path / "settings.yaml")
    (problem,) = failure.value.problems
    assert (problem.file, problem.line) == (str(tmp_path / "rates.csv"), line)
    assert says in problem.sentence


def test_the_table_stands_beside_the_settings_and_comes_with_them(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(with_table(), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"rates\.csv: cannot be read"):
        load(tmp_path / "settings.yaml")
    (tmp_path / "rates.csv").write_text("\ufeff" + TABLE, encoding="utf-8")
    settings = load(tmp_path / "settings.yaml")
    assert settings.accounting is not None
    found = settings.accounting.currencies.dated.on("JPY", FRIDAY, 0)
    assert found is not None
    assert found.rate == Decimal("0.0104")
    (tmp_path / "rates.csv").write_text(TABLE.replace("0.0104", "0.0105"), encoding="utf-8")
    # A corrected rate is for documents that are not made yet: what the settings decide is still the same.
    assert load(tmp_path / "settings.yaml").version == settings.version


def with_table() -> str:
    return GOOD.replace("tool: xero", "tool: xero\n  currencies: {rates: table, table: rates.csv}")
