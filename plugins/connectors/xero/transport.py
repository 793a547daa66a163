"""Calls through Xero's SDK, with what it does behind one's back switched off.

The SDK builds addresses, queries and headers. Sending is done here, because the SDK would repeat a lost PUT three
times, sleep through a 429, follow redirects, re-write a body, ignore some time-outs, and put headers and bodies into
its exceptions. Here every answer comes back as it is, whatever its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import OpenApiException
from xero_python.identity import IdentityApi

from connectors.shared.answers import Heard
from connectors.shared.network import send_once, sendable
from connectors.xero.hosts import Addresses
from qualy_sync.contracts.errors import Refused

CONNECT_TIMEOUT = 5
_FAR = 4_102_444_800.0  # the year 2100: the SDK never finds the token old, so it never refreshes


class Transport:
    """One connection's calls. Not to be shared between threads."""

    def __init__(self, where: Addresses, read_timeout: int) -> None:
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token()  # after construction: its arguments are remembered process-wide
        client = ApiClient(configuration)
        pool = client.rest_client.pool_manager
        pool.connection_pool_kw["retries"] = False
        client.rest_client = _Wire(pool, read_timeout)
        client.oauth2_token_getter(self._token_of_sdk)
        self._apis = {
            "accounting": AccountingApi(client, base_url=where.api),
            "identity": IdentityApi(client, base_url=where.above_connections),
        }
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        self._token = ""

    def call(self, token: str, method: str, *, api: str = "accounting", **arguments: Any) -> Heard:
        """One request by the SDK's method of that name, sent once.

        Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came.
        """
        self._token = token
        function = getattr(self._apis[api], method)
        try:
            heard: Heard = function(**arguments, _preload_content=False, _request_timeout=self._timeout)
        except OpenApiException:
            raise Refused(f"The request could not be put together ({method}).") from None
        finally:
            self._token = ""
        return heard

    def _token_of_sdk(self) -> dict[str, Any]:
        return {
            "access_token": self._token,
            "expires_at": _FAR,
            "expires_in": 1800,
            "token_type": "Bearer",
            "scope": [],
        }


class _Wire:
    """Takes the place of the SDK's own REST client; it has the methods that are used."""

    def __init__(self, pool: urllib3.PoolManager, read_timeout: int) -> None:
        self.pool_manager = pool
        self._patience = CONNECT_TIMEOUT + read_timeout

    def GET(
        self,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int] = (CONNECT_TIMEOUT, 45),
    ) -> Heard:
        return self._send("GET", url, query_params, headers, None, _request_timeout)

    def POST(
        self,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        post_params: object = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int] = (CONNECT_TIMEOUT, 45),
    ) -> Heard:
        return self._send("POST", url, query_params, headers, body, _request_timeout)

    def PUT(
        self,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        post_params: object = None,
        _preload_content: bool = False,
        _request_timeout: tuple[int, int] = (CONNECT_TIMEOUT, 45),
    ) -> Heard:
        return self._send("PUT", url, query_params, headers, body, _request_timeout)

    def _send(
        self,
        method: str,
        url: str,
        query: Sequence[tuple[str, Any]] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        timeout: tuple[int, int],
    ) -> Heard:
        asked = f"{method} {urlsplit(url).path}"
        full = f"{url}?{urlencode(query)}" if query else url
        if not sendable(headers or {}):
            raise Refused(f"A token or key holds characters that cannot be sent ({asked}). Connect again.")
        return send_once(self.pool_manager, "Xero", asked, (method, full), body, headers or {}, timeout, self._patience)
