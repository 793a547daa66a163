"""Where a connection may point: Intuit's own hosts over https, or a stand-in on this machine, never a mixture."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from qualy_sync.contracts.accounting import Endpoint
from qualy_sync.contracts.errors import Refused

API = "https://quickbooks.api.intuit.com"
TOKEN = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
AUTHORIZE = "https://appcenter.intuit.com/connect/oauth2"

_VERSION = "/v3"
_LOCAL = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three addresses of one connection, checked; none ends with a slash. `api` is without `/v3`."""

    api: str
    token: str
    authorize: str
    local: bool

    @property
    def versioned(self) -> str:
        """The address that the SDK puts `/company/...` behind."""
        return f"{self.api}{_VERSION}"


def addresses(endpoint: Endpoint) -> Addresses:
    """The addresses of a connection, Intuit's own where it names none. Raises Refused for any other host."""
    extra = endpoint.extra
    named = {
        "API": endpoint.url or API,
        "token": extra.get("token_url") or TOKEN,
        "consent": extra.get("authorize_url") or AUTHORIZE,
    }
    clean = {name: url.strip().rstrip("/") for name, url in named.items()}
    clean["API"] = clean["API"].removesuffix(_VERSION)
    local = {name: _is_local(name, url) for name, url in clean.items()}
    if len(set(local.values())) > 1:
        ours = ", ".join(name for name, is_local in local.items() if is_local)
        theirs = ", ".join(name for name, is_local in local.items() if not is_local)
        raise Refused(
            f"The quickbooks connection mixes a stand-in ({ours}) with the real QuickBooks ({theirs}). Give the"
            " connection's token_url and authorize_url on the same host as its API address."
        )
    return Addresses(clean["API"], clean["token"], clean["consent"], local["API"])


def _is_local(name: str, url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused(f"The {name} address of the quickbooks connection is not an address.") from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if plain and host in _LOCAL and parts.scheme in {"http", "https"}:
        return True
    if plain and host.endswith(".intuit.com") and parts.scheme == "https" and port in {None, 443}:
        return False
    raise Refused(
        f"The {name} address of the quickbooks connection points to {host or 'no host'}"
        f" ({parts.scheme or 'no scheme'}). Only https://*.intuit.com, or a stand-in on 127.0.0.1 or localhost, is"
        " allowed; correct the connection."
    )
