"""A burst of webhooks over real HTTP: none is lost, none is kept twice, and few runs are started for them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import count, take_out, waiting
from tests.airflow_home import ROOT
from tests.support.webhook_app import serving

SECRET = "s" * 40
AT_ONCE = 10  # connections of the sender


async def send(ids: list[str], *addresses: str) -> list[int]:
    """One POST for each, over a few connections to each address at once, as fast as they are answered."""
    statuses: list[int] = []
    left = iter(ids)

    async def sender(web: httpx.AsyncClient, address: str) -> None:
        for each in left:
            body = {"event": "contacts.update", "data": {"_id": each}}
            statuses.append((await web.post(f"{address}/qualy/{SECRET}", json=body)).status_code)

    async with httpx.AsyncClient(trust_env=False, timeout=60) as web:
        await asyncio.gather(*(sender(web, address) for address in addresses for _ in range(AT_ONCE)))
    return statuses


class Reader(threading.Thread):
    """The runs that are started: each begins when it is woken, and takes everything out that waits."""

    def __init__(self, ledger: Ledger, woken: list[str]) -> None:
        super().__init__()
        self.ledger, self.woken = ledger, woken
        self.runs = self.taken = 0
        self.read: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):  # a run takes its time to begin; what comes meanwhile is gathered
            if self.runs < len(self.woken):
                self.drain()
        self.drain()
        self.ledger.close()

    def drain(self) -> None:
        self.runs += 1
        while hints := waiting(self.ledger, "qualy", 2_000):
            with self.ledger.writing() as connection:
                take_out(connection, "qualy", hints)
            self.taken += 1
            self.read += [hint.id for hint in hints]


def environment_of(ledger: Ledger, folder: Path) -> dict[str, str]:
    """What points the application at a ledger."""
    settings = folder / "settings.yaml"
    settings.write_text("accounting: {tool: none}\nwebhooks: {qualy: {enabled: true}}\n")
    return {
        "QUALY_LEDGER_URL": ledger.url,
        "QUALY_SETTINGS": str(settings),
        "AIRFLOW_CONN_QUALY": json.dumps({"conn_type": "http", "extra": {"webhook_secret": SECRET}}),
    }


@pytest.mark.parametrize("many", [500, pytest.param(10_000, marks=pytest.mark.full)])
def test_a_burst_loses_nothing_and_wakes_few(any_ledger: Ledger, many: int, tmp_path: Path) -> None:
    environment = environment_of(any_ledger, tmp_path)
    ids = [f"c{number}" for number in range(many)]
    woken: list[str] = []
    reader = Reader(Ledger(any_ledger.url), woken)
    reader.start()
    try:
        with serving(environment, woken) as address:
            statuses = asyncio.run(send([*ids, *ids[: many // 10]], address))
    finally:
        reader.over.set()
        reader.join()
    assert set(statuses) == {202}
    assert set(reader.read) == set(ids)
    assert count(any_ledger, "qualy") == 0
    assert len(woken) <= reader.taken + 1, "an event for each time that a run had emptied it, at most"
    assert reader.runs < many / 20
    print(f"{len(statuses)} webhooks, {len(woken)} events, {reader.runs} runs")


def test_two_machines_take_webhooks_in_at_once(pg_url: str, tmp_path: Path) -> None:
    """Two servers in processes of their own, and two readers who take out what waits: nothing is lost or kept twice."""
    ledger = Ledger(pg_url)
    environment = os.environ | environment_of(ledger, tmp_path)
    words = [sys.executable, "-m", "tests.support.webhook_app"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen(words, cwd=ROOT, env=environment, **pipes) for _ in range(2)]
    ids = [f"c{number}" for number in range(300)]
    woken = ["at first"]
    readers = [Reader(Ledger(pg_url), woken) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        addresses = [server.stdout.readline().strip() for server in servers]
        statuses = asyncio.run(send([*ids, *ids[:50]], *addresses))
    finally:
        events = [json.loads(server.communicate()[0]) for server in servers]
        for reader in readers:
            reader.over.set()
            reader.join()
    assert statuses == [202] * 350
    assert {each for reader in readers for each in reader.read} == set(ids)
    assert count(ledger, "qualy") == 0
    assert all(len(sent) >= 1 for sent in events), "each server sends one with its first, in case the other's is lost"
    ledger.close()
