"""Calls through python-quickbooks, with what it does behind one's back switched off.

The SDK builds addresses, headers and queries. Sending is done here, because the SDK's own session has no time-outs,
refreshes tokens by itself, loses status and headers of what it refuses, and puts whole answers into its exceptions.
Here every answer comes back as it is, whatever its status, and no exception of the SDK's leaves this module.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from quickbooks import QuickBooks
from quickbooks.exceptions import QuickbooksException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from connectors.quickbooks.classify import Heard
from connectors.quickbooks.hosts import Addresses
from qualy_sync.contracts.errors import AnswerLost, Refused, Unreachable

MINOR_VERSION = 75
CONNECT_TIMEOUT = 5
_CHUNK = 65_536


class Transport:
    """One connection's calls. Not to be shared between threads."""

    def __init__(self, where: Addresses, realm: str, read_timeout: int) -> None:
        self._wire = _Wire(read_timeout)
        client = QuickBooks(company_id=realm, minorversion=MINOR_VERSION, use_decimal=True)
        client.sandbox = False  # the address decides, not the environment of an AuthClient
        client.api_url_v3 = where.versioned
        client.session = self._wire
        self._client = client

    def query(self, token: str, statement: str) -> Heard:
        """One statement of the query language."""
        return self._call(token, lambda: self._client.query(statement))

    def batch(self, token: str, body: bytes) -> Heard:
        """One batch, byte for byte."""
        return self._call(token, lambda: self._client.batch_operation(body))

    def changes(self, token: str, kinds: str, since: str) -> Heard:
        """Change data capture of some kinds, named with commas, since a time with its offset."""
        return self._call(token, lambda: self._client.change_data_capture(kinds, since))

    def one(self, token: str, kind: str, remote_id: str) -> Heard:
        """One record by its id, also one that queries do not show."""
        return self._call(token, lambda: self._client.get_single_object(kind, remote_id))

    def _call(self, token: str, function: Callable[[], object]) -> Heard:
        """One request, sent once.

        Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came.
        """
        self._wire.access_token, self._wire.heard = token, None
        try:
            function()
        except (QuickbooksException, ValueError, TypeError, KeyError, IndexError):
            pass  # the answer itself says more than what the SDK makes of it
        finally:
            self._wire.access_token = ""
        if self._wire.heard is None:
            raise Refused("The request to QuickBooks could not be put together.")
        return self._wire.heard


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the SDK looks at in an answer."""

    status_code: int
    text: str


class _Wire:
    """Takes the place of the SDK's session: it has the attribute and the method that are used."""

    def __init__(self, read_timeout: int) -> None:
        self.access_token = ""
        self.heard: Heard | None = None
        self._pool = urllib3.PoolManager(retries=False)
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=read_timeout)
        self._patience = CONNECT_TIMEOUT + read_timeout

    def request(
        self, method: str, url: str, headers: Mapping[str, str], params: Mapping[str, Any], data: Any
    ) -> _Answer:
        asked = f"{method} {urlsplit(url).path.rpartition('/')[2]}"
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Refused(f"A token holds characters that cannot be sent ({asked}). Connect again.")
        self.heard = self._send(method, f"{url}?{urlencode(params)}", headers, data or None, asked)
        return _Answer(self.heard.status, self.heard.body.decode("utf-8", "replace"))

    def _send(self, method: str, url: str, headers: Mapping[str, str], data: Any, asked: str) -> Heard:
        try:
            response = self._pool.request(
                method,
                url,
                body=data.encode() if isinstance(data, str) else data,
                headers=dict(headers),
                timeout=self._timeout,
                preload_content=False,
                redirect=False,
                retries=False,
            )
            try:
                content = self._whole(response)
            finally:
                response.close()
                response.release_conn()
        except (NewConnectionError, ConnectTimeoutError):
            raise Unreachable(
                f"No connection to QuickBooks ({asked}). Check network and address, and try again."
            ) from None
        except SSLError as error:
            if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
                raise Unreachable(f"QuickBooks' certificate could not be verified ({asked}).") from None
            raise AnswerLost(f"QuickBooks' answer did not arrive ({asked}).") from None
        except (HTTPError, http.client.HTTPException, OSError):
            raise AnswerLost(f"QuickBooks' answer did not arrive ({asked}).") from None
        return Heard(response.status, {name.lower(): value for name, value in response.headers.items()}, content)

    def _whole(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """The whole body, within a time that no trickle of single bytes can stretch."""
        end = time.monotonic() + self._patience
        chunks: list[bytes] = []
        for chunk in response.stream(_CHUNK):
            chunks.append(chunk)
            if time.monotonic() > end:
                raise OSError("too slow")
        return b"".join(chunks)
