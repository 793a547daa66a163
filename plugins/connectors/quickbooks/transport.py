"""Calls through python-quickbooks, with what it does behind one's back switched off.

The SDK builds addresses, headers and queries. Sending is done here, because the SDK's own session has no time-outs,
refreshes tokens by itself, loses status and headers of what it refuses, and puts whole answers into its exceptions.
Here every answer comes back as it is, whatever its status, and no exception of the SDK's leaves this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from quickbooks import QuickBooks
from quickbooks.exceptions import QuickbooksException

from connectors.quickbooks.hosts import Addresses
from connectors.shared.answers import Heard
from connectors.shared.network import send_once, sendable
from qualy_sync.contracts.errors import Refused

MINOR_VERSION = 75
CONNECT_TIMEOUT = 5


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
        self._timeout = (CONNECT_TIMEOUT, read_timeout)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], params: Mapping[str, Any], data: Any
    ) -> _Answer:
        asked = f"{method} {urlsplit(url).path.rpartition('/')[2]}"
        if not sendable(headers):
            raise Refused(f"A token holds characters that cannot be sent ({asked}). Connect again.")
        content = data or None
        self.heard = send_once(
            self._pool,
            "QuickBooks",
            asked,
            (method, f"{url}?{urlencode(params)}"),
            content.encode() if isinstance(content, str) else content,
            headers,
            self._timeout,
            self._timeout[0] + self._timeout[1],
        )
        return _Answer(self.heard.status, self.heard.body.decode("utf-8", "replace"))
