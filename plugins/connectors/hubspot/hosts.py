"""Where a connection may point: HubSpot's own hosts over https, or a stand-in on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

API = "https://api.hubapi.com"
_LOCAL = frozenset({"127.0.0.1", "localhost"})


def address(endpoint: Endpoint) -> str:
    """The API's address without a slash at its end, HubSpot's own where there is none. Raises Refused."""
    url = (endpoint.url or API).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused(f"The address of the HubSpot connection is not an address; use {API}.") from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if plain and host in _LOCAL and parts.scheme in {"http", "https"}:
        return url
    if plain and host.endswith(".hubapi.com") and parts.scheme == "https" and port in {None, 443}:
        return url
    raise Refused(
        f"The HubSpot connection points to {host or 'no host'} ({parts.scheme or 'no scheme'}). Only"
        " https://*.hubapi.com, or a stand-in on 127.0.0.1 or localhost, is allowed; correct the connection."
    )
