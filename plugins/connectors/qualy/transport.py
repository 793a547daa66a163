"""One GET at a time: pace, headers, repeated tries, and errors in words.

Reads are tried five times at most where Qualy may answer better later. Messages name the path only: a query may hold
personal data, and so may a body.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
import tenacity

from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import OutOfQuota, Reconnect, Refused, ToolError, Unreachable, WrongShape

from .access import Access
from .filters import Pairs
from .reading import Reading
from .shapes import read_json

TRIES = 5
LONGEST_WAIT = 60.0  # seconds; whoever asks for more is asked again by a later run
SAYS_STAND_IN = "X-Sandbox"
_DOWN = frozenset({408, 500, 502, 503, 504})


class _Again(Exception):
    """A try that failed and may go better: the error if it was the last, and how long Qualy asked to wait."""

    def __init__(self, error: ToolError, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


class _Pace:
    """Keeps requests apart; after Qualy asked to slow down, twice as far as before (up to eight times)."""

    def __init__(self, requests_per_second: Decimal) -> None:
        self._apart = 1 / float(requests_per_second) if requests_per_second else 0.0
        self._most = self._apart * 8
        self._next = 0.0

    def wait(self) -> None:
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._apart

    def slow_down(self) -> None:
        self._apart = min(self._apart * 2, self._most)


class Transport:
    """Gets JSON from Qualy. `stand_in` is None until the first answer."""

    def __init__(self, access: Access, session: requests.Session, reading: Reading, clock: Clock | None) -> None:
        session.trust_env = False  # no proxy and no .netrc of this machine's gets to see the key
        self.access = access
        self.stand_in: bool | None = None
        self._session = session
        self._timeout = (reading.connect_timeout, reading.read_timeout)
        self._pace = _Pace(reading.requests_per_second)
        self._backoff = tenacity.wait_exponential_jitter(reading.first_wait, LONGEST_WAIT, jitter=reading.first_wait)
        self._now: Callable[[], datetime] = clock.now if clock else lambda: datetime.now(UTC)

    def get(self, path: str, query: Pairs | None = None) -> Any:
        """The JSON document at `path`; None where Qualy answers 404. Raises every kind of ToolError but AnswerLost."""
        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES),
            retry=tenacity.retry_if_exception_type(_Again),
            wait=self._wait,
            reraise=True,
        )
        try:
            return tries(self._once, path, query or [])
        except _Again as again:
            raise again.error from None

    def send(self, verb: str, path: str, body: bytes) -> requests.Response:
        """One call with a body, sent once, whatever comes of it. Raises what `requests` raises."""
        self._pace.wait()
        answer = self._session.request(
            verb,
            self.access.url + path,
            data=body,
            headers={**self.access.headers, "Content-Type": "application/json"},
            timeout=self._timeout,
            allow_redirects=False,
        )
        if self.stand_in is None:
            self.stand_in = SAYS_STAND_IN in answer.headers
        return answer

    def refused(self, answer: requests.Response, asked: str) -> ToolError:
        """The error of an answer that refuses a call before anything was done."""
        found = self._refusal(answer, asked)
        return found.error if isinstance(found, _Again) else found

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _Again) else None
        return asked if asked is not None else self._backoff(state)

    def _once(self, path: str, query: Pairs) -> Any:
        self._pace.wait()
        try:
            answer = self._session.get(
                self.access.url + path,
                params=query,
                headers=self.access.headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            # The text of these errors holds the address with its query.
            why = "did not answer in time" if isinstance(error, requests.Timeout) else "could not be reached"
            raise _Again(Unreachable(f"Qualy {why} (GET {path}). The next run tries again.")) from None
        if self.stand_in is None:
            self.stand_in = SAYS_STAND_IN in answer.headers
        if answer.ok and answer.status_code < 300:
            return self._read(answer, path)
        if answer.status_code == 404:
            return None
        raise self._refusal(answer, f"GET {path}")

    def _read(self, answer: requests.Response, path: str) -> Any:
        try:
            return read_json(answer.content)
        except ValueError:
            message = f"Qualy's answer to GET {path} is not readable as JSON, {TRIES} times in a row."
            raise _Again(WrongShape(message + " Nothing was concluded from it.")) from None

    def _refusal(self, answer: requests.Response, asked: str) -> ToolError | _Again:
        status = answer.status_code
        if status == 429:
            return self._out_of_quota(answer, asked)
        if status in _DOWN:
            error = Unreachable(f"Qualy is in trouble: it answered {status} to {asked}. The next run tries again.")
            wait = _seconds(answer)
            return _Again(error, wait if wait is None else min(wait, LONGEST_WAIT))
        if status == 401:
            return Reconnect(
                "Qualy does not accept the API key for this tenant. Make a key on Qualy's page Settings, API keys, and"
                " put it and the tenant id into the qualy connection."
            )
        if status == 403:
            return Refused(f"The API key's user may not do this in Qualy ({asked}). It needs {_roles(answer)}.")
        if 300 <= status < 400:
            return Refused(f"Qualy redirects {asked} elsewhere; it is not followed. Correct the connection's address.")
        return Refused(f"Qualy refused {asked} with status {status}. Compare the path and page_size in the settings.")

    def _out_of_quota(self, answer: requests.Response, asked: str) -> OutOfQuota | _Again:
        self._pace.slow_down()
        wait = _seconds(answer)
        until = self._now() + timedelta(seconds=LONGEST_WAIT if wait is None else wait)
        error = OutOfQuota(f"Qualy asks to slow down ({asked}); it can be asked again later.", "request", until)
        return error if wait is not None and wait > LONGEST_WAIT else _Again(error, wait)


def _seconds(answer: requests.Response) -> float | None:
    """`Retry-After` in seconds (Qualy: "Rate limits")."""
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _roles(answer: requests.Response) -> str:
    """The roles that Qualy says would be enough (Qualy: "Errors": 403 carries `data.roles`)."""
    try:
        body = read_json(answer.content)
    except ValueError:
        body = None
    data = body.get("data") if isinstance(body, dict) else None
    roles = data.get("roles") if isinstance(data, dict) else None
    known = [role for role in roles if isinstance(role, str) and len(role) <= 100] if isinstance(roles, list) else []
    return f"one of the roles {', '.join(known)}" if known else "a role that may (Qualy named none)"
