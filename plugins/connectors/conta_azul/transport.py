"""Single HTTP calls to Conta Azul, through the session that the wiring opened: pace, time-outs, and whole answers.

Nothing is repeated, no redirect is followed, and no text of an error holds a query, a header or a body.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy

import requests

from connectors.conta_azul.access import Access
from connectors.shared.answers import Heard
from connectors.shared.network import sendable, unsent
from qualy_sync.contracts.errors import AnswerLost, ToolError, Unreachable

CONNECT_TIMEOUT = 5
IN_FLIGHT = 3  # four were seen to draw lasting refusals
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `path` begins with `/v1`."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = field(default=None, repr=False)


class Pace:
    """Keeps the starts of calls apart, whichever thread makes them."""

    def __init__(self, calls_per_second: Decimal) -> None:
        self._apart = 1 / float(calls_per_second)
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            start = max(time.monotonic(), self._next)
            self._next = start + self._apart
        time.sleep(max(0.0, start - time.monotonic()))


class Transport:
    """One connection's calls. `at_once` is the only thing that makes several at a time."""

    def __init__(self, at: Access, session: requests.Session, read_timeout: int) -> None:
        session.trust_env = False  # no proxy and no .netrc of this machine's gets to see the token
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._api = at.api
        self._session = session
        self._read_timeout = read_timeout
        self._pace = Pace(at.calls_per_second)

    def call(self, token: str, request: Request, until: float | None = None) -> Heard:
        """Sends once. Raises Unreachable where nothing was sent, AnswerLost where it was and no whole answer came.

        `until` (of `time.monotonic`) is when the answer has to be whole.
        """
        self._pace.wait()
        end = until if until is not None else time.monotonic() + self._read_timeout
        asked = f"{request.method} {request.path}"
        left = end - time.monotonic()
        if left <= 0:
            raise Unreachable(f"There was no time left to send {asked}; it goes later.")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if not sendable(headers):
            raise Unreachable(f"The token holds characters that cannot be sent ({asked}). Connect again.")
        try:
            answer = self._session.request(
                request.method,
                self._api + request.path,
                params=list(request.query),
                data=request.body,
                headers=headers,
                timeout=(min(CONNECT_TIMEOUT, left), left),
                allow_redirects=False,
                stream=True,
            )
            with answer:
                body = _whole(answer, end)
        except (requests.RequestException, OSError, ValueError) as error:
            raise _told(error, asked) from None
        return Heard(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body)

    def at_once(self, token: str, wanted: Sequence[Request], until: float) -> list[Heard | ToolError]:
        """Several calls, at most three in flight; what became of each."""

        def one(request: Request) -> Heard | ToolError:
            try:
                return self.call(token, request, until)
            except ToolError as error:
                return error

        if len(wanted) == 1:
            return [one(wanted[0])]
        with ThreadPoolExecutor(max_workers=IN_FLIGHT) as threads:
            return list(threads.map(one, wanted))

    def deadline(self) -> float:
        """When whatever begins now has to have ended."""
        return time.monotonic() + self._read_timeout


def _whole(answer: requests.Response, end: float) -> bytes:
    """The whole body, within a time that no trickle of single bytes can stretch."""
    chunks: list[bytes] = []
    for chunk in answer.iter_content(_CHUNK):
        chunks.append(chunk)
        if time.monotonic() > end:
            raise OSError("too slow")
    return b"".join(chunks)


def _told(error: Exception, asked: str) -> ToolError:
    """The text of these errors holds addresses with their queries, so that it is left behind."""
    why = unsent(error)
    if why == "certificate":
        return Unreachable(f"No secure connection to Conta Azul ({asked}): its certificate could not be verified.")
    if why == "connection" or isinstance(error, requests.exceptions.InvalidURL):
        return Unreachable(f"No connection to Conta Azul ({asked}). Check network and address, and try again.")
    return AnswerLost(f"Conta Azul's answer did not arrive ({asked}).")
