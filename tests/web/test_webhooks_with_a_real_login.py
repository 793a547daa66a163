"""Airflow's API server with the auth manager of docker-compose.yaml: webhooks come in, and nobody else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from qualy_app.addresses import PREFIX, WEBHOOKS
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import count, waiting
from tests.airflow_home import PASSWORD, ROOT

pytestmark = pytest.mark.full

SECRET, APP = "s" * 40, "app-" + "a" * 30
PUBLIC = "https://airflow.example.com"
SETTINGS = f"""
accounting: {{tool: none}}
webhooks: {{public_url: "{PUBLIC}", qualy: {{enabled: true}}, hubspot: {{enabled: true}}}}
"""
# What Airflow itself shows to everybody: that it lives, its version, how its API is called, that an old address is
# gone, the way to the login and out, and the page that asks for it, which is one for all addresses of the UI.
OPEN = re.compile(
    r"/api/v2/(monitor/health|version|auth/login|auth/logout)|/auth/.*|/docs.*|/redoc|/openapi.json|/health"
    r"|/api/(v1/)?{_:path}|/{rest_of_path:path}"
)


@dataclass(frozen=True)
class Server:
    """A running Airflow; `paths` are all that it answers to with GET, as patterns."""

    web: httpx.Client
    paths: list[str]
    log: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("fab")
    (folder / "settings.yaml").write_text(SETTINGS)
    Ledger(f"sqlite:///{folder}/ledger.db").migrate()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "QUALY"))}
    environment = kept | {
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
        "QUALY_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        "QUALY_SETTINGS": str(folder / "settings.yaml"),
        "AIRFLOW_CONN_QUALY": json.dumps({"conn_type": "http", "extra": {"webhook_secret": SECRET}}),
        "AIRFLOW_CONN_HUBSPOT": json.dumps({"conn_type": "http", "extra": {"webhook_secret": APP}}),
    }
    words = [sys.executable, "-m", "tests.support.fab_airflow", str(folder)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    lines = (line for line in process.stdout if line.startswith("{"))
    told = json.loads(next(lines, "{}"))
    assert told, (folder / "log").read_text()
    with httpx.Client(base_url=told["address"], trust_env=False, timeout=60) as web:
        yield Server(web, told["paths"], folder / "log")
    process.communicate()
    assert process.returncode == 0


@pytest.fixture
def ledger(server: Server) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{server.log.parent}/ledger.db")
    yield opened
    opened.close()


def test_webhooks_come_in_without_the_login(server: Server, ledger: Ledger) -> None:
    event = {"event": "contacts.update", "data": {"_id": "c1"}}
    assert server.web.post(f"{WEBHOOKS}/qualy/{SECRET}", json=event).status_code == 202
    assert [hint.id for hint in waiting(ledger, "qualy", 10)] == ["c1"]

    body = json.dumps([{"subscriptionType": "contact.creation", "objectId": 7}]).encode()
    timestamp = str(int(time.time() * 1000))
    signed = b"POST" + f"{PUBLIC}{WEBHOOKS}/hubspot".encode() + body + timestamp.encode()
    signature = base64.b64encode(hmac.new(APP.encode(), signed, hashlib.sha256).digest()).decode()
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp}
    assert server.web.post(f"{WEBHOOKS}/hubspot", content=body, headers=headers).status_code == 202
    assert [hint.id for hint in waiting(ledger, "hubspot", 10)] == ["7"]


def test_whoever_knows_no_secret_is_refused_there_too(server: Server, ledger: Ledger) -> None:
    before = count(ledger, "qualy"), count(ledger, "hubspot")
    for path in (f"/qualy/{SECRET[:-1]}", "/hubspot"):
        assert server.web.post(WEBHOOKS + path, json={"event": "contacts.update"}).status_code == 401
    assert (count(ledger, "qualy"), count(ledger, "hubspot")) == before


def test_every_other_address_is_closed_to_whoever_has_not_logged_in(server: Server) -> None:
    guarded = [path for path in server.paths if not OPEN.fullmatch(path)]
    assert len([path for path in guarded if path.startswith("/api/v2/")]) > 50
    assert len([path for path in guarded if path.startswith(PREFIX)]) >= 4
    with_the_secret = {"Authorization": f"Bearer {SECRET}", "Cookie": f"_token={SECRET}"}
    for pattern in guarded:
        path = re.sub(r"{\w+(:path)?}", "1", pattern)
        for headers in ({}, with_the_secret):
            assert server.web.get(path, headers=headers).status_code in (401, 403, 405), pattern


def test_whoever_logs_in_is_let_in(server: Server) -> None:
    """So that what is refused above is refused for want of the login, and not because nothing works."""
    given = {"username": "admin", "password": PASSWORD}
    answer = server.web.post("/auth/token", json=given)
    assert answer.status_code == 201
    admin = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert server.web.get("/api/v2/dags", headers=admin).status_code == 200
    assert server.web.get(f"{PREFIX}/reports/sync_accounting", headers=admin).status_code == 200


def test_the_servers_own_access_log_shows_no_secret(server: Server) -> None:
    log = unquote(server.log.read_text())
    assert f"POST {WEBHOOKS}/qualy/***" in log
    assert SECRET[:-1] not in log
