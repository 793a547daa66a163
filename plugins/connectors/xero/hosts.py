"""Where a connection may point: Xero's own hosts over https, or a stand-in on this machine, never a mixture."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

API = "https://api.xero.com/api.xro/2.0"
IDENTITY = "https://identity.xero.com"
CONNECTIONS = "https://api.xero.com/connections"
AUTHORIZE = "https://login.xero.com/identity/connect/authorize"

_LISTED = "/connections"
_LOCAL = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Addresses:
    """The four addresses of one connection, checked; none ends with a slash."""

    api: str
    identity: str
    connections: str
    authorize: str
    local: bool

    @property
    def token(self) -> str:
        """Where tokens are given out."""
        return f"{self.identity}/connect/token"

    @property
    def above_connections(self) -> str:
        """The address that the SDK puts `/Connections` behind."""
        return self.connections[: -len(_LISTED)]


def addresses(endpoint: Endpoint) -> Addresses:
    """The addresses of a connection, Xero's own where it names none. Raises Refused for any other host."""
    extra = endpoint.extra
    named = {
        "API": endpoint.url or API,
        "identity": extra.get("identity_url") or IDENTITY,
        "connections": extra.get("connections_url") or CONNECTIONS,
        "consent": extra.get("authorize_url") or AUTHORIZE,
    }
    clean = {name: url.strip().rstrip("/") for name, url in named.items()}
    if not clean["connections"].lower().endswith(_LISTED):
        raise Refused(f"The connections_url of the Xero connection has to end with {_LISTED}.")
    local = {name: _is_local(name, url) for name, url in clean.items()}
    if len(set(local.values())) > 1:
        ours = ", ".join(name for name, is_local in local.items() if is_local)
        theirs = ", ".join(name for name, is_local in local.items() if not is_local)
        raise Refused(
            f"The Xero connection mixes a stand-in ({ours}) with the real Xero ({theirs}). Give the connection's"
            " identity_url, connections_url and authorize_url on the same host as its API address."
        )
    return Addresses(clean["API"], clean["identity"], clean["connections"], clean["consent"], local["API"])


def _is_local(name: str, url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused(f"The {name} address of the Xero connection is not an address.") from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if plain and host in _LOCAL and parts.scheme in {"http", "https"}:
        return True
    if plain and host.endswith(".xero.com") and parts.scheme == "https" and port in {None, 443}:
        return False
    raise Refused(
        f"The {name} address of the Xero connection points to {host or 'no host'} ({parts.scheme or 'no scheme'})."
        " Only https://*.xero.com, or a stand-in on 127.0.0.1 or localhost, is allowed; correct the connection."
    )
