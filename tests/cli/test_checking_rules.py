"""What `check` says about rates, approvers, pay-outs and partners before anything is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qualy_app.checks.abilities import ability_findings
from qualy_app.checks.findings import Level
from qualy_app.checks.rules import table_findings
from qualy_sync.contracts.accounting import Ability, Gap
from qualy_sync.settings import DatedRate, RateTable
from tests.cli.terminal import ROOT, Terminal
from tests.support.plan_world import terms_of

SANDBOX = (ROOT / "sandbox" / "settings.yaml").read_text()


def rates(*days: tuple[int, str]) -> RateTable:
    return RateTable({"USD": tuple(DatedRate(date(2026, 3, day), Decimal(rate), "RBA") for day, rate in days)})


def told(table: RateTable, carry: int = 0, start: date = date(2026, 1, 1)) -> list[tuple[Level, str]]:
    return [(one.level, one.sentence) for one in table_findings(table, ["USD"], "AUD", start, carry)]


def test_a_currency_without_a_rate_is_a_problem() -> None:
    ((level, sentence),) = told(RateTable())
    assert level is Level.PROBLEM
    assert "USD" in sentence


def test_gaps_are_named_as_far_as_they_matter() -> None:
    weekend = rates((6, "1.54"), (9, "1.55"))
    assert (Level.WARNING, told(weekend)[0][1]) == told(weekend)[0]
    assert "2026-03-07 to 2026-03-08" in told(weekend)[0][1]
    assert [level for level, _ in told(weekend, carry=2)] == [Level.OK]
    assert [level for level, _ in told(weekend, start=date(2026, 4, 1))] == [Level.OK]


def test_a_rate_the_wrong_way_round_is_asked_about() -> None:
    (_, (level, sentence)) = told(rates((5, "1.54"), (6, "0.6494")))
    assert level is Level.WARNING
    assert "AUD per USD" in sentence


@pytest.fixture
def checked(extracted: Terminal, tmp_path: Path) -> Any:
    """`checked(old, new, …)`: the findings of `check` with a settings file that differs in lines."""

    def run(*changes: tuple[str, str], files: dict[str, str] | None = None) -> dict[str, list[str]]:
        text = SANDBOX
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content)
        answer = extracted.run("check", "--json", QUALY_SETTINGS=str(path))
        found: dict[str, list[str]] = {}
        for one in answer.json["findings"]:
            found.setdefault(one["subject"], []).append(f"{one['level']}: {one['sentence']}")
        return found

    return run


def test_check_says_what_the_rules_would_do(checked: Any) -> None:
    found = checked(
        ("closed_until:", "closed_until: 2026-06-30"),
        ("next_open_day: {invoice: ,", "next_open_day: {invoice: Kim Lee,"),
        ("rates: tool", "rates: table"),
        ("table: #", "table: rates.csv #"),
        ("mark_paid: false", "mark_paid: true"),
        ('payout_accounts: {AUD: "091", USD: "092"', 'payout_accounts: {AUD: "092", USD: "200"'),
        ("remainder: {direction: own}", "remainder: {direction: own}\n      kept: {direction: owed_to_us}"),
        ("update: false", "update: true"),
        files={"rates.csv": "date,currency,rate,source\n2026-03-06,USD,1.5,RBA\n"},
    )
    assert "30 June 2026" in found["lock dates"][0]
    assert "it counts" in found["closed_until"][0]
    (approved,) = found["next_open_day"]
    assert "Kim Lee" in approved
    assert "changes period" in approved
    assert any("EUR" in one and one.startswith("problem") for one in found["accounting.currencies.table"])
    assert "not in AUD" in found["accounting.splits.payout_accounts.AUD"][0]
    assert "takes no payments" in found["accounting.splits.payout_accounts.USD"][0]
    assert "kept" in found["accounting.splits.owed_to_us"][0]
    assert "name, email" in found["accounting.contacts.update"][0]


def test_what_the_tool_cannot_do_is_said_before_the_first_write(checked: Any) -> None:
    found = checked()
    assert [subject for subject in found if subject.startswith("Xero: ")]


def test_a_setting_that_asks_for_what_the_tool_cannot_do_is_named() -> None:
    """By the tool's own gaps, whichever tool it is."""
    gaps = [Gap(str(ability), f"No {ability}.", ability) for ability in Ability] + [Gap("words", "Only said.")]
    mark = {"splits__mark_paid": True, "contacts__update": True, "settlement__reversal": "remove"}
    accounting = terms_of(**mark).accounting
    found = {one.subject: one for one in ability_findings(accounting, gaps, "The tool")}
    assert set(found) == {
        "accounting.splits.mark_paid",
        "accounting.settlement.reversal",
        "accounting.currencies.rates",
        "accounting.contacts.update",
        "accounting.items",
        "accounting.taxes",
        "accounting.closed_until",
    }
    assert found["accounting.splits.mark_paid"].level is Level.PROBLEM
    assert "No settle_bills." in found["accounting.splits.mark_paid"].sentence
    assert list(ability_findings(accounting, [], "The tool")) == []
