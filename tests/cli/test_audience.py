"""Customers and Mailchimp from a terminal: connect, look at a preview, confirm it, ask about one who said no."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from markupsafe import escape

from connectors.mailchimp import Mailchimp
from sandbox.server import Sandbox
from tests.cli.terminal import Terminal, environment


@pytest.fixture
def fresh(tmp_path: Path) -> Terminal:
    with Sandbox.start(payments=60, today=date(2026, 7, 15)) as sandbox:
        yield Terminal(environment(sandbox, tmp_path))  # type: ignore[misc]


def test_a_first_sync_is_connected_previewed_confirmed_and_explained(fresh: Terminal) -> None:
    told = fresh.json("connect", "mailchimp", status=1)
    assert "QID" in told["missing"]
    assert fresh.json("connect", "mailchimp", "--create-properties")["created"]
    assert fresh.json("connect", "mailchimp")["missing"] == []

    fresh.extract()
    shown = fresh.json("sync", "mailchimp", "--preview")
    assert shown["counts"]["created_there"] > 10
    told = fresh.json("sync", "mailchimp", status=1)
    assert "not_confirmed" in {one["code"] for one in told["waiting"]}
    shown = fresh.json("sync", "mailchimp", "--preview")
    told = fresh.json("sync", "mailchimp", "--confirm", shown["hash"], "--by", "Ana", status=1)
    assert "not_confirmed" not in {one["code"] for one in told["waiting"]}
    forgotten = 1  # of them, which Mailchimp alone knows, and says once it is asked
    assert told["tasks"]["write"]["created"] == shown["counts"]["created_there"] - forgotten
    report = Path(told["report"]).read_text()
    assert all(escape(gap.sentence) in report for gap in Mailchimp.gaps), "what it cannot do"

    left = fresh.json("outcomes", "--tool", "mailchimp", "--code", "consent_withdrawn")["outcomes"]
    assert len(left) >= 4, "the stand-in's people have left in several ways"
    (leg,) = fresh.json("explain", left[0]["id"], "--tool", "mailchimp")["legs"]
    assert (leg["link"], leg["attempts"]) == ("withdrawn", []) or leg["code"] == "consent_withdrawn"
    assert "@" not in str(leg)


def test_check_names_the_audience(fresh: Terminal) -> None:
    said = fresh.run("check").text
    assert "Students" in said
    for gap in Mailchimp.gaps:
        assert f"Mailchimp: {gap.subject}" in said, "what it cannot do"


def test_a_token_is_told_its_data_centre(fresh: Terminal) -> None:
    mine = json.loads(fresh.environment["AIRFLOW_CONN_MAILCHIMP"])
    mine |= {"password": "sandbox-mailchimp-token"}
    place = mine["host"].removesuffix("/3.0")
    without = mine | {"host": "", "extra": {"auth": "oauth", "login_url": place}}
    answer = fresh.run("connect", "mailchimp", AIRFLOW_CONN_MAILCHIMP=json.dumps(without))
    assert answer.status == 2
    assert "https://us6.api.mailchimp.com" in answer.trouble
    with_host = mine | {"extra": {"auth": "oauth", "login_url": place}}
    answer = fresh.run("connect", "mailchimp", AIRFLOW_CONN_MAILCHIMP=json.dumps(with_host))
    assert "data centre us6" in answer.text


def test_with_mailchimp_off_there_is_nothing_to_do(fresh: Terminal, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("accounting: {tool: none}\n")
    answer = fresh.run("sync", "mailchimp", QUALY_SETTINGS=str(settings))
    assert answer.status == 0
    assert "nothing to do" in answer.text.lower()
