"""Webhooks at Airflow's own web server: who gets in, what is kept of them, and what nobody ever reads in a log."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
from starlette.routing import Mount
from starlette.testclient import TestClient

from qualy_app.addresses import PREFIX, WEBHOOKS
from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import Hint, waiting
from tests.airflow_fixtures import Api
from tests.support.webhook_app import serving

NEW, OLD, OTHERS = "new-" + "n" * 30, "old-" + "o" * 30, "another-" + "x" * 30
SIGNING, APP = "signing-" + "s" * 20, "app-" + "a" * 20
PUBLIC = "https://airflow.example.com"
ID, EMAIL = "6a31f0a2c4d5e6f708192a3b", "zoe.private@mail.example"
EVENT = {"event": "contacts.update", "data": {"_id": ID, "email": EMAIL}}
SETTINGS = """
accounting: {{tool: none}}
webhooks:
  public_url: {public}
  largest_body_kb: 16
  inbox_limit: 100
  qualy: {{enabled: {qualy}, signature_header: {header}}}
  hubspot: {{enabled: true}}
"""


class Outside:
    """Services that deliver to Airflow's web server, and a ledger that keeps what they say."""

    def __init__(self, api: Api, ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ledger = ledger
        self._settings, self._patch = folder / "settings.yaml", monkeypatch
        self._web = api.anonymous
        monkeypatch.setenv("QUALY_LEDGER_URL", ledger.url)
        monkeypatch.setenv("QUALY_SETTINGS", str(self._settings))
        self.secrets(qualy={"webhook_secret": NEW, "webhook_secret_old": OLD}, hubspot={"webhook_secret": APP})
        self.settings()

    def settings(self, *, qualy: bool = True, header: str = "null") -> None:
        text = SETTINGS.format(public=PUBLIC, qualy=str(qualy).lower(), header=header)
        self._settings.write_text(text)

    def secrets(self, **extras: dict[str, str]) -> None:
        for tool, extra in extras.items():
            self._patch.setenv(f"AIRFLOW_CONN_{tool.upper()}", json.dumps({"conn_type": "http", "extra": extra}))

    def qualy(self, secret: str = NEW, event: Any = EVENT, body: bytes | None = None, **headers: str) -> int:
        content = json.dumps(event).encode() if body is None else body
        return self._web.post(f"{WEBHOOKS}/qualy/{secret}", content=content, headers=headers).status_code

    def hubspot(
        self, *events: Any, secret: str = APP, ago: float = 0, address: str = f"{PUBLIC}/webhooks/hubspot"
    ) -> int:
        body = json.dumps(events).encode()
        timestamp = str(int((time.time() - ago) * 1000))
        signed = b"POST" + address.encode() + body + timestamp.encode()
        signature = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp}
        return self._web.post(f"{WEBHOOKS}/hubspot", content=body, headers=headers).status_code

    def kept(self, tool: str = "qualy") -> list[tuple[str, str]]:
        return [(hint.kind, hint.id) for hint in waiting(self.ledger, tool, 1_000)]


