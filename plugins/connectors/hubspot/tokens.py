"""Access tokens: one that stands in the connection (service key, app of one account), or OAuth's, which expire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.hubspot.classify import RECONNECT, content_of, refusal
from connectors.hubspot.hosts import address
from connectors.hubspot.transport import Transport
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, Reconnect, Refused

# What HubSpot's older token service and OAuth 2.0 (RFC 6749, 5.2) call an app that they do not know.
_OF_THE_APP = {"BAD_CLIENT_ID", "BAD_CLIENT_SECRET", "invalid_client", "unauthorized_client"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What HubSpot's token service gave. `refresh_token` is empty where the old one stays in force."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


class StaticToken:
    """A token that is good until somebody rotates it."""

    def __init__(self, token: str) -> None:
        self._token = token.strip()

    def access_token(self) -> str:
        """Raises Reconnect where there is none."""
        if not self._token:
            raise Reconnect(f"The HubSpot connection holds no token: its password is a service key's. {RECONNECT}")
        return self._token

    def refused(self, token: str) -> None:
        """There is no other one. Raises Reconnect."""
        raise Reconnect(f"HubSpot no longer accepts the connection's token. {RECONNECT}")


def refresh(endpoint: Endpoint, refresh_token: str, version: str, *, clock: Clock | None = None) -> Tokens:
    """A new access token, which lasts 30 minutes. `endpoint.login` and `.password` are the app's id and secret.

    Raises Unreachable (nothing was sent), AnswerLost, Reconnect, OutOfQuota and Refused.
    """
    asked_at = clock.now() if clock else datetime.now(UTC)
    heard = Transport(address(endpoint), version, 30).token(
        grant_type="refresh_token",
        refresh_token=refresh_token,
        client_id=endpoint.login,
        client_secret=endpoint.password,
    )
    refused = refusal(heard, "token service", asked_at)
    if refused is not None:
        raise refused
    content = content_of(heard)
    if heard.status == 400:
        raise _over(content)
    access, seconds = content.get("access_token"), content.get("expires_in")
    whole = isinstance(access, str) and access and isinstance(seconds, int) and not isinstance(seconds, bool)
    if heard.status != 200 or not whole:
        raise AnswerLost(f"The answer of HubSpot's token service ({heard.status}) cannot be read.")
    renewed = content.get("refresh_token")
    ends = asked_at + timedelta(seconds=int(str(seconds)))
    return Tokens(str(access), renewed if isinstance(renewed, str) else "", ends)


def _over(content: Mapping[str, Any]) -> Reconnect | Refused:
    """A 400: the app is not known under its id and secret, or the consent is over."""
    if {str(content.get("status")), str(content.get("error"))} & _OF_THE_APP:
        return Refused("HubSpot's token service refuses the app. Check client id (login) and secret (password).")
    return Reconnect(f"HubSpot no longer accepts the connection's consent. {RECONNECT}")
