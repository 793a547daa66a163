"""Xero: contacts, invoices, bills and payments of one organisation, through the SDK `xero-python`."""

from __future__ import annotations

from connectors.xero.client import XeroTool
from connectors.xero.hosts import addresses
from connectors.xero.oauth import REFRESH_GRACE, Tokens, client_credentials, consent_url, exchange_code, refresh
from qualy_sync.contracts.accounting import Endpoint, TokenSource
from qualy_sync.contracts.clock import Clock

__all__ = [
    "REFRESH_GRACE",
    "Tokens",
    "XeroTool",
    "client_credentials",
    "connect",
    "consent_url",
    "exchange_code",
    "refresh",
]


def connect(endpoint: Endpoint, tokens: TokenSource, clock: Clock, read_timeout: int = 45) -> XeroTool:
    """Xero for one connection; nothing is sent yet. `read_timeout` in whole seconds.

    `endpoint.url` is the API's address, `endpoint.extra` may hold `tenant_id` (which organisation), `identity_url`,
    `connections_url` and `authorize_url`. Raises Refused for a host that is neither Xero's nor this machine's.
    """
    return XeroTool(addresses(endpoint), endpoint.extra.get("tenant_id", "").strip(), tokens, clock, int(read_timeout))
