"""Calls and their answers as they went over the wire, held against a vendor's own description while they happen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx


@dataclass(frozen=True, slots=True)
class Seen:
    """One call below a service's address, and its answer; bodies as JSON, None where there is none (or a form)."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    answer: Any


class Recorded:
    """Every call below `base`, and what is wrong with it; `problems` says what one does not keep to.

    `described` says of a path whether there is anything to keep to.
    """

    def __init__(
        self, base: str, problems: Callable[[Seen], list[str]], described: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._base = base
        self._described = described
        self._problems = problems
        self.seen: list[Seen] = []
        self.problems: list[str] = []

    @property
    def statuses(self) -> list[int]:
        """What each call was answered with."""
        return [one.status for one in self.seen]

    def hear(self, method: str, url: str, sent: bytes, kind: str, status: int, answer: bytes) -> None:
        """Takes one call, its address with the query and the content type of what was sent, and its answer."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(self._base)
        if path == parts.path or not self._described(path):
            return
        body = json.loads(sent) if sent and "form-urlencoded" not in kind else None
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        seen = Seen(method, path, query, body, status, json.loads(answer) if answer else None)
        self.seen.append(seen)
        self.problems += self._problems(seen)

    @contextmanager
    def of_client(self, client: httpx.Client) -> Iterator[Recorded]:
        """Hears what a client of httpx sends."""

        def heard(response: httpx.Response) -> None:
            request = response.request
            kind = request.headers.get("content-type", "")
            url, content = str(request.url), response.read()
            self.hear(request.method, url, request.content, kind, response.status_code, content)

        client.event_hooks["response"].append(heard)
        yield self
        client.event_hooks["response"].remove(heard)
