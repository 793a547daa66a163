"""Access tokens: one that stands in the connection (service key, app of one account), or OAuth's, which expire."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.hubspot.classify import RECONNECT, loads, refusal
from connectors.hubspot.hosts import address
from connectors.hubspot.transport import Transport
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.clock import Clock
from qualy_sync.contracts.errors import AnswerLost, Reconnect, Refused


@dataclass(frozen=True, slots=True)
class Tokens:
    """What HubSpot's token service gave."""

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
    if heard.status == 400:
        raise Reconnect(f"HubSpot no longer accepts the connection's consent. {RECONNECT}")
    refused = refusal(heard, "token service", asked_at)
    if refused is not None:
        raise refused
    try:
        content = loads(heard.body)
    except ValueError:
        content = {}
    access, seconds = content.get("access_token"), content.get("expires_in")
    if heard.status != 200 or not isinstance(access, str) or not access or not isinstance(seconds, int):
        raise AnswerLost(f"The answer of HubSpot's token service ({heard.status}) cannot be read.")
    renewed = content.get("refresh_token")
    if not isinstance(renewed, str):
        raise Refused("HubSpot's token service gave no refresh token.")
    return Tokens(access, renewed, asked_at + timedelta(seconds=seconds))
