"""The way to a first run from a terminal: check, extract, preview, confirm, and a second run that writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from qualy_sync.ledger import Ledger
from sandbox.server import Sandbox
from tests.cli.terminal import Terminal, environment, wide_open
from tests.support.world import bare

WRITES = ("PUT", "POST")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Sandbox]:
    with wide_open() as started:
        yield started


@pytest.fixture
def terminal(stand_in: Sandbox, tmp_path: Path) -> Terminal:
    return Terminal(environment(stand_in, tmp_path))


def writes(stand_in: Sandbox) -> list[str]:
    calls = stand_in.control("GET", "calls/xero")["calls"]
    return [call["path"] for call in calls if call["method"] in WRITES and "/api.xro/" in call["path"]]


def test_before_anything_a_command_says_how_to_begin(terminal: Terminal) -> None:
    nothing = terminal.run("outcomes", QUALY_LEDGER_URL="sqlite:////nowhere/at/all.db")
    assert (nothing.status, nothing.text) == (3, "")
    assert "bin/qualy check" in nothing.trouble
    unset = terminal.run("outcomes", QUALY_LEDGER_URL="")
    assert unset.status == 2
    assert "QUALY_LEDGER_URL is not set" in unset.trouble


def test_a_run_needs_something_read_from_qualy(terminal: Terminal, stand_in: Sandbox) -> None:
    checked = terminal.json("check")
    assert checked["counts"]["problem"] == 0
    early = terminal.run("sync", "accounting")
    assert early.status == 3
    assert "bin/qualy extract" in early.trouble
    assert writes(stand_in) == []


def test_from_preview_to_books_in_step(terminal: Terminal, stand_in: Sandbox) -> None:
    extracted = terminal.extract()
    unconfirmed = extracted.json("sync", "accounting", status=1)
    assert "not_confirmed" in {trouble["code"] for trouble in unconfirmed["waiting"]}
    assert writes(stand_in) == []

    shown = extracted.json("sync", "accounting", "--preview")
    assert writes(stand_in) == []
    by_leg = {one["leg"] for one in shown["would_write"]}
    assert by_leg == {"contact", "supplier", "invoice", "bill", "settlement"}
    assert {one["held_as"] for one in shown["would_write"]} == {None}
    assert all(one["held_as"] for one in shown["held"])

    anonymous = extracted.run("sync", "accounting", "--confirm", shown["hash"])
    assert (anonymous.status, "--by" in anonymous.trouble) == (2, True)
    unknown = extracted.run("sync", "accounting", "--confirm", "0123456789ab", "--by", "Ana")
    assert (unknown.status, "No preview was shown" in unknown.trouble) == (2, True)

    done = extracted.json("sync", "accounting", "--confirm", shown["hash"], "--by", "Ana", status=1)
    assert done["wrote"] is True
    assert "not_confirmed" not in {trouble["code"] for trouble in done["waiting"]}
    written = stand_in.control("GET", "state/xero")
    numbers = {invoice["InvoiceNumber"] for invoice in written["Invoices"]}
    previewed = [one for one in shown["would_write"] if one["leg"] in ("invoice", "bill")]
    assert {one["body"]["Invoices"][0]["InvoiceNumber"] for one in previewed} <= numbers

    before = len(writes(stand_in))
    again = extracted.json("sync", "accounting", status=1)
    assert again["wrote"] is False
    assert len(writes(stand_in)) == before


def test_what_stopped_the_writing_is_told_first_and_what_failed_after_it_too(
    terminal: Terminal, stand_in: Sandbox
) -> None:
    bare(stand_in)
    extracted = terminal.extract()
    shown = extracted.json("sync", "accounting", "--preview")
    faults = [
        {"method": "PUT", "path": "/api.xro/2.0/Invoices", "do": "status:403", "times": None},
        {"method": "GET", "path": "/api.xro/2.0/Invoices", "do": "status:503", "times": None, "after": 2},
    ]
    stand_in.control("POST", "faults/xero", faults)
    try:
        stopped = extracted.run("sync", "accounting", "--confirm", shown["hash"], "--by", "Ana")
    finally:
        stand_in.control("DELETE", "faults/xero")
    assert stopped.status == 3
    first, second = stopped.trouble.splitlines()[0], stopped.trouble.splitlines()[-1]
    assert first.startswith("Xero refuses the connection for this organisation (Xero create_invoices)")
    assert "Both sides could not be compared and reported either" in second
    assert "503" in second


def test_tables_of_another_version_are_named_with_what_to_do(terminal: Terminal) -> None:
    assert terminal.run("migrate").status == 0
    ledger = Ledger(terminal.environment["QUALY_LEDGER_URL"])
    with ledger.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    ledger.close()
    for command in (["outcomes"], ["check"], ["migrate"], ["sync", "accounting"]):
        refused = terminal.run(*command)
        assert refused.status == 3
        assert "newer version of Qualy Sync" in refused.trouble
