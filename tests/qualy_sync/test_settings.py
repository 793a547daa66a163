"""What a user decides, from the file to the values that the core reads."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from qualy_sync.settings import AccountingSettings, Settings, SettingsError, load
from qualy_sync.settings.catalogue import ANY, REQUIRED, entries, table

ROOT = Path(__file__).parents[2]
SANDBOX = ROOT / "sandbox" / "settings.yaml"
USERS = ROOT / "include" / "settings.yaml"
SWITCHED_OFF = re.compile(r"(?m)^(\s*)#(?=[\w\"-])")


def the_books(settings: Settings) -> AccountingSettings:
    assert settings.accounting is not None
    return settings.accounting


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_users_file_names_no_tool_and_is_valid_as_it_comes() -> None:
    settings = load(USERS)
    assert settings.accounting is None
    assert settings.source.page_size == 100
    assert settings.source.paths["payment-intents"] == "/payment-intents"
    assert settings.quality.max_failing_share == Decimal("0.2")


def test_choosing_a_tool_in_the_users_file_names_exactly_what_is_required(tmp_path: Path) -> None:
    path = written(tmp_path, USERS.read_text().replace("tool: none", "tool: xero"))
    with pytest.raises(SettingsError) as failure:
        load(path)
    named = {problem.key for problem in failure.value.problems}
    required = {entry.key for entry in entries() if entry.default == REQUIRED}
    of_chosen_names = {key for key in required if f".{ANY}." in key or "[]" in key}
    assert named == required - of_chosen_names - {"accounting.tool"}
    assert all("is missing; allowed: " in problem.sentence for problem in failure.value.problems)


def test_every_line_of_the_users_file_can_be_switched_on(tmp_path: Path) -> None:
    text = SWITCHED_OFF.sub(r"\1", USERS.read_text()).replace("tool: none", "tool: xero")
    accounting = the_books(load(written(tmp_path, text)))
    assert accounting.items["*"].suspense
    assert accounting.payments.number_prefix == "Q-"


@pytest.mark.parametrize("path", [USERS, SANDBOX], ids=["users", "sandbox"])
def test_both_files_show_every_key(path: Path) -> None:
    text = SWITCHED_OFF.sub(r"\1", path.read_text())
    missing = [
        entry.key for entry in entries() if not re.search(rf"[\s{{]{re.escape(entry.key.rpartition('.')[2])}:", text)
    ]
    assert missing == []


def test_the_shown_defaults_are_the_defaults(tmp_path: Path) -> None:
    """A line that is switched on with the value it shows changes nothing, sections of examples apart."""
    off = load(USERS)
    head = SWITCHED_OFF.sub(r"\1", USERS.read_text()).partition("accounting:")[0]
    on = load(written(tmp_path, head + "accounting: {tool: none}\n"))
    assert on == off


def test_the_sandboxs_file_decides_what_the_rehearsal_shows() -> None:
    accounting = the_books(load(SANDBOX))
    assert accounting.tool == "xero"
    assert accounting.items["Tuition"].role == "agent_on_invoice"
    assert accounting.items["Tuition"].account == "880"
    assert accounting.items["Insurance"].role == "agent_on_invoice"
    assert "Discount" in accounting.items
    assert "Excursion" not in accounting.items
    assert "*" not in accounting.items
    assert all("CAD" not in by_currency for by_currency in accounting.settlement.accounts.values())
    assert accounting.settlement.accounts["CARD_INTL"]["JPY"] == "095"
    assert accounting.settlement.money_not_moved == {"PAID_AT_SCHOOL": "096", "CASH": "hold"}
    assert accounting.payments.as_ == "invoice"
    assert accounting.payments.number_prefix == "Q-"
    assert accounting.currencies.rates == "tool"
    assert accounting.start_date == date(2020, 1, 1)
    assert accounting.splits.types["remainder"].direction == "own"


def test_the_documentation_agrees_with_the_models() -> None:
    assert (ROOT / "docs" / "settings.md").read_text().partition("| key |")[2] == table().partition("| key |")[2]


def test_every_key_is_explained() -> None:
    assert [entry.key for entry in entries() if not entry.description] == []


def test_the_version_is_that_of_the_values_alone(tmp_path: Path) -> None:
    plain = "accounting: {tool: none}\nsource: {page_size: 50, requests_per_second: 2}\n"
    other = (
        "# a comment\nsource:\n  requests_per_second: 2.0  # another\n"
        "  open_statuses: [paid-partial, processing, overdue, due]\n"
        '  page_size: 50\n  filter_style: auto\n"accounting":\n  tool: "none"\n'
    )
    first, second = load(written(tmp_path, plain)), load(written(tmp_path, other))
    assert re.fullmatch(r"[0-9a-f]{12}", first.version)
    assert first.version == second.version
    assert first.version != load(written(tmp_path, plain.replace("50", "51"))).version
    assert first.version != Settings().version


@cache
def rehearsal() -> Settings:
    return load(SANDBOX)


@examples(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_order_of_keys_changes_the_version(chance: random.Random) -> None:
    settings = rehearsal()

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            keys = list(value)
            chance.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        if isinstance(value, (list, tuple)):
            rows = [shuffled(row) for row in value]
            chance.shuffle(rows)
            return rows
        return value

    again = Settings.model_validate(shuffled(settings.model_dump(by_alias=True)))
    assert again.version == settings.version


def test_every_single_value_counts_in_the_version() -> None:
    accounting = the_books(load(SANDBOX))
    changed = accounting.model_copy(update={"splits": accounting.splits.model_copy(update={"bill_status": "draft"})})
    assert Settings(accounting=accounting).version != Settings(accounting=changed).version


def test_settings_cannot_be_changed_once_read() -> None:
    settings = load(SANDBOX)
    with pytest.raises(ValidationError, match="frozen"):
        settings.source.page_size = 5  # type: ignore[misc]


def test_settings_made_in_python_are_held_to_the_same_rules() -> None:
    values = load(SANDBOX).model_dump(by_alias=True)
    values["accounting"]["items"]["Tuition"]["income_account"] = None
    with pytest.raises(ValidationError, match=r"items\.Tuition\.income_account: is missing"):
        Settings.model_validate(values)


def test_the_ceiling_is_one_for_all_or_one_each(tmp_path: Path) -> None:
    text = "accounting: {tool: none}\nquality: {largest_amount: %s}\n"
    for_all = load(written(tmp_path, text % "5000")).quality
    assert (for_all.ceiling("AUD"), for_all.ceiling("JPY")) == (5000, 5000)
    each = load(written(tmp_path, text % "{JPY: 900000}")).quality
    assert (each.ceiling("JPY"), each.ceiling("AUD")) == (900_000, 10_000_000)


def test_a_path_that_differs_leaves_the_others_in_place(tmp_path: Path) -> None:
    text = "accounting: {tool: none}\nsource: {paths: {taxes: /v2/tax-rates}}\n"
    paths = load(written(tmp_path, text)).source.paths
    assert paths["taxes"] == "/v2/tax-rates"
    assert paths["contacts"] == "/contacts"
    assert len(paths) == 10


def test_a_mapping_may_be_repeated_by_alias_and_a_code_tagged_as_text(tmp_path: Path) -> None:
    text = (
        SANDBOX.read_text()
        .replace("Visa: {role", "Visa: &service {role")
        .replace('account: "096"', "account: !!str 096")
    )
    text = re.sub(r"    Materials: \{.*\}", "    Materials: *service", text)
    items = the_books(load(written(tmp_path, text))).items
    assert items["Materials"] == items["Visa"]


def test_the_settings_know_no_database_no_airflow_and_no_network() -> None:
    code = (
        "import sys, qualy_sync.settings as s; s.load(sys.argv[1]);"
        "print([m for m in ('airflow', 'sqlalchemy', 'httpx', 'requests', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(SANDBOX)], capture_output=True, text=True, check=True,
                         env={"PYTHONPATH": str(ROOT / "plugins")})  # fmt: skip
    assert run.stdout.strip() == "[]"
