"""Settings against what a tool can do: what it lacks is refused by the check, before anything is written."""

from __future__ import annotations

import pytest

from qualy_app.checks.findings import Level
from qualy_app.checks.mapping import mapping_findings
from qualy_app.local.rehearsals import REHEARSALS
from qualy_sync.contracts.accounting import Ability, Account, Chart, Gap
from qualy_sync.settings import load


def test_tax_codes_are_refused_for_a_tool_that_has_none() -> None:
    accounting = load(REHEARSALS["xero"].settings_file).accounting
    assert accounting is not None
    codes = {item.account for item in accounting.items.values()}
    account = {code: Account(code, code, "revenue", True, True, True, True, True) for code in codes}
    gap = Gap("tax", "It has no taxes.", Ability.TAX_CODES)
    found = mapping_findings(accounting, Chart(account, {}, frozenset({"AUD"})), "AUD", "The Tool", [gap])
    refused = [one for one in found if "cannot be used: It has no taxes." in one.sentence]
    assert refused
    assert {one.level for one in refused} == {Level.PROBLEM}


def item(code: str, *, income: bool = False, liability: bool = False) -> Account:
    number, _, account = code.partition(">")
    kind = "item, posts to income" if income else "item, posts to other current liability"
    return Account(code, f"Thing {number}", kind, True, False, liability, income, False, posts_to=f"{account} “Books”")


def test_an_item_that_posts_to_another_account_than_its_role_asks_for_is_refused() -> None:
    accounting = load(REHEARSALS["quickbooks"].settings_file, tools=["quickbooks"]).accounting
    assert accounting is not None
    right = {
        one.account: item(one.account, income=True) for one in accounting.items.values() if one.role == "principal"
    }
    right |= {
        code: item(code, liability=code == one.account, income=code == one.income_account)
        for one in accounting.items.values()
        if one.role != "principal"
        for code in (one.account, one.income_account or "")
    }

    def said(chart: dict[str, Account]) -> dict[str, tuple[Level, str]]:
        found = mapping_findings(accounting, Chart(chart, {}, frozenset({"AUD"})), "AUD", "The Tool")
        return {one.subject: (one.level, one.sentence) for one in found if "posts to" in one.sentence}

    assert said(right) == {}
    visa, tuition = accounting.items["Visa"].account, accounting.items["Tuition"]
    assert tuition.income_account is not None
    wrong = right | {
        visa: item(visa, liability=True),
        tuition.account: item(tuition.account, income=True),
        tuition.income_account: item(tuition.income_account, liability=True),
    }
    found = said(wrong)
    for subject, code, kind in (
        ("accounting.items.Visa.account", visa, "an income account"),
        ("accounting.items.Tuition.account", tuition.account, "a liability account"),
        ("accounting.items.Tuition.income_account", tuition.income_account, "an income account"),
    ):
        level, sentence = found[subject]
        number, _, account = code.partition(">")
        assert level is Level.PROBLEM
        assert sentence.startswith(
            f"Item {code} “Thing {number}” posts to account {account} “Books”, which is not {kind}"
        )
        assert f"Name an item that posts to {kind}" in sentence


@pytest.mark.parametrize("tool", REHEARSALS)
def test_a_rehearsals_settings_are_complete(tool: str) -> None:
    accounting = load(REHEARSALS[tool].settings_file, tools=[tool]).accounting
    assert accounting is not None
    assert accounting.items
    assert accounting.settlement.accounts
