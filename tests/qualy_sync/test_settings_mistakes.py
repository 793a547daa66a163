"""Mistakes in the settings file: each is told with file, line, key, what was found and what is allowed, all at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from qualy_sync.settings import Problem, SettingsError, load

GOOD = """\
source:
  page_size: 100
accounting:
  tool: xero
  start_date: 2026-01-01
  payments:
    when: instantly
    amounts: tax_inclusive
    invoice_date: due
    number_prefix: Q-
  splits:
    amounts: tax_inclusive
    types:
      supplier-share: {direction: we_owe, principal_share: true}
      markup: {direction: we_owe}
      remainder: {direction: own}
    own_partnerships: [Our own share]
    map:
      - {category: Tuition, account: "880"}
  items:
    Tuition: {role: agent_on_invoice, account: "880", income_account: "210", tax: EXEMPTOUTPUT}
    Visa: {role: principal, account: "205", tax: OUTPUT}
  settlement:
    accounts:
      CARD: {AUD: "091"}
    money_not_moved: {CASH: hold}
"""

Mistakes = Callable[[str], tuple[Problem, ...]]


@pytest.fixture
def mistakes(tmp_path: Path) -> Mistakes:
    """The mistakes in a file with this text."""

    def of(text: str) -> tuple[Problem, ...]:
        path = tmp_path / "settings.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError) as failure:
            load(path)
        assert str(path) in str(failure.value)
        return failure.value.problems

    return of


def test_the_text_that_these_tests_spoil_is_good(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(GOOD)
    assert load(path).accounting is not None


@pytest.mark.parametrize(
    ("good", "bad", "line", "key", "says"),
    [
        ("page_size: 100", "page_sise: 100", 2, "source.page_sise", "did you mean page_size?"),
        ("page_size: 100", "page_size: '100'", 2, "source.page_size", "found '100'; allowed: a whole number"),
        ("page_size: 100", "page_size: true", 2, "source.page_size", "found true; allowed: a whole number"),
        ("page_size: 100", "page_size: 0", 2, "source.page_size", "found 0; allowed: a whole number, 1 to 1,000"),
        ("page_size: 100", "page_size: 1_00", 2, "source.page_size", "write digits alone"),
        ("page_size: 100", "page_size:", 2, "source.page_size", "is empty"),
        ("page_size: 100", "page_size: [1]", 2, "source.page_size", "found a list"),
        ("page_size: 100", "filter_style: D", 2, "source.filter_style", "auto · A · B · C · none"),
        ("page_size: 100", "paid_statuses: paid", 2, "source.paid_statuses", "a list of texts; write [paid]"),
        ("page_size: 100", "paid_statuses: [paid, paid]", 2, "source.paid_statuses", "names 'paid' twice"),
        ("page_size: 100", "paid_statuses: [paid, due]", 1, "source", "'due' is in paid_statuses and in open_statuses"),
        ("page_size: 100", "paths: {contcts: /x}", 2, "source.paths.contcts", "did you mean contacts?"),
        ("page_size: 100", "paths: {taxes: https://evil.example/}", 2, "source.paths.taxes", "below the connection's"),
        ("page_size: 100", "paths: {taxes: /../x}", 2, "source.paths.taxes", "below the connection's"),
        ("page_size: 100", "mark_paid: true", 2, "source.mark_paid", "it belongs below accounting.payments"),
        ("page_size: 100", "api_key: k-12345", 2, "source.api_key", "belong into the connection"),
        ("source:\n  page_size: 100", "source: 5", 1, "source", "found 5; allowed: a section"),
        ("source:\n  page_size: 100", "quality: {max_failing_share: 1.5}", 1, "quality.max_failing_share", "0 to 1"),
        ("source:\n  page_size: 100", "quality: {largest_amount: {AUX: 5}}", 1, "quality.largest_amount.AUX", "ISO"),
        ("source:\n  page_size: 100", "quality: {largest_amount: 0.5}", 1, "quality.largest_amount", "a whole number"),
        ("tool: xero", "tool: [xero, quickbooks]", 4, "tool", "a sync cannot be split over two"),
        ("tool: xero", "tool: xero, quickbooks", 4, "tool", "a sync cannot be split over two"),
        ("tool: xero", "tool: xeor", 4, "tool", "allowed: none, xero; did you mean xero?"),
        ("tool: xero", "tool:", 4, "tool", "allowed: none, xero"),
        ("2026-01-01", "2026-02-30", 5, "start_date", "a day that does not exist"),
        ("2026-01-01", "1.1.2026", 5, "start_date", "a date such as 2026-01-31"),
        ("2026-01-01", "20260101", 5, "start_date", "a date such as 2026-01-31"),
        ("2026-01-01", "0026-01-01", 5, "start_date", "between 2000 and 2100"),
        ("when: instantly", "when: instant", 7, "payments.when", "did you mean instantly?"),
        ("    when: instantly\n", "", 6, "payments.when", "is missing; allowed: instantly"),
        ("number_prefix: Q-", "number_prefix: 7", 10, "payments.number_prefix", 'in quotes: "7"'),
        ("number_prefix: Q-", "number_prefix: A LONG ONE", 10, "payments.number_prefix", "no spaces"),
        ("number_prefix: Q-", "number_prefix: 'Q\"'", 10, "payments.number_prefix", "no quotes"),
        ("number_prefix: Q-", "number_prefix: ABCDEFGHIJKLM", 10, "payments.number_prefix", "at most 12"),
        ("number_prefix: Q-", "number_prefix: ''", 10, "payments.number_prefix", "at most 12"),
        ("when: instantly", "when: instantly\n    mark_paid: yes", 8, "payments.mark_paid", "write true"),
        ("when: instantly", "when: instantly\n    as_: bill", 8, "payments.as_", "is not a setting here"),
        ('account: "205"', "account: 205", 22, "items.Visa.account", 'in quotes: "205"'),
        ('account: "205"', "account: 090", 22, "items.Visa.account", 'write "090" if it is a code'),
        ('account: "205"', "account: 2.10", 22, "items.Visa.account", 'in quotes: "2.10"'),
        ('account: "205"', 'account: ""', 22, "items.Visa.account", "a code in quotes"),
        ('account: "205"', 'account: "2\\n05"', 22, "items.Visa.account", "a line break"),
        ("role: principal", "role: agent", 22, "items.Visa.role", "principal · agent_on_invoice"),
        ("role: principal, ", "", 22, "items.Visa.role", "is missing"),
        ("Visa: {role: principal", "Visa: {role: agent_on_bill", 22, "items.Visa.income_account", "is missing"),
        ('income_account: "210"', 'income_account: "880"', 21, "items.Tuition.income_account", "liability"),
        ("role: principal,", "role: principal, income_tax: X,", 22, "items.Visa.income_tax", "agent roles"),
        ("Visa: {", '"*": {', 22, "items.*.suspense", "suspense: true and a tax"),
        ("tax: OUTPUT}", "suspense: true}", 22, "items.Visa.tax", "needs its tax code"),
        ("direction: own}", "direction: own, principal_share: true}", 16, "splits.types.remainder.principal_share",
         "for direction we_owe only"),
        ("direction: own}", "direction: owe_us}", 16, "splits.types.remainder.direction", "owed_to_us"),
        ("{category: Tuition, a", "{category: Tution, a", 19, "splits.map[0].category", "did you mean Tuition?"),
        ("{category: Tuition, a", "{type: markupp, a", 19, "splits.map[0].type", "did you mean markup?"),
        ("{category: Tuition, a", "{partnership: Our own share, a", 19, "splits.map[0].partnership", "no bill"),
        ('Tuition, account: "880"', 'Tuition, account: "320"', 19, "splits.map[0].account", "not 880"),
        ('"880"}\n', '"880"}\n      - {category: Tuition, account: "880"}\n', 20, "splits.map[1]", "entry 1"),
        ('{AUD: "091"}', '{"*": "091"}', 25, "settlement.accounts.CARD.*", "name each currency"),
        ('{AUD: "091"}', '{aud: "091"}', 25, "settlement.accounts.CARD.aud", "ISO 4217"),
        ("CARD:", '"*":', 24, "settlement.accounts", "name each payment method"),
        ("{CASH: hold}", "{CARD: hold}", 26, "settlement.money_not_moved.CARD", "in settlement.accounts as well"),
        ("  settlement:", "  settlement:\n    date_field: updatedAt", 24, "settlement.date_field", "createdAt"),
        ("tool: xero", "tool: xero\n  rounding: {cents: 2, tax: X}", 5, "rounding.account", "cents is 2"),
        ("tool: xero", "tool: xero\n  pace: {read_timeout: 80}", 5, "pace.read_timeout", "outlast lease_seconds"),
        ("  splits:", "  splits:\n    mark_paid: true", 11, "splits.payout_accounts", "that pay-outs leave from"),
        ("  splits:", "  splits:\n    partner_document: kind", 11, "splits.partner_documents", "no kind of document"),
        ("  splits:", "  splits:\n    partner_documents: {RCTI: {}}", 11, "splits.partner_document", "field of a"),
        ("  splits:", "  splits:\n    partner_document: a b", 12, "splits.partner_document", "the place of a field"),
        ("tool: xero", "tool: xero\n  closed_until: soon", 5, "closed_until", "a date such as"),
        ("tool: xero", "tool: xero\n  contacts: {overwrite: [phone]}", 5, "contacts.overwrite[0]", "name · email"),
        ("tool: xero", "tool: xero\n  next_open_day: {bills: Kim}", 5, "next_open_day.bills", "did you mean bill?"),
        ("tool: xero", "tool: xero\n  next_open_day: {bill: true}", 5, "next_open_day.bill", "found true"),
        ("tool: xero", "tool: xero\n  currencies: {rates: table}", 5, "currencies.table", "a CSV file"),
        ("tool: xero", "tool: xero\n  currencies: {rates: qualy}", 5, "currencies.qualy_rate", "with Qualy's rate"),
        ("tool: xero", "tool: xero\n  currencies: {table: rates.xls}", 5, "currencies.table", "such as rates.csv"),
        ("tool: xero", "tool: xero\n  currencies: {carry_days: 30}", 5, "currencies.carry_days", "0 to 10"),
        ("tool: xero", "tool: xero\n  refunds: {}", 5, "refunds", "accounting.payments.refund_lines"),
        ("tool: xero", "tool: xero\n  cancellations: {}", 5, "cancellations", "accounting.payments.cancelled"),
        ("tool: xero", "tool: xero\n  reversal: remove", 5, "reversal", "it belongs below accounting.settlement"),
    ],
)  # fmt: skip
def test_one_mistake(mistakes: Mistakes, good: str, bad: str, line: int, key: str, says: str) -> None:
    assert good in GOOD
    (problem,) = mistakes(GOOD.replace(good, bad, 1))
    assert (problem.key.removeprefix("accounting."), problem.line) == (key, line)
    assert says in problem.sentence


def test_payments_as_bills_need_expense_accounts_and_are_never_marked_paid(mistakes: Mistakes) -> None:
    problems = mistakes(GOOD.replace("when: instantly", "when: instantly\n    as: bill"))
    assert [problem.key.removeprefix("accounting.") for problem in problems] == [
        "payments.mark_paid",
        "items.Tuition.expense_account",
        "items.Visa.expense_account",
    ]
    assert "a customer's charge never pays a bill" in problems[0].sentence
    as_bill = GOOD.replace("when: instantly", "when: instantly\n    as: bill\n    mark_paid: false")
    as_bill = as_bill.replace("tax: EXEMPTOUTPUT", 'expense_account: "320"')
    (problem,) = mistakes(as_bill.replace("tax: OUTPUT", 'expense_account: "205"'))
    assert "is the income account 205" in problem.sentence


def test_bills_cannot_go_with_invoices_that_are_never_made(mistakes: Mistakes) -> None:
    text = GOOD.replace("when: instantly", "when: never").replace("  splits:", "  splits:\n    when: with_invoice")
    (problem,) = mistakes(text)
    assert problem.key == "accounting.splits.when"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(mistakes: Mistakes) -> None:
    """Also those between sections, and also where other sections cannot be read."""
    text = GOOD.replace("page_size: 100", "page_size: many").replace("tool: xero", "tool: abacus")
    text = text.replace("amounts: tax_inclusive", "amounts: gross", 1).replace("{AUD:", "{AUD: '1', AUD:")
    text = text.replace('income_account: "210", ', "").replace('account: "205"', "account: 205")
    text = text.replace("{CASH: hold}", "{CASH: hold, CARD: hold}") + "unheard_of: 1\n"
    problems = mistakes(text)
    assert [(problem.line, problem.key) for problem in problems] == [
        (2, "source.page_size"),
        (4, "accounting.tool"),
        (8, "accounting.payments.amounts"),
        (21, "accounting.items.Tuition.income_account"),
        (22, "accounting.items.Visa.account"),
        (25, "accounting.settlement.accounts.CARD.AUD"),
        (26, "accounting.settlement.money_not_moved.CARD"),
        (27, "unheard_of"),
    ]
    assert "is there twice: on line 25" in problems[5].sentence


def test_without_a_tool_nothing_is_missing_but_wrong_values_are_told(mistakes: Mistakes, tmp_path: Path) -> None:
    draft = "accounting:\n  tool: none\n  payments:\n    as: bill\n  items:\n    Visa:\n      role: principal\n"
    path = tmp_path / "draft.yaml"
    path.write_text(draft)
    assert load(path).accounting is None
    (problem,) = mistakes(draft + "      accuont: '200'\n")
    assert "did you mean account?" in problem.sentence


def test_a_tool_that_the_wiring_offers_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(GOOD.replace("tool: xero", "tool: other"))
    accounting = load(path, tools=("xero", "other")).accounting
    assert accounting is not None
    assert accounting.tool == "other"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("source:\n\tpage_size: 1\n", 2, "indented with a tab"),
        ("source:\n  page_size: 1\n \t paths: {}\n", 3, "indented with a tab"),
        ("source: {page_size: 1\naccounting: 2\n", 2, "colons, quotes and indentation"),
        ("source: 'open\n", 2, "cannot be read as YAML"),
        ("source: {}\n---\naccounting: {}\n", 2, "one document"),
        ("source: *nothing\n", 1, "undefined alias"),
        ("", None, "is empty"),
        ("# only words\n", None, "is empty"),
        ("- a\n- b\n", 1, "holds no keys"),
        ("just words\n", 1, "holds no keys"),
        ("[" * 5000, None, "nested deeper"),
        ("a: &a [*a]\n", 1, "nested deeper"),
    ],
)
def test_a_file_that_is_no_settings_file(mistakes: Mistakes, text: str, line: int | None, says: str) -> None:
    (problem,) = mistakes(text)
    assert says in problem.sentence
    assert problem.line == line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accounting: {tool: !!python/object/apply:os.getcwd []}\n", "YAML tag"),
        ("accounting: {tool: none}\nsource: {<<: {page_size: 3}}\n", "merging with <<"),
        ("accounting: {tool: none}\n? [a, b]\n: 1\n", "a key is a word"),
        ("accounting: {tool: none}\n~: 1\n", "a key is a word"),
        ("accounting: {tool: none}\naccounting: {tool: none}\n", "is there twice"),
        ("source: {}\n", "is missing; allowed: none, xero"),
        ("accounting:\n", "is missing; allowed: none, xero"),
    ],
)
def test_what_yaml_allows_and_settings_do_not(mistakes: Mistakes, text: str, says: str) -> None:
    (problem,) = mistakes(text)
    assert says in problem.sentence


def test_a_small_file_that_unfolds_into_billions_of_values_is_refused(mistakes: Mistakes) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = mistakes("\n".join(rows))
    assert "unfolds into more than 50,000 values" in problem.sentence


def test_files_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"source: {}\naccounting: {tool: none} # caf\xe9\n")
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"# much\n" * 100_000)
    control = tmp_path / "control.yaml"
    control.write_bytes(b"source: \x07\n")
    for path, says in (
        (tmp_path / "absent.yaml", "is not there; create it"),
        (tmp_path, "is a directory"),
        (latin, "line 2: holds a character that is not UTF-8"),
        (huge, "is larger than 512 KiB"),
        (control, "special characters are not allowed"),
    ):
        with pytest.raises(SettingsError, match=says):
            load(path)


def test_a_link_that_leads_nowhere_and_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("nowhere", "loop"):
        with pytest.raises(SettingsError, match=name):
            load(tmp_path / name)


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path).accounting is not None


def test_a_secret_in_the_wrong_place_is_not_repeated(mistakes: Mistakes) -> None:
    problems = mistakes(GOOD + "client_secret: hunter2-hunter2\npassword: hunter2-hunter2\n")
    assert len(problems) == 2
    assert "hunter2" not in "".join(map(str, problems))


def test_what_a_terminal_would_act_upon_is_shown_and_not_sent(mistakes: Mistakes) -> None:
    problems = mistakes(GOOD.replace("Visa:", '"Vi\\e[31msa\\u202e":').replace('account: "205"', "account: 205"))
    assert {problem.line for problem in problems} == {22}
    assert all(str(problem).isprintable() for problem in problems)


@examples(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["tool", "items", "payments", "x", "splits", "map", "*"]), inner, max_size=3
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        ["source", "quality", "accounting", "accounting.items", "accounting.splits", "accounting.splits.map"]
    ),
)
def test_whatever_stands_there_the_answer_is_settings_or_sentences(
    tmp_path_factory: pytest.TempPathFactory, value: object, where: str
) -> None:
    for part in reversed(where.split(".")):
        value = {part: value}
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(value), encoding="utf-8")
    told: tuple[Problem, ...] | None = None
    try:
        settings = load(path)
    except SettingsError as error:
        told = error.problems
    if told is None:
        assert re.fullmatch("[0-9a-f]{12}", settings.version)
    else:
        assert told
        assert all(problem.sentence and problem.file for problem in told)
