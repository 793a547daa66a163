"""Where a connection may point: HubSpot's own hosts over https, or a stand-in on this machine."""

from __future__ import annotations

from connectors.shared.hosts import is_local
from qualy_sync.contracts.accounting import Endpoint

API = "https://api.hubapi.com"


def address(endpoint: Endpoint) -> str:
    """The API's address without a slash at its end, HubSpot's own where there is none. Raises Refused."""
    url = (endpoint.url or API).strip().rstrip("/")
    is_local(
        url,
        "hubapi.com",
        "The HubSpot connection",
        unreadable=f"The address of the HubSpot connection is not an address; use {API}.",
    )
    return url
