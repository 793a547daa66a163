"""Where the connection may point and what it says about itself: Qualy's own host, or a stand-in on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Reconnect, Refused

API = "https://api.qualyhq.com/v1"
_HOST = "api.qualyhq.com"
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Access:
    """A checked address without a slash at its end, the tenant, and the headers of every request."""

    url: str
    tenant: str
    headers: dict[str, str] = field(repr=False)


def access(endpoint: Endpoint) -> Access:
    """Reads a connection. Raises Refused for another host, Reconnect where tenant or key is missing.

    Qualy: "Authentication": `Authorization: ApiKey KEY`, and `X-TENANT-ID` on every request.
    """
    url = _checked((endpoint.url or API).strip().rstrip("/"))
    tenant, key = endpoint.login.strip(), endpoint.password.strip()
    for what, value in (("login (the tenant id)", tenant), ("password (the API key)", key)):
        if not value:
            raise Reconnect(f"The qualy connection has no {what}; both are on Qualy's page Settings, API keys.")
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise Reconnect(
                f"The qualy connection's {what} holds a blank or a character that no key has; paste it anew."
            )
    headers = {"Authorization": f"ApiKey {key}", "X-TENANT-ID": tenant, "Accept": "application/json"}
    return Access(url, tenant, headers)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused("The qualy connection's address is not an address; use " + API) from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if plain and host in _LOCAL and parts.scheme in {"http", "https"}:
        return url
    if plain and host == _HOST and parts.scheme == "https" and port in {None, 443}:
        return url
    raise Refused(
        f"The qualy connection points to {host or 'no host'} ({parts.scheme or 'no scheme'}). Only {API}, or a stand-in"
        " on 127.0.0.1 or localhost, is allowed; correct the connection."
    )