@pytest.fixture
def outside(api: Api, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outside:
    return Outside(api, ledger, tmp_path, monkeypatch)


def test_every_address_of_ours_asks_for_a_login_or_for_a_secret(api: Api, outside: Outside) -> None:
    ours = {PREFIX, WEBHOOKS}
    mounted = {route.path: route.app for route in api.anonymous.app.routes if isinstance(route, Mount)}  # type: ignore[attr-defined]
    assert ours <= mounted.keys()
    for prefix in ours:
        assert mounted[prefix].routes, prefix  # type: ignore[attr-defined]
        for route in mounted[prefix].routes:  # type: ignore[attr-defined]
            address = prefix + re.sub(r"{\w+(:path)?}", "1", route.path)
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                answer = api.anonymous.request(method, address, content=b"{}")
                assert answer.status_code in (401, 403, 405), (method, address)
                assert prefix == PREFIX or answer.content == b"", "a webhook's sender is told nothing"
    for path in (
        "/",
        "/qualy",
        "/qualy/",
        "/hubspot/",
        f"/qualy/{NEW}/more",
        "/docs",
        "/openapi.json",
        f"/Qualy/{NEW}",
    ):
        answer = api.anonymous.post(WEBHOOKS + path)
        assert answer.status_code in (401, 404, 405), path
        assert answer.content == b""
    assert outside.kept() == []


def test_a_webhook_of_qualy_is_kept_by_its_id_and_the_login_has_no_part_in_it(outside: Outside) -> None:
    assert outside.qualy() == 202
    assert outside.qualy() == 202
    assert outside.kept() == [("contacts", ID)]


def test_the_secret_is_changed_without_a_webhook_being_lost(outside: Outside) -> None:
    assert outside.qualy(OLD) == outside.qualy(NEW) == 202
    assert outside.qualy(OTHERS) == 401
    outside.secrets(qualy={"webhook_secret": NEW})
    assert outside.qualy(NEW) == 202
    assert outside.qualy(OLD) == 401
    for none_or_short in ({}, {"webhook_secret": ""}, {"webhook_secret": "guessable"}):
        outside.secrets(qualy=none_or_short)
        assert outside.qualy("guessable") == outside.qualy("x") == 403


def test_what_is_not_switched_on_lets_nobody_in(outside: Outside) -> None:
    outside.settings(qualy=False)
    assert outside.qualy() == 403
    assert outside.kept() == []


def test_a_header_is_checked_besides_where_the_settings_name_one(outside: Outside) -> None:
    outside.secrets(qualy={"webhook_secret": NEW, "webhook_signing_secret": SIGNING})
    outside.settings(header="X-Qualy-Signature")
    body = json.dumps(EVENT).encode()
    right = hmac.new(SIGNING.encode(), body, hashlib.sha256).hexdigest()
    assert outside.qualy(body=body) == 401
    assert outside.qualy(body=body, **{"X-Qualy-Signature": right[::-1]}) == 401
    assert outside.qualy(OTHERS, body=body, **{"X-Qualy-Signature": right}) == 401, "the address's secret as well"
    assert outside.kept() == []
    assert outside.qualy(body=body, **{"X-Qualy-Signature": right}) == 202
    outside.secrets(qualy={"webhook_secret": NEW})
    assert outside.qualy(body=body, **{"X-Qualy-Signature": right}) == 401, "asked for, and no secret to check with"


def test_hubspot_is_believed_by_its_signature_over_the_public_address(outside: Outside) -> None:
    changed = {"subscriptionType": "contact.propertyChange", "objectId": 7, "propertyValue": EMAIL}
    erased = {"subscriptionType": "contact.privacyDeletion", "objectId": 8}
    assert outside.hubspot(changed, secret=OTHERS) == 401
    assert outside.hubspot(changed, ago=301) == outside.hubspot(changed, ago=-301) == 401
    assert outside.hubspot(changed, address="http://testserver/webhooks/hubspot") == 401
    assert outside.kept("hubspot") == []
    assert outside.hubspot(changed, erased, changed) == 202
    assert outside.hubspot(changed, ago=290) == outside.hubspot(changed, ago=-290) == 202
    assert outside.kept("hubspot") == [("contact", "7"), ("erased", "8")]


def test_a_body_that_is_too_large_is_not_read_to_its_end(api: Api, outside: Outside) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += 1024
            yield b" " * 1024

    assert outside.qualy(body=b" " * (16 * 1024 + 1)) == 413
    assert outside.qualy(body=b"{}", **{"content-length": "999999999999"}) == 413
    without_length = api.anonymous.post(f"{WEBHOOKS}/qualy/{NEW}", content=endless())
    assert without_length.status_code == 413
    assert outside.qualy(body=b" " * (16 * 1024)) == 202, "as large as it may be, and nothing in it"
    assert outside.kept() == []


def test_whoever_breaks_off_leaves_nothing_behind_not_even_a_line_in_the_log(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(dict(os.environ), []) as address:
        host, port = urlsplit(address).hostname, urlsplit(address).port
        for _ in range(3):
            with socket.create_connection((host, port)) as connection:
                head = f"POST {WEBHOOKS}/qualy/{NEW} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n"
                connection.sendall(head.encode() + b'{"event": ')
        with httpx.Client(trust_env=False) as web:
            assert web.post(f"{address}/qualy/{NEW}", content=b"{}").status_code == 202
    assert [record for record in caplog.records if record.name.startswith("qualy")] == []
    assert outside.kept() == []


def test_what_nobody_can_read_is_answered_and_nothing_is_kept(outside: Outside) -> None:
    for body in (b"", b"not json", b"[" * 5_000, b'{"event": "contacts.update"}', b"\xff"):
        assert outside.qualy(body=body) == 202, "sent again it would be no better"
    assert outside.kept() == []


def test_a_full_inbox_and_one_that_is_away_refuse_so_that_the_sender_tries_again(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [{"_id": f"c{number}"} for number in range(100)]
    assert outside.qualy(event={"event": "contacts.update", "data": many}) == 202
    assert outside.qualy() == 503
    assert outside.qualy(event={"event": "contacts.update", "data": many[:3]}) == 202, "known already"
    assert len(outside.kept()) == 100
    monkeypatch.setenv("QUALY_LEDGER_URL", "")
    assert outside.qualy() == 503


def test_a_connection_that_is_stored_in_airflow_counts_within_fifteen_seconds(
    api: Api, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qualy_app.webhooks import Doors
    from qualy_web.webhooks import create_app

    def stored(secret: str) -> dict[str, str]:
        return {"connection_id": "qualy", "conn_type": "http", "extra": json.dumps({"webhook_secret": secret})}

    monkeypatch.delenv("AIRFLOW_CONN_QUALY")
    admin, clock = api.as_user("admin"), [100.0]
    assert admin.post("/api/v2/connections", json=stored(OLD)).status_code == 201
    try:
        with TestClient(create_app(Doors(now=lambda: clock[0]))) as web:

            def old_and_new(at: float) -> list[int]:
                clock[0] = 100.0 + at
                return [web.post(f"/qualy/{secret}", json=EVENT).status_code for secret in (OLD, NEW)]

            assert old_and_new(0) == [202, 401]
            assert admin.patch("/api/v2/connections/qualy", json=stored(NEW)).status_code == 200
            assert old_and_new(14) == [202, 401], "not asked for again yet"
            assert old_and_new(16) == [401, 202]
    finally:
        admin.delete("/api/v2/connections/qualy")


def test_a_mistake_in_the_settings_refuses_everybody_and_is_told_once(
    outside: Outside, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "settings.yaml").write_text("webhooks: {qualy: {enabled: perhaps}}")
    assert [outside.qualy() for _ in range(5)] == [503] * 5
    told = [record for record in caplog.records if record.name == "qualy_app.webhooks.doors"]
    assert len(told) == 1, "whoever sends much does not fill the log"
    assert "enabled" in told[0].getMessage()
    outside.settings()
    assert outside.qualy() == 202, "and once it is mended, at once"


def test_an_event_wakes_the_dag_when_the_inbox_was_empty_and_not_before_it_is_kept(
    api: Api, outside: Outside, airflow_db: Path
) -> None:
    from qualy_app.webhooks import Keeper
    from qualy_web.webhooks import create_app

    woken: list[tuple[str, int]] = []

    def announce(tool: str) -> bool:
        woken.append((tool, len(outside.kept(tool))))
        return True

    with TestClient(create_app(keeper=Keeper(announce=announce))) as web:
        for number in range(5):
            event = {"event": "contacts.update", "data": {"_id": f"c{number}"}}
            assert web.post(f"/qualy/{NEW}", json=event).status_code == 202
    assert woken == [("qualy", 1)]


def test_an_event_that_cannot_be_sent_loses_nothing_and_the_next_webhook_sends_it(outside: Outside) -> None:
    from qualy_app.webhooks import Keeper
    from qualy_web.webhooks import create_app

    asked: list[str] = []

    def announce(tool: str) -> bool:
        asked.append(tool)
        if len(asked) == 1:
            raise ConnectionError("Airflow's database is away")
        return True

    with TestClient(create_app(keeper=Keeper(announce=announce))) as web:
        for number in range(3):
            event = {"event": "contacts.update", "data": {"_id": f"c{number}"}}
            assert web.post(f"/qualy/{NEW}", json=event).status_code == 202
    assert len(outside.kept()) == 3
    assert asked == ["qualy", "qualy"], "once in vain, once more with the next one, and then it is known"


def test_while_the_inbox_stays_full_an_event_is_sent_again_once_a_minute(outside: Outside) -> None:
    """Were the first lost, or its run to fail, the DAG would not have to wait for its own clock."""
    from qualy_app.webhooks import Keeper

    clock, woken = [0.0], []

    def announce(tool: str) -> bool:
        woken.append(clock[0])
        return True

    async def told_at(*moments: float) -> None:
        keeper = Keeper(announce=announce, now=lambda: clock[0])
        for clock[0] in moments:
            await keeper.keep("qualy", [Hint("contacts", ID)], 100)
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})  # the event is sent after the answer

    asyncio.run(told_at(0, 30, 59, 61, 90, 122))
    assert woken == [0, 61, 122]


def test_no_log_holds_a_secret_or_anything_of_what_was_sent(
    outside: Outside,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    capture = structlog.testing.LogCapture()
    access_log = "airflow.api_fastapi.common.http_access_log.logger"
    monkeypatch.setattr(access_log, structlog.wrap_logger(None, [capture], structlog.BoundLogger))  # silent in tests
    entries = capture.entries
    assert outside.qualy() == 202
    assert outside.qualy(OTHERS) == 401
    assert outside.qualy(f"{NEW}/more?key={NEW}") == 401
    assert outside.hubspot({"subscriptionType": "contact.creation", "objectId": 7, "propertyValue": EMAIL}) == 202
    assert outside.hubspot({"email": EMAIL}, secret=OTHERS) == 401
    access = [entry for entry in entries if entry["event"] == "request finished"]
    assert [entry["path"] for entry in access] == [f"{WEBHOOKS}/qualy/***"] * 3 + [f"{WEBHOOKS}/hubspot"] * 2
    assert {entry["query"] for entry in access} == {""}
    logged = [record.getMessage() for record in caplog.records if record.name != "httpx"]  # which is the sender's own
    everything = f"{entries}{logged}{''.join(capfd.readouterr())}"
    for word in (NEW, OLD, OTHERS, APP, EMAIL, "zoe"):
        assert word not in everything
