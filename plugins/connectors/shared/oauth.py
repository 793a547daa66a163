"""The call of a token service (OAuth 2.0), sent once, and what its answer means. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.shared.answers import retry_after
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, OutOfQuota, Reconnect, Refused, Unreachable

_TIMEOUT = httpx.Timeout(30, connect=5)
_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(days=1)
_REFUSING = frozenset({401, 403, 404})


def _is_dead(content: Mapping[str, Any]) -> bool:
    return content.get("error") == "invalid_grant"


@dataclass(frozen=True, slots=True)
class Service:
    """How a token service is spoken of, and what is its own.

    `owner` has it ("Example"), `tool` is what a person connected, `reconnect` what they do to connect again, `check`
    what they look at where the app is refused, and `elsewhere` where the address or the app is not known (one of the
    statuses in `refusing`). `dead` tells a token that is over from an app that is refused.
    """

    owner: str
    tool: str
    reconnect: str
    check: str = "client id, secret and redirect"
    elsewhere: str = "its address, client id and secret"
    refusing: frozenset[int] = _REFUSING
    dead: Callable[[Mapping[str, Any]], bool] = _is_dead


@dataclass(frozen=True, slots=True)
class Given:
    """A readable answer: when the access token ends, and the whole content, which may hold secrets."""

    content: Mapping[str, Any]
    access_token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Given(expires_at={self.expires_at!r})"

    def text(self, name: str) -> str:
        """A text beside the access token, empty where there is none."""
        value = self.content.get(name)
        return value if isinstance(value, str) else ""


def ask(
    service: Service, url: str, form: Mapping[str, str], clock: Clock | None, app: tuple[str, str] | None = None
) -> Given:
    """One call of the token service. `app` (client id and secret) is sent as Basic, where it is not in the form.

    Raises Unreachable (nothing was sent), AnswerLost (sent; the old token may have been replaced), Reconnect,
    OutOfQuota and Refused.
    """
    asked_at = clock.now() if clock else datetime.now(UTC)
    return _given(service, _post(service, url, form, app), asked_at)


def _post(service: Service, url: str, form: Mapping[str, str], app: tuple[str, str] | None) -> httpx.Response:
    auth = httpx.BasicAuth(*app) if app else None
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, auth=auth) as client:
            return client.post(url, data=dict(form), headers={"Accept": "application/json"})
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise Unreachable(
            f"No connection to {service.owner}'s token service. Check the network and try again."
        ) from None
    except httpx.HTTPError:
        raise AnswerLost(f"The answer of {service.owner}'s token service did not arrive.") from None


def _given(service: Service, answer: httpx.Response, asked_at: datetime) -> Given:
    content = _content(answer)
    error = content.get("error")
    whose = f"{service.owner}'s token service"
    if answer.status_code == 429:
        told = retry_after(answer.headers.get("retry-after", ""), asked_at, _LONGEST_WAIT)
        raise OutOfQuota(f"{whose} asks to wait a moment.", "token", told or asked_at + _WAIT)
    if 400 <= answer.status_code < 500 and isinstance(error, str):
        if service.dead(content):
            raise Reconnect(
                f"{service.tool} no longer accepts this connection's token (invalid_grant). {service.reconnect}"
            )
        word = error if error.isidentifier() else "an error"
        raise Refused(f"{whose} refuses the app ({word}). Check {service.check}.")
    if answer.status_code in service.refusing:
        raise Refused(f"{whose} answered {answer.status_code}. Check {service.elsewhere}.")
    access, lifetime = content.get("access_token"), content.get("expires_in")
    whole = isinstance(access, str) and access and isinstance(lifetime, int) and not isinstance(lifetime, bool)
    if answer.status_code != 200 or not whole:
        raise unreadable(service, answer.status_code)
    return Given(content, str(access), asked_at + timedelta(seconds=int(str(lifetime))))


def unreadable(service: Service, status: int = 200) -> AnswerLost:
    """The error of an answer that lacks what it has to hold."""
    return AnswerLost(f"The answer of {service.owner}'s token service ({status}) cannot be read.")


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
