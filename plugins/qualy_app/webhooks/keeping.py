"""Keeping what came, before it is answered: many deliveries in one transaction, and one event for all of them.

While one transaction is at work, what comes in the meantime is gathered for the next: a burst costs few of them. An
event is sent when the inbox turns from empty to non-empty. Were that one lost, the next webhook after `AGAIN_AFTER`
sends another; and the DAG's own clock comes in any case.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import anyio.to_thread

from qualy_sync.ledger import Ledger
from qualy_sync.ledger.inbox import Hint, keep

from .doors import Refused
from .events import announce

AGAIN_AFTER = 60.0  # seconds
FULL = 503

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    hints: list[Hint]
    most: int
    kept: asyncio.Future[None]


class Keeper:
    """One for each process of the web server; opens the ledger when the first webhook comes."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        announce: Callable[[str], bool] = announce,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._now = now
        self._announce = announce
        self._ledger: Ledger | None = None
        self._waiting: dict[str, list[_Waiting]] = {}
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._announced: dict[str, float] = {}

    async def keep(self, tool: str, hints: list[Hint], most: int) -> None:
        """Returns once the hints are committed. Raises Refused(503) where they are not: the inbox is full, or away."""
        if not hints:
            return
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tool, []).append(_Waiting(hints, most, kept))
        if tool not in self._at_work:
            self._at_work[tool] = asyncio.create_task(self._work(tool))
        await kept

    async def _work(self, tool: str) -> None:
        try:
            while batch := self._waiting.pop(tool, None):
                await self._keep(tool, batch)
        finally:
            del self._at_work[tool]

    async def _keep(self, tool: str, batch: list[_Waiting]) -> None:
        most = min(one.most for one in batch)
        try:
            commit = partial(keep, self._opened(), tool, [one.hints for one in batch], most)
            kept = await anyio.to_thread.run_sync(commit)
        except Exception as error:
            log.error("Webhooks of %s could not be kept (%s); they are refused.", tool, type(error).__name__)
            _tell(batch, range(len(batch)))
            return
        _tell(batch, kept.refused)
        if kept.refused:
            log.warning("The inbox of %s is full: %d webhooks are refused.", tool, len(kept.refused))
        if kept.turned or self._now() - self._announced.get(tool, -math.inf) > AGAIN_AFTER:
            await self._wake(tool)

    async def _wake(self, tool: str) -> None:
        try:
            woken = await anyio.to_thread.run_sync(self._announce, tool)
        except Exception as error:
            log.warning("No event could be sent for webhooks of %s (%s).", tool, type(error).__name__)
            woken = False
        if woken:
            self._announced[tool] = self._now()

    def _opened(self) -> Ledger:
        from ..desk import Desk

        wanted = Desk(self._environment)
        if self._ledger is None or self._ledger.url != wanted.environment.get("QUALY_LEDGER_URL"):
            self._ledger = wanted.ledger
        return self._ledger


def _tell(batch: list[_Waiting], refused: range | frozenset[int]) -> None:
    for place, one in enumerate(batch):
        if one.kept.done():  # whoever waited has gone away
            continue
        if place in refused:
            one.kept.set_exception(Refused(FULL))
        else:
            one.kept.set_result(None)
