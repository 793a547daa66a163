"""A burst of webhooks over real HTTP: none is lost, none is kept twice, and few runs are started for them."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import httpx
import pytest

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import count, take_out, waiting
from tests.support.webhook_app import serving

SECRET = "s" * 40
AT_ONCE = 10  # connections of the sender


async def send(address: str, ids: list[str]) -> list[int]:
    """One POST for each, over a few connections at once, as fast as they are answered."""
    statuses: list[int] = []
    left = iter(ids)

    async def sender(web: httpx.AsyncClient) -> None:
        for each in left:
            body = {"event": "contacts.update", "data": {"_id": each}}
            statuses.append((await web.post(f"{address}/qualy/{SECRET}", json=body)).status_code)

    async with httpx.AsyncClient(trust_env=False, timeout=60) as web:
        await asyncio.gather(*(sender(web) for _ in range(AT_ONCE)))
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


@pytest.mark.parametrize("many", [500, pytest.param(10_000, marks=pytest.mark.full)])
def test_a_burst_loses_nothing_and_wakes_few(any_ledger: Ledger, many: int, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("accounting: {tool: none}\nwebhooks: {qualy: {enabled: true}}\n")
    environment = {
        "QUALY_LEDGER_URL": any_ledger.url,
        "QUALY_SETTINGS": str(settings),
        "AIRFLOW_CONN_QUALY": json.dumps({"conn_type": "http", "extra": {"webhook_secret": SECRET}}),
    }
    ids = [f"c{number}" for number in range(many)]
    woken: list[str] = []
    reader = Reader(Ledger(any_ledger.url), woken)
    reader.start()
    try:
        with serving(environment, woken) as address:
            statuses = asyncio.run(send(address, [*ids, *ids[: many // 10]]))
    finally:
        reader.over.set()
        reader.join()
    assert set(statuses) == {202}
    assert set(reader.read) == set(ids)
    assert count(any_ledger, "qualy") == 0
    assert len(woken) <= reader.taken + 1, "an event for each time that a run had emptied it, at most"
    assert reader.runs < many / 20
    print(f"{len(statuses)} webhooks, {len(woken)} events, {reader.runs} runs")
