"""Agreeing to the access: the address, the code that comes back, and the token in the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from qualy_app.local.rehearsals import REHEARSALS
from sandbox.server import Sandbox
from tests.cli.terminal import Terminal, connection


@pytest.fixture
def unseeded(terminal: Terminal) -> Terminal:
    """A connection that holds the app, and nobody's consent."""
    xero = json.loads(terminal.environment["AIRFLOW_CONN_XERO"])
    del xero["extra"]["refresh_token"]
    return Terminal({**terminal.environment, "AIRFLOW_CONN_XERO": json.dumps(xero)})


def agree(url: str) -> str:
    """Presses the button of the consent page; returns the address that one is sent to."""
    return httpx.get(f"{url}&approve=yes", follow_redirects=False).headers["location"]


def test_from_the_address_to_a_token_that_works(unseeded: Terminal, stand_in: Sandbox) -> None:
    asked = unseeded.json("connect", "xero")
    assert asked["connected"] is False
    query = parse_qs(urlsplit(asked["consent_url"]).query)
    assert query["redirect_uri"] == ["http://localhost:8765/callback"]
    assert "offline_access" in query["scope"][0]
    back = agree(asked["consent_url"])
    done = unseeded.json("connect", "xero", "--answer", back)
    assert done["connected"] is True
    assert done["organisation"].startswith("Harbour Education")
    code = parse_qs(urlsplit(back).query)["code"][0]
    used = unseeded.run("connect", "xero", "--answer", code)
    assert (used.status, "invalid_grant" in used.trouble) == (3, True)
    assert "problem" not in {one["level"] for one in unseeded.json("check")["findings"]}


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("http://localhost:8765/callback?error=access_denied&state=x", "was not agreed to"),
        ("http://localhost:8765/callback?code=abc&state=somebody-elses", "answers another request"),
        ("http://localhost:8765/callback", "answers another request"),
    ],
)
def test_a_wrong_answer_is_refused(unseeded: Terminal, pasted: str, why: str) -> None:
    answer = unseeded.run("connect", "xero", typed=f"{pasted}\n")
    assert answer.status == 2
    assert why in answer.trouble
    assert "Open this address, and agree:" in answer.text


def test_another_tool_is_connected_the_same_way(terminal: Terminal, stand_in: Sandbox, tmp_path: Path) -> None:
    base = f"{stand_in.url}/conta_azul"
    pair = "+".join(f"ca7e0000-0000-4000-8000-000000000{number}" for number in (110, 210))
    addresses = {"token_url": f"{base}/oauth/token", "authorize_url": f"{base}/#/oauth/authorize", "pass_through": pair}
    here = {
        **terminal.environment,
        "QUALY_LEDGER_URL": f"sqlite:///{tmp_path}/other.db",
        "QUALY_SETTINGS": str(REHEARSALS["conta_azul"].settings_file),
        "AIRFLOW_CONN_CONTA_AZUL": connection(base, "sandbox-app", "sandbox-secret", **addresses),
    }
    brazilian = Terminal(here)
    asked = brazilian.json("connect", "conta_azul")
    assert "/#/oauth/authorize?response_type=code" in asked["consent_url"]
    back = agree(asked["consent_url"].replace("/#/", "/"))
    done = brazilian.json("connect", "conta_azul", "--answer", back)
    assert done["connected"] is True
    assert done["organisation"]
    told = brazilian.json("check")["findings"]
    assert not [one for one in told if one["level"] == "problem"]
    assert "closed_until" in next(one["sentence"] for one in told if one["subject"] == "Conta Azul: closed periods")
    used = brazilian.run("connect", "conta_azul", "--answer", back)
    assert (used.status, "bin/qualy connect conta_azul" in used.trouble) == (3, True)
    secretless = Terminal({**here, "AIRFLOW_CONN_CONTA_AZUL": connection(base, "sandbox-app", "", **addresses)})
    assert secretless.run("connect", "conta_azul").status == 2


def test_without_a_key_to_keep_the_token_with_nobody_is_asked_to_agree(unseeded: Terminal) -> None:
    answer = unseeded.run("connect", "xero", QUALY_SECRET_KEYS="")
    assert (answer.status, answer.text) == (3, "")
    assert "QUALY_SECRET_KEYS is not set" in answer.trouble


def test_a_company_is_named_by_the_address_and_checked_against_its_settings(
    terminal: Terminal, stand_in: Sandbox, tmp_path: Path
) -> None:
    base = f"{stand_in.url}/quickbooks"
    addresses = {
        "token_url": f"{base}/oauth2/v1/tokens/bearer",
        "authorize_url": f"{base}/connect/oauth2",
    }
    here = Terminal(
        {
            **terminal.environment,
            "QUALY_LEDGER_URL": f"sqlite:///{tmp_path}/third.db",
            "QUALY_SETTINGS": str(REHEARSALS["quickbooks"].settings_file),
            "AIRFLOW_CONN_QUICKBOOKS": connection(base, "sandbox-app", "sandbox-secret", **addresses),
        }
    )
    asked = here.json("connect", "quickbooks")
    back = agree(asked["consent_url"])
    code = parse_qs(urlsplit(back).query)["code"][0]
    bare = here.run("connect", "quickbooks", "--answer", code)
    assert (bare.status, "names no company" in bare.trouble) == (2, True)
    done = here.json("connect", "quickbooks", "--answer", back)
    assert (done["connected"], done["organisation"][:17]) == (True, "Harbour Education")
    found = here.json("check")["findings"]
    assert "problem" not in {one["level"] for one in found}, [one for one in found if one["level"] == "problem"]
