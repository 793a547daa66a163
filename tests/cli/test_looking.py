"""What became of records: lists with filters, one payment in full, and JSON whose keys stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

OUTCOME_KEYS = {
    *("leg", "id", "payment", "code", "group", "amount", "currency", "month", "since", "retry_at"),
    *("sentence", "remedy", "who_acts", "decisions", "trouble"),
}
LEG_KEYS = {
    *("leg", "source_id", "code", "sentence", "remedy", "who_acts", "decisions", "amount", "currency", "month"),
    *("since", "retry_at", "remote_id", "ref", "number", "url", "notes", "attempts", "events", "waits_for_a_person"),
}
TROUBLE_KEYS = {"trouble", "code", "label", "records", "amounts_minor", "who_acts", "remedy"}


def one_with(terminal: Terminal, code: str, leg: str = "invoice") -> dict[str, str]:
    found = terminal.json("outcomes", "--code", code, "--leg", leg, "--limit", "1")
    assert found["outcomes"], f"the stand-in's data hold no {code}"
    return found["outcomes"][0]


def test_outcomes_are_filtered_counted_and_cut(synced: Terminal) -> None:
    everything = synced.json("outcomes", "--limit", "100000")
    assert everything["total"] == everything["shown"] == len(everything["outcomes"])
    assert all(set(one) == OUTCOME_KEYS for one in everything["outcomes"])
    keys = [(one["leg"], one["id"]) for one in everything["outcomes"]]
    assert len(keys) == len(set(keys))

    few = synced.json("outcomes", "--limit", "3")
    assert (few["shown"], few["total"]) == (3, everything["total"])
    locked = synced.json("outcomes", "--code", "locked", "--leg", "invoice")["outcomes"]
    assert {(one["code"], one["leg"]) for one in locked} == {("locked", "invoice")}
    held = synced.json("outcomes", "--group", "held", "--limit", "100000")["outcomes"]
    assert {one["group"] for one in held} == {"held, before sending"}
    waiting = synced.json("outcomes", "--waiting", "--limit", "100000")["outcomes"]
    assert waiting
    assert all(one["trouble"] and one["remedy"] and one["who_acts"] != "nobody" for one in waiting)
    payment = locked[0]["payment"]
    assert {one["payment"] for one in synced.json("outcomes", "--payment", payment)["outcomes"]} == {payment}


@pytest.mark.parametrize(("option", "given", "near"), [("--code", "lockd", "locked"), ("--leg", "invoices", "invoice")])
def test_a_filter_that_does_not_exist_names_the_nearest(synced: Terminal, option: str, given: str, near: str) -> None:
    answer = synced.run("outcomes", option, given)
    assert answer.status == 2
    assert f"Did you mean {near!r}?" in answer.trouble


def test_a_locked_payment_is_explained(synced: Terminal) -> None:
    locked = one_with(synced, "locked")
    told = synced.json("explain", locked["id"], status=1)
    assert told["worst"] in {leg["code"] for leg in told["legs"]}
    (invoice,) = [leg for leg in told["legs"] if leg["leg"] == "invoice"]
    assert set(invoice) == LEG_KEYS
    assert invoice["waits_for_a_person"] is True
    assert invoice["attempts"] == []
    text = synced.run("explain", locked["id"])
    assert text.status == 1
    assert "Move the lock date in Xero" in text.text
    assert f"bin/qualy decide {locked['id']} invoice --as ignore --by YOUR-NAME --reason WHY" in text.text
    assert f"wait for a person. The worst: {told['worst']}." in text.text
    assert f"locked: {invoice['sentence']}" not in text.text, "a history of one event says nothing new"


def test_a_created_payment_shows_what_was_sent_and_hides_who_it_is(synced: Terminal) -> None:
    created = one_with(synced, "created")
    told = synced.json("explain", created["id"], status=synced.run("explain", created["id"]).status)
    (invoice,) = [leg for leg in told["legs"] if leg["leg"] == "invoice"]
    assert invoice["attempts"][-1]["fate"] == "created"
    sent = invoice["attempts"][-1]["sent"]
    assert sent["InvoiceNumber"] == f"Q-{told['number']}" == invoice["number"]
    assert {line["Description"] for line in sent["LineItems"]} == {"(hidden)"}
    open_text = synced.run("explain", created["id"], "--personal")
    assert "(hidden)" not in open_text.text


def test_a_payment_is_found_by_its_number_and_by_its_parts(synced: Terminal) -> None:
    created = one_with(synced, "created")
    told = synced.json("explain", created["id"], status=synced.run("explain", created["id"]).status)
    for name in (
        told["number"],
        f"Q-{told['number']}",
        *(leg["source_id"] for leg in told["legs"] if leg["leg"] == "bill"),
    ):
        again = json.loads(synced.run("explain", name, "--json").text)
        assert again["payment_id"] == created["id"]
    unknown = synced.run("explain", "nobody-knows-it")
    assert (unknown.status, "Nothing is known of" in unknown.trouble) == (2, True)


def test_a_report_is_written_where_it_is_asked_for(synced: Terminal, tmp_path: Path) -> None:
    written = synced.json("report", "--to", str(tmp_path))
    assert set(written) == {"run", "path", "files"}
    page = Path(written["path"])
    assert page.is_relative_to(tmp_path)
    assert "Harbour Education" in page.read_text()
    assert {"report.html", "totals.csv", "waiting.csv"} <= set(written["files"])
    missing = synced.run("report", "--run", "999")
    assert (missing.status, "no run 999" in missing.trouble) == (2, True)


def test_troubles_have_keys_that_stay(synced: Terminal) -> None:
    again = synced.json("sync", "accounting", status=1)
    assert set(again) == {"run", "wrote", "tasks", "waiting", "report"}
    assert all(set(trouble) == TROUBLE_KEYS for trouble in again["waiting"])
