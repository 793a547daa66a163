"""HubSpot: contacts and their properties in one account, through the SDK `hubspot-api-client`."""

from __future__ import annotations

from connectors.hubspot.client import HubSpotTool
from connectors.hubspot.hosts import address
from connectors.hubspot.tokens import StaticToken, Tokens, refresh
from qualy_sync.contracts.accounting import Endpoint, TokenSource
from qualy_sync.contracts.clock import Clock

__all__ = ["HubSpotTool", "StaticToken", "Tokens", "connect", "refresh"]


def connect(
    endpoint: Endpoint,
    tokens: TokenSource,
    clock: Clock,
    version: str,
    key_field: str,
    read_timeout: int = 30,
    only: str = "",
) -> HubSpotTool:
    """HubSpot for one connection; nothing is sent yet. `read_timeout` in whole seconds.

    `endpoint.url` is the API's address, `version` what stands in its paths (`2026-09`, or `v3`), `key_field` the
    property that carries our ref, `only` the account that has to be reached ("": whichever it is). Raises Refused for a
    host that is neither HubSpot's nor this machine's.
    """
    return HubSpotTool(address(endpoint), tokens, clock, version, key_field, int(read_timeout), only)
