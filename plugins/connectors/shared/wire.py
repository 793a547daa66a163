"""The REST client of an SDK that OpenAPI generated, replaced by one that sends once and hides nothing.

Such SDKs build addresses, queries and headers well; their own client would repeat calls, re-write bodies, and put
headers and bodies into its exceptions. Here every answer comes back as it is, whatever its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from connectors.shared.answers import Heard
from connectors.shared.network import send_once, sendable
from qualy_sync.contracts.errors import Refused

CONNECT_TIMEOUT = 5  # seconds


class Wire:
    """Has the methods of the SDK's client that are used. `read_timeout` in seconds, of the longest call.

    Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came, Refused for a token
    that cannot be put into a header.
    """

    def __init__(self, pool: urllib3.PoolManager, service: str, read_timeout: int) -> None:
        self.pool_manager = pool
        self._service = service
        self._patience = CONNECT_TIMEOUT + read_timeout

    def GET(self, url: str, **given: Any) -> Heard:
        return self._send("GET", url, **given)

    def POST(self, url: str, **given: Any) -> Heard:
        return self._send("POST", url, **given)

    def PUT(self, url: str, **given: Any) -> Heard:
        return self._send("PUT", url, **given)

    def _send(
        self,
        method: str,
        url: str,
        *,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        post_params: Sequence[tuple[str, Any]] | None = None,
        body: bytes | None = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int],
    ) -> Heard:
        asked = f"{method} {urlsplit(url).path}"
        full = f"{url}?{urlencode(query_params)}" if query_params else url
        if not sendable(headers or {}):
            raise Refused(f"A token or key holds characters that cannot be sent ({asked}). Connect again.")
        content = urlencode(post_params).encode() if post_params else body
        request = (method, full)
        return send_once(
            self.pool_manager, self._service, asked, request, content, headers or {}, _request_timeout, self._patience
        )
