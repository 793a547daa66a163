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


@pytest.mark.parametrize("tool", REHEARSALS)
def test_a_rehearsals_settings_are_complete(tool: str) -> None:
    accounting = load(REHEARSALS[tool].settings_file, tools=[tool]).accounting
    assert accounting is not None
    assert accounting.items
    assert accounting.settlement.accounts
