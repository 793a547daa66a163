"""`check` finds what would go wrong, names it, and writes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from qualy_app.checks import Level
from qualy_app.checks.source import currency_findings, lock_findings
from qualy_sync.contracts.accounting import Chart, Organisation
from qualy_sync.ledger import Ledger
from qualy_sync.settings import load
from sandbox.server import Sandbox
from tests.cli.terminal import ROOT, Terminal, connection
from tests.support.ledger_rows import LedgerRows

SETTINGS = ROOT / "sandbox" / "settings.yaml"


def settings(folder: Path, *changes: tuple[str, str]) -> str:
    """A settings file like the sandbox's, with some of its text replaced."""
    text = SETTINGS.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "settings.yaml"
    path.write_text(text)
    return str(path)


def sentences(answer: dict, level: str) -> str:
    return "\n".join(f"{one['subject']}: {one['sentence']}" for one in answer["findings"] if one["level"] == level)


def test_all_is_well_with_the_stand_ins_and_the_rest_is_for_eyes(extracted: Terminal) -> None:
    found = extracted.json("check")
    assert set(found["counts"]) == {"ok", "note", "by hand", "warning", "problem"}
    assert found["counts"]["problem"] == 0
    fine = sentences(found, "ok")
    assert "From AIRFLOW_CONN_XERO" in fine
    assert "a stand-in, not Xero" in fine
    assert "Locked to 31 May 2026" in fine
    by_hand = sentences(found, "by hand")
    assert "its own sync to Xero must be off" in by_hand
    assert "invoice reminders" in by_hand
    assert "period lock" in sentences(found, "note")
    assert extracted.run("check").text.rstrip().endswith("Nothing has to be mended before a run.")


def test_both_readings_of_a_due_time_are_shown_on_real_rows(extracted: Terminal) -> None:
    found = extracted.json("check")
    (due,) = [one for one in found["findings"] if one["subject"] == "due dates"]
    assert "accounting.due_zone is utc" in due["sentence"]
    assert "Australia/Sydney" in due["sentence"]


def test_accounts_and_codes_that_do_not_fit_are_named(extracted: Terminal, tmp_path: Path) -> None:
    spoilt = settings(
        tmp_path,
        ('Visa: {role: principal, account: "205"', 'Visa: {role: principal, account: "777"'),
        ('Materials: {role: principal, account: "200"', 'Materials: {role: principal, account: "299"'),
        ('"880"', '"200"'),
        ("{GST: OUTPUT,", "{GST: NOPE,"),
        ("{GST: INPUT,", "{GST: OUTPUT,"),
        ('USD: "092"', 'USD: "091"'),
        ('PAID_AT_SCHOOL: "096"', 'PAID_AT_SCHOOL: "200"'),
    )
    answer = extracted.run("check", "--json", QUALY_SETTINGS=spoilt)
    assert answer.status == 1
    problems = sentences(answer.json, "problem")
    for expected in (
        "accounting.items.Visa.account: Xero has no account 777",
        "accounting.items.Materials.account: Account 299 “Old Sales” is archived",
        "accounting.items.Tuition.account: Account 200 “Sales” is not a liability account",
        "accounting.taxes.sales.GST: Tax code NOPE is not there",
        "accounting.taxes.purchases.GST: Tax code OUTPUT",
        "accounting.settlement.accounts.CARD_INTL.USD: Account 091",
        "accounting.settlement.money_not_moved.PAID_AT_SCHOOL: Account 200 “Sales” takes no payments",
    ):
        assert expected in problems


def test_amounts_read_in_two_ways_are_warned_of_where_an_agents_item_is_taxed(
    extracted: Terminal, tmp_path: Path
) -> None:
    spoilt = settings(tmp_path, ("amounts: tax_inclusive\n", "amounts: tax_exclusive\n"))
    warned = sentences(extracted.json("check", QUALY_SETTINGS=spoilt), "warning")
    assert "accounting.items.Insurance: It is taxed (INPUT, OUTPUT), payments.amounts is tax_inclusive and" in warned
    assert "accounting.items.Tuition" not in warned, "no tax, no difference"
    assert "accounting.items.Visa" not in warned, "our own money"
    assert "It is taxed" not in sentences(extracted.json("check"), "warning")


