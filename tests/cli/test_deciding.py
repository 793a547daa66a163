"""What only a person can set going: decisions from closed choices, leaving out on purpose, and trying again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.cli.terminal import Terminal, environment, wide_open

WHO = ("--by", "Ana", "--reason", "spoke to the school")


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with wide_open() as started:
        yield started


@pytest.fixture(scope="module")
def person(books: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(environment(books, tmp_path_factory.mktemp("person"))).extract().confirm()


def waiting(terminal: Terminal, code: str) -> list[dict[str, str]]:
    return terminal.json("outcomes", "--code", code, "--limit", "1000")["outcomes"]


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ("ours", "The choices are: ignore."),
        ("nonsense", "The choices are: ignore."),
        ("ignore:abc", "takes nothing behind a colon"),
    ],
)
def test_other_choices_are_refused_with_those_there_are(person: Terminal, choice: str, why: str) -> None:
    locked = waiting(person, "locked")[0]
    answer = person.run("decide", locked["id"], locked["leg"], "--as", choice, *WHO)
    assert answer.status == 2
    assert why in answer.trouble
    assert person.json("outcomes", "--payment", locked["payment"])["total"]


def test_a_decision_needs_a_name_a_reason_and_a_leg_that_is_there(person: Terminal) -> None:
    locked = waiting(person, "locked")[0]
    nameless = person.run("decide", locked["id"], locked["leg"], "--as", "ignore", "--by", " ", "--reason", "x")
    assert (nameless.status, "--by is empty" in nameless.trouble) == (2, True)
    assert person.run("decide", locked["id"], locked["leg"], "--as", "ignore").status == 2
    assert person.run("decide", locked["id"], "invioce", "--as", "ignore", *WHO).status == 2
    unknown = person.run("decide", "nobody-knows-it", "invoice", "--as", "ignore", *WHO)
    assert (unknown.status, "Nothing is known of" in unknown.trouble) == (2, True)


def test_a_contact_of_another_name_is_kept_apart_or_linked(person: Terminal, books: Sandbox) -> None:
    held = waiting(person, "name_differs")[0]
    bare = person.run("decide", held["id"], "contact", "--as", "link", *WHO)
    assert (bare.status, "--as link:REMOTE_ID" in bare.trouble) == (2, True)
    before = len(books.control("GET", "state/xero")["Contacts"])
    decided = person.json("decide", held["id"], "contact", "--as", "separate", *WHO)
    assert decided == {"decided": [{"leg": "contact", "id": held["id"], "was": "name_differs", "choice": "separate"}]}
    tried = person.run("retry", held["id"])
    assert tried.status == 0
    assert re.search(r"\d+ tried: \d+ created", tried.text)
    assert "report.html" in tried.text
    assert held["id"] in {one["id"] for one in waiting(person, "created")}
    assert len(books.control("GET", "state/xero")["Contacts"]) == before + 1


def test_a_contact_can_be_named_by_its_payment(person: Terminal) -> None:
    created = person.json("outcomes", "--code", "created", "--leg", "invoice")["outcomes"][0]
    answer = person.run("decide", created["id"], "contact", "--as", "ignore", *WHO)
    assert answer.status == 2
    assert "No decision is open on it." in answer.trouble


def test_what_is_ignored_is_left_out_on_purpose_and_says_by_whom(person: Terminal) -> None:
    held = next(one for one in waiting(person, "needs_decision") if one["leg"] == "bill")
    assert person.run("ignore", held["id"], *WHO).status == 0
    assert person.json("retry", held["id"])["left"] == []
    (now,) = [one for one in waiting(person, "ignored") if one["id"] == held["id"]]
    assert now["sentence"] == "Ignored by Ana: spoke to the school"
    in_step = person.json("outcomes", "--code", "created", "--leg", "bill")["outcomes"][0]
    refused = person.run("ignore", in_step["id"], *WHO)
    assert (refused.status, "nothing is to be ignored" in refused.trouble) == (2, True)


def test_after_the_lock_date_moved_exactly_the_locked_records_go(person: Terminal, books: Sandbox) -> None:
    locked = {(one["leg"], one["id"]) for one in waiting(person, "locked")}
    before = {one["InvoiceNumber"] for one in books.control("GET", "state/xero")["Invoices"]}
    still = person.run("retry", "--trouble", person.json("outcomes", "--code", "locked")["outcomes"][0]["trouble"])
    assert still.status == 1
    assert "Still open: Xero is locked" in still.text
    books.control("POST", "lock-date/xero", {"period": None, "year_end": None})
    keys = sorted({one["trouble"] for one in waiting(person, "locked")})
    for key in keys:
        tried = person.json("retry", "--trouble", key)
        assert tried["left"] == []
        assert tried["counts"]["created"] >= 1
        assert "In Xero, this run created" in Path(tried["report"]).read_text()
        assert person.json("report")["run"] == tried["run"]
    assert waiting(person, "locked") == []
    invoices = books.control("GET", "state/xero")["Invoices"]
    made = [one["InvoiceNumber"] for one in invoices if one["InvoiceNumber"] not in before]
    assert len(made) == len(set(made))
    documents = {source for leg, source in locked if leg in ("invoice", "bill")}
    assert len(made) >= len(documents)
    created = {one["id"] for one in waiting(person, "created")}
    assert documents <= created


def test_what_to_try_again_has_to_be_named(person: Terminal) -> None:
    assert person.run("retry").status == 2
    assert person.run("retry", "--waiting", "--trouble", "x").status == 2
    unknown = person.run("retry", "--trouble", "xero:nothing:at all")
    assert (unknown.status, "Open troubles:" in unknown.trouble) == (2, True)
