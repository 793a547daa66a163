"""Where a connection may point: Intuit's own hosts over https, or a stand-in on this machine, never a mixture."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.shared.hosts import all_local
from qualy_sync.contracts.accounting import Endpoint

API = "https://quickbooks.api.intuit.com"
TOKEN = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
AUTHORIZE = "https://appcenter.intuit.com/connect/oauth2"

_VERSION = "/v3"


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
    local = all_local(
        clean,
        "intuit.com",
        "quickbooks",
        "QuickBooks",
        "the connection's token_url and authorize_url",
    )
    return Addresses(clean["API"], clean["token"], clean["consent"], local)