def test_mistakes_in_settings_are_said_with_their_line(extracted: Terminal, tmp_path: Path) -> None:
    answer = extracted.run("check", QUALY_SETTINGS=settings(tmp_path, ("when: instantly", "when: sometimes")))
    assert answer.status == 2
    assert "settings.yaml, line" in answer.trouble
    assert "accounting.payments.when" in answer.trouble
    assert "instantly" in answer.trouble


def test_without_an_accounting_tool_everything_is_green(extracted: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("accounting:\n  tool: none\n")
    assert extracted.run("check", QUALY_SETTINGS=str(path)).status == 0
    synced = extracted.run("sync", "accounting", QUALY_SETTINGS=str(path))
    assert (synced.status, "nothing to do" in synced.text) == (0, True)


def test_connections_that_do_not_work_are_named_one_by_one(extracted: Terminal, stand_in: Sandbox) -> None:
    wrong_key = connection(f"{stand_in.url}/qualy/v1", "eu1-sandbox", "pk_wrong")
    answer = extracted.run("check", "--json", AIRFLOW_CONN_QUALY=wrong_key, AIRFLOW_CONN_XERO="")
    assert answer.status == 1
    problems = sentences(answer.json, "problem")
    assert "Qualy does not accept the API key" in problems
    assert "There is no connection 'xero'" in problems
    assert "pk_wrong" not in answer.text


ORGANISATION = Organisation("org-1", "Harbour", "AUD", ZoneInfo("Australia/Sydney"), "AU", date(2026, 5, 31))
CHART = Chart(accounts={}, taxes={}, currencies=frozenset({"AUD", "USD"}))


def test_a_user_who_may_post_behind_the_lock_is_warned_of() -> None:
    bound = list(lock_findings(ORGANISATION, CHART, "Xero"))
    assert [(one.level, one.sentence) for one in bound] == [("ok", "Locked to 31 May 2026, that day included.")]
    free = list(lock_findings(ORGANISATION, replace(CHART, posts_behind_lock=True), "Xero"))
    assert [one.level for one in free] == ["ok", "warning"]
    assert "may post behind the lock date" in free[1].sentence


def test_currencies_that_are_met_and_not_ready_are_named(ledger: Ledger) -> None:
    rows = LedgerRows(ledger).open()
    rows.payment(1, 100_00, currency="CAD")
    rows.payment(2, 100_00, currency="USD")
    rows.payment(3, 100_00, currency="AUD")
    accounting = load(SETTINGS, tools=("xero",)).accounting
    assert accounting is not None
    unrated = accounting.model_copy(update={"currencies": accounting.currencies.model_copy(update={"rates": None})})
    found = {one.level: one.sentence for one in currency_findings(ledger, unrated, ORGANISATION, CHART, "Xero")}
    assert "in CAD, which is not enabled in Xero" in found[Level.WARNING]
    assert "in USD, and accounting.currencies.rates is not set" in found[Level.PROBLEM]
    rated = [one.level for one in currency_findings(ledger, accounting, ORGANISATION, CHART, "Xero")]
    assert rated == [Level.OK, Level.WARNING]


def test_webhooks_that_nobody_could_bring_are_named(extracted: Terminal) -> None:
    found = extracted.json("check")
    assert "webhooks of qualy: The extra of the connection qualy has no webhook_secret" in sentences(found, "warning")
    given = json.loads(extracted.environment["AIRFLOW_CONN_QUALY"])
    for secret, level in (("guessable", "warning"), ("s" * 24, "ok")):
        answer = extracted.run(
            "check", "--json", AIRFLOW_CONN_QUALY=json.dumps(given | {"extra": {"webhook_secret": secret}})
        )
        told = [one for one in json.loads(answer.text)["findings"] if one["subject"] == "webhooks of qualy"]
        assert [one["level"] for one in told] == [level]
        assert secret not in answer.text
