"""Calls to Mailchimp over one connection, one at a time: far below the ten that a user may have open over all apps.

Reads are tried again where Mailchimp may answer better soon. Nothing here repeats a write by itself. What is logged or
raised names a path without its end: a member's key is a hash of an address.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import tenacity

from connectors.shared.network import unsent
from qualy_sync.contracts.accounting import Quota
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import (
    AnswerLost,
    OutOfQuota,
    Refused,
    ToolError,
    Unreachable,
    WrongShape,
)

from .access import LOCAL, Access
from .classify import Heard, refusal

CONNECT_TIMEOUT = 5
TRIES = 4
FIRST_WAIT = 0.3
MOST_RESULTS = 256 * 1024 * 1024  # bytes of the answers to one batch, packed
SAYS_STAND_IN = "X-Sandbox"
_MEMBER = re.compile(r"(/members)/[^/?]+")
_RESULT_HOSTS = (".amazonaws.com", ".mailchimp.com")


@dataclass(frozen=True, slots=True)
class Lost:
    """A write that was sent, perhaps, and not answered."""

    why: str


class Transport:
    """One account. `stand_in` is None until the first answer."""

    def __init__(
        self,
        access: Access,
        session: requests.Session,
        clock: Clock,
        read_timeout: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        session.trust_env = False  # no proxy and no .netrc of this machine's: requests would replace the token by it
        self.access = access
        self.stand_in: bool | None = None
        self.quota = Quota()
        self.clock = clock
        self._session = session
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        self._sleep = sleep

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, object] | None:
        """The object at `path`; None where Mailchimp answers 404. Raises `contracts.errors`."""
        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES),
            retry=tenacity.retry_if_exception_type((Unreachable, OutOfQuota, AnswerLost)),
            wait=tenacity.wait_exponential_jitter(FIRST_WAIT, 8, jitter=FIRST_WAIT),
            sleep=self._sleep,
            reraise=True,
        )
        return tries(self._get, path, query or {})

    def write(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Heard | Lost | ToolError:
        """One write, sent once: its answer, that there is none, or the error by which nothing was done."""
        asked = shown(method, path)
        try:
            answer = self._request(method, path, query, body)
        except (requests.RequestException, OSError) as error:
            why = unsent(error)
            if why == "certificate":
                return Refused(f"Mailchimp's certificate is not accepted ({asked}); nothing was sent.")
            if why == "connection":
                return Unreachable(f"Mailchimp could not be reached ({asked}). The next run tries again.")
            return Lost(f"no answer ({asked})")
        heard = Heard(answer.status_code, answer.content)
        refused = refusal(heard, asked, self.clock.now())
        if refused is not None and not isinstance(refused, Unreachable):
            return refused
        if heard.status >= 500:
            return Lost(f"Mailchimp answered {heard.status} ({asked})")
        return heard

    def download(self, url: str) -> bytes:
        """The results of a batch, from where Mailchimp says they are, without our key. Raises `contracts.errors`."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if self.access.local:
            allowed = host in LOCAL and parts.scheme in {"http", "https"}
        else:
            allowed = parts.scheme == "https" and host.endswith(_RESULT_HOSTS)
        if not allowed:
            raise WrongShape("Mailchimp names a place for a batch's results that is not its own.")
        self.quota.calls += 1
        try:
            answer = self._session.get(url, timeout=self._timeout, allow_redirects=False, stream=True)
            with answer:
                if answer.status_code != 200:
                    raise AnswerLost("A batch's results could not be fetched; they are asked for again.")
                found = bytearray()
                for part in answer.iter_content(65_536):
                    found += part
                    if len(found) > MOST_RESULTS:
                        raise WrongShape("A batch's results are larger than any of ours can be.")
        except (requests.RequestException, OSError):
            raise AnswerLost("A batch's results did not arrive whole; they are asked for again.") from None
        return bytes(found)

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, object] | None:
        asked = shown("GET", path)
        try:
            answer = self._request("GET", path, query, None)
        except (requests.RequestException, OSError):
            raise Unreachable(f"Mailchimp could not be reached ({asked}). The next run tries again.") from None
        heard = Heard(answer.status_code, answer.content)
        refused = refusal(heard, asked, self.clock.now())
        if refused is not None:
            raise refused
        if heard.status == 404:
            return None
        if heard.status >= 500:
            raise Unreachable(f"Mailchimp answered {heard.status} ({asked}). The next run tries again.")
        if not heard.fine:
            raise Refused(f"Mailchimp refuses the question with {heard.status} ({asked}).")
        if not heard.content:
            raise AnswerLost(f"Mailchimp's answer did not arrive whole ({asked}). Nothing was changed; try again.")
        return heard.content

    def _request(self, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> requests.Response:
        self.quota.calls += 1
        answer = self._session.request(
            method,
            self.access.url + path,
            params=dict(query),
            data=body,
            headers={**self.access.headers, "Content-Type": "application/json"},
            timeout=self._timeout,
            allow_redirects=False,
        )
        if self.stand_in is None:
            self.stand_in = SAYS_STAND_IN in answer.headers
        return answer


def shown(method: str, path: str) -> str:
    """A call as it may be told: no member's key."""
    hidden = _MEMBER.sub(r"\1/…", path)
    return f"{method} {hidden}"
