"""Calls through Xero's SDK, with what it does behind one's back switched off.

The SDK builds addresses, queries and headers. Sending is done here, because the SDK would repeat a lost PUT three
times, sleep through a 429, follow redirects, re-write a body, ignore some time-outs, and put headers and bodies into
its exceptions. Here every answer comes back as it is, whatever its status.
"""

from __future__ import annotations

from typing import Any

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import OpenApiException
from xero_python.identity import IdentityApi

from connectors.shared.answers import Heard
from connectors.shared.wire import CONNECT_TIMEOUT, Wire
from connectors.xero.hosts import Addresses
from qualy_sync.contracts.errors import Refused

_FAR = 4_102_444_800.0  # the year 2100: the SDK never finds the token old, so it never refreshes


class Transport:
    """One connection's calls. Not to be shared between threads."""

    def __init__(self, where: Addresses, read_timeout: int) -> None:
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token()  # after construction: its arguments are remembered process-wide
        client = ApiClient(configuration)
        pool = client.rest_client.pool_manager
        pool.connection_pool_kw["retries"] = False
        client.rest_client = Wire(pool, "Xero", read_timeout)
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
