"""Where a connection may point: Xero's own hosts over https, or a stand-in on this machine, never a mixture."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.shared.hosts import all_local
from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

API = "https://api.xero.com/api.xro/2.0"
IDENTITY = "https://identity.xero.com"
CONNECTIONS = "https://api.xero.com/connections"
AUTHORIZE = "https://login.xero.com/identity/connect/authorize"

_LISTED = "/connections"


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
    local = all_local(
        clean,
        "xero.com",
        "Xero",
        "Xero",
        "the connection's identity_url, connections_url and authorize_url",
    )
    return Addresses(clean["API"], clean["identity"], clean["connections"], clean["consent"], local)
