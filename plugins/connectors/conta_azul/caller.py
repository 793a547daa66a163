"""Calls with a token: reads that are understood or raise, and the quota as the answers tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.conta_azul.classify import read_content, refusal
from connectors.conta_azul.fields import Row, objects, wall_time
from connectors.conta_azul.pages import PAGE_SIZE, Page, whole
from connectors.conta_azul.transport import Request, Transport
from connectors.shared.answers import Heard, says_stand_in
from qualy_sync.contracts.accounting import EachAnswer, Quota, TokenSource, unwatched
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, ToolError, WrongShape

LONGEST_WINDOW = timedelta(days=364)  # 365 are allowed, both ends counted or not
AHEAD = timedelta(days=1)  # a window ends so much later than our clock: theirs may be ahead
_ROWS = ("itens", "items")
_TOTALS = ("itens_totais", "totalItems")

Query = Sequence[tuple[str, str]]


class Caller:
    """One connection. `stand_in` is None until the first answer."""

    def __init__(self, tokens: TokenSource, clock: Clock, transport: Transport, quota: Quota) -> None:
        self.stand_in: bool | None = None
        self.quota = quota
        self._tokens = tokens
        self._clock = clock
        self._transport = transport
        self._turned_away = 0  # how often in a row

    @property
    def _before(self) -> int:
        """How often in a row it asked to wait before the last answer."""
        return max(0, self._turned_away - 1)

    def now(self) -> datetime:
        return self._clock.now()

    def read(self, path: str, query: Query = ()) -> Any:
        """The JSON at a path. Raises contracts.errors."""
        return read_content(self.ask(path, query), f"GET {path}", self._clock.now(), self._before)

    def ask(self, path: str, query: Query = ()) -> Heard:
        """One read; a token that is refused is replaced once."""
        token = self._tokens.access_token()
        request = Request("GET", path, query)
        heard = self._heard(self._transport.call(token, request))
        if heard.status == 401:
            self._tokens.refused(token)
            heard = self._heard(self._transport.call(self._tokens.access_token(), request))
        return heard

    def one(self, path: str) -> Row | None:
        """One record; None where there is none: 404, with a body or without. A gateway's 404 raises."""
        heard = self.ask(path)
        if heard.status == 404 and refusal(heard, path, self._clock.now()) is None:
            return None
        found = read_content(heard, f"GET {path}", self._clock.now(), self._before)
        if not isinstance(found, dict):
            raise WrongShape(f"Conta Azul answered GET {path} with something that is no record.")
        return found

    def listed(self, path: str, query: Query, each_answer: EachAnswer = unwatched) -> list[Row]:
        """A whole list, each row once."""

        def fetch(number: int) -> Page:
            paged = [*query, ("pagina", str(number)), ("tamanho_pagina", str(PAGE_SIZE))]
            found = self.read(path, paged)
            each_answer()
            if not isinstance(found, dict) or not any(name in found for name in _ROWS):
                raise WrongShape(f"Conta Azul answered GET {path} without a list.")
            rows = next((found[name] for name in _ROWS if found.get(name) is not None), None)
            total = next((found[name] for name in _TOTALS if isinstance(found.get(name), int)), None)
            return Page(objects(rows, "items"), total)

        return whole(fetch)

    def windows(self, since: datetime | None) -> Iterator[list[tuple[str, str]]]:
        """Filters on the last change from a moment on; none at all where everything is wanted."""
        if since is None:
            yield []
            return
        end = self._clock.now() + AHEAD
        start = min(since, end)
        while start < end:
            stop = min(start + LONGEST_WINDOW, end)
            yield [("data_alteracao_de", wall_time(start)), ("data_alteracao_ate", wall_time(stop))]
            start = stop

    # -- writing

    def write(self, wanted: Sequence[Request]) -> list[Heard | ToolError]:
        """What became of each. Those with a refused token go once more with a fresh one. Raises where none may go."""
        until = self._transport.deadline()
        token = self._tokens.access_token()
        found = self._transport.at_once(token, wanted, until)
        again = [place for place, one in enumerate(found) if isinstance(one, Heard) and one.status == 401]
        if again:
            self._tokens.refused(token)
            try:
                fresh: list[Heard | ToolError] = list(
                    self._transport.at_once(self._tokens.access_token(), [wanted[place] for place in again], until)
                )
            except ToolError as error:  # of the token, not of what was to be written: that was refused
                fresh = [_as_refusal(error) for _ in again]
            for place, one in zip(again, fresh, strict=True):
                found[place] = one
        return [self._heard(one) if isinstance(one, Heard) else one for one in found]

    def refusal(self, heard: Heard, asked: str) -> ToolError | None:
        """See `classify.refusal`."""
        return refusal(heard, asked, self._clock.now(), self._before)

    def _heard(self, heard: Heard) -> Heard:
        self.quota.calls += 1
        told = refusal(heard, "", self._clock.now(), self._turned_away) if heard.status == 429 else None
        self.quota.wait_until = told.until if isinstance(told, OutOfQuota) else None
        self._turned_away = self._turned_away + 1 if heard.status == 429 else 0
        self.stand_in = says_stand_in(heard, self.stand_in)
        return heard


def _as_refusal(error: ToolError) -> ToolError:
    """A renewal whose answer was lost says nothing of the write that it was for: that one was refused before."""
    return error if not isinstance(error, AnswerLost) else Reconnect(error.message)
