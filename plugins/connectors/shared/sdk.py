"""The REST client of a generated SDK, replaced by one that sends once and gives the answer back as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from connectors.shared.answers import Heard
from connectors.shared.network import send_once, sendable
from qualy_sync.contracts.errors import Refused

CONNECT_TIMEOUT = 5

Query = Sequence[tuple[str, Any]]


class Wire:
    """Takes the place of the SDK's `rest_client`: it has the methods that are used, with the SDK's own arguments.

    The SDKs' clients repeat lost calls, sleep through a 429, follow redirects, ignore some time-outs, and put headers
    and bodies into exceptions.
    """

    def __init__(self, service: str, pool: urllib3.PoolManager, read_timeout: int) -> None:
        """`service` names it to a person. The whole body may take as long as connecting and reading together."""
        self.pool_manager = pool
        self._service = service
        self._patience = CONNECT_TIMEOUT + read_timeout
        self._timeout = (CONNECT_TIMEOUT, read_timeout)

    def GET(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        query_params: Query | None = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int] | None = None,
    ) -> Heard:
        return self._send("GET", url, query_params, headers, None, _request_timeout)

    def POST(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        query_params: Query | None = None,
        post_params: Query | None = None,
        body: bytes | None = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int] | None = None,
    ) -> Heard:
        content = urlencode(post_params).encode() if post_params else body
        return self._send("POST", url, query_params, headers, content, _request_timeout)

    def PUT(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        query_params: Query | None = None,
        post_params: Query | None = None,
        body: bytes | None = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int] | None = None,
    ) -> Heard:
        return self._send("PUT", url, query_params, headers, body, _request_timeout)

    def _send(
        self,
        method: str,
        url: str,
        query: Query | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        timeout: tuple[int, int] | None,
    ) -> Heard:
        """Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came, Refused."""
        asked = f"{method} {urlsplit(url).path}"
        full = f"{url}?{urlencode(query)}" if query else url
        if not sendable(headers or {}):
            raise Refused(
                f"A token or key holds characters that cannot be sent ({asked}). Correct the {self._service}"
                " connection, or connect again."
            )
        request, waits = (method, full), timeout or self._timeout
        return send_once(self.pool_manager, self._service, asked, request, body, headers or {}, waits, self._patience)
