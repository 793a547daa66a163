"""Text from outside, made harmless: whatever it holds, it can only be read."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualy_sync.report.csv_files import write
from qualy_sync.report.escape import csv_text, script_json, visible, web_link

TEXT = st.text(max_size=60)


@given(TEXT)
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    for sign in shown:
        assert unicodedata.category(sign) not in ("Cc", "Zl", "Zp", "Cs", "Co")
        assert unicodedata.category(sign) != "Cf" or sign in "\u200c\u200d"
    assert visible(shown) == shown


@pytest.mark.parametrize("name", ["Ngũgĩ wa Thiong'o", "李小龍", "नमस्ते", "مرحبا", "می‌خواهم", "👩‍👩‍👧", "Zoë Ōkami"])
def test_every_script_stays_as_it_is(name: str) -> None:
    assert visible(name) == name


def test_a_turned_text_shows_what_turns_it() -> None:
    assert visible("invoice\u202egpj.exe") == "invoice⟨U+202E⟩gpj.exe"
    assert visible("two\r\nlines\there") == "two lines here"


@given(st.recursive(TEXT, lambda inner: st.lists(inner, max_size=4)))
def test_json_in_a_script_element_reads_back_and_cannot_end_it(value: object) -> None:
    text = str(script_json(value))
    assert json.loads(text) == value
    assert not any(sign in text for sign in "<>&\u2028\u2029")


@given(TEXT)
def test_no_cell_is_a_formula_and_every_cell_reads_back(text: str) -> None:
    cell = csv_text(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    name, content = write("a.csv", ("text", "next"), [(text, "end")])
    assert name == "a.csv"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [["text", "next"], [cell, "end"]]


@pytest.mark.parametrize("text", ["=1+1", "+61 400", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert csv_text(text).startswith("'")


def test_ordinary_text_gets_no_apostrophe() -> None:
    assert csv_text("12 records, AUD 3.00 - fine") == "12 records, AUD 3.00 - fine"


@pytest.mark.parametrize("url", ["https://go.example/a?b=c&d=e#f", "http://localhost:8900/x"])
def test_web_addresses_are_links(url: str) -> None:
    assert web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        " https://a.example",
        "https://a.example/\nx",
        "data:text/html,x",
        "//a.example",
        "https:///path",
        'https://a.example/"onmouseover="x',
        "ftp://a.example",
        "file:///etc/passwd",
        "https://[oops",
        "",
    ],
)
def test_anything_else_is_none(url: str) -> None:
    assert web_link(url) == ""
